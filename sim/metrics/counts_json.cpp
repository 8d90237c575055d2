// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/counts_json.hpp"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>

#include "sim/base/error.hpp"
#include "sim/config/json_document.hpp"
#include "sim/metrics/labels.hpp"

namespace reticle {

namespace {
using Json = nlohmann::ordered_json;

/// Every field of EventCounts by its key; `scalar` takes integers and quantities, `list` arrays and
/// vectors, whose elements go by the names given (by position when there are none).
template <class Counts, class Visitor>
void visit_fields(Counts& counts, Visitor&& visitor) {
  std::array<std::string_view, kTimeCategoryCount> categories;
  for (std::size_t c = 0; c < categories.size(); ++c) categories[c] = kTimeCategoryLabels[c].key;
  std::array<std::string_view, kPrecisionCount> precisions;
  for (std::size_t p = 0; p < precisions.size(); ++p) precisions[p] = kPrecisions[p].name;

  visitor.named("read_bytes", counts.read, kTierNames);
  visitor.named("written_bytes", counts.written, kTierNames);
  visitor.scalar("staged_bytes", counts.staged);
  visitor.named("loaded_bytes", counts.loaded, categories);
  visitor.scalar("hbm_activates", counts.hbm_activates);
  visitor.scalar("hbm_read_bursts", counts.hbm_read_bursts);
  visitor.scalar("hbm_written_bursts", counts.hbm_written_bursts);
  visitor.scalar("hbm_bank_active_us", counts.hbm_bank_active_us);
  visitor.scalar("hbm_refreshes", counts.hbm_refreshes);
  visitor.scalar("hbm_bank_refreshes", counts.hbm_bank_refreshes);
  visitor.named("macs", counts.macs, precisions);
  visitor.scalar("vector_ops", counts.vector_ops);
  visitor.list("link_bytes", counts.link_bytes);
  visitor.scalar("sram_busy_ps", counts.sram_busy);
  visitor.scalar("hbm_busy_ps", counts.hbm_busy);
  visitor.scalar("far_busy_ps", counts.far_busy);
  visitor.scalar("flash_busy_ps", counts.flash_busy);
  visitor.scalar("mac_busy_ps", counts.mac_busy);
  visitor.scalar("vector_busy_ps", counts.vector_busy);
  visitor.list("link_busy_ps", counts.link_busy);
}

std::int64_t plain(std::int64_t value) { return value; }
template <class Tag>
std::int64_t plain(Quantity<Tag> value) {
  return value.count();
}

struct Writer {
  Json out = Json::object();

  template <class T>
  void scalar(const char* key, const T& value) {
    out[key] = plain(value);
  }
  template <class T, std::size_t n>
  void named(const char* key, const std::array<T, n>& values,
             const std::array<std::string_view, n>& names) {
    Json& object = out[key] = Json::object();
    for (std::size_t i = 0; i < n; ++i) object[std::string{names[i]}] = plain(values[i]);
  }
  template <class T>
  void list(const char* key, const std::vector<T>& values) {
    Json& array = out[key] = Json::array();
    for (const T& value : values) array.push_back(plain(value));
  }
};

[[noreturn]] void refuse(const std::string& key, std::string_view problem) {
  throw ConfigError(SourcePosition{}, "counts" + (key.empty() ? key : "." + key), problem);
}

std::int64_t whole(const Json& json, const std::string& key) {
  const auto number = whole_number_of(json);
  if (!number) refuse(key, "expected a whole number of 64 bits, got " + json.dump());
  return *number;
}

const Json& member(const Json& object, const std::string& path, const std::string& key) {
  const auto found = object.find(key);
  if (found == object.end()) refuse(path, "missing");
  return *found;
}

struct Reader {
  const Json& in;
  std::set<std::string> known{};

  const Json& field(const char* key) {
    known.insert(key);
    return member(in, key, key);
  }
  template <class T>
  void scalar(const char* key, T& value) {
    value = T{whole(field(key), key)};
  }
  template <class T, std::size_t n>
  void named(const char* key, std::array<T, n>& values,
             const std::array<std::string_view, n>& names) {
    const Json& object = field(key);
    if (!object.is_object() || object.size() > n) refuse(key, "expected exactly its known keys");
    for (std::size_t i = 0; i < n; ++i) {
      const std::string name{names[i]}, path = key + ("." + name);
      values[i] = T{whole(member(object, path, name), path)};
    }
  }
  template <class T>
  void list(const char* key, std::vector<T>& values) {
    const Json& array = field(key);
    if (!array.is_array()) refuse(key, "expected a list");
    for (const Json& item : array) values.push_back(T{whole(item, key)});
  }
};
}  // namespace

std::string counts_to_json(const EventCounts& counts) {
  Writer writer;
  visit_fields(counts, writer);
  return writer.out.dump();
}

EventCounts counts_from_json(std::string_view text) {
  const Json json = parse_json<Json>(text, "counts");
  if (!json.is_object()) refuse("", "expected a JSON object");
  EventCounts counts;
  Reader reader{json};
  visit_fields(counts, reader);
  for (const auto& item : json.items())
    if (!reader.known.contains(item.key())) refuse(item.key(), "unknown key");
  return counts;
}

}  // namespace reticle
