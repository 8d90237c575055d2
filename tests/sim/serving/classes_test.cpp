// SPDX-License-Identifier: Apache-2.0
// Classes of requests, and admission that looks at limits of latency.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "sim/base/rng.hpp"
#include "tests/sim/serving/serving_fixture.hpp"

using namespace reticle;
using namespace reticle::test;
using namespace reticle::literals;

namespace {

using Ids = std::vector<std::uint64_t>;

Request of_class(std::int64_t priority, Request r) {
  r.priority = priority;
  return r;
}

/// Steps until nothing is left; the ids in the order in which they finished.
Ids finish(Scheduler& scheduler) {
  std::vector<Admitted> admitted;
  Ids order;
  while (!scheduler.plan(admitted).empty())
    for (const Progress& p : scheduler.complete())
      if (p.finished) order.push_back(static_cast<std::uint64_t>(p.request));
  return order;
}

/// A machine whose steps take a millisecond, and so much for each prompt token and each decode.
class Machine {
 public:
  Machine(const ServingSpec& spec, Picoseconds per_prompt_token, Picoseconds per_decode)
      : scheduler{spec, room(10'000)}, prompt_token_{per_prompt_token}, decode_{per_decode} {}

  void step() {
    const StepLoad& load = scheduler.plan(admitted, now);
    for (const RequestId id : scheduler.refused())
      refused.push_back(static_cast<std::uint64_t>(id));
    if (load.empty()) return;
    now += 1_ms;
    for (const SequenceWork& s : load.sequences)
      now += s.decodes() ? decode_ : s.new_tokens * prompt_token_;
    (void)scheduler.complete(now);
  }

  Scheduler scheduler;
  Picoseconds now{};
  std::vector<Admitted> admitted;
  Ids refused;

 private:
  Picoseconds prompt_token_, decode_;
};

}  // namespace

TEST_CASE("classes: a lower class is admitted first, whatever the order of coming") {
  Scheduler scheduler{{.max_batch = 1}, room(100)};
  for (const auto& [id, priority] : {std::pair{1, 2}, {2, 0}, {3, 1}, {4, 0}})
    CHECK(scheduler.arrive(of_class(priority, request(static_cast<std::uint64_t>(id), 16, 2))));
  CHECK(finish(scheduler) == Ids{2, 4, 3, 1});
}

TEST_CASE("classes: a request without room preempts a sequence of a higher class") {
  for (const bool batch_is_full : {true, false}) {
    CAPTURE(batch_is_full);
    Scheduler scheduler{{.max_batch = batch_is_full ? 2 : 8, .admission = Admission::OnDemand},
                        room(batch_is_full ? 100 : 8)};
    std::vector<Admitted> admitted;
    CHECK(scheduler.arrive(of_class(1, request(1, 48, 9))));
    CHECK(scheduler.arrive(of_class(1, request(2, 48, 9))));
    scheduler.plan(admitted);
    CHECK(ids(admitted) == Ids{1, 2});
    scheduler.complete();
    CHECK(scheduler.arrive(request(3, 48, 9)));
    scheduler.plan(admitted);
    CHECK(ids(admitted) == Ids{3});
    CHECK(scheduler.preemption_stats().preemptions == 1);
    CHECK(scheduler.running() == 2);
    scheduler.complete();
    CHECK(finish(scheduler) == Ids{1, 3, 2});  // the second one was the youngest
  }
}

TEST_CASE("classes: nobody is preempted for the class of its own") {
  Scheduler scheduler{{.max_batch = 1, .admission = Admission::OnDemand}, room(100)};
  std::vector<Admitted> admitted;
  CHECK(scheduler.arrive(of_class(1, request(1, 16, 4))));
  scheduler.plan(admitted);
  scheduler.complete();
  CHECK(scheduler.arrive(of_class(1, request(2, 16, 4))));
  CHECK(finish(scheduler) == Ids{1, 2});
  CHECK(scheduler.preemption_stats().preemptions == 0);
}

TEST_CASE("classes: where pages are given for a whole life they are not taken back for a class") {
  Scheduler scheduler{{.max_batch = 1}, room(100)};
  std::vector<Admitted> admitted;
  CHECK(scheduler.arrive(of_class(1, request(1, 16, 4))));
  scheduler.plan(admitted);
  scheduler.complete();
  CHECK(scheduler.arrive(request(2, 16, 4)));
  CHECK(finish(scheduler) == Ids{1, 2});
}

TEST_CASE("classes: a sequence that cannot grow preempts the highest class and not the youngest") {
  Scheduler scheduler{{.admission = Admission::OnDemand, .headroom = 0}, room(4)};
  CHECK(scheduler.arrive(of_class(1, request(1, 30, 20))));
  std::vector<Admitted> admitted;
  scheduler.plan(admitted);
  scheduler.complete();
  CHECK(scheduler.arrive(request(2, 30, 20)));
  CHECK(finish(scheduler) == Ids{2, 1});
}

TEST_CASE("classes: random ones are all served and nothing is left behind") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    RngStream rng{seed, "classes"};
    const auto below = [&](std::uint64_t n) { return static_cast<std::int64_t>(rng.below(n)); };
    const ServingSpec spec{.max_batch = 1 + below(6),
                           .prefill_tokens = 1 + below(100),
                           .admission = Admission::OnDemand,
                           .preemption = Preemption::Recompute,
                           .queue = below(2) == 0 ? QueueOrder::Fcfs : QueueOrder::ShortestFirst};
    Scheduler scheduler{spec, room(24 + below(20), 1 + below(3))};
    std::vector<Admitted> admitted;
    std::map<RequestId, std::int64_t> generated, wanted;
    for (std::uint64_t id = 0; id < 60;) {
      for (std::int64_t burst = below(4); burst > 0 && id < 60; --burst, ++id) {
        const Request r = of_class(below(3), request(id, 1 + below(150), 1 + below(60)));
        REQUIRE(scheduler.arrive(r));
        wanted[r.id] = r.output_tokens;
      }
      scheduler.plan(admitted);
      for (const Progress& p : scheduler.complete()) generated[p.request] += p.tokens;
    }
    while (!scheduler.plan(admitted).empty())
      for (const Progress& p : scheduler.complete()) generated[p.request] += p.tokens;
    CHECK(generated == wanted);
    CHECK(scheduler.kv().reserved() == Bytes{0});
    CHECK(scheduler.waiting() == 0);
  }
}

TEST_CASE("slo: who will be too late behind the prompts before it is refused as it comes") {
  // A prompt of 1,000 tokens takes a second and a millisecond.
  Machine machine{
      {.prefill_tokens = 1000, .slo_admission = true, .ttft_limit = 1500_ms}, 1_ms, 1_ms};
  CHECK(machine.scheduler.arrive(request(1, 1000, 1)));
  machine.step();  // now it is known how long prompts take
  for (const std::uint64_t id : {2, 3, 4}) {
    Request r = request(id, 600, 1);
    r.arrival = machine.now;
    CHECK(machine.scheduler.arrive(r));
  }
  machine.step();
  CHECK(machine.refused == Ids{4});  // 0.6 and 1.2 s are in time, 1.8 s is not
}

TEST_CASE("slo: nobody is admitted while tokens come later than the limit") {
  const ServingSpec with{.slo_admission = true, .ttft_limit = 100'000_ms, .tpot_limit = 40_ms};
  ServingSpec without = with;
  without.slo_admission = false;
  const auto longest_batch = [](const ServingSpec& spec) {
    Machine machine{spec, 10_us, 10_ms};
    for (std::uint64_t id = 0; id < 20; ++id) CHECK(machine.scheduler.arrive(request(id, 16, 200)));
    std::int64_t most = 0;
    for (int i = 0; i < 10'000; ++i) {
      machine.step();
      most = std::max(most, machine.scheduler.running());
    }
    CHECK(machine.scheduler.running() + machine.scheduler.waiting() == 0);
    CHECK(machine.refused.empty());
    return most;
  };
  CHECK(longest_batch(without) == 20);
  // Four decodes take 41 ms. Who came last prefilled in the step before.
  CHECK(longest_batch(with) >= 3);
  CHECK(longest_batch(with) <= 5);
}
