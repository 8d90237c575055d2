// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "sim/config/run_spec.hpp"
#include "sim/engine/step_executor.hpp"
#include "sim/mapping/plan.hpp"
#include "sim/metrics/run_result.hpp"

namespace reticle {

/// What a step's time depends on, as far as recall looks.
struct StepFeatures {
  std::int64_t decodes = 0;         ///< sequences that decode
  std::int64_t decode_context = 0;  ///< cached tokens they read
  std::int64_t prefill_tokens = 0;
  std::int64_t prefill_pairs = 0;   ///< query-key pairs of the prefills, windows apart
  Bytes cache_read{};               ///< of all layers, windows and states included
  std::int64_t attention_macs = 0;  ///< of all layers
  std::int64_t prefill_macs = 0;    ///< those of the prefills
};
StepFeatures features_of(const StepLoad& load, const LlmSpec& llm);

/// Answers a step from one simulated before whose features fall into the same bins, scaled by the
/// ratio of a closed form at the two (a control variate: the simulation says what the closed form
/// leaves out, the closed form says how neighbours in a bin differ). Steps whose experts differ are
/// not alike: their bins gather samples until the mean is known, and answer by each in turn. Every
/// n-th answer is simulated too, and the difference kept: the error is measured, not believed.
class RecallExecutor final : public StepExecutor {
 public:
  RecallExecutor(StepExecutor& silicon, const PlatformSpec& platform, const LlmSpec& llm,
                 const Placement& placement, const ExpertRouter* router, const EngineSpec& spec);

  StepOutcome execute(const StepLoad& load) override;
  [[nodiscard]] RecallReport report() const;

 private:
  using Bins = std::array<std::int64_t, 4>;
  struct Sample {
    StepFeatures features;
    StepOutcome outcome;
  };

  struct Bin {
    std::vector<Sample> samples;
    std::int64_t visits = 0;
  };

  [[nodiscard]] Bins bins_of(const StepFeatures& f) const;
  [[nodiscard]] std::int64_t bin(std::int64_t value) const;
  double closed_form(const StepFeatures& f);
  StepOutcome scaled(const Sample& sample, const StepFeatures& f);
  [[nodiscard]] bool wants_sample(const Bin& seen);
  void keep(Bin& seen, const StepFeatures& f, const StepOutcome& outcome);
  void scale_hbm(EventCounts& counts, Bytes more, double ratio) const;
  [[nodiscard]] bool due_for_audit() const;
  void audit(const StepOutcome& recalled, const StepOutcome& simulated);

  StepExecutor& silicon_;
  const PlatformSpec& platform_;
  const LlmSpec& llm_;
  const Placement& placement_;
  const ExpertRouter* router_;
  const EngineSpec spec_;
  std::map<Bins, Bin> bins_;
  std::unordered_map<std::int64_t, double> weights_time_;  ///< closed form by tokens of the step
  RecallReport report_;
  double error_sum_ = 0, abs_error_sum_ = 0;
};

}  // namespace reticle
