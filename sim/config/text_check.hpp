// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reticle {

struct TextProblem {
  std::int64_t line = 0;
  std::int64_t column = 0;
  std::string what;
};

/// The first byte that does not belong into a UTF-8 text: control characters, malformed sequences.
std::optional<TextProblem> text_problem(std::string_view text);

}  // namespace reticle
