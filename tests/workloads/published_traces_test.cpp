// SPDX-License-Identifier: Apache-2.0
// Published traces, read whole, against figures computed from them independently. The files are
// not part of this repository (docs/workloads.md says where they are found).
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <unordered_set>

#include "workloads/requests/trace_reader.hpp"

using namespace reticle;

namespace {

const std::filesystem::path kFolder = RETICLE_SOURCE_DIR "/../shared/traces";

bool absent() {
  if (std::filesystem::is_directory(kFolder)) return false;
  MESSAGE("SKIPPED: ../shared/traces is not here");
  return true;
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
