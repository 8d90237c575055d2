// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <systemc>
#include <vector>

#include "models/kernel/time.hpp"
#include "models/package/deployment.hpp"
#include "sim/base/log.hpp"
#include "sim/config/run_spec.hpp"
#include "sim/engine/power_governor.hpp"
#include "sim/engine/recall.hpp"
#include "sim/engine/run.hpp"
#include "sim/engine/silicon_executor.hpp"
#include "sim/engine/sites.hpp"
#include "sim/mapping/lowering.hpp"
#include "sim/metrics/activity_log.hpp"
#include "sim/metrics/run_result.hpp"
#include "sim/serving/scheduler.hpp"

namespace reticle {

/// What an instance tells the run loop, while simulated time stands still.
class InstanceListener {
 public:
  virtual ~InstanceListener() = default;
  virtual void admitted(std::int32_t instance, const Admitted& admitted) = 0;
  /// A request left the waiting line without being served.
  /// `late`: for a limit of latency; else for want of room.
  virtual void refused(std::int32_t instance, RequestId request, bool late) = 0;
  virtual void progressed(std::int32_t instance, const Progress& progress) = 0;
  /// Before every step. False: none is to follow, on any instance.
  virtual bool go_on() = 0;
  virtual void stepped() = 0;
  /// The instance has stopped for good.
  virtual void broke(std::exception_ptr error) = 0;
};

/// A copy of the model on its part of the deployment: a scheduler, and the silicon that carries out
/// its steps, one after another, for as long as there is something to do.
class Instance final : public sc_core::sc_module {
 public:
  /// All references must outlive the instance. `block_tokens`: of the trace's prefix blocks.
  Instance(const sc_core::sc_module_name& name, std::int32_t number, const RunSpec& spec,
           const InstancePlan& plan, const Routers& routers, std::int64_t block_tokens,
           ServingRole role, InstanceListener& listener, const RunViews& views);

  [[nodiscard]] Scheduler& scheduler() { return scheduler_; }
  [[nodiscard]] const Scheduler& scheduler() const { return scheduler_; }
  /// There is something new to do.
  void wake() { work_.notify(sc_core::SC_ZERO_TIME); }
  /// It is there from now on.
  void come_up();
  /// Notes the state of the cache, as after a step.
  void sample_residency();

  /// Stops: the step under way is in vain, and none follows; what its memories held is lost.
  void fail();
  [[nodiscard]] const InstancePlan& plan() const { return plan_; }
  /// What it has done; its time counts no idleness yet.
  [[nodiscard]] InstanceResult result();
  /// Every pending command of a stuck step, a line each.
  [[nodiscard]] std::string pending() const {
    return deployment_ ? deployment_->pending() : std::string{};
  }

 private:
  struct Engine {
    std::unique_ptr<Lowering> lowering;
    std::unique_ptr<StepExecutor> silicon;
    SiliconExecutor* watchable = nullptr;  ///< `silicon`, unless it has none
    std::unique_ptr<RecallExecutor> recall;
    void build(const Instance& at, const PlatformSpec& platform, const LlmSpec& llm,
               const Placement& placement, const ExpertRouter* router, OpGraph graph);
    [[nodiscard]] StepExecutor& executor() const;
    void watch(RunObserver* observer, std::int32_t instance) const;
  };
  void compose(const Routers& routers);
  void loop();
  bool step();
  void account(const StepLoad& load, const StepOutcome& outcome, Picoseconds begun);
  [[nodiscard]] Picoseconds simulated() const;
  [[nodiscard]] std::vector<EventCounts> die_counts() const;
  void govern(StepOutcome& outcome);
  void add_sample(const ResidencySample& sample);
  [[nodiscard]] ResidencySample residency() const;
  void add_activity(const StepOutcome& outcome, std::int64_t output_tokens, std::int64_t finished);
  void add_row(const StepLoad& load, const StepOutcome& outcome, std::int64_t output_tokens);

  const std::int32_t number_;
  const RunSpec& spec_;
  const InstancePlan& plan_;
  InstanceListener& listener_;
  const RunViews views_;
  std::unique_ptr<Deployment> deployment_;  ///< null at roofline fidelity
  Engine model_;
  Engine second_;  ///< a draft's, or of the layers behind an early exit
  PlatformSpec quiet_platform_;
  std::unique_ptr<StepExecutor> composed_;  ///< of both; null: the model's alone
  Scheduler scheduler_;
  InstanceResult result_;
  ActivityLog activity_;
  spdlog::logger& log_;
  std::optional<PowerGovernor> governor_;  ///< without engine.thermal, none
  Picoseconds dies_known_{};               ///< simulated time when it was last told of the dies
  Picoseconds last_end_{};                 ///< of a step
  std::int64_t preemptions_told_ = 0;      ///< in `activity_`
  std::int64_t sample_stride_ = 1;
  double kv_byte_seconds_ = 0, near_byte_seconds_ = 0;
  std::vector<Admitted> admitted_;
  std::optional<Picoseconds> failed_at_;
  sc_core::sc_event work_;
};

}  // namespace reticle
