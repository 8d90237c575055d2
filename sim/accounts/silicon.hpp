// SPDX-License-Identifier: Apache-2.0
// What can be made of silicon, and what cannot.
#pragma once

#include "models/die/die_spec.hpp"

namespace reticle {

/// The field a scanner exposes at once: 26 mm x 33 mm. [IRDS 2023 Lithography, EUV at 0.33 NA]
inline constexpr double kReticleMm2 = 26.0 * 33.0;

/// Reticle fields that one piece of a die's silicon takes; more than one cannot be exposed.
constexpr double reticles(const DieParams& die) {
  return die.area_mm2 / static_cast<double>(die.chiplets) / kReticleMm2;
}

}  // namespace reticle
