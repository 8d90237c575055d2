// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/adapter_pool.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <list>
#include <map>

#include "sim/base/rng.hpp"
#include "tests/sim/serving/serving_fixture.hpp"

using namespace reticle;
using namespace reticle::test;
using namespace reticle::literals;

namespace {

AdapterSpec slots(std::int64_t n, std::int64_t adapters = 100) {
  return {.adapters = adapters, .ranks = {8, 16}, .slots = n};
}
const std::vector<Bytes> kBytes{Bytes{100}, Bytes{200}};

ServingSpec serving(std::int64_t slots_, std::int64_t max_batch = 4) {
  ServingSpec spec;
  spec.max_batch = max_batch;
  spec.lora = LoraSpec{.family = slots(slots_)};
  return spec;
}

Request with_adapter(std::uint64_t id, std::uint32_t adapter, std::int64_t output = 2) {
  Request r = request(id, 16, output);
  r.adapter = adapter;
  return r;
}

/// LRU as in a textbook: a list, the latest in front.
class TextbookLru {
 public:
  explicit TextbookLru(std::size_t slots) : slots_{slots} {}
  bool hit(std::uint32_t adapter) {
    const auto at = std::ranges::find(list_, adapter);
    const bool found = at != list_.end();
    if (found) list_.erase(at);
    list_.push_front(adapter);
    if (list_.size() > slots_) list_.pop_back();
    return found;
  }

 private:
  std::size_t slots_;
  std::list<std::uint32_t> list_;
};

std::vector<std::uint32_t> zipf_sequence(std::size_t n, std::int64_t adapters) {
  const Popularity popularity{adapters, 1.0};
  RngStream rng{3, "adapter pool test"};
  std::vector<std::uint32_t> all;
  for (std::size_t i = 0; i < n; ++i) all.push_back(popularity.at(rng.uniform()));
  return all;
}

/// Serves everything, step by step; the loads of each step.
std::vector<std::vector<std::uint32_t>> serve(Scheduler& s) {
  std::vector<std::vector<std::uint32_t>> loads;
  std::vector<Admitted> admitted;
  for (int step = 0; step < 100'000; ++step) {
    const StepLoad& load = s.plan(admitted, Picoseconds{step});
    if (load.empty()) return loads;
    loads.push_back(load.adapters_in);
    s.complete(Picoseconds{step + 1});
  }
  FAIL("it does not come to an end");
  return loads;
}

}  // namespace

TEST_CASE("AdapterPool: hits are those of plain LRU over the same sequence") {
  const auto sequence = zipf_sequence(5'000, 100);
  for (const std::int64_t n : {1, 2, 7, 30, 100}) {
    AdapterPool pool{slots(n), kBytes};
    TextbookLru lru{static_cast<std::size_t>(n)};
    std::int64_t hits = 0;
    for (const std::uint32_t adapter : sequence) {
      const bool there = pool.there(adapter);
      CHECK(there == lru.hit(adapter));
      hits += there;
      REQUIRE(pool.ask(adapter, {}));
      pool.arrive();
    }
    const AdapterStats& stats = pool.stats();
    CHECK(stats.hits == hits);
    CHECK(stats.asked == std::ssize(sequence));
    CHECK(stats.hits + stats.loads == stats.asked);
    CHECK(stats.loads - stats.evicted == pool.resident());
    CHECK(pool.resident() <= n);
  }
}

TEST_CASE("AdapterPool: bytes that came are there or have gone") {
  AdapterPool pool{slots(5), kBytes};
  Bytes loaded{};
  for (const std::uint32_t adapter : zipf_sequence(1'000, 100)) {
    REQUIRE(pool.ask(adapter, {}));
    for (const std::uint32_t load : pool.take_loads()) loaded += kBytes[load % 2];
    pool.arrive();
    CHECK(loaded == pool.stats().evicted_bytes + pool.stats().resident);
    CHECK(pool.stats().resident <= pool.stats().peak);
  }
}

TEST_CASE("AdapterPool: who runs keeps its adapter, and so does who is next") {
  AdapterPool pool{slots(2), kBytes};
  REQUIRE(pool.ask(1, {}));
  CHECK(!pool.there(1));  // on its way
  CHECK(pool.arriving());
  pool.arrive();
  pool.hold(1);
  REQUIRE(pool.ask(2, {}));
  CHECK(!pool.ask(3, {}));  // nothing that is on its way goes
  pool.arrive();
  const std::vector<std::uint32_t> wanted{2};
  CHECK(!pool.ask(3, wanted));
  CHECK(pool.ask(3, {}));
  CHECK(!pool.holds(2));
  pool.release(1);
  CHECK(pool.ask(4, {}));
  CHECK(!pool.holds(1));
}

TEST_CASE("adapters: a request begins in the step after its adapter's load") {
  Scheduler s{serving(4), room(100), 0, ServingRole::Both, kBytes};
  REQUIRE(s.arrive(with_adapter(0, 7)));
  std::vector<Admitted> admitted;
  const StepLoad& load = s.plan(admitted, 10_ps);
  CHECK(load.sequences.empty());
  CHECK(load.adapters_in == std::vector<std::uint32_t>{7});
  CHECK(s.refused().empty());
  s.complete(30_ps);
  const StepLoad& runs = s.plan(admitted, 30_ps);
  REQUIRE(runs.sequences.size() == 1);
  CHECK(runs.sequences.front().adapter == 7);
  CHECK(runs.adapters_in.empty());
  CHECK(s.adapters()->stats().waits == 1);
  CHECK(s.adapters()->stats().waited == 20_ps);
}

TEST_CASE("adapters: those of requests behind the next are loaded beside what runs") {
  Scheduler s{serving(4), room(100), 0, ServingRole::Both, kBytes};
  for (std::uint32_t i = 0; i < 4; ++i) REQUIRE(s.arrive(with_adapter(i, i)));
  std::vector<Admitted> admitted;
  CHECK(s.plan(admitted).adapters_in == std::vector<std::uint32_t>{0, 1, 2, 3});
  s.complete();
  CHECK(s.plan(admitted).sequences.size() == 4);
}

TEST_CASE("adapters: who waits for pages keeps its adapter from those behind it") {
  Scheduler s{serving(2), room(2), 0, ServingRole::Both, kBytes};  // pages for one at a time
  for (std::uint32_t i = 0; i < 6; ++i) REQUIRE(s.arrive(with_adapter(i, i, 8)));
  for (const auto& loads : serve(s)) CHECK(loads.size() <= 2);
  CHECK(s.adapters()->stats().loads == 6);
  CHECK(s.adapters()->stats().hits == 0);
}

TEST_CASE("adapters: one slot serves one after another, and is loaded for each") {
  Scheduler s{serving(1), room(100), 0, ServingRole::Both, kBytes};
  constexpr std::uint32_t kRequests = 12;
  for (std::uint32_t i = 0; i < kRequests; ++i) REQUIRE(s.arrive(with_adapter(i, i % 2)));
  for (const auto& loads : serve(s)) CHECK(loads.size() <= 1);
  CHECK(s.adapters()->stats().loads == kRequests);
  CHECK(s.adapters()->stats().hits == 0);
}

TEST_CASE("adapters: slots for all are loaded once each") {
  Scheduler s{serving(10), room(1000), 0, ServingRole::Both, kBytes};
  for (std::uint32_t i = 0; i < 200; ++i) REQUIRE(s.arrive(with_adapter(i, i * i % 10)));
  std::map<std::uint32_t, int> loaded;
  for (const auto& loads : serve(s))
    for (const std::uint32_t adapter : loads) ++loaded[adapter];
  for (const auto& [adapter, times] : loaded) CHECK(times == 1);
  CHECK(std::ssize(loaded) == s.adapters()->stats().loads);
  CHECK(s.adapters()->stats().evicted == 0);
}

TEST_CASE("adapters: one request at a time hits as plain LRU does") {
  const auto sequence = zipf_sequence(600, 40);
  for (const std::int64_t n : {1, 3, 9}) {
    Scheduler s{serving(n, 1), room(100), 0, ServingRole::Both, kBytes};
    TextbookLru lru{static_cast<std::size_t>(n)};
    std::int64_t hits = 0;
    for (std::size_t i = 0; i < sequence.size(); ++i) {
      hits += lru.hit(sequence[i]);
      REQUIRE(s.arrive(with_adapter(i, sequence[i])));
    }
    serve(s);
    CHECK(s.adapters()->stats().hits == hits);
    CHECK(s.adapters()->stats().asked == std::ssize(sequence));
  }
}

TEST_CASE(
    "adapters: requests with and without them, in any queue order and with preemptions, end") {
  for (const QueueOrder order : {QueueOrder::Fcfs, QueueOrder::ShortestFirst})
    for (const Admission admission : {Admission::WholeLife, Admission::OnDemand})
      for (const std::int64_t n : {1, 2, 5}) {
        ServingSpec spec = serving(n, 6);
        spec.queue = order;
        spec.admission = admission;
        Scheduler s{spec, room(12), 0, ServingRole::Both, kBytes};
        RngStream rng{5, "adapters end"};
        for (std::uint64_t i = 0; i < 150; ++i) {
          Request r = request(i, 1 + static_cast<std::int64_t>(rng.below(60)),
                              1 + static_cast<std::int64_t>(rng.below(60)));
          if (rng.below(4) > 0) r.adapter = static_cast<std::uint32_t>(rng.below(20));
          REQUIRE(s.arrive(r));
        }
        serve(s);
        CHECK(s.running() + s.waiting() == 0);
        const AdapterStats& stats = s.adapters()->stats();
        CHECK(stats.hits + stats.loads == stats.asked);
        CHECK(stats.loads - stats.evicted == s.adapters()->resident());
      }
}

TEST_CASE("adapters: equal prompt blocks under two of them share nothing") {
  const std::vector<std::uint64_t> blocks{11, 12, 13, 14};
  const auto found = [&](std::optional<std::uint32_t> first, std::optional<std::uint32_t> second) {
    Scheduler s{serving(4), room(100), 16, ServingRole::Both, kBytes};
    for (const auto adapter : {first, second}) {
      Request r = request(adapter == first ? 0 : 1, 64, 1);
      r.prefix_blocks = blocks;
      r.adapter = adapter;
      REQUIRE(s.arrive(r));
      serve(s);
    }
    return s.kv().prefix_stats().hit_blocks;
  };
  CHECK(found(1, 1) == 4);
  CHECK(found(1, 2) == 0);
  CHECK(found(std::nullopt, 1) == 0);
  CHECK(found(std::nullopt, std::nullopt) == 4);
}

TEST_CASE("adapters: without serving.lora nobody has one") {
  ServingSpec spec;
  Scheduler s{spec, room(100)};
  REQUIRE(s.arrive(with_adapter(0, 7)));
  std::vector<Admitted> admitted;
  const StepLoad& load = s.plan(admitted);
  REQUIRE(load.sequences.size() == 1);
  CHECK(!load.sequences.front().adapter);
}

TEST_CASE("AdapterDealer: dealt by popularity, the same to a session, and what is named stays") {
  LoraSpec spec{.family = {.adapters = 50, .slots = 1}, .popularity = 1.0, .seed = 4};
  const AdapterDealer dealer{spec};
  std::vector<double> count(50);
  constexpr int kDraws = 40'000;
  for (std::uint64_t i = 0; i < kDraws; ++i) ++count[dealer.of(request(i, 1, 1)).value()];
  double harmonic = 0;
  for (int i = 1; i <= 50; ++i) harmonic += 1.0 / i;
  for (const std::size_t i : {0, 1, 9}) {
    const double expected = kDraws / harmonic / static_cast<double>(i + 1);
    CHECK(std::abs(count[i] - expected) < 4 * std::sqrt(expected));
  }
  Request named = with_adapter(1, 33);
  CHECK(dealer.of(named) == 33);
  Request turn = request(1, 1, 1), next = request(2, 1, 1);
  turn.session = next.session = 5;
  CHECK(dealer.of(turn) == dealer.of(next));
  spec.popularity.reset();
  const AdapterDealer in_turn{spec};
  CHECK(!in_turn.of(request(1, 1, 1)));
  CHECK(in_turn.of_stream(53) == 3);
}
