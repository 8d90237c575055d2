// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "models/hbm/divisor.hpp"
#include "models/hbm/hbm_map.hpp"

namespace reticle {

/// How a contiguous run walks through the banks under an address map: `visit` bytes in one bank,
/// then the next bank's turn; a set of `members` banks until their rows are used up; `sets` of them
/// until the first comes again with its next row.
class HbmGeometry {
 public:
  explicit HbmGeometry(const HbmParams& params);

  std::int64_t visit = 0;    ///< bytes
  std::int64_t set = 0;      ///< bytes
  std::int64_t members = 0;  ///< banks of a set
  std::int64_t sets = 0;

  /// A bank's index in the order of a walk: set by set, member by member. `of_sets` is below
  /// `sets`.
  [[nodiscard]] std::size_t index(std::int64_t of_sets, std::int64_t member) const {
    return static_cast<std::size_t>(of_sets * members + member);
  }
  /// The map's number of the bank at an index.
  [[nodiscard]] std::size_t bank(std::size_t index) const { return banks_[index]; }
  /// Bank group (counted over all stack ids) of the bank at an index.
  [[nodiscard]] std::size_t group(std::size_t index) const {
    return banks_[index] / static_cast<std::size_t>(banks_per_group_);
  }
  /// Sets in a row that lie in one stack id.
  [[nodiscard]] std::int64_t sets_of_stack() const { return sets_of_stack_; }
  /// Stack id of a set, counted from address 0.
  [[nodiscard]] std::int64_t stack_of(std::int64_t number) const {
    return stacks_[static_cast<std::size_t>(in_round(number))];
  }
  struct Walk {
    std::int64_t visit = 0;    ///< number of it, from address 0
    std::int64_t set = 0;      ///< number of it,
    std::int64_t row = 0;      ///< round of sets
    std::int64_t of_sets = 0;  ///< and place in the round
    std::int64_t in_set = 0;   ///< visits of the set before
  };
  [[nodiscard]] Walk walk_to(std::int64_t number) const {
    Walk at{.visit = number};
    at.set = by_visits_of_set_.of(number);
    at.in_set = by_visits_of_set_.rest(number, at.set);
    at.row = by_sets_.of(at.set);
    at.of_sets = by_sets_.rest(at.set, at.row);
    return at;
  }
  [[nodiscard]] std::int64_t visits_before(Bytes address) const {
    return by_visit_.of(address.count());
  }
  /// Rounded up.
  [[nodiscard]] std::int64_t visits_over(std::int64_t bytes) const {
    return by_visit_.of(bytes + visit - 1);
  }
  [[nodiscard]] std::int64_t sets_over(std::int64_t bytes) const {
    return by_set_.of(bytes + set - 1);
  }
  [[nodiscard]] std::int64_t bytes_into_set(Bytes address) const {
    return by_set_.rest(address.count(), by_set_.of(address.count()));
  }
  /// A set's place in the round of sets.
  [[nodiscard]] std::int64_t in_round(std::int64_t sets_after) const {
    return by_sets_.rest(sets_after, by_sets_.of(sets_after));
  }
  struct Member {
    std::int64_t set = 0, member = 0;
  };
  [[nodiscard]] Member member_of(std::size_t index) const {
    const auto at = static_cast<std::int64_t>(index);
    const std::int64_t of_sets = by_members_.of(at);
    return {of_sets, by_members_.rest(at, of_sets)};
  }
  /// Which bank of a set its visit `in_set` is in.
  [[nodiscard]] std::int64_t member(std::int64_t in_set) const {
    return by_members_.rest(in_set, by_members_.of(in_set));
  }
  /// Different bank groups among `visits` visits in a row.
  [[nodiscard]] std::int64_t groups_of(std::int64_t visits) const {
    return groups_[static_cast<std::size_t>(
        std::min<std::int64_t>(visits, static_cast<std::int64_t>(groups_.size()) - 1))];
  }

 private:
  std::vector<std::size_t> banks_;  ///< by index
  std::vector<std::int64_t> groups_;
  std::vector<std::int64_t> stacks_;  ///< stack id by set
  std::int64_t sets_of_stack_ = 1;
  std::int64_t banks_per_group_;
  Divisor by_visit_{1}, by_set_{1}, by_visits_of_set_{1}, by_sets_{1}, by_members_{1};
};

}  // namespace reticle
