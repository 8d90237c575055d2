// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_platform.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "sim/config/read_run.hpp"
#include "tests/sim/config/config_fixture.hpp"

namespace reticle {
namespace {
using namespace literals;
using test::message_of;

/// What `assignment` on a shipped platform answers, less the "--set ...: platform." before it.
std::string refusal(const std::string& platform, const std::string& assignment) {
  const std::string text =
      message_of([&] { (void)read_platform(platform, {"platform." + assignment}); });
  const std::string prefix = "--set platform." + assignment + ": platform.";
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

struct Refusal {
  std::string platform;
  std::string assignment;
  std::string message;
};
}  // namespace

TEST_CASE("read_platform: nonsense across fields is refused at load time") {
  const std::vector<Refusal> cases{
      {"ref-asic", "die.sequencer.load_tile=65 MiB",
       "die.sequencer.load_tile: must be at most half of staging (128 MiB), got 65 MiB"},
      {"ref-asic", "die.sequencer.staging=2 GB",
       "die.sequencer.staging: must not exceed the SRAM (1.6 GB), got 2 GB"},
      {"ref-asic", "die.sequencer.launch_gap=1 us",
       "die.sequencer.launch_gap: must be 0 with static_prefetch, got 1 us"},
      {"ref-asic", "die.sram.interleave=3000 B",
       "die.sram.interleave: must be a multiple of the width, got 3 kB"},
      {"ref-asic", "die.mac.dataflow=output",
       "die.mac.dataflow: expected one of weight-stationary, output-stationary, got 'output'"},
      {"ref-asic", "die.vector.transcendental_lanes=16385",
       "die.vector.transcendental_lanes: must not exceed the lanes (0 = as many), got 16385"},
      {"ref-asic", "die.sram.crossbar=3000 B",
       "die.sram.crossbar: must be a multiple of the width (0 = a word of every bank), got 3 kB"},
      {"ref-asic", "die.sram.form=cycles",
       "die.sram.form: expected one of transaction, cycle, got 'cycles'"},
      {"ref-asic", "die.sram.capacity=1 kB",
       "die.sram.capacity: must hold one width in each bank (65536 B), got 1 kB"},
      {"ref-asic", "die.sram.banks=65536",
       "die.sram.banks: banks x width x ports x clock must not exceed 1 PB/s, got 65536"},
      {"ref-asic", "die.hbm.stacks=0", "die.hbm.stacks: must be between 1 and 256, got 0"},
      {"ref-asic", "die.hbm.timing.t_burst=900 ps",
       "die.hbm.timing.t_burst: must be burst / (dq_width x data_rate) = 1 ns to 1 %, got 900 ps"},
      {"ref-asic", "die.hbm.timing.t_rc=40 ns",
       "die.hbm.timing.t_rc: must be at least t_ras + t_rp = 45 ns, got 40 ns"},
      {"ref-asic", "die.hbm.timing.t_refi=500 ns",
       "die.hbm.timing.t_refi: must be at least t_rfc_ab + t_rp + t_rcd_rd + t_rtp = 572 ns, got "
       "500 ns"},
      {"ref-asic", "die.hbm.row=1000 B", "die.hbm.row: must be a multiple of the burst, got 1 kB"},
      {"ref-asic", "die.hbm.simulated_channels=3",
       "die.hbm.simulated_channels: must divide the die's 128 pseudo-channels, got 3"},
      {"ref-asic", "die.hbm.capacity_per_stack=1 MB",
       "die.hbm.capacity_per_stack: must hold at least one row in each of 3072 banks, got 1 MB"},
      {"ref-asic", "die.far.capacity=1 kB",
       "die.far.capacity: must hold at least one page in each of 128 banks, got 1 kB"},
      {"ref-asic", "die.far.device.interleave=100 B",
       "die.far.device.interleave: must be a multiple of the burst, got 100 B"},
      {"ref-asic", "die.far.device.refresh_time=4 us",
       "die.far.device.refresh_time: must be less than refresh_interval (0 and 0 = no refresh), "
       "got 4 us"},
      {"ref-asic", "die.far.device.standard=ddr4",
       "die.far.device.standard: unknown memory device 'ddr4' (did you mean ddr5?); known: ddr5, "
       "lpddr5x, nvme"},
      {"ref-asic", "die.far.link.packets=1 B",
       "die.far.link.packets: unknown key (did you mean packet?)"},
      {"ref-asic", "die.flash.capacity=1 TB", "die.flash.device: required section is missing"},
      {"ref-asic", "fabric.node.ports=3",
       "fabric.node.ports: must divide the 4 dies joined as one, got 3"},
      {"ref-asic", "fabric.node.width=11",
       "fabric.node.width: width x height must be the 12 joined here, got 11 x 1"},
      {"ref-asic", "fabric.package.height=2",
       "fabric.package.height: must be 1 unless kind is mesh2d or torus2d, got 2"},
      {"ref-asic", "fabric.package=none",
       "fabric.package: required section is missing: it joins 4 parts"},
      {"ref-asic", "fabric.node.rate=0 B/s",
       "fabric.node.rate: must be between 1 MB/s and 1000 TB/s, got 0 B/s"},
      {"ref-asic", "nodes=2000",
       "nodes: the deployment may have at most 65536 dies, not 96000: one process elaborates them "
       "all, got 2000"},
      {"ref-asic", "dies_per_package=0", "dies_per_package: must be between 1 and 65536, got 0"},
      {"ref-asic", "status=imaginary",
       "status: must be shipping, announced, claim or hypothetical, got imaginary"},
      {"ref-asic", "energy.hbm.io_pj_per_bit=-1",
       "energy.hbm.io_pj_per_bit: must be between 0 and 1000000, got -1"},
      {"ref-asic", "energy.mac_pj.fp5=1", "energy.mac_pj.fp5: unknown key (did you mean fp8?)"},
      {"ref-asic", "cost.utilisation=1.2",
       "cost.utilisation: must be between 1e-09 and 1, got 1.2"},
      {"ref-asic", "cost.pue=0.9", "cost.pue: must be between 1 and 10, got 0.9"},
  };
  for (const auto& c : cases)
    CHECK_MESSAGE(refusal(c.platform, c.assignment) == c.message, c.assignment);
}

TEST_CASE("read_platform: the product of the array sizes is bounded") {
  CHECK(refusal("ref-asic", "die.mac.arrays=65536") == "no error");
  CHECK(refusal("ref-asic", "die.mac.rows=65536")
            .ends_with("die.mac.arrays: arrays x rows x cols must not exceed 2^32, got 1024"));
}

TEST_CASE("read_platform: at least one number format must be computed") {
  const std::vector<std::string> none{
      "platform.die.mac.cycles_per_pass.bf16=0",  "platform.die.mac.cycles_per_pass.fp16=0",
      "platform.die.mac.cycles_per_pass.fp8=0",   "platform.die.mac.cycles_per_pass.int8=0",
      "platform.die.mac.cycles_per_pass.mxfp4=0", "platform.die.mac.cycles_per_pass.nvfp4=0"};
  CHECK(message_of([&] { (void)read_platform("ref-asic", none); })
            .ends_with("platform.die.mac.cycles_per_pass: at least one number format must take "
                       "cycles (0 = unsupported)"));
}

TEST_CASE(
    "read_platform: a format is computed in units that are there, and no faster than they are") {
  const std::string key = "die.mac.computed_as.mxfp4: ";
  CHECK(refusal("h100-8", "die.mac.computed_as.mxfp4=fp32") ==
        key + "expected a format that has units of its own, got fp32");
  CHECK(refusal("h100-8", "die.mac.computed_as.mxfp4=nvfp4") ==
        key + "expected a format that has units of its own, got nvfp4");
  CHECK(refusal("h100-8", "die.mac.computed_as.mxfp4=mxfp4") ==
        key + "expected a format that has units of its own, got mxfp4");
  CHECK(refusal("h100-8", "die.mac.cycles_per_pass.fp8=2")
            .ends_with("cannot take fewer cycles per pass than fp8, got fp8"));
  CHECK(refusal("h100-8", "die.mac.computed_as=none") == "no error");
}

TEST_CASE("read_platform: forgotten prices are not free") {
  const PlatformSpec whole = read_platform("h100-8");
  CHECK(whole.energy.transport_pj_per_bit > 0);
  const std::string text =
      message_of([] { (void)read_platform("h100-8", {"platform.energy.link_pj_per_bit=none"}); });
  CHECK(text.ends_with("platform.energy.link_pj_per_bit: expected a section, got 'none'"));
}

TEST_CASE("read_platform: capacities of all dies together fit 64 bits") {
  CHECK(refusal("ref-asic", "die.far.capacity=1 PB") == "no error");
  const std::vector<std::string> vast{"platform.die.far.capacity=1 PB", "platform.nodes=1000"};
  CHECK(message_of([&] {
          (void)read_platform("ref-asic", vast);
        }).ends_with("platform.die.far: all dies together must not exceed 1 EB"));
}

TEST_CASE("read_platform: the levels of the fabric multiply to the dies") {
  const auto levels = [](const std::vector<std::string>& sets) {
    const PlatformSpec platform = read_platform("ref-asic", sets);
    std::int64_t product = 1;
    std::string names;
    for (const auto& level : platform.fabric.levels) {
      product *= level.width * level.height;
      names += level.name + " ";
    }
    CHECK(product == dies(platform));
    CHECK(platform.energy.link_pj_per_bit.size() == platform.fabric.levels.size());
    return names;
  };
  CHECK(levels({}) == "package node ");
  CHECK(levels({"platform.nodes=3"}) == "package node scale_out ");
  CHECK(levels({"platform.packages_per_node=24"}) == "package node ");
  CHECK(levels({"platform.dies_per_package=1", "platform.fabric.node.ports=1"}) == "node ");
  CHECK(levels({"platform.fabric.node.kind=mesh2d", "platform.fabric.node.height=3"}) ==
        "package node ");
}

TEST_CASE("read_platform: an HBM table is filled in, and the platform may overrule it") {
  const HbmParams table = *read_platform("ref-asic").die.hbm;
  CHECK(table.standard == "hbm4");
  CHECK(table.timing.t_burst == 1_ns);
  CHECK(peak_bandwidth(table) == BytesPerSecond{4'096'000'000'000});

  const HbmParams faster =
      *read_platform("ref-asic", {"platform.die.hbm.data_rate=10 Gb/s"}).die.hbm;
  CHECK(faster.timing.t_burst == 800_ps);
  CHECK(faster.timing.t_ccd_l == 1600_ps);
  CHECK(faster.timing.t_rp == table.timing.t_rp);

  const HbmParams other = *read_platform("ref-asic", {"platform.die.hbm.standard=hbm3",
                                                      "platform.die.hbm.timing.t_rp=20 ns",
                                                      "platform.die.hbm.timing.t_rc=50 ns"})
                               .die.hbm;
  CHECK(other.pseudo_channels == 32);
  CHECK(other.timing.t_rp == 20_ns);
  CHECK(other.timing.t_ras == 28'125_ps);
  CHECK(refusal("ref-asic", "die.hbm.standard=hbm5") ==
        "die.hbm.standard: unknown HBM standard 'hbm5' (did you mean hbm2?); known: hbm2, hbm2e, "
        "hbm3, hbm3e, "
        "hbm4");
}

TEST_CASE("read_platform: memories can be taken away") {
  const PlatformSpec bare =
      read_platform("ref-asic", {"platform.die.hbm=none", "platform.die.far=none"});
  CHECK_FALSE(bare.die.hbm.has_value());
  CHECK_FALSE(bare.die.far.has_value());
}
TEST_CASE("read_platform: price and power limit of a node follow its packages") {
  const PlatformSpec whole = read_platform("ref-asic");
  const PlatformSpec half = read_platform("ref-asic", {"platform.packages_per_node=6"});
  CHECK(half.cost.node_price_usd == doctest::Approx(whole.cost.node_price_usd / 2));
  CHECK(half.node_power_limit_w == doctest::Approx(whole.node_power_limit_w / 2));
  const PlatformSpec two = read_platform("ref-asic", {"platform.nodes=2"});
  CHECK(two.cost.node_price_usd == whole.cost.node_price_usd);  // per node
}

}  // namespace reticle
