// SPDX-License-Identifier: Apache-2.0
// Every preset against the figures it claims, and fitted generators against their trace.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/workloads/scratch_file.hpp"
#include "workloads/requests/fit.hpp"
#include "workloads/requests/generator.hpp"

using namespace reticle;

namespace {

GeneratorParams preset(std::string_view name, std::int64_t requests) {
  for (const GeneratorPreset& p : generator_presets()) {
    if (p.name != name) continue;
    GeneratorParams params = p.params;
    params.requests = requests;
    return params;
  }
  FAIL("no such preset");
  return {};
}

TraceStatistics figures_of(const Trace& trace) {
  TraceStatistics figures{trace.block_tokens};
  for (const Request& request : trace.requests) figures.add(request);
  return figures;
}

/// Calls of each session, in order.
std::map<std::uint64_t, std::vector<const Request*>> sessions_of(const Trace& trace) {
  std::map<std::uint64_t, std::vector<const Request*>> sessions;
  for (const Request& r : trace.requests) sessions[r.session.value()].push_back(&r);
  return sessions;
}

double hit_fraction(const TraceStatistics& figures) {
  return static_cast<double>(figures.prefix()->hit_tokens) /
         static_cast<double>(figures.prefix()->tokens);
}

void check_off(const LengthHistogram& wanted, const LengthHistogram& made, double most) {
  for (const double percent : {50.0, 95.0, 99.0}) {
    CAPTURE(percent);
    CHECK(static_cast<double>(made.percentile(percent)) ==
          doctest::Approx(static_cast<double>(wanted.percentile(percent))).epsilon(most));
  }
}

}  // namespace

TEST_CASE("presets: written and read back, every request is the same, in every preset") {
  for (const GeneratorPreset& p : generator_presets()) {
    CAPTURE(p.name);
    CHECK_FALSE(p.source.empty());
    const Trace made = generate_trace(preset(p.name, 300), 5);
    const ScratchFile file;
    write_reticle_trace(made, file.path(), generator_note(p.params, 5));
    const Trace read = read_trace(file.path(), "");
    CHECK(read.block_tokens == made.block_tokens);
    CHECK(read.requests == made.requests);
    CHECK(generate_trace(preset(p.name, 300), 5).requests == made.requests);
    CHECK(generate_trace(preset(p.name, 300), 6).requests != made.requests);
  }
}

TEST_CASE(
    "presets: a coding agent of the article: 50 k prefix, 22 calls, 80 k growth, 84-92 % hits") {
  GeneratorParams params = preset("coding-agent", 20'000);
  params.rate_per_s = 0.005;  // few sessions are cut by the end
  const Trace trace = generate_trace(params, 1);
  std::vector<double> calls;
  std::vector<double> growth;
  for (const auto& [session, requests] : sessions_of(trace)) {
    calls.push_back(static_cast<double>(requests.size()));
    growth.push_back(
        static_cast<double>(requests.back()->input_tokens - requests.front()->input_tokens));
    CHECK(requests.front()->input_tokens > 50'000);
  }
  const auto mean = [](const std::vector<double>& v) {
    double sum = 0;
    for (const double x : v) sum += x;
    return sum / static_cast<double>(v.size());
  };
  CHECK(mean(calls) == doctest::Approx(22).epsilon(0.1));
  CHECK(mean(growth) == doctest::Approx(80'000).epsilon(0.1));
  const double hits = hit_fraction(figures_of(trace));
  CHECK(hits > 0.84);
  CHECK(hits < 0.92);
}

TEST_CASE("presets: coding agents as measured by Weka") {
  GeneratorParams params = preset("coding-agent-measured", 40'000);
  params.rate_per_s = 0.005;
  const Trace trace = generate_trace(params, 1);
  const TraceStatistics figures = figures_of(trace);
  LengthHistogram fresh;
  LengthHistogram calls;
  std::vector<double> pauses;
  for (const auto& [session, requests] : sessions_of(trace)) {
    // A session that begins in the last fifth may be cut by the end.
    if (requests.front()->arrival.count() < trace.requests.back().arrival.count() / 5 * 4)
      calls.add(static_cast<std::int64_t>(requests.size()));
    std::set<std::uint64_t> known;
    for (const Request* r : requests) {
      std::int64_t run = 0;
      for (const auto id : r->prefix_blocks) {
        if (!known.contains(id)) break;
        ++run;
      }
      known.insert(r->prefix_blocks.begin(), r->prefix_blocks.end());
      fresh.add(r->input_tokens - run * trace.block_tokens);
      if (r->pause) pauses.push_back(seconds(*r->pause));
    }
  }
  std::sort(pauses.begin(), pauses.end());
  CHECK(static_cast<double>(calls.percentile(50)) == doctest::Approx(45).epsilon(0.1));
  CHECK(static_cast<double>(figures.input().percentile(50)) ==
        doctest::Approx(103'700).epsilon(0.1));
  CHECK(figures.input().mean() == doctest::Approx(122'379).epsilon(0.1));
  CHECK(static_cast<double>(fresh.percentile(50)) == doctest::Approx(727).epsilon(0.07));
  CHECK(fresh.mean() == doctest::Approx(4'509).epsilon(0.1));
  CHECK(static_cast<double>(figures.output().percentile(50)) == doctest::Approx(216).epsilon(0.05));
  CHECK(figures.output().mean() == doctest::Approx(440).epsilon(0.05));
  CHECK(hit_fraction(figures) == doctest::Approx(0.963).epsilon(0.01));
  CHECK(pauses[pauses.size() / 2] == doctest::Approx(9).epsilon(0.15));
  CHECK(pauses[pauses.size() * 99 / 100] > 611);  // tools and humans together
  CHECK(figures.requests_of_sub_agents() > 0);
}

TEST_CASE("presets: reasoning hides ten to a hundred thinking tokens per answer token") {
  const Trace trace = generate_trace(preset("reasoning", 200'000), 1);
  for (const Request& r : trace.requests) {
    const auto answer = static_cast<double>(r.output_tokens - r.thinking_tokens);
    REQUIRE(answer >= 1);
    // Rounding to whole answers moves the ratio of short ones.
    CHECK(static_cast<double>(r.output_tokens) < 101.0 * (answer + 0.51));
    CHECK((static_cast<double>(r.output_tokens) > 11.0 * (answer - 0.51)));
  }
  const TraceStatistics figures = figures_of(trace);
  CHECK(static_cast<double>(figures.output().percentile(50)) == doctest::Approx(739).epsilon(0.05));
  CHECK(static_cast<double>(figures.output().percentile(99)) ==
        doctest::Approx(13'148).epsilon(0.05));
  CHECK(static_cast<double>(figures.input().percentile(50)) == doctest::Approx(269).epsilon(0.05));
  CHECK(static_cast<double>(figures.input().percentile(95)) ==
        doctest::Approx(9'213).epsilon(0.05));
  CHECK(static_cast<double>(figures.input().percentile(99)) ==
        doctest::Approx(24'584).epsilon(0.05));
  CHECK(figures.input().mean() == doctest::Approx(1'571).epsilon(0.03));
  CHECK(figures.output().mean() == doctest::Approx(1'431).epsilon(0.03));
  CHECK(*figures.rate() == doctest::Approx(16.0).epsilon(0.03));
}

TEST_CASE("presets: chat has the percentiles and the means of Azure 2023 conversation") {
  const TraceStatistics figures = figures_of(generate_trace(preset("chat", 50'000), 1));
  const auto near = [](double got, double wanted) {
    CHECK(got == doctest::Approx(wanted).epsilon(0.03));
  };
  near(figures.input().mean(), 1'154.7);
  near(static_cast<double>(figures.input().percentile(50)), 1'020);
  near(static_cast<double>(figures.input().percentile(95)), 4'083);
  near(static_cast<double>(figures.input().percentile(99)), 4'142);
  near(figures.output().mean(), 211.1);
  near(static_cast<double>(figures.output().percentile(50)), 129);
  near(static_cast<double>(figures.output().percentile(95)), 451);
  near(static_cast<double>(figures.output().percentile(99)), 601);
  near(*figures.rate(), 5.53);
}

TEST_CASE("presets: adapters are asked for in proportion to one over their rank") {
  const Trace trace = generate_trace(preset("lora", 50'000), 1);
  std::map<std::uint32_t, double> asked;
  for (const Request& r : trace.requests) asked[r.adapter.value()] += 1.0 / 50'000;
  double harmonic = 0.0;
  for (int i = 1; i <= 1'000; ++i) harmonic += 1.0 / i;
  CHECK(asked.rbegin()->first < 1'000);
  for (const std::uint32_t rank : {1U, 2U, 5U, 10U})
    CHECK(asked[rank - 1] == doctest::Approx(1.0 / (rank * harmonic)).epsilon(0.1));
}

TEST_CASE("presets: a rollout sends each prompt 64 times at once") {
  const Trace trace = generate_trace(preset("rl-rollout", 640), 1);
  for (std::size_t i = 0; i < 640; ++i) {
    const Request& first = trace.requests[i / 64 * 64];
    CHECK(trace.requests[i].prefix_blocks == first.prefix_blocks);
    CHECK(trace.requests[i].input_tokens == first.input_tokens);
    CHECK(trace.requests[i].arrival == first.arrival);
  }
  CHECK(trace.requests[0].prefix_blocks != trace.requests[64].prefix_blocks);
}

TEST_CASE("arrivals: a diurnal rate is the mean by day's end, and 60 % above it at a quarter") {
  GeneratorParams params = preset("chat-diurnal", 200'000);
  params.diurnal_period_s = 200'000 / params.rate_per_s;  // one day in all
  params.arrival_cv = 1.0;
  const Trace trace = generate_trace(params, 1);
  const double day = params.diurnal_period_s;
  std::vector<double> eighths(8);
  for (const Request& r : trace.requests) {
    const auto at = static_cast<std::size_t>(seconds(r.arrival) / day * 8);
    if (at < 8) eighths[at] += 8.0 / 200'000;
  }
  // The mean of 1 + 0.6 sin over an eighth of a turn.
  const double pi = 3.141592653589793;
  for (std::size_t i = 0; i < 8; ++i) {
    const double from = pi * static_cast<double>(i) / 4;
    const double mean = 1.0 + 0.6 * (std::cos(from) - std::cos(from + pi / 4)) / (pi / 4);
    CHECK(eighths[i] == doctest::Approx(mean).epsilon(0.03));
  }
}

TEST_CASE("arrivals: users of a closed loop wait for their answer and think before they ask") {
  GeneratorParams params = preset("chat-closed-loop", 5'000);
  params.users = 10;
  params.think_s = {.table = {{0, 5}, {1, 5.000001}}};
  const Trace trace = generate_trace(params, 1);
  for (const auto& [user, requests] : sessions_of(trace)) {
    CHECK(user < 10);
    for (std::size_t i = 1; i < requests.size(); ++i) {
      const double answer_s =
          static_cast<double>(requests[i - 1]->output_tokens) / params.decode_per_s;
      CHECK(seconds(requests[i]->arrival - requests[i - 1]->arrival) ==
            doctest::Approx(answer_s + 5.0).epsilon(1e-5));
    }
  }
}

TEST_CASE("fit: a fitted generator has the trace's lengths within 5 % and its rate within 2 %") {
  // Three humps and a heavy tail; bursts.
  GeneratorParams params = preset("coding-agent-measured", 5'000);
  const TraceStatistics wanted = figures_of(generate_trace(params, 3));
  for (const bool mixture : {false, true})
    for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
      CAPTURE(mixture);
      CAPTURE(seed);
      const TraceStatistics made = figures_of(generate_trace(fit_requests(wanted, mixture), seed));
      check_off(wanted.input(), made.input(), 0.05);
      check_off(wanted.output(), made.output(), 0.05);
      CHECK(*made.rate() == doctest::Approx(*wanted.rate()).epsilon(0.02));
      CHECK(*made.gap_cv() == doctest::Approx(*wanted.gap_cv()).epsilon(0.15));
    }
}

TEST_CASE("fit: a mixture's percentiles do not hang on the seed, however few the requests") {
  GeneratorParams params = preset("coding-agent-measured", 400);
  const TraceStatistics wanted = figures_of(generate_trace(params, 3));
  const GeneratorParams fitted = fit_requests(wanted, true);
  const TraceStatistics first = figures_of(generate_trace(fitted, 1));
  for (std::uint64_t seed = 2; seed < 12; ++seed) {
    CAPTURE(seed);
    const TraceStatistics made = figures_of(generate_trace(fitted, seed));
    for (const double percent : {50.0, 95.0}) {
      CHECK(static_cast<double>(made.output().percentile(percent)) ==
            doctest::Approx(static_cast<double>(first.output().percentile(percent))).epsilon(0.02));
    }
  }
}

TEST_CASE("fit: a mixture finds the two lognormals it was drawn from") {
  RngStream rng{1, "mixture"};
  LengthHistogram lengths;
  for (int i = 0; i < 100'000; ++i)
    lengths.add(
        std::llround(rng.uniform() < 0.3 ? rng.lognormal(4.0, 0.3) : rng.lognormal(8.0, 0.5)));
  auto mixture = fit_mixture(lengths, 2).mixture;
  REQUIRE(mixture.size() == 2);
  CHECK(mixture[0].weight == doctest::Approx(0.3).epsilon(0.03));
  CHECK(mixture[0].mu == doctest::Approx(4.0).epsilon(0.01));
  CHECK(mixture[0].sigma == doctest::Approx(0.3).epsilon(0.03));
  CHECK(mixture[1].mu == doctest::Approx(8.0).epsilon(0.01));
  CHECK(mixture[1].sigma == doctest::Approx(0.5).epsilon(0.03));
}
