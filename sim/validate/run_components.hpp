// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "sim/validate/component.hpp"

namespace reticle {

/// What became of a row.
struct ComponentOutcome {
  double simulated_us = 0;
  std::string limit;     ///< where most of the time goes
  std::string left_out;  ///< why it was not simulated; empty: it was
};

/// Elaborates `platform` once and runs its rows on it one after another.
std::vector<ComponentOutcome> run_components(const PlatformSpec& platform,
                                             std::span<const Component> rows);

}  // namespace reticle
