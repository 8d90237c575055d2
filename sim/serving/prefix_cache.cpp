// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/prefix_cache.hpp"

#include <algorithm>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
/// A block's credit is this over the length of the context it completes: fine enough to tell
/// contexts of 10^5 blocks apart.
constexpr std::int64_t kCredit = std::int64_t{1} << 40;
}  // namespace

PrefixCache::Rank PrefixCache::rank(const Node& node) const {
  std::int64_t first = 0;
  switch (policy_) {
    case PrefixCachePolicy::Lfu:
      first = node.uses;
      break;
    case PrefixCachePolicy::SizeAge:
      first = node.credit;
      break;
    case PrefixCachePolicy::Session:
      first = node.session ? sessions_.at(*node.session).last_use : node.last_use;
      break;
    case PrefixCachePolicy::Off:
    case PrefixCachePolicy::Lru:
    case PrefixCachePolicy::Refuse:
      break;
  }
  return {first, node.last_use, node.id};
}

/// Where it stands if it may leave its place.
std::set<PrefixCache::Rank>* PrefixCache::list_of(const Node& node) {
  const bool may_go = node.holders == 0 && node.children[node.place] == 0;
  return may_go ? &leaves_[node.place] : nullptr;
}

void PrefixCache::list(const Node& node) {
  auto* list = list_of(node);
  if (list == nullptr) return;
  list->insert(rank(node));
  if (policy_ == PrefixCachePolicy::Session && node.session)
    sessions_[*node.session].leaves.insert(node.id);
}

void PrefixCache::unlist(const Node& node) {
  auto* list = list_of(node);
  if (list == nullptr) return;
  list->erase(rank(node));
  if (policy_ == PrefixCachePolicy::Session && node.session)
    sessions_[*node.session].leaves.erase(node.id);
}

void PrefixCache::count(const Node& node, std::int64_t by) {
  if (node.holders == 0) idle_[node.place] += by;
  in_[node.place] += by;
}

template <class Change>
void PrefixCache::update(Node& node, Change change) {
  unlist(node);
  count(node, -1);
  change();
  count(node, 1);
  list(node);
}

void PrefixCache::count_child(const Node& node, std::int64_t by) {
  if (!node.parent) return;
  const auto found = nodes_.find(*node.parent);
  invariant(found != nodes_.end(), "no block outlives the one before it");
  Node& parent = found->second;
  update(parent, [&] { parent.children[node.place] += by; });
}

void PrefixCache::put(Node& node, KvPlace place) {
  if (node.place == place) return;
  count_child(node, -1);
  update(node, [&] { node.place = place; });
  count_child(node, 1);
}

PrefixCache::Match PrefixCache::match(std::span<const BlockId> blocks) const {
  Match m;
  for (const BlockId id : blocks) {
    const auto found = nodes_.find(id);
    if (found == nodes_.end()) break;
    const Node& node = found->second;
    m.arriving = node.arriving;
    if (m.arriving) break;
    ++m.blocks;
    ++m.in[node.place];
    m.idle[node.place] += node.holders == 0;
  }
  return m;
}

/// Of size-age: Greedy-Dual-Size with equal costs [Cao and Irani, USITS 1997]. A block's size is
/// the context it completes, so the ends of long contexts go first; what others are evicted for
/// adds to the credit of whatever is used later, so that age counts.
void PrefixCache::use(Node& node, std::optional<SessionId> session) {
  if (session && policy_ == PrefixCachePolicy::Session) sessions_.try_emplace(*session);
  update(node, [&] {
    ++node.holders;
    ++node.uses;
    node.last_use = clock_;
    node.credit = inflation_ + kCredit / (node.depth + 1);
    if (session) node.session = session;
  });
}

void PrefixCache::touch(SessionId session) {
  if (policy_ != PrefixCachePolicy::Session) return;
  Session& s = sessions_[session];
  const std::set<BlockId> leaves = s.leaves;
  for (const BlockId id : leaves) unlist(nodes_.at(id));
  s.last_use = ++clock_;
  for (const BlockId id : leaves) list(nodes_.at(id));
}

void PrefixCache::hold(std::span<const BlockId> blocks, std::optional<SessionId> session,
                       std::int64_t to_near) {
  ++clock_;
  for (const BlockId id : blocks) {
    const auto found = nodes_.find(id);
    invariant(found != nodes_.end(), "what is held is kept");
    Node& node = found->second;
    if (!at_hand(node.place)) {
      node.arriving = true;
      put(node, to_near-- > 0 ? KvPlace::Near : KvPlace::Home);
    }
    use(node, session);
  }
}

void PrefixCache::arrive(std::span<const BlockId> blocks) {
  for (const BlockId id : blocks) nodes_.at(id).arriving = false;
}

std::optional<KvPlace> PrefixCache::hold_or_insert(std::span<const BlockId> prefix,
                                                   std::optional<SessionId> session,
                                                   KvPlace place) {
  const BlockId id = prefix.back();
  const auto [entry, fresh] = nodes_.try_emplace(id);
  Node& node = entry->second;
  std::optional<KvPlace> found;
  if (fresh) {
    node.id = id;
    node.place = place;
    node.depth = std::ssize(prefix) - 1;
    if (node.depth > 0) node.parent = prefix[prefix.size() - 2];
    count(node, 1);
    list(node);
    count_child(node, 1);
  } else {
    found = node.place;
    put(node, std::min(place, node.place));
  }
  use(node, session);
  return found;
}

bool PrefixCache::raise(BlockId id) {
  Node& node = nodes_.at(id);
  if (node.arriving) return false;
  invariant(node.place == KvPlace::Home, "what comes into SRAM was at home");
  put(node, KvPlace::Near);
  return true;
}

std::int64_t PrefixCache::in(std::span<const BlockId> blocks, KvPlace place) const {
  return std::ranges::count_if(blocks, [&](BlockId id) { return nodes_.at(id).place == place; });
}

void PrefixCache::release(std::span<const BlockId> blocks) {
  ++clock_;
  for (const BlockId id : blocks) {
    const auto found = nodes_.find(id);
    invariant(found != nodes_.end() && found->second.holders > 0, "what is let go was held");
    Node& node = found->second;
    update(node, [&] {
      node.last_use = clock_;
      --node.holders;
    });
  }
}

PrefixCache::BlockId PrefixCache::next_to_go(KvPlace place) const {
  const std::set<Rank>& list = leaves_[place];
  invariant(!list.empty(), "there is an idle block to evict");
  return std::get<BlockId>(*list.begin());
}

/// What has to leave home tells the credit that later uses begin with.
void PrefixCache::leaves(const Node& node) {
  invariant(list_of(node) != nullptr, "what goes is idle, and nothing beside it continues it");
  if (node.place == KvPlace::Home) inflation_ = node.credit;
}

void PrefixCache::send(BlockId id, KvPlace to) {
  Node& node = nodes_.at(id);
  leaves(node);
  put(node, to);
}

void PrefixCache::drop(BlockId id) {
  const Node& node = nodes_.at(id);
  leaves(node);
  unlist(node);
  count(node, -1);
  count_child(node, -1);
  nodes_.erase(id);
}

}  // namespace reticle
