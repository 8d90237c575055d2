// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

#include "workloads/requests/request.hpp"

namespace reticle {

/// When the requests of a trace come. Open loop: as recorded, `rate_scale` times faster. Closed
/// loop: the first turn of a session as recorded, each further one its pause after the former turn
/// of the same session and depth has finished, however long that took.
class Arrivals {
 public:
  /// `trace` must outlive the object. Throws ConfigError when a closed loop is asked of a trace
  /// whose turns have no pauses.
  Arrivals(const Trace& trace, double rate_scale, bool closed_loop);

  /// When the next request comes, of those known to come; nullopt: none is.
  [[nodiscard]] std::optional<Picoseconds> next() const;
  /// Takes it.
  RequestId take();
  /// A request has ended; the next turn of its session comes after its pause.
  void ended(RequestId id, Picoseconds now);

 private:
  using Due = std::pair<Picoseconds, RequestId>;
  const Trace& trace_;
  std::vector<std::optional<RequestId>> next_turn_;  ///< by request; empty: open loop
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
};

}  // namespace reticle
