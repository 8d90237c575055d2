// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/step_power.hpp"
#include "sim/engine/unit_slices.hpp"

#include <algorithm>
#include <string_view>

#include "models/package/deployment.hpp"
#include "sim/accounts/energy.hpp"

namespace reticle {

namespace {
PowerModule module_of(const EnergyComponent& component) {
  const std::string_view name = component.name;
  if (component.constant) return PowerModule::Constant;
  if (name.starts_with("sram")) return PowerModule::Sram;
  if (name.starts_with("hbm")) return PowerModule::Hbm;
  if (name.starts_with("fabric")) return PowerModule::Fabric;
  if (name == "mac") return PowerModule::Mac;
  if (name == "vector") return PowerModule::Vector;
  return name == "transport" ? PowerModule::Wires : PowerModule::Far;
}

/// Weights over time, one row per bin and module.
class Bins {
 public:
  Bins(Picoseconds begin, Picoseconds bin, std::size_t count)
      : begin_{begin}, bin_{bin}, weights_(count) {}

  void add(PowerModule module, double weight, Picoseconds from, Picoseconds to) {
    if (weight <= 0) return;
    const auto m = static_cast<std::size_t>(module);
    sums_[m] += weight;
    const std::int64_t last = std::ssize(weights_) - 1;
    const auto bin_of = [&](Picoseconds t) {
      return std::clamp<std::int64_t>((t - begin_).count() / bin_.count(), 0, last);
    };
    const std::int64_t a = bin_of(from), b = bin_of(max(from, to - Picoseconds{1}));
    const auto length = static_cast<double>((to - from).count());
    for (std::int64_t i = a; i <= b; ++i) {
      // What reaches beyond the step counts in its last bin.
      const Picoseconds low = i == a ? from : begin_ + bin_ * i;
      const Picoseconds high = i == b ? to : begin_ + bin_ * (i + 1);
      const double share = length > 0 ? static_cast<double>((high - low).count()) / length : 1;
      weights_[static_cast<std::size_t>(i)][m] += weight * share;
    }
  }
  [[nodiscard]] double sum(std::size_t module) const { return sums_[module]; }
  [[nodiscard]] const std::vector<ModuleWatts>& weights() const { return weights_; }

 private:
  const Picoseconds begin_, bin_;
  std::vector<ModuleWatts> weights_;
  ModuleWatts sums_{};
};

void add_instruction(Bins& bins, const Program& program, const Instruction& in,
                     const Execution& done, const EnergyPrices& prices) {
  const auto at = [&](PowerModule module, double weight) {
    bins.add(module, weight, done.start, done.end);
  };
  const auto bytes = static_cast<double>(in.amount);
  switch (in.code) {
    case OpCode::Load:
    case OpCode::Store:
      at(PowerModule::Wires, bytes);
      if (in.tier == Tier::Sram) at(PowerModule::Sram, bytes);
      if (in.staged) at(PowerModule::Sram, 2 * bytes);
      if (in.tier == Tier::Hbm) at(PowerModule::Hbm, bytes);
      if (in.tier == Tier::Far || in.tier == Tier::Flash) at(PowerModule::Far, bytes);
      break;
    case OpCode::Mac:
      at(PowerModule::Mac, static_cast<double>(macs_of(program, in)) *
                               prices.mac_pj[static_cast<std::size_t>(in.precision)]);
      break;
    case OpCode::Vector:
      at(PowerModule::Vector, static_cast<double>(element_ops(vector_work(in))));
      break;
    case OpCode::Exchange:  // as its links say
    case OpCode::Wait:
      break;
  }
}
}  // namespace

StepPower step_power(const SiliconStep& step, std::size_t bins) {
  const Picoseconds took = step.ended - step.begun;
  if (took.count() == 0) return {};
  const Picoseconds bin{div_up(took.count(), static_cast<std::int64_t>(bins))};
  Bins weights{step.begun, bin, static_cast<std::size_t>(div_up(took.count(), bin.count()))};
  const EnergyPrices& prices = step.platform.energy;
  for (std::size_t d = 0; d < step.deployment.size(); ++d) {
    const Sequencer& sequencer =
        step.deployment.die(DieId{static_cast<std::uint32_t>(d)}).sequencer;
    const Program& program = step.programs.dies[d];
    for (std::size_t i = 0; i < program.code.size(); ++i)
      add_instruction(weights, program, program.code[i],
                      sequencer.execution(static_cast<std::int32_t>(i)), prices);
  }
  const auto links = step.deployment.fabric().topology().links();
  for (const LinkUse& use : step.links)
    weights.add(PowerModule::Fabric,
                static_cast<double>(use.bytes.count()) *
                    prices.link_pj_per_bit[static_cast<std::size_t>(links[use.link].level)],
                use.begin, use.end);

  ModuleWatts joules{};
  for (const EnergyComponent& c : price_energy(step.outcome.counts, step.platform, took).components)
    joules[static_cast<std::size_t>(module_of(c))] += c.joules;
  StepPower power{.bin = bin, .watts = weights.weights()};
  for (std::size_t b = 0; b < power.watts.size(); ++b) {
    const Picoseconds length = min(bin, took - bin * static_cast<std::int64_t>(b));
    for (std::size_t m = 0; m < kPowerModuleCount; ++m) {
      // What no instruction can be charged with flows all the time.
      const double share =
          weights.sum(m) > 0 ? power.watts[b][m] / weights.sum(m) : seconds(length) / seconds(took);
      power.watts[b][m] = joules[m] * share / seconds(length);
    }
  }
  return power;
}

}  // namespace reticle
