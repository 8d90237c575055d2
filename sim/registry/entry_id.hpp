// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace reticle {

/// 7 of "B7": B and a number from 1 to 999 without zeros in front.
std::optional<int> id_number(std::string_view id);

}  // namespace reticle
