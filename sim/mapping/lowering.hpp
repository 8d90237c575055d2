// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "models/package/platform_spec.hpp"
#include "models/program/program.hpp"
#include "sim/mapping/collectives.hpp"
#include "sim/mapping/placement.hpp"
#include "workloads/graph/op_graph.hpp"
#include "workloads/moe/expert_router.hpp"
#include "workloads/requests/step_load.hpp"

namespace reticle {

/// Turns one step (what each sequence asks) into a program per die: the graph's operators, cut by
/// the placement's plan, with the collectives between them.
///
/// Models:     tensor, expert, data and pipeline parallelism; context-parallel attention; routed
///             experts loaded only when the router has picked them; kernel launches where the
///             platform runs kernels one after another.
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

 private:
  class Writer;

  const PlatformSpec& platform_;
  const LlmSpec& llm_;
  const Placement& placement_;
  const ExpertRouter* router_;
  const OpGraph graph_;
  Collectives collectives_;
};

}  // namespace reticle
