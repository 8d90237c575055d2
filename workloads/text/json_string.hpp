// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace reticle {

/// In quotes, with what JSON does not take as it is escaped.
std::string json_string(std::string_view text);

}  // namespace reticle
