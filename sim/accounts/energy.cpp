// SPDX-License-Identifier: Apache-2.0
#include "sim/accounts/energy.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "sim/accounts/silicon.hpp"
#include "sim/base/error.hpp"

namespace reticle {

namespace {
constexpr double kJoulesPerPicojoule = 1e-12;
constexpr double kJoulesPerNanojoule = 1e-9;
constexpr double kJoulesPerMilliwattMicrosecond = 1e-9;
constexpr double kBytesPerMegabyte = 1e6;
constexpr double kBitsPerByte = 8;

double bit_joules(double bytes, double pj_per_bit) {
  return bytes * kBitsPerByte * pj_per_bit * kJoulesPerPicojoule;
}

/// Sums of counts are taken in floating point: each fits 64 bits, their sum need not.
double number(Bytes bytes) { return static_cast<double>(bytes.count()); }
double number(const std::array<Bytes, kTierCount>& bytes, Tier tier) {
  return number(bytes[static_cast<std::size_t>(tier)]);
}

/// Every byte that left or entered a tier crosses the die once. Staged bytes are among them
/// already: their way through the buffer is part of that crossing.
double transported(const EventCounts& counts) {
  double sum = 0;
  for (std::size_t t = 0; t < kTierCount; ++t)
    sum += number(counts.read[t]) + number(counts.written[t]);
  return sum;
}

double mac_joules(const EventCounts& counts, const EnergyPrices& prices) {
  double picojoules = 0;
  for (std::size_t p = 0; p < kPrecisionCount; ++p)
    picojoules += static_cast<double>(counts.macs[p]) * prices.mac_pj[p];
  return picojoules * kJoulesPerPicojoule;
}

/// The standard's array, its I/O and our PHY; what a burst carries beyond what was asked for is
/// moved as well.
void add_hbm(const EventCounts& counts, const PlatformSpec& platform,
             std::vector<EnergyComponent>& out) {
  const HbmPrices& prices = platform.energy.hbm;
  const double burst = platform.die.hbm ? static_cast<double>(platform.die.hbm->burst.count()) : 0;
  const double read = burst * static_cast<double>(counts.hbm_read_bursts);
  const double written = burst * static_cast<double>(counts.hbm_written_bursts);
  const auto row = [&](const char* name, double joules, bool on_die) {
    out.push_back({.name = name, .joules = joules, .on_die = on_die, .in_package = true});
  };
  row("hbm_activate",
      static_cast<double>(counts.hbm_activates) * prices.activate_nj * kJoulesPerNanojoule, false);
  row("hbm_access",
      bit_joules(read, prices.read_pj_per_bit) + bit_joules(written, prices.write_pj_per_bit),
      false);
  row("hbm_io", bit_joules(read + written, prices.io_pj_per_bit), false);
  row("hbm_bank_active",
      static_cast<double>(counts.hbm_bank_active_us) * prices.bank_active_mw *
          kJoulesPerMilliwattMicrosecond,
      false);
  row("hbm_phy", bit_joules(read + written, prices.phy_pj_per_bit), true);
}

void add_events(const EventCounts& counts, const PlatformSpec& platform,
                std::vector<EnergyComponent>& out) {
  const EnergyPrices& prices = platform.energy;
  const double staged = number(counts.staged);
  const double sram_read = number(counts.read, Tier::Sram) + staged;
  const double sram_written = number(counts.written, Tier::Sram) + staged;
  const double far = number(counts.read, Tier::Far) + number(counts.written, Tier::Far);
  const double flash = number(counts.read, Tier::Flash) + number(counts.written, Tier::Flash);
  const double vector_j =
      static_cast<double>(counts.vector_ops) * prices.vector_pj * kJoulesPerPicojoule;
  const auto row = [&](const char* name, double joules, bool on_die) {
    out.push_back({.name = name, .joules = joules, .on_die = on_die, .in_package = on_die});
  };
  row("sram_read", bit_joules(sram_read, prices.sram_read_pj_per_bit), true);
  row("sram_write", bit_joules(sram_written, prices.sram_write_pj_per_bit), true);
  add_hbm(counts, platform, out);
  row("far", bit_joules(far, prices.far_pj_per_bit), false);
  row("flash", bit_joules(flash, prices.flash_pj_per_bit), false);
  row("transport", bit_joules(transported(counts), prices.transport_pj_per_bit), true);
  row("mac", mac_joules(counts, prices), true);
  row("vector", vector_j, true);
}

/// Links inside a package end on dies only; of longer ones the switches, cables and optics lie
/// elsewhere, and the share that heats the dies is not known.
void add_links(const EventCounts& counts, const PlatformSpec& platform,
               std::vector<EnergyComponent>& out) {
  const auto& levels = platform.fabric.levels;
  const auto& prices = platform.energy.link_pj_per_bit;
  invariant(prices.size() == levels.size(), "a link price for every fabric level");
  invariant(counts.link_bytes.size() <= levels.size(), "link counts are of the platform's levels");
  for (std::size_t l = 0; l < levels.size(); ++l) {
    const double bytes = l < counts.link_bytes.size() ? number(counts.link_bytes[l]) : 0;
    out.push_back({.name = "fabric." + levels[l].name,
                   .joules = bit_joules(bytes, prices[l]),
                   .on_die = levels[l].name == "package",
                   .in_package = levels[l].name == "package"});
  }
}

struct ConstantPower {
  const char* name;
  double watts;  ///< of the deployment
  bool on_die;
  bool in_package;
};

/// Every row within the retention time, whatever else the stacks do: time counts the refreshes,
/// also where no transfer followed them.
double refresh_watts(const HbmParams& hbm, const HbmPrices& prices) {
  if (hbm.refresh == RefreshMode::Off) return 0;
  const double period = seconds(hbm.timing.t_refi) * static_cast<double>(kRefreshesPerRow);
  return static_cast<double>(rows_per_stack(hbm)) * prices.refresh_row_nj * kJoulesPerNanojoule /
         period;
}

std::array<ConstantPower, 5> constant_powers(const PlatformSpec& platform) {
  const EnergyPrices& prices = platform.energy;
  const auto die_count = static_cast<double>(dies(platform));
  const double sram_mb =
      static_cast<double>(platform.die.sram.capacity.count()) / kBytesPerMegabyte;
  const auto& hbm = platform.die.hbm;
  const double stacks = hbm ? static_cast<double>(hbm->stacks) * die_count : 0;
  const double refresh = hbm ? refresh_watts(*hbm, prices.hbm) : 0;
  const double packages =
      static_cast<double>(platform.packages_per_node) * static_cast<double>(platform.nodes);
  return {{{"static_die", prices.die_static_w * die_count, true, true},
           {"static_sram", prices.sram_leakage_w_per_mb * sram_mb * die_count, true, true},
           {"hbm_refresh", refresh * stacks, false, true},
           {"hbm_background", prices.hbm.background_w_per_stack * stacks, false, true},
           {"static_package", prices.package_static_w * packages, false, false}}};
}

std::optional<double> known(double value) {
  return value > 0 ? std::optional{value} : std::nullopt;
}

template <class Select>
double sum_where(const std::vector<EnergyComponent>& components, Select select) {
  return std::accumulate(
      components.begin(), components.end(), 0.0,
      [&](double sum, const EnergyComponent& c) { return select(c) ? sum + c.joules : sum; });
}

void rate(EnergyReport& report, const PlatformSpec& platform, double run_s, double busy_s) {
  if (run_s > 0) report.average_power_w = report.total_j() / run_s;
  report.busy_power_w.limit =
      known(platform.node_power_limit_w * static_cast<double>(platform.nodes));
  report.heat_flux_w_per_mm2.limit = known(platform.heat_flux_limit_w_per_mm2);
  if (busy_s <= 0) return;

  double watts = 0, die_watts = 0;
  for (const auto& component : report.components) {
    const double power = component.joules / (component.constant ? run_s : busy_s);
    watts += power;
    if (component.on_die) die_watts += power;
  }
  report.busy_power_w.value = watts;
  const double area = die_area_mm2(platform.die) * static_cast<double>(dies(platform));
  if (area > 0) report.heat_flux_w_per_mm2.value = die_watts / area;
}
}  // namespace

double EnergyReport::total_j() const {
  return sum_where(components, [](const EnergyComponent&) { return true; });
}

double EnergyReport::device_j() const {
  return sum_where(components, [](const EnergyComponent& c) { return c.in_package; });
}

double EnergyReport::constant_j() const {
  return sum_where(components, [](const EnergyComponent& c) { return c.constant; });
}

double constant_power_w(const PlatformSpec& platform) {
  double watts = 0;
  for (const auto& power : constant_powers(platform)) watts += power.watts;
  return watts;
}

std::optional<HeatFluxBound> heat_flux_bound(const PlatformSpec& platform) {
  const double area = die_area_mm2(platform.die) * static_cast<double>(dies(platform));
  if (area <= 0) return std::nullopt;
  double package_rest = 0, node_rest = 0;  // watts of the deployment that heat no die
  for (const auto& power : constant_powers(platform)) {
    if (power.on_die) continue;
    node_rest += power.watts;
    if (power.in_package) package_rest += power.watts;
  }
  const auto nodes = static_cast<double>(platform.nodes);
  std::optional<HeatFluxBound> bound;
  const auto hold = [&](double limit_w, double rest_w, bool of_package) {
    if (limit_w <= 0) return;
    const double flux = std::max(0.0, limit_w - rest_w) / area;
    if (!bound || flux < bound->w_per_mm2) bound = HeatFluxBound{flux, of_package};
  };
  hold(platform.node_power_limit_w * nodes, node_rest, false);
  if (platform.cooling)
    hold(platform.cooling->package_power_limit_w * static_cast<double>(platform.packages_per_node) *
             nodes,
         package_rest, true);
  return bound;
}

EnergyReport price_energy(const EventCounts& counts, const PlatformSpec& platform,
                          Picoseconds duration, std::optional<Picoseconds> busy) {
  invariant(duration.count() >= 0 && busy.value_or(duration) <= duration,
            "a run is busy for at most its duration");
  EnergyReport report;
  add_events(counts, platform, report.components);
  add_links(counts, platform, report.components);
  for (const auto& power : constant_powers(platform))
    report.components.push_back({.name = power.name,
                                 .joules = power.watts * seconds(duration),
                                 .constant = true,
                                 .on_die = power.on_die,
                                 .in_package = power.in_package});
  rate(report, platform, seconds(duration), seconds(busy.value_or(duration)));
  return report;
}

}  // namespace reticle
