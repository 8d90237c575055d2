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
                                .far_room = capacity.far_pages * capacity.page_bytes.count()});
  const bool pages_alone =
      std::all_of(capacity_.stages.begin(), capacity_.stages.end(),
                  [](const CacheStage& s) { return s.windows.empty() && s.state == 0; });
  if (!pages_alone) sharing_.block_tokens = 0;
  for (const CacheStage& stage : capacity_.stages) block_.push_back(block(stage));
  const Sizes nothing(capacity_.stages.size());
  const Replica empty{{nothing, nothing}, Bytes{}, PrefixCache{sharing.eviction}, {}};
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

void KvManager::take(Replica& replica, KvPlace place, const Sizes& sizes) {
  Sizes& booked = replica.at(place);
  for (std::size_t s = 0; s < sizes.size(); ++s) {
    const CacheStage& stage = capacity_.stages[s];
    booked[s] += sizes[s];
    invariant(booked[s] <= (place == KvPlace::Home ? stage.room : stage.far_room),
              "no more is booked than there is room for");
  }
  KvTierStats& tier = tiers_[static_cast<std::size_t>(place)];
  tier.allocated += over_dies(sizes);
  tier.peak = max(tier.peak, resident(place));
}

void KvManager::give(Replica& replica, KvPlace place, const Sizes& sizes, Leaves how) {
  Sizes& booked = replica.at(place);
  for (std::size_t s = 0; s < sizes.size(); ++s) {
    booked[s] -= sizes[s];
    invariant(booked[s] >= 0, "what is released was booked");
  }
  KvTierStats& tier = tiers_[static_cast<std::size_t>(place)];
  (how == Leaves::Freed ? tier.freed : tier.evicted) += over_dies(sizes);
}

void KvManager::move(Replica& replica, KvPlace to, Bytes bytes) {
  replica.moves[static_cast<std::size_t>(to)] += bytes;
  tiers_[static_cast<std::size_t>(to)].moved_in += bytes;
}

std::vector<KvMove> KvManager::take_moves() {
  std::vector<KvMove> all;
  for (std::size_t r = 0; r < replicas_.size(); ++r)
    for (const KvPlace to : {KvPlace::Home, KvPlace::Far}) {
      Bytes& bytes = replicas_[r].moves[static_cast<std::size_t>(to)];
      if (bytes.count() > 0) all.push_back({static_cast<std::int32_t>(r), to, bytes});
      bytes = Bytes{};
    }
  return all;
}

void KvManager::pass_time(Picoseconds now) {
  const double span = seconds(now - now_);
  for (const KvPlace place : {KvPlace::Home, KvPlace::Far})
    tiers_[static_cast<std::size_t>(place)].byte_seconds +=
        span * static_cast<double>(resident(place).count());
  now_ = now;
}

// ---- eviction -------------------------------------------------------------------------------

/// Idle blocks to evict so that `wanted` bytes per stage fit, `headroom` of the room left free
/// where other sequences are; `kept` of them must stay. nullopt: that cannot do.
std::optional<std::int64_t> KvManager::evictions_for(const Replica& replica, const Sizes& wanted,
                                                     std::int64_t kept, double headroom) const {
  const std::int64_t idle = replica.prefixes.idle();
  const Sizes& booked = replica.at(KvPlace::Home);
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

/// Drops far blocks until `wanted` fits there. False: it never does, or it would take `last`, which
/// is not booked yet and is dropped instead.
bool KvManager::make_far_room(Replica& replica, const Sizes& wanted,
                              std::optional<PrefixCache::BlockId> last) {
  const auto fits = [&] {
    for (std::size_t s = 0; s < wanted.size(); ++s)
      if (replica.at(KvPlace::Far)[s] + wanted[s] > capacity_.stages[s].far_room) return false;
    return true;
  };
  while (!fits()) {
    if (replica.prefixes.far() == 0) return false;
    if (replica.prefixes.drop_far() == last) return false;
    give(replica, KvPlace::Far, block_, Leaves::Evicted);
    ++stats_.far_evicted;
  }
  return true;
}

void KvManager::evict(Replica& replica, std::int64_t blocks) {
  for (std::int64_t i = 0; i < blocks; ++i) {
    give(replica, KvPlace::Home, block_, Leaves::Evicted);
    replica.filled -= block_bytes();
    ++stats_.evicted;
    if (!sharing_.spill) {
      replica.prefixes.evict();
      continue;
    }
    const PrefixCache::BlockId id = replica.prefixes.demote();
    if (!make_far_room(replica, block_, id)) continue;
    take(replica, KvPlace::Far, block_);
    move(replica, KvPlace::Far, block_bytes());
    ++stats_.spilled;
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
                     over_dies(replicas_[r].at(KvPlace::Home)).count()});
  std::stable_sort(order.begin(), order.end(), [](const Candidate& a, const Candidate& b) {
    return a.match.blocks != b.match.blocks ? a.match.blocks > b.match.blocks : a.booked < b.booked;
  });
  return order;
}

/// The run that was found; what of it is far starts to move.
void KvManager::hold(Replica& replica, KvLease& lease, const PrefixCache::Match& match) {
  lease.shared = static_cast<std::int64_t>(match.blocks);
  lease.filled = lease.shared * sharing_.block_tokens;
  replica.prefixes.hold(lease.blocks.first(match.blocks), lease.session);
  if (match.far == 0) return;
  lease.arriving = true;
  for (std::int64_t i = 0; i < match.far; ++i) give(replica, KvPlace::Far, block_, Leaves::Freed);
  move(replica, KvPlace::Home, match.far * block_bytes());
  replica.filled += match.far * block_bytes();
}

namespace {
/// Room for what a sequence has for itself and for blocks that come from the far tier.
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
                                     block_, c.match.far);
    const auto evictions = evictions_for(replica, wanted, c.match.idle, ask.headroom);
    if (!evictions) continue;
    const auto prompt = of_prompt(lease, ask.prompt);
    stats_.blocks += std::ssize(prompt);
    stats_.hit_blocks += static_cast<std::int64_t>(replica.prefixes.match(prompt).blocks);
    stats_.far_hit_blocks += c.match.far;
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
  const Candidate best = candidates(of_prompt(lease, ask.prompt - 1)).front();
  if (best.match.far == 0) return std::nullopt;
  Replica& replica = replicas_[static_cast<std::size_t>(best.replica)];
  const Sizes wanted = with_blocks(Sizes(block_.size()), block_, best.match.far);
  if (evictions_for(replica, wanted, 0, ask.headroom) != 0) return std::nullopt;
  lease.replica = best.replica;
  hold(replica, lease, best.match);
  lease.booked = lease.filled;
  take(replica, KvPlace::Home, wanted);
  stats_.prefetched += best.match.far;
  return lease;
}

std::optional<KvImage> KvManager::swap_out(const KvLease& lease) {
  Replica& replica = replicas_[static_cast<std::size_t>(lease.replica)];
  const Sizes wanted = sizes(lease.filled);
  // Other images stay: only blocks make room.
  for (std::size_t s = 0; s < wanted.size(); ++s)
    if (replica.at(KvPlace::Far)[s] - replica.prefixes.far() * block_[s] + wanted[s] >
        capacity_.stages[s].far_room)
      return std::nullopt;
  invariant(make_far_room(replica, wanted, std::nullopt), "without blocks it fits");
  take(replica, KvPlace::Far, wanted);
  move(replica, KvPlace::Far, held(lease.filled));
  return KvImage{lease.replica, lease.filled};
}

std::optional<KvLease> KvManager::swap_in(const KvAsk& ask, const KvImage& image) {
  KvLease lease = lease_of(ask);
  Replica& replica = replicas_[static_cast<std::size_t>(image.replica)];
  PrefixCache::Match match = replica.prefixes.match(of_prompt(lease, image.tokens));
  match.blocks -= static_cast<std::size_t>(std::exchange(match.far, 0));  // the image has these
  const Sizes wanted = sizes(ask.tokens, static_cast<std::int64_t>(match.blocks));
  const auto evictions = evictions_for(replica, wanted, match.idle, ask.headroom);
  if (!evictions) return std::nullopt;
  lease.replica = image.replica;
  lease.booked = ask.tokens;
  hold(replica, lease, match);
  evict(replica, *evictions);
  take(replica, KvPlace::Home, wanted);
  move(replica, KvPlace::Home, held(image.tokens) - lease.shared * block_bytes());
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
    if (found == PrefixCache::Found::Far) give(replica, KvPlace::Far, block_, Leaves::Freed);
    if (found != PrefixCache::Found::Home) continue;
    // Another sequence has computed the same block: one of the two is given back.
    give(replica, KvPlace::Home, block_, Leaves::Freed);
    replica.filled -= block_bytes();
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
  for (const Replica& r : replicas_) sum += over_dies(r.at(place));
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
  for (const CacheStage& stage : capacity_.stages)
    room += place == KvPlace::Home ? stage.room : stage.far_room;
  return capacity_.replicas * Bytes{room * capacity_.dies};
}

}  // namespace reticle
