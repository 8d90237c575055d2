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

namespace {
/// Without blanks at its ends.
std::string trimmed(const std::string& text) {
  constexpr const char* kBlanks = " \t";
  const std::size_t first = text.find_first_not_of(kBlanks);
  return first == std::string::npos
             ? std::string{}
             : text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

/// A value, or a list in brackets.
ConfigTree set_value(std::string_view text, const SourcePosition& position) {
  if (!text.starts_with('[') || !text.ends_with(']'))
    return make_leaf(std::string{text}, position, "--set");
  ConfigTree list;
  list.kind = ConfigTree::Kind::List;
  list.position = position;
  text = text.substr(1, text.size() - 2);
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    const std::size_t first = item.find_first_not_of(' ');
    if (first == std::string_view::npos)
      throw ConfigError(position, "", "an entry of the list is empty");
    const std::size_t last = item.find_last_not_of(' ');
    list.items.push_back(
        make_leaf(std::string{item.substr(first, last + 1 - first)}, position, "--set"));
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return list;
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
  if (path != trimmed(path))
    throw ConfigError(position, "",
                      "a key has no blanks: write --set '" + trimmed(path) + "=" +
                          trimmed(assignment.substr(equals + 1)) + "'");

  ConfigTree* map = &root;
  std::size_t begin = 0;
  for (std::size_t dot; (dot = path.find('.', begin)) != std::string::npos; begin = dot + 1) {
    if (dot == begin) throw ConfigError(position, path, "a part of the key is empty");
    map = &section(*map, path.substr(begin, dot - begin), position, path.substr(0, dot));
  }
  if (begin == path.size()) throw ConfigError(position, path, "a part of the key is empty");
  put(*map, path.substr(begin),
      set_value(std::string_view{assignment}.substr(equals + 1), position));
}

}  // namespace reticle
