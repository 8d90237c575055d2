// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/prefix_cache.hpp"

#include "sim/base/error.hpp"

namespace reticle {

PrefixCache::Rank PrefixCache::rank(BlockId id, const Node& node) const {
  const std::int64_t uses = policy_ == EvictionPolicy::Lfu ? node.uses : 0;
  return {uses, node.last_use, -node.depth, id};
}

PrefixCache::Match PrefixCache::match(std::span<const BlockId> blocks) const {
  Match m;
  for (const BlockId id : blocks) {
    const auto found = nodes_.find(id);
    if (found == nodes_.end()) break;
    ++m.blocks;
    m.idle += found->second.holders == 0;
  }
  return m;
}

void PrefixCache::use(BlockId id, Node& node) {
  if (node.holders == 0) idle_.erase(rank(id, node));
  ++node.holders;
  ++node.uses;
  node.last_use = clock_;
}

void PrefixCache::hold(std::span<const BlockId> blocks) {
  ++clock_;
  for (const BlockId id : blocks) {
    const auto found = nodes_.find(id);
    invariant(found != nodes_.end(), "what is held is resident");
    use(id, found->second);
  }
}

bool PrefixCache::hold_or_insert(BlockId block, std::size_t before) {
  const auto [entry, fresh] = nodes_.try_emplace(block);
  Node& node = entry->second;
  if (fresh) {
    node = {
        .holders = 1, .uses = 1, .last_use = clock_, .depth = static_cast<std::int64_t>(before)};
    return false;
  }
  use(block, node);
  return true;
}

void PrefixCache::release(std::span<const BlockId> blocks) {
  ++clock_;
  for (const BlockId id : blocks) {
    const auto found = nodes_.find(id);
    invariant(found != nodes_.end() && found->second.holders > 0, "what is let go was held");
    Node& node = found->second;
    node.last_use = clock_;
    if (--node.holders == 0) idle_.insert(rank(id, node));
  }
}

void PrefixCache::evict() {
  invariant(!idle_.empty(), "there is an idle block to evict");
  nodes_.erase(std::get<BlockId>(*idle_.begin()));
  idle_.erase(idle_.begin());
}

}  // namespace reticle
