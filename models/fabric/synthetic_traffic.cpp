// SPDX-License-Identifier: Apache-2.0
#include "models/fabric/synthetic_traffic.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace reticle {

namespace {
/// What is known of a packet under way.
struct Note {
  std::int64_t made = 0;
  std::int64_t routers = 0;
};

class Driver {
 public:
  Driver(SyntheticNetwork& network, const TrafficParams& params)
      : net_{network},
        params_{params},
        times_{params.seed, "packet times"},
        targets_{params.seed, "packet targets"},
        routes_{params.seed, "packet routes"},
        next_(static_cast<std::size_t>(network.terminals())) {
    for (auto& next : next_) next = gap() - 1;
  }

  TrafficResult run() {
    const std::int64_t end = params_.warm_up + params_.measured;
    FlitNetwork& network = net_.network();
    for (;;) {
      const std::int64_t made = *std::min_element(next_.begin(), next_.end());
      const std::int64_t cycle = std::min(made, network.next_active());
      if (cycle >= end + params_.drain || (cycle >= end && outstanding_ == 0)) break;
      if (made == cycle) make(cycle);
      network.step(cycle);
      take(cycle, end);
    }
    return result(end);
  }

 private:
  /// Cycles between packets: a coin is thrown every cycle.
  std::int64_t gap() {
    const double p = params_.offered / static_cast<double>(params_.packet);
    if (p >= 1) return 1;
    return 1 + static_cast<std::int64_t>(std::log1p(-times_.uniform()) / std::log1p(-p));
  }

  bool counts(std::int64_t made) const {
    return made >= params_.warm_up && made < params_.warm_up + params_.measured;
  }

  void make(std::int64_t cycle) {
    for (std::size_t s = 0; s < next_.size(); ++s) {
      if (next_[s] != cycle) continue;
      next_[s] += gap();
      const auto source = static_cast<std::int64_t>(s);
      const std::int64_t target = params_.target
                                      ? params_.target(source)
                                      : static_cast<std::int64_t>(targets_.below(next_.size()));
      const std::int32_t route = net_.route(source, target, routes_);
      const auto id = static_cast<std::size_t>(
          net_.network().send(route, params_.packet, params_.packet, cycle));
      if (notes_.size() <= id) notes_.resize(id + 1);
      notes_[id] = {cycle, net_.routers(route)};
      if (counts(cycle)) ++outstanding_;
    }
  }

  void take(std::int64_t cycle, std::int64_t end) {
    for (const auto& arrival : net_.network().arrived()) {
      const Note& note = notes_[static_cast<std::size_t>(arrival.message)];
      if (cycle >= params_.warm_up && cycle < end) accepted_ += params_.packet;
      if (!counts(note.made)) continue;
      --outstanding_;
      ++packets_;
      latency_ += cycle - note.made;
      network_latency_ += cycle - net_.network().begun(arrival.message);
      routers_ += note.routers;
    }
  }

  TrafficResult result(std::int64_t end) const {
    const auto n = static_cast<double>(std::max<std::int64_t>(1, packets_));
    TrafficResult r;
    r.accepted = static_cast<double>(accepted_) / static_cast<double>(end - params_.warm_up) /
                 static_cast<double>(next_.size());
    r.latency = static_cast<double>(latency_) / n;
    r.network_latency = static_cast<double>(network_latency_) / n;
    r.routers = static_cast<double>(routers_) / n;
    r.packets = packets_;
    r.drained = outstanding_ == 0;
    return r;
  }

  SyntheticNetwork& net_;
  const TrafficParams& params_;
  RngStream times_, targets_, routes_;
  std::vector<std::int64_t> next_;  ///< per terminal: when its next packet is made
  std::vector<Note> notes_;         ///< by message
  std::int64_t outstanding_ = 0, packets_ = 0, accepted_ = 0;
  std::int64_t latency_ = 0, network_latency_ = 0, routers_ = 0;
};
}  // namespace

TrafficResult run_traffic(SyntheticNetwork& network, const TrafficParams& params) {
  return Driver{network, params}.run();
}

std::int64_t run_batch(SyntheticNetwork& network, std::int64_t packets, std::int64_t flits,
                       std::uint64_t seed) {
  RngStream targets{seed, "packet targets"}, routes{seed, "packet routes"};
  const auto n = static_cast<std::uint64_t>(network.terminals());
  for (std::int64_t i = 0; i < packets; ++i)
    for (std::int64_t s = 0; s < network.terminals(); ++s)
      network.network().send(network.route(s, static_cast<std::int64_t>(targets.below(n)), routes),
                             flits, flits, 0);
  std::int64_t last = 0;
  while (network.network().next_active() != FlitNetwork::kNever) {
    const std::int64_t cycle = network.network().next_active();
    network.network().step(cycle);
    if (!network.network().arrived().empty()) last = cycle;
  }
  return last;
}

}  // namespace reticle
