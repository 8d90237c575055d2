// SPDX-License-Identifier: Apache-2.0
// What goes in comes out: time, bytes and operations of whole runs against closed forms.
#include "tests/sim/engine/run_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

constexpr std::int64_t kSteps = 3;
constexpr std::int64_t kBatch = 4;
constexpr std::int64_t kContext = 1000;
const Sets kWork{"workload.steps=3", "workload.batch=4", "workload.context=1000"};

std::int64_t total(const json& object) {
  std::int64_t sum = 0;
  for (const auto& value : object) sum += value.get<std::int64_t>();
  return sum;
}

void check_time(const json& r) {
  CHECK(total(r["time_ps"]["breakdown"]) == simulated_ps(r));
  double shares = 0;
  for (const auto& share : r["time_breakdown"]) {
    CHECK(share.get<double>() >= 0);
    shares += share.get<double>();
  }
  CHECK(std::abs(shares - 1) < 1e-9);
  const double simulated = r["simulated_s"];
  CHECK(simulated == doctest::Approx(static_cast<double>(simulated_ps(r)) * 1e-12));
}

/// Cached tokens that all steps read, and positions that they attend to.
std::int64_t cached_tokens() { return kBatch * (kSteps * kContext + kSteps * (kSteps - 1) / 2); }
std::int64_t attended() { return cached_tokens() + kBatch * kSteps; }

std::int64_t tier_sum(const json& counts, const char* what) { return total(counts[what]); }

}  // namespace

TEST_CASE("accounting: where the time went adds up to the picosecond") {
  for (const auto& [platform, llm] :
       {std::pair{"h100-8", "llama-3-70b"}, {"ref-asic", "claude-class-mid"}})
    check_time(steady_report(platform, llm, kWork));
}

TEST_CASE("accounting: where the time went adds up in stages and with idle time") {
  check_time(
      steady_report("ref-asic", "claude-class-mid", kWork + Sets{"placement.pipeline_parallel=4"}));
  const json chat = report(Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-70b",
                                     "--workload", "sample-chat"} +
                           sets({"workload.limit=8", "workload.rate_scale=0.01"}));
  check_time(chat);
  CHECK(chat["time_ps"]["breakdown"]["idle"].get<std::int64_t>() ==
        simulated_ps(chat) - chat["time_ps"]["busy"].get<std::int64_t>());
  CHECK(chat["time_breakdown"]["idle"].get<double>() > 0.1);
}

TEST_CASE("accounting: memories read what was loaded and store one token's keys per token") {
  for (const auto& [platform, name] :
       {std::pair{"h100-8", "llama-3-70b"}, {"ref-asic", "claude-class-mid"}}) {
    CAPTURE(platform);
    const LlmSpec llm = catalogue_llm(name);
    const json counts = steady_report(platform, name, kWork)["counts"];
    const auto& loaded = counts["loaded_bytes"];
    CHECK(tier_sum(counts, "read_bytes") == total(loaded));
    // Operands of products cross a GPU's L2.
    CHECK(counts["read_bytes"]["sram"].get<std::int64_t>() ==
          loaded["weights_sram"].get<std::int64_t>() + loaded["mac"].get<std::int64_t>());
    CHECK((loaded["mac"] > 0) == (std::string{platform} == "h100-8"));
    CHECK(counts["read_bytes"]["hbm"].get<std::int64_t>() ==
          loaded["weights_hbm"].get<std::int64_t>() + loaded["kv"].get<std::int64_t>());
    CHECK(loaded["kv"].get<std::int64_t>() == cached_tokens() * kv_bytes_per_token(llm).count());
    CHECK(tier_sum(counts, "written_bytes") == kBatch * kSteps * kv_bytes_per_token(llm).count());
  }
}

TEST_CASE(
    "accounting: a dense model loads its weights once a step and multiplies by each once a token") {
  const LlmSpec llm = catalogue_llm("llama-3-70b");
  const ParameterCounts n = count_parameters(llm);
  const json counts = steady_report("h100-8", "llama-3-70b", kWork)["counts"];
  const std::int64_t row = bytes_of(llm.hidden, llm.embedding).count();
  const std::int64_t norms = bytes_of(n.norms, Precision::Bf16).count();
  const auto& loaded = counts["loaded_bytes"];
  CHECK(loaded["weights_sram"].get<std::int64_t>() + loaded["weights_hbm"].get<std::int64_t>() ==
        kSteps * (active_weight_bytes(llm).count() - norms + (kBatch - 1) * row));
  const std::int64_t per_token = n.attention + n.dense_ffn + llm.vocabulary * llm.hidden;
  CHECK(total(counts["macs"]) ==
        kSteps * kBatch * per_token + 2 * std::get<AttentionSpec>(llm.mixers.front().of).heads *
                                          std::get<AttentionSpec>(llm.mixers.front().of).head_dim *
                                          llm.layer_count() * attended());
}

TEST_CASE("accounting: a mixture of experts multiplies by what each token picks") {
  const LlmSpec llm = catalogue_llm("claude-class-mid");
  const ParameterCounts n = count_parameters(llm);
  const json r = steady_report("ref-asic", "claude-class-mid", kWork);
  const std::int64_t tensor = r["placement"]["plan"]["tensor"];
  const std::int64_t table = llm.vocabulary * llm.hidden;
  // Every die of a replica routes all its tokens.
  const std::int64_t per_token = n.active - n.norms - n.embedding + table + (tensor - 1) * n.router;
  CHECK(total(r["counts"]["macs"]) ==
        kSteps * kBatch * per_token + 2 * std::get<AttentionSpec>(llm.mixers.front().of).heads *
                                          std::get<AttentionSpec>(llm.mixers.front().of).head_dim *
                                          llm.layer_count() * attended());
}

TEST_CASE("accounting: a lone stream loads the active weights of one token") {
  const LlmSpec llm = catalogue_llm("claude-class-mid");
  const ParameterCounts n = count_parameters(llm);
  const json r = steady_report("ref-asic", "claude-class-mid", {"workload.steps=3"});
  const std::int64_t tensor = r["placement"]["plan"]["tensor"];
  const std::int64_t expected =
      active_weight_bytes(llm).count() +
      bytes_of((tensor - 1) * n.router - n.norms, Precision::Bf16).count();
  const auto& loaded = r["counts"]["loaded_bytes"];
  const std::int64_t found =
      (loaded["weights_sram"].get<std::int64_t>() + loaded["weights_hbm"].get<std::int64_t>()) / 3;
  // FP4 shards round up to whole bytes: less than one for each of some 10^6 cuts.
  CHECK(found >= expected);
  CHECK(static_cast<double>(found) < static_cast<double>(expected) * 1.0001);
}

TEST_CASE("accounting: tiers hold the weights that they read from and no more than they are") {
  const json r = steady_report("ref-asic", "claude-class-mid", kWork);
  for (const auto& tier : r["memory"]["tiers"])
    CHECK(tier["weights_bytes"].get<double>() + tier["kv_peak_bytes"].get<double>() +
              tier["reserved_bytes"].get<double>() <=
          tier["capacity_bytes"].get<double>());
}

TEST_CASE("accounting: KV peak is that of the last step") {
  const LlmSpec llm = catalogue_llm("llama-3-70b");
  const json r = steady_report("h100-8", "llama-3-70b", kWork);
  std::int64_t peak = 0;
  for (const auto& tier : r["memory"]["tiers"]) peak += tier["kv_peak_bytes"].get<std::int64_t>();
  // The streams leave with their last token, so the fullest sample lies before it.
  CHECK(peak == kBatch * (kContext + kSteps - 1) * kv_bytes_per_token(llm).count());
}
