// SPDX-License-Identifier: Apache-2.0
// Heat in lumps: nodes with a heat capacity, conductances between them and to a surrounding of
// fixed temperature (an RC network).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace reticle {

/// Temperatures count from the surrounding's (kelvin above it); powers are watts into a node.
///
/// Models:     linear conduction, backward Euler in time: stable at any step, first order in it.
/// Leaves out: conductances that change with temperature, radiation.
class ThermalNetwork {
 public:
  struct Edge {
    std::size_t a = 0, b = 0;
    double conductance = 0;  ///< W/K
  };

  /// `capacities`: J/K, one per node. `to_outside`: W/K of each node. Every node must have a way
  /// out, however far.
  ThermalNetwork(std::vector<double> capacities, std::vector<Edge> edges,
                 std::vector<double> to_outside);
  ~ThermalNetwork();
  ThermalNetwork(ThermalNetwork&&) noexcept;

  [[nodiscard]] std::size_t size() const { return rise_.size(); }
  [[nodiscard]] std::span<const double> rise() const { return rise_; }
  void set_rise(std::vector<double> rise) { rise_ = std::move(rise); }
  /// `seconds` with these powers.
  void advance(double seconds, std::span<const double> watts);
  /// Where these powers would lead.
  [[nodiscard]] std::vector<double> steady(std::span<const double> watts) const;
  /// Watts that leave for the surrounding now.
  [[nodiscard]] double outflow() const;
  /// Joules stored, from nothing above the surrounding.
  [[nodiscard]] double stored() const;

 private:
  struct Solvers;
  std::vector<double> capacities_, to_outside_, rise_;
  std::unique_ptr<Solvers> solvers_;
};

}  // namespace reticle
