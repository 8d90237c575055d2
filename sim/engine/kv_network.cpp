// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/kv_network.hpp"

#include <algorithm>
#include <utility>

#include "models/kernel/time.hpp"
#include "sim/base/error.hpp"

namespace reticle {

class KvNetwork::Listener final : public ExchangeListenerIf {
 public:
  explicit Listener(KvNetwork& network) : network_{network} {}
  void exchange_done(std::int32_t exchange, const ExchangeTiming& timing) override {
    network_.done(exchange, timing.done);
  }

 private:
  KvNetwork& network_;
};

KvNetwork::KvNetwork(const sc_core::sc_module_name& name, const FabricParams& fabric,
                     std::int64_t dies)
    : sc_module{name}, fabric_{"fabric", fabric} {
  for (const FabricLevel& level : fabric.levels) levels_.push_back(level.name);
  for (std::int64_t i = 0; i < dies; ++i) {
    listeners_.push_back(std::make_unique<Listener>(*this));
    fabric_.dies.bind(*listeners_.back());
  }
  SC_HAS_PROCESS(KvNetwork);
  SC_METHOD(begin);
  sensitive << begin_;
  dont_initialize();
  SC_METHOD(deliver);
  sensitive << arrival_;
  dont_initialize();
}

KvNetwork::~KvNetwork() = default;

void KvNetwork::send(std::span<const DieId> from, std::span<const DieId> to, Bytes size,
                     std::function<void()> arrived) {
  auto exchange = std::make_shared<Exchange>();
  exchange->participants.assign(from.begin(), from.end());
  exchange->participants.insert(exchange->participants.end(), to.begin(), to.end());
  auto& messages = exchange->phases.emplace_back();
  const auto pieces = static_cast<std::int64_t>(std::max(from.size(), to.size()));
  const auto slot = [&](std::int64_t piece, std::size_t dies) {
    return static_cast<std::int32_t>(piece * static_cast<std::int64_t>(dies) / pieces);
  };
  for (std::int64_t i = 0; i < pieces; ++i)
    messages.push_back({slot(i, from.size()),
                        static_cast<std::int32_t>(from.size()) + slot(i, to.size()),
                        Bytes{size.count() * (i + 1) / pieces - size.count() * i / pieces}});
  waiting_.push_back({std::move(exchange), std::move(arrived), now()});
  sent_ += size;
  ++transfers_;
  begin_.notify(sc_core::SC_ZERO_TIME);
}

void KvNetwork::slow_down(std::string_view level, DieId first, std::int64_t count, double left) {
  const auto at = std::ranges::find(levels_, level);
  invariant(at != levels_.end(), "a level that slows down is there");
  slow_downs_.push_back({static_cast<std::int32_t>(at - levels_.begin()), first, count, left});
}

/// The fabric takes exchanges as those of one step: the next ones follow when it has worked out the
/// last, which takes no simulated time.
void KvNetwork::begin() {
  if (unknown_ > 0 || waiting_.empty()) return;
  for (const SlowDown& s : std::exchange(slow_downs_, {}))
    fabric_.slow_down(s.level, s.first, s.count, s.left);
  begun_ = std::exchange(waiting_, {});
  unknown_ = begun_.size();
  std::vector<std::shared_ptr<const Exchange>> exchanges;
  for (Transfer& t : begun_) {
    t.untold = t.exchange->participants.size();
    exchanges.push_back(t.exchange);
  }
  fabric_.load(exchanges);
  for (std::size_t i = 0; i < begun_.size(); ++i)
    for (std::size_t s = 0; s < begun_[i].untold; ++s)
      fabric_.join(static_cast<std::int32_t>(i), static_cast<std::int32_t>(s));
}

void KvNetwork::done(std::int32_t number, Picoseconds at) {
  Transfer& t = begun_[static_cast<std::size_t>(number)];
  t.ends = max(t.ends, at);
  if (--t.untold > 0) return;
  in_flight_ += t.ends - t.sent;
  arrivals_.emplace(t.ends, std::move(t.arrived));
  arrival_.notify(to_sc_time(arrivals_.begin()->first - now()));
  if (--unknown_ == 0) begin_.notify(sc_core::SC_ZERO_TIME);
}

void KvNetwork::deliver() {
  while (!arrivals_.empty() && arrivals_.begin()->first <= now()) {
    const auto arrived = std::move(arrivals_.begin()->second);
    arrivals_.erase(arrivals_.begin());
    arrived();
  }
  if (!arrivals_.empty()) arrival_.notify(to_sc_time(arrivals_.begin()->first - now()));
}

}  // namespace reticle
