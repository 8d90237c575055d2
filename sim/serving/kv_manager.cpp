// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/kv_manager.hpp"

#include <algorithm>
#include <numeric>

#include "sim/base/error.hpp"

namespace reticle {

KvManager::KvManager(const KvCapacity& capacity)
    : capacity_{capacity}, replicas_(static_cast<std::size_t>(capacity.replicas)) {
  invariant(capacity.page_tokens > 0 && capacity.replicas > 0, "KV pages");
  if (capacity_.stages.empty())
    capacity_.stages.push_back({.page_tokens = capacity.page_tokens,
                                .page = capacity.page_bytes.count(),
                                .room = capacity.pages * capacity.page_bytes.count()});
  for (Replica& r : replicas_) r.booked.assign(capacity_.stages.size(), 0);
}

std::int64_t KvManager::pages_for(std::int64_t tokens) const {
  return div_up(tokens, capacity_.page_tokens);
}

bool KvManager::ever_fits(std::int64_t tokens) const {
  return sequences_that_fit(capacity_.stages, tokens) >= 1;
}

Bytes KvManager::held(std::int64_t tokens) const {
  std::int64_t sum = 0;
  for (const CacheStage& stage : capacity_.stages) sum += stage.filled(tokens);
  return Bytes{sum * capacity_.dies};
}

std::optional<std::int32_t> KvManager::reserve(std::int64_t tokens) {
  const auto total = [](const Replica& r) {
    return std::accumulate(r.booked.begin(), r.booked.end(), std::int64_t{0});
  };
  const auto best =
      std::min_element(replicas_.begin(), replicas_.end(),
                       [&](const Replica& a, const Replica& b) { return total(a) < total(b); });
  for (std::size_t s = 0; s < capacity_.stages.size(); ++s)
    if (best->booked[s] + capacity_.stages[s].booked(tokens) > capacity_.stages[s].room)
      return std::nullopt;
  for (std::size_t s = 0; s < capacity_.stages.size(); ++s)
    best->booked[s] += capacity_.stages[s].booked(tokens);
  return static_cast<std::int32_t>(best - replicas_.begin());
}

void KvManager::fill(std::int32_t replica, std::int64_t before, std::int64_t after) {
  auto& r = replicas_[static_cast<std::size_t>(replica)];
  r.filled += held(after) - held(before);
  const std::int64_t booked = std::accumulate(r.booked.begin(), r.booked.end(), std::int64_t{0});
  invariant(r.filled.count() <= booked * capacity_.dies, "no more tokens than reserved pages hold");
}

void KvManager::release(std::int32_t replica, std::int64_t reserved, std::int64_t filled) {
  auto& r = replicas_[static_cast<std::size_t>(replica)];
  for (std::size_t s = 0; s < capacity_.stages.size(); ++s) {
    r.booked[s] -= capacity_.stages[s].booked(reserved);
    invariant(r.booked[s] >= 0, "what is released was reserved");
  }
  r.filled -= held(filled);
  invariant(r.filled.count() >= 0, "what is released was filled");
}

Bytes KvManager::reserved() const {
  std::int64_t booked = 0;
  for (const auto& r : replicas_)
    booked += std::accumulate(r.booked.begin(), r.booked.end(), std::int64_t{0});
  return Bytes{booked * capacity_.dies};
}

Bytes KvManager::used() const {
  Bytes sum{};
  for (const auto& r : replicas_) sum += r.filled;
  return sum;
}

Bytes KvManager::capacity() const {
  std::int64_t room = 0;
  for (const CacheStage& stage : capacity_.stages) room += stage.room;
  return capacity_.replicas * Bytes{room * capacity_.dies};
}

}  // namespace reticle
