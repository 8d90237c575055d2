// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/base/error.hpp"
#include "sim/base/exit_code.hpp"
#include "sim/base/file_writer.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/interrupt.hpp"
#include "sim/cli/validate.hpp"
#include "sim/config/read_run.hpp"
#include "sim/metrics/tables.hpp"
#include "sim/sweep/point_process.hpp"
#include "sim/validate/error_figures.hpp"
#include "sim/validate/run_components.hpp"

namespace reticle {

namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string rows;  ///< empty: the full table where it is, else published figures
  std::vector<std::string> platforms, ops, sets;
  std::string csv;
  bool json = false, worst = false;
  std::size_t jobs = 1;
};

struct Line {
  Component component;
  ComponentOutcome outcome;
  [[nodiscard]] std::string_view text(std::string_view column) const {
    return component.row->text(column);
  }
  [[nodiscard]] double error() const {
    return relative_error(outcome.simulated_us, component.measured_us);
  }
};

bool among(const std::vector<std::string>& wanted, std::string_view name) {
  return wanted.empty() || std::ranges::find(wanted, name) != wanted.end();
}

std::vector<Line> read_lines(const Table& table, const Options& options) {
  std::vector<Line> lines;
  for (const Table::Row& row : table.rows()) {
    Component c = component_of(row);
    if (!among(options.ops, row.text("op")) || !among(options.platforms, c.platform)) continue;
    lines.push_back({c, {.simulated_us = 0, .limit = {}, .left_out = c.left_out}});
  }
  return lines;
}

/// A platform's rows, in a process of its own; its answer is a JSON list.
std::string run_platform(const std::string& platform, const std::vector<Component>& rows,
                         const std::vector<std::string>& sets) {
  Json answer = Json::array();
  for (const auto& o : run_components(read_platform(platform, sets), rows))
    answer.push_back({o.simulated_us, o.limit, o.left_out});
  return answer.dump();
}

void run_lines(std::vector<Line>& lines, const Options& options) {
  std::map<std::string, std::vector<std::size_t>> by_platform;
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (lines[i].outcome.left_out.empty()) by_platform[lines[i].component.platform].push_back(i);
  const std::vector<std::pair<std::string, std::vector<std::size_t>>> points{by_platform.begin(),
                                                                             by_platform.end()};
  const auto work = [&](std::size_t p) {
    std::vector<Component> rows;
    for (const std::size_t i : points[p].second) rows.push_back(lines[i].component);
    return run_platform(points[p].first, rows, options.sets);
  };
  const Interruptible interruptible;
  std::size_t done = 0;
  const auto count = [&](std::size_t, const PointOutcome&) { return ++done > 0; };
  const auto outcomes = run_points(points.size(), options.jobs, work, count, kUntilAsked);
  throw_if_asked(done, points.size(), "platforms", "nothing of them is kept");
  for (std::size_t p = 0; p < points.size(); ++p) {
    if (outcomes[p].code == static_cast<int>(ExitCode::BadInput))
      throw ConfigError(outcomes[p].output);
    if (outcomes[p].code != 0) throw SimulationError(points[p].first + ": " + outcomes[p].output);
    const Json answer = Json::parse(outcomes[p].output);
    for (std::size_t k = 0; k < points[p].second.size(); ++k)
      lines[points[p].second[k]].outcome = {answer[k][0], answer[k][1], answer[k][2]};
  }
}

/// Errors by platform, operation and format, and over all.
struct Group {
  std::string platform, op, precision;
  ErrorFigures figures;
};

std::vector<Group> groups_of(const std::vector<Line>& lines) {
  std::map<std::array<std::string, 3>, std::vector<double>> errors;
  for (const Line& line : lines) {
    if (!line.outcome.left_out.empty()) continue;
    const std::string op{line.text("op")}, platform = line.component.platform;
    const std::vector<std::array<std::string, 3>> keys{
        {platform, op, std::string{line.text("precision")}},
        {platform, op, "all"},
        {"all", op, "all"},
        {"all", "all", "all"}};
    for (const auto& key : keys) errors[key].push_back(line.error());
  }
  std::vector<Group> groups;
  for (const auto& [key, list] : errors)
    groups.push_back({key[0], key[1], key[2], *error_figures(list)});
  return groups;
}

std::map<std::string, std::int64_t> left_out(const std::vector<Line>& lines) {
  std::map<std::string, std::int64_t> counts;
  for (const Line& line : lines)
    if (!line.outcome.left_out.empty())
      ++counts[std::string{line.text("op")} + ": " + line.outcome.left_out];
  return counts;
}

void print_table(const std::vector<Line>& lines, bool worst) {
  fmt::print("{:<13}{:<19}{:<46}{:>6}{:>9}{:>9}{:>9}{:>9}\n", "platform", "operation", "format",
             "rows", "median", "P90", "MAPE", "bias");
  for (const Group& g : groups_of(lines))
    fmt::print("{:<13}{:<19}{:<46}{:>6}{:>8.1f}%{:>8.1f}%{:>8.1f}%{:>+8.1f}%\n", g.platform, g.op,
               g.precision, g.figures.count, 100 * g.figures.median, 100 * g.figures.p90,
               100 * g.figures.mape, 100 * g.figures.bias);
  for (const auto& [why, count] : left_out(lines)) fmt::print("left out: {:>4}  {}\n", count, why);
  if (!worst) return;
  std::vector<const Line*> order;
  for (const Line& line : lines)
    if (line.outcome.left_out.empty()) order.push_back(&line);
  std::ranges::stable_sort(
      order, [](auto* a, auto* b) { return std::abs(a->error()) > std::abs(b->error()); });
  order.resize(std::min<std::size_t>(order.size(), 10));
  for (const Line* line : order)
    fmt::print("{:>8.1f} us for {:>8.1f} us ({:+.0f}%, {}): {} {} {} {}\n",
               line->outcome.simulated_us, line->component.measured_us, 100 * line->error(),
               line->outcome.limit, line->text("id"), line->component.platform, line->text("op"),
               line->text("shape"));
}

Json json_of(const std::vector<Line>& lines) {
  Json groups = Json::array(), rows = Json::array(), out = Json::object();
  for (const Group& g : groups_of(lines))
    groups.push_back({{"platform", g.platform},
                      {"op", g.op},
                      {"precision", g.precision},
                      {"count", g.figures.count},
                      {"median", g.figures.median},
                      {"p90", g.figures.p90},
                      {"mape", g.figures.mape},
                      {"bias", g.figures.bias}});
  for (const Line& line : lines)
    if (line.outcome.left_out.empty())
      rows.push_back({{"id", line.text("id")},
                      {"simulated_us", line.outcome.simulated_us},
                      {"measured_us", line.component.measured_us},
                      {"error", line.error()},
                      {"limit", line.outcome.limit}});
  for (const auto& [why, count] : left_out(lines)) out[why] = count;
  return {{"schema", "reticle-validate-components/1"},
          {"groups", groups},
          {"rows", rows},
          {"left_out", out}};
}

void write_csv(const std::string& path, const std::vector<Line>& lines) {
  std::string csv = "id,platform,op,precision,simulated_us,measured_us,error,limit,left_out\n";
  for (const Line& line : lines) {
    const bool scored = line.outcome.left_out.empty();
    csv += fmt::format("{},{},{},{},{},{},{},{},{}\n", csv_field(std::string{line.text("id")}),
                       line.component.platform, line.text("op"),
                       csv_field(std::string{line.text("precision")}),
                       scored ? fmt::format("{:.4f}", line.outcome.simulated_us) : "",
                       line.text("latency_us"), scored ? fmt::format("{:.4f}", line.error()) : "",
                       line.outcome.limit, csv_field(line.outcome.left_out));
  }
  write_file_atomically(path, csv);
}

void validate(const Options& options) {
  const Table table{options.rows.empty() ? measured_table("components.csv") : options.rows};
  std::vector<Line> lines = read_lines(table, options);
  if (lines.empty())
    throw ConfigError(
        {}, "--platform, --op",
        fmt::format("none of the {} rows of {} is of these; platforms are called as in "
                    "`reticle list platforms`",
                    table.rows().size(), table.path()));
  run_lines(lines, options);
  if (!options.csv.empty()) write_csv(options.csv, lines);
  if (options.json)
    fmt::print("{}\n", json_of(lines).dump(2));
  else
    print_table(lines, options.worst);
}

}  // namespace

void add_validate_components(CLI::App& validate_app) {
  auto options = std::make_shared<Options>();
  CLI::App* sub = validate_app.add_subcommand(
      "components", "Measured kernels and collectives against simulated ones");
  sub->add_option(
      "--rows", options->rows,
      "Table of measurements (CSV, may be gzipped); else ../shared/measured/components.csv, and "
      "where that is absent published figures");
  sub->add_option("--platform", options->platforms, "Only rows of these platforms");
  sub->add_option("--op", options->ops, "Only rows of these operations");
  sub->add_option("--set", options->sets,
                  "key=value of every platform, e.g. platform.die.kernels.host=0us")
      ->take_all()
      ->allow_extra_args(false);
  sub->add_option("--csv", options->csv, "File for a line per row");
  sub->add_flag("--json", options->json, "Print one JSON document");
  sub->add_flag("--worst", options->worst, "Also the ten rows that are farthest off");
  sub->add_option("--jobs", options->jobs, "Platforms at a time")->check(CLI::Range(1, kMostJobs));
  sub->footer("Example: reticle validate components --platform h100-8 --op gemm");
  sub->callback([options] { validate(*options); });
}

}  // namespace reticle
