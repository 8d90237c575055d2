// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/fabric/flit_spec.hpp"

namespace reticle {

/// Matches inputs that ask for outputs, one to one, within a cycle.
///
/// Models:     separable input-first and iSLIP allocation with round-robin arbiters, whose pointers
///             move on a grant [Dally and Towles 2004, ch. 19; McKeown, ToN 1999].
/// Leaves out: wavefront and other maximal matchings.
class FlitAllocator {
 public:
  struct Request {
    std::int32_t in = 0, out = 0;
    std::int32_t label = 0;  ///< who asks: of several for one output, the lowest rank goes
    std::int32_t rank = 0;
    bool late = false;  ///< served after those that are not
  };

  FlitAllocator(std::size_t inputs, std::size_t outputs, AllocatorKind kind,
                std::int64_t iterations);

  void request(const Request& request) { requests_.push_back(request); }
  [[nodiscard]] bool asked() const { return !requests_.empty(); }
  /// The granted of this cycle's requests; begins the next cycle.
  std::span<const Request> allocate();

 private:
  /// Requests that a side has chosen: per port one, and which ports have one.
  struct Choice {
    std::vector<const Request*> best;
    std::vector<std::int32_t> touched;
    void clear();
  };
  void separable();
  void islip(bool first);
  void offer(Choice& choice, std::int32_t port, const Request& request, bool better);
  void grant(const Request& request, bool move_pointers);

  const AllocatorKind kind_;
  const std::int64_t iterations_;
  const std::int32_t inputs_, outputs_;
  std::vector<std::int32_t> in_pointer_, out_pointer_;  ///< the port granted last
  std::vector<char> in_taken_, out_taken_;
  Choice by_input_, by_output_;
  std::vector<Request> requests_, granted_;
};

}  // namespace reticle
