// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "sim/compare/comparison.hpp"
#include "sim/metrics/text_format.hpp"

namespace reticle {

namespace {
std::string whole(double count) { return count_text(static_cast<std::int64_t>(count)); }

class Finder {
 public:
  Finder(const PaperClaims& claims, bool of_table2) : claims_{claims}, of_table2_{of_table2} {}

  void look_at(const PlatformRow& row) {
    for (const auto& cell : row.cells)
      if (cell) broken_limits(row, *cell);
    if (of_table2_ && (row.name == claims_.table2_h100 || row.name == claims_.table2_asic))
      table2(row);
    if (row.name == claims_.table2_asic) table2_power(row);
    const auto stated = std::ranges::find(claims_.table1, row.name, &Table1Row::platform);
    const auto& cell = row.at(Load::Table1);
    if (stated == claims_.table1.end() || !cell) return;
    const ClaimRange& packages = claims_.find(row.name)->packages;
    capacity(row, *stated, *cell, packages);
    bandwidth(row, *stated, *cell, packages);
    power(row, *stated);
  }

  std::vector<Contradiction> take() { return std::move(found_); }

 private:
  void add(const PlatformRow& row, std::string_view kind, std::string text) {
    const auto twin = [&](const Contradiction& c) {
      return c.platform == row.name && c.kind == kind &&
             (c.text == text || kind == "power" || kind == "heat_flux" || kind == "rejected");
    };
    if (std::ranges::none_of(found_, twin))
      found_.push_back({row.name, std::string{kind}, std::move(text)});
  }

  void broken_limits(const PlatformRow& row, const CellFigures& cell) {
    for (const BrokenLimit& limit : cell.limits) {
      const bool of_rate = limit.limit == "power" || limit.limit == "heat_flux";
      add(row, limit.limit,
          limit.text + (of_rate && !cell.simulated ? " (at the rate of its bound)" : ""));
    }
  }

  /// Table 2 counts one GPU and one node for a model that more must hold.
  void table2(const PlatformRow& row) {
    const auto& cell = row.at(Load::Batch64);
    const ClaimedPlatform* claimed = claims_.find(row.name);
    if (!cell || !cell->fits || claimed == nullptr) return;
    if (static_cast<double>(cell->packages) <= claimed->packages.high) return;
    add(row, "accounting",
        fmt::format("Table 2 counts {} package{} for {}: {} hold it with 64 streams",
                    whole(claimed->packages.high), claimed->packages.high == 1 ? "" : "s",
                    claims_.table2_llm, cell->packages));
  }

  /// The paper counts fewer packages than the model needs.
  void capacity(const PlatformRow& row, const Table1Row& stated, const CellFigures& cell,
                const ClaimRange& packages) {
    const auto ran = static_cast<double>(cell.packages);
    if (!cell.fits || ran <= packages.high) return;
    add(row, "fit",
        fmt::format("{} package{} not hold {} in {}: {} do", whole(packages.high),
                    packages.high == 1 ? " does" : "s do", claims_.table1_llm, stated.precision,
                    cell.packages));
    add(row, "accounting",
        fmt::format("figures of {} package{} stand for a deployment of {}", whole(packages.high),
                    packages.high == 1 ? "" : "s", cell.packages));
  }

  /// A stream reads the weights once per token.
  void bandwidth(const PlatformRow& row, const Table1Row& stated, const CellFigures& cell,
                 const ClaimRange& packages) {
    const auto& rate = stated.cells.at("decode_single");
    if (!rate || !cell.bound_tokens_per_s) return;
    const double bound =
        *cell.bound_tokens_per_s * packages.high / static_cast<double>(cell.packages);
    if (rate->high <= bound) return;
    add(row, "bandwidth",
        fmt::format("{} tokens/s stated for one stream are above what the memory of {} package{} "
                    "delivers: {} at most",
                    number_text(rate->high), whole(packages.high), packages.high == 1 ? "" : "s",
                    number_text(bound)));
  }

  /// Rate times energy per token is power.
  void power(const PlatformRow& row, const Table1Row& stated) {
    const auto& rate = stated.cells.at("decode_single");
    const auto& energy = stated.cells.at("energy");
    const auto& watts = stated.cells.at("power");
    if (!rate || !energy || !watts) return;
    const double low = rate->low * energy->low, high = rate->high * energy->high;
    const bool apart =
        low > watts->high * (1 + kStatedTolerance) || high < watts->low * (1 - kStatedTolerance);
    if (apart)
      add(row, "power_stated",
          fmt::format("its rate times its energy per token is {} to {} W, stated {} to {} W",
                      number_text(low), number_text(high), number_text(watts->low),
                      number_text(watts->high)));
  }

  /// So is that of the machine of Table 2, whose energy has no batch: at neither of both.
  void table2_power(const PlatformRow& row) {
    const ClaimRange& watts = claims_.reference_asic.at("power");
    const auto stated = std::ranges::find(claims_.table2, "energy", &Table2Row::axis);
    if (stated == claims_.table2.end()) return;
    std::string text;
    bool apart = true;
    for (const auto& [axis, words] :
         {std::pair{"decode_single", "one stream"}, std::pair{"decode_batch64", "batch 64"}}) {
      const auto rate = std::ranges::find(claims_.table2, axis, &Table2Row::axis);
      if (rate == claims_.table2.end()) return;
      const double low = watts.low / rate->asic.high, high = watts.high / rate->asic.low;
      apart = apart && (low > stated->asic.high || high < stated->asic.low);
      text += fmt::format("{}{} to {} J per token at {}", text.empty() ? "" : ", ",
                          number_text(low, 3), number_text(high, 3), words);
    }
    if (apart)
      add(row, "power_stated",
          fmt::format("its power over its rates is {}; stated {} to {}", text,
                      number_text(stated->asic.low), number_text(stated->asic.high)));
  }

  const PaperClaims& claims_;
  const bool of_table2_;
  std::vector<Contradiction> found_;
};
}  // namespace

std::vector<std::string> stated_against_memory(const PlatformSpec& platform,
                                               const PaperClaims& claims, const Table1Row& row,
                                               const StatedWeights& weights) {
  const ClaimRange& packages = claims.find(row.platform)->packages;
  const DieParams& die = platform.die;
  const double dies_of_them = packages.high * static_cast<double>(dies(platform)) /
                              static_cast<double>(platform.packages_per_node * platform.nodes);
  double room = static_cast<double>(die.sram.capacity.count());
  if (die.hbm) room += static_cast<double>(capacity(*die.hbm).count());
  if (die.far) room += static_cast<double>(die.far->capacity.count());
  const double rate =
      static_cast<double>((die.hbm ? peak_bandwidth(*die.hbm) : peak_bandwidth(die.sram)).count());
  const double all = static_cast<double>(weights.all.count());
  const std::string counted =
      fmt::format("{} package{}", whole(packages.high), packages.high == 1 ? "" : "s");
  std::vector<std::string> found;
  if (all > room * dies_of_them)
    found.push_back(
        fmt::format("the paper's Table 1 has {} serve {} in {}: its weights are {}, their "
                    "memories hold {}",
                    counted, claims.table1_llm, row.precision, with_unit(all, "B"),
                    with_unit(room * dies_of_them, "B")));
  const auto& stated = row.cells.at("decode_single");
  const double most = rate * dies_of_them / static_cast<double>(weights.active.count());
  if (stated && stated->high > most)
    found.push_back(fmt::format(
        "the paper's Table 1 states {} tokens/s for one stream: {} of {} read its "
        "weights {} times a second at most",
        number_text(stated->high), counted, die.hbm ? "HBM" : "SRAM", number_text(most)));
  return found;
}

std::vector<Contradiction> contradictions_of(const Comparison& comparison,
                                             const PaperClaims& claims) {
  Finder finder{claims, comparison.llm == claims.table2_llm && comparison.llm_changed.empty()};
  for (const PlatformRow& row : comparison.rows) finder.look_at(row);
  return finder.take();
}

}  // namespace reticle
