// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "sim/base/rng.hpp"
#include "sim/config/run_spec.hpp"
#include "sim/engine/audit_log.hpp"
#include "sim/engine/kriging.hpp"
#include "sim/engine/step_executor.hpp"
#include "sim/engine/step_profile.hpp"
#include "sim/mapping/plan.hpp"
#include "sim/metrics/run_result.hpp"

namespace reticle {

/// What a step's time depends on, as far as recall looks.
struct StepFeatures {
  std::int64_t decodes = 0;         ///< sequences that decode
  std::int64_t decode_context = 0;  ///< cached tokens they read
  std::int64_t prefill_tokens = 0;
  std::int64_t longest_prefill = 0;  ///< tokens of the longest: how long its products hold an array
  std::int64_t prefill_pairs = 0;    ///< query-key pairs of the prefills, windows apart
  Bytes cache_read{};                ///< of all layers, windows and states included
  Bytes near_read{};                 ///< of these, from SRAM beside home
  Bytes prefill_cache_read{};        ///< those of the prefills
  Bytes prefill_near_read{};         ///< likewise
  std::int64_t attention_macs = 0;   ///< of all layers
  std::int64_t prefill_macs = 0;     ///< those of the prefills
  std::int64_t adapters = 0;         ///< that some sequence runs with, of every replica
  Bytes adapters_read{};
  std::int64_t adapter_macs = 0;
  [[nodiscard]] std::int64_t tokens() const { return decodes + prefill_tokens; }
};
/// `room`: null where there are no adapters.
StepFeatures features_of(const StepLoad& load, const LlmSpec& llm,
                         const AdapterRoom* room = nullptr);

/// Answers steps from similar ones that were simulated. A closed form says roughly what a step
/// takes; its ratio to the simulated time changes slowly with what the closed form consists of, so
/// it is interpolated between samples (kriging), which also says how far the interpolation may be
/// off: where that is too much, the step is simulated and becomes a sample. Recalled steps are
/// drawn for audits in proportion to their time, whatever is thought of them, and simulated too:
/// the error is measured, not believed.
///
/// Leaves out: a step's own routing (steps of a routed model are answered by their mean).
class RecallExecutor final : public StepExecutor {
 public:
  RecallExecutor(StepExecutor& silicon, const PlatformSpec& platform, const LlmSpec& llm,
                 const Placement& placement, const ExpertRouter* router, const EngineSpec& spec);

  StepOutcome execute(const StepLoad& load) override;
  /// Simulates every step from now on, or no longer.
  void set_exact(bool exact) { exact_ = exact; }
  [[nodiscard]] RecallReport report() const;

 private:
  /// Seconds, roughly, of a step's parts, as if one came behind the other.
  struct ClosedForm {
    double weights = 0;  ///< with GEMMs and collectives
    double decode_cache = 0, prefill_cache = 0;
    double prefill_attention = 0;
    double adapters = 0;
    [[nodiscard]] double total() const {
      return weights + decode_cache + prefill_cache + prefill_attention + adapters;
    }
  };
  /// Steps with and without prompt tokens, and with and without adapters, are fields of their own:
  /// their time has other causes.
  struct Field {
    Kriging ratios;
    std::vector<std::vector<double>> profiles;  ///< of the samples
  };

  ClosedForm closed_form(const StepFeatures& f);
  [[nodiscard]] bool trusted(const Field& field, const Kriging::Estimate& estimate) const;
  StepOutcome answer(const Field& field, const Kriging::Estimate& estimate, const StepScale& scale,
                     std::size_t sequences);
  void learn(Field& field, const Kriging::Point& point, const StepOutcome& outcome,
             const StepScale& scale);
  [[nodiscard]] bool draw_audit(Picoseconds duration, double& chance);

  StepExecutor& silicon_;
  const PlatformSpec& platform_;
  const LlmSpec& llm_;
  const Placement& placement_;
  const ExpertRouter* router_;
  const EngineSpec spec_;
  const StepProfile profile_;
  std::vector<double> mean_profile_;  ///< of the step at hand
  std::array<Field, 4> fields_;
  std::unordered_map<std::int64_t, double> weights_time_;  ///< closed form by tokens of the step
  RngStream audits_drawn_;
  double recalled_time_ = 0;  ///< seconds
  bool exact_ = false;
  RecallReport report_;
  std::array<AuditLog, 2> audits_;  ///< of steps without and with prompt tokens
  AuditLog all_audits_;
};

}  // namespace reticle
