// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/prefix_cache.hpp"

#include <doctest/doctest.h>

#include <map>
#include <vector>

#include "sim/base/error.hpp"
#include "sim/base/rng.hpp"

using namespace reticle;

namespace {

using Ids = std::vector<PrefixCache::BlockId>;

/// A sequence comes, finds or adds its blocks, and goes.
void visit(PrefixCache& cache, const Ids& blocks) {
  const std::size_t found = cache.match(blocks).blocks;
  cache.hold(std::span{blocks}.first(found));
  for (std::size_t n = found + 1; n <= blocks.size(); ++n)
    cache.hold_or_insert(std::span{blocks}.first(n));
  cache.release(blocks);
}

void evict(PrefixCache& cache) { cache.drop(cache.next_to_go(KvPlace::Home)); }

std::size_t resident(const PrefixCache& cache, const Ids& blocks) {
  return cache.match(blocks).blocks;
}

}  // namespace

TEST_CASE("PrefixCache: only a leading run is found") {
  PrefixCache cache{PrefixCachePolicy::Lru};
  visit(cache, {1, 2, 3});
  CHECK(resident(cache, {1, 2, 3, 4}) == 3);
  CHECK(resident(cache, {1, 9, 3}) == 1);
  CHECK(resident(cache, {2, 3}) == 2);  // an id is a whole prefix: its bearer knows what it means
  CHECK(resident(cache, {9, 1}) == 0);
  CHECK(cache.match(Ids{1, 2, 3}).idle[KvPlace::Home] == 3);
}

TEST_CASE("PrefixCache: least recently used, the end of a prefix before its beginning") {
  PrefixCache cache{PrefixCachePolicy::Lru};
  visit(cache, {1, 2, 3});
  visit(cache, {1, 4});
  evict(cache);
  CHECK(resident(cache, {1, 2, 3}) == 2);
  evict(cache);
  CHECK(resident(cache, {1, 2, 3}) == 1);
  evict(cache);
  CHECK(resident(cache, {1, 4}) == 1);
  evict(cache);
  CHECK(cache.resident() == 0);
}

TEST_CASE("PrefixCache: least frequently used keeps what was used twice") {
  PrefixCache lru{PrefixCachePolicy::Lru}, lfu{PrefixCachePolicy::Lfu};
  for (PrefixCache* cache : {&lru, &lfu}) {
    visit(*cache, {1});
    visit(*cache, {1});
    visit(*cache, {2});
    evict(*cache);
  }
  CHECK(resident(lru, {1}) == 0);
  CHECK(resident(lru, {2}) == 1);
  CHECK(resident(lfu, {1}) == 1);
  CHECK(resident(lfu, {2}) == 0);
}

TEST_CASE("PrefixCache: what is held stays, and shared blocks until the last has let go") {
  PrefixCache cache{PrefixCachePolicy::Lru};
  const Ids blocks{1, 2};
  for (const std::size_t n : {1, 2})
    CHECK(cache.hold_or_insert(std::span{blocks}.first(n)) == std::nullopt);
  cache.hold(std::span{blocks}.first(1));
  CHECK(cache.idle() == 0);
  CHECK_THROWS_AS(evict(cache), InvariantError);
  cache.release(blocks);
  CHECK(cache.idle() == 1);
  evict(cache);
  CHECK(resident(cache, blocks) == 1);
  cache.release(std::span{blocks}.first(1));
  CHECK(cache.idle() == 1);
  CHECK_THROWS_AS(cache.release(std::span{blocks}.first(1)), InvariantError);
}

TEST_CASE("PrefixCache: whatever is used and evicted, no block outlives the one before it") {
  for (const PrefixCachePolicy policy : {PrefixCachePolicy::Lru, PrefixCachePolicy::Lfu,
                                         PrefixCachePolicy::SizeAge, PrefixCachePolicy::Session}) {
    RngStream rng{3, "prefix cache"};
    PrefixCache cache{policy};
    // A tree of four children each: block b has the children 4 b + 1 ... 4 b + 4.
    std::map<PrefixCache::BlockId, Ids> way;
    for (int round = 0; round < 3000; ++round) {
      Ids blocks;
      PrefixCache::BlockId at = 0;
      for (std::uint64_t depth = 1 + rng.below(5); depth > 0; --depth) {
        at = 4 * at + 1 + rng.below(4);
        blocks.push_back(at);
        way.emplace(at, blocks);
      }
      visit(cache, blocks);
      while (cache.resident() > 60) evict(cache);
      std::int64_t whole = 0;  // blocks whose way from the root is resident
      for (const auto& [id, from_root] : way)
        whole += resident(cache, from_root) == from_root.size();
      CHECK(whole == cache.resident());
    }
  }
}
