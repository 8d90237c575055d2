// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/pareto.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sim/base/error.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/interrupt.hpp"
#include "sim/engine/run.hpp"
#include "sim/metrics/report.hpp"
#include "sim/metrics/text_format.hpp"
#include "sim/sweep/point_process.hpp"

namespace reticle {

namespace {
using Json = nlohmann::ordered_json;

/// Of the report of one batch.
ParetoPoint point_of(std::int64_t batch, const PointOutcome& outcome) {
  ParetoPoint point;
  point.batch = batch;
  if (outcome.code != 0) {
    point.problem = outcome.output.empty() ? "ended by a signal" : outcome.output;
    return point;
  }
  const Json report = Json::parse(outcome.output);
  const Json& tpot = report["latency"]["tpot_ms"];
  if (!tpot.is_object()) {
    point.problem = "no stream had two tokens: workload.steps must be 2 or more";
    return point;
  }
  point.tokens_per_s = report["throughput"]["output_tokens_per_s"];
  point.tokens_per_s_chip = report["throughput"]["per_chip"];
  point.tokens_per_s_user = 1e3 / tpot["mean"].get<double>();
  point.energy_per_token_j = report["energy"]["per_token_j"];
  if (const Json& cost = report["cost"]["usd_per_m_tokens"]; cost.is_number())
    point.usd_per_million = cost;
  point.limited_by = report["limited_by"]["category"].is_string()
                         ? report["limited_by"]["category"].get<std::string>()
                         : report["limited_by"].dump();
  return point;
}

void mark_best(std::vector<ParetoPoint>& points) {
  for (ParetoPoint& p : points)
    p.best = p.problem.empty() && std::ranges::none_of(points, [&](const ParetoPoint& other) {
               return other.tokens_per_s_chip >= p.tokens_per_s_chip &&
                      other.tokens_per_s_user >= p.tokens_per_s_user && other.batch != p.batch;
             });
}
}  // namespace

ParetoFront pareto_front(const RunRequest& request, std::size_t jobs) {
  const RunSpec base = read_run(request);
  if (!std::holds_alternative<SteadyDecode>(base.workload))
    throw ConfigError({}, "--pareto", "expected a steady decode as workload, got a trace");
  const std::int64_t most = base.serving.max_batch * base.serving.instances;
  std::vector<std::int64_t> batches;
  for (std::int64_t batch = 1; batch < most; batch *= 2) batches.push_back(batch);
  batches.push_back(most);
  const auto work = [&](std::size_t i) {
    RunRequest mine = request;
    mine.sets.push_back("workload.batch=" + std::to_string(batches[i]));
    const RunSpec spec = read_run(mine);
    const RunResult result = run_simulation(spec, nullptr, {});
    return report_json(spec, result, {}, build_info(), std::nullopt, std::nullopt);
  };
  ParetoFront front{.points = {}, .batches = batches.size()};
  std::string failed;
  const auto on_done = [&](std::size_t i, const PointOutcome& outcome) {
    const ParetoPoint& point = front.points.emplace_back(point_of(batches[i], outcome));
    if (outcome.code != 0 && outcome.code != static_cast<int>(ExitCode::Infeasible) &&
        failed.empty())
      failed = "batch " + std::to_string(batches[i]) + ": " + point.problem;
    return outcome.code == 0;  // what does not fit now will not fit later
  };
  (void)run_points(batches.size(), jobs, work, on_done, kUntilAsked);
  if (!failed.empty()) throw SimulationError(failed);
  std::ranges::sort(front.points, {}, &ParetoPoint::batch);
  mark_best(front.points);
  return front;
}

std::string pareto_table(const std::vector<ParetoPoint>& points) {
  std::string out = fmt::format("{:>8}{:>16}{:>16}{:>16}{:>14}{:>12}  {}\n", "batch", "tokens/s",
                                "per chip", "per user", "J/token", "$/1M", "limited by");
  for (const ParetoPoint& p : points) {
    if (!p.problem.empty()) {
      out += fmt::format("{:>8}  {}\n", p.batch, p.problem);
      continue;
    }
    out += fmt::format("{:>8}{:>16}{:>16}{:>16}{:>14}{:>12}  {}{}\n", p.batch,
                       number_text(p.tokens_per_s), number_text(p.tokens_per_s_chip),
                       number_text(p.tokens_per_s_user), number_text(p.energy_per_token_j),
                       p.usd_per_million ? money_text(*p.usd_per_million) : "-", p.limited_by,
                       p.best ? "" : " (another batch gives more of both)");
  }
  return out;
}

std::string pareto_json(const std::vector<ParetoPoint>& points) {
  Json all = Json::array();
  for (const ParetoPoint& p : points) {
    if (!p.problem.empty()) {
      all.push_back({{"batch", p.batch}, {"problem", p.problem}});
      continue;
    }
    all.push_back(
        {{"batch", p.batch},
         {"output_tokens_per_s", p.tokens_per_s},
         {"output_tokens_per_s_per_chip", p.tokens_per_s_chip},
         {"output_tokens_per_s_per_user", p.tokens_per_s_user},
         {"energy_per_token_j", p.energy_per_token_j},
         {"usd_per_m_tokens", p.usd_per_million ? Json(*p.usd_per_million) : Json(nullptr)},
         {"limited_by", p.limited_by},
         {"pareto", p.best}});
  }
  return all.dump(2) + "\n";
}

std::string pareto_csv(const std::vector<ParetoPoint>& points) {
  std::string out =
      "batch,output_tokens_per_s,output_tokens_per_s_per_chip,output_tokens_per_s_per_user,"
      "energy_per_token_j,usd_per_m_tokens,limited_by,pareto\n";
  for (const ParetoPoint& p : points)
    if (p.problem.empty())
      out += fmt::format("{},{},{},{},{},{},{},{}\n", p.batch, p.tokens_per_s, p.tokens_per_s_chip,
                         p.tokens_per_s_user, p.energy_per_token_j,
                         p.usd_per_million ? fmt::format("{}", *p.usd_per_million) : "",
                         p.limited_by, p.best ? 1 : 0);
  return out;
}

}  // namespace reticle
