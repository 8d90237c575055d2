// SPDX-License-Identifier: Apache-2.0
// How far a figure can be trusted: one word per constant.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace reticle {

inline constexpr std::array<std::string_view, 8> kConfidenceWords{
    "datasheet",     // the vendor's specification
    "measured",      // on silicon, published or read from a data set
    "fitted",        // a parameter of ours, to measurements of components or of stacks
    "claim",         // announced, not verified, or computed from what is
    "estimate",      // an analyst's, a tool's or our own judgement
    "derived",       // arithmetic on other figures; the source says which
    "extrapolated",  // carried over from another node or generation
    "recalled",      // published, but not read again for this file
};

constexpr bool is_confidence_word(std::string_view word) {
  return std::find(kConfidenceWords.begin(), kConfidenceWords.end(), word) !=
         kConfidenceWords.end();
}

}  // namespace reticle
