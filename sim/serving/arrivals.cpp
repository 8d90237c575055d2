// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/arrivals.hpp"

#include <limits>
#include <map>
#include <string>

#include "sim/base/error.hpp"
#include "workloads/requests/trace_stream.hpp"

namespace reticle {

namespace {
/// The instant `span` after `at`, or the last that can be told.
Picoseconds after(Picoseconds at, Picoseconds span) {
  constexpr Picoseconds kLast{std::numeric_limits<std::int64_t>::max()};
  return span > kLast - at ? kLast : at + span;
}
}  // namespace

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
    due_.emplace(scaled_arrival(trace.path, r.arrival, rate_scale), r.id);
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
    due_.emplace(after(now, *trace_.requests[static_cast<std::size_t>(*next)].pause), *next);
}

}  // namespace reticle
