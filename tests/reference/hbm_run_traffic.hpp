// SPDX-License-Identifier: Apache-2.0
// The traffic of hbm_traffic.hpp on the transaction model: every chunk is one call.
#pragma once

#include <queue>
#include <tuple>

#include "models/hbm/hbm_run_model.hpp"
#include "tests/reference/hbm_traffic.hpp"

namespace reticle {

/// Closed loop: a request is made one half clock after one of `depth` before it has ended. Open
/// loop: at its arrival. Calls are made in the order of their times, as the kernel would.
/// `counted` is told what the model counted.
inline HbmMeasured run_on_transactions(const HbmParams& params, const HbmTraffic& traffic,
                                       MemoryStats* counted = nullptr) {
  HbmRunModel dut{params};
  const HbmMap map{params};
  std::vector<HbmChunks> chunks;
  for (std::int64_t i = 0; i < traffic.requesters; ++i)
    chunks.emplace_back(traffic, map.rows() * banks(params) * params.row.count() / traffic.chunk,
                        i);
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
  std::vector<Picoseconds> ended;
  // As in the reference the count runs over requests that have ended; the tail that is still under
  // way when enough have is not measured.
  for (std::int64_t made = 0; made < total + outstanding; ++made) {
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
    const MemoryRun run{chunk.kind, Bytes{chunk.index * traffic.chunk}, Bytes{traffic.chunk}, {}};
    const AccessTiming timing = dut.access(run, at);
    Picoseconds done = timing.done;
    // The last bursts of a posted write stay in the queue: the requester is free that much sooner.
    if (traffic.posted_writes && chunk.kind == Access::Write)
      done = max(timing.accepted, done - params.controller.write_queue * params.timing.t_burst);
    if (traffic.depth > 0) due.emplace(done + turn, outstanding + made, requester);
    ended.push_back(done);
    if (made >= traffic.warm_up && chunk.kind == Access::Read)
      latencies.push_back(seconds(done - at) * 1e9);
  }
  if (counted) *counted = dut.stats();
  std::sort(ended.begin(), ended.end());
  const Picoseconds first = ended[static_cast<std::size_t>(traffic.warm_up - 1)];
  const Picoseconds last = ended[static_cast<std::size_t>(total - 1)];
  HbmMeasured m;
  m.gbps = static_cast<double>(traffic.measured * traffic.chunk) / seconds(last - first) * 1e-9;
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
