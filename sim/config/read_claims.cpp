// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_claims.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "sim/config/catalogue.hpp"
#include "sim/config/config_node.hpp"
#include "sim/config/nearest.hpp"
#include "sim/config/word_of.hpp"
#include "sim/config/yaml_reader.hpp"

namespace reticle {

namespace {
constexpr Range<double> kAnyNumber{-1e18, 1e18};
constexpr Range<double> kNotNegative{0, 1e18};

/// `unit` names the range's own unit, or that of the row it stands in.
ClaimRange read_range(const ConfigNode& node, std::string unit = {}) {
  ClaimRange range{node.get<double>("low", kNotNegative), node.get<double>("high", kNotNegative),
                   std::move(unit)};
  node.check("high", range.low <= range.high, "must be at least low");
  if (node.has("unit")) range.unit = node.get<std::string>("unit");
  if (node.has("source")) (void)node.get<std::string>("source");
  node.reject_unknown_keys();
  return range;
}

std::map<std::string, ClaimRange> read_ranges(const ConfigNode& node) {
  std::map<std::string, ClaimRange> ranges;
  for (const std::string& key : node.keys()) ranges[key] = read_range(node.child(key));
  return ranges;
}

/// The figure that `key` names, stated in its own unit and, in a list, once.
template <std::size_t n>
std::string read_figure(const ConfigNode& node, std::string_view key,
                        const std::array<ClaimedFigure, n>& known,
                        const std::vector<std::string>& before) {
  const auto name = node.get<std::string>(key);
  std::vector<std::string> names;
  for (const ClaimedFigure& figure : known) names.emplace_back(figure.name);
  node.takes_words(key, names);
  const auto found = std::ranges::find(known, name, &ClaimedFigure::name);
  node.check(key, found != known.end(),
             "expected a figure that is compared" + did_you_mean(name, names));
  node.check(key, std::ranges::count(before, name) == 0, "is listed twice");
  node.check("unit", node.get<std::string>("unit") == found->unit,
             fmt::format("must be {}, as ours is", found->unit));
  return name;
}

std::string read_platform_name(const ConfigNode& node, std::string_view key) {
  const auto name = node.get<std::string>(key);
  const auto names = catalogue_names(CatalogueKind::Platform);
  node.takes_words(key, names);
  node.check(key, std::ranges::count(names, name) > 0,
             "expected a platform of the catalogue" + did_you_mean(name, names));
  return name;
}

std::string read_llm_name(const ConfigNode& node) {
  const auto name = node.get<std::string>("llm");
  const auto names = catalogue_names(CatalogueKind::Llm);
  node.takes_words("llm", names);
  node.check("llm", std::ranges::count(names, name) > 0,
             "expected a language model of the catalogue" + did_you_mean(name, names));
  return name;
}

void read_platforms(const ConfigNode& root, PaperClaims& claims) {
  constexpr std::array<std::string_view, 3> kKinds{"shipping", "claim", "projection"};
  for (const ConfigNode& node : root.sections("platforms")) {
    ClaimedPlatform platform;
    platform.id = read_platform_name(node, "id");
    platform.label = node.get<std::string>("label");
    platform.packages = read_range(node.child("packages"));
    platform.kind = static_cast<ClaimKind>(word_of(node, "kind", kKinds));
    (void)node.get<std::string>("source");
    node.check("id", claims.find(platform.id) == nullptr, "is listed twice");
    node.reject_unknown_keys();
    claims.platforms.push_back(std::move(platform));
  }
}

RadarAxis read_axis(const ConfigNode& node, const std::vector<std::string>& before) {
  RadarAxis axis;
  axis.id = read_figure(node, "id", kRadarAxes, before);
  axis.title = node.get<std::string>("title");
  axis.unit = node.get<std::string>("unit");
  (void)word_of(node, "better", std::array<std::string_view, 1>{"higher"});
  axis.ratio = word_of(node, "kind", std::array<std::string_view, 2>{"ratio", "absolute"}) == 0;
  if (!axis.ratio) {
    axis.low = node.get<double>("low", kNotNegative);
    axis.high = node.get<double>("high", kNotNegative);
    node.check("high", axis.low < axis.high, "must be above low");
  }
  if (!node.is_null("report")) (void)node.get<std::string>("report");
  (void)node.get<std::string>("source");
  node.reject_unknown_keys();
  return axis;
}

void read_radar(const ConfigNode& node, PaperClaims& claims) {
  claims.radar_reference = read_platform_name(node, "reference");
  (void)word_of(node, "scale", std::array<std::string_view, 1>{"log"});
  claims.radar_excluded = node.texts("excluded");
  (void)node.get<std::string>("source");
  std::vector<std::string> before;
  for (const ConfigNode& axis : node.sections("axes")) {
    claims.axes.push_back(read_axis(axis, before));
    before.push_back(claims.axes.back().id);
  }
  node.reject_unknown_keys();
}

void check_listed(const ConfigNode& node, std::string_view key, const PaperClaims& claims) {
  node.check(key, claims.find(node.get<std::string>(key)) != nullptr,
             "must be one of the list `platforms`");
}

std::string read_precision_name(const ConfigNode& node, std::string_view key) {
  const auto name = node.get<std::string>(key);
  std::vector<std::string> names;
  for (const auto& precision : kPrecisions) names.emplace_back(precision.name);
  const bool known = std::ranges::count(names, name) > 0;
  node.takes_words(key, std::move(names));
  node.check(key, known, "expected a number format such as bf16");
  return name;
}

void read_table1(const ConfigNode& node, PaperClaims& claims) {
  claims.table1_llm = read_llm_name(node);
  for (const ConfigNode& row : node.sections("rows")) {
    Table1Row read;
    check_listed(row, "platform", claims);
    read.platform = row.get<std::string>("platform");
    read.precision = read_precision_name(row, "precision");
    for (const auto& [column, unit] : kTable1Columns) {
      auto& cell = read.cells[std::string{column}];
      if (row.is_null(column)) continue;
      const ConfigNode stated = row.child(column);
      cell = read_range(stated, std::string{unit});
      stated.check("unit", cell->unit == unit, fmt::format("must be {}, as ours is", unit));
    }
    row.reject_unknown_keys();
    claims.table1.push_back(std::move(read));
  }
  node.reject_unknown_keys();
}

void read_table2(const ConfigNode& node, PaperClaims& claims) {
  claims.table2_llm = read_llm_name(node);
  const ConfigNode columns = node.child("columns");
  check_listed(columns, "h100", claims);
  check_listed(columns, "asic", claims);
  claims.table2_h100 = columns.get<std::string>("h100");
  claims.table2_precision = read_precision_name(columns, "h100_precision");
  claims.table2_asic = columns.get<std::string>("asic");
  claims.table2_beside = columns.texts("beside");
  columns.reject_unknown_keys();
  std::vector<std::string> before;
  for (const ConfigNode& row : node.sections("rows")) {
    const auto axis = read_figure(row, "axis", kTable2Axes, before);
    const auto unit = row.get<std::string>("unit");
    before.push_back(axis);
    Table2Row read;
    read.axis = axis;
    read.unit = unit;
    read.h100 = read_range(row.child("h100"), unit);
    read.asic = read_range(row.child("asic"), unit);
    read.ratio = read_range(row.child("ratio"), "x");
    claims.table2.push_back(std::move(read));
    row.reject_unknown_keys();
  }
  node.reject_unknown_keys();
}

void read_software(const ConfigNode& node, PaperClaims& claims) {
  node.check("subjective", node.get<bool>("subjective"), "must be true: the scores are nobody's");
  const ConfigNode stated = node.child("stated");
  (void)read_range(stated.child("scale"));
  (void)read_range(stated.child("gap_to_cuda"));
  if (!stated.is_null("scores")) stated.fail("scores", "the paper has none: expected null");
  stated.reject_unknown_keys();
  for (const ConfigNode& score : node.sections("implied")) {
    check_listed(score, "platform", claims);
    ClaimRange points{score.get<double>("low", {0, 10}), score.get<double>("high", {0, 10}),
                      "points"};
    score.check("high", points.low <= points.high, "must be at least low");
    (void)score.get<std::string>("source");
    score.reject_unknown_keys();
    claims.software[score.get<std::string>("platform")] = std::move(points);
  }
  node.reject_unknown_keys();
}

std::vector<WorkedExample> read_examples(const ConfigNode& root, std::string_view key) {
  constexpr std::array<std::string_view, 4> kRoundings{"none", "down", "nearest", "milli"};
  std::vector<WorkedExample> examples;
  for (const ConfigNode& node : root.sections(key)) {
    WorkedExample example;
    example.id = node.get<std::string>("id");
    example.formula = node.get<std::string>("formula");
    (void)node.get<std::string>("source");
    const ConfigNode inputs = node.child("inputs");
    for (const std::string& name : inputs.keys())
      example.inputs[name] = inputs.get<double>(name, kAnyNumber);
    const ConfigNode outputs = node.child("outputs");
    for (const std::string& name : outputs.keys()) {
      const ConfigNode output = outputs.child(name);
      example.outputs[name] = {output.get<double>("stated", kAnyNumber),
                               output.get<std::string>("unit"),
                               std::string{kRoundings[word_of(output, "rounding", kRoundings)]}};
      output.reject_unknown_keys();
    }
    example.reproduced = node.get<bool>("reproduced");
    node.reject_unknown_keys();
    examples.push_back(std::move(example));
  }
  return examples;
}

PaperClaims read_paper(const ConfigNode& root) {
  PaperClaims claims;
  (void)root.get<std::string>("title");
  read_platforms(root, claims);
  read_radar(root.child("radar"), claims);
  read_table1(root.child("table1"), claims);
  read_table2(root.child("table2"), claims);
  for (const auto* key : {"headline", "nre"}) (void)read_ranges(root.child(key));
  claims.reference_asic = read_ranges(root.child("reference_asic"));
  root.check("reference_asic", claims.reference_asic.contains("power"), "must have its power");
  claims.agent_density = read_ranges(root.child("agent_density"));
  read_software(root.child("software_maturity"), claims);
  claims.examples = read_examples(root, "worked_examples");
  root.reject_unknown_keys();
  return claims;
}

/// A number, or [low, high].
void check_ends(const ConfigNode& node, const std::string& key) {
  if (!node.is_list(key)) {
    (void)node.get<double>(key, kAnyNumber);
    return;
  }
  const std::vector<std::string> texts = node.texts(key);
  std::vector<double> ends;
  for (const auto& text : texts)
    if (const auto number = ValueText<double>::parse(text).value) ends.push_back(*number);
  if (texts.size() != 2 || ends.size() != 2 || ends[0] > ends[1])
    node.fail(key, "expected a number or two, the lower first");
}

void check_figure(const ConfigNode& node) {
  constexpr std::array<std::string_view, 4> kRelations{"inside", "above", "below", "overlaps"};
  constexpr std::array<std::string_view, 4> kVerdicts{"holds", "holds only if", "contradicted",
                                                      "not checkable"};
  for (const auto* key : {"id", "where", "states", "unit", "computes", "from", "because"})
    (void)node.get<std::string>(key);
  check_ends(node, "stated");
  const ConfigNode given = node.child("given");
  for (const std::string& key : given.keys()) check_ends(given, key);
  given.reject_unknown_keys();
  if (node.has("within")) (void)node.get<double>("within", {0, 1});
  (void)word_of(node, "relation", kRelations);
  (void)word_of(node, "verdict", kVerdicts);
  node.reject_unknown_keys();
}

void check_figures(const ConfigNode& root) {
  (void)root.get<std::string>("title");
  (void)read_examples(root, "reference_examples");
  for (const ConfigNode& group : root.sections("groups")) {
    (void)group.get<std::string>("title");
    for (const ConfigNode& figure : group.sections("figures")) check_figure(figure);
    group.reject_unknown_keys();
  }
  root.reject_unknown_keys();
}
}  // namespace

const ClaimedPlatform* PaperClaims::find(const std::string& platform) const {
  const auto found = std::ranges::find(platforms, platform, &ClaimedPlatform::id);
  return found == platforms.end() ? nullptr : &*found;
}

PaperClaims read_paper_claims(const std::string& path) {
  const std::string label = path.empty() ? "configs/claims/paper.yaml" : path;
  const auto file = path.empty() ? catalogue_root() / label : std::filesystem::path{path};
  ResolvedValues values;
  return read_paper({std::make_shared<const ConfigTree>(read_yaml(file, label)), values});
}

void check_claims(ConfigTree claims) {
  const auto tree = std::make_shared<const ConfigTree>(std::move(claims));
  ResolvedValues values;
  const ConfigNode root{tree, values};
  if (tree->find("groups") != nullptr)
    check_figures(root);
  else
    (void)read_paper(root);
}

}  // namespace reticle
