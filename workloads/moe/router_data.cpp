// SPDX-License-Identifier: Apache-2.0
#include "workloads/moe/router_data.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/moe/record_builder.hpp"
#include "workloads/text/fields.hpp"
#include "workloads/text/json_stream.hpp"

namespace reticle {

namespace {

class RouterDataReader {
 public:
  explicit RouterDataReader(LineSource& lines) : json_{lines}, builder_{lines, record_} {}

  RoutingRecord read() {
    std::int64_t id = 0;
    json_.enter('{');
    while (const auto key = json_.key()) {
      if (*key == "router_data") {
        json_.enter('[');
        while (json_.element()) read_token();
      } else if (*key == "row_index") {
        id = whole("row_index", json_.scalar());
      } else {
        json_.skip();
      }
    }
    json_.end();
    builder_.finish(BadRows{false});
    record_.sessions.front().id = static_cast<std::uint64_t>(id);
    return std::move(record_);
  }

 private:
  std::int64_t whole(std::string_view key, std::string_view text) const {
    if (const auto value = whole_number(text)) return *value;
    json_.fail(key, "expected a whole number, found " + quoted(text));
  }

  /// The number behind `prefix` in the next name, which there has to be.
  std::optional<std::int64_t> numbered(std::string_view prefix) {
    const auto key = json_.key();
    if (!key) return std::nullopt;
    const auto number = key->starts_with(prefix)
                            ? whole_number(std::string_view{*key}.substr(prefix.size()))
                            : std::nullopt;
    if (!number)
      json_.fail("router_data",
                 "expected a name " + std::string{prefix} + "N, found " + quoted(*key));
    return number;
  }

  void read_token() {
    json_.enter('{');
    const auto position = numbered("token_");
    if (!position) json_.fail("router_data", "expected a token, found none");
    json_.enter('{');
    picks_.clear();
    std::int64_t layers = 0;
    while (const auto layer = numbered("layer_")) {
      if (*layer != layers || layers >= RecordBuilder::kMaxLayers)
        json_.fail("layer", "expected layer " + std::to_string(layers) + ", found " +
                                std::to_string(*layer));
      ++layers;
      read_layer();
    }
    if (record_.layers == 0) record_.layers = layers;
    if (layers == 0 || layers != record_.layers)
      json_.fail("layer", "expected " + std::to_string(std::max<std::int64_t>(record_.layers, 1)) +
                              " layers for every token, found " + std::to_string(layers));
    builder_.add(0, *position, picks_, false);
    if (json_.key()) json_.fail("router_data", "expected one token, found another beside it");
  }

  void read_layer() {
    const std::size_t begin = picks_.size();
    json_.enter('{');
    while (const auto key = json_.key()) {
      if (*key != "selected_experts") {
        json_.skip();
        continue;
      }
      if (picks_.size() != begin) json_.fail("selected_experts", "expected once, found it again");
      json_.enter('[');
      while (json_.element()) {
        picks_.push_back(static_cast<std::uint64_t>(whole("selected_experts", json_.scalar())));
        if (picks_.size() - begin > static_cast<std::size_t>(RecordBuilder::kMaxExperts))
          json_.fail("selected_experts", "expected at most 4096 experts");
      }
    }
    const auto found = static_cast<std::int64_t>(picks_.size() - begin);
    if (record_.top_k == 0) record_.top_k = found;
    if (found == 0 || found != record_.top_k)
      json_.fail("selected_experts", "expected " +
                                         std::to_string(std::max<std::int64_t>(record_.top_k, 1)) +
                                         " experts at every layer, found " + std::to_string(found));
    builder_.check_picks(&picks_[begin], json_.offset());
  }

  JsonStream json_;
  RoutingRecord record_;
  RecordBuilder builder_;
  std::vector<std::uint64_t> picks_;  ///< of the token at hand
};

}  // namespace

bool is_router_data(LineSource& lines) {
  const auto first = lines.peek();
  if (!first || first->find_first_not_of(" \t") == std::string_view::npos ||
      (*first)[first->find_first_not_of(" \t")] != '{')
    return false;
  try {
    JsonStream json{lines};
    json.enter('{');
    while (const auto key = json.key()) {
      if (*key == "router_data") return true;
      if (*key == "requests") return false;  // a session of agents
      json.skip();
    }
  } catch (const ConfigError&) {
  }
  return false;
}

RoutingRecord read_router_data(LineSource& lines) { return RouterDataReader{lines}.read(); }

}  // namespace reticle
