// SPDX-License-Identifier: Apache-2.0
// Event counts as JSON and back, without loss: what lets a stored run be priced again.
#pragma once

#include <string>
#include <string_view>

#include "models/package/event_counts.hpp"

namespace reticle {

/// One JSON object, integers only, keys in a fixed order.
std::string counts_to_json(const EventCounts& counts);

/// Reads what counts_to_json wrote. Throws ConfigError naming the key that is missing, unknown or
/// not a whole number.
EventCounts counts_from_json(std::string_view text);

}  // namespace reticle
