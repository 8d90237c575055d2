// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <systemc>
#include <vector>

#include "models/fabric/exchange_observer.hpp"
#include "models/fabric/fabric_if.hpp"
#include "models/fabric/topology.hpp"
#include "models/program/program.hpp"

namespace reticle {

/// A fabric in either form, as a deployment holds it. A base of the module, so that its ports are
/// the module's.
class FabricModel : public FabricIf {
 public:
  sc_core::sc_export<FabricIf> port{"port"};
  /// One listener per die, bound in the order of die ids.
  sc_core::sc_port<ExchangeListenerIf, 0, sc_core::SC_ZERO_OR_MORE_BOUND> dies{"dies"};

  /// Gives the exchanges of the coming step; those of the last one must have ended.
  virtual void load(std::span<const std::shared_ptr<const Exchange>> exchanges) = 0;
  [[nodiscard]] virtual const Topology& topology() const = 0;
  /// Tells `observer` of every exchange from now on; null: nobody. The form of single flits gives
  /// links out cycle by cycle and tells of none.
  virtual void observe(ExchangeObserver* /*observer*/) {}
  /// Counts per level of the hierarchy.
  [[nodiscard]] virtual std::span<const LinkStats> stats() const = 0;
  /// Counts per link, in the order of the topology's; empty where the form keeps none.
  [[nodiscard]] virtual std::vector<LinkStats> link_stats() const { return {}; }
  /// Payload bytes that left the dies and that reached them; equal when nothing is under way.
  [[nodiscard]] virtual Bytes sent() const = 0;
  [[nodiscard]] virtual Bytes received() const = 0;
  /// Names exchanges that wait for participants; empty when none does.
  [[nodiscard]] virtual std::string pending() const = 0;
};

}  // namespace reticle
