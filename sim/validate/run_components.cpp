// SPDX-License-Identifier: Apache-2.0
#include "sim/validate/run_components.hpp"

#include <algorithm>
#include <systemc>

#include "models/kernel/own_stack.hpp"
#include "models/kernel/time.hpp"
#include "models/package/deployment.hpp"
#include "sim/engine/critical_path.hpp"
#include "sim/metrics/labels.hpp"

namespace reticle {

namespace {

class Runner final : public sc_core::sc_module {
 public:
  Runner(const sc_core::sc_module_name& name, const PlatformSpec& platform,
         std::span<const Component> rows)
      : sc_module{name}, platform_{platform}, rows_{rows}, outcomes_(rows.size()) {
    SC_HAS_PROCESS(Runner);
    SC_THREAD(run);
  }
  [[nodiscard]] std::vector<ComponentOutcome> take() { return std::move(outcomes_); }

 private:
  void run() {
    for (std::size_t i = 0; i < rows_.size(); ++i) run_row(rows_[i], outcomes_[i]);
  }

  void run_row(const Component& row, ComponentOutcome& outcome) {
    if (const auto why = write_component(row, platform_, programs_)) {
      outcome.left_out = *why;
      return;
    }
    const Picoseconds begun = now();
    deployment_.start(programs_);
    if (!deployment_.finished()) sc_core::wait(deployment_.all_finished());
    sc_core::wait(to_sc_time(max(Picoseconds{0}, deployment_.end() - now())));
    outcome.simulated_us = seconds(now() - begun) * 1e6;
    const auto spent = critical_path(deployment_, programs_, begun);
    const auto most = std::max_element(spent.begin(), spent.end()) - spent.begin();
    outcome.limit = label_of(static_cast<TimeCategory>(most)).key;
  }

  const PlatformSpec& platform_;
  const std::span<const Component> rows_;
  std::vector<ComponentOutcome> outcomes_;
  Deployment deployment_{"deployment", platform_};
  StepPrograms programs_;
};

}  // namespace

std::vector<ComponentOutcome> run_components(const PlatformSpec& platform,
                                             std::span<const Component> rows) {
  sc_core::sc_set_time_resolution(1, sc_core::SC_PS);
  Runner runner{"components", platform, rows};
  sc_core::sc_start();
  tell_own_stack();
  return runner.take();
}

}  // namespace reticle
