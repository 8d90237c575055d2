// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/power_governor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/accounts/energy.hpp"
#include "sim/base/error.hpp"

namespace reticle {

namespace {
constexpr std::size_t kMostSamples = 4096;  // of thermal.csv: a file one can plot
}

PowerGovernor::PowerGovernor(const PlatformSpec& platform, Tier kv, std::int32_t instance)
    : platform_{platform}, cooling_{*platform.cooling}, kv_{kv}, instance_{instance} {
  const auto die_count = static_cast<std::size_t>(dies(platform));
  const auto packages = die_count / static_cast<std::size_t>(platform.dies_per_package);
  for (const EnergyComponent& c :
       price_energy({}, platform, Picoseconds{kPicosecondsPerSecond}).components) {
    if (!c.constant) continue;
    const double per_die = c.joules / static_cast<double>(die_count);  // of one second: watts
    const double leaks = c.name == "static_die" ? cooling_.leakage_share : 1;
    if (c.on_die)
      leakage_w_ += per_die * leaks, clock_w_ += per_die * (1 - leaks);
    else if (c.in_package)
      lid_always_w_ += per_die;
    else
      always_w_ += c.joules;
  }
  shares_.assign(die_count, 1.0 / static_cast<double>(die_count));
  const auto per_package = static_cast<std::size_t>(platform.dies_per_package);
  for (std::size_t p = 0; p < packages; ++p) {
    heats_.emplace_back(platform);
    const PackagePower idle{std::vector<double>(per_package), std::vector<double>(per_package),
                            leakage_w_, clock_w_, lid_always_w_};
    if (!heats_.back().settle(idle))
      throw SimulationError(fmt::format(
          "thermal runaway: {} with {} has no steady state even without work; its dies leak {:.0f} "
          "W each at {:.0f} C, and would shed {:.0f} W there",
          platform.name, cooling_.standard, leakage_w_, cooling_.leakage_reference_c,
          heats_.back().sheds_w(cooling_.leakage_reference_c)));
  }
  next_tick_ = cooling_.period;
}

void PowerGovernor::set_dies(const std::vector<EventCounts>& dies) {
  double sum = 0;
  std::vector<double> joules;
  for (const EventCounts& counts : dies) {
    joules.push_back(joules_of(counts).die);
    sum += joules.back();
  }
  if (sum <= 0) return;
  for (std::size_t d = 0; d < joules.size(); ++d) shares_[d] = joules[d] / sum;
}

PowerGovernor::Joules PowerGovernor::joules_of(const EventCounts& counts) const {
  Joules all;
  for (const EnergyComponent& c : price_energy(counts, platform_, Picoseconds{0}).components)
    (c.on_die ? all.die : c.in_package ? all.lid : all.elsewhere) += c.joules;
  return all;
}

bool PowerGovernor::clocked(std::size_t category) const {
  switch (static_cast<TimeCategory>(category)) {
    case TimeCategory::WeightsSram:
    case TimeCategory::Mac:
    case TimeCategory::Vector:
      return true;
    case TimeCategory::Kv:
      return kv_ == Tier::Sram;
    default:
      return false;
  }
}

void PowerGovernor::idle_until(Picoseconds time) { pass(time, {}); }

Picoseconds PowerGovernor::stretch(StepOutcome& outcome) {
  const Joules joules = joules_of(outcome.counts);
  nominal_.die += joules.die, nominal_.lid += joules.lid, nominal_.elsewhere += joules.elsewhere;
  result_.at_full_clock += outcome.duration;
  Picoseconds longer{};
  for (std::size_t c = 0; c < kTimeCategoryCount; ++c) {
    if (!clocked(c)) continue;
    clocked_time_ += outcome.breakdown[c];
    const Picoseconds more{
        std::llround(static_cast<double>(outcome.breakdown[c].count()) * (1 / clock_ - 1))};
    outcome.breakdown[c] += more;
    longer += more;
  }
  outcome.duration += longer;
  step_ = {};
  if (outcome.duration.count() == 0) return longer;
  const double took = seconds(outcome.duration);
  step_ = {joules.die * event_energy_at(clock_, cooling_) / took, joules.lid / took,
           joules.elsewhere / took};
  return longer;
}

void PowerGovernor::worked(const StepOutcome& outcome) {
  if (clock_ < 1) result_.throttled += outcome.duration;
  result_.clock_seconds += clock_ * seconds(outcome.duration);
  pass(time_ + outcome.duration, step_);
}

void PowerGovernor::pass(Picoseconds time, const Joules& watts) {
  while (time_ < time) {
    const Picoseconds until = min(time, next_tick_);
    const double took = seconds(until - time_);
    period_.die += watts.die * took;
    period_.lid += watts.lid * took;
    period_.elsewhere += watts.elsewhere * took;
    time_ = until;
    if (time_ < next_tick_) continue;
    tick();
    next_tick_ += cooling_.period;
  }
}

void PowerGovernor::tick() {
  const double period = seconds(cooling_.period);
  const std::size_t per_package = heats_.front().dies();
  ThermalSample now{.time = time_,
                    .instance = instance_,
                    .clock = clock_,
                    .hottest_c = -1e9,
                    .coolest_c = 1e9,
                    .dynamic_w = 0,
                    .memory_w = 0,
                    .leakage_w = 0,
                    .elsewhere_w = always_w_ + period_.elsewhere / period};
  double most_w = 0;
  for (std::size_t p = 0; p < heats_.size(); ++p) {
    PackagePower power{.die_w = {},
                       .lid_w = {},
                       .leakage_w = leakage_w_ * leakage_at(clock_, cooling_),
                       .clock_w = clock_w_ * std::pow(clock_, cooling_.vf_exponent),
                       .lid_idle_w = lid_always_w_};
    for (std::size_t d = p * per_package; d < (p + 1) * per_package; ++d) {
      power.die_w.push_back(period_.die / period * shares_[d]);
      power.lid_w.push_back(period_.lid / period / static_cast<double>(shares_.size()));
    }
    // What leaks is that of the period's begin, as the network takes it.
    const double leaks = heats_[p].leakage_w(power);
    const auto n = static_cast<double>(per_package);
    const double lids =
        std::accumulate(power.lid_w.begin(), power.lid_w.end(), 0.0) + n * power.lid_idle_w;
    const double dynamic =
        std::accumulate(power.die_w.begin(), power.die_w.end(), 0.0) + n * power.clock_w;
    heats_[p].advance(period, power);
    now.dynamic_w += dynamic;
    now.leakage_w += leaks;
    now.memory_w += lids;
    most_w = std::max(most_w, dynamic + lids + leaks);
    for (std::size_t d = 0; d < per_package; ++d) {
      now.hottest_c = std::max(now.hottest_c, heats_[p].die_c(d));
      now.coolest_c = std::min(now.coolest_c, heats_[p].die_c(d));
    }
  }
  period_ = {};
  result_.dynamic_j += now.dynamic_w * period;
  result_.memory_j += now.memory_w * period;
  result_.leakage_j += now.leakage_w * period;
  result_.elsewhere_j += now.elsewhere_w * period;
  result_.hottest_c = std::max(result_.hottest_c, now.hottest_c);
  sample(now);
  check_shutdown();
  control(most_w, now.dynamic_w + now.memory_w + now.leakage_w + now.elsewhere_w);
}

void PowerGovernor::control(double package_w, double node_w) {
  const double node_limit = platform_.node_power_limit_w * static_cast<double>(platform_.nodes);
  const auto above = [](double value, double limit) { return limit > 0 && value > limit; };
  double hottest = heats_.front().hottest_c();
  for (const PackageHeat& heat : heats_) hottest = std::max(hottest, heat.hottest_c());
  if (hottest > cooling_.throttle_c || above(package_w, cooling_.package_power_limit_w) ||
      above(node_w, node_limit)) {
    clock_ = std::max(cooling_.clock_floor, clock_ - cooling_.clock_step);
    if (clock_ < 1 && !result_.first_throttled) result_.first_throttled = time_;
    result_.least_clock = std::min(result_.least_clock, clock_);
    return;
  }
  if (clock_ >= 1 || hottest > cooling_.throttle_c - cooling_.recover_k) return;
  const double next = std::min(1.0, clock_ + cooling_.clock_step);
  const double more = std::pow(next / clock_, cooling_.vf_exponent);
  if (!above(package_w * more, cooling_.package_power_limit_w) && !above(node_w * more, node_limit))
    clock_ = next;
}

void PowerGovernor::check_shutdown() const {
  for (std::size_t p = 0; p < heats_.size(); ++p) {
    const PackageHeat& heat = heats_[p];
    if (heat.hottest_c() <= cooling_.shutdown_c) continue;
    const PackagePower power{std::vector<double>(heat.dies()), std::vector<double>(heat.dies()),
                             leakage_w_ * leakage_at(clock_, cooling_)};
    const std::size_t die = heat.hottest();
    const double leaks = heat.leakage_w(power, die), gain = heat.loop_gain(power);
    const std::string where = fmt::format(
        "die {} of package {} passed its limit of {:.0f} C at {:.3f} s, at {:.2f} of its clock",
        die, p, cooling_.shutdown_c, seconds(time_), clock_);
    if (gain >= 1)
      throw SimulationError(fmt::format(
          "thermal runaway: {}; it leaks {:.0f} W, and a warmer die leaks more than {} takes away "
          "({:.2f} times as much): no clock helps",
          where, leaks, cooling_.standard, gain));
    throw SimulationError(fmt::format(
        "too hot: {}; it leaks {:.0f} W, and {} takes {:.0f} W from a die at that temperature",
        where, leaks, cooling_.standard, heat.sheds_w(cooling_.shutdown_c)));
  }
}

void PowerGovernor::sample(const ThermalSample& sample) {
  if (ticks_++ % sample_stride_ != 0) return;
  auto& all = result_.samples;
  all.push_back(sample);
  if (all.size() < kMostSamples) return;
  for (std::size_t i = 0; 2 * i < all.size(); ++i) all[i] = all[2 * i];
  all.resize(all.size() / 2);
  sample_stride_ *= 2;
}

ThermalResult PowerGovernor::result() const {
  ThermalResult result = result_;
  for (const PackageHeat& heat : heats_)
    for (std::size_t d = 0; d < heat.dies(); ++d) result.die_c.push_back(heat.die_c(d));
  const double busy = seconds(result.at_full_clock);
  if (busy <= 0) return result;
  ThermalLoad load{.packages = {},
                   .elsewhere_w = nominal_.elsewhere / busy,
                   .always_w = always_w_,
                   .clocked_share = seconds(clocked_time_) / busy};
  const std::size_t per_package = heats_.front().dies();
  for (std::size_t p = 0; p < heats_.size(); ++p) {
    PackagePower power{.die_w = {},
                       .lid_w = {},
                       .leakage_w = leakage_w_,
                       .clock_w = clock_w_,
                       .lid_idle_w = lid_always_w_};
    for (std::size_t d = p * per_package; d < (p + 1) * per_package; ++d) {
      power.die_w.push_back(nominal_.die / busy * shares_[d]);
      power.lid_w.push_back(nominal_.lid / busy / static_cast<double>(shares_.size()));
    }
    load.packages.push_back(std::move(power));
  }
  result.sustained = sustained(platform_, load);
  result.seconds_to_throttling = seconds_until_throttling(platform_, load);
  return result;
}

}  // namespace reticle
