// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <systemc>
#include <vector>

#include "models/memory/memory_if.hpp"
#include "models/sram/sram_layout.hpp"
#include "models/sram/sram_spec.hpp"

namespace reticle {

/// The SRAM of one die in cycle form: every cycle each bank grants its ports to requesters.
///
/// Models:     round-robin arbitration per bank among requesters, ports per bank, a crossbar port
/// of
///             stated width per requester that sends the words of a run in address order, whole
///             clock cycles, pipelined access latency. Only cycles in which a word may move are
///             visited.
/// Leaves out: what SramBankGroup leaves out but for the arbitration.
///
/// Runs submitted before any is resolved contend with each other. A run that is submitted after
/// (as every `access` is) takes what the grants already made have left: these stand.
class CycleSram final : public sc_core::sc_module, public MemoryIf {
 public:
  sc_core::sc_export<MemoryIf> port{"port"};
  using Ticket = std::int64_t;

  CycleSram(const sc_core::sc_module_name& name, const SramParams& params);

  /// Puts `run` before the arbiters at the first clock edge from `at` on.
  Ticket submit(const MemoryRun& run, Picoseconds at);
  /// Arbitrates until the run is done; a ticket is asked for once.
  AccessTiming resolve(Ticket ticket);

  AccessTiming access(const MemoryRun& run, Picoseconds at) override {
    return resolve(submit(run, at));
  }
  [[nodiscard]] MemoryStats stats() const override;
  [[nodiscard]] Bytes capacity() const override { return params_.capacity; }

 private:
  /// A run on its way: the words each bank still owes it.
  struct Flow {
    Picoseconds at{};
    std::int64_t resume = 0;  ///< first cycle not yet arbitrated for it
    std::uint8_t requester = 0;
    std::vector<std::int64_t> left;
    std::int64_t remaining = 0;
    std::vector<bool> begun;  ///< per bank: a word has moved
    std::int64_t edge = 0;    ///< arrival
    std::int64_t first = -1, last = -1;
  };
  struct Crossbar {
    std::int64_t cycle = -1;  ///< the last one used
    std::int64_t used = 0;    ///< words in it
  };

  [[nodiscard]] std::int64_t edge_from(Picoseconds at) const;
  [[nodiscard]] std::int64_t room(std::uint8_t requester, std::int64_t cycle);
  [[nodiscard]] bool bank_open(std::size_t bank, std::int64_t cycle) const;
  std::int64_t offer(Flow& flow, std::int64_t cycle);
  void move_word(Flow& flow, std::size_t bank, std::int64_t cycle);
  std::int64_t grant(std::size_t bank, std::int64_t cycle);
  /// One cycle of all arbiters; words moved.
  std::int64_t step(std::int64_t cycle);
  [[nodiscard]] std::int64_t first_cycle() const;
  [[nodiscard]] std::int64_t next_cycle(std::int64_t cycle, bool moved) const;

  const SramParams params_;
  const std::int64_t crossbar_words_;
  SramLayout layout_;
  std::map<Ticket, Flow> flows_;  ///< oldest first
  Ticket next_ticket_ = 0;
  std::vector<std::int64_t> port_free_;     ///< [bank][port] first cycle it can be granted
  std::vector<std::uint8_t> last_served_;   ///< per bank: the requester granted last
  std::vector<Crossbar> crossbars_;         ///< per requester
  std::vector<std::vector<Flow*>> offers_;  ///< per bank, this cycle, oldest first
  std::int64_t granted_ = 0;                ///< words, over all banks and cycles
  std::int64_t waited_ = 0;                 ///< cycles before the first word, over all banks
  MemoryStats stats_;
};

}  // namespace reticle
