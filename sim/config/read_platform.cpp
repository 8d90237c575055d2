// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_platform.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "sim/config/bounds.hpp"
#include "sim/config/enum_tables.hpp"
#include "sim/config/read_cooling.hpp"
#include "sim/config/read_fabric.hpp"
#include "sim/config/read_hbm.hpp"
#include "sim/config/read_kernels.hpp"
#include "sim/config/read_prices.hpp"
#include "sim/config/read_silicon.hpp"
#include "sim/config/read_tier.hpp"

namespace reticle {

namespace {
SequencerParams read_sequencer(const ConfigNode& node) {
  const SequencerParams defaults;
  const SequencerParams params{
      .static_prefetch = node.get<bool>("static_prefetch"),
      .launch_gap = node.get<Picoseconds>("launch_gap", defaults.launch_gap, bounds::kLatency),
      .step_overhead =
          node.get<Picoseconds>("step_overhead", defaults.step_overhead, bounds::kLatency),
      .staging = node.get<Bytes>("staging", bounds::kSize),
      .load_tile = node.get<Bytes>("load_tile", bounds::kSize),
  };
  node.check("load_tile", 2 * params.load_tile <= params.staging,
             "must be at most half of staging (" + ValueText<Bytes>::format(params.staging) + ")");
  node.check("launch_gap", !params.static_prefetch || params.launch_gap.count() == 0,
             "must be 0 with static_prefetch");
  node.reject_unknown_keys();
  return params;
}

SramParams read_sram(const ConfigNode& node) {
  const SramParams params{
      .capacity = node.get<Bytes>("capacity", bounds::kSize),
      .banks = node.get<std::int64_t>("banks", bounds::kCount),
      .width = node.get<Bytes>("width", {Bytes{1}, Bytes{65'536}}),
      .ports = node.get<std::int64_t>("ports", SramParams{}.ports, {1, 16}),
      .clock = node.get<Hertz>("clock", bounds::kClock),
      .latency = node.get<Cycles>("latency", bounds::kCycles),
      .interleave = node.get<Bytes>("interleave", bounds::kSize),
      .crossbar =
          node.get<Bytes>("crossbar", SramParams{}.crossbar, {Bytes{0}, bounds::kSize.high}),
      .form = node.get<ModelForm>("form", SramParams{}.form),
  };
  const std::int64_t row = params.banks * params.width.count();
  node.check("capacity", params.capacity.count() >= row,
             "must hold one width in each bank (" + std::to_string(row) + " B)");
  node.check(
      "banks",
      bounds::product_within(row * params.ports, params.clock.count(), bounds::kRate.high.count()),
      "banks x width x ports x clock must not exceed 1 PB/s");
  node.check("interleave", params.interleave.count() % params.width.count() == 0,
             "must be a multiple of the width");
  node.check("crossbar", params.crossbar.count() % params.width.count() == 0,
             "must be a multiple of the width (0 = a word of every bank)");
  node.reject_unknown_keys();
  return params;
}

/// Formats that are not listed are not supported.
std::array<std::int64_t, kPrecisionCount> read_cycles_per_pass(const ConfigNode& node) {
  std::array<std::int64_t, kPrecisionCount> cycles{};
  for (std::size_t i = 0; i < kPrecisionCount; ++i)
    if (!storage_only(kPrecisions[i].precision))
      cycles[i] = node.get<std::int64_t>(kPrecisions[i].name, 0, {0, 1024});
  node.reject_unknown_keys();
  return cycles;
}

/// Formats without units of their own, and the format in whose units they are computed: their
/// cycles are of that, and no peak of the chip. A label, which `describe` tells.
void check_computed_as(const ConfigNode& mac,
                       const std::array<std::int64_t, kPrecisionCount>& cycles) {
  const std::optional<ConfigNode> node = mac.find_child("computed_as");
  if (!node) return;
  std::array<std::optional<Precision>, kPrecisionCount> computed_as{};
  for (std::size_t i = 0; i < kPrecisionCount; ++i)
    computed_as[i] = node->find<Precision>(kPrecisions[i].name);
  for (std::size_t i = 0; i < kPrecisionCount; ++i) {
    if (!computed_as[i]) continue;
    const auto unit = static_cast<std::size_t>(*computed_as[i]);
    node->check(kPrecisions[i].name, cycles[unit] > 0 && !computed_as[unit],
                "expected a format that has units of its own");
    node->check(kPrecisions[i].name, cycles[i] >= cycles[unit],
                fmt::format("cannot take fewer cycles per pass than {}", name_of(*computed_as[i])));
  }
  node->reject_unknown_keys();
}

constexpr Range<Bytes> kBytesPerCycle{Bytes{0}, Bytes{1'000'000'000}};

MacParams read_mac(const ConfigNode& node) {
  const MacParams params{
      .arrays = node.get<std::int64_t>("arrays", bounds::kCount),
      .rows = node.get<std::int64_t>("rows", bounds::kCount),
      .cols = node.get<std::int64_t>("cols", bounds::kCount),
      .clock = node.get<Hertz>("clock", bounds::kClock),
      .double_buffered_weights =
          node.get<bool>("double_buffered_weights", MacParams{}.double_buffered_weights),
      .dataflow = node.get<Dataflow>("dataflow", MacParams{}.dataflow),
      .weight_bandwidth = node.get<Bytes>("weight_bandwidth", Bytes{0}, kBytesPerCycle),
      .activation_bandwidth = node.get<Bytes>("activation_bandwidth", Bytes{0}, kBytesPerCycle),
      .cycles_per_pass = read_cycles_per_pass(node.child("cycles_per_pass")),
  };
  constexpr std::int64_t kMostMacs = std::int64_t{1} << 32;
  node.check("arrays", macs_per_cycle(params) <= kMostMacs,
             "arrays x rows x cols must not exceed 2^32");
  if (std::ranges::all_of(params.cycles_per_pass, [](auto cycles) { return cycles == 0; }))
    node.fail("cycles_per_pass", "at least one number format must take cycles (0 = unsupported)");
  check_computed_as(node, params.cycles_per_pass);
  node.reject_unknown_keys();
  return params;
}

VectorParams read_vector(const ConfigNode& node) {
  const VectorParams params{
      .lanes = node.get<std::int64_t>("lanes", bounds::kLanes),
      .clock = node.get<Hertz>("clock", bounds::kClock),
      .latency = node.get<Cycles>("latency", bounds::kCycles),
      .transcendental_lanes =
          node.get<std::int64_t>("transcendental_lanes", std::int64_t{0}, {0, bounds::kLanes.high}),
      .reduction_step =
          node.get<Cycles>("reduction_step", VectorParams{}.reduction_step, bounds::kCycles),
  };
  node.check("transcendental_lanes", params.transcendental_lanes <= params.lanes,
             "must not exceed the lanes (0 = as many)");
  node.reject_unknown_keys();
  return params;
}

/// A die that is emptier is a mistake in the key.
constexpr double kLeastFill = 0.01;

DieParams read_die(const ConfigNode& node) {
  const ConfigNode sequencer = node.child("sequencer");
  DieParams die{
      .sequencer = read_sequencer(sequencer),
      .sram = read_sram(node.child("sram")),
      .hbm = {},
      .far = {},
      .flash = {},
      .mac = read_mac(node.child("mac")),
      .vector = read_vector(node.child("vector")),
      .kernels = {},
      .silicon = {},
      .area_mm2 = node.get<double>("area_mm2", DieParams{}.area_mm2, bounds::kSquareMillimetres),
      .fill = node.get<double>("fill", DieParams{}.fill, {0, 1}),
      .chiplets = node.get<std::int64_t>("chiplets", DieParams{}.chiplets, {1, 64}),
  };
  if (const auto hbm = node.find_child("hbm")) die.hbm = read_hbm(*hbm);
  if (const auto far = node.find_child("far")) die.far = read_linked_memory(*far);
  if (const auto flash = node.find_child("flash")) die.flash = read_linked_memory(*flash);
  if (node.has("kernels")) read_kernels(node.child("kernels"), die);
  if (const auto silicon = node.find_child("silicon")) die.silicon = read_silicon(*silicon);
  node.check("fill", die.fill == 0 || die.area_mm2 == 0,
             "stands in for area_mm2, which is stated too: state one of them");
  node.check("fill", die.fill == 0 || die.silicon,
             "needs silicon, whose densities say what the share is of");
  node.check("fill", die.fill == 0 || die.fill >= kLeastFill,
             "must be at least 0.01 (0 = not known)");
  sequencer.check("staging", die.sequencer.staging <= die.sram.capacity,
                  "must not exceed the SRAM (" + ValueText<Bytes>::format(die.sram.capacity) + ")");
  node.reject_unknown_keys();
  return die;
}

Nesting read_nesting(const ConfigNode& node) {
  const PlatformSpec defaults;
  const Nesting nesting{
      .dies_per_package = node.get<std::int64_t>("dies_per_package", bounds::kCount),
      .packages_per_node = node.get<std::int64_t>("packages_per_node", bounds::kCount),
      .nodes = node.get<std::int64_t>("nodes", defaults.nodes, bounds::kCount),
  };
  // Two factors of at most 2^16 each: the third product still fits 64 bits.
  const std::int64_t dies = nesting.dies_per_package * nesting.packages_per_node * nesting.nodes;
  node.check("nodes", dies <= bounds::kMaxDies,
             "the deployment may have at most " + std::to_string(bounds::kMaxDies) + " dies, not " +
                 std::to_string(dies) + ": one process elaborates them all");
  return nesting;
}

/// Sums over the deployment stay within 64 bits.
void check_capacities(const ConfigNode& die_node, const DieParams& die, std::int64_t dies) {
  constexpr std::int64_t kMost = 1'000'000'000'000'000'000;  // 1 EB of 9.2 EB
  const auto check = [&](std::string_view key, Bytes each) {
    if (!bounds::product_within(each.count(), dies, kMost))
      die_node.fail(key, "all dies together must not exceed 1 EB");
  };
  check("sram", die.sram.capacity);
  if (die.hbm) check("hbm", capacity(*die.hbm));
  if (die.far) check("far", die.far->capacity);
  if (die.flash) check("flash", die.flash->capacity);
}

constexpr std::array<std::string_view, 4> kStatusWords{"shipping", "announced", "claim",
                                                       "hypothetical"};
}  // namespace

namespace {
/// A node's price and power limit are stated for `priced_packages`; with more or fewer packages
/// both go in proportion, so that a sweep of the node's size compares like with like.
void scale_node(PlatformSpec& platform, std::int64_t priced_packages) {
  const double scale =
      static_cast<double>(platform.packages_per_node) / static_cast<double>(priced_packages);
  platform.cost.node_price_usd *= scale;
  platform.cost.node_parts_usd *= scale;
  platform.node_power_limit_w *= scale;
}
}  // namespace

PlatformSpec read_platform(const ConfigNode& node) {
  PlatformSpec platform;
  platform.name = node.get<std::string>("name");
  node.check("name", !platform.name.empty(), "must not be empty");
  platform.title = node.get<std::string>("title", platform.title);
  platform.process = node.get<std::string>("process", platform.process);
  platform.status = node.get<std::string>("status");
  node.takes_words("status", {kStatusWords.begin(), kStatusWords.end()});
  node.check("status", std::ranges::count(kStatusWords, platform.status) > 0,
             "must be shipping, announced, claim or hypothetical");
  platform.claims = node.texts("claims");

  const Nesting nesting = read_nesting(node);
  platform.dies_per_package = nesting.dies_per_package;
  platform.packages_per_node = nesting.packages_per_node;
  platform.nodes = nesting.nodes;
  const ConfigNode die_node = node.child("die");
  platform.die = read_die(die_node);
  check_capacities(die_node, platform.die, dies(platform));
  platform.fabric = read_fabric(node.child("fabric"), nesting);
  read_energy(node.child("energy"), PriceCoverage::Whole, platform);
  read_cost(node.child("cost"), PriceCoverage::Whole, platform.cost);
  platform.node_power_limit_w =
      node.get<double>("node_power_limit_w", platform.node_power_limit_w, bounds::kWatts);
  scale_node(platform,
             node.get<std::int64_t>("priced_packages", nesting.packages_per_node, bounds::kCount));
  platform.heat_flux_limit_w_per_mm2 = node.get<double>(
      "heat_flux_limit_w_per_mm2", platform.heat_flux_limit_w_per_mm2, Range<double>{0, 1000});
  if (const auto cooling = node.find_child("cooling")) {
    platform.cooling = read_cooling(*cooling);
    if (platform.die.area_mm2 == 0 && platform.die.fill == 0)
      node.fail("cooling", "needs die.area_mm2 or die.fill, as heat leaves by area");
  }
  node.reject_unknown_keys();
  return platform;
}

}  // namespace reticle
