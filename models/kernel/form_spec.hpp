// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace reticle {

/// How a component is simulated; both forms take the same parameters and answer at the same door.
enum class ModelForm : std::uint8_t { Transaction, Cycle };

}  // namespace reticle
