// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping/partition.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "tests/sim/mapping/mapping_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

TEST_CASE("share: the shares sum to the whole and differ by at most one") {
  for (const std::int64_t total : {0, 1, 7, 48, 1023, 200'192})
    for (const std::int64_t parts : {1, 2, 3, 7, 48, 100}) {
      CAPTURE(total);
      CAPTURE(parts);
      std::int64_t dealt = 0, least = total, most = 0;
      for (std::int64_t i = 0; i < parts; ++i) {
        const std::int64_t s = share(total, parts, i);
        dealt += s;
        least = std::min(least, s);
        most = std::max(most, s);
      }
      CHECK(dealt == total);
      CHECK(most - least <= 1);
      CHECK(most == largest_share(total, parts));
    }
}

TEST_CASE("enumerate_plans: every plan uses each die exactly once in both cuts") {
  for (const LlmSpec& llm : {small_dense(), small_moe()})
    for (const std::int64_t dies : {1, 2, 6, 8, 12, 36, 48}) {
      CAPTURE(llm.name);
      CAPTURE(dies);
      const auto plans = enumerate_plans(llm, dies);
      CHECK(!plans.empty());
      for (const ParallelPlan& p : plans) {
        CAPTURE(to_string(p));
        CHECK(p.pipeline * p.data * p.tensor == dies);
        CHECK(p.pipeline * p.expert * p.expert_tensor == dies);
        CHECK(p.pipeline <= llm.layer_count());
        CHECK(p.tensor <= std::get<AttentionSpec>(llm.mixers.front().of).heads);
        CHECK(p.expert <= (llm.moe ? llm.moe->experts : 1));
      }
    }
}

TEST_CASE("enumerate_plans: no divisor is missing and no plan stands twice") {
  const LlmSpec llm = small_moe();
  constexpr std::int64_t kDies = 12;
  std::set<std::tuple<std::int64_t, std::int64_t, std::int64_t>> expected;
  for (std::int64_t pp = 1; pp <= llm.layer_count(); ++pp)
    for (std::int64_t tp = 1; tp <= std::get<AttentionSpec>(llm.mixers.front().of).heads; ++tp)
      for (std::int64_t ep = 1; ep <= llm.moe->experts; ++ep)
        if (kDies % pp == 0 && kDies / pp % tp == 0 && kDies / pp % ep == 0)
          expected.emplace(pp, tp, ep);
  const auto plans = enumerate_plans(llm, kDies);
  std::set<std::tuple<std::int64_t, std::int64_t, std::int64_t>> found;
  for (const ParallelPlan& p : plans) found.emplace(p.pipeline, p.tensor, p.expert);
  CHECK(found == expected);
  CHECK(plans.size() == expected.size());
}

TEST_CASE("attention_shards: KV heads are cut first and the context takes the rest") {
  const LlmSpec llm = small_dense();
  const Mixer& mixer = llm.mixers.front();  // 4 KV heads
  for (const std::int64_t tensor : {1, 2, 3, 4, 6, 8, 12, 16}) {
    CAPTURE(tensor);
    const AttentionShards s = attention_shards(mixer, {.tensor = tensor});
    CHECK(s.heads * s.context == tensor);
    CHECK(4 % s.heads == 0);
  }
  CHECK(attention_shards(mixer, {.tensor = 4}).context == 1);
  CHECK(attention_shards(mixer, {.tensor = 8}).context == 2);
  CHECK(attention_shards(mixer, {.tensor = 3}).heads == 1);
}

TEST_CASE("first_layer: stages are consecutive and none is empty") {
  const LlmSpec llm = small_moe();
  for (std::int64_t stages = 1; stages <= llm.layer_count(); ++stages) {
    const ParallelPlan plan{.pipeline = stages};
    CHECK(first_layer(llm, plan, 0) == 0);
    CHECK(first_layer(llm, plan, stages) == llm.layer_count());
    for (std::int64_t s = 0; s < stages; ++s)
      CHECK(first_layer(llm, plan, s) < first_layer(llm, plan, s + 1));
  }
}
