// SPDX-License-Identifier: Apache-2.0
// What a reader must know before trusting or building what a result describes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/metrics/figures.hpp"

namespace reticle {

enum class FindingKind : std::uint8_t {
  Power,
  HeatFlux,
  DieArea,
  Price,
  Rejected,
  Unfinished,
  Recall,
  Prefixes,
  Faults
};
std::string_view name_of(FindingKind kind);
/// Depends on prices, so that re-pricing finds it anew.
constexpr bool is_priced(FindingKind kind) {
  return kind == FindingKind::Power || kind == FindingKind::HeatFlux || kind == FindingKind::Price;
}

/// Likewise of a kind by name.
bool is_priced(std::string_view kind);

/// A limit of silicon, cooling or memory that the result breaks; the rest are remarks on the run.
constexpr bool is_limit(FindingKind kind) {
  return kind != FindingKind::Unfinished && kind != FindingKind::Recall &&
         kind != FindingKind::Prefixes && kind != FindingKind::Faults;
}

struct Finding {
  FindingKind kind{};
  std::string text;
};

/// Power and heat against the limits the platform states, its price against what it costs to make.
std::vector<Finding> priced_findings(const PlatformSpec& platform, const EnergyReport& energy);
/// What its dies cannot be made as.
std::vector<Finding> area_findings(const DieParams& die);
/// The rest: area, requests, recall.
std::vector<Finding> run_findings(const RunSpec& spec, const RunResult& result);

}  // namespace reticle
