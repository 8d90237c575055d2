// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "workloads/moe/routing_figures.hpp"

namespace reticle {

struct FittedRouting {
  RoutingSpec spec;
  RoutingFigures measured;   ///< of the recording
  RoutingFigures generated;  ///< drawn by `spec` in the recording's shape
};

/// The law whose draws, in as many sessions of the same lengths, come closest to a recording: least
/// sum of squared logarithms of generated over measured figures, by a simplex search [Nelder and
/// Mead, 1965] for each shape of popularity. Takes seconds; the same every time.
FittedRouting fit_routing(const RoutingRecord& record);

/// What `spec` draws in the shape of `record`.
RoutingFigures generated_figures(const RoutingSpec& spec, const RoutingRecord& record,
                                 std::uint64_t seed);

}  // namespace reticle
