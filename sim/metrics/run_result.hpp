// SPDX-License-Identifier: Apache-2.0
// What a run leaves behind: counts and times, nothing priced and nothing formatted yet.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/package/event_counts.hpp"
#include "sim/mapping/plan.hpp"
#include "sim/mapping/roofline.hpp"
#include "sim/metrics/duration_counts.hpp"
#include "sim/serving/serving_spec.hpp"
#include "sim/thermal/sustained.hpp"
#include "workloads/requests/request.hpp"
#include "workloads/requests/step_load.hpp"

namespace reticle {

/// Why a request was not served.
enum class Refusal : std::uint8_t {
  None,
  Context,  ///< longer than the model attends to
  Room,     ///< longer than the KV room of any instance
  Fault,    ///< no instance that could hold it is left
  Late,     ///< its turn came too late for serving.ttft_limit, or without hope of room
};

/// The life of one request. Times from the start of the run; nullopt = has not come to that.
struct RequestRecord {
  RequestId id{};
  Picoseconds arrival{};
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t generated = 0;
  std::int64_t priority = 0;  ///< class
  std::optional<Picoseconds> admitted{};
  std::optional<Picoseconds> first_token{};
  std::optional<Picoseconds> last_token{};
  std::optional<Picoseconds> finished{};
  std::int64_t prefix_hit_tokens = 0;  ///< of the prompt, found in the cache when first admitted
  std::int64_t preemptions = 0;
  bool rejected = false;
  Refusal refusal = Refusal::None;  ///< why, where it was rejected
  std::optional<std::uint32_t> adapter{};
};

/// KV and queue state at one time; weights do not move in this version.
struct ResidencySample {
  Picoseconds time{};
  std::int32_t instance = 0;
  /// Tokens in the cache, idle prefixes included; behind home prefix blocks and swapped caches.
  ByPlace<Bytes> kv_used{};
  ByPlace<Bytes> kv_reserved{};  ///< pages promised to admitted requests, shared ones once
  ByPlace<Bytes> kv_cached{};    ///< at hand, prefix blocks that nobody uses
  std::int64_t running = 0;
  std::int64_t waiting = 0;
  Bytes adapters{};                         ///< in their slots, those on their way included
  std::array<Bytes, kTierCount> weights{};  ///< a draft's included; none while a fault lasts
};

/// Errors of recalled steps that were simulated after all, (recalled - simulated) / simulated.
/// Means are weighted by time: that of all recalled time is known to the standard error.
struct AuditFigures {
  std::int64_t audits = 0;
  double mean_error = 0;  ///< signed
  double standard_error = 0;
  double mean_abs_error = 0;
  double max_abs_error = 0;
};

/// How much was remembered instead of simulated, and the measured error of that.
struct RecallReport {
  bool enabled = false;
  std::int64_t simulated = 0;  ///< steps run on the silicon model
  std::int64_t recalled = 0;   ///< steps answered from a similar simulated one
  AuditFigures all{}, decoding{},
      prefilling{};  ///< `prefilling`: of steps that carry prompt tokens
};

/// One step, where the user asked for rows of them.
struct StepRow {
  Picoseconds begun{}, took{};
  std::int32_t instance = 0;
  std::int64_t decodes = 0;         ///< sequences past their prompt
  std::int64_t prefill_tokens = 0;  ///< of prompts, those computed again included
  std::int64_t output_tokens = 0;
  std::int64_t running = 0, waiting = 0;  ///< requests, after it
  Bytes kv_used{};                        ///< likewise
  TimeCategory mostly{};                  ///< what most of its time went to
};

/// Some steps on end of one instance, and the idle time between them.
struct ActivitySpan {
  Picoseconds begun{}, ended{};
  std::int32_t instance = 0;
  Picoseconds busy{};  ///< within steps
  std::int64_t steps = 0;
  std::int64_t output_tokens = 0;
  std::int64_t prefill_tokens = 0;
  std::int64_t admitted = 0;              ///< requests, those admitted again included
  std::int64_t finished = 0;              ///< requests
  std::int64_t preemptions = 0;           ///< of requests
  std::int64_t running = 0, waiting = 0;  ///< requests, at its end
  Bytes kv_used{};                        ///< likewise
  EventCounts counts;
};

/// What one operator of the model, all layers together, did in a step.
struct OperatorWork {
  std::uint8_t label = 0;                              ///< program_label.hpp
  std::array<Picoseconds, kTimeCategoryCount> path{};  ///< on the critical path
  Picoseconds span{};  ///< with any of its instructions under way, mean over the dies
  std::array<Bytes, kTierCount> loaded{}, stored{};  ///< all dies
  std::array<std::int64_t, kPrecisionCount> macs{};  ///< likewise
  std::int64_t vector_ops = 0;
};

/// A simulated step, taken apart.
struct StepAnatomy {
  std::int64_t simulated = 0;  ///< it was so many-th of those simulated; 0: there is none
  std::int64_t decodes = 0, prompt_tokens = 0;
  Picoseconds took{};                   ///< its paths sum to this
  std::vector<OperatorWork> operators;  ///< in the order of their labels
};

/// What a link of the fabric has carried in all simulated steps.
struct LinkLoad {
  std::int32_t from = 0, to = 0;  ///< dies, then switches
  std::int32_t level = 0;
  Bytes bytes{};
  Picoseconds busy{};
};

/// Power, heat and clock at the end of one period of the controller, all of an instance together.
struct ThermalSample {
  Picoseconds time{};
  std::int32_t instance = 0;
  double clock = 1;  ///< share
  double hottest_c = 0, coolest_c = 0;
  double dynamic_w = 0, memory_w = 0, leakage_w = 0, elsewhere_w = 0;
};

/// What heat and power limits made of a run (engine.thermal).
struct ThermalResult {
  Picoseconds at_full_clock{};  ///< what its steps would have taken
  Picoseconds throttled{};      ///< within steps, below the full clock
  double clock_seconds = 0;     ///< clock x time within steps
  double least_clock = 1;
  double hottest_c = 0;
  std::optional<Picoseconds> first_throttled{};
  /// Joules: on the dies, of the stacks, leakage, and all that no die sheds.
  double dynamic_j = 0, memory_j = 0, leakage_j = 0, elsewhere_j = 0;
  std::vector<double> die_c;  ///< at the end
  std::vector<ThermalSample> samples;
  SustainedPoint sustained;  ///< with the run's mean load
  std::optional<double> seconds_to_throttling{};
};

/// What an instance did: a copy of the model on its part of the deployment.
struct InstanceResult {
  Placement placement;
  PlanTarget plan_target;                  ///< what its plan was chosen for
  std::vector<PlanOption> plan_options{};  ///< PlanChoice::options
  std::vector<ResidencySample> residency;  ///< thinned evenly when long
  std::vector<StepRow> step_rows;          ///< with engine.step_rows
  std::vector<ActivitySpan> activity;      ///< all steps, many to a span when there are many
  std::int64_t steps = 0;
  std::int64_t output_tokens = 0;
  std::int64_t prefill_tokens = 0;
  PrefixStats prefix;
  Bytes prefix_block_bytes{};
  PreemptionStats preemption;
  ByPlace<KvTierStats> kv_tiers{};
  std::int64_t longest_context = 0;  ///< tokens of a sequence in the cache, at most
  std::int64_t dropped_tokens = 0;   ///< that left a cache for its window to move on
  SpeculationStats speculation;
  AdapterStats adapters;
  std::int64_t picks = 0;          ///< of routed experts by tokens, over all layers
  std::int64_t dropped_picks = 0;  ///< of these, by full experts (moe.routing.capacity_factor)
  ExpertTraffic experts;
  Picoseconds busy{};           ///< within steps
  Picoseconds short_of_room{};  ///< of that, while a request found no room in the cache, or lost it
  std::array<Picoseconds, kTimeCategoryCount> breakdown{};  ///< sums to the run's duration
  EventCounts counts;
  Picoseconds roofline_busy{};  ///< sum over steps of their roofline
  std::array<Picoseconds, kRooflineLimitCount> roofline_limits{};  ///< of it, by RooflineLimit
  Bytes kv_peak{};                                                 ///< used
  double kv_mean = 0;    ///< bytes used, averaged over time
  Bytes near_peak{};     ///< likewise in SRAM beside a home in HBM
  double near_mean = 0;  ///< likewise
  Bytes near_read{};     ///< by attention from there
  std::int64_t batch_peak = 0;
  /// The last steps that were taken apart, without and with prompt tokens: of those simulated the
  /// first, second, fourth, eighth ... of each kind. Where somebody asked for it (RunViews).
  std::array<StepAnatomy, 2> anatomy{};
  Picoseconds simulated{};        ///< time of the steps that were simulated
  std::vector<EventCounts> dies;  ///< in these steps, no links; empty at roofline fidelity
  std::vector<LinkLoad> links;    ///< empty where the fabric's form counts none
  RecallReport recall;
  std::optional<ThermalResult> thermal;  ///< without engine.thermal, none
};

/// A fault, and what became of it.
struct FaultRecord {
  FaultSpec fault;
  std::int64_t interrupted = 0;       ///< requests that were running there
  std::int64_t lost_tokens = 0;       ///< of them, cached
  std::optional<Picoseconds> back{};  ///< when what is left served again; nullopt: it did not
  std::optional<Picoseconds> over{};  ///< when it came back, or it was known that it will not
  std::string plan;                   ///< there, from then on; empty: none
  std::string problem;                ///< why it did not come back
  std::int64_t dies = 0;              ///< of the instance, from then on
  double speed = 0;  ///< estimated, of decode steps there, of that before the fault
  std::optional<double> rate_before{}, rate_during{}, rate_after{};  ///< rate_faults: tokens/s
};

/// Caches sent from instances that prefill to those that decode.
struct HandoverStats {
  std::int64_t transfers = 0;
  Bytes bytes{};
  Picoseconds in_flight{};  ///< from sending to the last byte's arrival, added up
};

/// What a run did: of its instances together (counts added, times averaged), and of each. Steps
/// taken apart, dies, links and the time they were simulated for are those of the first, before any
/// fault.
struct RunResult : InstanceResult {
  std::vector<InstanceResult> instances;  ///< without their residency; empty: there is one alone
  std::vector<RequestRecord> requests;
  DurationCounts token_gaps;  ///< between a request's tokens
  std::vector<FaultRecord> faults;
  HandoverStats handover;
  bool prefixes_unshared = false;  ///< requests have blocks, and the placement does not share them
  std::string ended_by;            ///< why work was left; empty: none was
  Picoseconds duration{};          ///< simulated, first event to last
  std::int64_t kernel_events = 0;  ///< process activations of the SystemC kernel, if known
};

/// Facts about the simulator itself; the only part that differs between equal runs.
struct SimulatorFacts {
  double wall_s = 0;
  std::int64_t peak_rss_bytes = 0;
};

}  // namespace reticle
