// SPDX-License-Identifier: Apache-2.0
// RecallExecutor before an executor that counts its calls and obeys a known law of time.
#include "sim/engine/recall.hpp"

#include <doctest/doctest.h>

#include "models/kernel/time.hpp"
#include "tests/models/sim_fixture.hpp"
#include "tests/sim/mapping/mapping_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

/// A step takes a fixed time and so much per cached token.
class LinearSilicon final : public StepExecutor {
 public:
  explicit LinearSilicon(const LlmSpec& llm) : llm_{llm} {}
  StepOutcome execute(const StepLoad& load) override {
    ++calls;
    const StepFeatures f = features_of(load, llm_);
    StepOutcome out;
    out.duration = 100_us + f.decode_context * 5_ns;
    out.breakdown[static_cast<std::size_t>(TimeCategory::WeightsHbm)] = out.duration - 10_us;
    out.breakdown[static_cast<std::size_t>(TimeCategory::Mac)] = 10_us;
    out.roofline.duration = out.duration - 50_us;
    const Bytes kv = f.decode_context * kv_bytes_per_token(llm_);
    out.counts.read[1] = kv + 1_GB;
    out.counts.loaded[static_cast<std::size_t>(TimeCategory::Kv)] = kv;
    sc_core::wait(to_sc_time(out.duration));
    return out;
  }
  std::int64_t calls = 0;

 private:
  const LlmSpec& llm_;
};

struct Fixture {
  Bench bench{small_platform(1), small_dense(), {}};
  LinearSilicon silicon{bench.llm};
  EngineSpec spec;
  RecallExecutor make() {
    return {silicon, bench.platform, bench.llm, bench.placement, nullptr, spec};
  }
};

}  // namespace

TEST_CASE("features_of: decodes and prefills are told apart and pairs are causal") {
  StepLoad load = decode(3, 100);
  load.sequences.push_back({.request = RequestId{9}, .context = 50, .new_tokens = 20});
  const StepFeatures f = features_of(load, small_dense());
  CHECK(f.decodes == 3);
  CHECK(f.decode_context == 300);
  CHECK(f.prefill_tokens == 20);
  CHECK(f.longest_prefill == 20);
  CHECK(f.prefill_pairs == 20 * (50 + 10));
  CHECK(f.prefill_cache_read == 50 * kv_bytes_per_token(small_dense()));
  CHECK(f.cache_read == 350 * kv_bytes_per_token(small_dense()));
}

TEST_CASE(
    "RecallExecutor: the first step of a kind is simulated and equal ones are recalled exactly") {
  Fixture f;
  f.spec.recall_audit = 1'000'000;
  RecallExecutor recall = f.make();
  run_in_thread([&] {
    const StepOutcome first = recall.execute(decode(4, 1000));
    const StepOutcome again = recall.execute(decode(4, 1000));
    CHECK(f.silicon.calls == 1);
    CHECK(again.duration == first.duration);
    CHECK(again.breakdown == first.breakdown);
    CHECK(again.counts.read == first.counts.read);
    CHECK(now() == first.duration + again.duration);  // recalled steps take their time too
    recall.execute(decode(8, 1000));
    CHECK(f.silicon.calls == 2);  // too far for one sample to tell
  });
  CHECK(recall.report().simulated == 2);
  CHECK(recall.report().recalled == 1);
}

TEST_CASE("RecallExecutor: neighbours are scaled with their KV bytes exact") {
  Fixture f;
  RecallExecutor recall = f.make();
  run_in_thread([&] {
    const StepOutcome sample = recall.execute(decode(1, 1000));
    const StepOutcome near = recall.execute(decode(1, 1010));
    REQUIRE(f.silicon.calls == 1);
    CHECK(near.duration > sample.duration);
    const Bytes more = 10 * kv_bytes_per_token(f.bench.llm);
    CHECK(near.counts.read[1] - sample.counts.read[1] == more);
    CHECK(near.counts.loaded[static_cast<std::size_t>(TimeCategory::Kv)] ==
          1010 * kv_bytes_per_token(f.bench.llm));
    Picoseconds sum{};
    for (const Picoseconds part : near.breakdown) sum += part;
    CHECK(sum == near.duration);
    CHECK(near.roofline.duration <= near.duration);
  });
}

TEST_CASE("RecallExecutor: audits simulate and report the error that recall would have made") {
  Fixture f;
  f.spec.recall_audit = 1;
  RecallExecutor recall = f.make();
  Picoseconds silicon_time{};
  run_in_thread([&] {
    recall.execute(decode(1, 1000));
    for (std::int64_t i = 1; i <= 8; ++i) {
      const StepOutcome out = recall.execute(decode(1, 1000 + i));
      if (i == 8) silicon_time = out.duration;
    }
  });
  const RecallReport report = recall.report();
  CHECK(report.enabled);
  CHECK(report.recalled == 8);
  CHECK(report.all.audits == 8);
  CHECK(report.decoding.audits == 8);
  CHECK(report.prefilling.audits == 0);
  CHECK(f.silicon.calls == 1 + 8);
  // An audited step is answered by the silicon.
  CHECK(silicon_time == 100_us + 1008 * 5_ns);
  CHECK(report.all.max_abs_error >= report.all.mean_abs_error);
  CHECK(report.all.mean_abs_error >= std::abs(report.all.mean_error));
  CHECK(report.all.max_abs_error > 0);
  CHECK(report.all.max_abs_error < 0.01);
}

namespace {

/// Every third step takes half as long again, as its experts happen to lie.
class UnevenSilicon final : public StepExecutor {
 public:
  StepOutcome execute(const StepLoad&) override {
    StepOutcome out;
    out.duration = ++calls % 3 == 1 ? 150_us : 100_us;
    out.breakdown[static_cast<std::size_t>(TimeCategory::WeightsHbm)] = out.duration;
    out.roofline.duration = 50_us;
    sc_core::wait(to_sc_time(out.duration));
    return out;
  }
  std::int64_t calls = 0;
};

}  // namespace

TEST_CASE("RecallExecutor: steps that differ by their routing are recalled at their mean") {
  // 700 steps of 116.7 us in the mean; the first one alone would say 150.
  constexpr std::int64_t kSteps = 700;
  const Bench bench{small_platform(1), small_moe(), {}};
  UnevenSilicon silicon;
  EngineSpec spec;
  spec.recall_audit = 64;
  const ExpertRouter router{bench.llm, kSeed};
  RecallExecutor recall{silicon, bench.platform, bench.llm, bench.placement, &router, spec};
  run_in_thread([&] {
    for (std::int64_t i = 0; i < kSteps; ++i) recall.execute(decode(4, 1000));
  });
  const double mean_us = seconds(now()) * 1e6 / static_cast<double>(kSteps);
  CHECK(mean_us > 0.95 * 116.7);
  CHECK(mean_us < 1.05 * 116.7);
  CHECK(silicon.calls < 120);
}

namespace {

/// Steps with a prompt take twenty times as long; from the second step on all take a tenth more
/// than the first one said.
class SlowPrompts final : public StepExecutor {
 public:
  StepOutcome execute(const StepLoad& load) override {
    StepOutcome out;
    const bool prompt = load.sequences.front().new_tokens > 1;
    out.duration = (++calls > 1 ? 110_us : 100_us) * (prompt ? 20 : 1);
    out.breakdown[static_cast<std::size_t>(TimeCategory::Mac)] = out.duration;
    sc_core::wait(to_sc_time(out.duration));
    return out;
  }
  std::int64_t calls = 0;
};

}  // namespace

TEST_CASE("RecallExecutor: an error that no sample shows is found by an audit") {
  Fixture f;
  SlowPrompts silicon;
  f.spec.recall_audit = 1;
  RecallExecutor recall{silicon, f.bench.platform, f.bench.llm, f.bench.placement, nullptr, f.spec};
  run_in_thread([&] {
    recall.execute(decode(4, 1000));
    recall.execute(decode(4, 1000));
  });
  CHECK(recall.report().all.audits == 1);
  CHECK(std::abs(recall.report().all.mean_error + 1.0 / 11) < 1e-6);
}

TEST_CASE("RecallExecutor: steps are audited in proportion to their time") {
  // One step in 20 carries a prompt: these are half of the time, so half of the audits.
  Fixture f;
  SlowPrompts silicon;
  f.spec.recall_audit = 40;
  RecallExecutor recall{silicon, f.bench.platform, f.bench.llm, f.bench.placement, nullptr, f.spec};
  run_in_thread([&] {
    for (std::int64_t i = 0; i < 20'000; ++i) {
      StepLoad load = decode(1, 1000);
      if (i % 20 == 0) load.sequences.front().new_tokens = 64;
      recall.execute(load);
    }
  });
  const RecallReport report = recall.report();
  CHECK(report.all.audits == report.decoding.audits + report.prefilling.audits);
  const double share =
      static_cast<double>(report.prefilling.audits) / static_cast<double>(report.all.audits);
  CHECK(std::abs(share - 0.5) < 0.1);
  CHECK(report.all.audits > 150);
  CHECK(report.all.audits < 300);
}
