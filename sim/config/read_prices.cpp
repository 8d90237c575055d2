// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_prices.hpp"

#include <algorithm>
#include <array>

#include "sim/config/bounds.hpp"
#include "sim/config/catalogue.hpp"
#include "sim/config/read_fabric.hpp"
#include "sim/config/read_silicon.hpp"
#include "sim/config/yaml_reader.hpp"

namespace reticle {

namespace {
template <class Section>
struct PriceKey {
  std::string_view key;
  double Section::*member;
  Range<double> range;
};

constexpr std::array kEnergyKeys{
    PriceKey<EnergyPrices>{"sram_read_pj_per_bit", &EnergyPrices::sram_read_pj_per_bit,
                           bounds::kPicojoules},
    PriceKey<EnergyPrices>{"sram_write_pj_per_bit", &EnergyPrices::sram_write_pj_per_bit,
                           bounds::kPicojoules},
    PriceKey<EnergyPrices>{"far_pj_per_bit", &EnergyPrices::far_pj_per_bit, bounds::kPicojoules},
    PriceKey<EnergyPrices>{"transport_pj_per_bit", &EnergyPrices::transport_pj_per_bit,
                           bounds::kPicojoules},
    PriceKey<EnergyPrices>{"vector_pj", &EnergyPrices::vector_pj, bounds::kPicojoules},
    PriceKey<EnergyPrices>{"die_static_w", &EnergyPrices::die_static_w, bounds::kWatts},
    PriceKey<EnergyPrices>{"sram_leakage_w_per_mb", &EnergyPrices::sram_leakage_w_per_mb,
                           bounds::kWatts},
    PriceKey<EnergyPrices>{"package_static_w", &EnergyPrices::package_static_w, bounds::kWatts},
};

/// Needed where there is flash.
constexpr std::array kFlashKey{
    PriceKey<EnergyPrices>{"flash_pj_per_bit", &EnergyPrices::flash_pj_per_bit,
                           bounds::kPicojoules},
};

constexpr std::array kHbmKeys{
    PriceKey<HbmPrices>{"activate_nj", &HbmPrices::activate_nj, bounds::kPicojoules},
    PriceKey<HbmPrices>{"read_pj_per_bit", &HbmPrices::read_pj_per_bit, bounds::kPicojoules},
    PriceKey<HbmPrices>{"write_pj_per_bit", &HbmPrices::write_pj_per_bit, bounds::kPicojoules},
    PriceKey<HbmPrices>{"io_pj_per_bit", &HbmPrices::io_pj_per_bit, bounds::kPicojoules},
    PriceKey<HbmPrices>{"bank_active_mw", &HbmPrices::bank_active_mw, bounds::kWatts},
    PriceKey<HbmPrices>{"refresh_row_nj", &HbmPrices::refresh_row_nj, bounds::kPicojoules},
    PriceKey<HbmPrices>{"background_w_per_stack", &HbmPrices::background_w_per_stack,
                        bounds::kWatts},
    PriceKey<HbmPrices>{"phy_pj_per_bit", &HbmPrices::phy_pj_per_bit, bounds::kPicojoules},
};

constexpr double kTiny = 1e-9;  // stands for "more than zero"
constexpr std::array kCostKeys{
    PriceKey<CostParams>{"lifetime_years", &CostParams::lifetime_years, {kTiny, 100}},
    PriceKey<CostParams>{"utilisation", &CostParams::utilisation, {kTiny, 1}},
    PriceKey<CostParams>{"electricity_usd_per_kwh", &CostParams::electricity_usd_per_kwh, {0, 100}},
    PriceKey<CostParams>{"pue", &CostParams::pue, {1, 10}},
    PriceKey<CostParams>{
        "stream_rate_tokens_per_s", &CostParams::stream_rate_tokens_per_s, {kTiny, 1e6}},
};

/// May be absent from a platform too: 0 = not priced.
constexpr std::array kOptionalCostKeys{
    PriceKey<CostParams>{"node_price_usd", &CostParams::node_price_usd, bounds::kDollars},
    PriceKey<CostParams>{"markup", &CostParams::markup, {0, 1000}},
    PriceKey<CostParams>{"package_usd", &CostParams::package_usd, bounds::kDollars},
    PriceKey<CostParams>{"bond_yield", &CostParams::bond_yield, {kTiny, 1}},
    PriceKey<CostParams>{"hbm_usd_per_gb", &CostParams::hbm_usd_per_gb, bounds::kDollars},
    PriceKey<CostParams>{"far_usd_per_gb", &CostParams::far_usd_per_gb, bounds::kDollars},
    PriceKey<CostParams>{"node_parts_usd", &CostParams::node_parts_usd, bounds::kDollars},
    PriceKey<CostParams>{
        "hosting_usd_per_kw_month", &CostParams::hosting_usd_per_kw_month, {0, 1e5}},
    PriceKey<CostParams>{"nre_usd", &CostParams::nre_usd, bounds::kDollars},
    PriceKey<CostParams>{"nre_nodes", &CostParams::nre_nodes, {0, 1e9}},
};

template <class Section, std::size_t n>
void read_table(const ConfigNode& node, PriceCoverage coverage,
                const std::array<PriceKey<Section>, n>& keys, Section& section) {
  for (const auto& row : keys)
    if (node.has(row.key) || coverage == PriceCoverage::Whole)
      section.*row.member = node.get<double>(row.key, row.range);
}

void read_mac_prices(const ConfigNode& node, PriceCoverage coverage, EnergyPrices& prices) {
  for (std::size_t i = 0; i < kPrecisionCount; ++i)
    if (!storage_only(kPrecisions[i].precision) &&
        (node.has(kPrecisions[i].name) || coverage == PriceCoverage::Whole))
      prices.mac_pj[i] = node.get<double>(kPrecisions[i].name, bounds::kPicojoules);
  node.reject_unknown_keys();
}

/// A level that joins nothing here may be priced, and is then of no consequence.
void read_link_prices(const ConfigNode& node, PriceCoverage coverage, const FabricParams& fabric,
                      EnergyPrices& prices) {
  prices.link_pj_per_bit.resize(fabric.levels.size());
  for (const std::string_view key : kFabricLevels) {
    const auto level = std::ranges::find(fabric.levels, key, &FabricLevel::name);
    const bool used = level != fabric.levels.end();
    if (!node.has(key) && (!used || coverage == PriceCoverage::Partial)) continue;
    const double price = node.get<double>(key, bounds::kPicojoules);
    if (used)
      prices.link_pj_per_bit[static_cast<std::size_t>(level - fabric.levels.begin())] = price;
  }
  node.reject_unknown_keys();
}

template <class Read>
void read_section(const ConfigNode& node, std::string_view key, PriceCoverage coverage, Read read) {
  if (node.has(key) || coverage == PriceCoverage::Whole) read(node.child(key));
}

/// {platform: <the table>}, so that a table's keys are called as the platform's are.
ConfigTree under_platform(ConfigTree table) {
  ConfigTree root = make_map(table.position);
  put(root, "platform", std::move(table));
  return root;
}
}  // namespace

void read_hbm_prices(const ConfigNode& node, PriceCoverage coverage, HbmPrices& prices) {
  read_table(node, coverage, kHbmKeys, prices);
  node.reject_unknown_keys();
}

void read_energy(const ConfigNode& node, PriceCoverage coverage, PlatformSpec& platform) {
  EnergyPrices& prices = platform.energy;
  const FabricParams& fabric = platform.fabric;
  // Prices of stacks that are not there are of no consequence.
  const auto hbm_coverage = platform.die.hbm ? coverage : PriceCoverage::Partial;
  read_section(node, "hbm", hbm_coverage,
               [&](const ConfigNode& hbm) { read_hbm_prices(hbm, hbm_coverage, prices.hbm); });
  read_table(node, coverage, kEnergyKeys, prices);
  if (node.has(kFlashKey.front().key) || platform.die.flash)
    read_table(node, coverage, kFlashKey, prices);
  read_section(node, "mac_pj", coverage,
               [&](const ConfigNode& macs) { read_mac_prices(macs, coverage, prices); });
  read_section(node, "link_pj_per_bit", coverage,
               [&](const ConfigNode& links) { read_link_prices(links, coverage, fabric, prices); });
  node.reject_unknown_keys();
}

void read_cost(const ConfigNode& node, PriceCoverage coverage, CostParams& cost) {
  read_table(node, coverage, kCostKeys, cost);
  read_table(node, PriceCoverage::Partial, kOptionalCostKeys, cost);
  if (coverage == PriceCoverage::Whole && !node.has("node_price_usd") && cost.markup == 0)
    node.fail("node_price_usd",
              "missing, and no markup on what the node costs to make stands for it");
  if (cost.node_price_usd > 0 && cost.markup > 0)
    node.fail("markup",
              "has no effect where node_price_usd states the price: set that to 0, or leave this");
  if (node.has("nre_usd") || node.has("nre_nodes"))
    if ((cost.nre_usd > 0) != (cost.nre_nodes > 0))
      node.fail("nre_usd", "nre_usd and nre_nodes, by which it is divided, go together");
  node.reject_unknown_keys();
}

namespace {
template <class Section, std::size_t n>
double* find_price(const std::array<PriceKey<Section>, n>& keys, std::string_view key,
                   Section& section) {
  const auto row = std::ranges::find(keys, key, &PriceKey<Section>::key);
  return row == keys.end() ? nullptr : &(section.*row->member);
}

double* find_energy(PlatformSpec& platform, std::string_view key) {
  EnergyPrices& prices = platform.energy;
  const auto below = [&](std::string_view section) {
    return key.starts_with(section) ? std::optional{key.substr(section.size())} : std::nullopt;
  };
  if (const auto name = below("hbm.")) return find_price(kHbmKeys, *name, prices.hbm);
  if (const auto name = below("mac_pj.")) {
    const auto format = std::ranges::find(kPrecisions, *name, &PrecisionFact::name);
    return format == std::end(kPrecisions)
               ? nullptr
               : &prices.mac_pj[static_cast<std::size_t>(format - std::begin(kPrecisions))];
  }
  if (const auto name = below("link_pj_per_bit.")) {
    const auto& levels = platform.fabric.levels;
    const auto level = std::ranges::find(levels, *name, &FabricLevel::name);
    return level == levels.end()
               ? nullptr
               : &prices.link_pj_per_bit[static_cast<std::size_t>(level - levels.begin())];
  }
  double* price = find_price(kEnergyKeys, key, prices);
  return price != nullptr ? price : find_price(kFlashKey, key, prices);
}
}  // namespace

double* price_at(PlatformSpec& platform, std::string_view path) {
  constexpr std::string_view kEnergy = "platform.energy.", kCost = "platform.cost.";
  if (double* of_die = silicon_value_at(platform.die, path)) return of_die;
  if (path.starts_with(kEnergy)) return find_energy(platform, path.substr(kEnergy.size()));
  if (!path.starts_with(kCost)) return nullptr;
  path.remove_prefix(kCost.size());
  double* price = find_price(kCostKeys, path, platform.cost);
  return price != nullptr ? price : find_price(kOptionalCostKeys, path, platform.cost);
}

ResolvedValues read_prices(const std::string& name_or_path, PlatformSpec& platform) {
  const CatalogueFile file = require_config(CatalogueKind::Prices, name_or_path);
  return read_prices(read_yaml(file.path, file.label), platform);
}

ResolvedValues read_prices(ConfigTree table, PlatformSpec& platform) {
  ResolvedValues changed;
  const auto tree = std::make_shared<const ConfigTree>(under_platform(std::move(table)));
  const ConfigNode node = ConfigNode{tree, changed}.child("platform");
  for (const auto* label : {"name", "title"}) (void)node.get<std::string>(label, std::string{});
  changed.clear();  // what a table calls itself is no price
  constexpr auto kPartial = PriceCoverage::Partial;
  read_section(node, "energy", kPartial,
               [&](const ConfigNode& section) { read_energy(section, kPartial, platform); });
  read_section(node, "cost", kPartial,
               [&](const ConfigNode& section) { read_cost(section, kPartial, platform.cost); });
  node.reject_unknown_keys();
  return changed;
}

}  // namespace reticle
