// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/engine/step_executor.hpp"
#include "sim/serving/serving_spec.hpp"

namespace reticle {

/// Whether a decoding token leaves the model early: a pure function of its place.
bool exits_early(const EarlyExitSpec& spec, const SequenceWork& token);

/// Carries out a step in two: the first layers for all, with a look at every decoding token through
/// the output head; the rest for prompts and for those that were not sure.
///
/// Leaves out: keys and values of the layers a token has skipped, which later tokens read (CALM
/// computes them from the state at the exit: its projections, not its attention or experts).
class EarlyExitExecutor final : public StepExecutor {
 public:
  /// Both must outlive the object.
  EarlyExitExecutor(StepExecutor& first, StepExecutor& rest, const EarlyExitSpec& spec)
      : first_{first}, rest_{rest}, spec_{spec} {}

  StepOutcome execute(const StepLoad& load) override;

 private:
  StepExecutor& first_;
  StepExecutor& rest_;
  const EarlyExitSpec spec_;
  StepLoad first_load_, rest_load_;
};

}  // namespace reticle
