// SPDX-License-Identifier: Apache-2.0
// The traffic of hbm_traffic.hpp on the transaction model: every chunk is one call.
#pragma once

#include <queue>
#include <tuple>
#include <vector>

#include "models/hbm/hbm_run_model.hpp"
#include "tests/reference/hbm_traffic.hpp"

namespace reticle {

/// Closed loop: a request is made one half clock after one of `depth` before it has ended. Open
/// loop: at its arrival. Calls are made in the order of their times, as the kernel would.
/// `counted` is told what the model counted.
template <class Model = HbmRunModel>
HbmMeasured run_on_transactions(const HbmParams& params, const HbmTraffic& traffic,
                                MemoryStats* counted = nullptr) {
  Model dut{params};
  const HbmMap map{params};
  std::vector<HbmChunks> chunks;
  for (std::int64_t i = 0; i < traffic.requesters; ++i)
    chunks.emplace_back(traffic, map.rows() * banks(params) * params.row.count(), i);
  const Picoseconds turn{params.timing.t_ck.count() / 2};
  const double peak = static_cast<double>(params.burst.count()) / seconds(params.timing.t_burst);
  SplitMix gaps{12345 ^ 0xABCDEF};
  double clock = 0;
  // By time, then in the order in which they were made.
  using Due = std::tuple<Picoseconds, std::int64_t, std::size_t>;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due;
  const std::int64_t outstanding = traffic.depth * traffic.requesters;
  for (std::int64_t i = 0; i < outstanding; ++i)
    due.emplace(Picoseconds{}, i, static_cast<std::size_t>(i % traffic.requesters));
  std::vector<double> latencies;
  const std::int64_t total = traffic.warm_up + traffic.measured;
  struct End {
    Picoseconds at{};
    std::int64_t bytes = 0;
    bool marks = false;
    bool operator<(const End& other) const { return at < other.at; }
  };
  std::vector<End> ended;
  // As in the reference the count runs over requests that have ended; the tail that is still under
  // way when enough have is not measured.
  for (std::int64_t made = 0, marks = 0; marks < total + outstanding; ++made) {
    Picoseconds at{};
    std::size_t requester = 0;
    if (traffic.depth > 0) {
      at = std::get<Picoseconds>(due.top());
      requester = std::get<std::size_t>(due.top());
      due.pop();
    } else {
      const double u = (static_cast<double>(gaps() >> 11) + 0.5) * 0x1p-53;
      clock += -std::log(u) * static_cast<double>(traffic.chunk) / (traffic.load * peak);
      at = Picoseconds{static_cast<std::int64_t>(clock * 1e12)};
    }
    const HbmChunks::Chunk chunk = chunks[requester].draw();
    const std::int64_t bytes = traffic.chunk_of(static_cast<std::int64_t>(requester));
    const Picoseconds done =
        dut.access({.kind = chunk.kind,
                    .address = Bytes{chunk.index * bytes},
                    .bytes = Bytes{bytes},
                    .requester = static_cast<std::uint8_t>(requester),
                    .posted = traffic.posted_writes && chunk.kind == Access::Write},
                   at)
            .done;
    if (traffic.depth > 0) due.emplace(done + turn, outstanding + made, requester);
    const bool mark = traffic.marks(static_cast<std::int64_t>(requester));
    ended.push_back({.at = done, .bytes = bytes, .marks = mark});
    marks += mark;
    if (made >= traffic.warm_up && chunk.kind == Access::Read)
      latencies.push_back(seconds(done - at) * 1e9);
  }
  if (counted) *counted = dut.stats();
  std::sort(ended.begin(), ended.end());
  std::int64_t marks = 0, bytes = 0;
  Picoseconds first{}, last{};
  for (const End& end : ended) {
    if (marks >= traffic.warm_up && marks < total) bytes += end.bytes;
    if (end.marks && ++marks == traffic.warm_up) first = end.at;
    if (end.marks && marks == total) last = end.at;
  }
  HbmMeasured m;
  m.gbps = static_cast<double>(bytes) / seconds(last - first) * 1e-9;
  if (latencies.empty()) return m;
  std::sort(latencies.begin(), latencies.end());
  double sum = 0;
  for (const double l : latencies) sum += l;
  m.read_latency_ns = sum / static_cast<double>(latencies.size());
  m.least_ns = latencies.front();
  m.p99_ns = latencies[latencies.size() * 99 / 100];
  return m;
}

}  // namespace reticle
