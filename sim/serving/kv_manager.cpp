// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/kv_manager.hpp"

#include "sim/base/error.hpp"

namespace reticle {

KvManager::KvManager(const KvCapacity& capacity)
    : capacity_{capacity}, replicas_(static_cast<std::size_t>(capacity.replicas)) {
  invariant(capacity.page_tokens > 0 && capacity.replicas > 0, "KV pages");
}

std::int64_t KvManager::pages_for(std::int64_t tokens) const {
  return capacity_.fixed_pages + div_up(tokens, capacity_.page_tokens);
}

bool KvManager::ever_fits(std::int64_t tokens) const {
  return pages_for(tokens) <= capacity_.pages;
}

std::optional<std::int32_t> KvManager::reserve(std::int64_t tokens) {
  std::size_t best = 0;
  for (std::size_t r = 1; r < replicas_.size(); ++r)
    if (replicas_[r].reserved_pages < replicas_[best].reserved_pages) best = r;
  const std::int64_t pages = pages_for(tokens);
  if (replicas_[best].reserved_pages + pages > capacity_.pages) return std::nullopt;
  replicas_[best].reserved_pages += pages;
  ++replicas_[best].sequences;
  return static_cast<std::int32_t>(best);
}

void KvManager::fill(std::int32_t replica, std::int64_t tokens) {
  auto& r = replicas_[static_cast<std::size_t>(replica)];
  r.filled_tokens += tokens;
  invariant(r.filled_tokens <= r.reserved_pages * capacity_.page_tokens,
            "no more tokens than reserved pages hold");
}

void KvManager::release(std::int32_t replica, std::int64_t reserved, std::int64_t filled) {
  auto& r = replicas_[static_cast<std::size_t>(replica)];
  r.reserved_pages -= pages_for(reserved);
  r.filled_tokens -= filled;
  --r.sequences;
  invariant(r.reserved_pages >= 0 && r.filled_tokens >= 0, "what is released was reserved");
}

Bytes KvManager::reserved() const {
  std::int64_t pages = 0;
  for (const auto& r : replicas_) pages += r.reserved_pages;
  return pages * capacity_.page_bytes;
}

Bytes KvManager::used() const {
  std::int64_t tokens = 0, sequences = 0;
  for (const auto& r : replicas_) {
    tokens += r.filled_tokens;
    sequences += r.sequences;
  }
  if (!capacity_.grows) return sequences * capacity_.page_bytes;
  return Bytes{mul_div_up(tokens, capacity_.page_bytes.count(), capacity_.page_tokens)} +
         sequences * capacity_.fixed_bytes;
}

Bytes KvManager::capacity() const {
  return capacity_.replicas * (capacity_.pages * capacity_.page_bytes);
}

}  // namespace reticle
