// SPDX-License-Identifier: Apache-2.0
// The shipped tables of devices and links beside published figures. `ctest -R "Tier tables" -V`
// prints what docs/models/tiers.md states.
#include <doctest/doctest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "models/tier/linked_memory.hpp"
#include "sim/config/read_run.hpp"
#include "tests/models/quantity_text.hpp"

namespace reticle {
namespace {
using namespace literals;

LinkedMemoryParams table(const std::string& device, std::int64_t channels,
                         const std::string& link) {
  const std::string far = "platform.die.far.";
  return *read_platform("ref-asic",
                        {far + "device.standard=" + device, far + "link.standard=" + link,
                         far + "device.channels=" + std::to_string(channels)})
              .die.far;
}

/// Bytes a second of a long read in pieces (0 = one run), latencies aside.
double gigabytes_per_second(const LinkedMemoryParams& p, Bytes piece, Access kind = Access::Read) {
  LinkedMemory dut{sc_core::sc_gen_unique_name("dut"), p};
  const Bytes bytes = 64_MiB;
  const AccessTiming t = dut.access({kind, 0_B, bytes, piece}, 0_ps);
  return static_cast<double>(bytes.count()) / seconds(t.done - t.first_data) * 1e-9;
}

double latency_ns(const LinkedMemoryParams& p, Bytes bytes) {
  LinkedMemory dut{sc_core::sc_gen_unique_name("dut"), p};
  return seconds(dut.access({Access::Read, 0_B, bytes, 0_B}, 0_ps).done) * 1e9;
}

LinkedMemoryParams without_link(LinkedMemoryParams p) {
  p.link.rate = BytesPerSecond{1'000'000'000'000};
  p.link.header = 0_B;
  return p;
}

TEST_CASE("Tier tables: streams, small random reads and latencies") {
  struct Row {
    const char* what;
    double value, low, high;  ///< what the page states, to its last digit
  };
  const auto ddr5 = without_link(table("ddr5", 1, "cxl3-x8"));
  const auto lpddr = without_link(table("lpddr5x", 1, "cxl3-x8"));
  const auto nvme = table("nvme", 16, "pcie5-x4");
  const auto c2c = table("lpddr5x", 64, "nvlink-c2c");
  const auto cxl = table("ddr5", 2, "cxl3-x8");
  const std::vector<Row> rows{
      {"ddr5 channel, stream GB/s", gigabytes_per_second(ddr5, 0_B), 23.6, 23.7},
      {"ddr5 channel, 64 B random GB/s", gigabytes_per_second(ddr5, 64_B), 11.8, 11.9},
      {"lpddr5x channel, stream GB/s", gigabytes_per_second(lpddr, 0_B), 15.8, 15.9},
      {"lpddr5x channel, 64 B random GB/s", gigabytes_per_second(lpddr, 64_B), 11.8, 11.9},
      {"nvme drive, stream read GB/s", gigabytes_per_second(nvme, 0_B), 14.3, 14.5},
      {"nvme drive, 4 KiB random M/s", gigabytes_per_second(nvme, 4_KiB) / 4.096, 3.45, 3.6},
      {"nvme drive, stream write GB/s", gigabytes_per_second(nvme, 0_B, Access::Write), 4.4, 4.7},
      {"nvme drive, 4 KiB read latency us", latency_ns(nvme, 4_KiB) / 1000, 73, 76},
      {"nvlink-c2c, stream GB/s", gigabytes_per_second(c2c, 0_B), 374, 377},
      {"cxl memory, 64 B read latency ns", latency_ns(cxl, 64_B), 220, 228},
  };
  for (const Row& row : rows) {
    std::printf("%-40s %8.2f\n", row.what, row.value);
    CAPTURE(row.what);
    CHECK(row.value >= row.low);
    CHECK(row.value <= row.high);
  }
}

}  // namespace
}  // namespace reticle
