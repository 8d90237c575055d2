// SPDX-License-Identifier: Apache-2.0
// An experiment on an entry's claims: what is run, what is looked at, and what would refute it.
// Plain data of configs/experiments/bNN.yaml; nothing here runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/registry/entry.hpp"
#include "sim/registry/interval.hpp"
#include "sim/registry/verdict.hpp"

namespace reticle {

/// What is asked of `reticle run`; what a later one leaves empty an earlier one says.
struct RunChoice {
  std::string platform, llm, workload, serving;
  std::vector<std::string> sets;
};

/// `over` on top of `under`: its names in place of those, its keys after those.
RunChoice layered(RunChoice under, const RunChoice& over);

struct Arm {
  std::string name;
  std::string what;    ///< in words
  bool bound = false;  ///< a limit to compare with, not a remedy one could have
  RunChoice shared;    ///< what the experiment and the test say for all arms
  RunChoice choice;    ///< its own, on top of conditions
};

struct ConditionPoint {
  std::string label;
  RunChoice choice;
  /// What it means for an arm alone, by name, after the arm's own keys: how well a remedy does.
  std::map<std::string, RunChoice> for_arms{};
  std::optional<double> value{};  ///< of an operating point, where that is what is looked at
};
struct ConditionAxis {
  std::string name;
  std::vector<ConditionPoint> points;
  /// Of operating points, which rise in even ratios: the last one that keeps the limits is found by
  /// bisection, the others are not run.
  bool search = false;
};

/// In place of a figure of the report: the `figure` of the operating point that was chosen.
inline constexpr std::string_view kOperatingPointValue = "operating_point.figure";

/// A figure of report.json, by its dotted path.
struct Metric {
  std::string figure;
  SourcePosition at{};  ///< where the experiment names it
  std::string title, unit;
  bool lower_is_better = false;
  double scale = 1;  ///< multiplies the figure, where the claim's unit differs
};

/// An operating point counts only where this holds.
struct OperatingLimit {
  std::string figure;
  std::optional<double> at_most, at_least;
  std::string relative_to{};  ///< an arm, by whose figure at the same point it is divided
  SourcePosition at{};
};

/// What is held against the claim.
enum class Form : std::uint8_t {
  Ratio,          ///< how many times better than the baseline
  GainPercent,    ///< how many per cent better
  SavingPercent,  ///< how many per cent of the baseline's less, where less is better
  LossPercent,    ///< how many per cent worse: a price
  Figure          ///< the metric itself; there is no baseline
};
inline constexpr std::array<std::string_view, 5> kForms{"ratio", "gain_percent", "saving_percent",
                                                        "loss_percent", "figure"};

struct ClaimTest {
  std::string id;
  std::string title;
  std::string claim;  ///< of the entry; empty: figures are shown, and nothing is judged
  ClaimedRange claimed;
  std::string claim_unit;
  Metric metric;
  Form form{};
  std::optional<Arm> baseline;
  std::vector<Arm> treatments;
  std::vector<ConditionAxis> conditions;
  std::optional<ConditionAxis> choose;  ///< every arm works at its best point of these
  std::vector<OperatingLimit> within;
};

/// A condition over what a test measured. The falsifier has come true where all of an
/// experiment's hold.
struct Refutation {
  std::string test;             ///< its id
  std::string arm;              ///< a treatment; empty: the best one of each point
  bool everywhere = true;       ///< at all points looked at, or at one at least
  std::optional<double> below;  ///< the figure, in the test's terms, is less than this
  std::optional<double> from;   ///< it is at least this
  /// Looks at the points alone that have, on every axis named here, one of its labels.
  struct Labels {
    std::string axis;
    std::vector<std::string> labels;
  };
  std::vector<Labels> where;
};

struct Experiment {
  std::string id;  ///< of the entry
  std::string hypothesis, falsifier;
  std::vector<Refutation> refuted_if;  ///< the falsifier, over figures
  std::vector<ClaimTest> tests;
  std::optional<Arithmetic> arithmetic;
  bool importer = false;           ///< what the importer of models reads is told
  std::vector<std::string> needs;  ///< what it would take to simulate the claim
  std::vector<std::string> notes;
  std::string file;
};

/// Reads a file and checks it against its entry. Throws ConfigError at file:line:col.
Experiment read_experiment(const std::filesystem::path& path, const std::string& label,
                           const std::vector<Entry>& entries);
Experiment parse_experiment(std::string_view text, const std::string& label,
                            const std::vector<Entry>& entries);

/// All points of the condition space, the last axis running fastest; one empty point without axes.
std::vector<std::vector<std::size_t>> points_of(const std::vector<ConditionAxis>& axes);

}  // namespace reticle
