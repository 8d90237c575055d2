// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_policies.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "sim/config/bounds.hpp"
#include "sim/config/enum_tables.hpp"

namespace reticle {

namespace {
constexpr Range<std::int64_t> kBatch{1, 1'000'000};
constexpr Range<std::int64_t> kBatchFromZero{0, 1'000'000};
constexpr Range<std::int64_t> kSteps{0, 1'000'000'000};
constexpr Range<std::int64_t> kRows{0, 65'536};
constexpr Range<std::int64_t> kExperts{0, 65'536};
constexpr Range<double> kFraction{0, 1};
constexpr Range<std::int64_t> kDrafts{1, 64};
constexpr Range<std::int64_t> kTokens0{0, bounds::kTokens.high};

FaultSpec read_fault(const ConfigNode& node, const std::string& name, std::int64_t instances) {
  const FaultSpec defaults;
  // Field by field: an error that leaves an aggregate half made destroys it twice (GCC 12).
  FaultSpec fault;
  fault.name = name;
  fault.at = node.get<Picoseconds>("at");
  fault.kind = node.get<FaultKind>("kind");
  fault.instance =
      node.get<std::int64_t>("instance", defaults.instance, Range<std::int64_t>{0, instances - 1});
  fault.channels = node.get<std::int64_t>("channels", defaults.channels, bounds::kCount);
  fault.link_left = node.get<double>("link_left", defaults.link_left);
  fault.level = node.get<std::string>("level", defaults.level);
  node.check("at", fault.at.count() >= 0, "must not be negative");
  constexpr double kLeastLeft = 0.001;  // less is no link: say so by a fault of the die
  node.check("link_left", fault.link_left >= kLeastLeft && fault.link_left < 1,
             "must be at least 0.001 and below 1");
  node.reject_unknown_keys();
  return fault;
}

/// The numbers of the list under `key`, each from `low` to `high`.
std::vector<double> read_numbers(const ConfigNode& node, std::string_view key, double low,
                                 double high) {
  std::vector<double> numbers;
  for (const std::string& text : node.texts(key)) {
    const Parsed<double> number = ValueText<double>::parse(text);
    // Not a number compares false.
    if (!number.value || !(*number.value >= low && *number.value <= high))
      node.fail(key, "expected numbers from " + ValueText<double>::format(low) + " to " +
                         ValueText<double>::format(high) + ", got " + text);
    numbers.push_back(*number.value);
  }
  if (numbers.empty()) node.fail(key, "expected an entry");
  return numbers;
}

/// Entry i of `lengths` is the mean number of tokens a verification of i + 1 drafts yields: the sum
/// over the drafts of the chance that all up to it are accepted, and one.
std::vector<double> chances_of(const ConfigNode& node, const std::vector<double>& lengths) {
  std::vector<double> chances;
  double length = 1, all = 1;
  for (const double next : lengths) {
    if (next > 2 + static_cast<double>(chances.size()))
      node.fail("acceptance_lengths", "expected at most 1 more than there are drafts");
    if (next < length) node.fail("acceptance_lengths", "expected lengths that do not fall");
    // Measured lengths waver where hardly any draft is accepted.
    const double accepted = std::min(next - length, all);
    chances.push_back(all > 0 ? accepted / all : 0);
    length = next;
    all = accepted;
  }
  return chances;
}

/// `acceptance` one chance for all drafts, or a list: of chances, or of acceptance lengths.
SpeculationSpec read_speculation(const ConfigNode& node) {
  SpeculationSpec spec;
  constexpr std::int64_t kUsual = 4;  // default: between one (MTP) and eight (n-grams)
  spec.tokens = node.get<std::int64_t>("tokens", kUsual, kDrafts);
  const auto given =
      node.has("acceptance") + node.has("acceptance_by_position") + node.has("acceptance_lengths");
  if (given > 1)
    node.fail("acceptance",
              "expected one of acceptance, acceptance_by_position, acceptance_lengths");
  if (node.has("acceptance_lengths"))
    spec.acceptance =
        chances_of(node, read_numbers(node, "acceptance_lengths", 1, 1 + kDrafts.high));
  else if (node.has("acceptance_by_position"))
    spec.acceptance = read_numbers(node, "acceptance_by_position", 0, 1);
  else
    spec.acceptance = {node.get<double>("acceptance", spec.acceptance.front(), kFraction)};
  return spec;
}

constexpr Range<std::int64_t> kAdapters{1, 10'000'000};
constexpr Range<std::int64_t> kRank{1, 4096};  // of full rank, the widest matrices shipped: 8,192
constexpr Range<double> kSkew{0, 10};

/// `rank` one for all adapters, or `ranks` a list.
std::vector<std::int64_t> read_ranks(const ConfigNode& node, const std::vector<std::int64_t>& one) {
  if (!node.has("ranks")) return {node.get<std::int64_t>("rank", one.front(), kRank)};
  if (node.has("rank")) node.fail("rank", "expected none beside ranks");
  std::vector<std::int64_t> ranks;
  for (const std::string& text : node.texts("ranks")) {
    const Parsed<std::int64_t> rank = ValueText<std::int64_t>::parse(text);
    if (!rank.value || *rank.value < kRank.low || *rank.value > kRank.high)
      node.fail("ranks", "expected whole numbers from 1 to 4096, got " + text);
    ranks.push_back(*rank.value);
  }
  if (ranks.empty()) node.fail("ranks", "expected an entry at least");
  return ranks;
}

LoraSpec read_lora(const ConfigNode& node) {
  LoraSpec spec;
  AdapterSpec& family = spec.family;
  family.adapters = node.get<std::int64_t>("adapters", kAdapters);
  family.slots = node.get<std::int64_t>("slots", kAdapters);
  family.ranks = read_ranks(node, family.ranks);
  family.targets = node.get<AdapterTargets>("targets", family.targets);
  family.format = node.get<Precision>("format", family.format);
  spec.popularity = node.find<double>("popularity", kSkew);
  node.check("slots", family.slots <= family.adapters, "must be at most as many as adapters");
  node.check("format", !storage_only(family.format), "must be a format that arrays multiply");
  if (std::ssize(family.ranks) > family.adapters)
    node.fail("ranks", "expected at most one for each of the adapters");
  node.reject_unknown_keys();
  return spec;
}

/// A section per fault, under a name of the user's; sorted by time.
std::vector<FaultSpec> read_faults(const ConfigNode& node, std::int64_t instances) {
  std::vector<FaultSpec> faults;
  const auto section = node.find_child("faults");
  if (!section) return faults;
  for (const std::string& name : section->keys())
    faults.push_back(read_fault(section->child(name), name, instances));
  std::ranges::stable_sort(faults, {}, &FaultSpec::at);
  return faults;
}
}  // namespace

ServingSpec read_serving(const ConfigNode& node) {
  const ServingSpec defaults;
  // Field by field: an error that leaves an aggregate half made destroys it twice (GCC 12).
  ServingSpec serving;
  (void)node.find<std::string>("title");
  serving.layer_overhead =
      node.get<Picoseconds>("layer_overhead", defaults.layer_overhead, bounds::kLatency);
  serving.stream_overhead =
      node.get<Picoseconds>("stream_overhead", defaults.stream_overhead, bounds::kLatency);
  serving.max_batch = node.get<std::int64_t>("max_batch", defaults.max_batch, kBatch);
  serving.prefill_tokens =
      node.get<std::int64_t>("prefill_tokens", defaults.prefill_tokens, bounds::kTokens);
  serving.kv_page_tokens =
      node.get<std::int64_t>("kv_page_tokens", defaults.kv_page_tokens, bounds::kCount);
  serving.prefix_cache = node.get<PrefixCachePolicy>("prefix_cache", defaults.prefix_cache);
  serving.admission = node.get<Admission>("admission", defaults.admission);
  serving.headroom = node.get<double>("headroom", defaults.headroom, kFraction);
  serving.kv_spill = node.get<KvSpill>("kv_spill", defaults.kv_spill);
  serving.kv_prefetch = node.get<bool>("kv_prefetch", defaults.kv_prefetch);
  serving.preemption = node.get<Preemption>("preemption", defaults.preemption);
  serving.kv_sink_tokens =
      node.get<std::int64_t>("kv_sink_tokens", defaults.kv_sink_tokens, kTokens0);
  serving.kv_window_tokens =
      node.get<std::int64_t>("kv_window_tokens", defaults.kv_window_tokens, kTokens0);
  serving.session_prefixes = node.get<bool>("session_prefixes", defaults.session_prefixes);
  serving.batching = node.get<Batching>("batching", defaults.batching);
  serving.queue = node.get<QueueOrder>("queue", defaults.queue);
  serving.slo_admission = node.get<bool>("slo_admission", defaults.slo_admission);
  serving.instances = node.get<std::int64_t>("instances", defaults.instances, bounds::kCount);
  serving.prefill_instances =
      node.get<std::int64_t>("prefill_instances", defaults.prefill_instances, kBatchFromZero);
  serving.routing = node.get<RoutingPolicy>("routing", defaults.routing);
  serving.fault_detection = node.get<Picoseconds>("fault_detection", defaults.fault_detection);
  serving.reload_rate =
      node.get<BytesPerSecond>("reload_rate", defaults.reload_rate, bounds::kRate);
  serving.ttft_limit = node.find<Picoseconds>("ttft_limit");
  serving.tpot_limit = node.find<Picoseconds>("tpot_limit");
  serving.early_exit.share =
      node.get<double>("early_exit_share", serving.early_exit.share, kFraction);
  serving.early_exit.layers =
      node.get<double>("early_exit_layers", serving.early_exit.layers, kFraction);
  node.check("early_exit_layers", serving.early_exit.layers > 0, "must be above 0");
  serving.thinking.budget = node.find<std::int64_t>("thinking_budget", kSteps);
  serving.thinking.share = node.get<double>("thinking_share", serving.thinking.share, kFraction);
  node.check("prefill_instances", serving.prefill_instances < serving.instances,
             "must leave an instance that decodes");
  node.check("kv_window_tokens", serving.kv_window_tokens > 0 || serving.kv_sink_tokens == 0,
             "must be above 0 where there are kv_sink_tokens");
  node.check("ttft_limit", !serving.ttft_limit || serving.ttft_limit->count() > 0,
             "must be above 0");
  node.check("slo_admission", !serving.slo_admission || serving.ttft_limit, "needs a ttft_limit");
  node.check("queue", serving.queue != QueueOrder::Slo || serving.ttft_limit,
             "slo needs a ttft_limit");
  node.check(
      "kv_spill",
      serving.kv_spill == KvSpill::Off || (serving.prefix_cache != PrefixCachePolicy::Off &&
                                           serving.prefix_cache != PrefixCachePolicy::Refuse),
      "needs a prefix_cache that lets blocks go, neither off nor refuse");
  node.check("fault_detection", serving.fault_detection.count() > 0, "must be above 0");
  serving.faults = read_faults(node, serving.instances);
  if (const auto section = node.find_child("speculation")) {
    serving.speculation = read_speculation(*section);
    (void)section->get<std::string>("draft");  // a model: read_run resolves it
    section->reject_unknown_keys();
  }
  if (const auto section = node.find_child("lora")) serving.lora = read_lora(*section);
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
      .microbatches = node.find<std::int64_t>("microbatches", kBatch),
      .plan_batch = node.find<std::int64_t>("plan_batch", kBatch),
      .plan_context = node.find<std::int64_t>("plan_context", bounds::kTokens),
      .sram_expert_share = node.find<double>("sram_expert_share", kFraction),
      .expert_cache = node.get<ExpertCachePolicy>("expert_cache", defaults.expert_cache),
      .expert_prefetch = node.get<ExpertPrefetch>("expert_prefetch", defaults.expert_prefetch),
      .expert_balance = node.get<ExpertBalance>("expert_balance", defaults.expert_balance),
      .redundant_experts =
          node.get<std::int64_t>("redundant_experts", defaults.redundant_experts, kExperts),
      .rank_order = node.get<bool>("rank_order", defaults.rank_order),
      .latent_cache = node.get<LatentCache>("latent_cache", defaults.latent_cache),
      .invariant_rows = node.get<std::int64_t>("invariant_rows", defaults.invariant_rows, kRows),
      .far_weights = node.get<bool>("far_weights", defaults.far_weights),
      .kv_share = node.get<double>("kv_share", defaults.kv_share),
      .kv_sram_share = node.get<double>("kv_sram_share", defaults.kv_sram_share, kFraction),
  };
  node.check("kv_share", policy.kv_share > 0 && policy.kv_share <= 1,
             "must be above 0 and at most 1");
  node.check("expert_prefetch",
             policy.expert_prefetch == ExpertPrefetch::None ||
                 policy.expert_cache != ExpertCachePolicy::Static,
             "needs placement.expert_cache lru or lfu, whose room it fills");
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
      .step_rows = node.get<bool>("step_rows", defaults.step_rows),
      .thermal = node.get<bool>("thermal", defaults.thermal),
      .reverse_elaboration = node.get<bool>("reverse_elaboration", defaults.reverse_elaboration),
  };
  node.check("recall_error", engine.recall_error > 0 && engine.recall_error <= 1,
             "must be above 0 and at most 1");
  node.reject_unknown_keys();
  return engine;
}

}  // namespace reticle
