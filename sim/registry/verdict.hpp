// SPDX-License-Identifier: Apache-2.0
// What simulated figures say of a claimed range: pure functions of numbers and labels.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reticle {

/// The range that an entry claims, as an experiment holds results against it.
struct ClaimedRange {
  double low = 0, high = 0;
  bool at_least = false;    ///< more than `high` is within it
  bool is_price = false;    ///< less is better: a cost of the remedy, not its gain
  double tolerance = 0.05;  ///< both ends are widened by this share: they have a digit or two
};

/// Where a figure lies to a claim. Better: a gain above it, or a price below it.
enum class Standing : std::uint8_t { Worse, Within, Better };

enum class RegistryVerdict : std::uint8_t {
  Supported,
  Conditional,
  Overclaimed,
  Underclaimed,
  NotSimulable
};
inline constexpr std::array<std::string_view, 5> kRegistryVerdicts{
    "supported", "conditional", "overclaimed", "underclaimed", "not simulable"};
std::string_view name_of(RegistryVerdict verdict);

Standing standing_of(double figure, const ClaimedRange& claimed);

/// One point of the condition space: a label of every axis, and what came out there.
struct ConditionResult {
  std::vector<std::string> labels;
  Standing standing{};
};

/// Of all points: supported where none is worse (underclaimed: where all are better), overclaimed
/// where all are worse, conditional between. Nothing to judge by is not simulable.
RegistryVerdict verdict_of(const std::vector<ConditionResult>& results);

/// Of the verdicts on several claims of one entry, those aside that could not be simulated: the one
/// they agree on; supported where each is supported or underclaimed; else conditional.
RegistryVerdict combined(const std::vector<RegistryVerdict>& verdicts);

/// An entry whose falsifier came true is overclaimed, whatever its figures reach: what it promises
/// was not to be had from it.
RegistryVerdict concluded(RegistryVerdict of_claims, bool refuted);

/// The points at which a claim holds, in words ("where batch is 1", or "except where ..." if that
/// is shorter): by one axis where its values tell all, else by two, else point by point. Empty
/// where it holds everywhere or nowhere.
std::string condition_of(const std::vector<std::string>& axes,
                         const std::vector<ConditionResult>& results);

}  // namespace reticle
