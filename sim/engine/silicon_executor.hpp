// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/package/deployment.hpp"
#include "sim/engine/run_observer.hpp"
#include "sim/engine/step_executor.hpp"
#include "sim/mapping/lowering.hpp"

namespace reticle {

/// What passes on the host before every step.
struct HostTime {
  Picoseconds step{};
  Picoseconds stream{};  ///< more, for every sequence in it
};

/// `transaction` fidelity: lowers the step to programs and lets the silicon run them.
class SiliconExecutor final : public StepExecutor {
 public:
  SiliconExecutor(Lowering& lowering, Deployment& deployment, const PlatformSpec& platform,
                  const Placement& placement, HostTime host)
      : lowering_{lowering},
        deployment_{deployment},
        platform_{platform},
        placement_{placement},
        host_{host} {}

  StepOutcome execute(const StepLoad& load) override;
  ExpertTraffic pass(const StepLoad& load) override { return lowering_.pass(load); }
  /// Keeps the anatomy of steps.
  void take_apart(bool wanted) { takes_apart_ = wanted; }
  [[nodiscard]] const std::array<StepAnatomy, 2>& anatomy() const { return anatomy_; }
  [[nodiscard]] Picoseconds simulated() const { return simulated_; }
  /// Shows the coming steps to `observer`, as of `instance`; null: to nobody.
  void watch(RunObserver* observer, std::int32_t instance) {
    observer_ = observer;
    instance_ = instance;
  }

 private:
  [[nodiscard]] StepAnatomy* to_take_apart(const StepLoad& load);

  Lowering& lowering_;
  Deployment& deployment_;
  const PlatformSpec& platform_;
  const Placement& placement_;
  const HostTime host_;
  StepPrograms programs_;
  bool takes_apart_ = false;
  std::array<StepAnatomy, 2> anatomy_;         ///< without and with prompt tokens
  std::array<std::int64_t, 2> simulations_{};  ///< likewise
  Picoseconds simulated_{};
  RunObserver* observer_ = nullptr;
  std::int32_t instance_ = 0;
  LinkLog links_;  ///< of watched steps
};

/// `roofline` fidelity: the bytes and operations of the same programs against the bound.
class RooflineExecutor final : public StepExecutor {
 public:
  RooflineExecutor(Lowering& lowering, const PlatformSpec& platform, const Placement& placement)
      : lowering_{lowering}, platform_{platform}, placement_{placement} {}

  StepOutcome execute(const StepLoad& load) override;
  ExpertTraffic pass(const StepLoad& load) override { return lowering_.pass(load); }

 private:
  Lowering& lowering_;
  const PlatformSpec& platform_;
  const Placement& placement_;
};

}  // namespace reticle
