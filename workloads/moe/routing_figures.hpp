// SPDX-License-Identifier: Apache-2.0
// What a routing does to hardware: how uneven loads are, how soon experts come again, how many a
// batch touches, how well one layer predicts the next.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "workloads/moe/routing_record.hpp"

namespace reticle {

/// Of one layer: picks of all tokens of all sessions.
struct LayerLoads {
  double max_over_mean = 0;
  double cv = 0;     ///< standard deviation over mean
  double gini = 0;   ///< 0 = even
  double reuse = 0;  ///< share of picks that the token before had too
};

struct RoutingFigures {
  std::vector<LayerLoads> layers;
  LayerLoads mean{};  ///< over the layers
  static constexpr std::array<std::int64_t, 3> kLags{1, 2, 10};
  std::array<double, 3> reuse{};  ///< share of picks the token so many before had too
  double independent = 0;         ///< what draws with the same loads, but independent, would share
  /// Share of picks found in a cache of so large a part of the experts, one per layer, LRU, over
  /// each session.
  static constexpr std::array<double, 5> kCacheParts{0.25, 0.375, 0.5, 0.625, 0.75};
  std::array<double, 5> lru{};
  static constexpr std::array<std::int64_t, 5> kBatches{2, 4, 8, 16, 32};
  std::array<double, 5> distinct{};  ///< experts a layer touches for tokens of so many sessions; 0
                                     ///< where there are fewer
  static constexpr std::array<std::int64_t, 3> kWindows{2, 4, 8};
  std::array<double, 3> window{};  ///< for so many consecutive tokens of one session
  double next_layer = 0;  ///< first picks guessed right by the best table over the layer before
  double commonest = 0;   ///< guessed right by always naming the commonest
};

/// Of the picks by expert of one layer.
LayerLoads loads_of(std::vector<double> loads);

/// What full experts leave out where each takes at most a factor times the mean of a step. A step
/// is a token of every session that is long enough, the n-th of each.
struct DroppedPicks {
  std::int64_t steps = 0;
  std::int64_t picks = 0;
  std::int64_t dropped = 0;
  double worst_step = 0;  ///< dropped over picks
};
DroppedPicks dropped_of(const RoutingRecord& record, double capacity_factor);

RoutingFigures figures_of(const RoutingRecord& record);

}  // namespace reticle
