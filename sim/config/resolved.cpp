// SPDX-License-Identifier: Apache-2.0
#include "sim/config/resolved.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/config/confidence.hpp"
#include "sim/config/yaml_reader.hpp"

namespace reticle {

namespace {
constexpr std::string_view kSchemaKey = "reticle_resolved";
constexpr std::string_view kSchema = "1";
constexpr std::array<std::string_view, 3> kHeaderKeys{kSchemaKey, "version", "git_revision"};

/// A double-quoted YAML scalar.
std::string yaml_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    constexpr std::array<std::pair<char, std::string_view>, 5> kEscapes{
        {{'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"}, {'\r', "\\r"}, {'\t', "\\t"}}};
    std::string_view written{&c, 1};
    for (const auto& [raw, escaped] : kEscapes)
      if (raw == c) written = escaped;
    out += written;
  }
  return out + '"';
}

/// Sections and leaves in the order first seen, so that dotted paths come out nested.
struct Section {
  struct Child;
  std::vector<Child> children;
  const ResolvedValue* value = nullptr;

  Section& at(std::string_view key);
};
struct Section::Child {
  std::string name;
  Section section;
};

Section& Section::at(std::string_view key) {
  const auto found = std::ranges::find(children, key, &Child::name);
  if (found != children.end()) return found->section;
  return children.emplace_back(Child{std::string{key}, {}}).section;
}

/// "platform.claims[0]": an index nests like a key.
void insert(Section& root, const ResolvedValue& value) {
  Section* section = &root;
  std::string_view rest = value.path;
  while (!rest.empty()) {
    const auto end = rest.find_first_of(".[", rest.front() == '[' ? 1 : 0);
    section = &section->at(rest.substr(0, end));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(rest[end] == '.' ? end + 1 : end);
  }
  section->value = &value;
}

void write_leaf(std::ostream& out, const ResolvedValue& leaf) {
  out << "{value: " << yaml_text(leaf.value) << ", origin: " << yaml_text(leaf.origin);
  if (!leaf.source.empty()) out << ", source: " << yaml_text(leaf.source);
  if (!leaf.confidence.empty()) out << ", confidence: " << leaf.confidence;
  out << "}\n";
}

void write_section(std::ostream& out, const Section& section, std::size_t depth) {
  for (const auto& [key, child] : section.children) {
    out << std::string(2 * depth, ' ') << (key.front() == '[' ? "-" : key + ":");
    if (child.value != nullptr) {
      out << ' ';
      write_leaf(out, *child.value);
    } else {
      out << '\n';
      write_section(out, child, depth + 1);
    }
  }
}
}  // namespace

void write_resolved(std::ostream& out, const RunSpec& run, const BuildInfo& build) {
  out << "# Every value this run depended on. `reticle run --resolved FILE` repeats it.\n"
      << kSchemaKey << ": " << kSchema << "\nversion: " << yaml_text(build.version)
      << "\ngit_revision: " << yaml_text(build.git_revision) << '\n';
  Section root;
  for (const auto& value : run.resolved) insert(root, value);
  write_section(out, root, 0);
}

ConfigTree read_resolved(const std::string& path) {
  return resolved_tree(read_yaml(path, path), path);
}

ConfigTree resolved_tree(ConfigTree tree, const std::string& path) {
  const ConfigTree* schema = tree.find(kSchemaKey);
  if (schema == nullptr || schema->text != kSchema)
    throw ConfigError(schema == nullptr ? SourcePosition{path, 1, 1} : schema->position, kSchemaKey,
                      "expected a resolved configuration of schema " + std::string{kSchema});
  std::erase_if(tree.entries, [](const ConfigEntry& entry) {
    return std::ranges::find(kHeaderKeys, entry.key) != kHeaderKeys.end();
  });
  return tree;
}

std::map<std::string, std::int64_t> count_confidence(const std::vector<ResolvedValue>& resolved) {
  std::map<std::string, std::int64_t> counts;
  for (const auto word : kConfidenceWords) counts.emplace(word, 0);
  for (const auto& value : resolved)
    if (!value.confidence.empty() && value.path.starts_with("platform."))
      ++counts[value.confidence];
  return counts;
}

std::string changed_platform_keys(const std::vector<ResolvedValue>& resolved) {
  constexpr std::string_view kPlatform = "platform.";
  std::string keys;
  for (const ResolvedValue& value : resolved)
    if (value.origin == "--set" && value.path.starts_with(kPlatform))
      keys += (keys.empty() ? "" : ", ") + value.path.substr(kPlatform.size());
  return keys;
}

}  // namespace reticle
