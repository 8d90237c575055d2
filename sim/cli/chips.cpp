// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/chips.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sim/base/error.hpp"
#include "sim/config/value_text.hpp"
#include "sim/engine/sites.hpp"
#include "sim/mapping/placement.hpp"
#include "workloads/moe/expert_router.hpp"
#include "workloads/requests/trace_reader.hpp"

namespace reticle {

namespace {
/// `chips` packages of a platform whose nodes have `node` of them.
RunRequest scaled(RunRequest request, std::int64_t chips, std::int64_t node) {
  if (chips > node && chips % node != 0)
    throw ConfigError(
        {}, "--chips",
        fmt::format("expected up to {}, or whole nodes of {}, got {}; packages of a node: --set "
                    "platform.packages_per_node={}",
                    node, node, chips, chips));
  request.sets.push_back(fmt::format("platform.packages_per_node={}", std::min(chips, node)));
  request.sets.push_back(fmt::format("platform.nodes={}", std::max<std::int64_t>(1, chips / node)));
  return request;
}

/// The longest sequence of the workload, and how many of that length are to be there at a time.
struct Wanted {
  std::optional<Trace> trace;
  std::int64_t sequences = 1, tokens = 1;
};
Wanted wanted_of(const RunSpec& spec) {
  if (const auto* steady = std::get_if<SteadyDecode>(&spec.workload))
    return {std::nullopt, steady->batch, steady->context + steady->steps};
  const auto& workload = std::get<TraceWorkload>(spec.workload);
  Wanted wanted{read_trace(workload.path, workload.format, options_of(workload))};
  for (const Request& r : wanted.trace->requests)
    wanted.tokens = std::max(wanted.tokens, r.input_tokens + r.output_tokens);
  wanted.tokens = std::min(wanted.tokens, spec.llm.max_context);
  return wanted;
}

/// Some plan has room, though the one that would be chosen need not: quick to tell.
bool may_hold(const RunSpec& spec, const Wanted& wanted, const Routers& routers) {
  if (spec.serving.instances > 1 || spec.draft) return true;
  return holds(spec.platform, spec.llm, spec.placement, routers.model,
               {.sequences = wanted.sequences,
                .tokens = spec.serving.kept(wanted.tokens),
                .page_tokens = spec.serving.kv_page_tokens,
                .max_tokens = 1});
}

/// Throws InfeasibleError or ConfigError when the model cannot be placed.
bool holds(const RunSpec& spec, const Wanted& wanted, const Routers& routers) {
  if (!may_hold(spec, wanted, routers))
    throw InfeasibleError("no plan has room for " + std::to_string(wanted.sequences) +
                          " sequences of " + std::to_string(wanted.tokens) + " tokens");
  const auto sites = plan_sites(spec, wanted.trace ? &*wanted.trace : nullptr, routers);
  const KvRoom& kv = sites.back().plans.front()->placement.kv;
  const auto copies = kv.replicas * std::ssize(sites);
  return sequences_that_fit(kv.stages, spec.serving.kept(wanted.tokens)) >=
         div_up(wanted.sequences, copies);
}

/// Of the model and of the draft, where they are mixtures of experts.
class OwnRouters {
 public:
  explicit OwnRouters(const RunSpec& spec) {
    if (spec.llm.moe) router_.emplace(spec.llm, spec.seed);
    if (spec.draft && spec.draft->moe) draft_.emplace(*spec.draft, spec.seed);
  }
  [[nodiscard]] Routers get() const {
    return {router_ ? &*router_ : nullptr, draft_ ? &*draft_ : nullptr};
  }

 private:
  std::optional<ExpertRouter> router_, draft_;
};

RunRequest smallest(const RunRequest& request, const RunSpec& spec) {
  const Wanted wanted = wanted_of(spec);
  const OwnRouters own{spec};
  const Routers routers = own.get();
  const std::int64_t node = spec.platform.packages_per_node;
  const std::int64_t of_chip =
      weight_room(spec.platform, spec.placement).count() / (node * spec.platform.nodes);
  const std::int64_t of_weights =
      std::max<std::int64_t>(1, weight_bytes(spec.llm).count() / of_chip);
  const std::int64_t least = of_weights < node ? of_weights : of_weights / node * node;
  std::string problem;
  const std::int64_t most = kMostDiesTried / spec.platform.dies_per_package;
  const auto next = [&](std::int64_t chips) {
    return chips < node ? chips + 1 : next_size(chips / node) * node;
  };
  for (std::int64_t chips = least; chips <= most; chips = next(chips)) {
    try {
      RunRequest candidate = scaled(request, chips, node);
      if (holds(read_run(candidate), wanted, routers)) return candidate;
    } catch (const ConfigError& error) {  // so many cannot be built or cut
      problem = error.what();
    } catch (const InfeasibleError& error) {
      problem = error.what();
    }
  }
  throw InfeasibleError(fmt::format("--chips auto: no number of chips up to {} of {} holds {}{}",
                                    most, spec.platform.name, spec.llm.name,
                                    problem.empty() ? "" : "; " + problem));
}
}  // namespace

bool chips_hold(const RunRequest& request) {
  const RunSpec spec = read_run(request);
  try {
    return holds(spec, wanted_of(spec), OwnRouters{spec}.get());
  } catch (const InfeasibleError&) {
    return false;
  }
}

void put_chips(RunRequest& request, const std::string& chips) {
  const RunSpec spec = read_run(request);
  if (chips == "auto") {
    request = smallest(request, spec);
    return;
  }
  const Parsed<std::int64_t> number = ValueText<std::int64_t>::parse(chips);
  if (!number.value || *number.value < 1)
    throw ConfigError({}, "--chips", "expected a number from 1 or auto, got " + chips);
  RunRequest candidate = scaled(request, *number.value, spec.platform.packages_per_node);
  try {
    (void)read_run(candidate);
  } catch (const ConfigError& error) {
    throw ConfigError({}, "--chips", chips + " cannot be built: " + error.what());
  }
  request = std::move(candidate);
}

}  // namespace reticle
