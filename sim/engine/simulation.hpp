// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <systemc>
#include <vector>

#include "models/package/deployment.hpp"
#include "sim/engine/recall.hpp"
#include "sim/engine/run.hpp"
#include "sim/engine/silicon_executor.hpp"
#include "sim/serving/scheduler.hpp"

namespace reticle {

/// The run loop as a SystemC thread: arrivals, scheduler iterations and steps on one clock.
class Simulation final : public sc_core::sc_module {
 public:
  Simulation(const sc_core::sc_module_name& name, const RunSpec& spec, const Trace* trace,
             const Placement& placement, const ExpertRouter* router,
             const std::function<void(const RunProgress&)>& on_progress);

  /// Runs the kernel until the work is done.
  RunResult run();

 private:
  void loop();
  void serve();
  void begin_steady(const SteadyDecode& steady);
  [[noreturn]] void refuse_all() const;
  [[noreturn]] void refuse_batch(const SteadyDecode& steady) const;
  void take_arrivals();
  bool step();
  void account(const StepOutcome& outcome, Picoseconds begun);
  void sample_residency();
  void report_progress();
  [[nodiscard]] RequestRecord& record(RequestId id) {
    return result_.requests[static_cast<std::size_t>(id)];
  }

  const RunSpec& spec_;
  const Trace* trace_;
  const std::function<void(const RunProgress&)>& on_progress_;
  Lowering lowering_;
  std::unique_ptr<Deployment> deployment_;  ///< null at roofline fidelity
  std::unique_ptr<StepExecutor> silicon_;
  std::unique_ptr<RecallExecutor> recall_;
  Scheduler scheduler_;
  RunResult result_;
  std::size_t next_arrival_ = 0;
  std::int64_t ended_requests_ = 0;
  std::int64_t sample_stride_ = 1;
  double kv_byte_seconds_ = 0;
  std::vector<Admitted> admitted_;
  bool finished_ = false;
  std::exception_ptr failure_;
};

}  // namespace reticle
