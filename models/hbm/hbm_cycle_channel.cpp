// SPDX-License-Identifier: Apache-2.0
#include "models/hbm/hbm_cycle_channel.hpp"

#include <algorithm>

#include "sim/base/error.hpp"

namespace reticle {

HbmCycleChannel::HbmCycleChannel(const sc_core::sc_module_name& name, const HbmParams& params)
    : sc_module{name}, params_{params}, bursts_{params_}, controller_{params} {
  port.bind(*this);
}

Picoseconds HbmCycleChannel::time_of(HbmTick tick) const {
  return Picoseconds{div_up(tick * params_.timing.t_ck.count(), 2)};
}

HbmTick HbmCycleChannel::tick_at(Picoseconds at) const {
  return div_up(at.count() * 2, params_.timing.t_ck.count());
}

void HbmCycleChannel::idle_until(HbmTick until) {
  while (controller_.next() <= until) {
    now_ = std::max(now_, controller_.next());
    controller_.step(now_);
  }
}

AccessTiming HbmCycleChannel::access(const MemoryRun& run, Picoseconds at) {
  if (run.bytes.count() <= 0) return {at, at, at, at};
  const std::uint32_t tag = ++runs_;
  const std::int64_t bursts = bursts_.count(run);
  idle_until(tick_at(at) - 1);
  controller_.completed().clear();
  now_ = std::max(now_, tick_at(at));
  AccessTiming timing{
      .accepted = max(at, time_of(now_)), .started = {}, .first_data = {}, .done = {}};
  HbmTick first = HbmController::kNever, done = 0;
  for (std::int64_t pushed = 0, left = bursts; left > 0;) {
    while (pushed < bursts && !controller_.full(run.kind))
      controller_.push(run.kind, 0, bursts_.place(run, pushed++), tag, now_);
    if (controller_.next() <= now_) controller_.step(now_);
    for (const auto& completion : controller_.completed()) {
      if (completion.tag != tag) continue;
      --left;
      first = std::min(first, completion.done);
      done = std::max(done, completion.done);
    }
    controller_.completed().clear();
    if (left == 0) break;
    invariant(controller_.next() != HbmController::kNever ||
                  (pushed < bursts && !controller_.full(run.kind)),
              "an HBM burst that no command can serve");
    now_ = pushed < bursts && !controller_.full(run.kind) ? now_ + 1
                                                          : std::max(now_ + 1, controller_.next());
  }
  ++asked_.transactions;
  (run.kind == Access::Read ? asked_.read : asked_.written) += run.bytes;
  asked_.busy += bursts * params_.timing.t_burst;
  timing.first_data = max(timing.accepted, time_of(first));
  timing.done = max(timing.first_data, time_of(done));
  timing.started = timing.accepted;
  asked_.waited += max(Picoseconds{}, timing.first_data - at - params_.timing.t_cl);
  return timing;
}

MemoryStats HbmCycleChannel::stats() const {
  MemoryStats stats = asked_;
  add_counts(stats, controller_, now_, params_.timing.t_ck);
  return stats;
}

}  // namespace reticle
