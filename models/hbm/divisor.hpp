// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

namespace reticle {

/// Division of counts that are not negative by a number that stays: a shift where it is a power of
/// two, as the sizes of address maps are but for stacks of three.
class Divisor {
 public:
  constexpr explicit Divisor(std::int64_t value)
      : value_{value},
        shift_{std::has_single_bit(static_cast<std::uint64_t>(value))
                   ? std::countr_zero(static_cast<std::uint64_t>(value))
                   : -1} {}
  [[nodiscard]] constexpr std::int64_t of(std::int64_t count) const {
    return shift_ >= 0 ? count >> shift_ : count / value_;
  }
  /// What is left over; `quotient` is of(count).
  [[nodiscard]] constexpr std::int64_t rest(std::int64_t count, std::int64_t quotient) const {
    return count - quotient * value_;
  }

 private:
  std::int64_t value_;
  int shift_;
};

}  // namespace reticle
