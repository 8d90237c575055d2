// SPDX-License-Identifier: Apache-2.0
// What KvManager has booked, counted once more from what its users hold.
#include <doctest/doctest.h>

#include <deque>
#include <utility>
#include <vector>

#include "sim/base/rng.hpp"
#include "sim/serving/kv_manager.hpp"

using namespace reticle;

namespace {

constexpr std::int64_t kPageTokens = 16, kBlock = 32, kPage = 1600;

/// Sequences that come, grow, are swapped out and in and go, and a ledger of what each has.
class Users {
 public:
  Users(std::uint64_t seed, bool windows)
      : rng_{seed, "kv books"},
        window_tokens_{windows ? 24 + 24 * below(2) : 0},
        state_{windows ? 300 * below(2) : 0},
        capacity_{.page_tokens = kPageTokens, .replicas = 1 + below(3), .dies = 2},
        kv_{filled_capacity(), sharing()} {}

  void run(int rounds) {
    for (int i = 0; i < rounds; ++i) {
      act();
      check();
    }
  }
  [[nodiscard]] const KvManager& kv() const { return kv_; }
  [[nodiscard]] Bytes bytes_of_block() const {
    return Bytes{kBlock / kPageTokens * kPage * capacity_.dies} + snapshot();
  }
  std::int64_t swaps = 0;

 private:
  std::int64_t below(std::uint64_t n) { return static_cast<std::int64_t>(rng_.below(n)); }

  KvCapacity filled_capacity() {
    KvCapacity all = capacity_;
    CacheStage stage{.page_tokens = kPageTokens,
                     .page = kPage,
                     .room = (20 + below(40)) * kPage,
                     .far_room = below(60) * kPage,
                     .flash_room = below(60) * kPage,
                     .near_room = below(2) * below(40) * kPage};
    if (window_tokens_ > 0) stage.windows.push_back({window_tokens_, 7});
    stage.state = state_;
    all.stages = {stage};
    return all;
  }
  PrefixSharing sharing() {
    return {.block_tokens = kBlock,
            .eviction = static_cast<PrefixCachePolicy>(1 + below(5)),
            .deepest = kKvPlaces[static_cast<std::size_t>(1 + below(3))]};
  }

  /// A path in a tree of blocks; ids outlive all leases.
  const std::vector<std::uint64_t>& some_blocks() {
    std::vector<std::uint64_t> way;
    std::uint64_t at = 0;
    for (std::int64_t b = below(8); b > 0; --b) way.push_back(at = 3 * at + 1 + rng_.below(2));
    return ways_.emplace_back(std::move(way));
  }

  KvAsk some_ask() {
    const auto& blocks = some_blocks();
    const std::int64_t prompt =
        std::max<std::int64_t>(1, std::ssize(blocks) * kBlock + below(kBlock));
    return {.blocks = blocks,
            .prompt = prompt,
            .tokens = prompt + below(60),
            .headroom = 0.05 * static_cast<double>(below(3)),
            .session = rng_.below(4)};
  }

  template <class T>
  T take(std::vector<T>& list) {
    const auto at = list.begin() + below(list.size());
    T taken = std::move(*at);
    list.erase(at);
    return taken;
  }

  void act() {
    switch (below(8)) {
      case 0:
        if (const auto lease = kv_.admit(some_ask())) running_.push_back(*lease);
        break;
      case 1:
        if (auto lease = kv_.prefetch(some_ask())) prefetched_.push_back(*lease);
        break;
      case 2:
        for (KvLease& lease : running_)
          if (lease.arriving) kv_.arrive(lease);
        for (KvLease& lease : prefetched_) {
          kv_.arrive(lease);
          kv_.release(lease);
        }
        prefetched_.clear();
        break;
      case 3:
        for (KvLease& lease : running_) {
          if (lease.arriving) continue;
          const std::int64_t more = lease.filled + below(40);
          if (kv_.grow(lease, more)) kv_.fill(lease, more);
        }
        break;
      case 4:
        give_up(false);
        break;
      case 5:
        give_up(true);
        break;
      case 6:
        for (KvLease& lease : running_) kv_.promote(lease, lease.filled + below(20));
        break;
      default:
        if (images_.empty()) break;
        const auto [ask, image] = images_.front();
        const auto lease = kv_.swap_in(ask, image);
        if (!lease) break;
        running_.push_back(*lease);
        images_.erase(images_.begin());
    }
  }

  void give_up(bool keep) {
    if (running_.empty()) return;
    const KvLease lease = take(running_);
    if (lease.arriving) {
      running_.push_back(lease);  // cannot be called back
      return;
    }
    const auto image = keep && lease.filled > 0 ? kv_.swap_out(lease) : std::nullopt;
    kv_.release(lease);
    if (!image) return;
    ++swaps;
    images_.push_back(
        {{.blocks = lease.blocks, .prompt = lease.filled, .tokens = lease.booked}, *image});
  }

  [[nodiscard]] Bytes of_tokens(std::int64_t tokens) const {
    const std::int64_t beside = std::min(tokens, window_tokens_) * 7 + (tokens > 0 ? state_ : 0);
    return Bytes{(div_up(tokens, kPageTokens) * kPage + beside) * capacity_.dies};
  }
  /// What a block has beside its pages.
  [[nodiscard]] Bytes snapshot() const {
    return Bytes{(std::min(kBlock, window_tokens_) * 7 + state_) * capacity_.dies};
  }

  /// Blocks in SRAM are the first of every prefix; what a sequence has for itself follows them.
  Bytes check_near(KvLease lease) const {
    const auto shared = lease.blocks.first(static_cast<std::size_t>(lease.shared));
    const auto in_sram = kv_.prefixes(lease.replica).in(shared, KvPlace::Near);
    const std::int64_t own_filled = std::max<std::int64_t>(0, lease.filled - lease.shared * kBlock);
    const std::int64_t own =
        in_sram < lease.shared ? 0 : std::min(own_filled, lease.near_own * kPageTokens);
    CHECK(kv_.near_tokens(lease, lease.filled) == std::min(lease.filled, in_sram * kBlock + own));
    CHECK(kv_.prefixes(lease.replica)
              .in(shared.first(static_cast<std::size_t>(in_sram)), KvPlace::Near) == in_sram);
    if (in_sram < lease.shared) CHECK(lease.near_own == 0);
    return Bytes{mul_div_up(own, kPage, kPageTokens) * capacity_.dies};
  }

  void check() const {
    ByPlace<Bytes> counted;
    Bytes used_near{};
    const auto count = [&](const KvLease& l) {
      const Bytes near{l.near_own * kPage * capacity_.dies};
      used_near += check_near(l);
      counted[KvPlace::Near] += near;
      // Its pages that are not in blocks, and room for the snapshots of those to be completed.
      const auto to_be = static_cast<std::int64_t>(l.blocks.size()) - l.shared;
      counted[KvPlace::Home] += of_tokens(l.booked) - l.shared * (kv_.block_bytes() - snapshot()) +
                                to_be * snapshot() - near;
      if (l.image.tokens > 0) counted[KvPlace::Far] += of_tokens(l.image.tokens);
    };
    for (const KvLease& l : running_) count(l);
    for (const KvLease& l : prefetched_) count(l);
    for (const auto& [ask, image] : images_) counted[KvPlace::Far] += of_tokens(image.tokens);
    for (std::int32_t r = 0; r < capacity_.replicas; ++r)
      for (const KvPlace place : kKvPlaces)
        counted[place] += kv_.prefixes(r).in(place)*kv_.block_bytes();
    for (std::int32_t r = 0; r < capacity_.replicas; ++r)
      used_near += kv_.prefixes(r).in(KvPlace::Near)*kv_.block_bytes();
    CHECK(kv_.used_near() == used_near);
    CHECK(kv_.used_near() <= kv_.used());
    for (const KvPlace place : kKvPlaces) {
      CHECK(kv_.resident(place) == counted[place]);
      CHECK(counted[place] <= kv_.capacity(place));
      const KvTierStats& t = kv_.tier_stats(place);
      CHECK(t.allocated == counted[place] + t.freed + t.evicted);
    }
  }

  RngStream rng_;
  const std::int64_t window_tokens_, state_;
  const KvCapacity capacity_;
  std::deque<std::vector<std::uint64_t>> ways_;
  KvManager kv_;
  std::vector<KvLease> running_, prefetched_;
  std::vector<std::pair<KvAsk, KvImage>> images_;
};

}  // namespace

TEST_CASE("kv: what is booked is what sequences, images and blocks have, each in one place") {
  ByPlace<std::int64_t> found;
  std::int64_t swaps = 0, prefetched = 0;
  Bytes copied{};
  ByPlace<Bytes> moved_in, moved_out;
  for (std::uint64_t seed = 0; seed < 120; ++seed)
    for (const bool windows : {false, true}) {
      CAPTURE(seed);
      CAPTURE(windows);
      Users users{seed, windows};
      users.run(400);
      const PrefixStats& stats = users.kv().prefix_stats();
      for (const KvPlace place : kKvPlaces) found[place] += stats.found[place];
      swaps += users.swaps;
      prefetched += stats.prefetched;
      for (const KvPlace place : kKvPlaces) {
        moved_in[place] += users.kv().tier_stats(place).moved_in;
        moved_out[place] += users.kv().tier_stats(place).moved_out;
      }
      CHECK((stats.blocks > 0) == users.kv().shares());
      if (users.kv().shares()) CHECK(users.kv().block_bytes() == users.bytes_of_block());
      copied += stats.copied;
    }
  for (const KvPlace place : kKvPlaces) {
    CAPTURE(static_cast<int>(place));
    CHECK(found[place] > 0);
  }
  CHECK(swaps > 0);
  CHECK(prefetched > 0);
  CHECK(copied.count() > 0);
  for (const KvPlace place : kKvPlaces) {
    CHECK(moved_in[place] > Bytes{0});
    CHECK(moved_out[place] > Bytes{0});
  }
}
