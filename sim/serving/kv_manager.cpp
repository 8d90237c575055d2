// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/kv_manager.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "sim/base/error.hpp"

namespace reticle {

KvManager::KvManager(const KvCapacity& capacity, const PrefixSharing& sharing)
    : capacity_{capacity}, sharing_{sharing} {
  invariant(capacity.page_tokens > 0 && capacity.replicas > 0, "KV pages");
  invariant(sharing.block_tokens % capacity.page_tokens == 0, "blocks are whole pages");
  if (capacity_.stages.empty())
    capacity_.stages.push_back({.page_tokens = capacity.page_tokens,
                                .page = capacity.page_bytes.count(),
                                .room = capacity.pages * capacity.page_bytes.count(),
                                .far_room = capacity.far_pages * capacity.page_bytes.count(),
                                .flash_room = capacity.flash_pages * capacity.page_bytes.count()});
  const bool pages_alone =
      std::all_of(capacity_.stages.begin(), capacity_.stages.end(),
                  [](const CacheStage& s) { return s.windows.empty() && s.state == 0; });
  if (!pages_alone) sharing_.block_tokens = 0;
  for (const CacheStage& stage : capacity_.stages) block_.push_back(block(stage));
  const Sizes nothing(capacity_.stages.size());
  const Replica empty{{{nothing, nothing, nothing}}, Bytes{}, PrefixCache{sharing.eviction}, {}};
  replicas_.assign(static_cast<std::size_t>(capacity.replicas), empty);
}

// ---- sizes ----------------------------------------------------------------------------------

std::int64_t KvManager::pages_for(std::int64_t tokens) const {
  return div_up(tokens, capacity_.page_tokens);
}

bool KvManager::ever_fits(std::int64_t tokens) const {
  return sequences_that_fit(capacity_.stages, tokens) >= 1;
}

Bytes KvManager::over_dies(const Sizes& sizes) const {
  return Bytes{std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}) * capacity_.dies};
}

Bytes KvManager::held(std::int64_t tokens) const {
  std::int64_t sum = 0;
  for (const CacheStage& stage : capacity_.stages) sum += stage.filled(tokens);
  return Bytes{sum * capacity_.dies};
}

std::int64_t KvManager::block(const CacheStage& stage) const {
  return sharing_.block_tokens / capacity_.page_tokens * stage.page;
}

Bytes KvManager::block_bytes() const { return over_dies(block_); }

/// Of `tokens` tokens of which the leading `shared` blocks are in common.
KvManager::Sizes KvManager::sizes(std::int64_t tokens, std::int64_t shared) const {
  Sizes all;
  for (std::size_t s = 0; s < capacity_.stages.size(); ++s)
    all.push_back(capacity_.stages[s].booked(tokens) - shared * block_[s]);
  return all;
}

// ---- books ----------------------------------------------------------------------------------

namespace {
std::int64_t room_of(const CacheStage& stage, KvPlace place) {
  return ByPlace<std::int64_t>{{stage.room, stage.far_room, stage.flash_room}}[place];
}
}  // namespace

void KvManager::take(Replica& replica, KvPlace place, const Sizes& sizes) {
  Sizes& booked = replica.booked[place];
  for (std::size_t s = 0; s < sizes.size(); ++s) {
    booked[s] += sizes[s];
    invariant(booked[s] <= room_of(capacity_.stages[s], place),
              "no more is booked than there is room for");
  }
  KvTierStats& tier = tiers_[place];
  tier.allocated += over_dies(sizes);
  tier.peak = max(tier.peak, resident(place));
}

void KvManager::give(Replica& replica, KvPlace place, const Sizes& sizes, Leaves how) {
  Sizes& booked = replica.booked[place];
  for (std::size_t s = 0; s < sizes.size(); ++s) {
    booked[s] -= sizes[s];
    invariant(booked[s] >= 0, "what is released was booked");
  }
  KvTierStats& tier = tiers_[place];
  (how == Leaves::Freed ? tier.freed : tier.evicted) += over_dies(sizes);
}

void KvManager::move(Replica& replica, KvPlace from, KvPlace to, Bytes bytes) {
  replica.moves[from][to] += bytes;
  tiers_[from].moved_out += bytes;
  tiers_[to].moved_in += bytes;
}

std::vector<KvMove> KvManager::take_moves() {
  std::vector<KvMove> all;
  for (std::size_t r = 0; r < replicas_.size(); ++r)
    for (const KvPlace from : kKvPlaces)
      for (const KvPlace to : kKvPlaces) {
        const Bytes bytes = std::exchange(replicas_[r].moves[from][to], Bytes{});
        if (bytes.count() > 0) all.push_back({static_cast<std::int32_t>(r), from, to, bytes});
      }
  return all;
}

void KvManager::pass_time(Picoseconds now) {
  const double span = seconds(now - now_);
  for (const KvPlace place : kKvPlaces)
    tiers_[place].byte_seconds += span * static_cast<double>(resident(place).count());
  now_ = now;
}

// ---- eviction -------------------------------------------------------------------------------

/// Idle blocks to evict so that `wanted` bytes per stage fit, `headroom` of the room left free
/// where other sequences are; `kept` of them must stay. nullopt: that cannot do.
std::optional<std::int64_t> KvManager::evictions_for(const Replica& replica, const Sizes& wanted,
                                                     std::int64_t kept, double headroom) const {
  const std::int64_t idle = replica.prefixes.idle();
  const Sizes& booked = replica.booked[KvPlace::Home];
  std::int64_t evictions = 0;
  for (std::size_t s = 0; s < capacity_.stages.size(); ++s) {
    const CacheStage& stage = capacity_.stages[s];
    const bool alone = booked[s] == idle * block_[s];
    const auto free =
        alone ? 0 : static_cast<std::int64_t>(headroom * static_cast<double>(stage.room));
    const std::int64_t short_of = booked[s] + wanted[s] + free - stage.room;
    if (short_of <= 0) continue;
    if (block_[s] == 0 || sharing_.eviction == PrefixCachePolicy::Refuse) return std::nullopt;
    evictions = std::max(evictions, div_up(short_of, block_[s]));
  }
  if (evictions > idle - kept) return std::nullopt;
  return evictions;
}

/// Sends blocks further down until `wanted` fits in a place behind home. False: it never does, or
/// it would take the newcomer, which is not booked there yet.
bool KvManager::make_room(Replica& replica, KvPlace place, const Sizes& wanted,
                          std::optional<PrefixCache::BlockId> newcomer) {
  const auto fits = [&] {
    for (std::size_t s = 0; s < wanted.size(); ++s)
      if (replica.booked[place][s] + wanted[s] > room_of(capacity_.stages[s], place)) return false;
    return true;
  };
  while (!fits()) {
    if (replica.prefixes.in(place) == 0) return false;
    const PrefixCache::BlockId id = replica.prefixes.next_to_go(place);
    if (id == newcomer) return false;
    give(replica, place, block_, Leaves::Evicted);
    ++stats_.evicted[place];
    send_down(replica, place, id);
  }
  return true;
}

/// A block that had to leave `from` goes to the next place that takes it; behind the last one that
/// may, it is lost.
void KvManager::send_down(Replica& replica, KvPlace from, PrefixCache::BlockId id) {
  for (const KvPlace to : kPlacesBelow) {
    if (to <= from || to > sharing_.deepest) continue;
    replica.prefixes.send(id, to);
    if (!make_room(replica, to, block_, id)) continue;
    take(replica, to, block_);
    move(replica, from, to, block_bytes());
    stats_.spilled += from == KvPlace::Home;
    return;
  }
  replica.prefixes.drop(id);
}

void KvManager::evict(Replica& replica, std::int64_t blocks) {
  for (std::int64_t i = 0; i < blocks; ++i) {
    give(replica, KvPlace::Home, block_, Leaves::Evicted);
    replica.filled -= block_bytes();
    ++stats_.evicted[KvPlace::Home];
    send_down(replica, KvPlace::Home, replica.prefixes.next_to_go(KvPlace::Home));
  }
}

// ---- sequences ------------------------------------------------------------------------------

KvLease KvManager::lease_of(const KvAsk& ask) const {
  KvLease lease{.session = ask.session};
  if (shares())
    lease.blocks = ask.blocks.first(std::min(
        ask.blocks.size(),
        static_cast<std::size_t>(std::max(ask.prompt, ask.known) / sharing_.block_tokens)));
  return lease;
}

/// The full ones within so many tokens.
std::span<const PrefixCache::BlockId> KvManager::of_prompt(const KvLease& lease,
                                                           std::int64_t tokens) const {
  if (!shares()) return {};
  return lease.blocks.first(
      std::min(lease.blocks.size(), static_cast<std::size_t>(tokens / sharing_.block_tokens)));
}

std::vector<KvManager::Candidate> KvManager::candidates(
    std::span<const PrefixCache::BlockId> blocks) const {
  std::vector<Candidate> order;
  for (std::size_t r = 0; r < replicas_.size(); ++r)
    order.push_back({static_cast<std::int32_t>(r), replicas_[r].prefixes.match(blocks),
                     over_dies(replicas_[r].booked[KvPlace::Home]).count()});
  std::stable_sort(order.begin(), order.end(), [](const Candidate& a, const Candidate& b) {
    return a.match.blocks != b.match.blocks ? a.match.blocks > b.match.blocks : a.booked < b.booked;
  });
  return order;
}

/// The run that was found; what of it is behind home starts to move.
void KvManager::hold(Replica& replica, KvLease& lease, const PrefixCache::Match& match) {
  lease.shared = static_cast<std::int64_t>(match.blocks);
  lease.filled = lease.shared * sharing_.block_tokens;
  replica.prefixes.hold(lease.blocks.first(match.blocks), lease.session);
  for (const KvPlace from : kPlacesBelow) {
    const std::int64_t blocks = match.in[from];
    if (blocks == 0) continue;
    lease.arriving = true;
    for (std::int64_t i = 0; i < blocks; ++i) give(replica, from, block_, Leaves::Freed);
    move(replica, from, KvPlace::Home, blocks * block_bytes());
  }
  replica.filled += match.behind() * block_bytes();
}

namespace {
/// Room for what a sequence has for itself and for blocks that come home.
std::vector<std::int64_t> with_blocks(std::vector<std::int64_t> sizes,
                                      const std::vector<std::int64_t>& block, std::int64_t blocks) {
  for (std::size_t s = 0; s < sizes.size(); ++s) sizes[s] += blocks * block[s];
  return sizes;
}
}  // namespace

std::optional<KvLease> KvManager::admit(const KvAsk& ask) {
  KvLease lease = lease_of(ask);
  // The last token of the prompt is computed in any case.
  const auto found = of_prompt(lease, ask.prompt - 1);
  const std::vector<Candidate> order = candidates(found);
  if (order.front().match.arriving) return std::nullopt;  // it is here with the next step
  for (const Candidate& c : order) {
    Replica& replica = replicas_[static_cast<std::size_t>(c.replica)];
    const Sizes wanted = with_blocks(sizes(ask.tokens, static_cast<std::int64_t>(c.match.blocks)),
                                     block_, c.match.behind());
    const auto evictions = evictions_for(replica, wanted, c.match.idle, ask.headroom);
    if (!evictions) continue;
    const auto prompt = of_prompt(lease, ask.prompt);
    stats_.blocks += std::ssize(prompt);
    const PrefixCache::Match found_here = replica.prefixes.match(prompt);
    stats_.hit_blocks += static_cast<std::int64_t>(found_here.blocks);
    for (const KvPlace place : kKvPlaces) stats_.found[place] += found_here.in[place];
    lease.replica = c.replica;
    lease.booked = ask.tokens;
    hold(replica, lease, c.match);
    evict(replica, *evictions);
    take(replica, KvPlace::Home, wanted);
    stats_.hit_tokens += lease.filled;
    return lease;
  }
  return std::nullopt;
}

std::optional<KvLease> KvManager::prefetch(const KvAsk& ask) {
  KvLease lease = lease_of(ask);
  const auto prompt = of_prompt(lease, ask.prompt - 1);
  const Candidate best = candidates(prompt).front();
  Replica& replica = replicas_[static_cast<std::size_t>(best.replica)];
  const auto evictions = [&](std::int64_t blocks) {
    return evictions_for(replica, with_blocks(Sizes(block_.size()), block_, blocks),
                         best.match.idle, ask.headroom);
  };
  std::int64_t coming = best.match.behind();
  while (coming > 0 && !evictions(coming)) --coming;
  if (coming == 0) return std::nullopt;
  const std::int64_t make_way = *evictions(coming);
  lease.replica = best.replica;
  hold(replica, lease,
       replica.prefixes.match(
           prompt.first(static_cast<std::size_t>(best.match.in[KvPlace::Home] + coming))));
  lease.booked = lease.filled;
  evict(replica, make_way);
  take(replica, KvPlace::Home, with_blocks(Sizes(block_.size()), block_, coming));
  stats_.prefetched += coming;
  return lease;
}

std::optional<KvImage> KvManager::swap_out(const KvLease& lease) {
  Replica& replica = replicas_[static_cast<std::size_t>(lease.replica)];
  const Sizes wanted = sizes(lease.filled);
  // Other images stay: only blocks make room.
  for (std::size_t s = 0; s < wanted.size(); ++s)
    if (replica.booked[KvPlace::Far][s] - replica.prefixes.in(KvPlace::Far)*block_[s] + wanted[s] >
        capacity_.stages[s].far_room)
      return std::nullopt;
  invariant(make_room(replica, KvPlace::Far, wanted, std::nullopt), "without blocks it fits");
  take(replica, KvPlace::Far, wanted);
  move(replica, KvPlace::Home, KvPlace::Far, held(lease.filled));
  return KvImage{lease.replica, lease.filled};
}

std::optional<KvLease> KvManager::swap_in(const KvAsk& ask, const KvImage& image) {
  KvLease lease = lease_of(ask);
  Replica& replica = replicas_[static_cast<std::size_t>(image.replica)];
  const auto prompt = of_prompt(lease, image.tokens);
  const PrefixCache::Match all = replica.prefixes.match(prompt);
  // What is not at home the image has too.
  const PrefixCache::Match match =
      replica.prefixes.match(prompt.first(static_cast<std::size_t>(all.in[KvPlace::Home])));
  const Sizes wanted = sizes(ask.tokens, static_cast<std::int64_t>(match.blocks));
  const auto evictions = evictions_for(replica, wanted, match.idle, ask.headroom);
  if (!evictions) return std::nullopt;
  lease.replica = image.replica;
  lease.booked = ask.tokens;
  hold(replica, lease, match);
  evict(replica, *evictions);
  take(replica, KvPlace::Home, wanted);
  move(replica, KvPlace::Far, KvPlace::Home, held(image.tokens) - lease.shared * block_bytes());
  lease.image = image;
  lease.arriving = true;
  return lease;
}

void KvManager::drop(const KvImage& image) {
  give(replicas_[static_cast<std::size_t>(image.replica)], KvPlace::Far, sizes(image.tokens),
       Leaves::Freed);
}

void KvManager::arrive(KvLease& lease) {
  replicas_[static_cast<std::size_t>(lease.replica)].prefixes.arrive(
      lease.blocks.first(static_cast<std::size_t>(lease.shared)));
  lease.arriving = false;
  if (lease.image.tokens == 0) return;
  drop(lease.image);
  fill(lease, std::exchange(lease.image, {}).tokens);
}

bool KvManager::grow(KvLease& lease, std::int64_t tokens) {
  if (tokens <= lease.booked) return true;
  Replica& replica = replicas_[static_cast<std::size_t>(lease.replica)];
  Sizes wanted;
  for (const CacheStage& stage : capacity_.stages)
    wanted.push_back(stage.booked(tokens) - stage.booked(lease.booked));
  const auto evictions = evictions_for(replica, wanted, 0, 0);
  if (!evictions) return false;
  evict(replica, *evictions);
  take(replica, KvPlace::Home, wanted);
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
    const auto prefix = lease.blocks.first(static_cast<std::size_t>(++lease.shared));
    const auto found = replica.prefixes.hold_or_insert(prefix, lease.session);
    if (!found) continue;
    // It is there already, computed by another sequence: one of the two is given back.
    give(replica, *found, block_, Leaves::Freed);
    if (*found == KvPlace::Home) replica.filled -= block_bytes();
  }
}

void KvManager::release(const KvLease& lease) {
  Replica& replica = replicas_[static_cast<std::size_t>(lease.replica)];
  give(replica, KvPlace::Home, sizes(lease.booked, lease.shared), Leaves::Freed);
  replica.filled -= held(lease.filled) - lease.shared * block_bytes();
  invariant(replica.filled.count() >= 0, "what is released was filled");
  replica.prefixes.release(lease.blocks.first(static_cast<std::size_t>(lease.shared)));
}

void KvManager::touch(std::uint64_t session) {
  for (Replica& replica : replicas_) replica.prefixes.touch(session);
}

// ---- figures --------------------------------------------------------------------------------

Bytes KvManager::cached() const {
  std::int64_t idle = 0;
  for (const Replica& r : replicas_) idle += r.prefixes.idle();
  return idle * block_bytes();
}

Bytes KvManager::resident(KvPlace place) const {
  Bytes sum{};
  for (const Replica& r : replicas_) sum += over_dies(r.booked[place]);
  return sum;
}

Bytes KvManager::reserved() const { return resident(KvPlace::Home) - cached(); }

Bytes KvManager::used() const {
  Bytes sum{};
  for (const Replica& r : replicas_) sum += r.filled;
  return sum;
}

Bytes KvManager::capacity(KvPlace place) const {
  std::int64_t room = 0;
  for (const CacheStage& stage : capacity_.stages) room += room_of(stage, place);
  return capacity_.replicas * Bytes{room * capacity_.dies};
}

}  // namespace reticle
