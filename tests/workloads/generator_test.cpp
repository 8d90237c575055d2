// SPDX-License-Identifier: Apache-2.0
#include "workloads/requests/generator.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <numeric>
#include <string>

#include "tests/workloads/scratch_file.hpp"

using namespace reticle;

namespace {

GeneratorParams chat(std::int64_t requests) {
  GeneratorParams params = sample_params("chat-200");
  params.requests = requests;
  return params;
}

GeneratorParams agent(std::int64_t calls) {
  GeneratorParams params = sample_params("agent-60");
  params.requests = calls;
  params.rate_per_s = 0.1;
  return params;
}

/// Nearest rank, as the published figures are.
double percentile(std::vector<double> values, double percent) {
  std::sort(values.begin(), values.end());
  const double rank = std::ceil(percent / 100.0 * static_cast<double>(values.size()));
  return values[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double variation(const std::vector<double>& values) {
  const double centre = mean(values);
  double squares = 0.0;
  for (const double v : values) squares += (v - centre) * (v - centre);
  return std::sqrt(squares / static_cast<double>(values.size())) / centre;
}

std::vector<double> values_of(const Trace& trace,
                              const std::function<double(const Request&)>& value) {
  std::vector<double> values;
  for (const Request& request : trace.requests) values.push_back(value(request));
  return values;
}

double input_of(const Request& r) { return static_cast<double>(r.input_tokens); }
double output_of(const Request& r) { return static_cast<double>(r.output_tokens); }

std::vector<double> gaps_of(const Trace& trace) {
  std::vector<double> gaps;
  for (std::size_t i = 1; i < trace.requests.size(); ++i)
    gaps.push_back(seconds(trace.requests[i].arrival - trace.requests[i - 1].arrival));
  return gaps;
}

/// Calls by session; the first block tells sessions apart.
std::map<std::uint64_t, std::vector<const Request*>> sessions_of(const Trace& trace) {
  std::map<std::uint64_t, std::vector<const Request*>> sessions;
  for (const Request& request : trace.requests)
    if (!request.prefix_blocks.empty()) sessions[request.prefix_blocks.front()].push_back(&request);
  return sessions;
}

std::string text_of(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::string complaint_about(GeneratorParams params,
                            const std::function<void(GeneratorParams&)>& spoil) {
  spoil(params);
  try {
    generate_trace(params, 1);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("generator: the shipped samples are what their parameters give, byte for byte") {
  for (const std::string_view name : sample_names()) {
    CAPTURE(name);
    const GeneratorParams params = sample_params(name);
    const ScratchFile file;
    write_reticle_trace(generate_trace(params, kSampleSeed), file.path(),
                        generator_note(params, kSampleSeed));
    const std::string shipped =
        text_of(RETICLE_SOURCE_DIR "/workloads/samples/" + std::string{name} + ".jsonl");
    CHECK(shipped.size() < 200'000);
    CHECK(text_of(file.path()) == shipped);
  }
  CHECK_THROWS_AS(sample_params("none"), ConfigError);
}

TEST_CASE("generator: the shipped samples hold the requests their names promise") {
  const std::string folder = RETICLE_SOURCE_DIR "/workloads/samples/";
  CHECK(read_trace(folder + "chat-200.jsonl", "").requests.size() == 200);
  CHECK(read_trace(folder + "agent-60.jsonl", "").requests.size() == 60);
}

TEST_CASE("generator: the long chat sample goes on with the short one, a document is asked about") {
  const std::string folder = RETICLE_SOURCE_DIR "/workloads/samples/";
  const Trace made = generate_trace(chat(6000), kSampleSeed);
  const Trace shipped = read_trace(folder + "chat-6000.jsonl.gz", "");
  REQUIRE(shipped.requests.size() == 6000);
  for (std::size_t i = 0; i < 6000; ++i) {
    CHECK(shipped.requests[i].arrival == made.requests[i].arrival);
    CHECK(shipped.requests[i].input_tokens == made.requests[i].input_tokens);
    CHECK(shipped.requests[i].output_tokens == made.requests[i].output_tokens);
  }
  const Trace document = read_trace(folder + "document-16.jsonl", "");
  REQUIRE(document.requests.size() == 16);
  for (const Request& request : document.requests) {
    CHECK(request.input_tokens == 1'000'000);
    CHECK(request.output_tokens == 1000);
    REQUIRE(request.prefix_blocks.size() == 123);
    CHECK(request.prefix_blocks[121] == document.requests[0].prefix_blocks[121]);
  }
  CHECK(document.requests[1].prefix_blocks[122] != document.requests[0].prefix_blocks[122]);
}

TEST_CASE("generator: another seed gives another trace, a longer trace begins like a shorter") {
  for (const auto& make : {chat, agent}) {
    const Trace trace = generate_trace(make(100), 1);
    const Trace other = generate_trace(make(100), 2);
    const Trace longer = generate_trace(make(200), 1);
    CHECK(trace.requests.back().input_tokens != other.requests.back().input_tokens);
    for (std::size_t i = 0; i < trace.requests.size(); ++i) {
      CHECK(trace.requests[i].arrival == longer.requests[i].arrival);
      CHECK(trace.requests[i].input_tokens == longer.requests[i].input_tokens);
      CHECK(trace.requests[i].prefix_blocks == longer.requests[i].prefix_blocks);
    }
  }
}

TEST_CASE("generator: arrivals never run backwards and ids count them") {
  for (const auto& make : {chat, agent}) {
    const Trace trace = generate_trace(make(1000), 1);
    REQUIRE(trace.requests.size() == 1000);
    CHECK(trace.requests.front().arrival == Picoseconds{0});
    for (std::size_t i = 0; i < trace.requests.size(); ++i) {
      CHECK(trace.requests[i].id == RequestId{i});
      if (i > 0) CHECK(trace.requests[i].arrival >= trace.requests[i - 1].arrival);
    }
  }
}

TEST_CASE("generator: chat meets the percentiles, rate and gap variation of Azure 2023") {
  const Trace trace = generate_trace(chat(50'000), 1);
  const auto input = values_of(trace, input_of);
  const auto output = values_of(trace, output_of);
  const auto gaps = gaps_of(trace);
  CHECK(percentile(input, 50) == doctest::Approx(1020).epsilon(0.03));
  CHECK(percentile(input, 95) == doctest::Approx(4083).epsilon(0.03));
  CHECK(percentile(input, 99) == doctest::Approx(4142).epsilon(0.001));
  CHECK(percentile(output, 50) == doctest::Approx(129).epsilon(0.03));
  CHECK(percentile(output, 95) == doctest::Approx(451).epsilon(0.03));
  CHECK(1.0 / mean(gaps) == doctest::Approx(5.53).epsilon(0.03));
  CHECK(variation(gaps) == doctest::Approx(1.09).epsilon(0.03));
}

TEST_CASE("generator: the variation of the gaps is the one asked for, from a metronome to bursts") {
  for (const double cv : {0.0, 0.5, 1.0, 3.0}) {
    GeneratorParams params = chat(50'000);
    params.arrival_cv = cv;
    const auto gaps = gaps_of(generate_trace(params, 1));
    CAPTURE(cv);
    CHECK(std::abs(variation(gaps) - cv) < 0.06 * cv + 1e-4);
    CHECK(1.0 / mean(gaps) == doctest::Approx(5.53).epsilon(0.06));
  }
}

TEST_CASE("generator: lengths stay between 1 and the maximum") {
  GeneratorParams params = chat(20'000);
  params.input = {.median = 1.0, .p95 = 1000.0, .maximum = 50};
  const auto input = values_of(generate_trace(params, 1), input_of);
  CHECK(*std::min_element(input.begin(), input.end()) == 1.0);
  CHECK(*std::max_element(input.begin(), input.end()) == 50.0);
}

TEST_CASE("generator: equal percentiles give one length") {
  GeneratorParams params = chat(100);
  params.output = {.median = 7.0, .p95 = 7.0, .maximum = 50};
  for (const Request& r : generate_trace(params, 1).requests) CHECK(r.output_tokens == 7);
}

TEST_CASE("generator: an agent's prompt is the one before, its answer and something new") {
  const Trace trace = generate_trace(agent(2000), 1);
  for (const auto& [first_block, calls] : sessions_of(trace)) {
    for (std::size_t i = 1; i < calls.size(); ++i) {
      const Request& before = *calls[i - 1];
      const Request& now = *calls[i];
      CHECK(now.arrival > before.arrival);
      CHECK(now.input_tokens > before.input_tokens + before.output_tokens);
      REQUIRE(now.prefix_blocks.size() >= before.prefix_blocks.size());
      CHECK(std::equal(before.prefix_blocks.begin(), before.prefix_blocks.end(),
                       now.prefix_blocks.begin()));
    }
  }
}

TEST_CASE("generator: blocks cover whole blocks only, and no two prefixes share an id") {
  const Trace trace = generate_trace(agent(2000), 1);
  std::map<std::uint64_t, std::pair<std::uint64_t, std::size_t>> place;  // of each id
  for (const Request& r : trace.requests) {
    CHECK(static_cast<std::int64_t>(r.prefix_blocks.size()) == r.input_tokens / trace.block_tokens);
    for (std::size_t i = 0; i < r.prefix_blocks.size(); ++i) {
      const std::pair here{r.prefix_blocks.front(), i};
      CHECK(place.try_emplace(r.prefix_blocks[i], here).first->second == here);
    }
  }
}

TEST_CASE("generator: no call needs more than the context") {
  GeneratorParams params = agent(2000);
  params.max_context = 60'000;
  std::int64_t most = 0;
  for (const Request& r : generate_trace(params, 1).requests)
    most = std::max(most, r.input_tokens + r.output_tokens);
  CHECK(most <= 60'000);
  CHECK(most > 55'000);
}

TEST_CASE("generator: agent calls meet the percentiles of the Weka sessions") {
  GeneratorParams params = agent(20'000);
  params.block_tokens = 64;  // of the published figures
  params.rate_per_s = 1.0;   // most sessions are young when the trace ends: uncut by the context
  const Trace trace = generate_trace(params, 1);
  std::vector<double> first;
  std::vector<double> fresh;
  std::vector<double> pauses;
  for (const auto& [first_block, calls] : sessions_of(trace)) {
    first.push_back(input_of(*calls.front()));
    for (std::size_t i = 1; i < calls.size(); ++i) {
      const Request& before = *calls[i - 1];
      const auto cached = static_cast<double>(before.prefix_blocks.size()) * 64.0;
      fresh.push_back(input_of(*calls[i]) - cached);
      pauses.push_back(seconds(calls[i]->arrival - before.arrival) -
                       output_of(before) / params.decode_per_s);
    }
  }
  const auto output = values_of(trace, output_of);
  CHECK(percentile(first, 50) == doctest::Approx(24'400).epsilon(0.1));
  CHECK(percentile(output, 50) == doctest::Approx(216).epsilon(0.05));
  CHECK(percentile(output, 90) == doctest::Approx(898).epsilon(0.05));
  CHECK(percentile(fresh, 50) == doctest::Approx(727).epsilon(0.06));
  CHECK(percentile(fresh, 90) == doctest::Approx(4804).epsilon(0.08));
  CHECK(percentile(pauses, 50) == doctest::Approx(9.0).epsilon(0.15));
}

TEST_CASE("generator: calls per session are geometric with the mean of the Weka sessions") {
  GeneratorParams params = agent(60'000);
  params.max_context = 0;
  params.block_tokens = 16'384;
  params.input = {.median = 20'000, .p95 = 20'000, .maximum = 20'000};
  params.pause_median_s = 0.0;
  params.decode_per_s = 0.0;  // every session is over before the next one starts
  std::vector<double> calls;
  for (const auto& [first_block, session] : sessions_of(generate_trace(params, 1)))
    calls.push_back(static_cast<double>(session.size()));
  calls.pop_back();  // the last may be cut by the end of the trace
  CHECK(mean(calls) == doctest::Approx(68.5).epsilon(0.1));
  CHECK(percentile(calls, 50) == doctest::Approx(68.5 * std::log(2.0)).epsilon(0.15));
}

TEST_CASE("generator: a parameter that makes no sense is named") {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  using P = GeneratorParams;
  CHECK(complaint_about(chat(9), [](P& p) { p.kind = "poem"; }) == "kind: expected chat or agent");
  CHECK(complaint_about(chat(9), [](P& p) { p.requests = 0; }).starts_with("requests: "));
  CHECK(complaint_about(chat(9), [](P& p) { p.rate_per_s = 0; }).starts_with("rate_per_s: "));
  CHECK(complaint_about(chat(9), [](P& p) { p.rate_per_s = kNan; }).starts_with("rate_per_s: "));
  CHECK(complaint_about(chat(9), [](P& p) { p.arrival_cv = -1; }).starts_with("arrival_cv: "));
  CHECK(complaint_about(chat(9), [](P& p) { p.input.median = 0; }).starts_with("input.median: "));
  CHECK(complaint_about(chat(9), [](P& p) { p.output.p95 = 1; }).starts_with("output.p95: "));
  CHECK(complaint_about(chat(9), [](P& p) { p.input.maximum = 0; }).starts_with("input.maximum"));
  CHECK(complaint_about(agent(9), [](P& p) { p.append = {}; }).starts_with("append.maximum: "));
  CHECK(complaint_about(agent(9), [](P& p) {
          p.calls_per_session = 0;
        }).starts_with("calls_per_session: "));
  CHECK(complaint_about(agent(9), [](P& p) {
          p.pause_median_s = -1;
        }).starts_with("pause_median_s: "));
  CHECK(complaint_about(agent(9), [](P& p) { p.block_tokens = 0; }).starts_with("block_tokens: "));
  CHECK(complaint_about(agent(9), [](P& p) { p.max_context = 1; }).starts_with("max_context: "));
  CHECK(complaint_about(agent(9), [](P& p) { p.decode_per_s = -1; }).starts_with("decode_per_s: "));
}

TEST_CASE("generator: a trace longer than the clock holds is refused, not wrapped") {
  CHECK(complaint_about(chat(1000), [](GeneratorParams& p) {
          p.rate_per_s = 1e-5;
        }).starts_with("requests: expected a trace of at most 106 days"));
}
