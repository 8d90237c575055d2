// SPDX-License-Identifier: Apache-2.0
#include "sim/config/config_tree.hpp"

#include <algorithm>
#include <utility>

#include "sim/config/text_check.hpp"

namespace reticle {

const ConfigTree* ConfigTree::find(std::string_view key) const {
  const auto entry = std::ranges::find(entries, key, &ConfigEntry::key);
  return entry == entries.end() ? nullptr : &entry->value;
}

ConfigTree* ConfigTree::find(std::string_view key) {
  const auto entry = std::ranges::find(entries, key, &ConfigEntry::key);
  return entry == entries.end() ? nullptr : &entry->value;
}

ConfigTree make_map(SourcePosition position) {
  ConfigTree map;
  map.kind = ConfigTree::Kind::Map;
  map.position = std::move(position);
  return map;
}

ConfigTree make_leaf(std::string text, SourcePosition position, std::string origin) {
  ConfigTree leaf;
  leaf.kind = ConfigTree::Kind::Leaf;
  leaf.position = std::move(position);
  leaf.text = std::move(text);
  leaf.origin = std::move(origin);
  return leaf;
}

void put(ConfigTree& map, std::string_view key, ConfigTree value) {
  if (ConfigTree* present = map.find(key)) {
    *present = std::move(value);
    return;
  }
  SourcePosition position = value.position;
  map.entries.push_back({std::string{key}, std::move(position), std::move(value)});
}

void fill_from(ConfigTree& top, const ConfigTree& base) {
  for (const auto& entry : base.entries) {
    ConfigTree* present = top.find(entry.key);
    if (present == nullptr)
      top.entries.push_back(entry);
    else if (present->kind == ConfigTree::Kind::Map && entry.value.kind == ConfigTree::Kind::Map)
      fill_from(*present, entry.value);
  }
}

namespace {
/// The map under `key`, made when absent.
ConfigTree& section(ConfigTree& map, const std::string& key, const SourcePosition& position,
                    std::string_view path) {
  if (map.find(key) == nullptr) put(map, key, make_map(position));
  ConfigTree& found = *map.find(key);
  if (found.kind != ConfigTree::Kind::Map)
    throw ConfigError(position, path, "is a value, not a section with keys of its own");
  return found;
}
}  // namespace

void apply_set(ConfigTree& root, const std::string& assignment) {
  const SourcePosition position{"--set " + assignment, 0, 0};
  if (const auto problem = text_problem(assignment))
    throw ConfigError({"--set", 0, 0}, "", problem->what);
  const auto equals = assignment.find('=');
  if (equals == std::string::npos)
    throw ConfigError(position, "", "expected key=value, such as platform.nodes=2");
  const std::string path = assignment.substr(0, equals);

  ConfigTree* map = &root;
  std::size_t begin = 0;
  for (std::size_t dot; (dot = path.find('.', begin)) != std::string::npos; begin = dot + 1) {
    if (dot == begin) throw ConfigError(position, path, "a part of the key is empty");
    map = &section(*map, path.substr(begin, dot - begin), position, path.substr(0, dot));
  }
  if (begin == path.size()) throw ConfigError(position, path, "a part of the key is empty");
  put(*map, path.substr(begin), make_leaf(assignment.substr(equals + 1), position, "--set"));
}

}  // namespace reticle
