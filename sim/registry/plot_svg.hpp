// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sim/registry/validation.hpp"

namespace reticle {

/// A test as inline SVG: a line per point of the condition space, a mark per treatment, the claimed
/// range as a band. Colours come from the page's style sheet. Empty where nothing has a figure.
std::string plot_svg(const TestResult& result);

}  // namespace reticle
