// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_kernels.hpp"

#include <array>
#include <cmath>
#include <string>

#include "sim/config/bounds.hpp"
#include "sim/config/standard_table.hpp"

namespace reticle {

namespace {
constexpr std::array<std::string_view, kKernelKindCount> kKindKeys{
    "small", "product", "experts", "attention", "attention_fp8", "latent_attention", "prefill"};
constexpr std::array<std::string_view, kMacUseCount> kUseKeys{"dense", "grouped", "grouped_block",
                                                              "attention"};
constexpr Range<double> kShare{0.001, 1};
constexpr Range<Picoseconds> kKernelTime{Picoseconds{0}, Picoseconds{10'000'000'000}};  // 10 ms

std::int64_t read_scaled(const ConfigNode& node, std::string_view key, double scale,
                         Range<double> range) {
  return std::llround(node.get<double>(key, range) * scale);
}

/// Times by number format; formats that are not listed take none.
std::array<Picoseconds, kPrecisionCount> read_times(const ConfigNode& node) {
  std::array<Picoseconds, kPrecisionCount> times{};
  for (std::size_t i = 0; i < kPrecisionCount; ++i)
    if (!storage_only(kPrecisions[i].precision))
      times[i] = node.get<Picoseconds>(kPrecisions[i].name, Picoseconds{}, kKernelTime);
  node.reject_unknown_keys();
  return times;
}

/// Formats that are not listed run at the peak.
std::array<std::int64_t, kPrecisionCount> read_sustained(const ConfigNode& node) {
  std::array<std::int64_t, kPrecisionCount> shares{};
  for (std::size_t i = 0; i < kPrecisionCount; ++i) {
    const auto key = kPrecisions[i].name;
    if (!storage_only(kPrecisions[i].precision) && node.has(key))
      shares[i] = read_scaled(node, key, 1000, kShare);
  }
  node.reject_unknown_keys();
  return shares;
}

constexpr Range<double> kWire{1, 100};

ProtocolParams read_protocol(const ConfigNode& node) {
  ProtocolParams params;
  params.step = node.get<Picoseconds>("step", kKernelTime);
  params.wire_permille = read_scaled(node, "wire", 1000, kWire);
  node.reject_unknown_keys();
  return params;
}

CollectiveParams read_collective(const ConfigNode& node) {
  CollectiveParams params;
  params.start = node.get<Picoseconds>("start", kKernelTime);
  params.direct_permille = read_scaled(node, "direct_wire", 1000, kWire);
  params.ring_start = node.get<Picoseconds>("ring_start", kKernelTime);
  params.latency = read_protocol(node.child("latency"));
  params.bulk = read_protocol(node.child("bulk"));
  params.dispatch = read_protocol(node.child("dispatch"));
  params.dispatch_bulk = read_protocol(node.child("dispatch_bulk"));
  node.reject_unknown_keys();
  return params;
}

void read_table(const ConfigNode& node, KernelParams& kernels, MacParams& mac) {
  constexpr Range<double> kPasses{0, 1000};
  const ConfigNode begin = node.child("begin");
  for (std::size_t i = 0; i < kKindKeys.size(); ++i)
    kernels.begin[i] = begin.get<Picoseconds>(kKindKeys[i], kKernelTime);
  begin.reject_unknown_keys();
  kernels.quantise = read_times(node.child("quantise"));
  if (const auto walk = node.find_child("walk")) kernels.walk = read_times(*walk);
  kernels.shared_beside = node.get<bool>("shared_beside", false);
  kernels.per_tensor = node.get<Picoseconds>("per_tensor", Picoseconds{}, kKernelTime);
  kernels.block_experts = node.get<Picoseconds>("block_experts", Picoseconds{}, kKernelTime);
  kernels.host = node.get<Picoseconds>("host", Picoseconds{}, kKernelTime);
  kernels.crossbar_permille = read_scaled(node, "crossbar_share", 1000, kShare);
  kernels.operand_passes = read_scaled(node, "operand_passes", 100, kPasses);
  kernels.expert_passes = read_scaled(node, "expert_passes", 100, kPasses);
  kernels.cache_passes = read_scaled(node, "cache_passes", 100, kPasses);
  kernels.latent_passes = read_scaled(node, "latent_passes", 100, kPasses);
  kernels.prefill_passes = read_scaled(node, "prefill_passes", 100, kPasses);
  const ConfigNode sustained = node.child("sustained");
  for (std::size_t i = 0; i < kUseKeys.size(); ++i)
    mac.sustained_permille[i] = read_sustained(sustained.child(kUseKeys[i]));
  sustained.reject_unknown_keys();
  kernels.collective = read_collective(node.child("collective"));
  node.reject_unknown_keys();
}
}  // namespace

void read_kernels(const ConfigNode& node, DieParams& die) {
  KernelParams kernels;
  kernels.standard = standard_name(node, CatalogueKind::Kernels);
  read_table(node, kernels, die.mac);
  if (die.sequencer.static_prefetch)
    node.fail("standard", "expected static_prefetch=false: kernels run one after another");
  if (die.sequencer.launch_gap.count() > 0)
    node.fail("standard", "expected launch_gap=0: the table says what a kernel's begin takes");
  if (!die.hbm) node.fail("standard", "expected a die with hbm, whose pins crossbar_share is of");
  die.kernels = kernels;
}

void check_kernel_table(const ConfigNode& node) {
  (void)node.get<std::string>("name");
  (void)node.get<std::string>("title");
  KernelParams kernels;
  MacParams mac;
  read_table(node, kernels, mac);
}

}  // namespace reticle
