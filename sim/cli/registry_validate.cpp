// SPDX-License-Identifier: Apache-2.0
// reticle registry validate: every cell of every experiment in a process of its own, kept as soon
// as it has ended, then verdicts.
#include "sim/cli/registry_validate.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>
#include <thread>

#include "sim/base/error.hpp"
#include "sim/base/exit_code.hpp"
#include "sim/base/file_writer.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/interrupt.hpp"
#include "sim/cli/kept_report.hpp"
#include "sim/cli/registry_options.hpp"
#include "sim/cli/run_files.hpp"
#include "sim/config/catalogue.hpp"
#include "sim/registry/pages.hpp"
#include "sim/sweep/point_process.hpp"
#include "workloads/llm/hf_import.hpp"

namespace reticle {

namespace {
namespace fs = std::filesystem;

struct Options {
  RegistryOptions where;
  std::vector<std::string> ids;
  bool all = false;
  std::string experiments;
  std::string model_configs;
  std::string out;
  std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
  bool cells = false;
  bool json = false;
};

/// Of a directory, so that no second process writes there; its end gives it back, a kill included.
class OutputLock {
 public:
  /// An empty path: nothing is written, nothing locked. Throws ConfigError when another has it.
  explicit OutputLock(const fs::path& out) {
    if (out.empty()) return;
    file_ = ::open(out.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file_ >= 0 && ::flock(file_, LOCK_EX | LOCK_NB) == 0) return;
    if (file_ >= 0) ::close(file_);
    throw ConfigError({out.string(), 0, 0}, "",
                      "another registry validate writes here: wait for it, or give this one "
                      "another --out");
  }
  ~OutputLock() {
    if (file_ >= 0) ::close(file_);
  }
  OutputLock(const OutputLock&) = delete;
  OutputLock& operator=(const OutputLock&) = delete;

 private:
  int file_ = -1;
};

RunRequest request_of(const RunChoice& choice) {
  RunRequest request;
  request.platform = choice.platform;
  request.llm = choice.llm;
  request.workload = choice.workload;
  if (!choice.serving.empty()) request.serving = choice.serving;
  request.sets = choice.sets;
  return request;
}

fs::path file_of(const fs::path& directory, const std::string& cell) {
  return directory.empty() ? fs::path{} : directory / (cell + ".json");
}

void check(const PointOutcome& outcome, const Cell& cell) {
  if (outcome.code == static_cast<int>(ExitCode::Ok)) return;
  const std::string why = outcome.output.empty() ? "ended by a signal" : outcome.output;
  const std::string what = cell.name + ": " + why + "\n  " + cell.command;
  if (outcome.code == static_cast<int>(ExitCode::BadInput)) throw ConfigError(what);
  throw SimulationError(what);
}

/// Throws ConfigError, naming all cells that say something no run accepts: before hours are spent
/// on the others.
void check_requests(const std::vector<Cell>& cells) {
  std::string problems;
  for (const Cell& cell : cells) {
    try {
      (void)read_run(request_of(cell.choice));
    } catch (const ConfigError& error) {
      problems +=
          (problems.empty() ? "" : "\n") + cell.name + ": " + error.what() + "\n  " + cell.command;
    }
  }
  if (!problems.empty()) throw ConfigError(problems);
}

using OutcomeMap = std::map<std::string, CellOutcome>;

Outcomes in(const OutcomeMap& outcomes) {
  return [&outcomes](const std::string& command) {
    const auto found = outcomes.find(command);
    return found == outcomes.end() ? nullptr : &found->second;
  };
}

/// The cells that are asked for by what is known, and not known themselves.
std::vector<Cell> unknown_cells(const std::vector<Experiment>& experiments,
                                const OutcomeMap& outcomes) {
  std::vector<Cell> cells = cells_of(experiments, in(outcomes));
  std::erase_if(cells, [&](const Cell& cell) { return outcomes.contains(cell.command); });
  return cells;
}

/// Runs, or finds kept, these cells.
void run_cells(const std::vector<Cell>& cells,
               const std::map<std::string, std::vector<FigureAsked>>& asked, const fs::path& kept,
               std::size_t jobs, OutcomeMap& outcomes) {
  const std::size_t all = outcomes.size() + cells.size();
  const Interruptible interruptible;
  (void)run_points(
      cells.size(), jobs,
      [&](std::size_t i) {
        return kept_report(request_of(cells[i].choice), file_of(kept, cells[i].name));
      },
      [&](std::size_t i, const PointOutcome& outcome) {
        const Cell& cell = cells[i];
        check(outcome, cell);
        const fs::path file = file_of(kept, cell.name);
        if (!file.empty() && read_text(file) != outcome.output)
          write_file_atomically(file, outcome.output);
        CellOutcome result = read_outcome(cell.name, outcome.output);
        require_figures(result, asked.at(cell.command));
        outcomes.emplace(cell.command, std::move(result));
        std::fprintf(stderr, "%zu of %zu: %s\n", outcomes.size(), all, cell.name.c_str());
        return true;
      },
      kUntilAsked);
  if (Interruptible::asked())
    throw InterruptedError(interrupted_cells(outcomes.size(), all, !kept.empty()));
}

/// What the importer makes of every *.json of a directory. Throws ConfigError where there is none.
std::vector<ImportedConfig> import_all(const std::string& directory) {
  std::error_code problem;
  if (!fs::is_directory(directory, problem))
    throw ConfigError({directory, 0, 0}, "", "expected a directory of config.json files");
  std::vector<fs::path> files;
  for (const auto& item : fs::directory_iterator{directory})
    if (item.path().extension() == ".json") files.push_back(item.path());
  std::ranges::sort(files);
  std::vector<ImportedConfig> imports;
  for (const fs::path& file : files) {
    ImportedConfig config;
    config.name = file.stem().string();
    try {
      config.model_type =
          import_hf_config(file.filename().string(), read_text(file), config.name).model_type;
    } catch (const ConfigError& error) {
      config.problem = error.what();
    }
    imports.push_back(std::move(config));
  }
  return imports;
}

Validation judged(const Registry& registry, const std::vector<Experiment>& experiments,
                  const OutcomeMap& outcomes) {
  Validation validation;
  for (const Experiment& experiment : experiments)
    validation.entries.push_back(
        judge(require_entry(registry, experiment.id), experiment, in(outcomes)));
  validation.cells = cells_of(experiments, in(outcomes));
  for (const auto name : known_model_types()) validation.architectures.emplace_back(name);
  validation.version = build_info().version;
  validation.revision = build_info().git_revision;
  return validation;
}

void write_all(const fs::path& out, const Validation& validation, const std::string& json) {
  WholeFiles files{out};
  files.add("validation.md") << validation_markdown(validation);
  files.add("validation.html") << validation_page(validation);
  files.add("validation.json") << json;
  files.done();
}

void validate(const Options& options) {
  if (options.ids.empty() && !options.all) throw CLI::RequiredError("ids, or --all");
  const Registry registry = options.where.sound();
  const std::vector<Experiment> experiments =
      read_experiments(experiments_directory(options.experiments),
                       experiments_label(options.experiments), registry, options.ids);
  std::vector<Cell> cells = cells_of(experiments);
  check_requests(cells);
  if (options.cells) {
    for (const Cell& cell : cells) fmt::print("{}\n  {}\n", cell.name, cell.command);
    return;
  }
  // Before the runs, so that a mistyped directory costs none of them.
  const std::vector<ImportedConfig> imports = options.model_configs.empty()
                                                  ? std::vector<ImportedConfig>{}
                                                  : import_all(options.model_configs);
  const fs::path out{options.out};
  if (!out.empty()) make_output_directory(out / "cells");
  const OutputLock lock{out};
  const auto asked = figures_asked(experiments);
  OutcomeMap outcomes;
  for (; !cells.empty(); cells = unknown_cells(experiments, outcomes))
    run_cells(cells, asked, out.empty() ? out : out / "cells", options.jobs, outcomes);
  Validation validation = judged(registry, experiments, outcomes);
  validation.imports = imports;
  validation.model_configs = options.model_configs;
  const std::string json = validation_json(validation);
  if (!out.empty()) write_all(out, validation, json);
  fmt::print("{}", options.json ? json : validation_summary(validation));
  if (!out.empty() && !options.json) fmt::print("\nReport: {}\n", (out / "validation.md").string());
}
}  // namespace

std::vector<Experiment> read_experiments(const fs::path& directory, const std::string& label,
                                         const Registry& registry,
                                         const std::vector<std::string>& ids) {
  std::vector<Experiment> experiments;
  for (const std::string& id : ids) (void)require_entry(registry, id);
  for (const Entry& entry : registry.entries) {
    if (!ids.empty() && std::ranges::count(ids, entry.id) == 0) continue;
    const std::string name = fmt::format("b{:02}.yaml", entry.number);
    std::error_code error;
    if (ids.empty() && !fs::exists(directory / name, error)) {
      fmt::print(stderr, "warning: {}/{}: no such file: {} is not tested\n", label, name, entry.id);
      continue;
    }
    experiments.push_back(read_experiment(directory / name, label + "/" + name, registry.entries));
  }
  return experiments;
}

namespace {
/// On standard error: cells that another program made than the whole says.
void warn_of_others(const OutcomeMap& outcomes, const std::string& program) {
  std::size_t others = 0;
  const CellOutcome* first = nullptr;
  for (const auto& [command, outcome] : outcomes) {
    if (outcome.program == program) continue;
    if (others++ == 0) first = &outcome;
  }
  if (first != nullptr)
    fmt::print(stderr,
               "warning: {} of {} runs are not of {}, which the results are said to be of; {} is "
               "of {}: run `reticle registry validate` again\n",
               others, outcomes.size(), program, first->cell, first->program);
}
}  // namespace

Validation stored_validation(const fs::path& results, const Registry& registry,
                             const std::vector<Experiment>& experiments) {
  const fs::path file = results / "validation.json";
  std::error_code error;
  if (!fs::is_regular_file(file, error))
    throw ConfigError({results.string(), 0, 0}, "",
                      "expected what `reticle registry validate --out` leaves, found no "
                      "validation.json");
  StoredValidation stored = read_stored(file.string(), read_text(file));
  const auto& names = stored.cells;
  const auto asked = figures_asked(experiments);
  OutcomeMap outcomes;
  std::vector<Experiment> complete;
  for (const Experiment& experiment : experiments) {
    std::vector<Cell> cells;
    do {
      cells = unknown_cells({experiment}, outcomes);
      const bool there = std::ranges::all_of(
          cells, [&](const Cell& cell) { return names.contains(cell.command); });
      if (!there) break;
      for (const Cell& cell : cells) {
        const std::string& name = names.at(cell.command);
        CellOutcome outcome = read_outcome(name, read_text(results / "cells" / (name + ".json")));
        require_figures(outcome, asked.at(cell.command));
        outcomes.emplace(cell.command, std::move(outcome));
      }
    } while (!cells.empty());
    if (cells.empty()) complete.push_back(experiment);
  }
  Validation validation = judged(registry, complete, outcomes);
  validation.version = stored.version;
  validation.revision = stored.revision;
  warn_of_others(outcomes, program_text(stored.version, stored.revision));
  validation.imports = std::move(stored.imports);
  validation.model_configs = std::move(stored.model_configs);
  return validation;
}

void add_registry_validate(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("validate", "Put the entries' estimates to the test");
  CLI::Option* ids = sub->add_option("ids", options->ids, "Entries, such as B1 B7");
  sub->add_flag("--all", options->all, "All entries")->excludes(ids);
  add_registry_options(*sub, options->where);
  sub->add_option("--experiments", options->experiments,
                  "Directory of bNN.yaml; configs/experiments when absent");
  sub->add_option("--model-configs", options->model_configs,
                  "Directory of Hugging Face config.json files, for what is said of the importer");
  sub->add_option("--out", options->out,
                  "Directory for validation.md, .html, .json and cells/; a second run goes on from "
                  "there");
  sub->add_option("--jobs", options->jobs, "Runs at a time")->check(CLI::Range(1, kMostJobs));
  sub->add_flag("--cells", options->cells, "Print the runs and their commands, and run nothing");
  sub->add_flag("--json", options->json, "Print the report as one JSON document");
  sub->footer("Example: reticle registry validate B1 B4 --out results/registry");
  sub->callback([options] { validate(*options); });
}

}  // namespace reticle
