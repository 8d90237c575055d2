// SPDX-License-Identifier: Apache-2.0
// Figures of the registry's reports as words.
#pragma once

#include <optional>
#include <string>

#include "sim/registry/validation.hpp"

namespace reticle {

/// Three digits, without zeros behind; a dash where there is none.
std::string figure_text(const std::optional<double>& figure);
/// "10 to 50 x".
std::string range_text(const std::optional<double>& low, const std::optional<double>& high,
                       const std::string& unit);
std::string claim_text(const ClaimTest& test);
/// "both ends widened by 5 %"; nothing where nothing is claimed.
std::string tolerance_text(const ClaimTest& test);
/// "Power of a node, air: 2 kW and more at every point; 12 of 12 points: true".
std::string refutation_text(const RefutationResult& result);
/// " It came true.", " It did not.", or that nobody evaluates it.
std::string came_true_text(const EntryResult& result);
/// What the figures of a test are counted in.
std::string unit_of(const ClaimTest& test);
/// The range over all points; of plain figures also how far apart its ends are.
std::string simulated_text(const TestResult& result);
/// " (arrivals x 0.5)", of a search also the next one; empty where there was no choice, or no
/// value.
std::string operating_point_text(const ArmResult& arm, const ClaimTest& test);
/// "2.1 (2 to 2.2)": the figure, and between what it lies where operating points were searched.
std::string comparand_text(const Comparand& comparand);
/// "weights_hbm, then kv".
std::string takeover_text(const TestResult& result);

}  // namespace reticle
