// SPDX-License-Identifier: Apache-2.0
// A configuration as text: maps, lists and leaves, each knowing where it was written. Files,
// timing tables and --set overrides meet here, before anything is read, so that all obey the same
// checks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/base/error.hpp"

namespace reticle {

struct ConfigEntry;

struct ConfigTree {
  enum class Kind : std::uint8_t { Empty, Leaf, Map, List };

  Kind kind = Kind::Empty;
  SourcePosition position;
  std::vector<ConfigEntry> entries;  ///< of a map, in file order
  std::vector<ConfigTree> items;     ///< of a list

  // Of a leaf: a scalar, or the long form {value, unit?, source, confidence, ...}.
  std::string text;
  std::string unit;
  std::string source;
  std::string confidence;
  std::string origin;  ///< file:line:col | default | --set | command line
  std::optional<std::pair<double, double>> range;  ///< of the figure, as written
  bool own_provenance = false;  ///< source and confidence stand at the leaf itself

  [[nodiscard]] const ConfigTree* find(std::string_view key) const;
  [[nodiscard]] ConfigTree* find(std::string_view key);
};

struct ConfigEntry {
  std::string key;
  SourcePosition position;
  ConfigTree value;
};

ConfigTree make_map(SourcePosition position);
/// A leaf whose origin is `origin`, blamed in messages on `position`.
ConfigTree make_leaf(std::string text, SourcePosition position, std::string origin);

/// Adds `value` under `key` of the map `map`, or replaces what is there.
void put(ConfigTree& map, std::string_view key, ConfigTree value);

/// Gives `top` every key of `base` it does not have itself, section by section.
void fill_from(ConfigTree& top, const ConfigTree& base);

/// Applies "dotted.key=value", or "dotted.key=[value, value]", below the map `root`, making the
/// sections it names. Throws ConfigError when the text has no '=', a part of the key is empty, or
/// the key passes through a value.
void apply_set(ConfigTree& root, const std::string& assignment);

}  // namespace reticle
