// SPDX-License-Identifier: Apache-2.0
#include "models/package/deployment.hpp"

#include <utility>

#include "models/fabric/cycle_fabric.hpp"
#include "models/fabric/fabric.hpp"
#include "sim/base/error.hpp"

namespace reticle {

namespace {
/// Per bank port or channel: sums over thousands of channels would leave 64 bits within the hour.
Picoseconds mean_busy(const MemoryStats& stats, std::int64_t units) {
  return Picoseconds{stats.busy.count() / units};
}

void add_memory(EventCounts& counts, Tier tier, const MemoryStats& stats) {
  counts.read[static_cast<std::size_t>(tier)] += stats.read;
  counts.written[static_cast<std::size_t>(tier)] += stats.written;
}

std::unique_ptr<FabricModel> make_fabric(const FabricParams& params) {
  if (params.form == ModelForm::Cycle)
    return std::make_unique<CycleFabric>("fabric", params, FlitFabricParams{});
  return std::make_unique<Fabric>("fabric", params);
}
}  // namespace

Deployment::Deployment(const sc_core::sc_module_name& name, const PlatformSpec& platform,
                       const std::vector<std::size_t>& order)
    : sc_module{name},
      sram_ports_{platform.die.sram.banks * platform.die.sram.ports},
      hbm_channels_{platform.die.hbm ? channels(*platform.die.hbm) : 1},
      fabric_{make_fabric(platform.fabric)},
      dies_(static_cast<std::size_t>(reticle::dies(platform))) {
  const HbmHistories histories =
      platform.die.hbm ? hbm_histories(*platform.die.hbm) : HbmHistories{};
  for (std::size_t i = 0; i < dies_.size(); ++i) {
    const std::size_t id = order.empty() ? i : order.at(i);
    dies_[id] =
        std::make_unique<Die>(("die" + std::to_string(id)).c_str(), platform.die, histories);
  }
  completion.bind(*this);
  for (auto& die : dies_) {
    die->sequencer.fabric.bind(fabric_->port);
    die->sequencer.completion.bind(completion);
    fabric_->dies.bind(die->sequencer.listener);
  }
}

void Deployment::start(const StepPrograms& step) {
  invariant(running_ == 0, "the last step has ended");
  invariant(step.dies.size() == dies_.size(), "a program for every die");
  running_ = dies_.size();
  fabric_->load(step.exchanges);
  for (std::size_t i = 0; i < dies_.size(); ++i) dies_[i]->sequencer.start(step.dies[i]);
}

void Deployment::die_finished() {
  invariant(running_ > 0, "a die finishes once");
  if (--running_ == 0) all_finished_.notify(sc_core::SC_ZERO_TIME);
}

Picoseconds Deployment::end() const {
  Picoseconds latest{};
  for (const auto& die : dies_) latest = max(latest, die->sequencer.end());
  return latest;
}

EventCounts Deployment::counts(DieId id) const {
  EventCounts total;
  const Die& die = this->die(id);
  const MemoryStats sram = die.sram->stats();
  add_memory(total, Tier::Sram, sram);
  total.sram_busy = mean_busy(sram, sram_ports_);
  if (die.hbm) {
    const MemoryStats hbm = die.hbm->stats();
    add_memory(total, Tier::Hbm, hbm);
    total.hbm_activates = hbm.activates;
    total.hbm_read_bursts = hbm.read_bursts;
    total.hbm_written_bursts = hbm.written_bursts;
    total.hbm_bank_active_us = hbm.bank_active_ns / 1000;
    total.hbm_refreshes = hbm.refreshes;
    total.hbm_bank_refreshes = hbm.bank_refreshes;
    total.hbm_busy = mean_busy(hbm, hbm_channels_);
  }
  if (die.far) {
    const MemoryStats far = die.far->stats();
    add_memory(total, Tier::Far, far);
    total.far_busy = far.busy;
  }
  if (die.flash) {
    const MemoryStats flash = die.flash->stats();
    add_memory(total, Tier::Flash, flash);
    total.flash_busy = flash.busy;
  }
  total.staged = die.sequencer.staged();
  total.loaded = die.sequencer.loaded();
  total.macs = die.mac.stats().macs;
  total.mac_busy = die.mac.stats().busy;
  total.vector_ops = die.vector.stats().element_ops;
  total.vector_busy = die.vector.stats().busy;
  return total;
}

EventCounts Deployment::counts() const {
  EventCounts total;
  for (std::size_t d = 0; d < dies_.size(); ++d)
    total += counts(DieId{static_cast<std::uint32_t>(d)});
  for (const LinkStats& level : fabric_->stats()) {
    total.link_bytes.push_back(level.bytes);
    total.link_busy.push_back(level.busy);
  }
  return total;
}

EventCounts Deployment::take_counts() {
  EventCounts fresh = counts();
  EventCounts before = std::exchange(taken_, fresh);
  fresh -= before;
  return fresh;
}

std::string Deployment::pending() const {
  std::string text = fabric_->pending();
  for (const auto& die : dies_) text += die->sequencer.pending();
  return text;
}

}  // namespace reticle
