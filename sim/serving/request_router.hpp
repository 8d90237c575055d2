// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "sim/serving/serving_spec.hpp"
#include "workloads/requests/request.hpp"

namespace reticle {

/// An instance as a router sees it.
struct InstanceLoad {
  bool up = true;
  std::int64_t requests = 0;  ///< sent there and not finished
};

/// Deals requests to instances. Knows nothing of what a request will cost.
///
/// Prefix-affine: consistent hashing [Karger+ 1997] of the request's session, else of its first
/// prefix block, else of the request; where that instance has more than 1.25 times the mean load,
/// the next one on the ring ("with bounded loads", Mirrokni+ 2016). An instance that goes down
/// moves its own requests alone.
class RequestRouter {
 public:
  RequestRouter(RoutingPolicy policy, std::int64_t instances);

  /// The instance for `request`, one that is up; there must be one. One load per instance.
  [[nodiscard]] std::size_t choose(const Request& request, std::span<const InstanceLoad> loads);

 private:
  [[nodiscard]] std::size_t in_turn(std::span<const InstanceLoad> loads);
  [[nodiscard]] std::size_t affine(const Request& request,
                                   std::span<const InstanceLoad> loads) const;

  const RoutingPolicy policy_;
  std::size_t next_ = 0;
  std::map<std::uint64_t, std::size_t> ring_;  ///< point -> instance
};

}  // namespace reticle
