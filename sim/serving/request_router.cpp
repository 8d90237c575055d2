// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/request_router.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/error.hpp"
#include "sim/base/rng.hpp"

namespace reticle {

namespace {
constexpr std::uint64_t kPointsPerInstance = 64;  ///< evens out the arcs to some 12 %
constexpr double kMostOverMean = 1.25;            ///< chosen: 1 + epsilon of [Mirrokni+ 2016]

std::size_t least_loaded(std::span<const InstanceLoad> loads) {
  std::size_t best = loads.size();
  for (std::size_t i = 0; i < loads.size(); ++i)
    if (loads[i].up && (best == loads.size() || loads[i].requests < loads[best].requests)) best = i;
  return best;
}

std::uint64_t key_of(const Request& request) {
  if (request.session) return combine64(1, *request.session);
  if (!request.prefix_blocks.empty()) return combine64(2, request.prefix_blocks.front());
  return combine64(3, static_cast<std::uint64_t>(request.id));  // kinds of key apart
}
}  // namespace

RequestRouter::RequestRouter(RoutingPolicy policy, std::int64_t instances) : policy_{policy} {
  for (std::size_t i = 0; i < static_cast<std::size_t>(instances); ++i)
    for (std::uint64_t point = 0; point < kPointsPerInstance; ++point)
      ring_.emplace(combine64(i, point), i);
}

std::size_t RequestRouter::choose(const Request& request, std::span<const InstanceLoad> loads) {
  invariant(std::ranges::any_of(loads, &InstanceLoad::up), "an instance is up");
  switch (policy_) {
    case RoutingPolicy::RoundRobin:
      return in_turn(loads);
    case RoutingPolicy::PrefixAffine:
      return affine(request, loads);
    case RoutingPolicy::LeastLoaded:
      break;
  }
  return least_loaded(loads);
}

std::size_t RequestRouter::in_turn(std::span<const InstanceLoad> loads) {
  while (!loads[next_ % loads.size()].up) ++next_;
  return next_++ % loads.size();
}

std::size_t RequestRouter::affine(const Request& request,
                                  std::span<const InstanceLoad> loads) const {
  std::int64_t requests = 1;  // this one
  std::int64_t up = 0;
  for (const InstanceLoad& load : loads)
    if (load.up) requests += load.requests, ++up;
  const auto most = static_cast<std::int64_t>(
      std::ceil(kMostOverMean * static_cast<double>(requests) / static_cast<double>(up)));
  auto point = ring_.lower_bound(key_of(request));
  while (true) {  // ends: not all can be above their mean
    if (point == ring_.end()) point = ring_.begin();
    const InstanceLoad& load = loads[point->second];
    if (load.up && load.requests < most) return point->second;
    ++point;
  }
}

}  // namespace reticle
