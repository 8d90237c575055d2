// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <systemc>
#include <vector>

#include "models/die/die.hpp"
#include "models/fabric/fabric_model.hpp"
#include "models/package/event_counts.hpp"
#include "models/package/platform_spec.hpp"

namespace reticle {

/// All dies of a platform and the fabric between them.
class Deployment final : public sc_core::sc_module, public CompletionIf {
 public:
  sc_core::sc_export<CompletionIf> completion{"completion"};

  /// `order` is that in which dies are built, each once; empty: as they are numbered. Results must
  /// not depend on it.
  Deployment(const sc_core::sc_module_name& name, const PlatformSpec& platform,
             const std::vector<std::size_t>& order = {});

  /// Loads one step and starts it on every die, now.
  void start(const StepPrograms& step);
  [[nodiscard]] bool finished() const { return running_ == 0; }
  /// Notified once all dies know their end.
  [[nodiscard]] const sc_core::sc_event& all_finished() const { return all_finished_; }
  void die_finished() override;
  /// When the last die ends; valid once finished.
  [[nodiscard]] Picoseconds end() const;

  [[nodiscard]] Die& die(DieId id) { return *dies_[index(id)]; }
  [[nodiscard]] const Die& die(DieId id) const { return *dies_[index(id)]; }
  [[nodiscard]] std::size_t size() const { return dies_.size(); }
  [[nodiscard]] const FabricModel& fabric() const { return *fabric_; }
  [[nodiscard]] FabricModel& fabric() { return *fabric_; }
  [[nodiscard]] EventCounts counts() const;
  /// Of one die: no links.
  [[nodiscard]] EventCounts counts(DieId id) const;
  /// Counts since the last call, at first since the beginning.
  EventCounts take_counts();
  /// Every pending command of a stuck step, a line each.
  [[nodiscard]] std::string pending() const;

 private:
  const std::int64_t sram_ports_;              ///< of one die
  const std::int64_t hbm_channels_;            ///< likewise
  const std::unique_ptr<FabricModel> fabric_;  ///< in the form its parameters name
  std::vector<std::unique_ptr<Die>> dies_;
  std::size_t running_ = 0;
  EventCounts taken_;
  sc_core::sc_event all_finished_;
};

}  // namespace reticle
