// SPDX-License-Identifier: Apache-2.0
// A set of 64-bit ids with a bound: 8 bytes a place, at most two thirds of them in use.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/base/rng.hpp"

namespace reticle {

class IdSet {
 public:
  [[nodiscard]] bool contains(std::uint64_t id) const {
    if (id == 0) return zero_;
    return !places_.empty() && places_[place(id)] == id;
  }
  /// Whether it was new.
  bool insert(std::uint64_t id) {
    if (id == 0) {  // marks a free place
      const bool fresh = !zero_;
      zero_ = true;
      return fresh;
    }
    if (3 * (used_ + 1) > 2 * places_.size()) grow();
    std::uint64_t& there = places_[place(id)];
    if (there == id) return false;
    there = id;
    ++used_;
    return true;
  }
  [[nodiscard]] std::size_t size() const { return used_ + (zero_ ? 1 : 0); }

 private:
  /// Of the id, or the free one where it would go.
  [[nodiscard]] std::size_t place(std::uint64_t id) const {
    const std::size_t mask = places_.size() - 1;
    std::size_t at = static_cast<std::size_t>(mix64(id)) & mask;
    while (places_[at] != 0 && places_[at] != id) at = (at + 1) & mask;
    return at;
  }
  void grow() {
    std::vector<std::uint64_t> old(places_.empty() ? 1024 : places_.size() * 2);
    old.swap(places_);
    for (const std::uint64_t id : old)
      if (id != 0) places_[place(id)] = id;
  }

  std::vector<std::uint64_t> places_;  ///< a power of two of them
  std::size_t used_ = 0;
  bool zero_ = false;
};

}  // namespace reticle
