// SPDX-License-Identifier: Apache-2.0
// A picture of a trace: prompt lengths, answer lengths, arrivals over time.
#pragma once

#include <string>
#include <string_view>

#include "workloads/requests/trace_statistics.hpp"

namespace reticle {

/// An SVG of three histograms, self-contained. Lengths stand on a logarithmic axis.
std::string trace_svg(const TraceStatistics& trace, std::string_view title);

}  // namespace reticle
