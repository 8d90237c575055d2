// SPDX-License-Identifier: Apache-2.0
#include "models/hbm/hbm_geometry.hpp"

#include <set>

#include "sim/base/error.hpp"

namespace reticle {

HbmGeometry::HbmGeometry(const HbmParams& params) : banks_per_group_{params.banks_per_group} {
  const HbmMap map{params};
  const auto& parts = map.parts();
  std::int64_t below = 1, visit_bursts = 0, set_bursts = 1, columns = 1;
  for (const HbmMap::Part& part : parts) {
    const bool column = part.field == HbmMap::Field::Column;
    if (!column && visit_bursts == 0) visit_bursts = below;
    below *= part.size;
    if (column) {
      set_bursts = below;
      columns *= part.size;
    }
  }
  const std::int64_t burst = params.burst.count();
  visit = visit_bursts * burst;
  set = std::max(set_bursts, visit_bursts) * burst;
  members = set_bursts / columns;
  const std::int64_t all = reticle::banks(params);
  sets = all / members;
  for (std::int64_t s = 0; s < sets; ++s)
    for (std::int64_t m = 0; m < members; ++m)
      banks_.push_back(static_cast<std::size_t>(map.place((s * set + m * visit) / burst).bank));
  by_visit_ = Divisor{visit};
  by_set_ = Divisor{set};
  by_visits_of_set_ = Divisor{set / visit};
  by_sets_ = Divisor{sets};
  by_members_ = Divisor{members};
  invariant(
      std::set<std::size_t>(banks_.begin(), banks_.end()).size() == static_cast<std::size_t>(all),
      "the address map walks through every bank once before the next row");
  for (std::int64_t s = 0; s < sets; ++s)
    stacks_.push_back(static_cast<std::int64_t>(group(index(s, 0))) / params.bank_groups);
  while (sets_of_stack_ < sets && stacks_[static_cast<std::size_t>(sets_of_stack_)] == stacks_[0])
    ++sets_of_stack_;
  std::set<std::size_t> seen;
  groups_.push_back(0);
  for (std::int64_t v = 0; v * visit < all * params.row.count(); ++v) {
    seen.insert(group(index(v * visit / set % sets, v % members)));
    groups_.push_back(static_cast<std::int64_t>(seen.size()));
    if (seen.size() * static_cast<std::size_t>(banks_per_group_) == static_cast<std::size_t>(all))
      break;
  }
}

}  // namespace reticle
