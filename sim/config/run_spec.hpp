// SPDX-License-Identifier: Apache-2.0
// Everything a run depends on, checked, as plain data.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "models/package/platform_spec.hpp"
#include "sim/mapping/placement_policy.hpp"
#include "sim/serving/serving_spec.hpp"
#include "workloads/llm/llm_spec.hpp"
#include "workloads/requests/request.hpp"
#include "workloads/requests/steady.hpp"
#include "workloads/requests/trace_options.hpp"

namespace reticle {

enum class Fidelity : std::uint8_t { Roofline, Transaction, Cycle };

/// Whether similar steps may be recalled instead of simulated. Auto: in request traces, where there
/// are many thousands of them; a steady decode is simulated step by step.
enum class RecallMode : std::uint8_t { Auto, On, Off };

/// How the run loop uses the silicon model.
struct EngineSpec {
  Fidelity fidelity = Fidelity::Transaction;
  /// Recall similar steps instead of simulating each (docs/architecture.md, "Recall").
  RecallMode recall = RecallMode::Auto;
  double recall_error = 0.005;      ///< a step is simulated where recall expects to be off by more
  std::int64_t recall_audit = 512;  ///< one recalled step in so many is simulated and compared, and
                                    ///< more at the beginning
  std::int64_t max_steps = 0;       ///< 0 = no limit
  bool step_rows = false;           ///< keep a row of every step, for steps.csv
  bool thermal = false;             ///< power limits and temperatures act on the clock
  bool reverse_elaboration = false;  ///< build modules in reverse order (determinism test)
};

/// A request trace to replay: where it came from, and which part of it, as TraceOptions says.
struct TraceWorkload {
  std::string path;
  std::string format;                 ///< empty = told from the content
  std::optional<std::int64_t> limit;  ///< at most so many requests
  double rate_scale = 1.0;            ///< arrivals so many times faster
  std::int64_t skip = 0;
  Picoseconds from{0};
  std::optional<Picoseconds> to{};
  std::optional<std::int64_t> max_input{};
  std::optional<std::int64_t> max_output{};
  double sample = 1.0;
  std::uint64_t seed = 0;  ///< of the sample
  bool skip_bad_rows = false;
  double background_share = 0;  ///< of the requests (whole sessions), put into class 1
  bool closed_loop = false;  ///< a session's next turn comes its pause after the former has ended
};

/// Without the rate, which the engine scales as requests arrive.
inline TraceOptions options_of(const TraceWorkload& workload) {
  return {.skip_bad_rows = workload.skip_bad_rows,
          .from = workload.from,
          .to = workload.to,
          .sample = workload.sample,
          .seed = workload.seed,
          .skip = workload.skip,
          .limit = workload.limit,
          .max_input = workload.max_input,
          .max_output = workload.max_output};
}

using WorkloadSpec = std::variant<SteadyDecode, TraceWorkload>;

/// One leaf of the resolved configuration.
struct ResolvedValue {
  std::string path;        ///< dotted: platform.die.hbm.stacks
  std::string value;       ///< canonical text, unit included
  std::string origin;      ///< file:line:col | default | --set | command line
  std::string source;      ///< where the figure comes from; may be empty
  std::string confidence;  ///< see kConfidenceWords; empty = a choice, not a constant
  /// What it may be instead, in the unit of the value as written; not part of any digest.
  std::optional<std::pair<double, double>> range{};
};

struct RunSpec {
  PlatformSpec platform;
  LlmSpec llm;
  std::optional<LlmSpec> draft;  ///< proposes tokens, where serving.speculation asks for that
  bool draft_is_head = false;    ///< of the model: embedding and output head are the model's
  WorkloadSpec workload;
  std::string workload_name;  ///< as the user named it
  ServingSpec serving;
  PlacementPolicy placement;
  EngineSpec engine;
  std::uint64_t seed = 0;
  std::vector<ResolvedValue> resolved;  ///< every value, in reading order
};

}  // namespace reticle
