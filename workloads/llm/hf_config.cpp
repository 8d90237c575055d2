// SPDX-License-Identifier: Apache-2.0
#include "workloads/llm/hf_config.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "sim/base/error.hpp"

namespace reticle {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostBytes = std::size_t{16} << 20;
constexpr std::int64_t kMostWhole = 1'000'000'000'000;

SourcePosition place_of(const std::string& path, std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  const std::string_view before = text.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n');
  const std::size_t begin = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
  return {path, static_cast<int>(line) + 1, static_cast<int>(offset - begin) + 1};
}

using Places = std::map<std::string, std::size_t, std::less<>>;

/// Where each name of valid JSON stands, by its dotted path; the parser keeps no places, and takes
/// the last of two equal names without a word. Names in lists stand under the list's.
Places places_of(const std::string& path, std::string_view text) {
  constexpr std::size_t kDeepest = 64;
  struct Level {
    std::string at;
    bool object = false;
    std::set<std::string> names{};
  };
  std::vector<Level> open;
  Places places;
  std::string name;  // of the value that comes
  bool name_comes = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '{' || c == '[') {
      if (open.size() == kDeepest)
        throw ConfigError{place_of(path, text, i), "", "expected at most 64 brackets in another"};
      open.push_back({name, c == '{'});
    } else if (c == '}' || c == ']') {
      open.pop_back();
    }
    if (c == '{' || c == ',') name_comes = !open.empty() && open.back().object;
    if (c != '"') continue;
    const std::size_t begin = i;
    for (++i; text[i] != '"'; ++i)
      if (text[i] == '\\') ++i;
    if (!std::exchange(name_comes, false)) continue;
    const auto leaf = Json::parse(text.substr(begin, i + 1 - begin)).get<std::string>();
    Level& level = open.back();
    name = (level.at.empty() ? "" : level.at + ".") + leaf;
    if (level.names.insert(leaf).second)
      places.emplace(name, begin);  // in a list of objects, the first
    else
      throw ConfigError{place_of(path, text, begin), name, "expected one value, found another"};
  }
  return places;
}

bool says_nothing(const Json& value) {
  if (value.is_null()) return true;
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number()) return value.get<double>() == 0.0;
  return value.is_structured() || value.is_string() ? value.empty() || value == "" : false;
}

}  // namespace

struct HfConfig::State {
  std::string path;
  std::string text;
  Json root;
  Places places;
  const Json* llm = nullptr;  ///< root, or the section that describes the language model
  std::string section;        ///< the section's name and a dot, or nothing
  mutable std::set<std::string, std::less<>> asked;

  [[nodiscard]] const Json* find(std::string_view key) const {
    asked.insert(std::string{key});
    if (const Json* found = find_below(*llm, key)) return found;
    // What holds for a whole checkpoint stands beside a nested language model.
    constexpr std::array<std::string_view, 4> kOfCheckpoint{
        "quantization_config", "tie_word_embeddings", "torch_dtype", "dtype"};
    const std::string_view top = key.substr(0, key.find('.'));
    const bool shared =
        std::find(kOfCheckpoint.begin(), kOfCheckpoint.end(), top) != kOfCheckpoint.end();
    return shared && llm != &root ? find_below(root, key) : nullptr;
  }

  static const Json* find_below(const Json& section, std::string_view key) {
    const Json* at = &section;
    for (std::string_view rest = key; !rest.empty();) {
      const std::string_view name = rest.substr(0, rest.find('.'));
      rest.remove_prefix(std::min(rest.size(), name.size() + 1));
      if (!at->is_object()) return nullptr;
      const auto found = at->find(std::string{name});
      if (found == at->end() || found->is_null()) return nullptr;
      at = &*found;
    }
    return at;
  }
};

HfConfig::HfConfig(std::string path, std::string text) : state_{std::make_unique<State>()} {
  State& s = *state_;
  s.path = std::move(path);
  s.text = std::move(text);
  if (s.text.size() > kMostBytes)
    throw ConfigError{{s.path, 1, 1}, "", "expected a config.json of at most 16 MiB"};
  // The library takes a NUL for the end, and would say nothing of what follows it.
  if (const auto nul = s.text.find('\0'); nul != s.text.npos)
    throw ConfigError{place_of(s.path, s.text, nul), "", "expected JSON here"};
  try {
    s.root = Json::parse(s.text);
  } catch (const Json::exception& error) {
    const auto* parse = dynamic_cast<const Json::parse_error*>(&error);
    const std::size_t byte = parse != nullptr && parse->byte > 0 ? parse->byte - 1 : 0;
    throw ConfigError{place_of(s.path, s.text, byte), "", "expected JSON here"};
  }
  if (!s.root.is_object())
    throw ConfigError{{s.path, 1, 1}, "", "expected a JSON object, the config.json of a model"};
  s.places = places_of(s.path, s.text);
  s.llm = &s.root;
  for (const char* section : {"text_config", "llm_config", "language_config"})
    if (const auto found = s.root.find(section); found != s.root.end() && found->is_object()) {
      s.llm = &*found;
      s.section = std::string{section} + ".";
    }
}

HfConfig::~HfConfig() = default;
HfConfig::HfConfig(HfConfig&&) noexcept = default;

bool HfConfig::has(std::string_view key) const { return state_->find(key) != nullptr; }

std::optional<std::int64_t> HfConfig::whole(std::string_view key) const {
  const Json* value = state_->find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number_integer()) fail(key, "expected a whole number");
  const bool fits = value->is_number_unsigned()
                        ? value->get<std::uint64_t>() <= std::uint64_t{kMostWhole}
                        : value->get<std::int64_t>() >= 0;
  if (!fits) fail(key, "must be between 0 and 10^12");
  return value->get<std::int64_t>();
}

std::optional<std::int64_t> HfConfig::whole(std::span<const std::string_view> keys) const {
  std::optional<std::int64_t> found;
  std::string_view by;
  for (const std::string_view key : keys) {
    const auto value = key.empty() ? std::nullopt : whole(key);
    if (!value) continue;
    if (found && *found != *value)
      fail(key, "says " + std::to_string(*value) + ", but " + std::string{by} + " says " +
                    std::to_string(*found));
    found = value;
    by = key;
  }
  return found;
}

std::optional<bool> HfConfig::flag(std::string_view key) const {
  const Json* value = state_->find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) fail(key, "expected true or false");
  return value->get<bool>();
}

std::optional<std::string> HfConfig::text(std::string_view key) const {
  const Json* value = state_->find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) fail(key, "expected a text");
  return value->get<std::string>();
}

std::vector<std::string> HfConfig::texts(std::string_view key) const {
  const Json* value = state_->find(key);
  std::vector<std::string> all;
  if (value == nullptr) return all;
  if (!value->is_array()) fail(key, "expected a list of texts");
  for (const Json& item : *value) {
    if (!item.is_string()) fail(key, "expected a list of texts");
    all.push_back(item.get<std::string>());
  }
  return all;
}

std::vector<std::int64_t> HfConfig::wholes(std::string_view key) const {
  const Json* value = state_->find(key);
  std::vector<std::int64_t> all;
  if (value == nullptr) return all;
  if (!value->is_array()) fail(key, "expected a list of whole numbers");
  for (const Json& item : *value) {
    const bool small = item.is_number_integer() && item >= 0 && item <= kMostWhole;
    if (!small) fail(key, "expected a list of whole numbers");
    all.push_back(item.get<std::int64_t>());
  }
  return all;
}

std::vector<std::string> HfConfig::unread() const {
  std::vector<std::string> all;
  const auto add = [&](const auto& self, const Json& section, const std::string& before) -> void {
    for (const auto& [name, value] : section.items()) {
      const std::string key = before + name;
      if (says_nothing(value)) continue;
      const auto below = state_->asked.lower_bound(key + ".");
      if (value.is_object() && below != state_->asked.end() && below->starts_with(key + "."))
        self(self, value, key + ".");
      else if (state_->asked.count(key) == 0)
        all.push_back(key);
    }
  };
  add(add, *state_->llm, "");
  if (state_->llm != &state_->root) {
    Json beside = state_->root;
    beside.erase(state_->section.substr(0, state_->section.size() - 1));
    add(add, beside, "");
  }
  return all;
}

std::vector<std::string> HfConfig::names(std::string_view key) const {
  const Json* value = state_->find(key);
  std::vector<std::string> all;
  if (value == nullptr) return all;
  if (!value->is_object()) fail(key, "expected an object");
  for (const auto& item : value->items()) all.push_back(item.key());
  return all;
}

void HfConfig::fail(std::string_view key, const std::string& problem) const {
  const Places& places = state_->places;
  auto at = places.find(state_->section + std::string{key});
  if (at == places.end()) at = places.find(key);
  throw ConfigError{place_of(state_->path, state_->text, at == places.end() ? 0 : at->second), key,
                    problem};
}

}  // namespace reticle
