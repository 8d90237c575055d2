// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_policies.hpp"

#include "sim/config/bounds.hpp"
#include "sim/config/enum_tables.hpp"

namespace reticle {

namespace {
constexpr Range<std::int64_t> kBatch{1, 1'000'000};
constexpr Range<std::int64_t> kSteps{0, 1'000'000'000};
constexpr Range<double> kFraction{0, 1};
}  // namespace

ServingSpec read_serving(const ConfigNode& node) {
  const ServingSpec defaults;
  const ServingSpec serving{
      .max_batch = node.get<std::int64_t>("max_batch", defaults.max_batch, kBatch),
      .prefill_tokens =
          node.get<std::int64_t>("prefill_tokens", defaults.prefill_tokens, bounds::kTokens),
      .kv_page_tokens =
          node.get<std::int64_t>("kv_page_tokens", defaults.kv_page_tokens, bounds::kCount),
      .prefix_cache = node.get<PrefixCachePolicy>("prefix_cache", defaults.prefix_cache),
      .admission = node.get<Admission>("admission", defaults.admission),
      .headroom = node.get<double>("headroom", defaults.headroom, kFraction),
      .ttft_limit = node.find<Picoseconds>("ttft_limit"),
      .tpot_limit = node.find<Picoseconds>("tpot_limit"),
  };
  node.reject_unknown_keys();
  return serving;
}

PlacementPolicy read_placement(const ConfigNode& node) {
  const PlacementPolicy defaults;
  const PlacementPolicy policy{
      .sram_fraction = node.find<double>("sram_fraction", kFraction),
      .tensor_parallel = node.find<std::int64_t>("tensor_parallel", bounds::kCount),
      .expert_parallel = node.find<std::int64_t>("expert_parallel", bounds::kCount),
      .pipeline_parallel = node.find<std::int64_t>("pipeline_parallel", bounds::kCount),
      .plan_batch = node.find<std::int64_t>("plan_batch", kBatch),
      .plan_context = node.find<std::int64_t>("plan_context", bounds::kTokens),
      .far_weights = node.get<bool>("far_weights", defaults.far_weights),
      .kv_share = node.get<double>("kv_share", defaults.kv_share),
  };
  node.check("kv_share", policy.kv_share > 0 && policy.kv_share <= 1,
             "must be above 0 and at most 1");
  node.reject_unknown_keys();
  return policy;
}

EngineSpec read_engine(const ConfigNode& node) {
  const EngineSpec defaults;
  const EngineSpec engine{
      .fidelity = node.get<Fidelity>("fidelity", defaults.fidelity),
      .recall = node.get<RecallMode>("recall", defaults.recall),
      .recall_error = node.get<double>("recall_error", defaults.recall_error),
      .recall_audit =
          node.get<std::int64_t>("recall_audit", defaults.recall_audit, {1, kSteps.high}),
      .max_steps = node.get<std::int64_t>("max_steps", defaults.max_steps, kSteps),
      .reverse_elaboration = node.get<bool>("reverse_elaboration", defaults.reverse_elaboration),
  };
  node.check("recall_error", engine.recall_error > 0 && engine.recall_error <= 1,
             "must be above 0 and at most 1");
  node.reject_unknown_keys();
  return engine;
}

}  // namespace reticle
