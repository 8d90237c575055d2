// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <systemc>
#include <unordered_map>
#include <utility>
#include <vector>

#include "models/fabric/fabric_model.hpp"
#include "models/fabric/link_queues.hpp"
#include "models/fabric/routed_exchange.hpp"
#include "models/fabric/topology.hpp"
#include "models/program/program.hpp"

namespace reticle {

/// Links and routers between the dies.
///
/// Models:     messages cut through the links of their path; each link serves one message at a
///             time in the order in which messages can begin, then as listed; where they get into
///             each other's way, in pieces that queue and take turns (LinkQueues); finite receive
///             buffers (credits) limit a link's rate over its round trip.
/// Leaves out: flits and virtual channels (CycleFabric), adaptive routing, link errors. An exchange
///             takes its place on the links when its last participant has joined
///             (docs/models/fabric.md).
class Fabric final : public sc_core::sc_module, public FabricModel {
 public:
  Fabric(const sc_core::sc_module_name& name, const FabricParams& params);

  void load(std::span<const std::shared_ptr<const Exchange>> exchanges) override;
  void join(std::int32_t exchange, std::int32_t slot) override;
  /// The links of `level` (as in FabricParams::levels) that touch one of `count` dies from `first`
  /// on send at `left` of their rate from the next exchange on. Between steps only.
  void slow_down(std::int32_t level, DieId first, std::int64_t count, double left);

  void observe(ExchangeObserver* observer) override { observer_ = observer; }
  [[nodiscard]] const Topology& topology() const override { return topology_; }
  [[nodiscard]] std::span<const LinkStats> stats() const override { return stats_; }
  [[nodiscard]] std::vector<LinkStats> link_stats() const override;
  [[nodiscard]] Bytes sent() const override { return sent_; }
  [[nodiscard]] Bytes received() const override { return received_; }
  [[nodiscard]] std::string pending() const override;

 private:
  struct Progress {
    std::vector<Picoseconds> joined;
    std::int32_t missing = 0;
  };
  struct Arrival {
    Picoseconds injected{}, tail{};
  };

  void resolve_all();
  void resolve(std::int32_t exchange);
  void run_phase(const RoutedExchange& routed, RoutedExchange::Phase& phase);
  void order(const RoutedExchange& routed, RoutedExchange::Phase& phase);
  void run_in_switch(const RoutedExchange& routed, const RoutedExchange::Phase& phase);
  void begin(const RoutedExchange& routed);
  bool remember(const RoutedExchange& routed);
  void keep(RoutedExchange& routed);
  void work_out(RoutedExchange& routed);
  void pause(Picoseconds time);
  bool reserve(RoutedExchange& routed);
  Arrival deliver(std::span<const Hop> hops, Picoseconds at);
  void forget_routes();
  RoutedExchange& route(const std::shared_ptr<const Exchange>& exchange);

  const Topology topology_;
  const Picoseconds overhead_;
  std::vector<double> left_;  ///< per link, of its rate
  std::vector<LinkRate> rates_;
  LinkQueues queues_;
  std::vector<Picoseconds> free_;  ///< per link: when it has sent what it was given
  // The exchange being worked out as it begins:
  Picoseconds base_{};                              ///< first of its participants
  std::vector<Picoseconds> ready_;                  ///< each one, from there
  std::vector<RoutedExchange::Occupied> occupied_;  ///< links it takes, beyond `base_`
  std::uint64_t hash_ = 0;                          ///< of `ready_` and `occupied_`
  std::vector<Picoseconds> free_before_;            ///< of them
  std::vector<std::int64_t> used_by_;  ///< per link: the exchange and the link before it
  std::int64_t resolved_ = 0;          ///< exchanges worked out
  bool overflows_ = false;             ///< a message of it waited and is larger than the buffer
  Picoseconds longest_wait_{};         ///< of a message of it for one from elsewhere
  std::vector<LinkStats> stats_;
  std::vector<LinkStats> link_stats_;  ///< of routes that have been forgotten
  Bytes sent_{};
  Bytes received_{};
  std::unordered_map<const Exchange*, std::unique_ptr<RoutedExchange>> routed_;
  std::size_t kept_hops_ = 0;
  std::size_t remembered_ = 0;              ///< times in all memories
  std::vector<RoutedExchange*> exchanges_;  ///< of the step under way
  std::vector<Progress> progress_;
  std::vector<std::int32_t> complete_;  ///< exchanges whose last participant has just joined
  std::vector<ExchangeFront> fronts_, next_, begin_;
  std::vector<std::uint64_t> sorted_, sorting_;  ///< of a phase: begin, then position, in one key
  std::vector<std::int64_t> ticks_;   ///< of the participants, as in RoutedExchange::Phase
  std::vector<Picoseconds> offered_;  ///< per link, while a phase is put in order
  std::vector<Picoseconds> injected_;
  ExchangeObserver* observer_ = nullptr;
  sc_core::sc_event completed_;
};

}  // namespace reticle
