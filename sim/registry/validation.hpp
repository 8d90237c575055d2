// SPDX-License-Identifier: Apache-2.0
// From experiments to cells (runs of the program), and from their reports to verdicts. Nothing is
// simulated here: what a cell's report says comes from whoever ran it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/registry/experiment.hpp"

namespace reticle {

/// `reticle run ...` that repeats a cell.
std::string command_of(const RunChoice& choice);

/// A run that experiments ask for; each once, whoever asks.
struct Cell {
  std::string name;  ///< of who asked first; a file name
  std::string command;
  RunChoice choice;
};
std::vector<Cell> cells_of(const std::vector<Experiment>& experiments);

/// What a cell's report says.
struct CellOutcome {
  std::string cell;     ///< its name
  std::string problem;  ///< why there are no figures: it does not fit, or was not run
  std::string limited_by;
  double limited_share = 0;
  std::map<std::string, double> figures;  ///< all numbers of the report, by dotted path
};
/// Throws ConfigError when the text is not the report of a run.
CellOutcome read_outcome(const std::string& cell, std::string_view report);

/// The outcome of a command.
using Outcomes = std::function<const CellOutcome&(const std::string& command)>;

/// An arm at a point of the condition space, at the best operating point it has.
struct ArmResult {
  std::string cell, command;
  std::string operating_point;  ///< label, where there was a choice
  std::optional<double> value;  ///< of the metric, scaled
  std::string problem;
  std::string limited_by;
  double limited_share = 0;
};

/// A treatment against the baseline at a point.
struct Comparand {
  ArmResult arm;
  std::optional<double> figure;      ///< in the claim's terms; absent where one side has no value
  std::optional<Standing> standing;  ///< absent where neither side has a value
};

struct PointResult {
  std::vector<std::string> labels;
  std::optional<ArmResult> baseline;
  std::vector<Comparand> treatments;  ///< in the order of the test
  std::optional<std::size_t> best;    ///< of the treatments that one could have
};

struct Judgement {
  RegistryVerdict verdict{};
  std::string condition;            ///< where it holds, when only somewhere
  std::optional<double> low, high;  ///< of its figures over the points
};

struct TestResult {
  ClaimTest test;
  std::vector<PointResult> points;
  Judgement overall;                      ///< the best treatment of each point
  std::vector<Judgement> treatments;      ///< each alone
  std::string bound_before, bound_after;  ///< what limits most points, at first and once lifted
};

struct EntryResult {
  Entry entry;
  Experiment experiment;
  std::vector<TestResult> tests;
  RegistryVerdict verdict{};
  std::vector<std::string> conditions;  ///< of its tests
};

TestResult judge(const ClaimTest& test, const Outcomes& outcomes);
EntryResult judge(const Entry& entry, const Experiment& experiment, const Outcomes& outcomes);

/// A model's configuration, as the importer took it.
struct ImportedConfig {
  std::string name, model_type;
  std::string problem;  ///< why not
};

/// All that `reticle registry validate` says.
struct Validation {
  std::vector<EntryResult> entries;
  std::vector<Cell> cells;
  std::vector<std::string> architectures;  ///< that the importer knows
  std::vector<ImportedConfig> imports;     ///< of the directory it was given
  std::string version, revision;
};

std::string validation_json(const Validation& validation);
std::string validation_markdown(const Validation& validation);
std::string validation_summary(const Validation& validation);

/// The commands of a stored validation.json and the names of their cells.
std::map<std::string, std::string> stored_cells(std::string_view json);

}  // namespace reticle
