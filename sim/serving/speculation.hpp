// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "sim/base/ids.hpp"
#include "sim/serving/serving_spec.hpp"

namespace reticle {

/// Leading drafts, of `drafts`, that the model accepts behind output token `position` of a request:
/// a pure function of these and the seed, whatever runs beside it.
std::int64_t accepted_drafts(const SpeculationSpec& spec, RequestId request, std::int64_t position,
                             std::int64_t drafts);

}  // namespace reticle
