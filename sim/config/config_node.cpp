// SPDX-License-Identifier: Apache-2.0
#include "sim/config/config_node.hpp"

#include <algorithm>
#include <array>

#include "sim/config/nearest.hpp"

namespace reticle {

namespace {
constexpr std::string_view kNone = "none";

struct KeyUnit {
  std::string_view suffix;
  std::string_view unit;
};
// Longest first where one ends another.
constexpr std::array kKeyUnits{
    KeyUnit{"_pj_per_bit", "pJ/bit"},
    KeyUnit{"_pj", "pJ"},
    KeyUnit{"_w_per_mm2", "W/mm2"},
    KeyUnit{"_w_per_mb", "W/MB"},
    KeyUnit{"_w_per_stack", "W"},
    KeyUnit{"_w", "W"},
    KeyUnit{"_usd_per_kwh", "USD/kWh"},
    KeyUnit{"_usd_per_kw_month", "USD/kW/month"},
    KeyUnit{"_usd", "USD"},
    KeyUnit{"_years", "years"},
    KeyUnit{"_mm2", "mm2"},
    KeyUnit{"_tokens_per_s", "tokens/s"},
    KeyUnit{"_nj", "nJ"},
    KeyUnit{"_mw", "mW"},
};

std::string in_quotes(std::string_view text) { return "'" + std::string{text} + "'"; }

std::string found(const ConfigTree& tree) {
  switch (tree.kind) {
    case ConfigTree::Kind::Empty:
      return "nothing";
    case ConfigTree::Kind::Leaf:
      return in_quotes(tree.text);
    case ConfigTree::Kind::Map:
      return "a section";
    case ConfigTree::Kind::List:
      return "a list";
  }
  return {};
}
}  // namespace

std::string_view unit_named_by(std::string_view key) {
  for (const auto& row : kKeyUnits)
    if (key.ends_with(row.suffix)) return row.unit;
  return {};
}

ConfigNode::ConfigNode(std::shared_ptr<const ConfigTree> tree, ResolvedValues& log)
    : state_{std::make_shared<State>()} {
  invariant(tree != nullptr && tree->kind == ConfigTree::Kind::Map, "a ConfigNode wraps a map");
  state_->tree = std::move(tree);
  state_->log = &log;
}

std::string ConfigNode::path_of(std::string_view key) const {
  return state_->path.empty() ? std::string{key} : state_->path + "." + std::string{key};
}

AskedKey* ConfigNode::asked(std::string_view key, AskedKey::Form form) const {
  if (KeyRecord::active() == nullptr) return nullptr;
  AskedKey& asked = state_->asked.keys[std::string{key}];
  if (form != AskedKey::Form::Known) asked.form = form;
  return &asked;
}

bool ConfigNode::stands_here(std::string_view key) const {
  const ConfigTree* const value = state_->tree->find(key);
  return value != nullptr && KeyRecord::active() != nullptr &&
         KeyRecord::active()->is_of(value->position.file);
}

bool ConfigNode::has(std::string_view key) const {
  (void)asked(key, AskedKey::Form::Known);
  auto& known = state_->known;
  if (std::ranges::find(known, key) == known.end()) known.emplace_back(key);
  return state_->tree->find(key) != nullptr;
}

bool ConfigNode::is_none(std::string_view key) const {
  if (!has(key)) return true;
  const ConfigTree& value = *state_->tree->find(key);
  return value.kind == ConfigTree::Kind::Leaf && value.text == kNone;
}

SourcePosition ConfigNode::position_of(std::string_view key) const {
  const ConfigTree* nearest = state_->tree.get();
  while (true) {
    const auto dot = key.find('.');
    const ConfigTree* value = nearest->find(key.substr(0, dot));
    if (value == nullptr) return nearest->position;
    nearest = value;
    if (dot == std::string_view::npos) return nearest->position;
    key.remove_prefix(dot + 1);
  }
}

void ConfigNode::fail(std::string_view key, const std::string& problem) const {
  throw ConfigError(position_of(key), path_of(key), problem);
}

const ConfigTree& ConfigNode::leaf(std::string_view key, const std::string& expected) const {
  if (!has(key)) fail(key, "required key is missing, expected " + expected);
  const ConfigTree& value = *state_->tree->find(key);
  if (value.kind != ConfigTree::Kind::Leaf)
    fail(key, "expected " + expected + ", got " + found(value));
  return value;
}

std::string ConfigNode::with_unit(std::string_view key, const ConfigTree& leaf,
                                  UnitStyle style) const {
  std::string text = leaf.text;
  if (style == UnitStyle::InText) return leaf.unit.empty() ? text : text + " " + leaf.unit;
  const std::string_view unit = style == UnitStyle::InKey ? unit_named_by(key) : "count";
  const bool counts_tokens = style == UnitStyle::None && leaf.unit == "tokens";
  if (!leaf.unit.empty() && leaf.unit != unit && !counts_tokens)
    fail(key, "expected the unit " + (unit.empty() ? std::string{kNone} : in_quotes(unit)) +
                  ", got " + in_quotes(leaf.unit));
  if (style == UnitStyle::InKey && !unit.empty() && text.ends_with(" " + std::string{unit}))
    text.resize(text.size() - unit.size() - 1);
  return text;
}

void ConfigNode::refuse_text(std::string_view key, const std::string& text,
                             const std::string& problem, const std::string& expected) const {
  if (!problem.empty()) fail(key, problem + ", got " + in_quotes(text));
  fail(key, "expected " + expected + ", got " + in_quotes(text));
}

void ConfigNode::note(std::string_view key, const std::string& value,
                      const ConfigTree& leaf) const {
  state_->said[std::string{key}] = value;
  state_->log->push_back(
      {path_of(key), value, leaf.origin, leaf.source, leaf.confidence, leaf.range});
}

void ConfigNode::note_default(std::string_view key, const std::string& value) const {
  state_->said[std::string{key}] = value;
  state_->log->push_back({path_of(key), value, "default", "", "", std::nullopt});
}

void ConfigNode::note_none(std::string_view key) const {
  if (const ConfigTree* value = state_->tree->find(key))
    note(key, std::string{kNone}, *value);
  else
    note_default(key, std::string{kNone});
}

ConfigNode ConfigNode::child(std::string_view key) const {
  if (AskedKey* asked = this->asked(key, AskedKey::Form::Section))
    asked->required = stands_here(key) && !asked->may_be_none ? 1 : 0;
  if (!has(key)) fail(key, "required section is missing");
  const ConfigTree& value = *state_->tree->find(key);
  if (value.kind != ConfigTree::Kind::Map) fail(key, "expected a section, got " + found(value));
  const std::string name{state_->asked.any_name ? "*" : key};
  return below(value, path_of(key), state_->pattern.empty() ? name : state_->pattern + "." + name);
}

ConfigNode ConfigNode::below(const ConfigTree& tree, std::string path, std::string pattern) const {
  auto state = std::make_shared<State>();
  state->tree = std::shared_ptr<const ConfigTree>{state_->tree, &tree};
  state->path = std::move(path);
  state->pattern = std::move(pattern);
  state->log = state_->log;
  return ConfigNode{std::move(state)};
}

std::optional<ConfigNode> ConfigNode::find_child(std::string_view key) const {
  if (AskedKey* asked = this->asked(key, AskedKey::Form::Section)) asked->may_be_none = true;
  if (is_none(key)) return std::nullopt;
  return child(key);
}

std::vector<std::string> ConfigNode::keys() const {
  state_->asked.any_name = true;
  std::vector<std::string> all;
  for (const ConfigEntry& entry : state_->tree->entries) all.push_back(entry.key);
  return all;
}

bool ConfigNode::is_null(std::string_view key) const {
  if (AskedKey* asked = this->asked(key, AskedKey::Form::Known)) asked->may_be_null = true;
  return has(key) && state_->tree->find(key)->kind == ConfigTree::Kind::Empty;
}

bool ConfigNode::is_list(std::string_view key) const {
  if (AskedKey* asked = this->asked(key, AskedKey::Form::Known)) asked->may_be_list = true;
  return has(key) && state_->tree->find(key)->kind == ConfigTree::Kind::List;
}

std::vector<ConfigNode> ConfigNode::sections(std::string_view key) const {
  if (AskedKey* asked = this->asked(key, AskedKey::Form::Sections))
    asked->required = stands_here(key) ? 1 : 0;
  if (!has(key)) fail(key, "required list is missing");
  const ConfigTree& list = *state_->tree->find(key);
  if (list.kind != ConfigTree::Kind::List) fail(key, "expected a list, got " + found(list));
  std::vector<ConfigNode> all;
  for (const auto& item : list.items) {
    const std::string name = std::string{key} + "[" + std::to_string(all.size()) + "]";
    if (item.kind != ConfigTree::Kind::Map)
      throw ConfigError(item.position, path_of(name), "expected a section, got " + found(item));
    const std::string items = std::string{key} + "[]";
    all.push_back(below(item, path_of(name),
                        state_->pattern.empty() ? items : state_->pattern + "." + items));
  }
  return all;
}

std::vector<std::string> ConfigNode::texts(std::string_view key) const {
  (void)asked(key, AskedKey::Form::Texts);
  if (!has(key)) return {};
  const ConfigTree& list = *state_->tree->find(key);
  if (list.kind != ConfigTree::Kind::List) fail(key, "expected a list, got " + found(list));
  std::vector<std::string> all;
  for (const auto& item : list.items) {
    const std::string name = std::string{key} + "[" + std::to_string(all.size()) + "]";
    if (item.kind != ConfigTree::Kind::Leaf)
      throw ConfigError(item.position, path_of(name), "expected a text, got " + found(item));
    note(name, item.text, item);
    all.push_back(item.text);
  }
  return all;
}

void ConfigNode::takes_words(std::string_view key, std::vector<std::string> words,
                             bool or_file) const {
  AskedKey* const asked = this->asked(key, AskedKey::Form::Value);
  if (asked == nullptr) return;
  std::string expected = "one of";
  for (const auto& word : words) expected += " " + (word.empty() ? std::string{"''"} : word);
  asked->shape = {.kind = ValueShape::Kind::Word,
                  .expected = expected,
                  .words = std::move(words),
                  .or_file = or_file};
}

void ConfigNode::check(std::string_view key, bool ok, std::string_view rule) const {
  if (ok) return;
  const auto value = state_->said.find(std::string{key});
  invariant(value != state_->said.end(), "only keys that were read can be checked");
  fail(key, std::string{rule} + ", got " + value->second);
}

void ConfigNode::reject_unknown_keys() const {
  if (KeyRecord* record = KeyRecord::active()) {
    state_->asked.closed = true;
    record->add(state_->pattern, state_->asked, record->is_of(state_->tree->position.file));
  }
  for (const auto& entry : state_->tree->entries) {
    if (std::ranges::find(state_->known, entry.key) != state_->known.end()) continue;
    throw ConfigError(entry.position, path_of(entry.key),
                      "unknown key" + did_you_mean(entry.key, state_->known));
  }
}

}  // namespace reticle
