// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/base/rng.hpp"
#include "sim/config/enum_tables.hpp"
#include "sim/config/value_text.hpp"
#include "sim/mapping/collectives.hpp"
#include "sim/metrics/counts_json.hpp"
#include "sim/metrics/findings.hpp"
#include "sim/metrics/heat_report.hpp"
#include "sim/metrics/labels.hpp"
#include "sim/metrics/plan_report.hpp"
#include "sim/metrics/priced_json.hpp"
#include "sim/metrics/provenance.hpp"
#include "sim/metrics/serving_report.hpp"

namespace reticle {

namespace {

/// Most that a sequence's windows hold / its recurrent states, over all dies of its replica.
std::int64_t window_bytes(const KvRoom& kv) {
  std::int64_t sum = 0;
  for (const CacheStage& stage : kv.stages)
    for (const CacheStage::Window& w : stage.windows) sum += w.tokens * w.bytes * kv.dies;
  return sum;
}
std::int64_t state_bytes(const KvRoom& kv) {
  std::int64_t sum = 0;
  for (const CacheStage& stage : kv.stages) sum += stage.state * kv.dies;
  return sum;
}

/// What a run adds to its inputs, in the order of the report.
constexpr std::array<std::string_view, 33> kRunKeys{
    "throughput",  "steps",      "output_tokens", "prefill_tokens", "simulated_s",    "latency",
    "goodput",     "requests",   "roofline",      "limited_by",     "time_breakdown", "time_ps",
    "utilisation", "energy",     "thermal",       "normalised",     "memory",         "placement",
    "collectives", "experts",    "residency",     "instances",      "handover",       "faults",
    "speculation", "adapters",   "cost",          "silicon",        "recall",         "counts",
    "confidence",  "provenance", "simulator"};

Json rows_json(const std::optional<RowsLeftOut>& rows) {
  if (!rows) return nullptr;
  return {{"without_tokens", rows->without_tokens}, {"malformed", rows->malformed}};
}

Json inputs_json(const RunSpec& spec, std::optional<std::uint64_t> trace_digest,
                 const std::optional<RowsLeftOut>& left_out) {
  return {
      {"platform", spec.platform.name},
      {"llm", spec.llm.name},
      {"workload", spec.workload_name},
      {"serving",
       {{"max_batch", spec.serving.max_batch},
        {"prefill_tokens", spec.serving.prefill_tokens},
        {"kv_page_tokens", spec.serving.kv_page_tokens},
        {"prefix_cache", ValueText<PrefixCachePolicy>::format(spec.serving.prefix_cache)},
        {"batching", ValueText<Batching>::format(spec.serving.batching)},
        {"admission", ValueText<Admission>::format(spec.serving.admission)},
        {"headroom", spec.serving.headroom},
        {"kv_spill", ValueText<KvSpill>::format(spec.serving.kv_spill)},
        {"kv_sink_tokens", spec.serving.kv_sink_tokens},
        {"kv_window_tokens", spec.serving.kv_window_tokens},
        {"preemption", ValueText<Preemption>::format(spec.serving.preemption)},
        {"queue", ValueText<QueueOrder>::format(spec.serving.queue)},
        {"instances", spec.serving.instances},
        {"prefill_instances", spec.serving.prefill_instances},
        {"routing", ValueText<RoutingPolicy>::format(spec.serving.routing)}}},
      {"seed", spec.seed},
      {"fidelity", ValueText<Fidelity>::format(spec.engine.fidelity)},
      {"trace_digest", trace_digest ? Json(fmt::format("{:016x}", *trace_digest)) : Json(nullptr)},
      {"rows_left_out", rows_json(left_out)},
      {"digest", inputs_digest(spec, trace_digest)}};
}

/// All keys a report has, the run's null.
Json frame(const RunSpec& spec, const BuildInfo& build, std::optional<std::uint64_t> trace_digest,
           const std::optional<RowsLeftOut>& left_out) {
  const PlatformSpec& p = spec.platform;
  Json report{{"schema", kReportSchema},
              {"inputs", inputs_json(spec, trace_digest, left_out)},
              {"reticle_version", build.version},
              {"git_revision", build.git_revision},
              {"repriced", nullptr},
              {"deployment",
               {{"nodes", p.nodes},
                {"packages", packages(p)},
                {"dies", dies(p)},
                {"chips", packages(p)},
                {"status", p.status},
                {"claims", p.claims}}},
              {"feasible", {{"fits", true}, {"limits", Json::array()}}},
              {"warnings", Json::array()}};
  for (const auto key : kRunKeys) report[std::string{key}] = nullptr;
  return report;
}

void put_findings(Json& report, const RunSpec& spec, const RunResult& result) {
  for (const auto& finding : run_findings(spec, result)) {
    if (is_limit(finding.kind))
      report["feasible"]["limits"].push_back(
          {{"limit", name_of(finding.kind)}, {"text", finding.text}});
    else
      report["warnings"].push_back({{"warning", name_of(finding.kind)}, {"text", finding.text}});
  }
}

Json distribution_json(const std::optional<Distribution>& d) {
  if (!d) return nullptr;
  return {
      {"count", d->count}, {"mean", d->mean}, {"p50", d->p50}, {"p95", d->p95}, {"p99", d->p99}};
}

Json throughput_json(const RunFigures& f, const PlatformSpec& platform) {
  const auto chips = static_cast<double>(packages(platform));
  return {
      {"output_tokens_per_s", or_null(f.output_tokens_per_s)},
      {"per_chip", f.output_tokens_per_s ? Json(*f.output_tokens_per_s / chips) : Json(nullptr)},
      {"total_tokens_per_s", or_null(f.total_tokens_per_s)}};
}

Json classes_json(const RunResult& result) {
  Json all = Json::array();
  for (const ClassLatencies& c : latencies_by_class(result))
    all.push_back({{"priority", c.priority},
                   {"requests", c.requests},
                   {"ttft_ms", distribution_json(c.latency.ttft_ms)},
                   {"tpot_ms", distribution_json(c.latency.tpot_ms)},
                   {"e2e_ms", distribution_json(c.latency.e2e_ms)}});
  return all;
}

Json latency_json(const RunFigures& f, const RunResult& result) {
  return {{"ttft_ms", distribution_json(f.latency.ttft_ms)},
          {"tpot_ms", distribution_json(f.latency.tpot_ms)},
          {"itl_ms", distribution_json(f.latency.itl_ms)},
          {"e2e_ms", distribution_json(f.latency.e2e_ms)},
          {"classes", classes_json(result)},
          {"single_stream_tokens_per_s", or_null(f.single_stream_tokens_per_s)}};
}

Json goodput_json(const RunFigures& f, const ServingSpec& serving) {
  if (!f.goodput) return nullptr;
  const auto limit = [](const std::optional<Picoseconds>& t) {
    return t ? Json(static_cast<double>(t->count()) / 1e9) : Json(nullptr);
  };
  return {{"ttft_limit_ms", limit(serving.ttft_limit)},
          {"tpot_limit_ms", limit(serving.tpot_limit)},
          {"requests", f.goodput->requests},
          {"share", f.goodput->share},
          {"output_tokens_per_s", or_null(f.good_tokens_per_s)}};
}

Json requests_json(const RunResult& result) {
  const auto count = [&](auto predicate) {
    return std::ranges::count_if(result.requests, predicate);
  };
  const auto finished = count([](const auto& r) { return r.finished.has_value(); });
  const auto rejected = count([](const auto& r) { return r.rejected; });
  const auto refused = [&](Refusal why) {
    return std::ranges::count(result.requests, why, &RequestRecord::refusal);
  };
  const auto total = std::ssize(result.requests);
  return {{"total", total},
          {"finished", finished},
          {"rejected", rejected},
          {"rejected_for",
           {{"context", refused(Refusal::Context)},
            {"room", refused(Refusal::Room)},
            {"fault", refused(Refusal::Fault)},
            {"late", refused(Refusal::Late)}}},
          {"unfinished", total - finished - rejected},
          {"batch_peak", result.batch_peak}};
}

Json roofline_json(const RunFigures& f, const RunResult& result) {
  Json bounds = Json::object();
  for (std::size_t i = 0; i < result.roofline_limits.size(); ++i)
    bounds[std::string{name_of(static_cast<RooflineLimit>(i))}] =
        or_null(ratio(seconds(result.roofline_limits[i]), seconds(result.roofline_busy)));
  const auto& r = f.roofline;
  return {{"tokens_per_s", or_null(r.tokens_per_s)},
          {"bound_by", r.bound_by ? Json(name_of(*r.bound_by)) : Json(nullptr)},
          {"achieved_fraction", or_null(r.achieved)},
          {"bound_shares", std::move(bounds)}};
}

Json limited_by_json(const RunFigures& f, const RunResult& result) {
  if (!f.limited_by) return nullptr;
  const auto spent = result.breakdown[static_cast<std::size_t>(*f.limited_by)];
  return {{"category", label_of(*f.limited_by).key},
          {"share", or_null(ratio(seconds(spent), seconds(result.duration)))},
          {"text", label_of(*f.limited_by).why}};
}

Json breakdown_json(const RunResult& result) {
  Json shares = Json::object();
  for (const auto& label : kTimeCategoryLabels) {
    const auto spent = result.breakdown[static_cast<std::size_t>(label.category)];
    shares[std::string{label.key}] = or_null(
        ratio(static_cast<double>(spent.count()), static_cast<double>(result.duration.count())));
  }
  return shares;
}

Json time_json(const RunResult& result) {
  Json parts = Json::object();
  for (const auto& label : kTimeCategoryLabels)
    parts[std::string{label.key}] =
        result.breakdown[static_cast<std::size_t>(label.category)].count();
  return {{"simulated", result.duration.count()},
          {"busy", result.busy.count()},
          {"roofline_busy", result.roofline_busy.count()},
          {"breakdown", std::move(parts)}};
}

Json utilisation_json(const RunFigures& f) {
  Json shares = Json::object();
  for (const auto& use : f.utilisation)
    shares[use.name] = {{"units", use.units}, {"busy_share", or_null(use.share)}};
  return shares;
}

Json memory_json(const RunResult& result) {
  Json tiers = Json::array();
  for (std::size_t t = 0; t < kTierCount; ++t) {
    const Placement& p = result.placement;
    if (p.capacity[t].count() == 0) continue;
    const KvInTier kv = kv_in_tier(result, static_cast<Tier>(t));
    tiers.push_back({{"name", kTierNames[t]},
                     {"capacity_bytes", p.capacity[t].count()},
                     {"weights_bytes", p.weights[t].count()},
                     {"kv_peak_bytes", kv.peak.count()},
                     {"kv_mean_bytes", kv.mean},
                     {"reserved_bytes", p.reserved[t].count()}});
  }
  return {{"tiers", std::move(tiers)}};
}

Json collectives_json(const PlatformSpec& platform, const Placement& placement) {
  const ParallelPlan& plan = placement.plan;
  Json rows = Json::array();
  const auto bytes = [](std::optional<Bytes> b) { return b ? Json(b->count()) : Json(nullptr); };
  const auto add = [&](std::string_view collective, std::int64_t dies, const auto& served) {
    rows.push_back({{"collective", collective},
                    {"dies", dies},
                    {"above_bytes", bytes(served.above)},
                    {"up_to_bytes", bytes(served.up_to)},
                    {"algorithm", name_of(served.choice.kind)},
                    {"why", served.why}});
  };
  if (plan.tensor > 1)
    for (const auto& served :
         Collectives{platform, placement.rank_order}.served({0, plan.tensor, 1}))
      add("all-reduce", plan.tensor, served);
  // These have one algorithm, whatever size and topology: each pair's part goes straight.
  const Collectives::Served direct{{}, {}, {}, "the only one"};
  for (const std::string_view name : {"all-gather", "reduce-scatter"})
    if (plan.tensor > 1) add(name, plan.tensor, direct);
  if (plan.stage_dies() > 1) add("all-to-all", plan.stage_dies(), direct);
  return rows;
}

/// Streams of so many tokens that fit at a time, all replicas together; where sequences drop
/// tokens, by those they keep.
Json streams_json(const KvRoom& kv, const ServingSpec& serving) {
  Json list = Json::array();
  for (const std::int64_t context : kStreamContexts)
    list.push_back(
        {{"context", context}, {"streams", streams_that_fit(kv, serving.kept(context))}});
  return list;
}

Json placement_json(const RunFigures& f, const InstanceResult& result, const ServingSpec& serving) {
  const Placement& p = result.placement;
  Json weights = Json::object();
  for (std::size_t t = 0; t < kTierCount; ++t)
    weights[std::string{kTierNames[t]}] = p.weights[t].count();
  Json plan{{"text", to_string(p.plan)}, {"pipeline", p.plan.pipeline},
            {"data", p.plan.data},       {"tensor", p.plan.tensor},
            {"expert", p.plan.expert},   {"expert_tensor", p.plan.expert_tensor}};
  plan.update(plan_choice_json(result));
  return {{"plan", std::move(plan)},
          {"sram_fraction",
           {{"asked", or_null(p.sram_fraction_asked)},
            {"expected", p.sram_fraction_expected},
            {"measured", or_null(f.sram_fraction_measured)}}},
          {"weights_bytes", std::move(weights)},
          {"kv",
           {{"tier", name_of(p.kv.tier)},
            {"page_tokens", p.kv.page_tokens},
            {"page_bytes", p.kv.page_bytes.count()},
            {"pages_per_replica", p.kv.pages},
            {"window_bytes_per_sequence", window_bytes(p.kv)},
            {"state_bytes_per_sequence", state_bytes(p.kv)},
            {"replicas", p.kv.replicas},
            {"longest_context", longest_sequence(p.kv.stages)},
            {"streams", streams_json(p.kv, serving)}}}};
}

Json experts_json(const RunResult& r) {
  const auto routed = [&](std::int64_t n) { return r.picks > 0 ? Json(n) : Json(nullptr); };
  const ExpertTraffic& e = r.experts;
  const auto of_prediction = [&](std::int64_t n) {
    return r.placement.expert_prefetch == ExpertPrefetch::None ? Json(nullptr) : Json(n);
  };
  return {{"picks", routed(r.picks)},
          {"dropped_picks", routed(r.dropped_picks)},
          {"dropped_fraction",
           or_null(ratio(static_cast<double>(r.dropped_picks), static_cast<double>(r.picks)))},
          {"cache", ValueText<ExpertCachePolicy>::format(r.placement.expert_cache)},
          {"cache_hits", routed(e.hits)},
          {"cache_misses", routed(e.misses)},
          {"cache_hit_fraction",
           or_null(ratio(static_cast<double>(e.hits), static_cast<double>(e.hits + e.misses)))},
          {"hit_bytes", routed(e.hit_bytes.count())},
          {"missed_bytes", routed(e.missed_bytes.count())},
          {"fill_bytes", routed(e.filled.count())},
          {"prefetch",
           {{"predicted", of_prediction(e.predicted)},
            {"came_true", of_prediction(e.came_true)},
            {"needed", of_prediction(e.foreseeable)},
            {"loaded_ahead", of_prediction(e.prefetched)},
            {"accuracy",
             or_null(ratio(static_cast<double>(e.came_true), static_cast<double>(e.predicted)))},
            {"coverage", or_null(ratio(static_cast<double>(e.came_true),
                                       static_cast<double>(e.foreseeable)))}}}};
}

/// Attention reads keys and values at hand: at home, or in SRAM beside it.
Json residency_json(const RunFigures& f, const RunResult& result) {
  const Bytes read = result.counts.loaded[static_cast<std::size_t>(TimeCategory::Kv)];
  Json hits = Json::object();
  for (std::size_t t = 0; t < kTierCount; ++t) {
    if (result.placement.capacity[t].count() == 0) continue;
    const Bytes here = kv_in_tier(result, static_cast<Tier>(t)).read;
    hits[std::string{kTierNames[t]}] =
        or_null(ratio(static_cast<double>(here.count()), static_cast<double>(read.count())));
  }
  // Null where requests carry no prefix blocks or none are shared.
  const bool shared = result.prefix.blocks > 0;
  const auto of_blocks = [&](std::int64_t n) { return shared ? Json(n) : Json(nullptr); };
  std::int64_t prompts = 0;
  for (const RequestRecord& r : result.requests)
    if (r.admitted) prompts += r.input_tokens;
  return {
      {"sram_fraction_configured", or_null(result.placement.sram_fraction_asked)},
      {"active_bytes_sram_fraction", or_null(f.sram_fraction_measured)},
      {"kv_hit", std::move(hits)},
      {"prefix_hit_fraction", shared ? or_null(ratio(static_cast<double>(result.prefix.hit_tokens),
                                                     static_cast<double>(prompts)))
                                     : Json(nullptr)},
      {"prefix_hit_tokens", of_blocks(result.prefix.hit_tokens)},
      {"prefix_copied_bytes", of_blocks(result.prefix.copied.count())},
      {"prefix_blocks", of_blocks(result.prefix.blocks)},
      {"prefix_hit_blocks", of_blocks(result.prefix.hit_blocks)},
      {"evicted_blocks", of_blocks(result.prefix.evicted[KvPlace::Home])},
      {"spilled_blocks", of_blocks(result.prefix.spilled)},
      {"far_hit_blocks", of_blocks(result.prefix.found[KvPlace::Far])},
      {"prefetched_blocks", of_blocks(result.prefix.prefetched)},
      {"far_evicted_blocks", of_blocks(result.prefix.evicted[KvPlace::Far])},
      {"evicted_bytes",
       of_blocks((result.prefix.evicted[KvPlace::Home] * result.prefix_block_bytes).count())},
      {"short_of_room_share",
       or_null(ratio(seconds(result.short_of_room), seconds(result.duration)))},
      {"preemptions", result.preemption.preemptions},
      {"recomputed_tokens", result.preemption.recomputed_tokens},
      {"swaps", result.preemption.swaps},
      {"swapped_tokens", result.preemption.swapped_tokens},
      {"dropped_tokens", result.dropped_tokens},
      {"longest_context", result.longest_context},
      {"kv_tiers", kv_tiers_json(result)}};
}

Json recall_json(const RunResult& result) {
  const RecallReport& r = result.recall;
  const auto figures = [](const AuditFigures& f) -> Json {
    const auto audited = [&](double error) { return f.audits > 0 ? Json(error) : Json(nullptr); };
    return {{"audited_steps", f.audits},
            {"mean_error", audited(f.mean_error)},
            {"standard_error", audited(f.standard_error)},
            {"mean_abs_error", audited(f.mean_abs_error)},
            {"max_abs_error", audited(f.max_abs_error)}};
  };
  Json out{{"enabled", r.enabled},
           {"simulated_steps", r.simulated},
           {"recalled_steps", r.recalled},
           {"decode_steps", figures(r.decoding)},
           {"prefill_steps", figures(r.prefilling)}};
  out.update(figures(r.all));
  const auto tail = tpot_p99_error(result);
  out["tpot_p99_error"] =
      tail ? Json{{"mean", tail->mean}, {"margin", tail->margin}} : Json(nullptr);
  return out;
}

Json simulator_json(const RunResult& result, const SimulatorFacts& facts) {
  const auto positive = [](std::int64_t n) { return n > 0 ? Json(n) : Json(nullptr); };
  const auto per_second = [&](std::int64_t n) {
    return or_null(ratio(static_cast<double>(n), facts.wall_s));
  };
  return {{"wall_s", facts.wall_s},
          {"steps_per_wall_s", per_second(result.steps)},
          {"tokens_per_wall_s", per_second(result.output_tokens + result.prefill_tokens)},
          {"events", positive(result.kernel_events)},
          {"peak_rss_bytes", positive(facts.peak_rss_bytes)}};
}
}  // namespace

std::string inputs_digest(const RunSpec& spec, std::optional<std::uint64_t> trace_digest) {
  std::uint64_t digest = fnv1a64("");
  for (const auto& value : spec.resolved) {
    const bool a_name = value.path == "workload.name" || value.path == "engine.reverse_elaboration";
    if (a_name || (trace_digest && value.path == "workload.path")) continue;
    digest = fnv1a64(value.path + "=" + value.value + "\n", digest);
  }
  if (trace_digest) digest = fnv1a64(fmt::format("trace={:016x}\n", *trace_digest), digest);
  return fmt::format("{:016x}", digest);
}

std::string report_json(const RunSpec& spec, const RunResult& result,
                        const SimulatorFacts& simulator, const BuildInfo& build,
                        std::optional<std::uint64_t> trace_digest,
                        const std::optional<RowsLeftOut>& left_out) {
  const RunFigures f = figures(spec, result);
  Json report = frame(spec, build, trace_digest, left_out);
  put_findings(report, spec, result);
  report["throughput"] = throughput_json(f, spec.platform);
  report["steps"] = result.steps;
  report["output_tokens"] = result.output_tokens;
  report["prefill_tokens"] = result.prefill_tokens;
  report["simulated_s"] = seconds(result.duration);
  report["latency"] = latency_json(f, result);
  report["goodput"] = goodput_json(f, spec.serving);
  report["requests"] = requests_json(result);
  report["roofline"] = roofline_json(f, result);
  report["limited_by"] = limited_by_json(f, result);
  report["time_breakdown"] = breakdown_json(result);
  report["time_ps"] = time_json(result);
  report["utilisation"] = utilisation_json(f);
  report["thermal"] = thermal_json(spec, result);
  report["memory"] = memory_json(result);
  report["placement"] = placement_json(f, result, spec.serving);
  report["collectives"] = collectives_json(spec.platform, result.placement);
  report["experts"] = experts_json(result);
  report["residency"] = residency_json(f, result);
  report["instances"] = instances_json(result);
  report["handover"] = handover_json(result);
  report["faults"] = faults_json(result);
  report["speculation"] = speculation_json(result);
  report["adapters"] = adapters_json(spec, result);
  report["recall"] = recall_json(result);
  report["counts"] = Json::parse(counts_to_json(result.counts));
  report["confidence"] = count_confidence(spec.resolved);
  const Provenance rests_on = provenance(spec, result, f.energy);
  report["provenance"] = {
      {"time", rests_on.time}, {"energy", rests_on.energy}, {"prices", rests_on.prices}};
  report["simulator"] = simulator_json(result, simulator);
  put_priced(report, spec.platform,
             {.counts = result.counts,
              .duration = result.duration,
              .busy = result.busy,
              .output_tokens = result.output_tokens,
              .output_tokens_per_s = f.output_tokens_per_s,
              .total_tokens_per_s = f.total_tokens_per_s,
              .single_stream_tokens_per_s = f.single_stream_tokens_per_s});
  return finished_text(report);
}

std::string infeasible_report_json(const RunSpec& spec, std::string_view why,
                                   const BuildInfo& build,
                                   std::optional<std::uint64_t> trace_digest,
                                   const std::optional<RowsLeftOut>& left_out) {
  Json report = frame(spec, build, trace_digest, left_out);
  report["feasible"] = {{"fits", false},
                        {"limits", Json::array({{{"limit", "fit"}, {"text", why}}})}};
  report["confidence"] = count_confidence(spec.resolved);
  return finished_text(report);
}

}  // namespace reticle
