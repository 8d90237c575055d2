// SPDX-License-Identifier: Apache-2.0
// Sizes, rates and times far from what anybody builds: the right answer, by its closed form, or a
// refusal that says what is wrong. every_key.py (label anchor) goes over every numeric key.
#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <regex>

#include "tests/cli/process.hpp"

using namespace reticle::test;
using nlohmann::json;

namespace {

struct Case {
  std::string name;
  Arguments arguments;
  int code = 0;
  std::vector<std::string> words{};                  ///< of standard error
  std::function<void(const json& report)> answer{};  ///< where the code is 0
};

constexpr double kDay = 86'400;

std::string trace_of(const std::string& rows) { return "{\"reticle_trace\": 1}\n" + rows; }
std::string request(double arrival_s, std::int64_t input, std::int64_t output) {
  return "{\"arrival_s\": " + std::to_string(static_cast<std::int64_t>(arrival_s)) +
         ", \"input_tokens\": " + std::to_string(input) +
         ", \"output_tokens\": " + std::to_string(output) + "}\n";
}
std::string turn(std::int64_t number, double pause_s) {
  std::string row =
      "{\"arrival_s\": 0, \"input_tokens\": 10, \"output_tokens\": 1, \"session\": 1, "
      "\"turn\": " +
      std::to_string(number);
  if (number > 0) row += ", \"pause_s\": " + std::to_string(static_cast<std::int64_t>(pause_s));
  return row + "}\n";
}

Arguments small(const std::vector<std::string>& assignments) {
  return steady("h100-8", "llama-3-8b", std::vector<std::string>{"workload.steps=1"}) +
         sets(assignments);
}
Arguments trace(const std::string& file, const std::vector<std::string>& assignments = {}) {
  return Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-8b", "--workload", file} +
         sets(assignments);
}

bool close(double a, double b, double relative) { return std::abs(a / b - 1) < relative; }

/// Of llama-3-8b: 2 x 8 heads x 128 x 32 layers in BF16.
constexpr double kCacheOfToken = 2.0 * 8 * 128 * 32 * 2;

std::vector<Case> cases(const ScratchDirectory& scratch) {
  write_file(scratch / "empty.jsonl", trace_of(""));
  write_file(scratch / "one.jsonl", trace_of(request(0, 1, 1)));
  write_file(scratch / "days.jsonl", trace_of(request(0, 10, 1) + request(100 * kDay, 10, 1)));
  write_file(scratch / "year.jsonl", trace_of(request(0, 10, 1) + request(365 * kDay, 10, 1)));
  write_file(scratch / "pauses.jsonl", trace_of(turn(0, 0) + turn(1, 100 * kDay)));
  write_file(scratch / "long-pauses.jsonl",
             trace_of(turn(0, 0) + turn(1, 60 * kDay) + turn(2, 60 * kDay)));
  write_file(scratch / "long.jsonl", trace_of(request(0, 1'000'000'000, 1'000'000'000)));
  const auto simulated = [](double seconds, double relative) {
    return [=](const json& r) { CHECK(close(r["simulated_s"], seconds, relative)); };
  };
  return {
      {"10^15 parameters: their bytes, and that they do not fit",
       steady("h100-8", "llama-3-8b",
              {"llm.layers=4096", "llm.dense_layers=4096", "llm.hidden=131072",
               "llm.dense_ffn=1048576"}),
       4,
       // 4096 layers of three matrices, Q and out of 4,096 wide, K and V of 1,024, in BF16.
       {"3.389e+06 GB of weights"}},
      {"10^16 parameters and more are no model",
       steady("h100-8", "llama-3-8b",
              {"llm.layers=4096", "llm.dense_layers=4096", "llm.hidden=1048576",
               "llm.dense_ffn=1048576"}),
       3,
       {"llm"}},
      {"10^7 dies",
       small({"platform.packages_per_node=1000", "platform.nodes=10000"}),
       3,
       {"platform.nodes: the deployment may have at most 65536 dies, not 10000000"}},
      {"2^48 dies: no product of them wraps",
       steady("ref-asic", "llama-3-8b",
              {"platform.dies_per_package=65536", "platform.packages_per_node=65536",
               "platform.nodes=65536"}),
       3,
       {"at most 65536 dies, not 281474976710656"}},
      {"an exabyte of HBM together",
       small({"platform.die.hbm.capacity_per_stack=1 PB", "platform.die.hbm.stacks=256"}),
       3,
       {"platform.die.hbm: all dies together must not exceed 1 EB"}},
      {"an empty trace",
       trace(scratch / "empty.jsonl"),
       3,
       {"empty.jsonl: requests: expected at least one, found none"}},
      {"a trace of one token",
       trace(scratch / "one.jsonl"),
       0,
       {},
       [](const json& r) {
         CHECK(r["output_tokens"] == 1);
         CHECK(r["prefill_tokens"] == 1);
         CHECK(r["steps"] == 1);
         CHECK(r["requests"]["finished"] == 1);
         CHECK(close(r["throughput"]["output_tokens_per_s"], 1 / r["simulated_s"].get<double>(),
                     1e-9));
         CHECK(close(r["latency"]["ttft_ms"]["mean"], 1e3 * r["simulated_s"].get<double>(), 1e-9));
         CHECK(r["latency"]["tpot_ms"].is_null());
       }},
      {"a hundred days of simulated time",
       trace(scratch / "days.jsonl"),
       0,
       {},
       [](const json& r) {
         CHECK(close(r["simulated_s"], 100 * kDay, 1e-6));
         // All but two steps of it is waiting, at constant power.
         CHECK(r["time_breakdown"]["idle"].get<double>() > 0.999999);
         CHECK(close(r["energy"]["average_power_w"].get<double>() * 100 * kDay,
                     r["energy"]["total_j"], 1e-6));
       }},
      {"a year of simulated time: picoseconds in 64 bits end after 106 days",
       trace(scratch / "year.jsonl"),
       3,
       {"year.jsonl:3:15: arrival_s: expected seconds from 0 to 9223372 (106 days), found "
        "'31536000'"}},
      {"arrivals scaled beyond 106 days",
       trace(scratch / "days.jsonl", {"workload.rate_scale=0.5"}),
       3,
       {"rate_scale: expected a factor that leaves arrivals within 106 days", "17280000"}},
      {"arrivals scaled within it",
       trace(scratch / "days.jsonl", {"workload.rate_scale=1e6"}),
       0,
       {},
       simulated(8.64, 0.1)},
      {"a pause of a hundred days",
       trace(scratch / "pauses.jsonl", {"workload.closed_loop=true"}),
       0,
       {},
       simulated(100 * kDay, 1e-6)},
      {"pauses that add up to more than 106 days",
       trace(scratch / "long-pauses.jsonl", {"workload.closed_loop=true"}),
       5,
       {"the run passes 106 days of simulated time"}},
      {"a context of a million tokens: the bytes of its cache",
       small({"llm.max_context=2000000", "workload.context=1000000"}),
       0,
       {},
       [](const json& r) {
         double peak = 0;
         for (const auto& tier : r["memory"]["tiers"])
           peak += tier["kv_peak_bytes"].is_number() ? tier["kv_peak_bytes"].get<double>() : 0;
         CHECK(peak == 1e6 * kCacheOfToken);
       }},
      {"a context beyond what the model attends to",
       small({"workload.context=1000000"}),
       4,
       {"workload.context: 1000000 and 1 steps pass the 131072 tokens llama-3-8b can attend to"}},
      {"a million streams of a billion tokens: 10^20 bytes",
       small({"llm.max_context=1000000000", "workload.context=999999000", "workload.batch=1000000",
              "serving.max_batch=1000000"}),
       4,
       {"e+20 B do not fit"}},
      {"a request of a billion tokens",
       trace(scratch / "long.jsonl"),
       4,
       {"none of the 1 requests fits"}},
      {"a rate of 10^12 TB/s",
       small({"platform.fabric.node.rate=1e12 TB/s"}),
       3,
       {"platform.fabric.node.rate: out of the range of 64-bit numbers"}},
      {"a rate of 10^-12 B/s",
       small({"platform.fabric.node.rate=1e-12 B/s"}),
       3,
       {"platform.fabric.node.rate: must be a whole number of B/s"}},
      {"arrivals 10^12 times faster",
       trace(scratch / "one.jsonl", {"workload.rate_scale=1e12"}),
       3,
       {"workload.rate_scale: must be between 0.000001 and 1000000"}},
      {"arrivals 10^12 times slower",
       trace(scratch / "one.jsonl", {"workload.rate_scale=1e-12"}),
       3,
       {"workload.rate_scale: must be between"}},
      {"no step at all", small({"workload.steps=0"}), 3, {"workload.steps: must be between 1"}},
      {"streams below zero",
       small({"workload.batch=-1"}),
       3,
       {"workload.batch: must be between 1"}},
      {"not a number",
       small({"platform.cost.pue=nan"}),
       3,
       {"platform.cost.pue: must be a finite number, got 'nan'"}},
      {"infinity",
       small({"platform.node_power_limit_w=inf"}),
       3,
       {"platform.node_power_limit_w: must be a finite number"}},
      {"beyond the largest number",
       small({"platform.node_power_limit_w=1e309"}),
       3,
       {"platform.node_power_limit_w: out of the range of numbers"}},
      {"10^11 requests",
       {"workload", "generate", "--preset", "chat", "--requests", "100000000000", "--out",
        scratch / "g.jsonl"},
       3,
       {"requests: expected at most"}},
      {"requests 10^12 s apart",
       {"workload", "generate", "--preset", "chat", "--requests", "20", "--rate", "1e-12", "--out",
        scratch / "g.jsonl"},
       3,
       {"requests: expected a trace of at most 106 days"}},
  };
}
}  // namespace

TEST_CASE("extremes: the right answer, or a refusal that says what is wrong, and soon") {
  const ScratchDirectory scratch;
  for (const Case& c : cases(scratch)) {
    CAPTURE(c.name);
    Arguments arguments = c.arguments;
    if (c.code == 0) arguments.push_back("--json");
    Process process{arguments};
    const auto outcome = process.wait_for(std::chrono::seconds{30 * RETICLE_PATIENCE});
    REQUIRE_MESSAGE(outcome.has_value(), "no end");
    CAPTURE(outcome->err);
    table_row(c.name, *outcome);
    CHECK(outcome->code == c.code);
    for (const std::string& word : c.words) {
      CAPTURE(word);
      CHECK(contains(outcome->err, word));
    }
    if (c.code != 0) CHECK(outcome->out.empty());
    if (c.answer && outcome->code == 0) c.answer(json::parse(outcome->out));
  }
}
