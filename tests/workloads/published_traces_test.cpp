// SPDX-License-Identifier: Apache-2.0
// Published traces, read whole, against figures computed from them independently. The files are
// not part of this repository (docs/workloads.md says where they are found).
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <unordered_set>
#include <vector>

#include "workloads/requests/fit.hpp"
#include "workloads/requests/trace_reader.hpp"
#include "workloads/requests/trace_statistics.hpp"

using namespace reticle;

namespace {

const std::filesystem::path kFolder = RETICLE_SOURCE_DIR "/../shared/traces";

bool absent() {
  if (std::filesystem::is_directory(kFolder)) return false;
  MESSAGE("SKIPPED: ../shared/traces is not here");
  return true;
}

TraceStatistics figures_of(const Trace& trace) {
  TraceStatistics figures{trace.block_tokens};
  for (const Request& request : trace.requests) figures.add(request);
  return figures;
}

void check_near(std::int64_t made, std::int64_t wanted) {
  CHECK(static_cast<double>(made) == doctest::Approx(static_cast<double>(wanted)).epsilon(0.05));
}

double mean(const Trace& trace, std::int64_t Request::*member) {
  double sum = 0.0;
  for (const Request& request : trace.requests) sum += static_cast<double>(request.*member);
  return sum / static_cast<double>(trace.requests.size());
}

}  // namespace

TEST_CASE("published: Azure 2023 conversation") {
  if (absent()) return;
  const Trace trace =
      read_trace((kFolder / "arrivals/AzureLLMInferenceTrace_conv.csv").string(), "");
  CHECK(trace.format == "azure");
  CHECK(trace.skipped == 0);
  CHECK(trace.requests.size() == 19'366);
  CHECK(seconds(trace.requests.back().arrival) == doctest::Approx(3501.7).epsilon(0.05 / 3501.7));
  CHECK(mean(trace, &Request::input_tokens) == doctest::Approx(1154.7).epsilon(0.05 / 1154.7));
  CHECK(mean(trace, &Request::output_tokens) == doctest::Approx(211.1).epsilon(0.05 / 211.1));
}

TEST_CASE("published: the first 3,500 rows of Mooncake's conversation trace") {
  if (absent()) return;
  const Trace trace =
      read_trace((kFolder / "prefix/mooncake_conversation_first3500.jsonl").string(), "");
  CHECK(trace.format == "mooncake");
  CHECK(trace.requests.size() == 3'500);
  CHECK(seconds(trace.requests.back().arrival) == doctest::Approx(1155.0));
  CHECK(mean(trace, &Request::input_tokens) == doctest::Approx(13523.5).epsilon(0.05 / 13523.5));
  CHECK(mean(trace, &Request::output_tokens) == doctest::Approx(348.5).epsilon(0.05 / 348.5));
  std::size_t blocks = 0;
  std::unordered_set<std::uint64_t> distinct;
  for (const Request& request : trace.requests) {
    blocks += request.prefix_blocks.size();
    distinct.insert(request.prefix_blocks.begin(), request.prefix_blocks.end());
  }
  CHECK(blocks == 94'106);
  CHECK(distinct.size() == 64'089);
}

TEST_CASE("published: block ids of Mooncake are prefixes: the leading runs of an endless cache") {
  if (absent()) return;
  const Trace trace =
      read_trace((kFolder / "prefix/mooncake_conversation_first3500.jsonl").string(), "mooncake");
  std::unordered_set<std::uint64_t> cached;
  std::int64_t hit_tokens = 0;
  std::int64_t tokens = 0;
  for (const Request& request : trace.requests) {
    std::int64_t run = 0;
    for (const std::uint64_t block : request.prefix_blocks) {
      if (!cached.contains(block)) break;
      ++run;
    }
    cached.insert(request.prefix_blocks.begin(), request.prefix_blocks.end());
    hit_tokens += std::min(run * trace.block_tokens, request.input_tokens);
    tokens += request.input_tokens;
  }
  const double hit = static_cast<double>(hit_tokens) / static_cast<double>(tokens);
  CHECK(hit == doctest::Approx(0.3246).epsilon(0.0002));
}

TEST_CASE("published: lengths and bursts of Azure 2023 conversation are the published ones") {
  if (absent()) return;
  const TraceStatistics figures =
      figures_of(read_trace((kFolder / "arrivals/AzureLLMInferenceTrace_conv.csv").string(), ""));
  CHECK(figures.input().percentile(50) == 1'020);
  CHECK(figures.input().percentile(95) == 4'083);
  CHECK(figures.input().percentile(99) == 4'142);
  CHECK(figures.input().max() == 14'050);
  CHECK(figures.output().percentile(50) == 129);
  CHECK(figures.output().percentile(95) == 451);
  CHECK(figures.output().percentile(99) == 601);
  CHECK(figures.output().max() == 1'000);
  CHECK(*figures.rate() == doctest::Approx(5.530).epsilon(0.0002));
  CHECK(*figures.gap_cv() == doctest::Approx(1.09).epsilon(0.005));
  CHECK(*figures.dispersion() == doctest::Approx(1.39).epsilon(0.005));
  CHECK(figures.peak_per_second() == 16);
}

TEST_CASE("published: prefix hits of Mooncake's first 3,500 rows") {
  if (absent()) return;
  const auto prefix =
      *figures_of(
           read_trace((kFolder / "prefix/mooncake_conversation_first3500.jsonl").string(), ""))
           .prefix();
  CHECK(static_cast<double>(prefix.hit_tokens) / static_cast<double>(prefix.tokens) ==
        doctest::Approx(0.3246).epsilon(0.0002));
  CHECK(static_cast<double>(prefix.hit_blocks) / static_cast<double>(prefix.blocks) ==
        doctest::Approx(0.3190).epsilon(0.0002));
  CHECK(prefix.distinct_blocks == 64'089);
}

TEST_CASE("published: Weka's coding agents, request by request against a list made of them") {
  if (absent()) return;
  const auto folder = kFolder / "agent/weka_claude_code";
  const Trace trace = read_trace(folder.string(), "");
  // trace,seq,depth,agent,t_s,type,model,in_tok,out_tok,cached_tok_infinite,...
  std::ifstream list{folder / "derived_requests.csv"};
  std::string line;
  std::getline(list, line);
  std::int64_t rows = 0, input = 0, output = 0, cached = 0, all_cached = 0, sub_agents = 0;
  std::multiset<std::pair<std::int64_t, std::int64_t>> lengths;
  while (std::getline(list, line)) {
    std::istringstream fields{line};
    std::vector<std::string> field;
    for (std::string f; std::getline(fields, f, ',');) field.push_back(f);
    ++rows;
    input += std::stoll(field[7]);
    output += std::stoll(field[8]);
    sub_agents += field[2] == "1" ? 1 : 0;
    all_cached += std::stoll(field[9]);
    if (field[8] == "0") continue;  // not served
    lengths.emplace(std::stoll(field[7]), std::stoll(field[8]));
    cached += std::stoll(field[9]);
  }
  CHECK(rows == 861);
  CHECK(input == 91'096'202);
  CHECK(output == 400'443);
  std::multiset<std::pair<std::int64_t, std::int64_t>> read;
  for (const Request& r : trace.requests) read.emplace(r.input_tokens, r.output_tokens);
  CHECK(read == lengths);
  CHECK(trace.requests.size() == 860);  // and one without an answer
  CHECK(trace.skipped == 1);
  const TraceStatistics figures = figures_of(trace);
  CHECK(figures.sessions() == 13);
  CHECK(figures.requests_of_sub_agents() == sub_agents);
  // The request that was not served brought 32 blocks, which the one after it does not find.
  CHECK(figures.prefix()->hit_tokens == cached - 32 * 64);
  CHECK(static_cast<double>(all_cached) / static_cast<double>(input) ==
        doctest::Approx(0.9648).epsilon(0.0001));
}

TEST_CASE("published: fitted generators meet lengths within 5 % and the rate within 2 %") {
  if (absent()) return;
  for (const char* name :
       {"arrivals/AzureLLMInferenceTrace_conv.csv", "prefix/mooncake_conversation_first3500.jsonl",
        "agent/weka_claude_code"}) {
    CAPTURE(name);
    const TraceStatistics wanted = figures_of(read_trace((kFolder / name).string(), ""));
    for (const bool mixture : {false, true}) {
      const GeneratorParams fitted = fit_requests(wanted, mixture);
      for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        CAPTURE(mixture);
        CAPTURE(seed);
        const TraceStatistics made = figures_of(generate_trace(fitted, seed));
        for (const double percent : {50.0, 95.0, 99.0}) {
          CAPTURE(percent);
          check_near(made.input().percentile(percent), wanted.input().percentile(percent));
          check_near(made.output().percentile(percent), wanted.output().percentile(percent));
        }
        CHECK(*made.rate() == doctest::Approx(*wanted.rate()).epsilon(0.02));
      }
    }
  }
}
