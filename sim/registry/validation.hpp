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
/// What a cell's report says.
struct CellOutcome {
  std::string cell;     ///< its name
  std::string program;  ///< "0.9.0 (abc)": what the report says it was made by
  std::string problem;  ///< why there are no figures: it does not fit, or was not run
  std::string limited_by;
  double limited_share = 0;
  std::map<std::string, double> figures;   ///< all numbers of the report, by dotted path
  std::vector<std::string> without_value;  ///< paths that are there and say null, in order
};
/// Throws ConfigError when the text is not the report of a run.
CellOutcome read_outcome(const std::string& cell, std::string_view report);

/// The outcome of a command; null where it has not been run.
using Outcomes = std::function<const CellOutcome*(const std::string& command)>;

/// The runs that experiments ask for, each once. What a search asks for next hangs on what came out
/// before: of each one as far as `outcomes` are known, and the first that is not. It is all there
/// is to run where the outcome of every one is known.
std::vector<Cell> cells_of(
    const std::vector<Experiment>& experiments,
    const Outcomes& outcomes = [](const std::string&) { return nullptr; });

/// A figure that tests take from the report of a command, and where they name it.
struct FigureAsked {
  std::string figure;
  SourcePosition at;
};
std::map<std::string, std::vector<FigureAsked>> figures_asked(
    const std::vector<Experiment>& experiments);
/// Throws ConfigError at file:line:col for a figure that reports do not have. What does not fit has
/// none, and is passed over.
void require_figures(const CellOutcome& outcome, const std::vector<FigureAsked>& asked);

/// An arm at a point of the condition space, at the best operating point it has.
struct ArmResult {
  std::string cell, command;
  std::string operating_point;  ///< label, where there was a choice
  std::optional<double> value;  ///< of the metric, scaled
  /// Where the point was searched: the next one, which keeps the limits no longer (empty: it is the
  /// last there is, and they may be kept beyond), and the value were it kept up to there, as of a
  /// metric in proportion to the rate.
  std::string next_point;
  std::optional<double> most;
  std::string problem;
  std::string limited_by;
  double limited_share = 0;
};

/// A treatment against the baseline at a point.
struct Comparand {
  ArmResult arm;
  std::optional<double> figure;      ///< in the claim's terms; absent where one side has no value
  std::optional<double> low, high;   ///< between which it lies, where points were searched
  std::optional<Standing> standing;  ///< absent where neither side has a value, or nothing claimed
};

/// What the arms of a test came to at one point of its conditions.
struct TestedPoint {
  std::vector<std::string> labels;
  std::optional<ArmResult> baseline;
  std::vector<Comparand> treatments;  ///< in the order of the test
  std::optional<std::size_t> best;    ///< of the treatments that one could have
};

struct Judgement {
  std::optional<RegistryVerdict> verdict;  ///< absent where nothing is claimed
  std::string condition;                   ///< where it holds, when only somewhere
  std::optional<double> low, high;         ///< of its figures over the points
};

struct TestResult {
  ClaimTest test;
  std::vector<TestedPoint> points;
  Judgement overall;                      ///< the best treatment of each point
  std::vector<Judgement> treatments;      ///< each alone
  std::string bound_before, bound_after;  ///< what limits most points, at first and once lifted
};

/// What became of a condition of the falsifier.
struct RefutationResult {
  Refutation refutation;
  std::string title;              ///< of the test
  std::string unit;               ///< of its figures
  std::size_t holds = 0, of = 0;  ///< points
  bool came_true = false;
};

struct EntryResult {
  Entry entry;
  Experiment experiment;
  std::vector<TestResult> tests;
  RegistryVerdict verdict{};
  std::vector<std::string> conditions;  ///< of its tests
  std::vector<RefutationResult> refutations;
  bool refuted = false;  ///< all of these came true, of one at least
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
  std::string model_configs;               ///< that directory
  std::string version, revision;
};
/// "0.9.0 (abc)", as of a cell's report.
std::string program_text(const std::string& version, const std::string& revision);

/// `reticle registry validate ...` that repeats what is computed without a run; empty where an
/// entry has nothing of the kind.
std::string computing_command(const EntryResult& result, const Validation& validation);

std::string validation_json(const Validation& validation);
std::string validation_markdown(const Validation& validation);
std::string validation_summary(const Validation& validation);

/// What a stored validation.json has beside the reports of its cells.
struct StoredValidation {
  std::map<std::string, std::string> cells;  ///< name by command
  std::vector<ImportedConfig> imports;
  std::string model_configs;
  std::string version, revision;  ///< of the program that made it
};
/// Throws ConfigError, calling the text `label`.
StoredValidation read_stored(const std::string& label, std::string_view json);

}  // namespace reticle
