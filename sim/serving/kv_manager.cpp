// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/kv_manager.hpp"

#include <algorithm>
#include <numeric>

#include "sim/base/error.hpp"

namespace reticle {

KvManager::KvManager(const KvCapacity& capacity, const PrefixSharing& sharing)
    : capacity_{capacity}, sharing_{sharing} {
  invariant(capacity.page_tokens > 0 && capacity.replicas > 0, "KV pages");
  invariant(sharing.block_tokens % capacity.page_tokens == 0, "blocks are whole pages");
  if (capacity_.stages.empty())
    capacity_.stages.push_back({.page_tokens = capacity.page_tokens,
                                .page = capacity.page_bytes.count(),
                                .room = capacity.pages * capacity.page_bytes.count()});
  const bool pages_alone =
      std::all_of(capacity_.stages.begin(), capacity_.stages.end(),
                  [](const CacheStage& s) { return s.windows.empty() && s.state == 0; });
  if (!pages_alone) sharing_.block_tokens = 0;
  const Replica empty{std::vector<std::int64_t>(capacity_.stages.size()), Bytes{},
                      PrefixCache{sharing.eviction}};
  replicas_.assign(static_cast<std::size_t>(capacity.replicas), empty);
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

std::int64_t KvManager::block(const CacheStage& stage) const {
  return sharing_.block_tokens / capacity_.page_tokens * stage.page;
}

Bytes KvManager::block_bytes() const {
  std::int64_t sum = 0;
  for (const CacheStage& stage : capacity_.stages) sum += block(stage);
  return Bytes{sum * capacity_.dies};
}

/// Bytes of a stage for `tokens` tokens of which the leading `shared` blocks are in common.
std::int64_t KvManager::own(const CacheStage& stage, std::int64_t tokens,
                            std::int64_t shared) const {
  return stage.booked(tokens) - shared * block(stage);
}

std::int64_t KvManager::booked(const Replica& replica) const {
  return std::accumulate(replica.booked.begin(), replica.booked.end(), std::int64_t{0});
}

/// Idle blocks to evict so that `wanted` bytes per stage fit, `headroom` of the room left free
/// where other sequences are; `kept` of them must stay. nullopt: that cannot do.
std::optional<std::int64_t> KvManager::evictions_for(const Replica& replica,
                                                     const std::vector<std::int64_t>& wanted,
                                                     std::int64_t kept, double headroom) const {
  const std::int64_t idle = replica.prefixes.idle();
  std::int64_t evictions = 0;
  for (std::size_t s = 0; s < capacity_.stages.size(); ++s) {
    const CacheStage& stage = capacity_.stages[s];
    const bool alone = replica.booked[s] == idle * block(stage);
    const auto free =
        alone ? 0 : static_cast<std::int64_t>(headroom * static_cast<double>(stage.room));
    const std::int64_t short_of = replica.booked[s] + wanted[s] + free - stage.room;
    if (short_of <= 0) continue;
    if (block(stage) == 0) return std::nullopt;
    evictions = std::max(evictions, div_up(short_of, block(stage)));
  }
  if (evictions > idle - kept) return std::nullopt;
  return evictions;
}

void KvManager::evict(Replica& replica, std::int64_t blocks) {
  for (std::int64_t i = 0; i < blocks; ++i) {
    replica.prefixes.evict();
    give_back_block(replica);
  }
  stats_.evicted += blocks;
}

void KvManager::give_back_block(Replica& replica) {
  for (std::size_t s = 0; s < capacity_.stages.size(); ++s)
    replica.booked[s] -= block(capacity_.stages[s]);
  replica.filled -= block_bytes();
}

std::optional<KvLease> KvManager::admit(std::span<const PrefixCache::BlockId> blocks,
                                        std::int64_t prompt, std::int64_t tokens, double headroom) {
  KvLease lease;
  if (shares())
    lease.blocks = blocks.first(
        std::min(blocks.size(), static_cast<std::size_t>(prompt / sharing_.block_tokens)));
  // The last token of the prompt is computed in any case.
  const auto usable = lease.blocks.first(
      shares() ? std::min(lease.blocks.size(),
                          static_cast<std::size_t>((prompt - 1) / sharing_.block_tokens))
               : 0);
  struct Candidate {
    std::int32_t replica;
    PrefixCache::Match match;
    std::int64_t booked;
  };
  std::vector<Candidate> order;
  for (std::size_t r = 0; r < replicas_.size(); ++r)
    order.push_back(
        {static_cast<std::int32_t>(r), replicas_[r].prefixes.match(usable), booked(replicas_[r])});
  std::stable_sort(order.begin(), order.end(), [](const Candidate& a, const Candidate& b) {
    return a.match.blocks != b.match.blocks ? a.match.blocks > b.match.blocks : a.booked < b.booked;
  });
  std::vector<std::int64_t> wanted(capacity_.stages.size());
  for (const Candidate& c : order) {
    Replica& replica = replicas_[static_cast<std::size_t>(c.replica)];
    lease.shared = static_cast<std::int64_t>(c.match.blocks);
    for (std::size_t s = 0; s < wanted.size(); ++s)
      wanted[s] = own(capacity_.stages[s], tokens, lease.shared);
    const auto evictions = evictions_for(replica, wanted, c.match.idle, headroom);
    if (!evictions) continue;
    stats_.blocks += std::ssize(lease.blocks);
    stats_.hit_blocks += static_cast<std::int64_t>(replica.prefixes.match(lease.blocks).blocks);
    replica.prefixes.hold(lease.blocks.first(c.match.blocks));
    evict(replica, *evictions);
    for (std::size_t s = 0; s < wanted.size(); ++s) replica.booked[s] += wanted[s];
    lease.replica = c.replica;
    lease.booked = tokens;
    lease.filled = lease.shared * sharing_.block_tokens;
    stats_.hit_tokens += lease.filled;
    return lease;
  }
  return std::nullopt;
}

bool KvManager::grow(KvLease& lease, std::int64_t tokens) {
  if (tokens <= lease.booked) return true;
  Replica& replica = replicas_[static_cast<std::size_t>(lease.replica)];
  std::vector<std::int64_t> wanted;
  for (const CacheStage& stage : capacity_.stages)
    wanted.push_back(stage.booked(tokens) - stage.booked(lease.booked));
  const auto evictions = evictions_for(replica, wanted, 0, 0);
  if (!evictions) return false;
  evict(replica, *evictions);
  for (std::size_t s = 0; s < wanted.size(); ++s) replica.booked[s] += wanted[s];
  lease.booked = tokens;
  return true;
}

void KvManager::fill(KvLease& lease, std::int64_t tokens) {
  invariant(tokens <= lease.booked, "no more tokens than there is room for");
  Replica& replica = replicas_[static_cast<std::size_t>(lease.replica)];
  replica.filled += held(tokens) - held(lease.filled);
  lease.filled = tokens;
  while (lease.shared < std::ssize(lease.blocks) &&
         (lease.shared + 1) * sharing_.block_tokens <= tokens) {
    const auto next = static_cast<std::size_t>(lease.shared++);
    if (!replica.prefixes.hold_or_insert(lease.blocks[next], next)) continue;
    // Another sequence has computed the same block: one of the two is given back.
    give_back_block(replica);
  }
}

void KvManager::release(const KvLease& lease) {
  Replica& replica = replicas_[static_cast<std::size_t>(lease.replica)];
  for (std::size_t s = 0; s < capacity_.stages.size(); ++s) {
    replica.booked[s] -= own(capacity_.stages[s], lease.booked, lease.shared);
    invariant(replica.booked[s] >= 0, "what is released was booked");
  }
  replica.filled -= held(lease.filled) - lease.shared * block_bytes();
  invariant(replica.filled.count() >= 0, "what is released was filled");
  replica.prefixes.release(lease.blocks.first(static_cast<std::size_t>(lease.shared)));
}

Bytes KvManager::cached() const {
  std::int64_t idle = 0;
  for (const Replica& r : replicas_) idle += r.prefixes.idle();
  return idle * block_bytes();
}

Bytes KvManager::reserved() const {
  std::int64_t sum = 0;
  for (const Replica& r : replicas_) sum += booked(r);
  return Bytes{sum * capacity_.dies} - cached();
}

Bytes KvManager::used() const {
  Bytes sum{};
  for (const Replica& r : replicas_) sum += r.filled;
  return sum;
}

Bytes KvManager::capacity() const {
  std::int64_t room = 0;
  for (const CacheStage& stage : capacity_.stages) room += stage.room;
  return capacity_.replicas * Bytes{room * capacity_.dies};
}

}  // namespace reticle
