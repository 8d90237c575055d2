// SPDX-License-Identifier: Apache-2.0
#include "sim/compare/uncertainty.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "sim/accounts/silicon.hpp"
#include "sim/base/error.hpp"
#include "sim/base/rng.hpp"
#include "sim/config/read_prices.hpp"
#include "sim/config/value_text.hpp"
#include "sim/metrics/figures.hpp"
#include "sim/metrics/findings.hpp"

namespace reticle {

namespace {
/// Of one platform: a priced constant with a range.
struct Constant {
  std::string path;
  double value = 0, low = 0, high = 0;
};

std::vector<Constant> constants_of(const RunSpec& spec) {
  std::vector<Constant> constants;
  PlatformSpec platform = spec.platform;
  for (const ResolvedValue& value : spec.resolved) {
    if (!value.range || price_at(platform, value.path) == nullptr) continue;
    const auto stated = ValueText<double>::parse(value.value).value;
    if (stated && *stated > 0)
      constants.push_back({value.path, *stated, value.range->first, value.range->second});
  }
  return constants;
}

/// A node's price is scaled to its packages, so a sample enters as the share of what was stated.
void put(PlatformSpec& platform, const Constant& constant, double sample) {
  *price_at(platform, constant.path) *= sample / constant.value;
}

/// Figures that prices decide.
struct PricedFigure {
  std::string_view name;
  std::optional<double> (*value)(const PricedFigures&, const PlatformSpec&);
};

std::optional<double> per_token(double joules, const PricedFigures& priced) {
  return ratio(joules, static_cast<double>(priced.output_tokens));
}

constexpr std::array<PricedFigure, 10> kPriced{{
    {"node_j",
     [](const PricedFigures& f, const PlatformSpec&) { return per_token(f.energy.total_j(), f); }},
    {"device_j",
     [](const PricedFigures& f, const PlatformSpec&) { return per_token(f.energy.device_j(), f); }},
    {"facility_j",
     [](const PricedFigures& f, const PlatformSpec& p) {
       return per_token(f.energy.total_j() * p.cost.pue, f);
     }},
    {"power",
     [](const PricedFigures& f, const PlatformSpec&) { return f.energy.busy_power_w.value; }},
    {"capex", [](const PricedFigures& f, const PlatformSpec&) { return f.cost.capex_usd; }},
    {"made",
     [](const PricedFigures&, const PlatformSpec& p) -> std::optional<double> {
       const auto made = price_silicon(p);
       if (!made) return std::nullopt;
       return made->node_usd * static_cast<double>(p.nodes);
     }},
    {"cost",
     [](const PricedFigures& f, const PlatformSpec&) { return f.cost.planned.usd_per_m_tokens; }},
    {"cost_run", [](const PricedFigures& f,
                    const PlatformSpec&) { return f.cost.as_simulated.usd_per_m_tokens; }},
    {"density",
     [](const PricedFigures& f, const PlatformSpec&) { return f.cost.planned.agent_density; }},
    {"single_density", [](const PricedFigures& f,
                          const PlatformSpec&) { return f.cost.single_stream_agent_density; }},
}};

const PricedFigure& priced_named(std::string_view name) {
  const auto found = std::ranges::find(kPriced, name, &PricedFigure::name);
  invariant(found != kPriced.end(), "a figure that prices decide");
  return *found;
}

/// Which figures of which cells: those of the comparison, and of Table 1 its own.
struct Asked {
  std::string_view figure;
  Load load;
  std::string_view priced;
};
constexpr std::array<Asked, 17> kAsked{{
    {"energy_single", Load::Batch1, "node_j"},
    {"energy_batch64", Load::Batch64, "node_j"},
    {"energy_trace", Load::Trace, "node_j"},
    {"energy_batch64_device", Load::Batch64, "device_j"},
    {"energy_batch64_facility", Load::Batch64, "facility_j"},
    {"cost_single", Load::Batch1, "cost"},
    {"cost_batch64", Load::Batch64, "cost"},
    {"cost_trace", Load::Trace, "cost"},
    {"cost_trace_run", Load::Trace, "cost_run"},
    {"density_single", Load::Batch1, "single_density"},
    {"density_batch64", Load::Batch64, "density"},
    {"power_batch64", Load::Batch64, "power"},
    {"capex", Load::Batch1, "capex"},
    {"made", Load::Batch1, "made"},
    {"table1.price", Load::Table1, "capex"},
    {"table1.power", Load::Table1, "power"},
    {"table1.energy", Load::Table1, "node_j"},
}};

/// Everything sampled of one platform.
class Sampler {
 public:
  Sampler(const PlatformRow& row, const PricedCells& cells, std::size_t count, std::uint64_t seed)
      : row_{row}, samples_{count}, seed_{seed} {
    for (std::size_t load = 0; load < kLoadCount; ++load)
      if (cells[load] && row.cells[load] && row.cells[load]->fits) look_at(load, *cells[load]);
  }

  std::vector<UncertainFigure> figures;
  std::map<std::string, std::vector<double>> samples;  ///< by figure
  std::vector<LimitShare> limits;                      ///< some samples break, others do not

 private:
  struct Cell {
    std::vector<Constant> constants;
    std::vector<std::vector<double>> draws;  ///< per constant, 0 to 1
  };

  void look_at(std::size_t load, const PricedCell& cell) {
    const StoredRun run{cell.report};
    Cell drawn;
    drawn.constants = constants_of(cell.spec);
    for (const Constant& c : drawn.constants)
      drawn.draws.push_back(latin_hypercube_column(
          samples_, seed_, fmt::format("{} {} {} {}", c.path, c.value, c.low, c.high)));
    std::vector<Asked> asked;
    for (const Asked& a : kAsked)
      if (a.load == static_cast<Load>(load)) asked.push_back(a);
    sample(cell.spec.platform, run, drawn, asked, static_cast<Load>(load) == Load::Batch64);
  }

  /// Each kind once.
  static void count_broken(const PlatformSpec& platform, const PricedFigures& priced,
                           std::map<std::string_view, std::size_t>& broken) {
    std::set<FindingKind> kinds;
    for (const auto& found :
         {priced_findings(platform, priced.energy), area_findings(platform.die)})
      for (const Finding& finding : found) kinds.insert(finding.kind);
    for (const FindingKind kind : kinds) ++broken[name_of(kind)];
  }

  void sample(const PlatformSpec& nominal, const StoredRun& run, const Cell& cell,
              const std::vector<Asked>& asked, bool limited) {
    std::vector<std::vector<double>> found(asked.size());
    std::map<std::string_view, std::size_t> broken;
    for (std::size_t s = 0; s < samples_; ++s) {
      PlatformSpec platform = nominal;
      for (std::size_t c = 0; c < cell.constants.size(); ++c) {
        const Constant& k = cell.constants[c];
        put(platform, k, triangular(cell.draws[c][s], k.low, k.value, k.high));
      }
      const PricedFigures priced = run.price(platform);
      for (std::size_t a = 0; a < asked.size(); ++a)
        if (const auto value = priced_named(asked[a].priced).value(priced, platform))
          found[a].push_back(*value);
      if (limited) count_broken(platform, priced, broken);
    }
    for (const auto& [limit, count] : broken)
      if (count < samples_)
        limits.push_back({row_.name, std::string{limit},
                          static_cast<double>(count) / static_cast<double>(samples_)});
    for (std::size_t a = 0; a < asked.size(); ++a)
      if (found[a].size() == samples_) keep(nominal, run, cell, asked[a], std::move(found[a]));
  }

  void keep(const PlatformSpec& nominal, const StoredRun& run, const Cell& cell, const Asked& asked,
            std::vector<double> found) {
    const auto value_with = [&](const Constant* constant, double sample) {
      PlatformSpec platform = nominal;
      if (constant != nullptr) put(platform, *constant, sample);
      return *priced_named(asked.priced).value(run.price(platform), platform);
    };
    UncertainFigure figure;
    figure.figure = asked.figure;
    figure.platform = row_.name;
    figure.nominal = value_with(nullptr, 0);
    figure.quantiles = quantiles_of(found);
    for (const Constant& c : cell.constants) {
      TornadoBar bar{c.path, value_with(&c, c.low), value_with(&c, c.high)};
      if (bar.at_low != bar.at_high) figure.tornado.push_back(std::move(bar));
    }
    std::ranges::stable_sort(figure.tornado, std::greater<>{}, [](const TornadoBar& bar) {
      return std::abs(bar.at_high - bar.at_low);
    });
    figures.push_back(std::move(figure));
    samples[std::string{asked.figure}] = std::move(found);
  }

  const PlatformRow& row_;
  const std::size_t samples_;
  const std::uint64_t seed_;
};

/// Samples of the figure behind a cell of a table, a gain sample by sample.
std::vector<double> samples_behind(const TableCell& cell, const std::string& figure,
                                   const std::map<std::string, const Sampler*>& samplers) {
  const auto of = [&](const std::string& platform) -> const std::vector<double>* {
    const auto sampler = samplers.find(platform);
    if (sampler == samplers.end()) return nullptr;
    const auto found = sampler->second->samples.find(figure);
    return found == sampler->second->samples.end() ? nullptr : &found->second;
  };
  if (cell.column != "ratio") {
    const auto* found = of(cell.platform);
    return found != nullptr ? *found : std::vector<double>{};
  }
  constexpr std::string_view kOver = " over ";
  const auto over = cell.platform.find(kOver);
  const auto* better = of(cell.platform.substr(0, over));
  const auto* worse = of(cell.platform.substr(over + kOver.size()));
  std::vector<double> gains;
  for (std::size_t i = 0; better != nullptr && worse != nullptr && i < better->size(); ++i)
    gains.push_back((*worse)[i] / (*better)[i]);  // less is better of all that is priced here
  return gains;
}
}  // namespace

double triangular(double u, double low, double mode, double high) {
  if (!(low < high)) return low;
  mode = std::clamp(mode, low, high);
  const double below = (mode - low) / (high - low);
  return u < below ? low + std::sqrt(u * (high - low) * (mode - low))
                   : high - std::sqrt((1 - u) * (high - low) * (high - mode));
}

std::vector<double> latin_hypercube_column(std::size_t n, std::uint64_t seed,
                                           std::string_view purpose) {
  RngStream rng{seed, "uncertainty/" + std::string{purpose}};
  std::vector<double> column(n);
  for (std::size_t i = 0; i < n; ++i)
    column[i] = (static_cast<double>(i) + rng.uniform()) / static_cast<double>(n);
  for (std::size_t i = n; i > 1; --i) std::swap(column[i - 1], column[rng.below(i)]);
  return column;
}

Quantiles quantiles_of(std::vector<double> samples) {
  invariant(!samples.empty(), "quantiles are of samples");
  std::ranges::sort(samples);
  const auto rank = [&](double share) {
    const auto n = static_cast<double>(samples.size());
    return samples[static_cast<std::size_t>(std::max(0.0, std::ceil(share * n) - 1))];
  };
  constexpr double kP5 = 0.05, kP50 = 0.5, kP95 = 0.95;  // percentiles, as the headings say
  return {rank(kP5), rank(kP50), rank(kP95)};
}

void add_uncertainty(Comparison& comparison, const std::vector<PricedCells>& cells,
                     std::size_t samples, std::uint64_t seed) {
  std::vector<const PlatformRow*> rows;
  for (const auto* part : {&comparison.rows, &comparison.baselines})
    for (const PlatformRow& row : *part) rows.push_back(&row);
  invariant(cells.size() == rows.size(), "cells as the rows");
  Uncertainty out;
  out.samples = samples;
  out.seed = seed;
  std::vector<Sampler> all;
  all.reserve(cells.size());
  std::map<std::string, const Sampler*> samplers;
  for (std::size_t r = 0; r < cells.size(); ++r) {
    const Sampler& of = all.emplace_back(*rows[r], cells[r], samples, seed);
    samplers[rows[r]->name] = &of;
    if (r >= comparison.rows.size()) continue;
    out.figures.insert(out.figures.end(), of.figures.begin(), of.figures.end());
    out.limits.insert(out.limits.end(), of.limits.begin(), of.limits.end());
  }
  const auto look = [&](const std::string& table, std::vector<TableCell>& of,
                        const std::string& prefix) {
    for (TableCell& cell : of) {
      const auto found = samples_behind(cell, prefix + cell.figure, samplers);
      if (found.empty()) continue;
      const Quantiles q = quantiles_of(found);
      cell.ours_between = q;
      if (cell.verdict == Verdict::None) continue;
      const Flip flip{table,
                      cell.figure,
                      cell.column,
                      cell.platform,
                      verdict_of(q.p5 * cell.share, cell.stated),
                      cell.verdict,
                      verdict_of(q.p95 * cell.share, cell.stated)};
      if (flip.at_p5 != flip.at_p95 || flip.at_p5 != flip.nominal) out.flips.push_back(flip);
    }
  };
  look("table1", comparison.table1, "table1.");
  look("table2", comparison.table2, "");
  comparison.uncertainty = std::move(out);
}

}  // namespace reticle
