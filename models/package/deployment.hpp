// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <string>
#include <systemc>
#include <vector>

#include "models/die/die.hpp"
#include "models/fabric/fabric.hpp"
#include "models/package/platform_spec.hpp"

namespace reticle {

/// Event counts of a whole deployment: what accounts price. Integers only, so that sums do not
/// depend on their order.
struct EventCounts {
  std::array<Bytes, kTierCount> read{};
  std::array<Bytes, kTierCount> written{};
  Bytes staged{};  ///< through the staging buffer: one SRAM write and one read each
  std::array<Bytes, kTimeCategoryCount> loaded{};  ///< bytes loaded, by what they were for
  std::int64_t hbm_activates = 0;
  std::int64_t hbm_refreshes = 0;
  std::array<std::int64_t, kPrecisionCount> macs{};
  std::int64_t vector_ops = 0;
  std::vector<Bytes> link_bytes;  ///< per fabric level, bytes x links crossed
  /// Busy time summed over all dies (links: over all links of the level), for utilisation.
  Picoseconds sram_busy{}, hbm_busy{}, far_busy{}, mac_busy{}, vector_busy{};
  std::vector<Picoseconds> link_busy;

  EventCounts& operator+=(const EventCounts& other);
  EventCounts& operator-=(const EventCounts& other);
};

/// All dies of a platform and the fabric between them.
class Deployment final : public sc_core::sc_module, public CompletionIf {
 public:
  sc_core::sc_export<CompletionIf> completion{"completion"};

  /// `reverse` builds the dies in reverse order; results must not depend on it.
  Deployment(const sc_core::sc_module_name& name, const PlatformSpec& platform, bool reverse);

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
  [[nodiscard]] const Fabric& fabric() const { return fabric_; }
  [[nodiscard]] EventCounts counts() const;
  /// Every pending command of a stuck step, a line each.
  [[nodiscard]] std::string pending() const;

 private:
  Fabric fabric_;
  std::vector<std::unique_ptr<Die>> dies_;
  std::size_t running_ = 0;
  sc_core::sc_event all_finished_;
};

}  // namespace reticle
