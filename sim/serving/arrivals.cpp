// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/arrivals.hpp"

#include <map>
#include <string>

#include "sim/base/error.hpp"

namespace reticle {

Arrivals::Arrivals(const Trace& trace, double rate_scale, bool closed_loop) : trace_{trace} {
  if (closed_loop) next_turn_.resize(trace.requests.size());
  std::map<std::pair<std::uint64_t, std::int32_t>, RequestId> last;  // by session and depth
  bool turns = false;
  for (const Request& r : trace.requests) {
    if (closed_loop && r.session) {
      const auto [former, first] = last.try_emplace({*r.session, r.depth}, r.id);
      if (!first) {
        if (!r.pause)
          throw ConfigError({trace.path}, "workload.closed_loop",
                            "expected a pause before every further turn, request " +
                                std::to_string(static_cast<std::uint64_t>(r.id)) + " has none");
        next_turn_[static_cast<std::size_t>(former->second)] = r.id;
        former->second = r.id;
        turns = true;
        continue;
      }
    }
    const double at = static_cast<double>(r.arrival.count()) / rate_scale;
    due_.emplace(rate_scale == 1.0 ? r.arrival : Picoseconds{static_cast<std::int64_t>(at)}, r.id);
  }
  if (closed_loop && !turns)
    throw ConfigError({trace.path}, "workload.closed_loop",
                      "expected a trace with sessions of several turns");
}

std::optional<Picoseconds> Arrivals::next() const {
  if (due_.empty()) return std::nullopt;
  return due_.top().first;
}

RequestId Arrivals::take() {
  const RequestId id = due_.top().second;
  due_.pop();
  return id;
}

void Arrivals::ended(RequestId id, Picoseconds now) {
  if (next_turn_.empty()) return;
  if (const auto next = next_turn_[static_cast<std::size_t>(id)])
    due_.emplace(now + *trace_.requests[static_cast<std::size_t>(*next)].pause, *next);
}

}  // namespace reticle
