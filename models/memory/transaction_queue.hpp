// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "sim/base/units.hpp"

namespace reticle {

/// A controller queue of fixed depth in front of an in-order server: a transaction is accepted when
/// the one `depth` places before it has left.
class TransactionQueue {
 public:
  explicit TransactionQueue(std::int64_t depth) : done_(static_cast<std::size_t>(depth)) {}

  [[nodiscard]] Picoseconds accept(Picoseconds at) const { return max(at, done_[next_]); }
  void push(Picoseconds done) {
    done_[next_] = done;
    next_ = next_ + 1 == done_.size() ? 0 : next_ + 1;
  }

 private:
  std::vector<Picoseconds> done_;  ///< completion times of the last `depth` transactions
  std::size_t next_ = 0;
};

}  // namespace reticle
