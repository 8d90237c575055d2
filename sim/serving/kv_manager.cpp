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
                                .flash_room = capacity.flash_pages * capacity.page_bytes.count(),
                                .near_room = capacity.near_pages * capacity.page_bytes.count()});
  const bool pages_alone =
      std::all_of(capacity_.stages.begin(), capacity_.stages.end(),
                  [](const CacheStage& s) { return s.windows.empty() && s.state == 0; });
  if (!pages_alone && near_pages(capacity_.stages) > 0) sharing_.block_tokens = 0;
  for (const CacheStage& stage : capacity_.stages) {
    snapshot_.push_back(stage.snapshot(sharing_.block_tokens));
    block_.push_back(block(stage) + snapshot_.back());
  }
  // A block is in one place.
  if (shares()) block_pages_ = sharing_.block_tokens / capacity_.page_tokens;
  near_pages_ = near_pages(capacity_.stages) / block_pages_ * block_pages_;
  for (CacheStage& stage : capacity_.stages) stage.near_room = near_pages_ * stage.page;
  const bool even = std::ranges::all_of(capacity_.stages, [](const CacheStage& s) {
    return s.page % s.page_tokens == 0 && s.windows.empty() && s.state == 0;
  });
  if (even)
    token_bytes_ = Bytes{over_dies(sizes(capacity_.page_tokens)).count() / capacity_.page_tokens};
  const Sizes nothing(capacity_.stages.size());
  const Replica empty{
      {{nothing, nothing, nothing, nothing}}, Bytes{}, PrefixCache{sharing.eviction}};
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
  if (token_bytes_) return tokens * *token_bytes_;
  std::int64_t sum = 0;
  for (const CacheStage& stage : capacity_.stages) sum += stage.filled(tokens);
  return Bytes{sum * capacity_.dies};
}

Bytes KvManager::paged(std::int64_t tokens) const {
  std::int64_t sum = 0;
  for (const CacheStage& stage : capacity_.stages) sum += stage.in_pages(tokens);
  return Bytes{sum * capacity_.dies};
}

/// Pages alone.
std::int64_t KvManager::block(const CacheStage& stage) const {
  return sharing_.block_tokens / capacity_.page_tokens * stage.page;
}

/// Of a sequence's tokens those in so many blocks that it holds, without their snapshots.
Bytes KvManager::in_blocks(std::int64_t blocks) const {
  return blocks * (block_bytes() - over_dies(snapshot_));
}

Bytes KvManager::block_bytes() const { return over_dies(block_); }

/// Of `tokens` tokens of which the leading `shared` blocks are in common, and as many more as
/// `to_be` will be.
KvManager::Sizes KvManager::sizes(std::int64_t tokens, std::int64_t shared,
                                  std::int64_t to_be) const {
  Sizes all;
  for (std::size_t s = 0; s < capacity_.stages.size(); ++s)
    all.push_back(capacity_.stages[s].booked(tokens) - shared * (block_[s] - snapshot_[s]) +
                  to_be * snapshot_[s]);
  return all;
}

/// Of a sequence that has room for so many tokens, beside the blocks it holds in common.
KvManager::Sizes KvManager::sizes(const KvLease& lease, std::int64_t tokens) const {
  return sizes(tokens, lease.shared, std::ssize(lease.blocks) - lease.shared);
}

/// Of so many pages.
KvManager::Sizes KvManager::pages(std::int64_t count) const {
  Sizes all;
  for (const CacheStage& stage : capacity_.stages) all.push_back(count * stage.page);
  return all;
}

/// Of so many tokens of a sequence, beside the blocks it holds in common.
std::int64_t KvManager::own_pages(const KvLease& lease, std::int64_t tokens) const {
  return pages_for(tokens) - lease.shared * block_pages_;
}

/// Of its own pages the first so many become blocks, booked yet or not.
std::int64_t KvManager::block_pages_to_be(const KvLease& lease) const {
  return (std::ssize(lease.blocks) - lease.shared) * block_pages_;
}

// ---- books ----------------------------------------------------------------------------------

namespace {
std::int64_t room_of(const CacheStage& stage, KvPlace place) {
  return ByPlace<std::int64_t>{
      {stage.near_room, stage.room, stage.far_room, stage.flash_room}}[place];
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
  const std::int64_t idle = replica.prefixes.idle(KvPlace::Home);
  const std::int64_t idle_near = replica.prefixes.idle(KvPlace::Near);
  const Sizes& booked = replica.booked[KvPlace::Home];
  std::int64_t evictions = 0;
  for (std::size_t s = 0; s < capacity_.stages.size(); ++s) {
    const CacheStage& stage = capacity_.stages[s];
    const bool alone =
        booked[s] == idle * block_[s] && replica.booked[KvPlace::Near][s] == idle_near * block_[s];
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

/// Pages of SRAM that are free or that idle blocks, but `kept` of them, make way from.
std::int64_t KvManager::near_available(const Replica& replica, std::int64_t kept) const {
  if (near_pages_ == 0) return 0;
  std::int64_t free = near_pages_;
  for (std::size_t s = 0; s < capacity_.stages.size(); ++s)
    if (const std::int64_t page = capacity_.stages[s].page; page > 0)
      free = near_pages_ - replica.booked[KvPlace::Near][s] / page;
  const bool stay = sharing_.eviction == PrefixCachePolicy::Refuse;
  return free + (stay ? 0 : replica.prefixes.idle(KvPlace::Near) - kept) * block_pages_;
}

/// Of `pages` pages in SRAM, of which the first `in_blocks` belong to blocks, those that split no
/// block.
std::int64_t KvManager::whole_blocks(std::int64_t pages, std::int64_t in_blocks) const {
  return pages >= in_blocks ? pages : pages - pages % block_pages_;
}

std::optional<KvManager::Room> KvManager::room_for(const Replica& replica,
                                                   const Wanted& wanted) const {
  Room room{.home = wanted.sizes};
  if (wanted.near > 0) {
    const std::int64_t most =
        std::min(wanted.near, near_available(replica, wanted.kept[KvPlace::Near]));
    room.near = std::max<std::int64_t>(
        0, whole_blocks(wanted.near_before + most, wanted.in_blocks) - wanted.near_before);
    for (std::size_t s = 0; s < room.home.size(); ++s)
      room.home[s] -= room.near * capacity_.stages[s].page;
  }
  const auto evictions =
      evictions_for(replica, room.home, wanted.kept[KvPlace::Home], wanted.headroom);
  if (!evictions) return std::nullopt;
  room.evictions[KvPlace::Home] = *evictions;
  return room;
}

/// Pages that nothing fills yet are at home as long as there is room, so that SRAM has those that
/// are read.
std::optional<KvManager::Room> KvManager::room_for(const Replica& replica, Wanted wanted,
                                                   std::int64_t near_wish) const {
  const std::int64_t all = std::exchange(wanted.near, std::min(near_wish, wanted.near));
  auto room = room_for(replica, wanted);
  if (room || wanted.near == all) return room;
  wanted.near = all;
  return room_for(replica, wanted);
}

/// Room in SRAM; idle blocks make way.
void KvManager::take_near(Replica& replica, const Sizes& sizes, std::int64_t count) {
  const std::int64_t idle = replica.prefixes.idle(KvPlace::Near);
  const std::int64_t free = near_available(replica, idle);
  if (count > free) evict(replica, KvPlace::Near, div_up(count - free, block_pages_));
  take(replica, KvPlace::Near, sizes);
}

void KvManager::book(Replica& replica, const Room& room) {
  evict(replica, KvPlace::Home, room.evictions[KvPlace::Home]);
  take(replica, KvPlace::Home, room.home);
  if (room.near > 0) take_near(replica, pages(room.near), room.near);
}

/// Sends blocks further down until `wanted` fits in a place. False: it never does, or it would take
/// the newcomer, which is not booked there yet.
bool KvManager::make_room(Replica& replica, KvPlace place, const Sizes& wanted,
                          std::optional<PrefixCache::BlockId> newcomer) {
  const auto fits = [&] {
    for (std::size_t s = 0; s < wanted.size(); ++s)
      if (replica.booked[place][s] + wanted[s] > room_of(capacity_.stages[s], place)) return false;
    return true;
  };
  while (!fits()) {
    if (replica.prefixes.idle(place) == 0 || replica.prefixes.next_to_go(place) == newcomer)
      return false;
    evict(replica, place, 1);
  }
  return true;
}

/// A block that had to leave `from` goes to the next place that takes it; behind the last one that
/// may, it is lost.
void KvManager::send_down(Replica& replica, KvPlace from, PrefixCache::BlockId id) {
  for (const KvPlace to : kKvPlaces) {
    if (to <= from || to > sharing_.deepest) continue;
    replica.prefixes.send(id, to);
    if (!make_room(replica, to, block_, id)) continue;
    take(replica, to, block_);
    move(replica, from, to, block_bytes());
    if (at_hand(to) || !at_hand(from)) return;
    ++stats_.spilled;
    replica.filled -= block_bytes();
    return;
  }
  if (at_hand(from)) replica.filled -= block_bytes();
  replica.prefixes.drop(id);
}

void KvManager::evict(Replica& replica, KvPlace place, std::int64_t blocks) {
  for (std::int64_t i = 0; i < blocks; ++i) {
    give(replica, place, block_, Leaves::Evicted);
    ++stats_.evicted[place];
    send_down(replica, place, replica.prefixes.next_to_go(place));
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
                     (over_dies(replicas_[r].booked[KvPlace::Near]) +
                      over_dies(replicas_[r].booked[KvPlace::Home]))
                         .count()});
  std::stable_sort(order.begin(), order.end(), [](const Candidate& a, const Candidate& b) {
    return a.match.blocks != b.match.blocks ? a.match.blocks > b.match.blocks : a.booked < b.booked;
  });
  return order;
}

/// The run that was found; what of it is behind home starts to move, the first `to_near` blocks
/// into SRAM.
void KvManager::hold(Replica& replica, KvLease& lease, const PrefixCache::Match& match,
                     std::int64_t to_near) {
  lease.shared = static_cast<std::int64_t>(match.blocks);
  lease.filled = lease.shared * sharing_.block_tokens;
  lease.near_shared = match.in[KvPlace::Near] + to_near;
  lease.counted = replica.raised;
  replica.prefixes.hold(lease.blocks.first(match.blocks), lease.session, to_near);
  for (const KvPlace from : kPlacesBelow) {
    const std::int64_t blocks = match.in[from];
    if (blocks == 0) continue;
    lease.arriving = true;
    for (std::int64_t i = 0; i < blocks; ++i) give(replica, from, block_, Leaves::Freed);
    const std::int64_t near = std::min(to_near, blocks);
    to_near -= near;
    move(replica, from, KvPlace::Near, near * block_bytes());
    move(replica, from, KvPlace::Home, (blocks - near) * block_bytes());
  }
  replica.filled += match.behind() * block_bytes() + held(lease.filled) - paged(lease.filled);
}

/// From a sequence into a block that it has just completed, or from one that it continues.
void KvManager::copy_states(Replica& replica) {
  std::int64_t states = 0;
  for (const CacheStage& stage : capacity_.stages) states += stage.state;
  const Bytes bytes{states * capacity_.dies};
  replica.moves[KvPlace::Home][KvPlace::Home] += bytes;
  stats_.copied += bytes;
}

/// Gives up the room for snapshots of blocks it has not completed: they will not be shared. False:
/// there is none.
bool KvManager::forgo(Replica& replica, KvLease& lease) {
  Sizes room = sizes(lease, lease.booked);
  lease.blocks = lease.blocks.first(static_cast<std::size_t>(lease.shared));
  const Sizes left = sizes(lease, lease.booked);
  if (room == left) return false;
  for (std::size_t s = 0; s < room.size(); ++s) room[s] -= left[s];
  give(replica, KvPlace::Home, room, Leaves::Freed);
  return true;
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
  const auto prompt = of_prompt(lease, ask.prompt);
  const std::vector<Candidate> order = candidates(found);
  if (order.front().match.arriving) return std::nullopt;  // it is here with the next step
  for (const Candidate& c : order) {
    Replica& replica = replicas_[static_cast<std::size_t>(c.replica)];
    const auto blocks = static_cast<std::int64_t>(c.match.blocks);
    // What is at home of the prefix comes into SRAM before what follows it.
    const std::int64_t here = c.match.here() * block_pages_;
    const bool near = c.match.in[KvPlace::Home] == 0;
    const auto room_with = [&](std::span<const PrefixCache::BlockId> known) {
      return room_for(replica,
                      {.sizes = with_blocks(sizes(ask.tokens, blocks, std::ssize(known) - blocks),
                                            block_, c.match.behind()),
                       .near = near ? pages_for(ask.tokens) - here : 0,
                       .in_blocks = std::ssize(known) * block_pages_ - here,
                       .kept = c.match.idle,
                       .headroom = ask.headroom},
                      near ? pages_for(ask.prompt) - here : 0);
    };
    auto room = room_with(lease.blocks);
    if (!room && has_snapshots()) {
      const auto held_alone = lease.blocks.first(c.match.blocks);
      room = room_with(held_alone);
      if (room) lease.blocks = held_alone;
    }
    if (!room) continue;
    stats_.blocks += std::ssize(prompt);
    const PrefixCache::Match found_here = replica.prefixes.match(prompt);
    stats_.hit_blocks += static_cast<std::int64_t>(found_here.blocks);
    for (const KvPlace place : kKvPlaces) stats_.found[place] += found_here.in[place];
    lease.replica = c.replica;
    lease.booked = ask.tokens;
    const std::int64_t near_blocks = std::min(c.match.behind(), room->near / block_pages_);
    lease.near_own = room->near - near_blocks * block_pages_;
    hold(replica, lease, c.match, near_blocks);
    book(replica, *room);
    if (lease.shared > 0) copy_states(replica);
    stats_.hit_tokens += lease.filled;
    return lease;
  }
  return std::nullopt;
}

std::optional<KvLease> KvManager::prefetch(const KvAsk& ask) {
  // Asked before every step somebody waits for: what is nowhere need not be looked for.
  const bool behind = std::ranges::any_of(replicas_, [](const Replica& r) {
    return r.prefixes.in(KvPlace::Far) + r.prefixes.in(KvPlace::Flash) > 0;
  });
  if (!behind) return std::nullopt;
  KvLease lease = lease_of(ask);
  const auto prompt = of_prompt(lease, ask.prompt - 1);
  const Candidate best = candidates(prompt).front();
  Replica& replica = replicas_[static_cast<std::size_t>(best.replica)];
  const auto wanted = [&](std::int64_t blocks) {
    const std::int64_t held = best.match.here() + blocks;
    return with_blocks(sizes(held * sharing_.block_tokens, held), block_, blocks);
  };
  const auto evictions = [&](std::int64_t blocks) {
    return evictions_for(replica, wanted(blocks), best.match.idle[KvPlace::Home], ask.headroom);
  };
  // The most that room can be made for; by halves, for more blocks never need fewer evictions.
  std::int64_t coming = 0, too_many = best.match.behind() + 1;
  while (too_many - coming > 1) {
    const std::int64_t middle = coming + (too_many - coming) / 2;
    (evictions(middle).has_value() ? coming : too_many) = middle;
  }
  if (coming == 0) return std::nullopt;
  const std::int64_t make_way = *evictions(coming);
  lease.replica = best.replica;
  lease.blocks = prompt.first(static_cast<std::size_t>(best.match.here() + coming));
  hold(replica, lease, replica.prefixes.match(lease.blocks));
  lease.booked = lease.filled;
  evict(replica, KvPlace::Home, make_way);
  take(replica, KvPlace::Home, wanted(coming));
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
  KvLease leaving = lease;
  recount(leaving);
  const Bytes near = leaving.near_shared * block_bytes() + own_near(lease, lease.filled);
  move(replica, KvPlace::Near, KvPlace::Far, near);
  move(replica, KvPlace::Home, KvPlace::Far, held(lease.filled) - near);
  return KvImage{lease.replica, lease.filled};
}

std::optional<KvLease> KvManager::swap_in(const KvAsk& ask, const KvImage& image) {
  KvLease lease = lease_of(ask);
  Replica& replica = replicas_[static_cast<std::size_t>(image.replica)];
  const auto prompt = of_prompt(lease, image.tokens);
  const PrefixCache::Match all = replica.prefixes.match(prompt);
  // What is not at home the image has too.
  const PrefixCache::Match match =
      replica.prefixes.match(prompt.first(static_cast<std::size_t>(all.here())));
  if (has_snapshots()) lease.blocks = lease.blocks.first(match.blocks);
  const auto shared = static_cast<std::int64_t>(match.blocks);
  const std::int64_t here = shared * block_pages_;
  const bool may_be_near = match.in[KvPlace::Home] == 0;
  const auto room = room_for(replica,
                             {.sizes = sizes(ask.tokens, shared),
                              .near = may_be_near ? pages_for(ask.tokens) - here : 0,
                              .in_blocks = std::ssize(lease.blocks) * block_pages_ - here,
                              .kept = match.idle,
                              .headroom = ask.headroom},
                             may_be_near ? pages_for(image.tokens) - here : 0);
  if (!room) return std::nullopt;
  lease.replica = image.replica;
  lease.booked = ask.tokens;
  lease.near_own = room->near;
  hold(replica, lease, match);
  book(replica, *room);
  const Bytes near = own_near(lease, image.tokens);
  move(replica, KvPlace::Far, KvPlace::Near, near);
  move(replica, KvPlace::Far, KvPlace::Home, held(image.tokens) - in_blocks(lease.shared) - near);
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
  const bool all_near =
      lease.near_shared == lease.shared && lease.near_own == own_pages(lease, lease.booked);
  const auto room =
      room_for(replica, {.sizes = std::move(wanted),
                         .near = all_near ? pages_for(tokens) - pages_for(lease.booked) : 0,
                         .near_before = lease.near_own,
                         .in_blocks = block_pages_to_be(lease)});
  if (!room) return forgo(replica, lease) && grow(lease, tokens);
  book(replica, *room);
  lease.near_own += room->near;
  lease.booked = tokens;
  return true;
}

void KvManager::fill(KvLease& lease, std::int64_t tokens) {
  invariant(tokens <= lease.booked, "no more tokens than there is room for");
  Replica& replica = replicas_[static_cast<std::size_t>(lease.replica)];
  replica.filled += held(tokens) - held(lease.filled);
  replica.near_own -= own_near(lease, lease.filled);
  lease.filled = tokens;
  while (lease.shared < std::ssize(lease.blocks) &&
         (lease.shared + 1) * sharing_.block_tokens <= tokens) {
    const auto prefix = lease.blocks.first(static_cast<std::size_t>(++lease.shared));
    const KvPlace mine = lease.near_own > 0 ? KvPlace::Near : KvPlace::Home;
    if (mine == KvPlace::Near) lease.near_own -= block_pages_;
    const auto found = replica.prefixes.hold_or_insert(prefix, lease.session, mine);
    lease.near_shared += std::min(mine, found.value_or(mine)) == KvPlace::Near;
    replica.filled += over_dies(snapshot_);
    if (!found) {
      copy_states(replica);
      continue;
    }
    // It is there already, computed by another sequence: one of the two is given back.
    give(replica, std::max(mine, *found), block_, Leaves::Freed);
    if (at_hand(*found)) replica.filled -= block_bytes();
    replica.raised += mine < *found;
  }
  invariant(lease.near_own >= 0, "no block is part in SRAM");
  replica.near_own += own_near(lease, tokens);
}

// ---- SRAM beside home -----------------------------------------------------------------------

/// Bytes of those of its tokens that are in pages of its own in SRAM.
Bytes KvManager::own_near(const KvLease& lease, std::int64_t tokens) const {
  if (lease.near_own == 0) return Bytes{};
  const std::int64_t own = std::clamp<std::int64_t>(tokens - lease.shared * sharing_.block_tokens,
                                                    0, lease.near_own * capacity_.page_tokens);
  std::int64_t sum = 0;
  for (const CacheStage& stage : capacity_.stages) sum += stage.in_pages(own);
  return Bytes{sum * capacity_.dies};
}

/// Blocks that other sequences brought into SRAM.
void KvManager::recount(KvLease& lease) const {
  const Replica& replica = replicas_[static_cast<std::size_t>(lease.replica)];
  if (std::exchange(lease.counted, replica.raised) == replica.raised) return;
  lease.near_shared = replica.prefixes.in(
      lease.blocks.first(static_cast<std::size_t>(lease.shared)), KvPlace::Near);
}

std::int64_t KvManager::near_tokens(KvLease& lease, std::int64_t tokens) const {
  if (near_pages_ == 0) return 0;
  recount(lease);
  return std::min(
      tokens, lease.near_shared * sharing_.block_tokens + lease.near_own * capacity_.page_tokens);
}

/// The next of its blocks; false: it stays where it is.
bool KvManager::raise_shared(Replica& replica, KvLease& lease) {
  if (near_available(replica, 0) < block_pages_ ||
      !replica.prefixes.raise(lease.blocks[static_cast<std::size_t>(lease.near_shared)]))
    return false;
  give(replica, KvPlace::Home, block_, Leaves::Freed);
  take_near(replica, block_, block_pages_);
  move(replica, KvPlace::Home, KvPlace::Near, block_bytes());
  lease.counted = ++replica.raised;
  ++lease.near_shared;
  return true;
}

void KvManager::promote(KvLease& lease, std::int64_t tokens) {
  Replica& replica = replicas_[static_cast<std::size_t>(lease.replica)];
  if (lease.arriving || near_available(replica, 0) == 0) return;
  recount(lease);
  while (lease.near_shared < lease.shared)
    if (!raise_shared(replica, lease)) return;
  const std::int64_t most = std::min(own_pages(lease, std::min(tokens, lease.booked)),
                                     lease.near_own + near_available(replica, 0));
  const std::int64_t more = whole_blocks(most, block_pages_to_be(lease)) - lease.near_own;
  if (more <= 0) return;
  give(replica, KvPlace::Home, pages(more), Leaves::Freed);
  take_near(replica, pages(more), more);
  const Bytes before = own_near(lease, lease.filled);
  lease.near_own += more;
  const Bytes moved = own_near(lease, lease.filled) - before;
  move(replica, KvPlace::Home, KvPlace::Near, moved);
  replica.near_own += moved;
}

// ---- ends -----------------------------------------------------------------------------------

void KvManager::release(const KvLease& lease) {
  Replica& replica = replicas_[static_cast<std::size_t>(lease.replica)];
  Sizes home = sizes(lease, lease.booked);
  if (lease.near_own > 0) {
    const Sizes near = pages(lease.near_own);
    for (std::size_t s = 0; s < home.size(); ++s) home[s] -= near[s];
    give(replica, KvPlace::Near, near, Leaves::Freed);
    replica.near_own -= own_near(lease, lease.filled);
  }
  give(replica, KvPlace::Home, home, Leaves::Freed);
  replica.filled -= held(lease.filled) - in_blocks(lease.shared);
  invariant(replica.filled.count() >= 0, "what is released was filled");
  replica.prefixes.release(lease.blocks.first(static_cast<std::size_t>(lease.shared)));
}

void KvManager::touch(std::uint64_t session) {
  for (Replica& replica : replicas_) replica.prefixes.touch(session);
}

// ---- figures --------------------------------------------------------------------------------

Bytes KvManager::cached() const { return cached(KvPlace::Near) + cached(KvPlace::Home); }

Bytes KvManager::cached(KvPlace place) const {
  std::int64_t idle = 0;
  for (const Replica& r : replicas_) idle += r.prefixes.idle(place);
  return idle * block_bytes();
}

Bytes KvManager::resident(KvPlace place) const {
  Bytes sum{};
  for (const Replica& r : replicas_) sum += over_dies(r.booked[place]);
  return sum;
}

Bytes KvManager::reserved() const {
  return resident(KvPlace::Near) + resident(KvPlace::Home) - cached();
}

Bytes KvManager::used() const {
  Bytes sum{};
  for (const Replica& r : replicas_) sum += r.filled;
  return sum;
}

Bytes KvManager::used_near() const {
  Bytes sum{};
  for (const Replica& r : replicas_) sum += r.near_own + r.prefixes.in(KvPlace::Near)*block_bytes();
  return sum;
}

Bytes KvManager::capacity(KvPlace place) const {
  std::int64_t room = 0;
  for (const CacheStage& stage : capacity_.stages) room += room_of(stage, place);
  return capacity_.replicas * Bytes{room * capacity_.dies};
}

}  // namespace reticle
