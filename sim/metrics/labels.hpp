// SPDX-License-Identifier: Apache-2.0
// What reports call things: one row per fact.
#pragma once

#include <array>
#include <string_view>

#include "models/program/program.hpp"

namespace reticle {

struct TimeCategoryLabel {
  TimeCategory category;
  std::string_view key;    ///< in JSON
  std::string_view title;  ///< for people
  std::string_view why;    ///< what it means that most of the time goes there
};

extern const std::array<TimeCategoryLabel, kTimeCategoryCount> kTimeCategoryLabels;
const TimeCategoryLabel& label_of(TimeCategory category);

/// In the order of enum Tier.
inline constexpr std::array<std::string_view, kTierCount> kTierNames{"sram", "hbm", "far", "flash"};
constexpr std::string_view name_of(Tier tier) { return kTierNames[static_cast<std::size_t>(tier)]; }

}  // namespace reticle
