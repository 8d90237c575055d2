// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/provenance.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace reticle {

namespace {
/// From what is printed by whoever makes it to what nobody has checked.
constexpr std::array<std::string_view, 9> kByTrust{"datasheet", "measured", "fitted",
                                                   "derived",   "recalled", "extrapolated",
                                                   "estimate",  "claim",    kUnstated};

/// "0", "0 us", "0.0 us".
bool is_nought(std::string_view value) {
  return !value.empty() && value.front() == '0' &&
         std::ranges::none_of(value, [](char c) { return c >= '1' && c <= '9'; });
}

/// Paths of constants; one that ends in a dot stands for all below it.
using Paths = std::vector<std::string>;

class Weigher {
 public:
  Weigher(const RunSpec& spec, const RunResult& result) : spec_{spec}, result_{result} {}

  [[nodiscard]] std::string word_of(const Paths& paths) const {
    std::vector<std::string_view> words;
    for (const ResolvedValue& value : spec_.resolved) {
      if (is_nought(value.value) || !std::ranges::any_of(paths, [&](const std::string& path) {
            return path.back() == '.' ? value.path.starts_with(path) : value.path == path;
          }))
        continue;
      if (value.confidence.empty() && value.origin == "default") continue;  // the model's choice
      words.push_back(value.confidence.empty() ? kUnstated : std::string_view{value.confidence});
    }
    return std::string{words.empty() ? kUnstated : weakest(words)};
  }

  /// What sets the rate of a part of the critical path.
  [[nodiscard]] Paths of_time(TimeCategory category) const {
    const std::string die = "platform.die.", kernels = die + "kernels.",
                      fabric = "platform.fabric.";
    const Paths hbm{die + "hbm.stacks", die + "hbm.data_rate", kernels + "crossbar_share",
                    kernels + "standard"};
    Paths cache = hbm;
    for (const char* passes : {"cache_passes", "latent_passes", "prefill_passes"})
      cache.push_back(kernels + passes);
    Paths weights = hbm;
    weights.push_back(kernels + "expert_passes");
    const Paths sram{die + "sram.banks", die + "sram.width", die + "sram.ports",
                     die + "sram.clock"};
    switch (category) {
      case TimeCategory::WeightsSram:
        return sram;
      case TimeCategory::WeightsHbm:
        return weights;
      case TimeCategory::Kv:
        return result_.placement.kv.tier == Tier::Sram ? sram : cache;
      case TimeCategory::WeightsFar:
      case TimeCategory::KvMove:
      case TimeCategory::AdapterMove:
        return {die + "far.", die + "flash."};
      case TimeCategory::Mac: {
        Paths paths{die + "mac.arrays",  die + "mac.rows",           die + "mac.cols",
                    die + "mac.clock",   kernels + "crossbar_share", kernels + "operand_passes",
                    kernels + "standard"};
        add_formats(paths, die + "mac.cycles_per_pass.");
        for (const char* use : {"dense.", "grouped.", "attention."})
          add_formats(paths, kernels + "sustained." + use);
        return paths;
      }
      case TimeCategory::Vector:
        return {die + "vector."};
      case TimeCategory::FabricLatency:
        return with_levels(
            {".latency", ".router_latency"},
            {fabric + "exchange_overhead", kernels + "collective.", kernels + "standard"});
      case TimeCategory::FabricTransfer:
        return with_levels({".rate"}, {kernels + "collective.", kernels + "standard"});
      case TimeCategory::Launch: {
        Paths paths{die + "sequencer.launch_gap", kernels + "begin.", kernels + "standard",
                    "serving.layer_overhead", "serving.stream_overhead"};
        add_formats(paths, kernels + "quantise.");
        add_formats(paths, kernels + "walk.");
        return paths;
      }
      case TimeCategory::Idle:
        break;
    }
    return {};
  }

  /// The price of a part of the energy.
  [[nodiscard]] Paths of_energy(std::string_view component) const {
    const std::string energy = "platform.energy.";
    if (component.starts_with("fabric."))
      return {energy + "link_pj_per_bit." + std::string{component.substr(7)}};
    if (component == "mac") {
      Paths paths;
      add_formats(paths, energy + "mac_pj.");
      return paths;
    }
    constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kPrices{
        {{"sram_read", "sram_read_pj_per_bit"},
         {"sram_write", "sram_write_pj_per_bit"},
         {"hbm_activate", "hbm.activate_nj"},
         {"hbm_access", "hbm.read_pj_per_bit"},
         {"hbm_io", "hbm.io_pj_per_bit"},
         {"hbm_bank_active", "hbm.bank_active_mw"},
         {"hbm_phy", "hbm.phy_pj_per_bit"},
         {"far", "far_pj_per_bit"},
         {"flash", "flash_pj_per_bit"},
         {"transport", "transport_pj_per_bit"},
         {"vector", "vector_pj"},
         {"static_die", "die_static_w"},
         {"static_sram", "sram_leakage_w_per_mb"},
         {"hbm_refresh", "hbm.refresh_row_nj"},
         {"hbm_background", "hbm.background_w_per_stack"},
         {"static_package", "package_static_w"}}};
    for (const auto& [name, price] : kPrices)
      if (name == component) return {energy + std::string{price}};
    return {};
  }

 private:
  /// Only formats that were multiplied in.
  void add_formats(Paths& paths, const std::string& below) const {
    for (std::size_t p = 0; p < kPrecisionCount; ++p)
      if (result_.counts.macs[p] > 0) paths.push_back(below + std::string{kPrecisions[p].name});
  }
  /// Only levels that something crossed.
  [[nodiscard]] Paths with_levels(std::initializer_list<std::string_view> keys, Paths paths) const {
    const auto& levels = spec_.platform.fabric.levels;
    for (std::size_t l = 0; l < std::min(levels.size(), result_.counts.link_bytes.size()); ++l)
      for (const std::string_view key : keys)
        if (result_.counts.link_bytes[l].count() > 0)
          paths.push_back("platform.fabric." + levels[l].name + std::string{key});
    return paths;
  }

  const RunSpec& spec_;
  const RunResult& result_;
};

const std::string kStepOverhead = "platform.die.sequencer.step_overhead";

/// In picoseconds, over all steps.
double host_picoseconds(const RunSpec& spec, const RunResult& result) {
  return static_cast<double>(result.steps) *
         static_cast<double>(spec.platform.die.sequencer.step_overhead.count());
}

void divide(Shares& shares) {
  double sum = 0;
  for (const auto& [word, amount] : shares) sum += amount;
  if (sum > 0)
    for (auto& [word, amount] : shares) amount /= sum;
  else
    shares.clear();
}
}  // namespace

std::string_view weakest(std::span<const std::string_view> words) {
  const auto rank = [](std::string_view word) {
    return std::ranges::find(kByTrust, word) - kByTrust.begin();
  };
  return *std::ranges::max_element(words, {}, rank);
}

Provenance provenance(const RunSpec& spec, const RunResult& result, const EnergyReport& energy) {
  const Weigher weigher{spec, result};
  Provenance out;
  for (std::size_t c = 0; c < kTimeCategoryCount; ++c) {
    const auto category = static_cast<TimeCategory>(c);
    const auto spent = static_cast<double>(result.breakdown[c].count());
    if (spent <= 0) continue;
    if (category == TimeCategory::Idle) {
      out.time[std::string{kNothing}] += spent;
      continue;
    }
    // Of launches the host's time per step is known by itself.
    const double host =
        category == TimeCategory::Launch ? std::min(spent, host_picoseconds(spec, result)) : 0;
    if (host > 0) out.time[weigher.word_of({kStepOverhead})] += host;
    if (spent > host) out.time[weigher.word_of(weigher.of_time(category))] += spent - host;
  }
  for (const EnergyComponent& component : energy.components)
    out.prices[component.name] = weigher.word_of(weigher.of_energy(component.name));
  divide(out.time);
  out.energy = energy_shares(energy, out.prices);
  return out;
}

Shares energy_shares(const EnergyReport& energy, const std::map<std::string, std::string>& prices) {
  Shares shares;
  for (const EnergyComponent& component : energy.components)
    if (const auto word = prices.find(component.name); word != prices.end() && component.joules > 0)
      shares[word->second] += component.joules;
  divide(shares);
  return shares;
}

}  // namespace reticle
