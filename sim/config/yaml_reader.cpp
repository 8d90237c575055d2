// SPDX-License-Identifier: Apache-2.0
#include "sim/config/yaml_reader.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "sim/base/file_reader.hpp"
#include "sim/config/confidence.hpp"
#include "sim/config/nearest.hpp"
#include "sim/config/text_check.hpp"
#include "sim/config/value_text.hpp"

namespace reticle {

namespace {
// Bounds on memory, ten times and more what files hold [docs/reliability.md, Files of strangers].
constexpr std::size_t kMaxFileBytes = std::size_t{4} << 20;
constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxEntries = 1024;
constexpr std::size_t kMaxNodes = 100'000;  // ten times what the longest resolved.yaml has

/// Builds the tree from parser events, so that nothing is expanded or recursed into unseen.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const std::string& label) : label_{label} {}

  [[nodiscard]] ConfigTree take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "aliases are not allowed");
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check_node(mark, "", anchor);
    add(mark, ConfigTree{});
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_node(mark, tag, anchor);
    if (awaits_key()) {
      open_.back().key = value;
      open_.back().key_position = position(mark);
      return;
    }
    ConfigTree leaf = make_leaf(value, position(mark), to_string(position(mark)));
    add(mark, std::move(leaf));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, ConfigTree::Kind::List);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, ConfigTree::Kind::Map);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    ConfigTree tree;
    std::optional<std::string> key;  ///< of a map: read, its value still to come
    SourcePosition key_position;
  };

  [[nodiscard]] SourcePosition position(const YAML::Mark& mark) const {
    return {label_, mark.line + 1, mark.column + 1};
  }
  [[noreturn]] void refuse(const YAML::Mark& mark, const std::string& problem) const {
    throw ConfigError(position(mark), "", problem);
  }
  void check_node(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) const {
    if (anchor != 0) refuse(mark, "anchors are not allowed");
    if (!tag.empty() && tag != "?" && tag != "!") refuse(mark, "tags are not allowed");
  }
  [[nodiscard]] bool awaits_key() const {
    return !open_.empty() && open_.back().tree.kind == ConfigTree::Kind::Map && !open_.back().key;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            ConfigTree::Kind kind) {
    check_node(mark, tag, anchor);
    if (awaits_key()) refuse(mark, "a key must be a single word");
    if (open_.size() == kMaxDepth)
      refuse(mark, "nested deeper than " + std::to_string(kMaxDepth) + " levels");
    Open opened;
    opened.tree.kind = kind;
    opened.tree.position = position(mark);
    open_.push_back(std::move(opened));
  }
  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    place(std::move(done.tree));
  }
  void add(const YAML::Mark& mark, ConfigTree tree) {
    if (awaits_key()) refuse(mark, "a key must be a single word");
    // The parser places what is missing at the next thing it finds; its key is nearer the mistake.
    if (tree.kind == ConfigTree::Kind::Empty)
      tree.position =
          !open_.empty() && open_.back().key ? open_.back().key_position : position(mark);
    place(std::move(tree));
  }
  void place(ConfigTree tree) {
    if (open_.empty()) {
      root_ = std::move(tree);
      return;
    }
    if (++nodes_ > kMaxNodes)
      throw ConfigError(tree.position, "",
                        "more than " + std::to_string(kMaxNodes) + " entries in the file");
    Open& parent = open_.back();
    if (parent.tree.entries.size() + parent.tree.items.size() == kMaxEntries)
      throw ConfigError(tree.position, "",
                        "more than " + std::to_string(kMaxEntries) + " entries in one place");
    if (parent.tree.kind == ConfigTree::Kind::List) {
      parent.tree.items.push_back(std::move(tree));
      return;
    }
    if (const ConfigTree* twin = parent.tree.find(*parent.key))
      throw ConfigError(parent.key_position, *parent.key,
                        "duplicate key, first at line " + std::to_string(twin->position.line));
    parent.tree.entries.push_back(
        {std::move(*parent.key), std::move(parent.key_position), std::move(tree)});
    parent.key.reset();
  }

  const std::string& label_;
  ConfigTree root_;
  std::vector<Open> open_;
  std::size_t nodes_ = 0;
};

// What a long-form leaf may say. `year`, `note` and `basis` are for the reader of the file;
// `origin` is written by resolved.yaml.
const std::vector<std::string> kLeafKeys{"value", "unit",  "source", "confidence", "origin",
                                         "year",  "range", "note",   "basis"};

struct Provenance {
  std::string source;
  std::string confidence;
};

std::string text_of(const ConfigTree& map, std::string_view key) {
  const ConfigTree* leaf = map.find(key);
  if (leaf == nullptr) return {};
  if (leaf->kind != ConfigTree::Kind::Leaf)
    throw ConfigError(leaf->position, key, "expected a text");
  return leaf->text;
}

Provenance provenance_of(const ConfigTree& map) {
  Provenance found{text_of(map, "source"), text_of(map, "confidence")};
  if (!found.confidence.empty() && !is_confidence_word(found.confidence)) {
    const std::vector<std::string> words{kConfidenceWords.begin(), kConfidenceWords.end()};
    throw ConfigError(map.find("confidence")->position, "confidence",
                      "expected a word such as datasheet or estimate, got '" + found.confidence +
                          "'" + did_you_mean(found.confidence, words));
  }
  return found;
}

void check_keys(const ConfigTree& map, const std::vector<std::string>& allowed) {
  for (const auto& entry : map.entries)
    if (std::find(allowed.begin(), allowed.end(), entry.key) == allowed.end())
      throw ConfigError(entry.position, entry.key,
                        "unknown key" + did_you_mean(entry.key, allowed));
}

/// Two numbers in the unit of the value, the lower first.
std::optional<std::pair<double, double>> range_of(const ConfigTree& map) {
  const ConfigTree* range = map.find("range");
  if (range == nullptr) return std::nullopt;
  std::vector<double> ends;
  for (const ConfigTree& item : range->items)
    if (const auto number = ValueText<double>::parse(item.text).value) ends.push_back(*number);
  if (range->items.size() != 2 || ends.size() != 2 || ends[0] > ends[1])
    throw ConfigError(range->position, "range", "expected [low, high], two numbers");
  return std::pair{ends[0], ends[1]};
}

/// {value: 14 ns, source: ...} becomes one leaf standing where the value stands.
ConfigTree folded(const ConfigTree& map) {
  check_keys(map, kLeafKeys);
  const ConfigTree& value = *map.find("value");
  if (value.kind != ConfigTree::Kind::Leaf)
    throw ConfigError(value.position, "value", "expected a single value");
  const Provenance provenance = provenance_of(map);
  const std::string origin = text_of(map, "origin");
  ConfigTree leaf = value;
  leaf.unit = text_of(map, "unit");
  leaf.range = range_of(map);
  leaf.source = provenance.source;
  leaf.confidence = provenance.confidence;
  leaf.own_provenance = !leaf.source.empty() && !leaf.confidence.empty();
  if (!origin.empty()) leaf.origin = origin;
  return leaf;
}

/// `common` fills in only where a leaf says nothing of its own.
void fold_leaves(ConfigTree& tree, const Provenance& common) {
  if (tree.kind == ConfigTree::Kind::Map && tree.find("value") != nullptr) tree = folded(tree);
  if (tree.kind == ConfigTree::Kind::Leaf && tree.source.empty() && tree.confidence.empty()) {
    tree.source = common.source;
    tree.confidence = common.confidence;
  }
  for (auto& entry : tree.entries) fold_leaves(entry.value, common);
  for (auto& item : tree.items) fold_leaves(item, common);
}

/// What a file calls itself is no figure that could have a source.
bool is_label(const ConfigEntry& entry) {
  constexpr std::array<std::string_view, 3> kLabels{"name", "title", "status"};
  return std::ranges::find(kLabels, entry.key) != kLabels.end() ||
         entry.value.kind == ConfigTree::Kind::List;
}

Provenance take_provenance(ConfigTree& root) {
  const ConfigTree* section = root.find("provenance");
  if (section == nullptr) return {};
  if (section->kind != ConfigTree::Kind::Map)
    throw ConfigError(section->position, "provenance", "expected {source: ..., confidence: ...}");
  check_keys(*section, {"source", "confidence", "note"});
  Provenance common = provenance_of(*section);
  std::erase_if(root.entries, [](const ConfigEntry& entry) { return entry.key == "provenance"; });
  return common;
}

/// The parser holds what stands in open brackets, 240 bytes for each of them, before it says that
/// there is one.
void refuse_open_brackets(std::string_view text, const std::string& label) {
  constexpr std::size_t kMostOpen = 1024;
  std::size_t open = 0;
  SourcePosition at{label, 1, 1};
  for (const char c : text) {
    if (c == '[' || c == '{') ++open;
    if ((c == ']' || c == '}') && open > 0) --open;
    if (open > kMostOpen)
      throw ConfigError(at, "", "more than " + std::to_string(kMostOpen) + " brackets left open");
    at.column = c == '\n' ? 1 : at.column + 1;
    at.line += c == '\n' ? 1 : 0;
  }
}

ConfigTree build(std::string_view text, const std::string& label) {
  std::istringstream stream{std::string{text}};
  TreeBuilder builder{label};
  try {
    YAML::Parser parser{stream};
    parser.HandleNextDocument(builder);
    ConfigTree root = builder.take();
    TreeBuilder rest{label};
    if (parser.HandleNextDocument(rest))
      throw ConfigError(rest.take().position, "", "expected one YAML document, found a second");
    return root;
  } catch (const YAML::Exception& error) {
    throw ConfigError({label, error.mark.line + 1, error.mark.column + 1}, "",
                      "not valid YAML: " + error.msg);
  }
}

}  // namespace

std::string read_yaml_text(const std::filesystem::path& file, const std::string& label) {
  return read_whole_file(file, label, kMaxFileBytes);
}

ConfigTree parse_yaml(std::string_view text, const std::string& label) {
  if (text.size() > kMaxFileBytes) throw ConfigError({label, 0, 0}, "", "larger than 4 MiB");
  if (const auto problem = text_problem(text))
    throw ConfigError({label, problem->line, problem->column}, "", problem->what);
  refuse_open_brackets(text, label);
  ConfigTree root = build(text, label);
  if (root.kind == ConfigTree::Kind::Empty)
    throw ConfigError({label, 1, 1}, "", "expected a map of keys, found nothing");
  if (root.kind != ConfigTree::Kind::Map)
    throw ConfigError(root.position, "", "expected a map of keys");
  const Provenance common = take_provenance(root);
  for (auto& entry : root.entries)
    fold_leaves(entry.value, is_label(entry) ? Provenance{} : common);
  return root;
}

namespace {
/// By file and label, while there is a KeepYaml.
std::optional<std::map<std::pair<std::string, std::string>, ConfigTree>> kept;
}  // namespace

KeepYaml::KeepYaml() {
  invariant(!kept, "one KeepYaml at a time");
  kept.emplace();
}
KeepYaml::~KeepYaml() { kept.reset(); }

ConfigTree read_yaml(const std::filesystem::path& file, const std::string& label) {
  if (!kept) return parse_yaml(read_yaml_text(file, label), label);
  const std::pair key{file.string(), label};
  const auto found = kept->find(key);
  if (found != kept->end()) return found->second;
  return kept->emplace(key, parse_yaml(read_yaml_text(file, label), label)).first->second;
}

}  // namespace reticle
