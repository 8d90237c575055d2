// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/sweep_point.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "sim/accounts/silicon.hpp"
#include "sim/base/error.hpp"
#include "sim/base/exit_code.hpp"
#include "sim/base/rng.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/run_files.hpp"
#include "sim/config/sweep_figures.hpp"
#include "sim/config/yaml_reader.hpp"
#include "sim/engine/run.hpp"
#include "sim/metrics/figures.hpp"
#include "sim/metrics/report.hpp"
#include "sim/sweep/point_values.hpp"

namespace reticle {

namespace {
using Json = nlohmann::ordered_json;

constexpr std::string_view kOk = "ok", kInfeasible = "infeasible", kSkipped = "skipped",
                           kRefused = "refused", kKnown = "known";

/// Names of the run itself; anything else is a key of --set.
bool put_name(RunRequest& request, const std::string& key, const std::string& value) {
  if (key == "platform")
    request.platform = value;
  else if (key == "llm")
    request.llm = value;
  else if (key == "workload")
    request.workload = value;
  else if (key == "serving")
    request.serving = value == "none" ? std::nullopt : std::optional{value};
  else
    return false;
  return true;
}

std::optional<ExpressionValue> value_in(const Json& outputs, const std::string& name) {
  const auto found = outputs.find(name);
  if (found == outputs.end() || found->is_null()) return std::nullopt;
  return found->get<double>();
}

/// Of the deployment, before anything runs (kSweepFacts).
Json facts_of(const RunSpec& spec) {
  const PlatformSpec& p = spec.platform;
  const auto n = static_cast<double>(dies(p));
  const auto all = [&](auto quantity) { return n * static_cast<double>(quantity.count()); };
  Json facts{{"dies", dies(p)},
             {"packages", packages(p)},
             {"die_area", die_area_mm2(p.die)},
             {"silicon_area", n * die_area_mm2(p.die)},
             {"sram_capacity", all(p.die.sram.capacity)},
             {"hbm_capacity", 0.0},
             {"sram_bandwidth", all(peak_bandwidth(p.die.sram))},
             {"hbm_bandwidth", 0.0},
             {"weights", static_cast<double>(weight_bytes(spec.llm).count())}};
  if (p.die.hbm) {
    facts["hbm_capacity"] = all(capacity(*p.die.hbm));
    facts["hbm_bandwidth"] = all(peak_bandwidth(*p.die.hbm));
  }
  return facts;
}

/// Weights and caches that were loaded, over the time of the steps; null where none ran.
Json effective_bandwidth(const Json& report) {
  const double busy = report["time_ps"]["busy"].get<double>() * 1e-12;
  if (busy <= 0) return nullptr;
  double bytes = 0;
  for (const char* what : {"weights_sram", "weights_hbm", "weights_far", "kv"})
    bytes += report["counts"]["loaded_bytes"][what].get<double>();
  return bytes / busy;
}

/// Figures of a report by their short names.
void add_figures(Json& outputs, const Json& report) {
  for (const SweepFigure& figure : kSweepFigures) {
    if (figure.pointer.empty()) continue;
    const Json::json_pointer pointer{std::string{figure.pointer}};
    outputs[std::string{figure.name}] = report.contains(pointer) ? report[pointer] : Json(nullptr);
  }
  outputs["effective_bandwidth"] = effective_bandwidth(report);
  outputs["time"] = report["time_breakdown"];
  outputs["broken"] = Json::array();
  for (const Json& limit : report["feasible"]["limits"])
    outputs["broken"].push_back(limit["limit"]);
}

Json answer(std::string_view status, const std::string& reason, const std::string& digest,
            const Json& outputs) {
  return {{"status", status}, {"reason", reason}, {"digest", digest}, {"outputs", outputs}};
}

/// The first constraint that does not hold.
std::optional<std::string> broken_constraint(const SweepSpec& sweep, const PointValues& values,
                                             const RunSpec& spec, const Json& facts) {
  const NameLookup lookup = [&](const std::string& name) -> std::optional<ExpressionValue> {
    if (auto value = value_in(facts, name)) return value;
    for (const ResolvedValue& resolved : spec.resolved)
      if (resolved.path == name) return value_of_text(resolved.value);
    return value_in(values, name);
  };
  for (const SweepConstraint& constraint : sweep.constraints) {
    const auto holds = constraint.require.number(lookup);
    if (holds && *holds != 0) continue;
    const std::string why = constraint.reason.empty() ? "a constraint" : constraint.reason;
    return why + ": " + constraint.require.text() + (holds ? "" : ", of which a part is not there");
  }
  return std::nullopt;
}

/// The resolved values that make a trace what it is.
std::string trace_key_of(const RunSpec& spec) {
  std::string key;
  for (const ResolvedValue& value : spec.resolved)
    if (value.path.starts_with("workload.")) key += value.path + "=" + value.value + "\n";
  return key;
}

}  // namespace

RunRequest request_of(const SweepSpec& sweep, const DesignPoint& point) {
  RunRequest request = sweep.base;
  request.fidelity = point.fidelity;
  const auto columns = columns_of(sweep);
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (!point.values[c] || columns[c]->variable) continue;
    if (!put_name(request, columns[c]->key, *point.values[c]))
      request.sets.push_back(columns[c]->key + "=" + *point.values[c]);
  }
  for (const auto& [key, value] : derived_of(sweep, point))
    request.sets.push_back(key + "=" + value);
  return request;
}

namespace {
/// Figures that are asked for and that some runs do not have.
std::set<std::string> figures_at_risk(const SweepSpec& sweep) {
  std::set<std::string> names;
  const auto look = [&](const Expression& expression) {
    for (const std::string& name : expression.names())
      if (const SweepFigure* figure = find_sweep_figure(name); figure && !figure->needs.empty())
        names.insert(name);
  };
  for (const SweepObjective& objective : sweep.objectives) look(objective.value);
  for (const Expression& limit : sweep.limits) look(limit);
  return names;
}

bool can_have(const RunSpec& spec, const std::string& name) {
  const auto* steady = std::get_if<SteadyDecode>(&spec.workload);
  const SweepFigure* figure = find_sweep_figure(name);
  if (figure->needs == kTargets)
    return steady == nullptr && (spec.serving.ttft_limit || spec.serving.tpot_limit);
  return steady == nullptr || (figure->needs == kTwoTokens && steady->steps > 1);
}
}  // namespace

void check_first_points(const SweepSpec& sweep) {
  constexpr int kMostTried = 256;  // chosen: half a second, and a grid begins with its corners
  const KeepYaml keep_files;
  const auto columns = columns_of(sweep);
  std::vector<bool> taken(columns.size());
  std::map<std::size_t, std::string> refused;  // of a column, by the first point that sets it
  std::set<std::string> figures = figures_at_risk(sweep);
  bool any = false;
  int tried = 0;
  for (const DesignPoint& point : next_points(sweep, {}, {})) {
    bool news = !any || !figures.empty();
    for (std::size_t c = 0; c < columns.size(); ++c) news |= point.values[c] && !taken[c];
    if (!news) continue;
    if (tried++ == kMostTried) break;
    try {
      const RunSpec spec = read_run(request_of(sweep, point));
      any = true;
      for (std::size_t c = 0; c < columns.size(); ++c)
        if (point.values[c]) taken[c] = true;
      std::erase_if(figures, [&](const std::string& name) { return can_have(spec, name); });
    } catch (const ConfigError& error) {
      for (std::size_t c = 0; c < columns.size(); ++c)
        if (point.values[c]) refused.try_emplace(c, error.what());
    }
  }
  if (!any && !refused.empty())
    throw ConfigError({}, "sweep " + sweep.name,
                      "every point is refused, the first: " + refused.begin()->second);
  for (const auto& [column, problem] : refused)
    if (!taken[column])
      throw ConfigError({}, "sweep " + sweep.name,
                        fmt::format("every point with {} is refused, the first: {}",
                                    columns[column]->key, problem));
  for (const std::string& name : figures)
    throw ConfigError(
        {}, "sweep " + sweep.name,
        fmt::format("objectives or limits ask for {}, which no point has: it needs {}", name,
                    find_sweep_figure(name)->needs));
}

SweepGround::SweepGround(const SweepSpec& sweep) {
  // Every name is read once, so that a misspelt one is no thousand rows, and files are kept.
  std::set<std::vector<std::string>> seen;
  std::vector<RunRequest> requests{sweep.base};
  for (const SweepAxis& axis : sweep.axes) {
    std::vector<RunRequest> more;
    for (const RunRequest& request : requests)
      for (std::size_t i = 0; i < axis.size(); ++i) {
        RunRequest mine = request;
        bool names = false;
        for (const SweepColumn& column : axis.columns)
          names |= put_name(mine, column.key, column.values[i]);
        if (!names && i > 0) break;
        more.push_back(std::move(mine));
      }
    requests = std::move(more);
  }
  std::uint64_t digest = fnv1a64("");
  for (RunRequest& request : requests) {
    const RunSpec spec = read_run(request);
    if (requests.size() == 1) {
      trace_key_ = trace_key_of(spec);
      trace_ = load_trace(spec);
    }
    digest =
        fnv1a64(inputs_digest(spec, trace_ ? std::optional{trace_->digest} : std::nullopt), digest);
  }
  digest_ = fmt::format("{:016x}", digest);
}

const Trace* SweepGround::trace(const RunSpec& spec, std::optional<Trace>& own) const {
  if (std::holds_alternative<SteadyDecode>(spec.workload)) return nullptr;
  if (trace_ && trace_key_of(spec) == trace_key_) return &*trace_;
  own = load_trace(spec);
  return &*own;
}

std::string work_point_out(const SweepSpec& sweep, const SweepGround& ground,
                           const DesignPoint& point, std::unordered_set<std::string>& known) {
  RunSpec spec;
  try {
    spec = read_run(request_of(sweep, point));
  } catch (const ConfigError& error) {
    return answer(kRefused, error.what(), "", nullptr).dump();
  }
  Json outputs = facts_of(spec);
  if (const auto broken = broken_constraint(sweep, values_of(sweep, point), spec, outputs))
    return answer(kSkipped, *broken, "", nullptr).dump();
  std::optional<Trace> own;
  const Trace* trace = ground.trace(spec, own);
  const auto trace_digest = trace ? std::optional{trace->digest} : std::nullopt;
  const std::string digest = inputs_digest(spec, trace_digest);
  if (known.contains(digest)) return answer(kKnown, "", digest, nullptr).dump();
  try {
    const RunResult result = run_simulation(spec, trace, {});
    if (!result.ended_by.empty()) throw SimulationError("stopped " + result.ended_by);
    add_figures(outputs, Json::parse(report_json(spec, result, {}, build_info(), trace_digest)));
    known.insert(digest);
    return answer(kOk, "", digest, outputs).dump();
  } catch (const InfeasibleError& error) {
    return answer(kInfeasible, error.what(), digest, outputs).dump();
  } catch (const ConfigError& error) {
    return answer(kRefused, error.what(), "", nullptr).dump();
  }
}

PointAnswer answer_of(const PointOutcome& outcome, const SweepSpec& sweep, bool& answered) {
  PointAnswer out{.wall_s = outcome.wall_s, .peak_rss_bytes = outcome.peak_rss_bytes};
  answered = false;
  if (outcome.timed_out) {
    out.status = PointStatus::TimedOut;
    out.reason = fmt::format("took longer than time_limit, {} s", *sweep.time_limit_s);
    return out;
  }
  if (outcome.code != static_cast<int>(ExitCode::Ok)) {
    const bool stuck = outcome.code == static_cast<int>(ExitCode::Stuck);
    out.status = stuck ? PointStatus::Stuck : PointStatus::Crashed;
    constexpr int kSignal = 128;  // a shell adds it to a signal
    out.reason = outcome.code >= kSignal ? fmt::format("ended by signal {}", outcome.code - kSignal)
                                         : outcome.output;
    return out;
  }
  const Json text = Json::parse(outcome.output);
  const std::string status = text["status"];
  out.reason = text["reason"];
  out.digest = text["digest"];
  if (!text["outputs"].is_null()) out.outputs = text["outputs"].dump();
  answered = status == kKnown;
  out.status = status == kOk           ? PointStatus::Ok
               : status == kInfeasible ? PointStatus::Infeasible
               : status == kSkipped    ? PointStatus::Skipped
                                       : PointStatus::Refused;
  return out;
}

}  // namespace reticle
