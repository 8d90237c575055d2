// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping/expert_cache.hpp"

#include <algorithm>
#include <utility>

namespace reticle {

ExpertCache::ExpertCache(ExpertCachePolicy policy, std::int64_t experts,
                         std::span<const CachedExpert> held)
    : policy_{policy}, room_{held.size()}, entries_(static_cast<std::size_t>(experts)) {
  // The coldest makes room first, and any of them before what has been used.
  for (const CachedExpert& one : held) {
    entry(one.expert).address = one.address;
    entry(one.expert).last = -static_cast<std::int64_t>(resident_.size()) - 1;
    resident_.insert(rank(one.expert));
  }
}

ExpertCache::Rank ExpertCache::rank(std::int32_t expert) const {
  const Entry& e = entry(expert);
  return {policy_ == ExpertCachePolicy::Lfu ? e.uses : 0, e.last, expert};
}

void ExpertCache::count_use(std::int32_t expert) {
  Entry& e = entry(expert);
  if (e.address) resident_.erase(rank(expert));
  ++e.uses;
  e.last = ++clock_;
  if (e.address) resident_.insert(rank(expert));
}

/// `newcomer` takes the place of `victim`.
void ExpertCache::admit(std::int32_t newcomer, std::set<Rank>::iterator victim) {
  Entry& out = entry(victim->expert);
  entry(newcomer).address = std::exchange(out.address, std::nullopt);
  out.prefetched = false;
  resident_.erase(victim);
  resident_.insert(rank(newcomer));
}

std::span<const ExpertCache::Use> ExpertCache::refer(std::span<const std::int32_t> picks) {
  uses_.clear();
  for (const std::int32_t expert : picks) {
    Entry& e = entry(expert);
    uses_.push_back({e.address.has_value(), std::exchange(e.prefetched, false), e.address});
  }
  for (const std::int32_t expert : picks) count_use(expert);
  // The highest first: none comes in that another of them would put out again.
  order_.clear();
  for (std::size_t i = 0; i < picks.size(); ++i)
    if (!uses_[i].hit) order_.push_back(i);
  std::ranges::sort(order_,
                    [&](std::size_t a, std::size_t b) { return rank(picks[a]) > rank(picks[b]); });
  for (const std::size_t i : order_) {
    if (resident_.empty() || rank(picks[i]) < *resident_.begin()) break;
    admit(picks[i], resident_.begin());
    uses_[i].address = entry(picks[i]).address;
  }
  return uses_;
}

std::vector<CachedExpert> ExpertCache::prefetch(std::span<const std::int32_t> wanted) {
  std::vector<CachedExpert> come;
  const auto is_wanted = [&](const Rank& r) {
    return std::ranges::find(wanted, r.expert) != wanted.end();
  };
  for (const std::int32_t expert : wanted) {
    if (holds(expert)) continue;
    const auto victim = std::ranges::find_if_not(resident_, is_wanted);
    if (victim == resident_.end()) break;
    entry(expert).last = ++clock_;
    admit(expert, victim);
    entry(expert).prefetched = true;
    come.push_back({expert, *entry(expert).address});
  }
  return come;
}

}  // namespace reticle
