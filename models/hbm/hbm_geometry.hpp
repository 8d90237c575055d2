// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

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

  /// `of_sets` is below `sets`.
  [[nodiscard]] std::size_t bank(std::int64_t of_sets, std::int64_t member) const {
    return banks_[static_cast<std::size_t>(of_sets * members + member)];
  }
  struct Member {
    std::int64_t set = 0, member = 0;
  };
  [[nodiscard]] Member member_of(std::size_t bank) const { return members_[bank]; }
  /// Bank group (counted over all stack ids) of a bank.
  [[nodiscard]] std::size_t group(std::size_t bank) const {
    return bank / static_cast<std::size_t>(banks_per_group_);
  }
  /// Different bank groups among `visits` visits in a row.
  [[nodiscard]] std::int64_t groups_of(std::int64_t visits) const {
    return groups_[static_cast<std::size_t>(
        std::min<std::int64_t>(visits, static_cast<std::int64_t>(groups_.size()) - 1))];
  }

 private:
  std::vector<std::size_t> banks_;  ///< [set][member]
  std::vector<Member> members_;     ///< per bank
  std::vector<std::int64_t> groups_;
  std::int64_t banks_per_group_;
};

}  // namespace reticle
