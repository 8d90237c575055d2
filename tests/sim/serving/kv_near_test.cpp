// SPDX-License-Identifier: Apache-2.0
// Pages in SRAM beside a home in HBM: who has them, who makes way, and when what is read from
// where.
#include <doctest/doctest.h>

#include "tests/sim/serving/serving_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

constexpr std::int64_t kBlock = 32;  // two pages
constexpr Bytes kPage{1600};

KvCapacity near_room(std::int64_t near_pages, std::int64_t pages) {
  KvCapacity all = room(pages);
  all.near_pages = near_pages;
  return all;
}

using Ids = std::vector<std::uint64_t>;

KvAsk ask(const Ids& blocks, std::int64_t prompt, std::int64_t tokens) {
  return {.blocks = blocks, .prompt = prompt, .tokens = tokens};
}

}  // namespace

TEST_CASE(
    "near: a sequence's first pages are in SRAM as far as there is room, the others at home") {
  KvManager kv{near_room(5, 20)};
  const Ids none;
  auto a = kv.admit(ask(none, 48, 64));
  auto b = kv.admit(ask(none, 80, 96));
  REQUIRE((a && b));
  kv.fill(*a, 48);
  kv.fill(*b, 80);
  // Pages of what is to be generated are at home until it is.
  CHECK(kv.near_tokens(*a, 48) == 48);
  CHECK(kv.near_tokens(*b, 80) == 32);
  CHECK(kv.resident(KvPlace::Near) == 5 * kPage);
  CHECK(kv.resident(KvPlace::Home) == 5 * kPage);
  CHECK(kv.used_near() == 5 * kPage);
}

TEST_CASE("near: where home is full SRAM has the room, and both together are the capacity") {
  KvManager kv{near_room(5, 20)};
  const Ids none;
  CHECK(kv.ever_fits(25 * 16));
  CHECK_FALSE(kv.ever_fits(25 * 16 + 1));
  REQUIRE(kv.admit(ask(none, 16, 25 * 16)));
  CHECK(kv.resident(KvPlace::Near) == 5 * kPage);
  CHECK(kv.resident(KvPlace::Home) == 20 * kPage);
  CHECK_FALSE(kv.admit(ask(none, 1, 1)));
}

TEST_CASE("near: what is at home moves up when there is room, once, and is counted from then on") {
  KvManager kv{near_room(4, 20)};
  const Ids none;
  auto a = kv.admit(ask(none, 64, 64)), b = kv.admit(ask(none, 40, 64));
  REQUIRE((a && b));
  kv.fill(*b, 40);
  CHECK(kv.near_tokens(*b, 40) == 0);
  kv.release(*a);
  CHECK(kv.take_moves().empty());
  kv.promote(*b, 41);
  const auto moves = kv.take_moves();
  REQUIRE(moves.size() == 1);
  CHECK(moves[0].from == KvPlace::Home);
  CHECK(moves[0].to == KvPlace::Near);
  CHECK(moves[0].bytes == Bytes{40 * 100});  // what is written, not the pages
  CHECK(kv.near_tokens(*b, 40) == 40);
  kv.promote(*b, 64);  // an empty page changes place for nothing
  CHECK(kv.take_moves().empty());
  CHECK(kv.resident(KvPlace::Near) == 4 * kPage);
  CHECK(kv.resident(KvPlace::Home) == Bytes{0});
}

TEST_CASE("near: blocks nobody uses go home for who runs, and come back when they are used") {
  KvManager kv{near_room(4, 20), {.block_tokens = kBlock}};
  const Ids mine{1, 2}, other{7, 8};
  auto a = kv.admit(ask(mine, 65, 80));
  REQUIRE(a);
  kv.fill(*a, 65);
  kv.release(*a);
  CHECK(kv.cached(KvPlace::Near) == 2 * kv.block_bytes());
  auto b = kv.admit(ask(other, 65, 80));
  REQUIRE(b);
  CHECK(kv.cached(KvPlace::Near) == Bytes{0});
  CHECK(kv.cached(KvPlace::Home) == 2 * kv.block_bytes());
  const auto down = kv.take_moves();
  REQUIRE(down.size() == 1);
  CHECK(down[0].from == KvPlace::Near);
  CHECK(down[0].to == KvPlace::Home);
  CHECK(down[0].bytes == 2 * kv.block_bytes());
  kv.fill(*b, 65);
  CHECK(kv.near_tokens(*b, 65) == 64);
  kv.release(*b);
  auto again = kv.admit(ask(mine, 65, 80));
  REQUIRE(again);
  CHECK(again->filled == 64);
  CHECK(kv.near_tokens(*again, 64) == 0);
  kv.promote(*again, 65);
  CHECK(kv.near_tokens(*again, 64) == 64);
  const auto both = kv.take_moves();  // those of the one down, those of the other up
  REQUIRE(both.size() == 2);
  for (const KvMove& m : both) CHECK(m.bytes == 2 * kv.block_bytes());
  CHECK(kv.prefix_stats().evicted[KvPlace::Home] == 0);
}

TEST_CASE(
    "near: a block that two sequences hold is in SRAM for both when one has brought it there") {
  KvManager kv{near_room(4, 20), {.block_tokens = kBlock}};
  const Ids blocks{1}, none;
  auto first = kv.admit(ask(none, 64, 64));
  auto a = kv.admit(ask(blocks, 33, 48));
  REQUIRE((first && a));
  kv.fill(*a, 33);
  auto b = kv.admit(ask(blocks, 33, 48));
  REQUIRE(b);
  kv.release(*first);
  kv.promote(*a, 33);
  CHECK(kv.near_tokens(*a, 33) == 33);
  CHECK(kv.near_tokens(*b, 32) == 32);
  CHECK(kv.take_moves().size() == 1);
}

TEST_CASE("near: a step reads what moves up where it was, and writes where it will be") {
  Scheduler s{{.max_batch = 8, .kv_page_tokens = 16, .prefix_cache = PrefixCachePolicy::Off},
              near_room(4, 20)};
  REQUIRE(s.resume(RequestId{0}, 63, 1));
  REQUIRE(s.resume(RequestId{1}, 40, 8));
  std::vector<Admitted> admitted;
  const StepLoad first = s.plan(admitted);
  CHECK(first.sequences[0].near == 63);
  CHECK(first.sequences[0].near_new == 1);
  CHECK(first.sequences[1].near == 0);
  CHECK(first.sequences[1].near_new == 0);
  CHECK(first.moves.empty());
  s.complete();  // the first has gone
  const StepLoad second = s.plan(admitted);
  REQUIRE(second.sequences.size() == 1);
  CHECK(second.sequences[0].near == 0);
  CHECK(second.sequences[0].near_new == 1);
  REQUIRE(second.moves.size() == 1);
  CHECK(second.moves[0].bytes == Bytes{41 * 100});
  s.complete();
  const StepLoad third = s.plan(admitted);
  CHECK(third.sequences[0].near == 42);
  CHECK(third.moves.empty());
}
