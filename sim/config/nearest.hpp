// SPDX-License-Identifier: Apache-2.0
// "did you mean ...?"
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace reticle {

/// The candidate few edits away from `word`, the first of the closest; nothing when all are far.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

/// " (did you mean x?)", or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace reticle
