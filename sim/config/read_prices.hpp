// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "models/package/platform_spec.hpp"
#include "sim/config/config_node.hpp"

namespace reticle {

/// How much of a price section must be there.
enum class PriceCoverage {
  Whole,    ///< a platform: every price, as a forgotten one would count as free
  Partial,  ///< a price table laid over a platform: the rest stays
};

/// Reads the section over the platform's prices. Links are priced per fabric level, by the level's
/// key; HBM only where there is some.
void read_energy(const ConfigNode& node, PriceCoverage coverage, PlatformSpec& platform);
/// The section `energy` of an HBM table, `energy.hbm` of a platform.
void read_hbm_prices(const ConfigNode& node, PriceCoverage coverage, HbmPrices& prices);
void read_cost(const ConfigNode& node, PriceCoverage coverage, CostParams& cost);

/// The price that `path` (platform.energy.mac_pj.fp8, platform.cost.pue) names; nullptr when it
/// names none that `platform` has.
double* price_at(PlatformSpec& platform, std::string_view path);

/// Lays a price table (a name in configs/prices, or a path) over the platform's own prices.
/// Returns what it changed.
ResolvedValues read_prices(const std::string& name_or_path, PlatformSpec& platform);
/// The tree of such a file.
ResolvedValues read_prices(ConfigTree table, PlatformSpec& platform);

}  // namespace reticle
