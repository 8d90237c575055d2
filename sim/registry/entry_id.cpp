// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/entry_id.hpp"

#include <charconv>

namespace reticle {

std::optional<int> id_number(std::string_view id) {
  constexpr int kMost = 999;  // three digits at most
  if (id.size() < 2 || id[0] != 'B' || id[1] == '0') return std::nullopt;
  int number = 0;
  const auto [end, error] = std::from_chars(id.data() + 1, id.data() + id.size(), number);
  if (error != std::errc{} || end != id.data() + id.size() || number < 1 || number > kMost)
    return std::nullopt;
  return number;
}

}  // namespace reticle
