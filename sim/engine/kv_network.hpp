// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <systemc>
#include <vector>

#include "models/fabric/fabric.hpp"

namespace reticle {

/// The fabric of the whole deployment as caches see it that move between instances.
///
/// Models:     a message per pair of dies, cut through the links of its path, one after another
///             where they share links with each other.
/// Leaves out: contention with the collectives of the instances (parts that are whole nodes have
///             none on the links between nodes; a switch gives parts of a node their own), reading
///             and writing the memories at both ends.
class KvNetwork final : public sc_core::sc_module {
 public:
  KvNetwork(const sc_core::sc_module_name& name, const FabricParams& fabric, std::int64_t dies);
  ~KvNetwork() override;

  /// `count` dies from `first` on have `left` of the rate of their links of that level from now on;
  /// what is under way arrives as it would have.
  void slow_down(std::string_view level, DieId first, std::int64_t count, double left);

  /// Sends `size` bytes, dealt evenly over `from` and over `to`, from now on; calls `arrived` when
  /// the last of them is there.
  void send(std::span<const DieId> from, std::span<const DieId> to, Bytes size,
            std::function<void()> arrived);

  [[nodiscard]] Bytes sent() const { return sent_; }
  [[nodiscard]] std::int64_t transfers() const { return transfers_; }
  /// Times from sending to the last byte's arrival, added up.
  [[nodiscard]] Picoseconds in_flight() const { return in_flight_; }
  /// Per fabric level, as a deployment counts them.
  [[nodiscard]] std::span<const LinkStats> stats() const { return fabric_.stats(); }

 private:
  class Listener;
  struct Transfer {
    std::shared_ptr<const Exchange> exchange;
    std::function<void()> arrived;
    Picoseconds sent{}, ends{};
    std::size_t untold = 0;  ///< participants whose end is not known yet
  };
  struct SlowDown {
    std::int32_t level;
    DieId first;
    std::int64_t count;
    double left;
  };
  void begin();
  void done(std::int32_t number, Picoseconds at);
  void deliver();

  std::vector<std::string> levels_;
  Fabric fabric_;
  std::vector<SlowDown> slow_downs_;                  ///< to come before the next transfer
  std::vector<std::unique_ptr<Listener>> listeners_;  ///< one per die
  std::vector<Transfer> waiting_, begun_;  ///< for the fabric; its ends are being worked out
  std::size_t unknown_ = 0;                ///< of `begun_`
  std::multimap<Picoseconds, std::function<void()>> arrivals_;
  Bytes sent_{};
  std::int64_t transfers_ = 0;
  Picoseconds in_flight_{};
  sc_core::sc_event begin_, arrival_;
};

}  // namespace reticle
