// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "models/package/platform_spec.hpp"
#include "models/program/program.hpp"
#include "sim/mapping/collectives.hpp"
#include "sim/mapping/expert_cache.hpp"
#include "sim/mapping/expert_predictor.hpp"
#include "sim/mapping/placement.hpp"
#include "sim/mapping/roofline.hpp"
#include "workloads/graph/op_graph.hpp"
#include "workloads/moe/expert_router.hpp"
#include "workloads/requests/step_load.hpp"

namespace reticle {

/// What a step moves and computes, and what became of its picks of routed experts.
struct StepTally {
  StepTotals totals;
  std::int64_t picks = 0, dropped_picks = 0;
  ExpertTraffic experts;
};

/// Turns one step (what each sequence asks) into a program per die: the graph's operators, cut by
/// the placement's plan, with the collectives between them.
///
/// Keeps what experts are in SRAM from step to step, where the placement says that use decides, and
/// what it has learned about which experts follow which.
///
/// Models:     tensor, expert, data and pipeline parallelism; context-parallel attention; routed
///             experts loaded only when the router has picked them; kernel launches where the
///             platform runs kernels one after another; adapters' products, grouped.
/// Leaves out: overlap of a layer's collectives with its own GEMMs, activation traffic to HBM,
///             continuous pipelining across steps (each step fills and drains the pipeline).
class Lowering {
 public:
  /// Keeps references: all arguments must outlive the object. `router` is null for dense models.
  /// `graph`: the operators to lower, of `llm`; every stage must have a layer in it.
  Lowering(const PlatformSpec& platform, const LlmSpec& llm, const Placement& placement,
           const ExpertRouter* router, OpGraph graph);
  Lowering(const PlatformSpec& platform, const LlmSpec& llm, const Placement& placement,
           const ExpertRouter* router)
      : Lowering{platform, llm, placement, router, build_op_graph(llm)} {}
  ~Lowering();

  /// Replaces `out` by the programs of `load`.
  void lower(const StepLoad& load, StepPrograms& out);

  /// As totals_of what lower() would write, which leaves the same to later steps, in far less time:
  /// layers that are alike are gone through once.
  StepTally tally(const StepLoad& load);

  /// Lets a step pass that is not carried out: experts in SRAM, and what follows which, are after
  /// it as they would be. Draws its picks and writes nothing; nothing at all where use does not
  /// decide what is in SRAM. Returns where its experts would have come from.
  ExpertTraffic pass(const StepLoad& load);

 private:
  class Writer;
  class Tallier;
  /// f(sequences) for every microbatch, in order.
  template <class F>
  void each_microbatch(const StepLoad& load, F f) const {
    const auto count = static_cast<std::int64_t>(load.sequences.size());
    const std::int64_t batches = microbatches(placement_.plan, count);
    const std::span<const SequenceWork> all{load.sequences};
    for (std::int64_t b = 0; b < batches; ++b) {
      const auto begin = static_cast<std::size_t>(count * b / batches);
      const auto end = static_cast<std::size_t>(count * (b + 1) / batches);
      if (begin < end) f(all.subspan(begin, end - begin));
    }
  }

  const PlatformSpec& platform_;
  const LlmSpec& llm_;
  const Placement& placement_;
  const ExpertRouter* router_;
  const OpGraph graph_;
  Collectives collectives_;
  std::vector<std::vector<ExpertCache>> caches_;  ///< [layer][expert group]; empty: none is cached
  std::optional<ExpertPredictor> predictor_;
  std::unique_ptr<Tallier> tallier_;
  Bytes expert_bytes_{};  ///< of one routed expert, on all dies of its group
};

}  // namespace reticle
