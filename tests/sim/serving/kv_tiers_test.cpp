// SPDX-License-Identifier: Apache-2.0
// The cache in two tiers under random requests: books that balance at every step, and what more
// room must not worsen.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "sim/base/rng.hpp"
#include "tests/sim/serving/serving_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

constexpr std::int64_t kBlock = 32;  // two pages

KvCapacity tiers(std::int64_t pages, std::int64_t far_pages, std::int64_t replicas = 1,
                 std::int64_t flash_pages = 0) {
  KvCapacity all = room(pages, replicas);
  all.far_pages = far_pages;
  all.flash_pages = flash_pages;
  return all;
}

/// Prompts out of a tree of blocks, the shallow ones often the same.
std::vector<Request> random_requests(std::uint64_t seed, std::int64_t count) {
  RngStream rng{seed, "tiers"};
  std::vector<Request> all;
  for (std::int64_t i = 0; i < count; ++i) {
    Request r =
        request(static_cast<std::uint64_t>(i), 1 + static_cast<std::int64_t>(rng.below(300)),
                1 + static_cast<std::int64_t>(rng.below(60)));
    r.session = rng.below(8);
    std::uint64_t at = 0;
    for (std::int64_t b = 0; b < div_up(r.input_tokens, kBlock); ++b)
      r.prefix_blocks.push_back(at = 3 * at + 1 + rng.below(b < 4 ? 2 : 3));
    all.push_back(r);
  }
  return all;
}

std::int64_t all_tokens(const std::vector<Request>& requests) {
  std::int64_t sum = 0;  // the last output token is never fed back
  for (const Request& r : requests) sum += r.input_tokens + r.output_tokens - 1;
  return sum;
}

struct Served {
  std::map<std::uint64_t, std::int64_t> tokens;
  std::int64_t computed = 0, refused = 0, accepted = 0;
  ByPlace<Bytes> moved{}, moved_out{};  ///< into, out of
  Bytes left{};                         ///< from where attention reads to behind it
  PrefixStats prefix;
  PreemptionStats preemption;
};

void check_books(const KvManager& kv) {
  for (const KvPlace place : kKvPlaces) {
    const KvTierStats& t = kv.tier_stats(place);
    CHECK(kv.resident(place) + t.evicted + t.freed == t.allocated);
    CHECK(kv.resident(place) <= kv.capacity(place));
  }
  ByPlace<std::int64_t> blocks;
  for (std::int32_t r = 0; r < kv.room().replicas; ++r) {
    const PrefixCache& cache = kv.prefixes(r);
    CHECK(cache.idle() <= cache.in(KvPlace::Near) + cache.in(KvPlace::Home));
    std::int64_t in_all = 0;
    for (const KvPlace place : kKvPlaces) {
      blocks[place] += cache.in(place);
      in_all += cache.in(place);
    }
    CHECK(in_all == cache.resident());
  }
  for (const KvPlace place : kKvPlaces)
    CHECK(blocks[place] * kv.block_bytes() <= kv.resident(place));
  CHECK(blocks[KvPlace::Flash] * kv.block_bytes() == kv.resident(KvPlace::Flash));
  CHECK(kv.cached() <= kv.used());
  CHECK(kv.used() <= kv.resident(KvPlace::Near) + kv.resident(KvPlace::Home));
}

struct Setting {
  ServingSpec spec{};
  KvCapacity room{};
  std::int64_t block_tokens = kBlock;
  ServingRole role = ServingRole::Both;
};

/// To a decoder prompts come computed, with their first token.
Ticket ticket_for(const Request& request, ServingRole role) {
  Ticket ticket = ticket_of(request);
  ticket.computed = role == ServingRole::Decode;
  ticket.generated = ticket.computed ? 1 : 0;
  return ticket;
}

/// Serves all of them, with books that balance before and after every step.
Served serve(const std::vector<Request>& requests, const Setting& setting) {
  Scheduler scheduler{setting.spec, setting.room, setting.block_tokens, setting.role};
  for (const Request& r : requests) REQUIRE(scheduler.arrive(ticket_for(r, setting.role)));
  Served served;
  std::vector<Admitted> admitted;
  std::vector<RequestId> under_way;  // caches on their way to a decoder
  for (int step = 0; step < 1'000'000; ++step) {
    const StepLoad& load = scheduler.plan(admitted, Picoseconds{2 * step});
    served.refused += std::ssize(scheduler.refused());
    const bool nothing = load.empty() && scheduler.refused().empty() && admitted.empty();
    if (nothing && under_way.empty()) break;
    for (const KvMove& m : load.moves) {
      CHECK(m.from != m.to);
      served.moved[m.to] += m.bytes;
      served.moved_out[m.from] += m.bytes;
      if (at_hand(m.from) && !at_hand(m.to)) served.left += m.bytes;
    }
    for (const SequenceWork& s : load.sequences) {
      served.computed += s.new_tokens - s.drafts;
      CHECK((s.near >= 0 && s.near <= s.context));
      CHECK((s.near_new >= 0 && s.near_new <= s.new_tokens));
    }
    check_books(scheduler.kv());
    for (const Progress& p : scheduler.complete(Picoseconds{2 * step + 1})) {
      served.tokens[static_cast<std::uint64_t>(p.request)] += p.tokens;
      if (setting.role == ServingRole::Prefill && p.finished &&
          requests[static_cast<std::size_t>(p.request)].output_tokens > 1)
        scheduler.handed_over(p.request);
    }
    for (const RequestId id : under_way) scheduler.delivered(id);
    under_way.clear();
    for (const Admitted& a : admitted)
      if (a.awaits_cache) under_way.push_back(a.id);
    check_books(scheduler.kv());
  }
  CHECK(scheduler.running() == 0);
  CHECK(scheduler.waiting() == 0);
  const KvManager& kv = scheduler.kv();
  CHECK(kv.reserved() == Bytes{0});
  CHECK(kv.used() == kv.cached());
  for (const KvPlace place : kKvPlaces) {
    std::int64_t blocks = 0;
    for (std::int32_t r = 0; r < setting.room.replicas; ++r) {
      blocks += kv.prefixes(r).in(place);
      CHECK(kv.prefixes(r).idle() ==
            kv.prefixes(r).in(KvPlace::Near) + kv.prefixes(r).in(KvPlace::Home));
    }
    CHECK(kv.resident(place) == blocks * kv.block_bytes());
    CHECK(served.moved[place] == kv.tier_stats(place).moved_in);
    CHECK(served.moved_out[place] == kv.tier_stats(place).moved_out);
  }
  // Whatever stands behind home has come there, block by block, or as the tokens of a cache.
  const auto& far = kv.tier_stats(KvPlace::Far);
  const auto& flash = kv.tier_stats(KvPlace::Flash);
  CHECK(flash.moved_in == flash.allocated);
  CHECK(far.moved_in <= far.allocated);
  CHECK(served.left == kv.prefix_stats().spilled * kv.block_bytes() +
                           scheduler.preemption_stats().swapped_tokens * Bytes{100});
  CHECK(flash.moved_out <= flash.freed);
  served.prefix = kv.prefix_stats();
  served.preemption = scheduler.preemption_stats();
  served.accepted = scheduler.speculation_stats().accepted;
  if (served.refused > 0) return served;
  for (const Request& r : requests) {
    const std::int64_t expected = setting.role == ServingRole::Prefill  ? 1
                                  : setting.role == ServingRole::Decode ? r.output_tokens - 1
                                                                        : r.output_tokens;
    CHECK(served.tokens[static_cast<std::uint64_t>(r.id)] == expected);
  }
  return served;
}

Served serve(const std::vector<Request>& requests, const ServingSpec& spec,
             const KvCapacity& room) {
  return serve(requests, {.spec = spec, .room = room});
}

}  // namespace

TEST_CASE("tiers: books balance at every step, whatever moves, and everyone is served") {
  ByPlace<std::int64_t> found, evicted;
  std::int64_t spilled = 0, swapped = 0, prefetched = 0, accepted = 0, refused = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    RngStream rng{seed, "settings"};
    const auto below = [&](std::uint64_t n) { return static_cast<std::int64_t>(rng.below(n)); };
    auto requests = random_requests(seed, 60);
    ServingSpec spec{.max_batch = 1 + below(20),
                     .prefill_tokens = 1 + below(200),
                     .kv_page_tokens = 16,
                     .prefix_cache = static_cast<PrefixCachePolicy>(below(6)),
                     .admission = static_cast<Admission>(below(2)),
                     .headroom = 0.01 * static_cast<double>(below(20)),
                     .kv_spill = static_cast<KvSpill>(below(3)),
                     .kv_prefetch = below(2) == 1,
                     .preemption = static_cast<Preemption>(below(2)),
                     .queue = static_cast<QueueOrder>(below(3))};
    const bool windows = below(4) == 0;
    if (windows) spec.kv_sink_tokens = 16 * below(5), spec.kv_window_tokens = 16 + below(100);
    if (below(3) == 0) spec.speculation = {.tokens = 1 + below(4), .acceptance = {0.7}};
    // Steps take 2 ps; where late ones are refused, some are.
    if (spec.queue == QueueOrder::Slo || below(4) == 0) spec.ttft_limit = Picoseconds{below(400)};
    spec.slo_admission = spec.ttft_limit && below(2) == 0;
    if (below(2) == 0)
      for (Request& r : requests) r.priority = below(3);
    const bool sessions = below(4) == 0;
    spec.session_prefixes = sessions;
    if (sessions)
      for (Request& r : requests) r.prefix_blocks.clear();
    const auto role = static_cast<ServingRole>(below(2) == 0 ? 0 : below(3));
    if (role == ServingRole::Decode)  // who has all its tokens is not sent there
      for (Request& r : requests) r.output_tokens = std::max<std::int64_t>(2, r.output_tokens);
    KvCapacity room = tiers(24 + below(100), below(80), 1 + below(3), below(80));
    room.near_pages = below(2) * below(60);
    const Served served =
        serve(requests,
              {.spec = spec, .room = room, .block_tokens = sessions ? 0 : kBlock, .role = role});
    const bool may_refuse = spec.slo_admission || spec.prefix_cache == PrefixCachePolicy::Refuse;
    CHECK((served.refused == 0 || may_refuse));
    // Every token is computed once, but for those found and those lost to preemption.
    if (served.refused == 0 && role == ServingRole::Both)
      CHECK(served.computed + served.accepted ==
            all_tokens(requests) - served.prefix.hit_tokens + served.preemption.lost_tokens);
    for (const KvPlace place : kKvPlaces) {
      found[place] += served.prefix.found[place];
      evicted[place] += served.prefix.evicted[place];
    }
    spilled += served.prefix.spilled;
    prefetched += served.prefix.prefetched;
    swapped += served.preemption.swaps;
    accepted += served.accepted;
    refused += served.refused;
  }
  // All of it has happened.
  for (const KvPlace place : kKvPlaces) {
    CHECK(found[place] > 0);
    CHECK(evicted[place] > 0);
  }
  for (const std::int64_t count : {spilled, swapped, prefetched, accepted, refused})
    CHECK(count > 0);
}

TEST_CASE(
    "tiers: flash behind the far tier never finds less, and without end computes nothing twice") {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const auto requests = random_requests(seed, 80);
    for (const std::int64_t far : {0, 7, 40}) {
      const auto served = [&](KvSpill spill, std::int64_t flash) {
        return serve(requests, {.max_batch = 1, .kv_spill = spill}, tiers(25, far, 1, flash));
      };
      std::int64_t before = served(KvSpill::Far, 0).prefix.hit_blocks;
      for (const std::int64_t flash : {0, 1, 10, 60, 1'000}) {
        CAPTURE(far);
        CAPTURE(flash);
        const Served s = served(KvSpill::Flash, flash);
        CHECK(s.prefix.hit_blocks >= before);
        CHECK(s.prefix.found[KvPlace::Flash] <= s.prefix.hit_blocks);
        before = s.prefix.hit_blocks;
        // Every byte that left a place has come to another.
        Bytes in, out;
        for (const KvPlace place : kKvPlaces) in += s.moved[place], out += s.moved_out[place];
        CHECK(in == out);
      }
      CHECK(before == serve(requests, {.max_batch = 1}, tiers(100'000, 0)).prefix.hit_blocks);
    }
  }
}

TEST_CASE("tiers: more room in either never finds less") {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const auto requests = random_requests(seed, 80);
    for (const std::int64_t pages : {25, 40, 60}) {
      std::int64_t before = -1;
      for (const std::int64_t far : {0, 1, 10, 40, 200, 1'000}) {
        CAPTURE(pages);
        CAPTURE(far);
        const Served served =
            serve(requests, {.max_batch = 1, .kv_spill = KvSpill::Far}, tiers(pages, far));
        CHECK(served.prefix.hit_blocks >= before);
        before = served.prefix.hit_blocks;
      }
      // All that was ever computed is there: as much as a home without end finds.
      CHECK(before == serve(requests, {.max_batch = 1}, tiers(100'000, 0)).prefix.hit_blocks);
    }
  }
}

TEST_CASE("swapping: with room in the far tier nothing is computed twice") {
  std::vector<Request> requests;
  for (std::uint64_t id = 0; id < 6; ++id) requests.push_back(request(id, 16, 60));
  ServingSpec spec{.admission = Admission::OnDemand, .headroom = 0};
  const Served again = serve(requests, spec, tiers(10, 1'000));
  CHECK(again.preemption.preemptions > 0);
  CHECK(again.preemption.recomputed_tokens > 0);
  CHECK(again.preemption.swaps == 0);
  CHECK(again.moved[KvPlace::Home] + again.moved[KvPlace::Far] == Bytes{0});
  spec.preemption = Preemption::Swap;
  const Served swap = serve(requests, spec, tiers(10, 1'000));
  CHECK(swap.preemption.swaps == swap.preemption.preemptions);
  CHECK(swap.preemption.swaps > 0);
  CHECK(swap.preemption.recomputed_tokens == 0);
  CHECK(swap.computed == all_tokens(requests));
  // 100 B a token, out and back.
  CHECK(swap.moved[KvPlace::Far] == swap.preemption.swapped_tokens * Bytes{100});
  CHECK(swap.moved[KvPlace::Home] == swap.moved[KvPlace::Far]);
  // Where the far tier takes one of them, the others are computed again.
  const Served some = serve(requests, spec, tiers(10, 3));
  CHECK(some.preemption.swaps < some.preemption.preemptions);
}

TEST_CASE("fetching: a sequence runs from the step after its blocks have come") {
  Scheduler s{{.max_batch = 1, .kv_spill = KvSpill::Far}, tiers(8, 100), kBlock};
  std::vector<Admitted> admitted;
  Request first = request(0, 65, 1), big = request(1, 127, 1), again = request(2, 65, 1);
  first.prefix_blocks = again.prefix_blocks = {7, 8, 9};
  for (const Request& r : {first, big}) {
    REQUIRE(s.arrive(r));
    s.plan(admitted);
    s.complete();
  }
  CHECK(s.kv().prefix_stats().spilled == 2);
  REQUIRE(s.arrive(again));
  const StepLoad fetch = s.plan(admitted);
  REQUIRE(admitted.size() == 1);
  CHECK(admitted[0].found == 64);
  CHECK(fetch.sequences.empty());
  REQUIRE(fetch.moves.size() == 1);
  CHECK(fetch.moves[0].to == KvPlace::Home);
  CHECK(fetch.moves[0].bytes == Bytes{2 * 3200});
  CHECK(s.complete().empty());
  const StepLoad& run = s.plan(admitted);
  REQUIRE(run.sequences.size() == 1);
  CHECK(run.sequences[0].context == 64);
  CHECK(run.sequences[0].new_tokens == 1);
  CHECK(run.moves.empty());
}

TEST_CASE("prefetching: blocks come home while their request waits for a place") {
  for (const bool prefetch : {false, true}) {
    Scheduler s{{.max_batch = 1, .kv_spill = KvSpill::Far, .kv_prefetch = prefetch},
                tiers(12, 100),
                kBlock};
    std::vector<Admitted> admitted;
    Request first = request(0, 65, 1), again = request(3, 65, 1);
    first.prefix_blocks = again.prefix_blocks = {7, 8, 9};
    for (const Request& r : {first, request(1, 191, 1)}) {
      REQUIRE(s.arrive(r));
      s.plan(admitted);
      s.complete();
    }
    REQUIRE(s.kv().prefix_stats().spilled == 2);
    REQUIRE(s.arrive(request(2, 16, 3)));  // takes the only place
    REQUIRE(s.arrive(again));
    CHECK(s.plan(admitted).moves.size() == (prefetch ? 1 : 0));
    for (int step = 0; step < 3; ++step) {
      s.complete();
      s.plan(admitted);
    }
    // Now it has its place: what was prefetched need not come any more.
    REQUIRE(ids(admitted) == std::vector<std::uint64_t>{3});
    CHECK(s.kv().prefix_stats().prefetched == (prefetch ? 2 : 0));
    CHECK(s.kv().prefix_stats().found[KvPlace::Far] == (prefetch ? 0 : 2));
    CHECK(s.kv().prefix_stats().hit_tokens == 64);
  }
}

TEST_CASE("prefetching: where room is short, blocks that nobody uses make way, as many as do") {
  for (const std::int64_t idle : {5, 4, 1}) {
    CAPTURE(idle);
    Scheduler s{{.max_batch = 1, .kv_spill = KvSpill::Far}, tiers(12, 100), kBlock};
    std::vector<Admitted> admitted;
    Request first = request(0, 65, 1), again = request(3, 65, 1);
    first.prefix_blocks = again.prefix_blocks = {7, 8, 9};
    // Fills the room; its first blocks stay, idle.
    Request big = request(1, 191, 1);
    for (std::int64_t b = 0; b < idle; ++b)
      big.prefix_blocks.push_back(20 + static_cast<std::uint64_t>(b));
    for (const Request& r : {first, big}) {
      REQUIRE(s.arrive(r));
      s.plan(admitted);
      s.complete();
    }
    REQUIRE(s.kv().prefix_stats().spilled == 2);
    // Takes the only place, and all pages but those of idle blocks.
    REQUIRE(s.arrive(request(2, 16 * (12 - 2 * idle) - 3, 3)));
    REQUIRE(s.arrive(again));
    const StepLoad& load = s.plan(admitted);
    const std::int64_t fit = std::min<std::int64_t>(2, idle);
    CHECK(s.kv().prefix_stats().prefetched == fit);
    CHECK(s.kv().prefix_stats().spilled == 2 + fit);
    // Out and back at once.
    REQUIRE(load.moves.size() == 2);
    for (const KvMove& m : load.moves) CHECK(m.bytes == fit * s.kv().block_bytes());
  }
}

TEST_CASE("eviction: who goes first is what the policy says") {
  // A long context, then a short one used twice, then another: which goes for 32 more tokens?
  const auto left = [](PrefixCachePolicy policy) {
    Scheduler s{{.max_batch = 1, .prefix_cache = policy}, tiers(16, 0), kBlock};
    std::vector<Admitted> admitted;
    const auto visit = [&](std::uint64_t id, std::int64_t blocks, std::uint64_t first,
                           std::uint64_t session) {
      Request r = request(id, blocks * kBlock, 1);
      r.session = session;
      for (std::int64_t b = 0; b < blocks; ++b)
        r.prefix_blocks.push_back(first + static_cast<std::uint64_t>(b));
      REQUIRE(s.arrive(r));
      s.plan(admitted);
      s.complete();
    };
    visit(0, 1, 100, 2);
    visit(1, 1, 100, 2);
    visit(2, 1, 200, 1);
    visit(3, 4, 300, 3);
    visit(4, 1, 400, 2);  // session 2 speaks again: 1 has been silent longest
    visit(5, 1, 500, 4);
    std::set<std::uint64_t> there;
    for (const std::uint64_t id : {100, 200, 300, 301, 302, 303})
      if (s.kv().prefixes(0).match(std::vector<std::uint64_t>{id}).blocks == 1) there.insert(id);
    return there;
  };
  using Ids = std::set<std::uint64_t>;
  CHECK(left(PrefixCachePolicy::Lru) == Ids{200, 300, 301, 302, 303});
  CHECK(left(PrefixCachePolicy::Lfu) == Ids{100, 300, 301, 302, 303});
  CHECK(left(PrefixCachePolicy::SizeAge) == Ids{100, 200, 300, 301, 302});
  CHECK(left(PrefixCachePolicy::Session) == Ids{100, 300, 301, 302, 303});
}

TEST_CASE(
    "eviction: a cache that refuses to evict lets those wait whom nothing helps, and refuses") {
  Scheduler s{{.max_batch = 2, .prefix_cache = PrefixCachePolicy::Refuse}, tiers(4, 0), kBlock};
  std::vector<Admitted> admitted;
  Request keeper = request(0, 32, 1);
  keeper.prefix_blocks = {1};
  REQUIRE(s.arrive(keeper));
  REQUIRE(s.arrive(request(1, 40, 1)));
  s.plan(admitted);
  CHECK(ids(admitted) == std::vector<std::uint64_t>{0});
  CHECK(s.refused().empty());  // something runs that may make room
  s.complete();
  CHECK(s.plan(admitted).empty());
  CHECK(s.refused() == std::vector<RequestId>{RequestId{1}});
  CHECK(s.kv().prefix_stats().evicted[KvPlace::Home] == 0);
}

TEST_CASE("windows: a sequence keeps its sinks and its last tokens, and attends to these") {
  Scheduler s{{.prefill_tokens = 40, .kv_sink_tokens = 16, .kv_window_tokens = 48}, tiers(8, 0)};
  std::vector<Admitted> admitted;
  REQUIRE(s.arrive(request(0, 100, 5)));  // 105 tokens; 64 are kept
  std::vector<std::int64_t> contexts, positions;
  while (true) {
    const StepLoad& load = s.plan(admitted);
    if (load.empty()) break;
    contexts.push_back(load.sequences[0].context);
    positions.push_back(load.sequences[0].position());
    CHECK(s.kv().reserved() == Bytes{4 * 1600});
    s.complete();
  }
  CHECK(contexts == std::vector<std::int64_t>{0, 40, 64, 64, 64, 64, 64});
  CHECK(positions == std::vector<std::int64_t>{0, 40, 80, 100, 101, 102, 103});
  CHECK(s.dropped_tokens() == 104 - 64);
  CHECK(s.longest_context() == 64);
  // As long as it likes: its room does not grow.
  CHECK(s.arrive(request(1, 1'000'000, 5)));
}

TEST_CASE("windows: prefixes are shared up to the sinks where something will be dropped") {
  Scheduler s{
      {.max_batch = 1, .kv_sink_tokens = 32, .kv_window_tokens = 64}, tiers(100, 0), kBlock};
  std::vector<Admitted> admitted;
  for (std::uint64_t id = 0; id < 2; ++id) {
    Request r = request(id, 200, 1);
    r.prefix_blocks = {1, 2, 3, 4, 5, 6, 7};
    REQUIRE(s.arrive(r));
    s.plan(admitted);
    CHECK(admitted.at(0).found == (id == 0 ? 0 : 32));
    CHECK(s.complete().at(0).finished);
  }
}

TEST_CASE("sessions: a turn without ids finds the turn before and its answer") {
  for (const bool on : {false, true}) {
    Scheduler s{{.max_batch = 1, .session_prefixes = on}, tiers(100, 0)};
    std::vector<Admitted> admitted;
    Request first = request(0, 40, 25), second = request(1, 80, 1), other = request(2, 80, 1);
    first.session = second.session = 5;
    other.session = 6;
    for (const Request& r : {first, second, other}) {
      REQUIRE(s.arrive(r));
      s.plan(admitted);
      // 40 + 25 tokens, the last not in the cache: four pages of 16.
      CHECK(admitted.at(0).found == (on && r.id == RequestId{1} ? 64 : 0));
      while (!s.complete().at(0).finished) s.plan(admitted);
    }
  }
}

TEST_CASE("queue: the shortest prompt goes first, or who is due first, and who is late last") {
  const auto order = [](ServingSpec spec) {
    spec.max_batch = 1;
    spec.ttft_limit = Picoseconds{100};
    Scheduler s{spec, room(100)};
    std::vector<Admitted> admitted;
    std::vector<std::uint64_t> served;
    for (std::uint64_t id = 0; id < 4; ++id) {
      Request r = request(id, id == 2 ? 3 : 30, 1);
      r.arrival = Picoseconds{static_cast<std::int64_t>(60 * id)};
      REQUIRE(s.arrive(r));
    }
    for (std::int64_t now = 130; s.waiting() + s.running() > 0; now += 10) {
      s.plan(admitted, Picoseconds{now});
      for (const std::uint64_t id : ids(admitted)) served.push_back(id);
      for (const RequestId id : s.refused()) served.push_back(100 + static_cast<std::uint64_t>(id));
      s.complete();
    }
    return served;
  };
  using Ids = std::vector<std::uint64_t>;
  CHECK(order({}) == Ids{0, 1, 2, 3});
  CHECK(order({.queue = QueueOrder::ShortestFirst}) == Ids{2, 0, 1, 3});
  CHECK(order({.queue = QueueOrder::Slo}) == Ids{1, 2, 3, 0});
  // 0 was due at 100.
  const Ids refused = order({.slo_admission = true});
  CHECK(refused.size() == 4);
  CHECK(std::ranges::count(refused, 100) == 1);
}
