// SPDX-License-Identifier: Apache-2.0
// Figures of a trace against closed forms and against counts made another way.
#include "workloads/requests/trace_statistics.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "sim/base/rng.hpp"
#include "tests/workloads/scratch_file.hpp"
#include "workloads/requests/trace_plot.hpp"

using namespace reticle;
using namespace reticle::literals;

namespace {

Request at_second(double s, std::int64_t input = 1, std::int64_t output = 1) {
  return {.arrival = Picoseconds{std::llround(s * 1e12)},
          .input_tokens = input,
          .output_tokens = output};
}

std::vector<std::int64_t> random_lengths(std::size_t count) {
  RngStream rng{1, "lengths"};
  std::vector<std::int64_t> lengths;
  for (std::size_t i = 0; i < count; ++i)
    lengths.push_back(std::llround(rng.lognormal(6.0, 1.5)) + 1);
  return lengths;
}

/// Texts as a tree: whoever walks it counts true common prefixes.
struct Node {
  std::map<int, std::unique_ptr<Node>> next;
};

}  // namespace

TEST_CASE("lengths: every percentile is that of the sorted values") {
  auto lengths = random_lengths(2'111);
  LengthHistogram histogram;
  for (const auto length : lengths) histogram.add(length);
  std::sort(lengths.begin(), lengths.end());
  for (int percent = 1; percent <= 100; ++percent) {
    const auto rank = (lengths.size() * static_cast<std::size_t>(percent) + 99) / 100;
    CHECK(histogram.percentile(percent) == lengths[rank - 1]);
  }
  CHECK(histogram.max() == lengths.back());
}

TEST_CASE("lengths: those beyond a million are kept to one part in a thousand, in bounded memory") {
  LengthHistogram histogram;
  for (std::int64_t i = 0; i < 100'000; ++i) histogram.add(2'000'000 + 9'973 * i);
  std::int64_t bins = 0;
  histogram.each([&](std::int64_t, std::int64_t) { ++bins; });
  CHECK(bins < 10'000);
  CHECK(static_cast<double>(histogram.percentile(50)) ==
        doctest::Approx(2'000'000 + 9'973.0 * 50'000).epsilon(0.001));
}

TEST_CASE("bursts: a metronome has no variation, and pairs have one that can be worked out") {
  TraceStatistics even;
  TraceStatistics pairs;
  for (int i = 0; i < 1'000; ++i) {
    even.add(at_second(0.25 * i));
    pairs.add(at_second(2.0 * (i / 2)));
  }
  CHECK(*even.gap_cv() == doctest::Approx(0.0));
  CHECK(*even.dispersion() == doctest::Approx(0.0));
  CHECK(*even.rate() == doctest::Approx(1'000 / 249.75));
  // Gaps 0 and 2 in turn, 500 and 499 of them; two arrivals in every other second.
  const double mean = 2.0 * 499 / 999;
  CHECK(*pairs.gap_cv() == doctest::Approx(std::sqrt(4.0 * 499 / 999 - mean * mean) / mean));
  const double per_second = 1'000.0 / 999;
  CHECK(*pairs.dispersion() ==
        doctest::Approx((4.0 * 500 / 999 - per_second * per_second) / per_second));
  CHECK(pairs.peak_per_second() == 2);
}

TEST_CASE("bursts: Poisson arrivals have CV and dispersion 1") {
  RngStream rng{1, "poisson"};
  TraceStatistics figures;
  double now = 0.0;
  for (int i = 0; i < 100'000; ++i) figures.add(at_second(now += rng.exponential(0.1)));
  CHECK(*figures.gap_cv() == doctest::Approx(1.0).epsilon(0.02));
  CHECK(*figures.dispersion() == doctest::Approx(1.0).epsilon(0.03));
}

TEST_CASE("prefixes: a hit is the leading run of known ids, clipped to the prompt") {
  TraceStatistics figures{100};
  Request r = at_second(0, 250);
  r.prefix_blocks = {1, 2, 3};
  figures.add(r);
  figures.add(r);               // hit in full: 250 tokens, not 300
  r.prefix_blocks = {9, 2, 3};  // known ids behind an unknown one
  figures.add(r);
  const auto prefix = *figures.prefix();
  CHECK(prefix.hit_tokens == 250);
  CHECK(prefix.tokens == 750);
  CHECK(prefix.hit_blocks == 3);
  CHECK(prefix.distinct_blocks == 4);
}

TEST_CASE("prefixes: counting stops at the bound and says so") {
  TraceStatistics figures{100, 4};
  Request r = at_second(0, 250);
  for (std::uint64_t i = 0; i < 5; ++i) {
    r.prefix_blocks = {2 * i, 2 * i + 1};
    figures.add(r);
  }
  CHECK_FALSE(figures.prefix()->complete);
  CHECK(figures.prefix()->blocks == 4);
  CHECK(figures.requests() == 5);
}

TEST_CASE("prefixes: ids of content give the hits of a tree of the texts, as Qwen's are") {
  RngStream rng{7, "texts"};
  std::string text;
  Node tree;
  std::int64_t hits = 0;
  std::int64_t tokens = 0;
  std::set<int> seen;
  std::int64_t hits_of_sets = 0;
  for (int chat = 0; chat < 2'000; ++chat) {
    const int blocks = 1 + static_cast<int>(rng.below(6));
    const int input = 16 * blocks - static_cast<int>(rng.below(16));
    std::string ids;
    Node* node = &tree;
    bool known = true;
    bool in_set = true;
    int run = 0;
    int set_run = 0;
    std::vector<int> contents;
    for (int b = 0; b < blocks; ++b) {
      contents.push_back(static_cast<int>(rng.below(4)));
      ids += (b > 0 ? ", " : "") + std::to_string(contents.back());
      in_set = in_set && seen.contains(contents.back());
      set_run += in_set ? 1 : 0;
      auto& child = node->next[contents.back()];
      known = known && child != nullptr;
      run += known ? 1 : 0;
      if (!child) child = std::make_unique<Node>();
      node = child.get();
    }
    seen.insert(contents.begin(), contents.end());
    hits += std::min(16 * run, input);
    hits_of_sets += std::min(16 * set_run, input);
    tokens += input;
    text += "{\"chat_id\": " + std::to_string(chat) +
            ", \"parent_chat_id\": -1, \"timestamp\": " + std::to_string(chat) +
            ", \"input_length\": " + std::to_string(input) +
            ", \"output_length\": 1, \"hash_ids\": [" + ids + "]}\n";
  }
  const Trace trace = read_text(text);
  TraceStatistics figures{trace.block_tokens};
  for (const Request& request : trace.requests) figures.add(request);
  CHECK(figures.prefix()->hit_tokens == hits);
  CHECK(figures.prefix()->tokens == tokens);
  CHECK(hits_of_sets > hits);  // what mere membership would have said
}

TEST_CASE("arrivals: bins double their width and lose nobody") {
  ArrivalProfile profile;
  for (int i = 0; i < 5'000; ++i) profile.add(i * 3 * kPicosecondsPerSecond * Picoseconds{1});
  CHECK(profile.width() == 16 * kPicosecondsPerSecond * Picoseconds{1});
  std::int64_t sum = 0;
  for (const auto count : profile.counts()) sum += count;
  CHECK(sum == 5'000);
  CHECK(profile.counts().size() <= ArrivalProfile::kBins);
}

TEST_CASE("plot: names every axis with its unit and escapes the title") {
  TraceStatistics figures;
  for (int i = 0; i < 100; ++i) figures.add(at_second(i, 10 + 100 * i, 1 + i));
  const std::string svg = trace_svg(figures, "a<b>&c");
  for (const char* part : {"prompt length (tokens)", "answer length (tokens)", "time (s)",
                           "requests/s", "share of requests (%)", "a&lt;b&gt;&amp;c", "</svg>"}) {
    CAPTURE(part);
    CHECK(svg.find(part) != std::string::npos);
  }
  CHECK(svg.find("nan") == std::string::npos);
  TraceStatistics one;
  one.add(at_second(0));
  CHECK(trace_svg(one, "one").find("nan") == std::string::npos);
}
