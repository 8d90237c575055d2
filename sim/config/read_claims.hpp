// SPDX-License-Identifier: Apache-2.0
// What others state (configs/claims): a column to stand beside ours. Every figure is a range; one
// stated as a single number has both ends alike.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/config/config_tree.hpp"

namespace reticle {

struct ClaimRange {
  double low = 0;
  double high = 0;
  std::string unit;
};

/// What a platform is: one can buy it, its vendor claims it, it does not exist. Its figures are
/// simulated whichever it is; bars are drawn by it.
enum class ClaimKind { Shipping, Claim, Projection };

struct ClaimedPlatform {
  std::string id;     ///< in the catalogue
  std::string label;  ///< as the paper calls it
  ClaimRange packages;
  ClaimKind kind = ClaimKind::Shipping;
};

struct RadarAxis {
  std::string id, title, unit;
  bool ratio = true;  ///< drawn against the reference platform; else from `low` to `high`
  double low = 0, high = 0;
};

/// A row of Table 1: one platform; what the paper leaves empty is absent.
struct Table1Row {
  std::string platform;
  std::string precision;
  std::map<std::string, std::optional<ClaimRange>> cells;  ///< of kTable1Columns
};

/// What a claim can be about, and the unit it is stated in: ours stands beside it in the same.
struct ClaimedFigure {
  std::string_view name, unit;
};
inline constexpr std::array<ClaimedFigure, 5> kTable1Columns{{{"price", "USD"},
                                                              {"decode_single", "tokens/s"},
                                                              {"per_chip", "tokens/s"},
                                                              {"power", "W"},
                                                              {"energy", "J/token"}}};
inline constexpr std::array<ClaimedFigure, 6> kTable2Axes{{{"decode_single", "tokens/s"},
                                                           {"decode_batch64", "tokens/s"},
                                                           {"energy", "J/token"},
                                                           {"ttft", "ms"},
                                                           {"cost", "USD/Mtokens"},
                                                           {"context", "Ktokens"}}};
inline constexpr std::array<ClaimedFigure, 6> kRadarAxes{{{"decode_single", "tokens/s"},
                                                          {"decode_batch64", "tokens/s"},
                                                          {"energy_efficiency", "tokens/J"},
                                                          {"cost_efficiency", "Mtokens/USD"},
                                                          {"context", "Ktokens"},
                                                          {"software", "points"}}};

/// A row of Table 2: one figure of both machines, and the ratio as the paper prints it.
struct Table2Row {
  std::string axis;
  std::string unit;
  ClaimRange h100, asic, ratio;
};

/// From inputs to outputs, by a function that `formula` names.
struct WorkedExample {
  struct Output {
    double stated = 0;
    std::string unit;
    std::string rounding;  ///< none | down | nearest | milli
  };
  std::string id;
  std::string formula;
  std::map<std::string, double> inputs;
  std::map<std::string, Output> outputs;
  bool reproduced = true;
};

/// configs/claims/paper.yaml.
struct PaperClaims {
  std::vector<ClaimedPlatform> platforms;
  std::string radar_reference;
  std::vector<std::string> radar_excluded;
  std::vector<RadarAxis> axes;
  std::string table1_llm, table2_llm;
  std::vector<Table1Row> table1;
  std::string table2_h100, table2_asic;    ///< platforms of the two columns
  std::string table2_precision;            ///< of the first, weights and all
  std::vector<std::string> table2_beside;  ///< ours, held against the column of the ASIC too
  std::vector<Table2Row> table2;
  std::map<std::string, ClaimRange> reference_asic;  ///< the paper's envelope of a node
  std::map<std::string, ClaimRange> agent_density;
  std::map<std::string, ClaimRange> software;  ///< implied points of a platform; subjective
  std::vector<WorkedExample> examples;

  [[nodiscard]] const ClaimedPlatform* find(const std::string& platform) const;
};

/// Throws ConfigError at file:line:col. Without a path: the one of the catalogue.
PaperClaims read_paper_claims(const std::string& path = {});

/// Reads any file of configs/claims and throws ConfigError if it is wrong.
void check_claims(ConfigTree claims);

}  // namespace reticle
