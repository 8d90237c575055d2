// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/compare_cells.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <span>

#include "sim/base/error.hpp"
#include "sim/base/exit_code.hpp"
#include "sim/base/file_writer.hpp"
#include "sim/cli/chips.hpp"
#include "sim/cli/interrupt.hpp"
#include "sim/cli/kept_report.hpp"
#include "sim/metrics/figures.hpp"
#include "sim/sweep/point_process.hpp"

namespace reticle {

namespace {
using Json = nlohmann::json;
namespace fs = std::filesystem;

/// The larger of the two batches that platforms are compared at.
constexpr std::int64_t kLargeBatch = 64;

bool of_workload(const std::string& assignment) { return assignment.starts_with("workload."); }
bool of_llm(const std::string& assignment) { return assignment.starts_with("llm."); }

RunRequest for_platform(const CompareRequest& request, const std::string& platform) {
  RunRequest mine = request.common;
  mine.platform = platform;
  mine.sets.insert(mine.sets.begin(), kPlanned.begin(), kPlanned.end());
  return mine;
}

/// A decode of `batch` streams: keys of the trace are none of its own.
RunRequest steady(RunRequest request, const CompareRequest& shape, std::int64_t batch) {
  request.workload = "steady-decode";
  std::erase_if(request.sets, of_workload);
  for (const auto& [key, value] : {std::pair{"batch", batch}, std::pair{"context", shape.context},
                                   std::pair{"steps", shape.steps}})
    request.sets.push_back(fmt::format("workload.{}={}", key, value));
  return request;
}

/// Weights, cache and activations alike.
RunRequest in_format(RunRequest request, const std::string& precision) {
  std::erase_if(request.sets, of_llm);
  for (const auto key : kFormatKeys)
    request.sets.push_back(fmt::format("llm.{}={}", key, precision));
  return request;
}

/// Table 1's own model in its own number format.
RunRequest for_table1(const CompareRequest& shape, const PaperClaims& claims,
                      const Table1Row& row) {
  RunRequest request = for_platform(shape, row.platform);
  request.llm = claims.table1_llm;
  return steady(in_format(std::move(request), row.precision), shape, 1);
}

/// A deployment: the keys that make it, and why it is as large as it is.
struct Deployment {
  std::vector<std::string> sets;
  std::string why;
};

std::int64_t packages_of(const RunRequest& request) { return packages(read_run(request).platform); }

/// The keys that were added to `before`.
std::vector<std::string> added(const RunRequest& before, const RunRequest& after) {
  return {after.sets.begin() + std::ssize(before.sets), after.sets.end()};
}

Deployment smallest_that_holds(const RunRequest& request, const std::string& instead_of) {
  RunRequest scaled = request;
  put_chips(scaled, "auto");
  return {added(request, scaled), fmt::format("{}, as {} not hold it: the fewest that do",
                                              packages_of(scaled), instead_of)};
}

/// Its natural size, or the fewest packages that hold the large batch.
Deployment deployment_of(const CompareRequest& shape, const RunRequest& of) {
  const RunRequest request = steady(of, shape, kLargeBatch);
  const std::int64_t natural = packages_of(request);
  if (chips_hold(request)) return {{}, fmt::format("{}, its natural size", natural)};
  return smallest_that_holds(request, fmt::format("{} do", natural));
}

/// As many packages as the paper counts, or the fewest that hold its model.
Deployment table1_deployment(const CompareRequest& shape, const PaperClaims& claims,
                             const Table1Row& row) {
  const RunRequest request = for_table1(shape, claims, row);
  const auto stated = static_cast<std::int64_t>(claims.find(row.platform)->packages.high);
  RunRequest scaled = request;
  put_chips(scaled, std::to_string(stated));
  if (chips_hold(scaled))
    return {added(request, scaled), fmt::format("{}, as the paper counts", stated)};
  return smallest_that_holds(
      request, fmt::format("the {} of the paper {}", stated, stated == 1 ? "does" : "do"));
}

struct Cell {
  std::string platform;
  std::string name;  ///< of its load
  RunRequest request;
  bool bounded = false;  ///< too many dies: its roofline
  [[nodiscard]] std::string label() const { return platform + "." + name; }
};

/// Too many dies to simulate: what a roofline allows. Says whether there were.
bool limit_dies(RunRequest& request, std::int64_t most) {
  if (dies(read_run(request).platform) <= most) return false;
  request.sets.emplace_back("engine.fidelity=roofline");
  return true;
}

class Comparer {
 public:
  Comparer(const CompareRequest& request, const PaperClaims& claims)
      : request_{request}, claims_{claims} {}

  CompareCells cells() {
    for (const auto& platform : request_.platforms)
      describe(platform, for_platform(request_, platform));
    add_baseline();
    priced_.resize(rows_.size());
    plan();
    run();
    const auto first = rows_.begin() + std::ssize(request_.platforms);
    CompareCells out{{rows_.begin(), first}, {first, rows_.end()}, std::move(priced_)};
    return out;
  }

 private:
  void describe(const std::string& name, RunRequest request) {
    const RunSpec run = read_run(request);
    const PlatformSpec& spec = run.platform;
    const std::string platform = request.platform;
    requests_.push_back(std::move(request));
    PlatformRow row;
    row.name = name;
    row.weights = weights_of(run);
    row.title = spec.title;
    row.status = spec.status;
    if (const ClaimedPlatform* claimed = claims_.find(platform))
      row.kind = claimed->kind;
    else if (spec.status != "shipping")
      row.kind = spec.status == "hypothetical" ? ClaimKind::Projection : ClaimKind::Claim;
    rows_.push_back(std::move(row));
  }

  /// Table 2 has its first machine in a format of its own, which is part of its gains.
  void add_baseline() {
    const auto at = std::ranges::find(rows_, claims_.table2_h100, &PlatformRow::name);
    if (at == rows_.end() || request_.common.llm != claims_.table2_llm ||
        at->weights == claims_.table2_precision)
      return;
    describe(claims_.table2_h100 + "@" + claims_.table2_precision,
             in_format(requests_[static_cast<std::size_t>(at - rows_.begin())],
                       claims_.table2_precision));
  }

  [[nodiscard]] bool is_baseline(const PlatformRow& row) const {
    return &row - rows_.data() >= std::ssize(request_.platforms);
  }

  [[nodiscard]] const Table1Row* table1_row(const std::string& platform) const {
    const auto row = std::ranges::find(claims_.table1, platform, &Table1Row::platform);
    return row == claims_.table1.end() ? nullptr : &*row;
  }

  /// Sizes every deployment, each platform in a process of its own as it may search for long.
  void plan() {
    struct Job {
      std::size_t row;
      bool table1;
    };
    std::vector<Job> jobs;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      jobs.push_back({r, false});
      if (table1_row(rows_[r].name) != nullptr) jobs.push_back({r, true});
    }
    const auto work = [&](std::size_t j) {
      const std::string& platform = rows_[jobs[j].row].name;
      const Deployment found = jobs[j].table1
                                   ? table1_deployment(request_, claims_, *table1_row(platform))
                                   : deployment_of(request_, requests_[jobs[j].row]);
      return Json{{"sets", found.sets}, {"why", found.why}}.dump();
    };
    const auto outcomes = run_points(jobs.size(), request_.jobs, work, {}, kUntilAsked);
    if (Interruptible::asked())
      throw InterruptedError("interrupted while deployments were sized: no cell has begun");
    for (std::size_t j = 0; j < jobs.size(); ++j) {
      PlatformRow& row = rows_[jobs[j].row];
      if (outcomes[j].code == static_cast<int>(ExitCode::Infeasible)) {
        refuse(row, jobs[j].table1, outcomes[j].output);
        continue;
      }
      check(outcomes[j], row.name);
      const Json found = Json::parse(outcomes[j].output);
      (jobs[j].table1 ? row.table1_deployment : row.deployment) = found["why"];
      add_cells(row, jobs[j].table1, found["sets"].get<std::vector<std::string>>());
    }
  }

  static void refuse(PlatformRow& row, bool table1, const std::string& problem) {
    CellFigures none;
    none.fits = false;
    none.problem = problem;
    none.limited_by = "capacity";
    none.limits.push_back({"fit", problem});
    (table1 ? row.table1_deployment : row.deployment) = "none holds it";
    for (const Load load : {Load::Batch1, Load::Batch64, Load::Trace, Load::First, Load::Table1})
      if ((load == Load::Table1) == table1) row.cells[static_cast<std::size_t>(load)] = none;
  }

  static void check(const PointOutcome& outcome, const std::string& label) {
    if (outcome.code == static_cast<int>(ExitCode::Ok)) return;
    const std::string why = outcome.output.empty() ? "ended by a signal" : outcome.output;
    if (outcome.code == static_cast<int>(ExitCode::BadInput)) throw ConfigError(why);
    throw SimulationError(label + ": " + why);
  }

  /// Says whether it is a bound.
  bool add(const PlatformRow& row, std::string name, RunRequest request,
           const std::vector<std::string>& sets) {
    request.sets.insert(request.sets.end(), sets.begin(), sets.end());
    const bool bounded = limit_dies(request, request_.most_dies);
    cells_.push_back({row.name, std::move(name), std::move(request), bounded});
    return bounded;
  }

  void add_cells(const PlatformRow& row, bool table1, const std::vector<std::string>& sets) {
    if (table1) {
      add(row, "table1", for_table1(request_, claims_, *table1_row(row.name)), sets);
      return;
    }
    const RunRequest& mine = requests_[static_cast<std::size_t>(&row - rows_.data())];
    add(row, "batch1", steady(mine, request_, 1), sets);
    add(row, "batch64", steady(mine, request_, kLargeBatch), sets);
    RunRequest alone = mine;
    alone.sets.emplace_back("workload.limit=1");
    add(row, "first", alone, sets);
    if (is_baseline(row)) return;
    const bool bounded = add(row, "trace", mine, sets);
    // A frontier of bounds would say nothing of interactivity.
    if (!request_.frontier || bounded) return;
    const std::int64_t most = read_run(steady(mine, request_, 1)).serving.max_batch;
    for (std::int64_t batch = 2; batch <= most; batch *= 2)
      if (batch != kLargeBatch)
        add(row, fmt::format("batch{}", batch), steady(mine, request_, batch), sets);
  }

  [[nodiscard]] fs::path file_of(const Cell& cell) const {
    if (request_.cells.empty()) return {};
    return request_.cells / (fs::path{cell.platform}.stem().string() + "." + cell.name + ".json");
  }

  void run() {
    std::size_t done = 0;
    (void)run_points(
        cells_.size(), request_.jobs,
        [&](std::size_t i) { return kept_report(cells_[i].request, file_of(cells_[i])); },
        [&](std::size_t i, const PointOutcome& outcome) {
          check(outcome, cells_[i].label());
          keep(cells_[i], outcome.output);
          std::fprintf(stderr, "%zu of %zu: %s\n", ++done, cells_.size(),
                       cells_[i].label().c_str());
          return true;
        },
        kUntilAsked);
    if (Interruptible::asked())
      throw InterruptedError(interrupted_cells(done, cells_.size(), !request_.cells.empty()));
    for (PlatformRow& row : rows_) {
      std::ranges::sort(row.frontier, {}, &FrontierPoint::batch);
      // A plan for one short stream has less room than others of the same machine.
      for (const auto& cell : std::span{row.cells}.first(kLoadCount - 1))  // not of Table 1's model
        if (auto& batch1 = row.cells[0]; cell && batch1 && cell->context_ktokens) {
          batch1->context_ktokens =
              std::max(batch1->context_ktokens.value_or(0), *cell->context_ktokens);
          batch1->context_of_model |= cell->context_of_model;
        }
    }
  }

  void keep(const Cell& cell, const std::string& report) {
    const fs::path file = file_of(cell);
    if (!file.empty() && read_text(file) != report) write_file_atomically(file, report);
    const auto row_at = std::ranges::find(rows_, cell.platform, &PlatformRow::name);
    PlatformRow& row = *row_at;
    RunSpec spec = read_run(cell.request);
    CellFigures figures = read_cell(report);
    // Room for more than the model attends to is no longer context.
    if (auto& context = figures.context_ktokens) {
      const double most = static_cast<double>(spec.llm.max_context) / 1e3;
      figures.context_of_model = *context >= most;
      context = std::min(*context, most);
    }
    const auto load = std::ranges::find(kLoadNames, cell.name);
    if (load != kLoadNames.end()) {
      const auto at = static_cast<std::size_t>(load - kLoadNames.begin());
      row.cells[at] = figures;
      priced_[static_cast<std::size_t>(row_at - rows_.begin())][at] =
          PricedCell{std::move(spec), report};
    }
    if (request_.frontier && !cell.bounded && cell.name.starts_with("batch") &&
        figures.tokens_per_s && figures.tokens_per_s_user)
      row.frontier.push_back({std::stoll(cell.name.substr(5)),
                              *figures.tokens_per_s / static_cast<double>(figures.packages),
                              *figures.tokens_per_s_user});
  }

  const Interruptible interruptible_;
  const CompareRequest& request_;
  const PaperClaims& claims_;
  std::vector<PlatformRow> rows_;     ///< of the platforms, then of baselines
  std::vector<RunRequest> requests_;  ///< as the rows
  std::vector<PricedCells> priced_;
  std::vector<Cell> cells_;
};
}  // namespace

std::string weights_of(const RunSpec& spec) {
  for (const ResolvedValue& value : spec.resolved)
    if (value.path == "llm.weights") return value.value;
  return {};
}

CompareCells run_cells(const CompareRequest& request, const PaperClaims& claims) {
  return Comparer{request, claims}.cells();
}

}  // namespace reticle
