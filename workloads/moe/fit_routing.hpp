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
  /// Drawn by `spec` in the recording's shape, by seed from 1: all are fitted.
  static constexpr std::uint64_t kSeeds = 8;
  std::vector<RoutingFigures> generated;
  /// How far off each shape's figures are, in the norm that is fitted, over three seeds.
  std::array<double, kPopularityShapes.size()> miss{};
};

/// The law whose draws, in as many sessions of the same lengths, come closest to a recording: whose
/// furthest figure of all seeds is the least far off (a norm of 16th powers), by simplex searches
/// [Nelder and Mead, 1965]: for each shape of popularity over three seeds, then of the nearest over
/// all. Takes seconds; the same every time.
FittedRouting fit_routing(const RoutingRecord& record);

/// What `spec` draws in the shape of `record`.
RoutingFigures generated_figures(const RoutingSpec& spec, const RoutingRecord& record,
                                 std::uint64_t seed);

}  // namespace reticle
