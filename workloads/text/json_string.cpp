// SPDX-License-Identifier: Apache-2.0
#include "workloads/text/json_string.hpp"

#include <array>
#include <cstdio>

namespace reticle {

std::string json_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result.append(1, '\\').append(1, c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 7> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
      result.append(escape.data());
    } else {
      result += c;
    }
  }
  return result + "\"";
}

}  // namespace reticle
