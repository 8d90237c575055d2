// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/report.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "sim/base/error.hpp"
#include "tests/sim/metrics/example_run.hpp"

using namespace reticle;
using namespace reticle::literals;
using Json = nlohmann::ordered_json;

namespace {
const BuildInfo kBuild{"0.1.0", "abc123"};
constexpr std::uint64_t kTraceDigest = 0x1234;

Json report_of(const RunSpec& spec, const RunResult& result) {
  return Json::parse(
      report_json(spec, result, {.wall_s = 2, .peak_rss_bytes = 1 << 20}, kBuild, kTraceDigest));
}

/// What docs/report.md and the command line's contract promise, as JSON pointers.
constexpr const char* kPromised[] = {"/schema",
                                     "/inputs/platform",
                                     "/inputs/llm",
                                     "/inputs/workload",
                                     "/inputs/serving",
                                     "/inputs/seed",
                                     "/inputs/fidelity",
                                     "/inputs/digest",
                                     "/reticle_version",
                                     "/git_revision",
                                     "/deployment/nodes",
                                     "/deployment/packages",
                                     "/deployment/dies",
                                     "/deployment/chips",
                                     "/feasible/fits",
                                     "/feasible/limits",
                                     "/throughput/output_tokens_per_s",
                                     "/throughput/per_chip",
                                     "/throughput/total_tokens_per_s",
                                     "/steps",
                                     "/output_tokens",
                                     "/simulated_s",
                                     "/latency/ttft_ms/mean",
                                     "/latency/ttft_ms/p50",
                                     "/latency/ttft_ms/p95",
                                     "/latency/ttft_ms/p99",
                                     "/latency/tpot_ms/mean",
                                     "/latency/tpot_ms/p99",
                                     "/latency/e2e_ms/mean",
                                     "/latency/e2e_ms/p99",
                                     "/latency/single_stream_tokens_per_s",
                                     "/roofline/tokens_per_s",
                                     "/roofline/bound_by",
                                     "/time_breakdown/weights_hbm",
                                     "/time_breakdown/weights_sram",
                                     "/time_breakdown/weights_far",
                                     "/time_breakdown/kv",
                                     "/time_breakdown/mac",
                                     "/time_breakdown/vector",
                                     "/time_breakdown/fabric_latency",
                                     "/time_breakdown/fabric_transfer",
                                     "/time_breakdown/launch",
                                     "/time_breakdown/idle",
                                     "/energy/total_j",
                                     "/energy/per_token_j",
                                     "/energy/average_power_w",
                                     "/energy/by_component",
                                     "/memory/tiers/0/name",
                                     "/memory/tiers/0/capacity_bytes",
                                     "/memory/tiers/0/weights_bytes",
                                     "/memory/tiers/0/kv_peak_bytes",
                                     "/memory/tiers/0/kv_mean_bytes",
                                     "/memory/tiers/0/reserved_bytes",
                                     "/residency/sram_fraction_configured",
                                     "/residency/active_bytes_sram_fraction",
                                     "/residency/kv_hit/hbm",
                                     "/residency/prefix_hit_fraction",
                                     "/residency/evicted_bytes",
                                     "/cost/capex_usd",
                                     "/cost/usd_per_m_tokens",
                                     "/cost/agent_density",
                                     "/confidence/datasheet",
                                     "/confidence/estimate",
                                     "/simulator/wall_s",
                                     "/simulator/steps_per_wall_s",
                                     "/simulator/tokens_per_wall_s",
                                     "/simulator/events",
                                     "/simulator/peak_rss_bytes",
                                     "/placement/plan/tensor",
                                     "/placement/sram_fraction/asked",
                                     "/placement/sram_fraction/expected",
                                     "/placement/sram_fraction/measured",
                                     "/placement/weights_bytes/hbm",
                                     "/placement/kv/pages_per_replica",
                                     "/placement/kv/page_bytes",
                                     "/counts/staged_bytes",
                                     "/limited_by/category",
                                     "/limited_by/text",
                                     "/utilisation/sram",
                                     "/utilisation/link.node",
                                     "/recall/mean_abs_error",
                                     "/recall/standard_error",
                                     "/recall/decode_steps/mean_error",
                                     "/recall/prefill_steps/audited_steps",
                                     "/requests/rejected",
                                     "/normalised/deployment/output_tokens_per_s",
                                     "/normalised/per_chip/output_tokens_per_s"};
}  // namespace

TEST_CASE("report: has every key that is promised") {
  const Json report = report_of(example_spec(), example_result());
  for (const char* key : kPromised) {
    CAPTURE(key);
    CHECK(report.contains(Json::json_pointer{key}));
  }
  CHECK(report["schema"] == 1);
  CHECK(std::prev(report.end()).key() == "simulator");
}

TEST_CASE("report: figures worked out by hand") {
  const Json report = report_of(example_spec(), example_result());
  CHECK(report["throughput"]["output_tokens_per_s"].get<double>() == doctest::Approx(800));
  CHECK(report["throughput"]["per_chip"].get<double>() == doctest::Approx(800.0 / 6));
  CHECK(report["deployment"] == Json{{"nodes", 2},
                                     {"packages", 6},
                                     {"dies", 12},
                                     {"chips", 6},
                                     {"status", "hypothetical"},
                                     {"claims", Json::array()}});
  CHECK(report["requests"] ==
        Json{{"total", 4},
             {"finished", 1},
             {"rejected", 1},
             {"rejected_for", {{"context", 1}, {"room", 0}, {"fault", 0}, {"late", 0}}},
             {"unfinished", 2},
             {"batch_peak", 2}});
  CHECK(report["roofline"]["bound_by"] == "hbm_bandwidth");
  CHECK(report["limited_by"]["category"] == "weights_hbm");
  CHECK(report["time_breakdown"]["idle"].get<double>() == doctest::Approx(0.2));
  CHECK(report["memory"]["tiers"].size() == 2);  // the platform has no far tier
  CHECK(report["memory"]["tiers"][1]["kv_peak_bytes"] == 6 << 20);
  // 64 of the 300 prompt tokens of the two requests that were admitted; 3 blocks of 2 MiB.
  CHECK(report["residency"]["prefix_hit_fraction"].get<double>() == doctest::Approx(64.0 / 300));
  CHECK(report["residency"]["evicted_bytes"] == 3 * 2 * 1024 * 1024);
  CHECK(report["residency"]["preemptions"] == 2);
  CHECK(report["residency"]["kv_hit"] == Json{{"sram", 0.0}, {"hbm", 1.0}});
  CHECK(report["confidence"]["estimate"] == 2);
  CHECK(report["simulator"]["steps_per_wall_s"] == 2.0);
  CHECK(report["simulator"]["tokens_per_wall_s"] == 154.0);
  CHECK(report["feasible"]["fits"] == true);
  CHECK(report["feasible"]["limits"][0]["limit"] == "rejected");
  CHECK(report["warnings"][0]["warning"] == "unfinished");
}

TEST_CASE("report: what does not apply is null, not zero") {
  RunResult result = steady_result(1);
  RunSpec spec = steady_spec(1);
  spec.platform.cost.node_price_usd = 0;
  spec.platform.node_power_limit_w = 0;
  const Json report = report_of(spec, result);
  for (const char* key :
       {"/latency/ttft_ms", "/latency/tpot_ms", "/latency/e2e_ms", "/residency/prefix_hit_fraction",
        "/residency/evicted_bytes", "/residency/kv_hit/hbm",
        "/residency/active_bytes_sram_fraction", "/energy/power_limit_w",
        "/energy/exceeds_power_limit", "/cost/capex_usd", "/cost/usd_per_m_tokens",
        "/cost/agent_density", "/utilisation/far/busy_share", "/recall/mean_error",
        "/simulator/events", "/repriced"}) {
    CAPTURE(key);
    CHECK(report[Json::json_pointer{key}].is_null());
  }
  CHECK(report["latency"]["single_stream_tokens_per_s"] == 1000.0);
}

TEST_CASE("report: a run without requests is a report too") {
  RunResult nothing;
  nothing.placement = example_placement();
  const Json report = report_of(example_spec(), nothing);
  CHECK(report["throughput"]["output_tokens_per_s"].is_null());
  CHECK(report["energy"]["per_token_j"].is_null());
  CHECK(report["time_breakdown"]["idle"].is_null());
  CHECK(report["limited_by"].is_null());
  CHECK(report["requests"]["total"] == 0);
  CHECK(report["cost"]["planned"]["utilisation"] == 0.7);
}

TEST_CASE("report: huge counts stay numbers, and what is not finite is refused") {
  RunResult result = example_result();
  result.counts.read.fill(Bytes{std::numeric_limits<std::int64_t>::max()});
  const Json report = report_of(example_spec(), result);
  CHECK(report["counts"]["read_bytes"]["hbm"] == std::numeric_limits<std::int64_t>::max());
  CHECK(report["energy"]["total_j"].get<double>() > 1e8);

  result.kv_mean = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(report_of(example_spec(), result),
                       doctest::Contains("/memory/tiers/1/kv_mean_bytes is not finite"),
                       InvariantError);
  RunSpec spec = example_spec();
  spec.platform.energy.vector_pj = 1e308;
  spec.platform.energy.die_static_w = std::numeric_limits<double>::infinity();
  CHECK_THROWS_AS(report_of(spec, example_result()), InvariantError);
}

TEST_CASE("report: a name that is not UTF-8 still makes a document") {
  RunSpec spec = example_spec();
  spec.workload_name = "trace\xFF";
  CHECK(report_of(spec, example_result())["inputs"]["workload"] == "trace\xEF\xBF\xBD");
}

TEST_CASE("report: what does not fit has the same keys, and says why") {
  const Json refused = Json::parse(
      infeasible_report_json(example_spec(), "12 GB do not fit in hbm", kBuild, kTraceDigest));
  const Json finished = report_of(example_spec(), example_result());
  CHECK(refused["feasible"]["fits"] == false);
  CHECK(refused["feasible"]["limits"][0]["text"] == "12 GB do not fit in hbm");
  CHECK(refused["throughput"].is_null());
  CHECK(refused["inputs"] == finished["inputs"]);
  auto other = finished.begin();
  for (const auto& item : refused.items()) CHECK(item.key() == (other++).key());
  CHECK(other == finished.end());
}

TEST_CASE("inputs digest: every value counts, names and elaboration order do not") {
  const RunSpec spec = example_spec();
  const std::string digest = inputs_digest(spec, kTraceDigest);
  CHECK(digest.size() == 16);
  const auto with = [&](std::size_t i, const char* value) {
    RunSpec changed = spec;
    changed.resolved[i].value = value;
    return inputs_digest(changed, kTraceDigest);
  };
  CHECK(with(0, "501") != digest);
  CHECK(with(6, "8") != digest);
  CHECK(with(3, "another name") == digest);
  CHECK(with(4, "/elsewhere/a.csv") == digest);
  CHECK(with(5, "true") == digest);
  CHECK(inputs_digest(spec, kTraceDigest + 1) != digest);
  CHECK(inputs_digest(spec, std::nullopt) != digest);
}
