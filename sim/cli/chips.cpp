// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/chips.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sim/base/error.hpp"
#include "sim/config/value_text.hpp"
#include "sim/mapping/placement.hpp"
#include "workloads/moe/expert_router.hpp"
#include "workloads/requests/trace_reader.hpp"

namespace reticle {

namespace {
constexpr std::int64_t kMostChips = 4096;

/// `chips` packages of a platform whose nodes have `node` of them.
RunRequest scaled(RunRequest request, std::int64_t chips, std::int64_t node) {
  if (chips > node && chips % node != 0)
    throw ConfigError(
        {}, "--chips",
        fmt::format("expected up to {}, or whole nodes of {}, got {}", node, node, chips));
  request.sets.push_back(fmt::format("platform.packages_per_node={}", std::min(chips, node)));
  request.sets.push_back(fmt::format("platform.nodes={}", std::max<std::int64_t>(1, chips / node)));
  return request;
}

Demand demand_of(const RunSpec& spec) {
  Demand demand{.page_tokens = spec.serving.kv_page_tokens, .max_tokens = spec.serving.max_batch};
  if (const auto* steady = std::get_if<SteadyDecode>(&spec.workload)) {
    demand.sequences = demand.max_tokens = steady->batch;
    demand.tokens = steady->context + steady->steps;
    return demand;
  }
  const auto& workload = std::get<TraceWorkload>(spec.workload);
  demand.max_tokens += spec.serving.prefill_tokens;
  for (const Request& r : read_trace(workload.path, workload.format, options_of(workload)).requests)
    demand.tokens = std::max(demand.tokens, r.input_tokens + r.output_tokens);
  demand.tokens = std::min(demand.tokens, spec.llm.max_context);
  return demand;
}

RunRequest smallest(const RunRequest& request, const RunSpec& spec) {
  const Demand demand = demand_of(spec);
  std::optional<ExpertRouter> router;
  if (spec.llm.moe) router.emplace(spec.llm, spec.seed);
  const std::int64_t node = spec.platform.packages_per_node;
  const std::int64_t of_chip =
      weight_room(spec.platform, spec.placement).count() / (node * spec.platform.nodes);
  const std::int64_t least = weight_bytes(spec.llm).count() / of_chip;
  std::string problem;
  for (std::int64_t chips = 1; chips <= kMostChips; chips += chips < node ? 1 : node) {
    if (chips < least) continue;
    try {
      RunRequest candidate = scaled(request, chips, node);
      if (holds(read_run(candidate).platform, spec.llm, spec.placement, router ? &*router : nullptr,
                demand))
        return candidate;
    } catch (const ConfigError& error) {  // a mesh of so many cannot be built
      problem = error.what();
    }
  }
  throw InfeasibleError(fmt::format("--chips auto: no number of chips up to {} of {} holds {}{}",
                                    kMostChips, spec.platform.name, spec.llm.name,
                                    problem.empty() ? "" : "; " + problem));
}
}  // namespace

void put_chips(RunRequest& request, const std::string& chips) {
  const RunSpec spec = read_run(request);
  if (chips == "auto") {
    request = smallest(request, spec);
    return;
  }
  const Parsed<std::int64_t> number = ValueText<std::int64_t>::parse(chips);
  if (!number.value || *number.value < 1)
    throw ConfigError({}, "--chips", "expected a number from 1 or auto, got " + chips);
  request = scaled(request, *number.value, spec.platform.packages_per_node);
}

}  // namespace reticle
