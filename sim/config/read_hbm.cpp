// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_hbm.hpp"

#include <array>
#include <cmath>
#include <cstdlib>

#include "models/hbm/hbm_map.hpp"
#include "sim/config/bounds.hpp"
#include "sim/config/enum_tables.hpp"
#include "sim/config/read_prices.hpp"
#include "sim/config/standard_table.hpp"

namespace reticle {

namespace {
struct TimingKey {
  std::string_view key;
  Picoseconds HbmTiming::*member;
};
constexpr std::array kTimings{
    TimingKey{"t_ck", &HbmTiming::t_ck},         TimingKey{"t_burst", &HbmTiming::t_burst},
    TimingKey{"t_ccd_s", &HbmTiming::t_ccd_s},   TimingKey{"t_ccd_l", &HbmTiming::t_ccd_l},
    TimingKey{"t_ccd_r", &HbmTiming::t_ccd_r},   TimingKey{"t_cl", &HbmTiming::t_cl},
    TimingKey{"t_cwl", &HbmTiming::t_cwl},       TimingKey{"t_rcd_rd", &HbmTiming::t_rcd_rd},
    TimingKey{"t_rcd_wr", &HbmTiming::t_rcd_wr}, TimingKey{"t_rp", &HbmTiming::t_rp},
    TimingKey{"t_ras", &HbmTiming::t_ras},       TimingKey{"t_rc", &HbmTiming::t_rc},
    TimingKey{"t_rrd_s", &HbmTiming::t_rrd_s},   TimingKey{"t_rrd_l", &HbmTiming::t_rrd_l},
    TimingKey{"t_faw", &HbmTiming::t_faw},       TimingKey{"t_wr", &HbmTiming::t_wr},
    TimingKey{"t_wtr_s", &HbmTiming::t_wtr_s},   TimingKey{"t_wtr_l", &HbmTiming::t_wtr_l},
    TimingKey{"t_rtp", &HbmTiming::t_rtp},       TimingKey{"t_rtw", &HbmTiming::t_rtw},
    TimingKey{"t_ppd", &HbmTiming::t_ppd},       TimingKey{"t_rrefd", &HbmTiming::t_rrefd},
    TimingKey{"t_rfc_ab", &HbmTiming::t_rfc_ab}, TimingKey{"t_rfc_pb", &HbmTiming::t_rfc_pb},
    TimingKey{"t_refi", &HbmTiming::t_refi},
};

/// One timing may not be shorter than others together, or a bank would be asked for the impossible.
struct TimingRule {
  std::string_view key;
  std::array<std::string_view, 4> at_least;  ///< keys that are summed; empty = unused
};
constexpr std::array kTimingRules{
    TimingRule{"t_ccd_s", {"t_burst"}},
    TimingRule{"t_ccd_l", {"t_ccd_s"}},
    TimingRule{"t_ccd_r", {"t_burst"}},
    TimingRule{"t_wtr_l", {"t_wtr_s"}},
    TimingRule{"t_rrd_l", {"t_rrd_s"}},
    TimingRule{"t_faw", {"t_rrd_s"}},
    TimingRule{"t_ras", {"t_rcd_rd"}},
    TimingRule{"t_rc", {"t_ras", "t_rp"}},
    TimingRule{"t_rfc_ab", {"t_rfc_pb"}},
    TimingRule{"t_refi", {"t_rfc_ab", "t_rp", "t_rcd_rd", "t_rtp"}},
};

Picoseconds value_of(const HbmTiming& timing, std::string_view key) {
  for (const auto& row : kTimings)
    if (row.key == key) return timing.*row.member;
  return {};
}

void check_rule(const ConfigNode& node, const HbmTiming& timing, const TimingRule& rule) {
  Picoseconds least{};
  std::string sum;
  for (const auto key : rule.at_least) {
    if (key.empty()) break;
    least += value_of(timing, key);
    sum += (sum.empty() ? "" : " + ") + std::string{key};
  }
  node.check(rule.key, value_of(timing, rule.key) >= least,
             "must be at least " + sum + " = " + ValueText<Picoseconds>::format(least));
}

HbmTiming read_timing(const ConfigNode& node, BitsPerSecond data_rate) {
  HbmTiming timing;
  for (const auto& row : kTimings) {
    const Picoseconds time = time_at(node.get<BeatTime>(row.key), data_rate);
    timing.*row.member = time;
    node.check(row.key, bounds::kTiming.low <= time && time <= bounds::kTiming.high,
               "must be between 1 ps and 1 ms");
  }
  for (const auto& rule : kTimingRules) check_rule(node, timing, rule);
  node.reject_unknown_keys();
  return timing;
}

/// A burst occupies the data bus for its bytes over width times rate, to 1 % (the rounding of a
/// period to picoseconds stays far below).
void check_burst(const ConfigNode& timing_node, const HbmParams& params, std::int64_t width_bits,
                 BitsPerSecond data_rate) {
  const std::int64_t beats = params.burst.count() * 8 / width_bits;  // bits per byte
  const Picoseconds bus = time_at({.time = {}, .beats = beats}, data_rate);
  const std::int64_t off = std::abs(params.timing.t_burst.count() - bus.count());
  timing_node.check("t_burst", off * 100 <= bus.count(),
                    "must be burst / (dq_width x data_rate) = " +
                        ValueText<Picoseconds>::format(bus) + " to 1 %");
}

HbmControllerParams read_controller(const ConfigNode& node) {
  const HbmControllerParams usual;
  HbmControllerParams params{
      .read_queue = node.get<std::int64_t>("read_queue", usual.read_queue, {1, 4096}),
      .write_queue = node.get<std::int64_t>("write_queue", usual.write_queue, {1, 4096}),
      .write_high_percent =
          node.get<std::int64_t>("write_high", usual.write_high_percent, {1, 100}),
      .write_low_percent = node.get<std::int64_t>("write_low", usual.write_low_percent, {0, 99}),
      .scheduling = node.get<HbmScheduling>("scheduling", usual.scheduling),
      .row_hit_cap = node.get<std::int64_t>("row_hit_cap", usual.row_hit_cap, {0, 1'000'000}),
      .page = node.get<PagePolicy>("page", usual.page),
  };
  node.check("write_low", params.write_low_percent < params.write_high_percent,
             "must be less than write_high");
  node.reject_unknown_keys();
  return params;
}

/// Clocks of the command bus, whole or half.
std::int64_t read_half_clocks(const ConfigNode& node, std::string_view key) {
  constexpr Range<double> kClocks{0.5, 8};
  const auto clocks = node.get<double>(key, kClocks);
  const auto halves = static_cast<std::int64_t>(std::lround(clocks * 2));
  node.check(key, static_cast<double>(halves) == clocks * 2, "must be in whole or half clocks");
  return halves;
}

/// What the standard fixes: everything but how much of it a die has.
HbmParams read_table(const ConfigNode& node) {
  const auto data_rate = node.get<BitsPerSecond>(
      "data_rate", {BitsPerSecond{100'000'000}, BitsPerSecond{100'000'000'000}});
  const auto width_bits = node.get<std::int64_t>("dq_width", {8, 1024});
  const ConfigNode timing_node = node.child("timing");
  const auto controller = node.find_child("controller");
  HbmParams params{
      .standard = {},
      .stacks = 1,
      .capacity_per_stack = {},
      .pseudo_channels = node.get<std::int64_t>("pseudo_channels", {1, 1024}),
      .stack_ids = node.get<std::int64_t>("stack_ids", {1, 64}),
      .bank_groups = node.get<std::int64_t>("bank_groups", {1, 64}),
      .banks_per_group = node.get<std::int64_t>("banks_per_group", {1, 64}),
      .address_map = node.get<std::string>("address_map"),
      .activate_half_clocks = read_half_clocks(node, "activate_clocks"),
      .precharge_half_clocks = read_half_clocks(node, "precharge_clocks"),
      .row = node.get<Bytes>("row", {Bytes{64}, Bytes{65'536}}),
      .burst = node.get<Bytes>("burst", {Bytes{8}, Bytes{1024}}),
      .interleave = node.get<Bytes>("interleave", {Bytes{8}, Bytes{16'777'216}}),
      .refresh = node.get<RefreshMode>("refresh", HbmParams{}.refresh),
      .simulated_channels = HbmParams{}.simulated_channels,
      .controller = controller ? read_controller(*controller) : HbmControllerParams{},
      .timing = read_timing(timing_node, data_rate),
  };
  constexpr std::int64_t kMostBanks = 64;  // HBM3 and HBM4 16-high
  node.check("banks_per_group", banks(params) <= kMostBanks,
             "times stack_ids and bank_groups must be at most " + std::to_string(kMostBanks) +
                 " banks of a pseudo-channel");
  node.check("burst", params.burst.count() * 8 % width_bits == 0,  // bits per byte
             "must be a whole number of beats of dq_width");
  node.check("row", params.row.count() % params.burst.count() == 0,
             "must be a multiple of the burst");
  node.check("interleave", params.interleave.count() % params.burst.count() == 0,
             "must be a multiple of the burst");
  const auto map_fault = HbmMap::fault(params);
  node.check("address_map", !map_fault, map_fault.value_or(""));
  check_burst(timing_node, params, width_bits, data_rate);
  return params;
}
}  // namespace

void fill_from_hbm_table(ConfigTree& platform, ConfigTree& hbm, std::string_view path) {
  std::optional<ConfigTree> table = standard_table(hbm, CatalogueKind::Hbm, path);
  if (!table) return;
  // Prices stand with the platform's other prices, where price tables and `reprice` find them.
  ConfigTree prices = make_map(table->position);
  if (const ConfigTree* energy = table->find("energy")) put(prices, "hbm", *energy);
  std::erase_if(table->entries, [](const ConfigEntry& entry) { return entry.key == "energy"; });
  fill_from(hbm, *table);
  ConfigTree* energy = platform.find("energy");
  if (energy != nullptr && energy->kind == ConfigTree::Kind::Map) fill_from(*energy, prices);
}

HbmParams read_hbm(const ConfigNode& node) {
  auto standard = standard_name(node, CatalogueKind::Hbm);
  const auto stacks = node.get<std::int64_t>("stacks", {1, 256});
  const auto per_stack = node.get<Bytes>("capacity_per_stack", bounds::kSize);
  HbmParams params = read_table(node);
  params.standard = standard;
  params.stacks = stacks;
  params.capacity_per_stack = per_stack;
  params.simulated_channels =
      node.get<std::int64_t>("simulated_channels", params.simulated_channels, bounds::kCount);
  params.form = node.get<ModelForm>("form", params.form);
  params.commands_below = node.get<Bytes>("commands_below", params.commands_below);
  node.check("simulated_channels", channels(params) % params.simulated_channels == 0,
             "must divide the die's " + std::to_string(channels(params)) + " pseudo-channels");
  const std::int64_t all_banks = params.pseudo_channels * banks(params);
  node.check("capacity_per_stack", per_stack.count() / all_banks >= params.row.count(),
             "must hold at least one row in each of " + std::to_string(all_banks) + " banks");
  node.reject_unknown_keys();
  return params;
}

void check_hbm_table(const ConfigNode& node) {
  (void)node.get<std::string>("name");
  (void)node.get<std::string>("title");
  (void)read_table(node);
  HbmPrices prices;
  read_hbm_prices(node.child("energy"), PriceCoverage::Whole, prices);
  node.reject_unknown_keys();
}

}  // namespace reticle
