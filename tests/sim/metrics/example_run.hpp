// SPDX-License-Identifier: Apache-2.0
// A finished run of the example platform, made up so that every figure can be worked out by hand.
#pragma once

#include "sim/config/run_spec.hpp"
#include "sim/metrics/run_result.hpp"
#include "tests/sim/accounts/example_platform.hpp"

namespace reticle {

inline RunSpec example_spec() {
  RunSpec spec;
  spec.platform = example_platform();
  spec.llm.name = "example-llm";
  spec.workload = TraceWorkload{"traces/a.csv", "azure", std::nullopt, 1.0};
  spec.workload_name = "traces/a.csv:azure";
  spec.seed = 7;
  spec.resolved = {{"platform.die.area_mm2", "500", "a.yaml:1:1", "sheet", "datasheet"},
                   {"platform.energy.vector_pj", "0.5", "a.yaml:2:1", "guess", "estimate"},
                   {"platform.energy.far_pj_per_bit", "11", "a.yaml:3:1", "guess", "estimate"},
                   {"workload.name", "traces/a.csv:azure", "command line", "", ""},
                   {"workload.path", "traces/a.csv", "command line", "", ""},
                   {"engine.reverse_elaboration", "false", "default", "", ""},
                   {"seed", "7", "command line", "", ""}};
  return spec;
}

inline Placement example_placement() {
  using namespace literals;
  Placement p;
  p.plan = {.pipeline = 1, .data = 2, .tensor = 6, .expert = 12, .expert_tensor = 1};
  p.kv = {.tier = Tier::Hbm,
          .page_tokens = 16,
          .page_bytes = 4_MiB,
          .pages = 1000,
          .replicas = 2,
          .stages = {{.page_tokens = 16, .page = (4_MiB).count(), .room = 1000 * (4_MiB).count()}}};
  p.capacity = {12_GB, 384_GB, 0_B};
  p.weights = {10_GB, 190_GB, 0_B};
  p.reserved = {1_GB, 2_GB, 0_B};
  p.sram_fraction_asked = 0.25;
  p.sram_fraction_expected = 0.26;
  return p;
}

inline RequestRecord request(std::uint64_t id, Picoseconds arrival, std::int64_t input_tokens,
                             std::int64_t output_tokens) {
  RequestRecord r;
  r.id = RequestId{id};
  r.arrival = arrival;
  r.input_tokens = input_tokens;
  r.output_tokens = output_tokens;
  return r;
}

inline void set_progress(RequestRecord& r, Picoseconds admitted, Picoseconds first_token,
                         std::optional<Picoseconds> finished, std::int64_t generated) {
  r.admitted = admitted;
  r.first_token = first_token;
  r.finished = finished;
  r.generated = generated;
}

/// 10 ms, 8 ms of them in steps; one request finished, one under way, one rejected, one waiting.
inline RunResult example_result() {
  using namespace literals;
  RunResult r;
  r.placement = example_placement();
  r.requests = {request(0, 1_ms, 100, 5), request(1, 2_ms, 200, 9), request(2, 3_ms, 1'000'000, 1),
                request(3, 9_ms, 10, 1)};
  set_progress(r.requests[0], 1500_us, 3_ms, 7_ms, 5);
  set_progress(r.requests[1], 2_ms, 5_ms, std::nullopt, 3);
  r.requests[0].prefix_hit_tokens = 64;
  r.requests[0].adapter = 7;
  r.requests[1].preemptions = 2;
  r.requests[2].rejected = true;
  r.requests[2].refusal = Refusal::Context;
  r.prefix = {.blocks = 4, .hit_blocks = 1, .hit_tokens = 64, .evicted = {{0, 3}}};
  r.prefix_block_bytes = 2_MiB;
  r.preemption = {.preemptions = 2, .lost_tokens = 90, .recomputed_tokens = 70};
  r.residency = {{.time = 3_ms,
                  .kv_used = {{Bytes{}, 5_MiB}},
                  .kv_reserved = {{Bytes{}, 8_MiB}},
                  .kv_cached = {{Bytes{}, 1_MiB}},
                  .running = 2,
                  .waiting = 0,
                  .adapters = 2_MiB},
                 {.time = 10_ms,
                  .kv_used = {{Bytes{}, 6_MiB}},
                  .kv_reserved = {{Bytes{}, 8_MiB}},
                  .running = 1,
                  .waiting = 1}};
  for (ResidencySample& sample : r.residency) sample.weights = r.placement.weights;
  r.steps = 4;
  r.output_tokens = 8;
  r.prefill_tokens = 300;
  r.duration = 10_ms;
  r.busy = 8_ms;
  r.breakdown = {1_ms, 3_ms, 0_ms, 500_us, 0_us, 0_us, 1500_us, 333_us, 333_us, 334_us, 1_ms, 2_ms};
  r.counts = example_counts();
  r.roofline_busy = 2_ms;
  r.roofline_limits = {500_us, 1500_us};
  r.kv_peak = 6_MiB;
  r.kv_mean = 3e6;
  r.batch_peak = 2;
  r.recall = {.enabled = true,
              .simulated = 3,
              .recalled = 1,
              .all = {.audits = 1,
                      .mean_error = -0.01,
                      .standard_error = 0.002,
                      .mean_abs_error = 0.01,
                      .max_abs_error = 0.01}};
  r.kernel_events = 4242;
  return r;
}

/// One stream, `tokens` tokens, one millisecond each.
inline RunResult steady_result(std::int64_t tokens) {
  using namespace literals;
  RunResult r;
  r.placement = example_placement();
  r.duration = r.busy = tokens * 1_ms;
  r.breakdown[static_cast<std::size_t>(TimeCategory::Mac)] = r.duration;
  r.roofline_busy = r.roofline_limits[static_cast<std::size_t>(RooflineLimit::Mac)] =
      tokens * 500_us;
  r.steps = r.output_tokens = tokens;
  r.requests = {request(0, Picoseconds{0}, 1024, tokens)};
  set_progress(r.requests[0], Picoseconds{0}, 1_ms, r.duration, tokens);
  return r;
}

inline RunSpec steady_spec(std::int64_t tokens) {
  RunSpec spec = example_spec();
  spec.workload = SteadyDecode{.batch = 1, .context = 1024, .steps = tokens};
  spec.workload_name = "steady-1";
  return spec;
}

}  // namespace reticle
