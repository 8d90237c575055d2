// SPDX-License-Identifier: Apache-2.0
// Random workloads through the scheduler, with a ledger kept beside it.
#include <doctest/doctest.h>

#include <map>

#include "sim/base/rng.hpp"
#include "sim/serving/scheduler.hpp"
#include "tests/sim/serving/serving_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

/// What one request has had so far, told from loads and progress alone.
struct Ledger {
  std::int64_t input = 0, output = 0;
  std::int64_t cached = 0, generated = 0;
  std::int32_t replica = 0;
  std::int64_t admitted_at = -1;
  bool finished = false;
};

class Trial {
 public:
  explicit Trial(std::uint64_t seed)
      : rng_{seed, "scheduler"},
        spec_{.max_batch = 1 + below(12), .prefill_tokens = 1 + below(100), .kv_page_tokens = 16},
        room_{room(5 + below(60), 1 + below(4))},
        scheduler_{spec_, room_} {}

  void run(std::int64_t requests) {
    std::int64_t offered = 0;
    for (step_ = 0; step_ < 100'000; ++step_) {
      for (std::int64_t burst = below(4); burst > 0 && offered < requests; --burst)
        offer(offered++);
      const StepLoad& load = scheduler_.plan(admitted_);
      for (const Admitted& a : admitted_) admit(a.id);
      if (load.sequences.empty()) {
        CHECK(scheduler_.running() == 0);
        CHECK(scheduler_.waiting() == 0);
        if (offered == requests) break;
        continue;
      }
      check_load(load);
      check_progress(load, scheduler_.complete());
      check_books();
    }
    CHECK(offered == requests);
    for (const auto& [id, r] : ledger_) {
      CHECK(r.finished);
      CHECK(r.generated == r.output);
      CHECK(r.cached == r.input + r.output - 1);  // the last token is never read again
    }
    CHECK(scheduler_.kv().reserved() == Bytes{0});
    CHECK(scheduler_.kv().used() == Bytes{0});
  }

 private:
  std::int64_t below(std::uint64_t bound) { return static_cast<std::int64_t>(rng_.below(bound)); }

  void offer(std::int64_t n) {
    const auto id = static_cast<std::uint64_t>(n);
    const Request r = request(id, 1 + below(300), 1 + below(60));
    const bool fits = div_up(r.input_tokens + r.output_tokens, room_.page_tokens) <= room_.pages;
    CHECK(scheduler_.arrive(r) == fits);
    if (fits) ledger_[r.id] = {.input = r.input_tokens, .output = r.output_tokens};
  }

  void admit(RequestId id) {
    Ledger& r = ledger_.at(id);
    CHECK(r.admitted_at < 0);
    r.admitted_at = step_;
    CHECK(!(id < newest_admitted_));  // ids count in order of arrival
    newest_admitted_ = id;
  }

  void check_load(const StepLoad& load) {
    CHECK(static_cast<std::int64_t>(load.sequences.size()) <= spec_.max_batch);
    std::int64_t prompt_tokens = 0;
    std::int64_t decoding = 0;
    for (const SequenceWork& s : load.sequences) {
      Ledger& r = ledger_.at(s.request);
      CHECK(!r.finished);
      CHECK(s.context == r.cached);
      if (r.cached == 0) r.replica = s.replica;
      CHECK(s.replica == r.replica);  // keys and values do not move
      const bool prefilling = r.cached < r.input;
      (prefilling ? prompt_tokens : decoding) += s.new_tokens;
      if (!prefilling) CHECK(s.new_tokens == 1);
      CHECK(s.outputs == (s.context + s.new_tokens >= r.input));
      if (prefilling) CHECK(s.context + s.new_tokens <= r.input);
    }
    CHECK(prompt_tokens <= spec_.prefill_tokens);
    // Every running request past its prompt decodes in every step.
    std::int64_t expected = 0;
    for (const auto& [id, r] : ledger_)
      expected += r.admitted_at >= 0 && !r.finished && r.cached >= r.input;
    CHECK(decoding == expected);
  }

  void check_progress(const StepLoad& load, const std::vector<Progress>& progress) {
    REQUIRE(progress.size() == load.sequences.size());
    for (std::size_t i = 0; i < progress.size(); ++i) {
      const SequenceWork& s = load.sequences[i];
      Ledger& r = ledger_.at(progress[i].request);
      CHECK(progress[i].request == s.request);
      CHECK(progress[i].tokens == (s.outputs ? 1 : 0));
      r.cached += s.new_tokens;
      r.generated += progress[i].tokens;
      r.finished = progress[i].finished;
      CHECK(r.finished == (r.generated == r.output));
    }
  }

  void check_books() const {
    std::vector<std::int64_t> pages(static_cast<std::size_t>(room_.replicas));
    std::int64_t tokens = 0, running = 0, all_pages = 0;
    for (const auto& [id, r] : ledger_) {
      if (r.admitted_at < 0 || r.finished) continue;
      ++running;
      const std::int64_t mine = div_up(r.input + r.output, room_.page_tokens);
      all_pages += mine;
      tokens += r.cached;
      if (r.cached > 0) pages[static_cast<std::size_t>(r.replica)] += mine;
    }
    CHECK(scheduler_.running() == running);
    CHECK(scheduler_.kv().reserved() == all_pages * room_.page_bytes);
    CHECK(scheduler_.kv().used() == tokens * 100 * Bytes{1});
    CHECK(scheduler_.kv().reserved() <= scheduler_.kv().capacity());
    for (const std::int64_t p : pages) CHECK(p <= room_.pages);
  }

  RngStream rng_;
  const ServingSpec spec_;
  const KvCapacity room_;
  Scheduler scheduler_;
  std::map<RequestId, Ledger> ledger_;
  std::vector<Admitted> admitted_;
  RequestId newest_admitted_{};
  std::int64_t step_ = 0;
};

}  // namespace

TEST_CASE("Scheduler: books balance, order holds and all is served under random workloads") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    Trial{seed}.run(40);
  }
}
