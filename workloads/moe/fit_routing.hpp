// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "workloads/moe/routing_figures.hpp"

namespace reticle {

struct FittedRouting {
  RoutingSpec spec;
  RoutingFigures measured;  ///< of the recording
  /// Drawn by `spec` in the recording's shape, by seed from 1; the first three were fitted.
  static constexpr std::uint64_t kSeeds = 5;
  std::vector<RoutingFigures> generated;
  /// Fourth root of the least sum of fourth powers that each shape came to.
  std::array<double, kPopularityShapes.size()> miss{};
};

/// The law whose draws, in as many sessions of the same lengths, come closest to a recording: least
/// sum of fourth powers of logarithms of generated over measured figures, over three seeds, by a
/// simplex search [Nelder and Mead, 1965] for each shape of popularity. Takes seconds; the same
/// every time.
FittedRouting fit_routing(const RoutingRecord& record);

/// What `spec` draws in the shape of `record`.
RoutingFigures generated_figures(const RoutingSpec& spec, const RoutingRecord& record,
                                 std::uint64_t seed);

}  // namespace reticle
