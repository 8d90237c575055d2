// SPDX-License-Identifier: Apache-2.0
// An experiment on an entry's claims: what is run, what is looked at, and what would refute it.
// Plain data of configs/experiments/bNN.yaml; nothing here runs.
#pragma once

#include <cstdint>
#include <filesystem>
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
};
struct ConditionAxis {
  std::string name;
  std::vector<ConditionPoint> points;
};

/// A figure of report.json, by its dotted path.
struct Metric {
  std::string figure;
  std::string title, unit;
  bool lower_is_better = false;
  double scale = 1;  ///< multiplies the figure, where the claim's unit differs
};

/// An operating point counts only where this holds.
struct OperatingLimit {
  std::string figure;
  std::optional<double> at_most, at_least;
};

/// What is held against the claim.
enum class Form : std::uint8_t {
  Ratio,        ///< how many times better than the baseline
  GainPercent,  ///< how many per cent better
  LossPercent,  ///< how many per cent worse: a price
  Figure        ///< the metric itself; there is no baseline
};
inline constexpr std::array<std::string_view, 4> kForms{"ratio", "gain_percent", "loss_percent",
                                                        "figure"};

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

struct Experiment {
  std::string id;  ///< of the entry
  std::string hypothesis, falsifier;
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
