// SPDX-License-Identifier: Apache-2.0
#include "models/tier/linked_memory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "tests/models/quantity_text.hpp"
#include "tests/models/test_params.hpp"

namespace reticle {
namespace {

/// A run of `bytes` in full packets, on the wire.
Picoseconds wire(const LinkedMemoryParams& p, Bytes bytes) {
  return transfer_time(bytes + bytes.count() / p.link.packet.count() * p.link.header, p.link.rate);
}
Picoseconds first_packet_in_device(const LinkedMemoryParams& p) {
  return transfer_time(p.link.packet, p.device.rate);
}

TEST_CASE("LinkedMemory: a read pays the link both ways, the device and its packet's time") {
  const LinkedMemoryParams p = far_memory();
  LinkedMemory dut{"dut", p};
  CHECK(dut.access({Access::Read, 0_B, p.link.packet, 0_B}, 9_ns).done ==
        9_ns + 2 * p.link.latency + first_packet_in_device(p) + p.device.read_latency +
            wire(p, p.link.packet));
}

TEST_CASE("LinkedMemory: a write pays the link one way, then the device") {
  const LinkedMemoryParams p = far_memory();
  LinkedMemory dut{"dut", p};
  CHECK(dut.access({Access::Write, 0_B, p.link.packet, 0_B}, 9_ns).done ==
        9_ns + wire(p, p.link.packet) + p.link.latency + first_packet_in_device(p) +
            p.device.write_latency);
}

TEST_CASE("LinkedMemory: the slower of device and link sets the rate, both latencies add") {
  for (const auto& [device, link] : {std::pair{32_GBps, 40_GBps}, std::pair{4_GBps, 40_GBps}}) {
    LinkedMemoryParams p = far_memory();
    p.device.rate = device;
    p.link.rate = link;
    const Bytes bytes = 1000 * p.device.channels * p.device.interleave;
    const Picoseconds on_device = transfer_time(bytes, peak_bandwidth(p.device));
    LinkedMemory reader{sc_core::sc_gen_unique_name("dut"), p};
    const Picoseconds read = reader.access({Access::Read, 0_B, bytes, 0_B}, 0_ps).done;
    CHECK(read ==
          2 * p.link.latency + p.device.read_latency +
              max(first_packet_in_device(p) + wire(p, bytes), on_device + wire(p, p.link.packet)));
    LinkedMemory writer{sc_core::sc_gen_unique_name("dut"), p};
    const Picoseconds write = writer.access({Access::Write, 0_B, bytes, 0_B}, 0_ps).done;
    CHECK(write ==
          p.link.latency + p.device.write_latency +
              max(wire(p, bytes) + first_packet_in_device(p), wire(p, p.link.packet) + on_device));
  }
}

TEST_CASE("LinkedMemory: a piece smaller than a packet pays a header of its own") {
  LinkedMemoryParams p = far_memory();
  p.device.rate = 1000_GBps;
  p.device.four_pages = {};
  p.device.page_read = 1_ns;
  LinkedMemory dut{"dut", p};
  const std::int64_t pieces = 1000;
  const AccessTiming t = dut.access({Access::Read, 0_B, pieces * 64_B, 64_B}, 0_ps);
  const Picoseconds each = transfer_time(64_B + p.link.header, p.link.rate);
  CHECK(t.done - t.first_data == pieces * each - wire(p, p.link.packet));
  CHECK(dut.stats().read == pieces * 64_B);
  CHECK(dut.stats().activates == pieces);
}

TEST_CASE("LinkedMemory: back-to-back reads stream at the slower rate, latency hidden") {
  const LinkedMemoryParams p = far_memory();
  LinkedMemory dut{"dut", p};
  const Bytes bytes = 100 * p.link.packet;
  const Picoseconds first = dut.access({Access::Read, 0_B, bytes, 0_B}, 0_ps).done;
  CHECK(dut.access({Access::Read, 0_B, bytes, 0_B}, 0_ps).done == first + wire(p, bytes));
}

TEST_CASE("LinkedMemory: reads and writes share the device, not the wire") {
  LinkedMemoryParams p = far_memory();
  p.device.rate = 1000_GBps;  // the link alone binds
  const Bytes bytes = 1000 * p.link.packet;
  LinkedMemory alone{"alone", p};
  const Picoseconds read = alone.access({Access::Read, 0_B, bytes, 0_B}, 0_ps).done;
  LinkedMemory both{"both", p};
  both.access({Access::Write, 0_B, bytes, 0_B}, 0_ps);
  CHECK(both.access({Access::Read, 0_B, bytes, 0_B}, 0_ps).done <
        read + Picoseconds{read.count() / 10});
  LinkedMemory twice{"twice", p};
  twice.access({Access::Read, 0_B, bytes, 0_B}, 0_ps);
  CHECK(twice.access({Access::Read, 0_B, bytes, 0_B}, 0_ps).done == read + wire(p, bytes));
}

TEST_CASE("LinkedMemory: the transaction after a full queue is accepted when the first has left") {
  const LinkedMemoryParams p = far_memory();
  LinkedMemory dut{"dut", p};
  std::vector<AccessTiming> t;
  for (std::int64_t i = 0; i <= p.queue_depth; ++i)
    t.push_back(dut.access({Access::Read, 0_B, p.link.packet, 0_B}, 0_ps));
  for (std::int64_t i = 0; i < p.queue_depth; ++i)
    CHECK(t[static_cast<std::size_t>(i)].accepted == 0_ps);
  CHECK(t.back().accepted == t.front().done);
}

}  // namespace
}  // namespace reticle
