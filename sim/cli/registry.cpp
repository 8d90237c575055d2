// SPDX-License-Identifier: Apache-2.0
// reticle registry: the bottlenecks, their dependencies, and their claims put to the test.
#include "sim/registry/registry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <memory>

#include "sim/base/error.hpp"
#include "sim/base/file_writer.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/registry_options.hpp"
#include "sim/cli/registry_validate.hpp"
#include "sim/cli/run_files.hpp"
#include "sim/registry/dependency_graph.hpp"
#include "sim/registry/pages.hpp"

namespace reticle {

namespace {
struct LintOptions {
  RegistryOptions where;
  std::string against;
  bool strict = false;
  bool json = false;
};

void lint(const LintOptions& options) {
  const Date as_of = options.where.date();
  Registry registry = options.where.read();
  lint_registry(registry, as_of);
  if (!options.against.empty())
    lint_change(registry, read_registry(options.against, options.against));
  std::string problems;
  for (const LintFinding& finding : registry.findings) {
    const bool wrong = options.strict || finding.severity == Severity::Error;
    if (wrong) problems += (problems.empty() ? "" : "\n") + finding.text;
    if (!wrong && !options.json) fmt::print("warning: {}\n", finding.text);
  }
  if (options.json) fmt::print("{}", lint_json(registry, as_of));
  if (!problems.empty()) throw ConfigError(problems);
  if (!options.json)
    fmt::print("{}: {} entries, no error, {} warnings as of {}\n", options.where.label(),
               registry.entries.size(), registry.findings.size(), to_string(as_of));
}

void list(const Registry& registry, const Date& as_of) {
  fmt::print("{:5} {:>4} {:>4}  {:8} {:13} {}\n", "id", "prio", "diff", "status", "type", "name");
  for (const Entry& entry : registry.entries)
    fmt::print("{:5} {:4} {:4}  {:8} {:13} {}{}\n", entry.id, entry.priority, entry.difficulty,
               name_of(entry.status), name_of(entry.type), entry.name,
               entry.stale(as_of) ? " (stale)" : "");
}

void show(const Entry& entry, const Date& as_of) {
  fmt::print("{}: {}\n\n", entry.id, entry.name);
  fmt::print("type {}, priority {}, difficulty {}, status {}\n", name_of(entry.type),
             entry.priority, entry.difficulty, name_of(entry.status));
  fmt::print("unlocks: {}\n", entry.unlock);
  fmt::print("depends on: {}\n", entry.depends_on.empty()
                                     ? "nothing"
                                     : fmt::format("{}", fmt::join(entry.depends_on, ", ")));
  fmt::print("reviewed {}, due {}{}\n\nknown solutions\n", to_string(entry.last_reviewed),
             to_string(entry.due()), entry.stale(as_of) ? ": stale" : "");
  for (const KnownSolution& solution : entry.solutions)
    fmt::print("  {} ({}) [{}]\n", solution.title, name_of(solution.maturity), solution.citation);
  fmt::print("blockers\n");
  for (const std::string& blocker : entry.blockers) fmt::print("  {}\n", blocker);
  fmt::print("{}", entry.body);
}

void add_lint(CLI::App& app) {
  auto options = std::make_shared<LintOptions>();
  CLI::App* sub = app.add_subcommand("lint", "Check the entries, their references and dates");
  add_registry_options(*sub, options->where, "directory");
  sub->add_option("--against", options->against,
                  "An earlier state of the directory: what an edit must not do to it");
  sub->add_flag("--strict", options->strict, "Warnings (stale, cyclic) are errors");
  sub->add_flag("--json", options->json, "Print the findings as one JSON document");
  sub->footer("Example: reticle registry lint configs/registry --as-of 2026-08-01");
  sub->callback([options] { lint(*options); });
}

void add_entries(CLI::App& app) {
  auto where = std::make_shared<RegistryOptions>();
  auto json = std::make_shared<bool>(false);
  CLI::App* sub = app.add_subcommand("list", "The entries, one line each");
  add_registry_options(*sub, *where);
  sub->add_flag("--json", *json, "Print all entries as one JSON document");
  sub->footer("Example: reticle registry list");
  sub->callback([where, json] {
    const Registry registry = where->sound();
    if (*json)
      fmt::print("{}", registry_json(registry, where->date()));
    else
      list(registry, where->date());
  });
}

void add_show(CLI::App& app) {
  auto where = std::make_shared<RegistryOptions>();
  auto id = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  CLI::App* sub = app.add_subcommand("show", "One entry, whole");
  sub->add_option("id", *id, "Its id, such as B7")->required();
  add_registry_options(*sub, *where);
  sub->add_flag("--json", *json, "Print it as one JSON document");
  sub->footer("Example: reticle registry show B7");
  sub->callback([where, id, json] {
    const Registry registry = where->sound();
    const Entry& entry = require_entry(registry, *id);
    if (*json)
      fmt::print("{}", entry_json(entry, where->date()));
    else
      show(entry, where->date());
  });
}

void add_graph(CLI::App& app) {
  auto where = std::make_shared<RegistryOptions>();
  auto json = std::make_shared<bool>(false);
  auto dot = std::make_shared<bool>(false);
  CLI::App* sub = app.add_subcommand("graph", "Who depends on whom, and what that is worth");
  add_registry_options(*sub, *where);
  CLI::Option* as_json = sub->add_flag("--json", *json, "Print the graph as one JSON document");
  sub->add_flag("--dot", *dot, "Print the graph for Graphviz")->excludes(as_json);
  sub->footer("Example: reticle registry graph --dot | dot -Tsvg -o registry.svg");
  sub->callback([where, json, dot] {
    const DependencyGraph graph{where->sound().entries};
    fmt::print("{}", *json ? graph_json(graph) : *dot ? graph_dot(graph) : graph_text(graph));
  });
}
struct SiteOptions {
  RegistryOptions where;
  std::string experiments, results, out;
};

void write_site(const SiteOptions& options) {
  const Registry registry = options.where.sound();
  Validation validation;
  if (!options.results.empty())
    validation =
        stored_validation(options.results, registry,
                          read_experiments(experiments_directory(options.experiments),
                                           experiments_label(options.experiments), registry, {}));
  const std::filesystem::path out{options.out};
  const auto files = site_files(registry, validation, options.where.date());
  for (const auto& [name, content] : files) {
    make_output_directory((out / name).parent_path());
    write_file_atomically(out / name, content);
  }
  fmt::print(
      "{} files, {} of {} entries with results{}: {}\n", files.size(), validation.entries.size(),
      registry.entries.size(),
      options.results.empty() ? "" : " of " + program_text(validation.version, validation.revision),
      (out / "index.html").string());
}

void add_site(CLI::App& app) {
  auto options = std::make_shared<SiteOptions>();
  CLI::App* sub = app.add_subcommand("site", "The registry as a static site, opened from disk");
  sub->add_option("--out", options->out, "Directory to write")->required();
  sub->add_option("--results", options->results, "What `registry validate --out` left");
  sub->add_option("--experiments", options->experiments,
                  "Directory of bNN.yaml; configs/experiments when absent");
  add_registry_options(*sub, options->where);
  sub->footer("Example: reticle registry site --results results/registry --out results/site");
  sub->callback([options] { write_site(*options); });
}
}  // namespace

void add_registry(CLI::App& app) {
  CLI::App* sub = app.add_subcommand("registry", "The registry of bottlenecks");
  sub->require_subcommand(1);
  add_lint(*sub);
  add_entries(*sub);
  add_show(*sub);
  add_graph(*sub);
  add_registry_validate(*sub);
  add_site(*sub);
}

}  // namespace reticle
