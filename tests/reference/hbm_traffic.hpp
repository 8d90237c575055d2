// SPDX-License-Identifier: Apache-2.0
// Traffic on one HBM pseudo-channel as the reference simulators were asked: chunks of consecutive
// bytes, closed loop or Poisson arrivals, handed to the controller burst by burst, in order.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <vector>

#include "models/hbm/hbm_controller.hpp"
#include "sim/base/rng.hpp"

namespace reticle {

struct HbmTraffic {
  /// Both: one request in sequence, one at random, as a weight stream beside KV pages.
  enum class Order : std::uint8_t { Sequential, Random, SameRow, Both };
  Order order = Order::Sequential;
  std::int64_t chunk = 64;  ///< bytes
  std::int64_t depth = 1;   ///< requests outstanding; 0 = Poisson arrivals
  double load = 0;          ///< of peak, Poisson only
  double read_fraction = 1;
  /// Writes end when the controller has taken their last burst, not when it is in the memory.
  bool posted_writes = false;
  /// Requesters like this one, each with its own `depth` and its own part of the memory.
  std::int64_t requesters = 1;
  /// Bytes of the first requester's chunks, where they are others: a weight stream beside pages.
  std::int64_t stream_chunk = 0;
  [[nodiscard]] std::int64_t chunk_of(std::int64_t requester) const {
    return requester == 0 && stream_chunk > 0 ? stream_chunk : chunk;
  }
  /// Bandwidth is measured from the end of request `warm_up` to that of the `measured`-th after it:
  /// of the stream where there is one, of all others.
  std::int64_t warm_up = 2000;
  std::int64_t measured = 20'000;
  [[nodiscard]] bool marks(std::int64_t requester) const {
    return stream_chunk == 0 || requester == 0;
  }
};

struct HbmMeasured {
  double gbps = 0;
  double read_latency_ns = 0;  ///< mean, of reads
  double least_ns = 0;
  double p99_ns = 0;
};

/// splitmix64 as a stream: the generator the reference traffic is drawn from.
class SplitMix {
 public:
  explicit SplitMix(std::uint64_t seed) : state_{seed} {}
  std::uint64_t operator()() {
    const std::uint64_t drawn = mix64(state_);
    state_ += 0x9e3779b97f4a7c15ULL;
    return drawn;
  }

 private:
  std::uint64_t state_;
};

/// Chunk indices and directions, in order.
class HbmChunks {
 public:
  struct Chunk {
    Access kind = Access::Read;
    std::int64_t index = 0;
  };
  /// Of `requester`: its part of a memory of `bytes`, random places drawn for it alone.
  HbmChunks(const HbmTraffic& traffic, std::int64_t bytes, std::int64_t requester = 0)
      : t_{traffic},
        chunks_{bytes / traffic.chunk_of(requester) / traffic.requesters},
        base_{requester * chunks_},
        random_{static_cast<std::uint64_t>(12345 + requester)} {}
  Chunk draw() {
    writes_due_ += 1 - t_.read_fraction;
    // Half a millionth absorbs the rounding of sums such as 3 x 0.333...
    const bool write = writes_due_ >= 1 - 5e-7;
    if (write) writes_due_ -= 1;
    Chunk chunk{write ? Access::Write : Access::Read, 0};
    HbmTraffic::Order order = t_.order;
    if (order == HbmTraffic::Order::Both)
      order = ++drawn_ % 2 == 0 ? HbmTraffic::Order::Random : HbmTraffic::Order::Sequential;
    switch (order) {
      case HbmTraffic::Order::Both:
      case HbmTraffic::Order::Random:
        chunk.index = static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(chunks_));
        break;
      case HbmTraffic::Order::Sequential:
        chunk.index = write ? (chunks_ * 5 / 8 + written_++) % chunks_ : read_++ % chunks_;
        break;
      case HbmTraffic::Order::SameRow:
        chunk.index = read_++ % 16;
        break;
    }
    chunk.index += base_;
    return chunk;
  }

 private:
  const HbmTraffic& t_;
  std::int64_t chunks_, base_;
  SplitMix random_;
  double writes_due_ = 0;
  std::int64_t read_ = 0, written_ = 0, drawn_ = 0;
};

/// Drives one pseudo-channel. A request ends with its last burst; writes when their data has gone.
class HbmTrafficRun {
 public:
  HbmTrafficRun(const HbmParams& params, const HbmTraffic& traffic)
      : params_{params},
        t_{traffic},
        map_{params},
        dut_{params},
        ps_per_two_ticks_{params.timing.t_ck.count()} {
    const std::int64_t bytes = map_.rows() * banks(params) * params.row.count();
    for (std::int64_t i = 0; i < traffic.requesters; ++i) chunks_.emplace_back(t_, bytes, i);
  }

  HbmMeasured run() {
    const std::int64_t total = t_.warm_up + t_.measured;
    if (t_.depth > 0)
      for (std::int64_t i = 0; i < t_.depth * t_.requesters; ++i) create(0, i % t_.requesters);
    else
      next_arrival_ = gap();
    while (ended_ < total) advance();
    const double seconds = ns(last_end_ - first_end_) * 1e-9;
    std::sort(latencies_.begin(), latencies_.end());
    HbmMeasured m;
    m.gbps = static_cast<double>(bytes_) / seconds * 1e-9;
    if (latencies_.empty()) return m;
    double sum = 0;
    for (const HbmTick l : latencies_) sum += ns(l);
    m.read_latency_ns = sum / static_cast<double>(latencies_.size());
    m.least_ns = ns(latencies_.front());
    m.p99_ns = ns(latencies_[latencies_.size() * 99 / 100]);
    return m;
  }
  [[nodiscard]] const HbmController& controller() const { return dut_; }
  [[nodiscard]] std::int64_t steps() const { return steps_; }
  HbmController& controller() { return dut_; }

 private:
  struct Request {
    Access kind;
    std::int64_t first_burst;
    HbmTick created;
    std::int64_t bursts;
    std::int64_t left;    ///< bursts not ended
    std::int64_t pushed;  ///< bursts handed over
    std::int64_t number;
    std::int64_t requester;
  };
  [[nodiscard]] double ns(HbmTick ticks) const {
    return static_cast<double>(ticks * ps_per_two_ticks_) / 2000;
  }
  HbmTick gap() {
    const double u = (static_cast<double>(gaps_() >> 11) + 0.5) * 0x1p-53;
    const double bytes_per_tick =
        static_cast<double>(params_.burst.count()) /
        static_cast<double>(2 * params_.timing.t_burst.count() / params_.timing.t_ck.count());
    clock_ += -std::log(u) * static_cast<double>(t_.chunk) / (t_.load * bytes_per_tick);
    return static_cast<HbmTick>(std::ceil(clock_));
  }
  void create(HbmTick now, std::int64_t requester) {
    const HbmChunks::Chunk chunk = chunks_[static_cast<std::size_t>(requester)].draw();
    std::uint32_t slot = static_cast<std::uint32_t>(requests_.size());
    if (!free_.empty()) {
      slot = free_.back();
      free_.pop_back();
    } else {
      requests_.emplace_back();
    }
    const std::int64_t bursts = t_.chunk_of(requester) / params_.burst.count();
    requests_[slot] = {chunk.kind, chunk.index * bursts, now,      bursts, bursts,
                       0,          created_++,           requester};
    backlog_.push_back(slot);
  }
  void hand_over(HbmTick now) {
    while (!backlog_.empty()) {
      Request& r = requests_[backlog_.front()];
      while (r.pushed < r.bursts && !dut_.full(r.kind)) {
        dut_.push(r.kind, 0, map_.place(r.first_burst + r.pushed), backlog_.front(), now);
        ++r.pushed;
      }
      if (r.pushed < r.bursts) return;
      if (posted(r)) finish(r, now);
      backlog_.pop_front();
    }
  }
  [[nodiscard]] bool posted(const Request& r) const {
    return t_.posted_writes && r.kind == Access::Write;
  }
  void end(std::uint32_t slot, HbmTick now) {
    Request& r = requests_[slot];
    if (--r.left > 0) return;
    if (!posted(r)) finish(r, now);
    free_.push_back(slot);
  }
  void finish(const Request& r, HbmTick now) {
    if (ended_ >= t_.warm_up && ended_ < t_.warm_up + t_.measured)
      bytes_ += r.bursts * params_.burst.count();
    if (t_.marks(r.requester)) {
      if (++ended_ == t_.warm_up) first_end_ = now;
      last_end_ = now;
    }
    if (r.kind == Access::Read && ended_ > t_.warm_up) latencies_.push_back(now - r.created);
    // The requester sees the end in this clock and asks again in the next one.
    if (t_.depth > 0) renewals_.push_back({now + kTurn, r.requester});
  }
  void advance() {
    HbmTick now = dut_.next();
    if (!inflight_.empty()) now = std::min(now, inflight_.front().done);
    if (!renewals_.empty()) now = std::min(now, renewals_.front().at);
    if (t_.depth == 0) now = std::min(now, next_arrival_);
    if (!backlog_.empty() && !dut_.full(requests_[backlog_.front()].kind))
      now = std::min(now, now_ + 1);
    now = std::max(now, now_);
    now_ = now;
    while (!inflight_.empty() && inflight_.front().done <= now) {
      end(inflight_.front().tag, inflight_.front().done);
      inflight_.pop_front();
    }
    while (!renewals_.empty() && renewals_.front().at <= now) {
      create(renewals_.front().at, renewals_.front().requester);
      renewals_.pop_front();
    }
    while (t_.depth == 0 && next_arrival_ <= now) {
      create(next_arrival_, 0);
      next_arrival_ = gap();
    }
    hand_over(now);
    if (dut_.next() <= now) {
      dut_.step(now);
      ++steps_;
    }
    auto& completed = dut_.completed();
    while (!completed.empty()) {
      auto at = inflight_.end();
      while (at != inflight_.begin() && std::prev(at)->done > completed.front().done) --at;
      inflight_.insert(at, completed.front());
      completed.pop_front();
    }
  }

  static constexpr HbmTick kTurn = 1;
  const HbmParams params_;
  const HbmTraffic t_;
  const HbmMap map_;
  HbmController dut_;
  const std::int64_t ps_per_two_ticks_;
  std::vector<HbmChunks> chunks_;  ///< per requester
  SplitMix gaps_{12345 ^ 0xABCDEF};
  double clock_ = 0;
  std::vector<Request> requests_;
  std::vector<std::uint32_t> free_;
  std::deque<std::uint32_t> backlog_;
  std::deque<HbmController::Completion> inflight_;
  struct Renewal {
    HbmTick at;
    std::int64_t requester;
  };
  std::deque<Renewal> renewals_;
  std::vector<HbmTick> latencies_;
  HbmTick now_ = 0, next_arrival_ = 0, first_end_ = 0, last_end_ = 0;
  std::int64_t ended_ = 0, created_ = 0, steps_ = 0;
  std::int64_t bytes_ = 0;  ///< ended since the warm-up
};

}  // namespace reticle
