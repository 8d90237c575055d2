// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/engine/step_executor.hpp"

namespace reticle {

/// Carries out a step whose decodes carry drafts: the draft's own steps one after another, as many
/// as the longest proposal, then the step of the model that verifies them. Prompts pass through the
/// draft as well, with its first step.
///
/// Leaves out: the draft's catching up on the last token of a proposal that was accepted whole.
class SpeculativeExecutor final : public StepExecutor {
 public:
  /// Both must outlive the object.
  SpeculativeExecutor(StepExecutor& model, StepExecutor& draft) : model_{model}, draft_{draft} {}

  StepOutcome execute(const StepLoad& load) override;

 private:
  /// What the draft has to do in its step `number`, from 0; false: nothing.
  bool draft_step(const StepLoad& load, std::int64_t number);

  StepExecutor& model_;
  StepExecutor& draft_;
  StepLoad draft_load_;
};

}  // namespace reticle
