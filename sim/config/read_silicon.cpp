// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_silicon.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "sim/config/bounds.hpp"
#include "sim/config/standard_table.hpp"

namespace reticle {

namespace {
struct Key {
  std::string_view key;
  double SiliconParams::*member;
  Range<double> range;
};

constexpr double kTiny = 1e-9;  // stands for "more than zero"
constexpr std::array kKeys{
    Key{"wafer_usd", &SiliconParams::wafer_usd, {0, 1e7}},
    Key{"wafer_mm", &SiliconParams::wafer_mm, {100, 450}},
    Key{"edge_mm", &SiliconParams::edge_mm, {0, 20}},
    Key{"scribe_mm", &SiliconParams::scribe_mm, {0, 5}},
    Key{"defects_per_cm2", &SiliconParams::defects_per_cm2, {0, 100}},
    Key{"cluster_alpha", &SiliconParams::cluster_alpha, {0.1, 1000}},
    Key{"sram_mbit_per_mm2", &SiliconParams::sram_mbit_per_mm2, {kTiny, 1e4}},
    Key{"sram_repaired", &SiliconParams::sram_repaired, {0, 1}},
    Key{"hbm_phy_mm2", &SiliconParams::hbm_phy_mm2, {0, 1000}},
};

/// Formats that are not listed take no area of their own.
void read_mac_areas(const ConfigNode& node, SiliconParams& silicon) {
  for (std::size_t i = 0; i < kPrecisionCount; ++i)
    if (!storage_only(kPrecisions[i].precision))
      silicon.mac_um2[i] = node.get<double>(kPrecisions[i].name, 0, {0, 1e6});
  node.reject_unknown_keys();
}

SiliconParams read_table(const ConfigNode& node) {
  SiliconParams silicon;
  for (const Key& row : kKeys) silicon.*row.member = node.get<double>(row.key, row.range);
  read_mac_areas(node.child("mac_um2"), silicon);
  return silicon;
}
}  // namespace

SiliconParams read_silicon(const ConfigNode& node) {
  auto standard = standard_name(node, CatalogueKind::Silicon);
  SiliconParams silicon = read_table(node);
  silicon.standard = standard;
  silicon.whole_wafer = node.get<bool>("whole_wafer", silicon.whole_wafer);
  node.reject_unknown_keys();
  return silicon;
}

void check_silicon_table(const ConfigNode& node) {
  (void)node.get<std::string>("name");
  (void)node.get<std::string>("title");
  (void)read_table(node);
  node.reject_unknown_keys();
}

double* silicon_value_at(DieParams& die, std::string_view path) {
  constexpr std::string_view kDie = "platform.die.", kSilicon = "silicon.", kMac = "mac_um2.";
  if (!path.starts_with(kDie) || !die.silicon) return nullptr;
  path.remove_prefix(kDie.size());
  if (path == "fill") return &die.fill;
  if (!path.starts_with(kSilicon)) return nullptr;
  path.remove_prefix(kSilicon.size());
  if (path.starts_with(kMac)) {
    path.remove_prefix(kMac.size());
    const auto format = std::ranges::find(kPrecisions, path, &PrecisionFact::name);
    return format == std::end(kPrecisions)
               ? nullptr
               : &die.silicon->mac_um2[static_cast<std::size_t>(format - std::begin(kPrecisions))];
  }
  const auto row = std::ranges::find(kKeys, path, &Key::key);
  return row == kKeys.end() ? nullptr : &((*die.silicon).*row->member);
}

}  // namespace reticle
