// SPDX-License-Identifier: Apache-2.0
// All platforms under the same loads, beside what others state of them. Pure functions over
// reports: nothing is simulated here.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/package/platform_spec.hpp"
#include "sim/compare/cell.hpp"
#include "sim/config/read_claims.hpp"

namespace reticle {

/// What every platform is asked, First the trace's first request alone; Table 1 asks its own
/// platforms once more, in its own format.
enum class Load : std::uint8_t { Batch1, Batch64, Trace, First, Table1 };
inline constexpr std::size_t kLoadCount = 5;
inline constexpr std::array<std::string_view, kLoadCount> kLoadNames{"batch1", "batch64", "trace",
                                                                     "first", "table1"};

struct FrontierPoint {
  std::int64_t batch = 0;
  double tokens_per_s_chip = 0, tokens_per_s_user = 0;
};

/// One platform: its deployment, and what came of each load (absent = not asked).
struct PlatformRow {
  std::string name, title, status;
  std::string weights;  ///< number format
  ClaimKind kind = ClaimKind::Shipping;
  std::string deployment;  ///< how its size was chosen, in words
  std::array<std::optional<CellFigures>, kLoadCount> cells;
  std::vector<FrontierPoint> frontier;  ///< by rising batch
  std::string table1_deployment;

  [[nodiscard]] const std::optional<CellFigures>& at(Load load) const {
    return cells[static_cast<std::size_t>(load)];
  }
};

/// A figure of every platform: of one cell, and whether a chip has its share of it.
struct ComparedFigure {
  std::string_view id, title, unit;
  Load load;
  std::optional<double> CellFigures::*value;
  bool divisible = false;
  bool higher_is_better = false;
};
inline constexpr std::array kComparedFigures{
    ComparedFigure{"decode_single", "Decode, one stream", "tokens/s", Load::Batch1,
                   &CellFigures::tokens_per_s, true, true},
    ComparedFigure{"decode_batch64", "Decode, batch 64", "tokens/s", Load::Batch64,
                   &CellFigures::tokens_per_s, true, true},
    ComparedFigure{"trace_rate", "Rate on the trace", "tokens/s", Load::Trace,
                   &CellFigures::tokens_per_s, true, true},
    ComparedFigure{"energy_single", "Energy, one stream", "J/token", Load::Batch1,
                   &CellFigures::node_j},
    ComparedFigure{"energy_batch64", "Energy, batch 64", "J/token", Load::Batch64,
                   &CellFigures::node_j},
    ComparedFigure{"energy_trace", "Energy on the trace", "J/token", Load::Trace,
                   &CellFigures::node_j},
    ComparedFigure{"energy_batch64_device", "Energy of devices, batch 64", "J/token", Load::Batch64,
                   &CellFigures::device_j},
    ComparedFigure{"energy_batch64_facility", "Energy of the facility, batch 64", "J/token",
                   Load::Batch64, &CellFigures::facility_j},
    ComparedFigure{"cost_single", "Cost, one stream", "USD/Mtokens", Load::Batch1,
                   &CellFigures::usd_per_m_tokens},
    ComparedFigure{"cost_batch64", "Cost, batch 64", "USD/Mtokens", Load::Batch64,
                   &CellFigures::usd_per_m_tokens},
    ComparedFigure{"cost_trace", "Cost of the trace's mix, planned utilisation", "USD/Mtokens",
                   Load::Trace, &CellFigures::usd_per_m_tokens},
    ComparedFigure{"cost_trace_run", "Cost on the trace, utilisation of the run", "USD/Mtokens",
                   Load::Trace, &CellFigures::usd_per_m_tokens_run},
    ComparedFigure{"context", "Longest context", "Ktokens", Load::Batch1,
                   &CellFigures::context_ktokens, false, true},
    ComparedFigure{"ttft", "First token, a request alone", "ms", Load::First,
                   &CellFigures::ttft_ms},
    ComparedFigure{"ttft_trace", "First token on the trace, median", "ms", Load::Trace,
                   &CellFigures::ttft_ms},
    ComparedFigure{"density_single", "Agents, one stream at a time", "streams/1e6 USD",
                   Load::Batch1, &CellFigures::single_density, false, true},
    ComparedFigure{"density_batch64", "Agents, batch 64", "streams/1e6 USD", Load::Batch64,
                   &CellFigures::density, false, true},
    ComparedFigure{"power_batch64", "Power, batch 64", "W", Load::Batch64,
                   &CellFigures::busy_power_w, true},
    ComparedFigure{"capex", "Price", "USD", Load::Batch1, &CellFigures::capex_usd, true},
    ComparedFigure{"made", "Cost to make", "USD", Load::Batch1, &CellFigures::made_usd, true}};

const ComparedFigure& figure_named(std::string_view id);
/// Absent where its cell has no such figure.
std::optional<double> value_of(const PlatformRow& row, const ComparedFigure& figure);

enum class Verdict : std::uint8_t { Inside, Below, Above, None };
std::string_view name_of(Verdict verdict);
std::string_view name_of(ClaimKind kind);

/// Where `ours` lies to a stated range, whose figures have two digits at most: its ends are widened
/// by 5 %. None where one of them is absent.
inline constexpr double kStatedTolerance = 0.05;
Verdict verdict_of(std::optional<double> ours, const std::optional<ClaimRange>& stated);

/// Nearest rank over all samples.
struct Quantiles {
  double p5 = 0, p50 = 0, p95 = 0;
};

/// A figure that the paper states, with ours beside it.
struct TableCell {
  std::string figure;    ///< as the paper's column or row calls it
  std::string column;    ///< Table 2: h100, asic, ratio
  std::string platform;  ///< whose figure is ours
  std::string unit;
  std::optional<ClaimRange> stated;
  std::optional<double> ours;
  std::optional<Quantiles> ours_between;  ///< with --uncertainty, where prices decide it
  /// Of ours, the share that stands for as many packages as the statement counts.
  double share = 1;
  Verdict verdict = Verdict::None;  ///< of that share
  std::string limited_by;
  std::string note;
};

/// A contradiction that a reader must know.
struct Contradiction {
  std::string platform;
  std::string
      kind;  ///< fit | bandwidth | power | accounting | heat_flux | die_area | price | rejected
  std::string text;
};

/// An axis of the radar: value of each platform by row, absent where there is none.
struct RadarValues {
  RadarAxis axis;
  std::vector<std::optional<ClaimRange>> values;  ///< low = high but for subjective ones
};

/// A constant alone at either end of its range, the others as they are.
struct TornadoBar {
  std::string path;
  double at_low = 0, at_high = 0;
};

struct UncertainFigure {
  std::string figure;  ///< of kComparedFigures, or of Table 1: "table1.energy"
  std::string platform;
  double nominal = 0;
  Quantiles quantiles;
  std::vector<TornadoBar> tornado;  ///< widest first
};

/// A verdict that the ranges do not settle.
struct Flip {
  std::string table, figure, column, platform;
  Verdict at_p5 = Verdict::None, nominal = Verdict::None, at_p95 = Verdict::None;
};

/// In how many of the samples batch 64 breaks a limit of its platform.
struct LimitShare {
  std::string platform, limit;
  double share = 0;
};

struct Uncertainty {
  std::size_t samples = 0;
  std::uint64_t seed = 0;
  std::vector<UncertainFigure> figures;
  std::vector<Flip> flips;
  std::vector<LimitShare> limits;  ///< neither 0 nor 1
};

struct Comparison {
  std::string llm, workload, weights;
  std::string llm_changed;  ///< why it is not the catalogue's model of its name; empty: it is
  double utilisation = 0;
  std::vector<PlatformRow> rows;
  /// Of Table 2 alone: its first column in the number format that the paper has it in.
  std::vector<PlatformRow> baselines;
  std::vector<RadarValues> radar;
  std::vector<TableCell> table1, table2;
  std::vector<std::string> remarks;  ///< why a table or a column is empty
  std::vector<Contradiction> contradictions;
  std::optional<Uncertainty> uncertainty;
};

/// Fills tables, radar and contradictions from the rows.
void complete(Comparison& comparison, const PaperClaims& claims);

/// What reports and claims contradict by themselves; each once.
std::vector<Contradiction> contradictions_of(const Comparison& comparison,
                                             const PaperClaims& claims);

/// Of the paper's model in the format of a row: all of its weights, and those that a token reads.
struct StatedWeights {
  Bytes all, active;
};

/// What Table 1 states of a platform against its own memories: packages that do not hold the model,
/// a rate for one stream that they cannot read it at.
std::vector<std::string> stated_against_memory(const PlatformSpec& platform,
                                               const PaperClaims& claims, const Table1Row& row,
                                               const StatedWeights& weights);

/// projections_table.csv, table1.csv and table2.csv, compare.json, compare.md, the terminal.
std::string projections_csv(const Comparison& comparison);
std::string table_csv(const std::vector<TableCell>& table);
std::string comparison_json(const Comparison& comparison, const PaperClaims& claims,
                            const BuildInfo& build);
std::string comparison_markdown(const Comparison& comparison);
std::string comparison_summary(const Comparison& comparison);

}  // namespace reticle
