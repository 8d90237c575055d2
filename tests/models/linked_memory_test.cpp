// SPDX-License-Identifier: Apache-2.0
#include "models/tier/linked_memory.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "tests/models/quantity_text.hpp"
#include "tests/models/test_params.hpp"

namespace reticle {
namespace {

Picoseconds chunk_time(const LinkedMemoryParams& p, BytesPerSecond rate) {
  return transfer_time(p.chunk, rate);
}

TEST_CASE("LinkedMemory: one chunk passes device and link one after the other") {
  const LinkedMemoryParams p = far_memory();
  for (const Access kind : {Access::Read, Access::Write}) {
    LinkedMemory dut{sc_core::sc_gen_unique_name("dut"), p};
    CHECK(dut.access({kind, 0_B, p.chunk, 0_B}, 9_ns).done ==
          9_ns + p.device_latency + chunk_time(p, p.device_rate) + chunk_time(p, p.link_rate) +
              p.link_latency);
  }
}

TEST_CASE("LinkedMemory: the slower of device and link sets the rate, both latencies add") {
  for (const auto& [device, link] : {std::pair{64_GBps, 32_GBps}, std::pair{16_GBps, 32_GBps}})
    for (const Access kind : {Access::Read, Access::Write}) {
      LinkedMemoryParams p = far_memory();
      p.device_rate = device;
      p.link_rate = link;
      LinkedMemory dut{sc_core::sc_gen_unique_name("dut"), p};
      const std::int64_t chunks = 1000;
      const Picoseconds slow = chunk_time(p, std::min(device, link));
      const Picoseconds fast = chunk_time(p, std::max(device, link));
      CHECK(dut.access({kind, 0_B, chunks * p.chunk, 0_B}, 0_ps).done ==
            p.device_latency + p.link_latency + fast + chunks * slow);
    }
}

TEST_CASE("LinkedMemory: a piece smaller than a chunk costs a whole chunk") {
  const LinkedMemoryParams p = far_memory();
  LinkedMemory small{"small", p};
  LinkedMemory whole{"whole", p};
  CHECK(small.access({Access::Read, 0_B, 100 * 64_B, 64_B}, 0_ps).done ==
        whole.access({Access::Read, 0_B, 100 * p.chunk, 0_B}, 0_ps).done);
  CHECK(small.stats().read == 100 * 64_B);
}

TEST_CASE("LinkedMemory: back-to-back runs stream at the slower rate, latency hidden") {
  const LinkedMemoryParams p = far_memory();
  LinkedMemory dut{"dut", p};
  const MemoryRun run{Access::Read, 0_B, 100 * p.chunk, 0_B};
  const Picoseconds first = dut.access(run, 0_ps).done;
  CHECK(dut.access(run, 0_ps).done == first + 100 * chunk_time(p, p.link_rate));
}

TEST_CASE("LinkedMemory: the transaction after a full queue is accepted when the first has left") {
  const LinkedMemoryParams p = far_memory();
  LinkedMemory dut{"dut", p};
  std::vector<AccessTiming> t;
  for (std::int64_t i = 0; i <= p.queue_depth; ++i)
    t.push_back(dut.access({Access::Read, 0_B, p.chunk, 0_B}, 0_ps));
  for (std::int64_t i = 0; i < p.queue_depth; ++i)
    CHECK(t[static_cast<std::size_t>(i)].accepted == 0_ps);
  CHECK(t.back().accepted == t.front().done);
}

}  // namespace
}  // namespace reticle
