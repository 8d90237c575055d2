// SPDX-License-Identifier: Apache-2.0
// Shared prefixes and preemption under random requests, against counts kept beside the scheduler.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "sim/base/rng.hpp"
#include "tests/sim/serving/serving_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

constexpr std::int64_t kBlock = 32;  // two pages

/// Prompts out of a tree of blocks, the shallow ones often the same.
std::vector<Request> random_requests(std::uint64_t seed, std::int64_t count) {
  RngStream rng{seed, "prefixes"};
  std::vector<Request> all;
  for (std::int64_t i = 0; i < count; ++i) {
    Request r =
        request(static_cast<std::uint64_t>(i), 1 + static_cast<std::int64_t>(rng.below(300)),
                1 + static_cast<std::int64_t>(rng.below(60)));
    std::uint64_t at = 0;
    for (std::int64_t b = 0; b < div_up(r.input_tokens, kBlock); ++b)
      r.prefix_blocks.push_back(at = 3 * at + 1 + rng.below(b < 4 ? 2 : 3));
    all.push_back(r);
  }
  return all;
}

/// Full blocks of the prompts that an endless cache would have had, one request after the other.
std::int64_t endless_hits(const std::vector<Request>& requests) {
  std::set<std::uint64_t> seen;
  std::int64_t hits = 0;
  for (const Request& r : requests) {
    bool leading = true;
    for (std::int64_t b = 0; b < r.input_tokens / kBlock; ++b) {
      leading = !seen.insert(r.prefix_blocks[static_cast<std::size_t>(b)]).second && leading;
      hits += leading;
    }
  }
  return hits;
}

struct Served {
  std::map<std::uint64_t, std::int64_t> tokens;  ///< emitted, by request
  std::int64_t computed = 0;                     ///< tokens that went through the model
  PrefixStats prefix;
  PreemptionStats preemption;
};

Served serve(const std::vector<Request>& requests, const ServingSpec& spec,
             const KvCapacity& room) {
  Scheduler scheduler{spec, room, kBlock};
  for (const Request& r : requests) REQUIRE(scheduler.arrive(r));
  Served served;
  std::map<std::uint64_t, std::int64_t> cached;
  std::vector<Admitted> admitted;
  for (int step = 0; step < 1'000'000; ++step) {
    const StepLoad& load = scheduler.plan(admitted);
    if (load.sequences.empty()) break;
    for (const Admitted& a : admitted) {
      const auto id = static_cast<std::uint64_t>(a.id);
      CHECK(a.found % kBlock == 0);
      CHECK(a.found < requests[id].input_tokens + served.tokens[id]);
      CHECK(a.again == (cached.contains(id)));
      cached[id] = a.found;
    }
    for (const SequenceWork& s : load.sequences) {
      const auto id = static_cast<std::uint64_t>(s.request);
      CHECK(s.context == cached[id]);
      cached[id] += s.new_tokens;
      served.computed += s.new_tokens;
    }
    for (const Progress& p : scheduler.complete())
      served.tokens[static_cast<std::uint64_t>(p.request)] += p.tokens;
    const KvManager& kv = scheduler.kv();
    CHECK(kv.reserved() + kv.cached() <= kv.capacity());
    CHECK(kv.used() <= kv.reserved() + kv.cached());
    CHECK(kv.cached() <= kv.used());
  }
  CHECK(scheduler.running() == 0);
  CHECK(scheduler.waiting() == 0);
  CHECK(scheduler.kv().reserved() == Bytes{0});
  CHECK(scheduler.kv().used() == scheduler.kv().cached());
  served.prefix = scheduler.kv().prefix_stats();
  served.preemption = scheduler.preemption_stats();
  for (const Request& r : requests)
    CHECK(served.tokens[static_cast<std::uint64_t>(r.id)] == r.output_tokens);
  return served;
}

std::int64_t all_tokens(const std::vector<Request>& requests) {
  std::int64_t sum = 0;  // the last output token is never fed back
  for (const Request& r : requests) sum += r.input_tokens + r.output_tokens - 1;
  return sum;
}

}  // namespace

TEST_CASE("prefixes: with endless room, one after the other, hits are the trace's own") {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const auto requests = random_requests(seed, 60);
    const Served served = serve(requests, {.max_batch = 1}, room(1'000'000));
    CHECK(served.prefix.hit_blocks == endless_hits(requests));
    CHECK(served.prefix.evicted[KvPlace::Home] == 0);
    CHECK(served.computed == all_tokens(requests) - served.prefix.hit_tokens);
    const Served off =
        serve(requests, {.max_batch = 1, .prefix_cache = PrefixCachePolicy::Off}, room(1'000'000));
    CHECK(off.prefix.blocks == 0);
    CHECK(off.computed == all_tokens(requests));
  }
}

TEST_CASE("prefixes: more room never finds less") {
  for (const PrefixCachePolicy policy : {PrefixCachePolicy::Lru, PrefixCachePolicy::Lfu})
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const auto requests = random_requests(seed, 80);
      std::int64_t before = -1;
      for (const std::int64_t pages : {25, 40, 60, 100, 200, 400, 100'000}) {
        CAPTURE(pages);
        const Served served =
            serve(requests, {.max_batch = 1, .prefix_cache = policy}, room(pages));
        // A stack property of LRU; LFU with counts that end with eviction has none.
        if (policy == PrefixCachePolicy::Lru) CHECK(served.prefix.hit_blocks >= before);
        before = served.prefix.hit_blocks;
      }
      CHECK(before == endless_hits(requests));
    }
}

TEST_CASE("prefixes: everyone is served in full under any room, batch, policy and admission") {
  for (std::uint64_t seed = 0; seed < 24; ++seed) {
    CAPTURE(seed);
    RngStream rng{seed, "settings"};
    const auto below = [&](std::uint64_t n) { return static_cast<std::int64_t>(rng.below(n)); };
    const auto requests = random_requests(seed, 60);
    const ServingSpec spec{.max_batch = 1 + below(20),
                           .prefill_tokens = 1 + below(200),
                           .kv_page_tokens = 16,
                           .prefix_cache = static_cast<PrefixCachePolicy>(below(3)),
                           .admission = static_cast<Admission>(below(2)),
                           .headroom = 0.01 * static_cast<double>(below(20))};
    const Served served = serve(requests, spec, room(24 + below(100), 1 + below(3)));
    // Every token is computed once, but for those found and those lost to preemption.
    CHECK(served.computed ==
          all_tokens(requests) - served.prefix.hit_tokens + served.preemption.lost_tokens);
    if (spec.admission == Admission::WholeLife) CHECK(served.preemption.preemptions == 0);
  }
}

TEST_CASE("admission on demand: more run at once, and the youngest gives way") {
  // Three requests of 16 + 48 tokens, four pages each, and room for eight.
  std::vector<Request> requests;
  for (std::uint64_t id = 0; id < 3; ++id) requests.push_back(request(id, 16, 48));
  const Served whole = serve(requests, {}, room(8));
  CHECK(whole.preemption.preemptions == 0);
  Scheduler s{{.admission = Admission::OnDemand, .headroom = 0}, room(8)};
  for (const Request& r : requests) REQUIRE(s.arrive(r));
  std::vector<Admitted> admitted;
  CHECK(s.plan(admitted).sequences.size() == 3);
  for (int step = 0; step < 33; ++step) {
    s.complete();
    s.plan(admitted);
  }
  // 16 + 33 tokens take a fourth page each: the ninth page is not there, the third request waits.
  CHECK(s.running() == 2);
  CHECK(s.waiting() == 1);
  CHECK(s.preemption_stats().preemptions == 1);
}
