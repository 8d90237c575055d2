// SPDX-License-Identifier: Apache-2.0
#include "sim/thermal/thermal_network.hpp"

#include <Eigen/SparseCholesky>
#include <utility>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
using Matrix = Eigen::SparseMatrix<double>;
using Solver = Eigen::SimplicialLDLT<Matrix>;
using Vector = Eigen::VectorXd;

Vector vector_of(std::span<const double> values) {
  return Eigen::Map<const Vector>(values.data(), static_cast<Eigen::Index>(values.size()));
}
std::vector<double> values_of(const Vector& v) { return {v.data(), v.data() + v.size()}; }
}  // namespace

struct ThermalNetwork::Solvers {
  Matrix conductances;
  Solver steady;
  Solver step;         ///< of capacities / seconds + conductances
  double seconds = 0;  ///< that `step` was worked out for
};

ThermalNetwork::ThermalNetwork(std::vector<double> capacities, std::vector<Edge> edges,
                               std::vector<double> to_outside)
    : capacities_{std::move(capacities)},
      to_outside_{std::move(to_outside)},
      rise_(capacities_.size()),
      solvers_{std::make_unique<Solvers>()} {
  const auto n = static_cast<Eigen::Index>(capacities_.size());
  std::vector<Eigen::Triplet<double>> entries;
  for (Eigen::Index i = 0; i < n; ++i)
    entries.emplace_back(i, i, to_outside_[static_cast<std::size_t>(i)]);
  for (const Edge& e : edges) {
    const auto a = static_cast<Eigen::Index>(e.a), b = static_cast<Eigen::Index>(e.b);
    entries.emplace_back(a, a, e.conductance);
    entries.emplace_back(b, b, e.conductance);
    entries.emplace_back(a, b, -e.conductance);
    entries.emplace_back(b, a, -e.conductance);
  }
  solvers_->conductances.resize(n, n);
  solvers_->conductances.setFromTriplets(entries.begin(), entries.end());
  solvers_->steady.compute(solvers_->conductances);
  invariant(solvers_->steady.info() == Eigen::Success, "every node has a way out for its heat");
}

ThermalNetwork::~ThermalNetwork() = default;
ThermalNetwork::ThermalNetwork(ThermalNetwork&&) noexcept = default;

void ThermalNetwork::advance(double seconds, std::span<const double> watts) {
  if (seconds <= 0) return;
  const Vector inertia = vector_of(capacities_) / seconds;
  if (seconds != solvers_->seconds) {
    Matrix sum = solvers_->conductances;
    for (Eigen::Index i = 0; i < inertia.size(); ++i) sum.coeffRef(i, i) += inertia[i];
    solvers_->step.compute(sum);
    solvers_->seconds = seconds;
  }
  const Vector right = vector_of(watts) + inertia.cwiseProduct(vector_of(rise_));
  rise_ = values_of(solvers_->step.solve(right));
}

std::vector<double> ThermalNetwork::steady(std::span<const double> watts) const {
  return values_of(solvers_->steady.solve(vector_of(watts)));
}

double ThermalNetwork::outflow() const { return vector_of(to_outside_).dot(vector_of(rise_)); }

double ThermalNetwork::stored() const { return vector_of(capacities_).dot(vector_of(rise_)); }

}  // namespace reticle
