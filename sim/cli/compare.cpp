// SPDX-License-Identifier: Apache-2.0
// reticle compare: every platform under the same loads, beside what the seed paper states.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <set>
#include <thread>

#include "sim/base/error.hpp"
#include "sim/base/file_writer.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/compare_cells.hpp"
#include "sim/cli/run_files.hpp"
#include "sim/config/catalogue.hpp"

namespace reticle {

namespace {
struct Options {
  CompareRequest request;
  std::string claims;
  std::string out;
  std::size_t samples = 0;
  bool json = false;
};

/// Why it is not the catalogue's model of that name; another number format does not make it
/// another.
std::string changed_llm(const RunRequest& request, const std::string& name) {
  if (request.llm != name) return request.llm + " is a file";
  for (const std::string& set : request.sets) {
    const std::string key = set.substr(0, set.find('='));
    const bool format = std::ranges::any_of(
        kFormatKeys, [&](std::string_view k) { return key == "llm." + std::string{k}; });
    if (key.starts_with("llm.") && !format) return key + " is set";
  }
  return {};
}

void check_platforms(std::vector<std::string>& platforms) {
  if (platforms.empty()) platforms = catalogue_names(CatalogueKind::Platform);
  std::set<std::string> seen;  // cells are called by the last part of a path
  for (const auto& platform : platforms)
    if (!seen.insert(std::filesystem::path{platform}.stem().string()).second)
      throw ConfigError({}, "--platforms", "'" + platform + "' is named twice");
}

void write_all(const std::filesystem::path& out, const Comparison& comparison,
               const std::string& json) {
  WholeFiles files{out};
  files.add("projections_table.csv") << projections_csv(comparison);
  files.add("table1.csv") << table_csv(comparison.table1);
  files.add("table2.csv") << table_csv(comparison.table2);
  files.add("compare.md") << comparison_markdown(comparison);
  files.add("compare.json") << json;
  files.done();
}

void compare(Options& options) {
  CompareRequest& request = options.request;
  const PaperClaims claims = read_paper_claims(options.claims);
  check_platforms(request.platforms);
  RunRequest first = request.common;
  first.platform = request.platforms.front();
  first.sets.insert(first.sets.begin(), kPlanned.begin(), kPlanned.end());
  const RunSpec spec = read_run(first);
  if (!std::holds_alternative<TraceWorkload>(spec.workload))
    throw ConfigError({}, "--workload",
                      "expected a trace, as steady decodes come beside it; '" +
                          request.common.workload + "' is none");
  if (request.context + request.steps > spec.llm.max_context)
    throw ConfigError({}, "--context",
                      fmt::format("expected at most the {} tokens that {} attends to, got {}",
                                  spec.llm.max_context, spec.llm.name, request.context));
  const std::filesystem::path out{options.out};
  if (!out.empty()) {
    request.cells = out / "cells";
    make_output_directory(request.cells);
  }
  Comparison comparison;
  CompareCells cells = run_cells(request, claims);
  comparison.rows = std::move(cells.rows);
  comparison.baselines = std::move(cells.baselines);
  comparison.llm_changed = changed_llm(request.common, spec.llm.name);
  comparison.llm = spec.llm.name;
  comparison.weights = weights_of(spec);
  comparison.workload = request.common.workload;
  comparison.utilisation = spec.platform.cost.utilisation;
  complete(comparison, claims);
  if (options.samples > 0)
    add_uncertainty(comparison, cells.priced, options.samples, request.common.seed.value_or(0));
  const std::string json = comparison_json(comparison, claims, build_info());
  if (!out.empty()) write_all(out, comparison, json);
  fmt::print("{}", options.json ? json : comparison_summary(comparison));
  if (!out.empty() && !options.json) fmt::print("\nTables: {}\n", (out / "compare.md").string());
}
}  // namespace

void add_compare(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* sub =
      app.add_subcommand("compare", "All platforms under one load, beside the paper's tables");
  CompareRequest& request = options->request;
  RunRequest& r = request.common;
  request.jobs = std::max(1U, std::thread::hardware_concurrency());
  sub->add_option("--platforms", request.platforms, "A,B,...; all of the catalogue when absent")
      ->delimiter(',');
  sub->add_option("--llm", r.llm, "Language model: a catalogue name or a YAML file")->required();
  sub->add_option("--workload", r.workload,
                  "A trace: a catalogue name or FILE[:format]; steady decodes come beside it")
      ->required();
  sub->add_option("--serving", r.serving, "Serving policy: a catalogue name or a YAML file");
  sub->add_option("--set", r.sets,
                  "key=value for all platforms; workload.* is the trace's; may be repeated")
      ->take_all()
      ->allow_extra_args(false);
  sub->add_option("--seed", r.seed, "Seed of all random draws, a whole number from 0")
      ->check(CLI::NonNegativeNumber);
  sub->add_option("--context", request.context, "Tokens in the cache of the steady decodes")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  sub->add_option("--most-dies", request.most_dies,
                  "Larger deployments get their roofline instead of a simulation")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  sub->add_flag("--frontier", request.frontier,
                "Also batches 1, 2, 4, ...: throughput per chip against tokens/s of a user");
  sub->add_option(
         "--uncertainty", options->samples,
         "So many samples of the ranges of energy, cost and silicon constants: P5 to P95 of every "
         "figure that they decide, and what it hangs on; times are as simulated")
      ->check(CLI::Range(20, 1'000'000));
  sub->add_option("--claims", options->claims,
                  "What to compare with; configs/claims/paper.yaml when absent");
  sub->add_option("--out", options->out,
                  "Directory for tables, compare.json, compare.md and cells/; a second run goes on "
                  "from there");
  sub->add_option("--jobs", request.jobs, "Cells at a time")->check(CLI::Range(1, kMostJobs));
  sub->add_flag("--json", options->json, "Print the comparison as one JSON document");
  sub->footer(
      "Example: reticle compare --llm claude-class-mid --workload sample-chat --out results/c");
  sub->callback([options] { compare(*options); });
}

}  // namespace reticle
