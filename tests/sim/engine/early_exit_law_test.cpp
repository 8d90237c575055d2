// SPDX-License-Identifier: Apache-2.0
// Tokens that leave the model early, and thinking that is cut short.
#include <sstream>

#include "tests/sim/engine/run_fixture.hpp"

using namespace reticle::test;

namespace {
const Sets kSizes{"workload.context=300", "workload.steps=64"};

std::int64_t with_exits(double share, int batch, const Sets& more = {}) {
  return simulated_ps(one_die(kSizes + more +
                              Sets{"workload.batch=" + std::to_string(batch),
                                   "serving.early_exit_share=" + std::to_string(share)}));
}
}  // namespace

TEST_CASE("early exit: a lone stream saves the layers it skips, for one more look at the head") {
  const auto whole = static_cast<double>(with_exits(0, 1));
  const auto all_exit = static_cast<double>(with_exits(1, 1));
  const auto none_exit = static_cast<double>(with_exits(1e-6, 1));
  // 40 of 80 layers of 1.712 GB, and a head of 2.1 GB: what is left is 0.507 of the bytes.
  CHECK(all_exit / whole > 0.50);
  CHECK(all_exit / whole < 0.52);
  // Nobody exits: the second look costs a head, 1.5 % of the bytes.
  CHECK(none_exit / whole > 1.01);
  CHECK(none_exit / whole < 1.02);
  // Half exit: half way between, within the draws of 64 steps (standard error 6 % of the span).
  const double half = (static_cast<double>(with_exits(0.5, 1)) - all_exit) / (none_exit - all_exit);
  CHECK(half > 0.3);
  CHECK(half < 0.7);
}

TEST_CASE("early exit: in a batch the layers are read for whoever stays") {
  // Half of sixteen exit, but never all sixteen of a step.
  const auto batch = static_cast<double>(with_exits(0.5, 16));
  CHECK(batch / static_cast<double>(with_exits(1e-6, 16)) > 0.97);
}

TEST_CASE("early exit: a plan of several stages, or a draft, is refused") {
  const Outcome stages = run_reticle(steady(
      "h100-8", "llama-3-70b", {"serving.early_exit_share=0.5", "placement.pipeline_parallel=2"}));
  CHECK(stages.code == 3);
  CHECK(contains(stages.err, "placement.pipeline_parallel"));
  const Outcome draft = run_reticle(
      steady("h100-8", "llama-3-70b",
             {"serving.early_exit_share=0.5", "serving.speculation.draft=llama-3.2-1b"}));
  CHECK(draft.code == 3);
}

TEST_CASE("thinking: a budget and an early stop leave out hidden tokens alone") {
  const auto generated = [](const Sets& more) {
    const ScratchDirectory scratch;
    write_file(scratch / "t.jsonl",
               "{\"reticle_trace\": 1}\n"
               "{\"arrival_s\": 0, \"input_tokens\": 10, \"output_tokens\": 100, "
               "\"thinking_tokens\": 80}\n"
               "{\"arrival_s\": 0, \"input_tokens\": 10, \"output_tokens\": 30}\n");
    return report(Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload",
                            scratch / "t.jsonl"} +
                  sets(more))["output_tokens"]
        .get<int>();
  };
  CHECK(generated({}) == 130);
  CHECK(generated({"serving.thinking_budget=50"}) == 100);
  CHECK(generated({"serving.thinking_budget=0"}) == 50);
  CHECK(generated({"serving.thinking_share=0.25"}) == 70);
  CHECK(generated({"serving.thinking_share=0.25", "serving.thinking_budget=10"}) == 60);
}
