// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <queue>
#include <span>
#include <string>
#include <systemc>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "models/fabric/fabric_model.hpp"
#include "models/fabric/flit_network.hpp"
#include "models/fabric/routed_exchange.hpp"
#include "models/fabric/topology.hpp"
#include "models/program/program.hpp"

namespace reticle {

/// Links and routers between the dies, flit by flit: the `cycle` form of Fabric.
///
/// Models:     every message of an exchange as packets and flits through the routers of dies and
///             switches, from the time its sender may begin; credits, virtual channels,
///             arbitration; switches that add.
/// Leaves out: what FlitNetwork does; a die sends on all its links at once and takes in whatever
///             arrives (docs/models/fabric.md).
class CycleFabric final : public sc_core::sc_module, public FabricModel {
 public:
  CycleFabric(const sc_core::sc_module_name& name, const FabricParams& params,
              const FlitFabricParams& flits);

  void load(std::span<const std::shared_ptr<const Exchange>> exchanges) override;
  void join(std::int32_t exchange, std::int32_t slot) override;

  [[nodiscard]] const Topology& topology() const override { return topology_; }
  [[nodiscard]] std::span<const LinkStats> stats() const override { return stats_; }
  [[nodiscard]] const FlitStats& flit_stats() const { return network_.stats(); }
  [[nodiscard]] Bytes sent() const override { return sent_; }
  [[nodiscard]] Bytes received() const override { return received_; }
  [[nodiscard]] std::string pending() const override;

 private:
  /// One message of an exchange, or one sum on its way from a switch.
  struct Sending {
    std::int32_t slot = 0, target = 0;
    std::int32_t route = -1;  ///< none: to oneself
    std::int64_t flits = 0;
    Bytes bytes{};
    Picoseconds latency{};
  };
  struct Phase {
    std::vector<std::vector<Sending>> by_slot;  ///< what each participant sends, in order
    std::vector<Sending> sums;                  ///< from the switch
    std::vector<std::int32_t> expected;         ///< per slot: messages to hold before the next
    std::int32_t parts = 0;                     ///< senders to the switch
  };
  /// An exchange with its routes; used again by later steps.
  struct Routed {
    std::unique_ptr<RoutedExchange> exchange;
    std::vector<Phase> phases;
  };
  struct Front {
    Picoseconds ready{};
    Picoseconds latency{};
    std::int32_t root = 0;
  };
  struct Slot {
    Picoseconds joined{-1};
    Picoseconds left{};  ///< when its last message was out
    Front front;         ///< of what it holds
    std::size_t phase = 0;
    std::int64_t leaving = 0;        ///< messages not yet out
    std::vector<std::int32_t> held;  ///< per phase
    bool begun = false, told = false;
  };
  /// A switch that adds: what has come of each part, in flits, and what has been sent on.
  struct Adder {
    std::vector<std::int64_t> parts;  ///< per slot; done parts count as all there
    std::int32_t begun = 0;           ///< parts on their way or here
    std::int64_t sent = 0;
    std::vector<std::int64_t> down;  ///< per slot: flits of the sum that have arrived
    Front last;
  };
  struct Run {
    Routed* routed = nullptr;
    std::vector<Slot> slots;
    std::vector<Adder> adders;  ///< per phase
    std::int32_t missing = 0, telling = 0;
  };
  /// What a message of the network stands for.
  struct Tag {
    std::int32_t run = 0;
    std::size_t phase = 0;
    const Sending* sending = nullptr;
    Front sent;
  };
  using Start = std::tuple<Picoseconds, std::int32_t, std::int32_t>;  ///< time, exchange, slot

  static FlitGraph graph_of(const Topology& topology, const FlitFabricParams& flits);
  Routed& route(const std::shared_ptr<const Exchange>& exchange);
  std::int32_t add_route(std::span<const Topology::Hop> path);
  [[nodiscard]] std::int64_t flits_of(Bytes bytes) const;
  [[nodiscard]] Picoseconds time_of_cycle(std::int64_t cycle) const;
  [[nodiscard]] std::int64_t cycle_at(Picoseconds time) const;
  void advance();
  void step(std::int64_t cycle);
  void start(std::int32_t exchange, std::int32_t slot);
  void proceed(std::int32_t exchange, std::int32_t slot);
  void send(std::int32_t exchange, std::size_t phase, const Sending& sending, std::int64_t flits,
            const Front& front);
  void arrive(const Tag& tag, std::int32_t slot, const Front& front);
  void add(const Tag& tag, bool last);
  void take_sum(const Tag& tag);
  void tell_if_done(std::int32_t exchange, std::int32_t slot);
  void schedule();

  const Topology topology_;
  const FlitFabricParams flits_;
  const Picoseconds overhead_;
  BytesPerSecond fastest_{};
  std::vector<LinkRate> rates_;
  std::vector<std::int32_t> out_;  ///< per link: its place among those of the node it leaves
  FlitNetwork network_;
  std::vector<LinkStats> stats_;
  Bytes sent_{}, received_{};
  std::unordered_map<const Exchange*, Routed> routed_;
  std::unordered_map<std::uint64_t, std::int32_t> routes_;  ///< by source and target die
  std::vector<Run> runs_;
  std::vector<Tag> tags_;  ///< by message of the network
  std::priority_queue<Start, std::vector<Start>, std::greater<>> starts_;
  std::int64_t cycle_ = -1;  ///< the last one worked out
  sc_core::sc_event wake_;
};

}  // namespace reticle
