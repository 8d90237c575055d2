// SPDX-License-Identifier: Apache-2.0
// Reuse, topics, correlated layers, recordings and their figures.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <string>

#include "sim/base/error.hpp"
#include "sim/base/rng.hpp"
#include "tests/workloads/scratch_file.hpp"
#include "workloads/moe/expert_capacity.hpp"
#include "workloads/moe/expert_counts.hpp"
#include "workloads/moe/fit_routing.hpp"

using namespace reticle;

namespace {

LlmSpec model(std::int64_t experts, std::int64_t top_k, const RoutingSpec& routing,
              std::int64_t layers = 6) {
  LlmSpec llm;
  llm.layers = dense_then_moe(1, layers);
  llm.hidden = 1;
  llm.moe = MoeSpec{.experts = experts, .top_k = top_k, .expert_ffn = 1};
  llm.moe->routing = routing;
  return llm;
}

RoutingFigures figures(const LlmSpec& llm, std::int64_t sessions, std::int64_t tokens,
                       std::uint64_t seed = 5) {
  const std::vector<std::int64_t> lengths(static_cast<std::size_t>(sessions), tokens);
  return figures_of(draw_routing(ExpertRouter{llm, seed}, lengths));
}

/// Of values that all estimate one: how many standard errors their mean is from nothing.
double errors_from_zero(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double variance = 0;
  for (const double v : values) variance += (v - mean) * (v - mean) / (n - 1);
  return std::abs(mean) / std::sqrt(variance / n);
}

/// Least-squares slope of a figure over the layers.
double slope(const std::vector<LayerLoads>& layers, double LayerLoads::*value) {
  const double middle = static_cast<double>(layers.size() - 1) / 2;
  double both = 0, square = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const double x = static_cast<double>(i) - middle;
    both += x * layers[i].*value;
    square += x * x;
  }
  return both / square;
}

std::string refusal(std::string_view content) {
  const ScratchFile file{content};
  try {
    (void)read_routing(file.path());
  } catch (const ConfigError& error) {
    std::string text = error.what();
    if (text.starts_with(file.path())) text.replace(0, file.path().size(), "F");
    return text;
  }
  return "";
}

/// How many standard errors two things that happen or not, n times, are from being independent.
class Together {
 public:
  void add(bool a, bool b) {
    ++n_;
    a_ += a ? 1 : 0;
    b_ += b ? 1 : 0;
    both_ += a && b ? 1 : 0;
  }
  [[nodiscard]] double errors() const {
    const double a = a_ / n_, b = b_ / n_;
    return std::abs(both_ / n_ - a * b) / std::sqrt(a * (1 - a) * b * (1 - b) / n_);
  }

 private:
  double n_ = 0, a_ = 0, b_ = 0, both_ = 0;
};

const std::string kHeader = R"({"reticle_routing": 1, "experts": 4, "layers": 2, "top_k": 2})"
                            "\n";
const std::filesystem::path kMoe = RETICLE_SOURCE_DIR "/../shared/traces/moe";

}  // namespace

TEST_CASE("figures_of: counted by hand on three tokens of one layer") {
  // Tokens pick {0,1}, {1,2}, {1,0} of four experts.
  RoutingRecord record{.experts = 4, .layers = 1, .top_k = 2, .sessions = {}};
  record.sessions.push_back({1, 0, {0, 1, 1, 2, 1, 0}});
  const RoutingFigures f = figures_of(record);
  CHECK(f.mean.max_over_mean == doctest::Approx(3 / 1.5));        // loads 2, 3, 1, 0
  CHECK(f.mean.cv == doctest::Approx(std::sqrt(5.0 / 4) / 1.5));  // squares .25+2.25+.25+2.25
  CHECK(f.mean.gini == doctest::Approx(2 * (1 * 0 + 2 * 1 + 3 * 2 + 4 * 3) / (4 * 6.0) - 5.0 / 4));
  CHECK(f.reuse[0] == doctest::Approx(0.5));  // one of two, twice
  CHECK(f.reuse[1] == doctest::Approx(1.0));  // {1,0} had both two before
  CHECK(f.independent == doctest::Approx((4 + 9 + 1) / 9.0 / 2));
  CHECK(f.window[0] == doctest::Approx(3.0));   // {0,1} and {1,2}
  CHECK(f.lru[2] == doctest::Approx(2.0 / 6));  // two cached: 1 comes again twice, 0 was thrown out

  CHECK(f.distinct[0] == 0);  // there is one session only
}

TEST_CASE("figures_of: even draws share what chance shares and touch what chance touches") {
  const RoutingFigures f = figures(model(32, 4, {}), 40, 400);
  CHECK(f.reuse[0] == doctest::Approx(4.0 / 32).epsilon(0.03));
  CHECK(f.independent == doctest::Approx(4.0 / 32).epsilon(0.03));
  CHECK(f.distinct[2] == doctest::Approx(32 * (1 - std::pow(28.0 / 32, 8))).epsilon(0.02));
  CHECK(f.mean.gini < 0.05);
}

TEST_CASE("ExpertRouter: stickiness is the share of picks kept beyond chance") {
  RoutingSpec sticky;
  sticky.stickiness = 0.5;
  const RoutingFigures f = figures(model(64, 2, sticky), 20, 1000);
  // A kept pick is there for certain, the others by chance; 0.5 is 128/256 exactly.
  CHECK(f.reuse[0] == doctest::Approx(0.5 + 0.5 * 2.0 / 64).epsilon(0.02));
  CHECK(f.reuse[1] == doctest::Approx(0.25 + 0.75 * 2.0 / 64).epsilon(0.03));
  CHECK(f.mean.max_over_mean < 1.3);
}

TEST_CASE(
    "ExpertRouter: correlated layers let the next pick be guessed, and keep loads as they are") {
  RoutingSpec linked;
  linked.layer_correlation = 0.5;
  const RoutingFigures f = figures(model(64, 2, linked), 100, 500);
  CHECK(f.next_layer == doctest::Approx(0.5 + 0.5 / 64).epsilon(0.05));
  CHECK(f.mean.gini < 0.05);
}

TEST_CASE("ExpertRouter: loads and reuse do not depend on how deep a layer lies") {
  // Layers of one seed resemble their neighbours, seeds do not: errors are taken over seeds.
  constexpr std::uint64_t kSeeds = 32;
  constexpr double LayerLoads::*kFigures[] = {&LayerLoads::max_over_mean, &LayerLoads::gini,
                                              &LayerLoads::reuse};
  for (const auto preset : {RoutingPresetName::Typical, RoutingPresetName::Skewed}) {
    const LlmSpec llm = model(64, 4, routing_of(preset), 24);
    std::vector<std::vector<LayerLoads>> seeds;
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed)
      seeds.push_back(figures(llm, 48, 48, seed).layers);
    for (const auto value : kFigures) {
      std::vector<double> trend, first;
      for (const std::vector<LayerLoads>& layers : seeds) {
        trend.push_back(slope(layers, value));
        double later = 0;
        for (std::size_t i = 1; i < layers.size(); ++i)
          later += layers[i].*value / static_cast<double>(layers.size() - 1);
        first.push_back(layers[0].*value - later);
      }
      CAPTURE(static_cast<int>(preset));
      CHECK(errors_from_zero(trend) < 4);
      CHECK(errors_from_zero(first) < 4);
    }
  }
}

TEST_CASE(
    "ExpertRouter: sessions of one topic share experts, of many less, and loads say the same") {
  RoutingSpec topical;
  topical.topic_sigma = 2;
  const RoutingFigures many = figures(model(32, 4, topical), 200, 50);
  topical.topics = 1;
  const RoutingFigures one = figures(model(32, 4, topical), 200, 50);
  CHECK(many.reuse[2] == doctest::Approx(one.reuse[2]).epsilon(0.1));
  CHECK(many.reuse[2] > 1.5 * many.independent);
  CHECK(one.reuse[2] == doctest::Approx(one.independent).epsilon(0.05));
  CHECK(many.distinct[3] > 1.15 * one.distinct[3]);
}

TEST_CASE("ExpertRouter: requests of one session share its topic") {
  RoutingSpec topical;
  topical.topic_sigma = 2;
  ExpertRouter router{model(32, 4, topical), 5};
  const auto shared = [&](std::uint64_t a, std::uint64_t b) {
    std::vector<std::int32_t> of_a(32, 0), of_b(32, 0);
    router.add_loads(RequestId{a}, 0, 500, 2, of_a);
    router.add_loads(RequestId{b}, 0, 500, 2, of_b);
    std::int32_t both = 0;
    for (std::size_t e = 0; e < 32; ++e) both += std::min(of_a[e], of_b[e]);
    return both;
  };
  const std::int32_t apart = shared(0, 1);
  router.share_topics({7, 7, 8});
  CHECK(shared(0, 1) > 1700);  // of 2,000 picks: two samples of one distribution
  CHECK(shared(0, 2) < 1500);
  CHECK(apart < 1500);
}

TEST_CASE("ExpertRouter: popularity is what picks come to over many requests") {
  RoutingSpec spec = routing_of(RoutingPresetName::Typical);
  const LlmSpec llm = model(32, 1, spec, 3);
  const ExpertRouter router{llm, 5};
  for (const std::int64_t layer : router.moe_layers()) {
    std::vector<double> seen(32, 0.0);
    std::array<std::int32_t, 1> pick{};
    for (std::uint64_t request = 0; request < 20'000; ++request) {
      router.route(RequestId{request}, 0, layer, pick);
      ++seen[static_cast<std::size_t>(pick[0])];
    }
    for (std::size_t e = 0; e < 32; ++e)
      CHECK(seen[e] / 20'000 ==
            doctest::Approx(router.popularity(layer)[e]).epsilon(0.1).scale(0.02));
  }
}

TEST_CASE("ExpertRouter: every law gives different experts, independent of what was asked before") {
  for (const auto preset :
       {RoutingPresetName::Balanced, RoutingPresetName::Typical, RoutingPresetName::Skewed}) {
    const LlmSpec llm = model(16, 12, routing_of(preset));
    const ExpertRouter router{llm, 3}, again{llm, 3};
    std::vector<std::int32_t> a(12), b(12), loads(16, 0), sum(16, 0);
    for (std::int64_t t = 99; t >= 0; --t) (void)router.route(RequestId{1}, t, 4, a);
    for (std::int64_t t = 0; t < 100; ++t) {
      again.route(RequestId{1}, t, 4, b);
      router.route(RequestId{1}, t, 4, a);
      CHECK(a == b);
      for (const std::int32_t e : a) ++sum[static_cast<std::size_t>(e)];
      std::sort(b.begin(), b.end());
      CHECK(std::adjacent_find(b.begin(), b.end()) == b.end());
    }
    router.add_loads(RequestId{1}, 0, 100, 4, loads);
    CHECK(loads == sum);
  }
}

TEST_CASE(
    "ExpertRouter: that a pick is kept says nothing of other ranks, tokens, layers, requests") {
  RoutingSpec sticky;
  sticky.stickiness = 0.25;
  constexpr std::int64_t kTokens = 100'000;
  const RoutingRecord record =
      draw_routing(ExpertRouter{model(4096, 10, sticky, 2), 5}, {kTokens, kTokens});
  const auto kept = [&](std::size_t s, std::int64_t t, std::int64_t layer, std::size_t rank) {
    const RoutedSession& session = record.sessions[s];
    return record.at(session, t, layer)[rank] == record.at(session, t - 1, layer)[rank];
  };
  Together ranks, words, tokens, layers, requests;
  for (std::int64_t t = 2; t < kTokens; ++t) {
    const bool one = kept(0, t, 0, 0);
    ranks.add(one, kept(0, t, 0, 1));
    words.add(one, kept(0, t, 0, 8));
    tokens.add(one, kept(0, t - 1, 0, 0));
    layers.add(one, kept(0, t, 1, 0));
    requests.add(one, kept(1, t, 0, 0));
  }
  for (const Together& pair : {ranks, words, tokens, layers, requests}) CHECK(pair.errors() < 4);
}

TEST_CASE("ExpertRouter: that a pick follows says nothing of other ranks, tokens, layers") {
  RoutingSpec linked;
  linked.layer_correlation = 0.25;
  constexpr std::size_t kExperts = 512;
  constexpr std::int64_t kTokens = 100'000, kLayers = 12;
  const RoutingRecord record =
      draw_routing(ExpertRouter{model(kExperts, 2, linked, kLayers), 5}, {kTokens});
  const auto pick = [&](std::int64_t t, std::int64_t layer, std::size_t rank) {
    return record.at(record.sessions[0], t, layer)[rank];
  };
  // What follows an expert is what comes after it far more often than anything else.
  std::vector<std::vector<std::size_t>> next(kLayers - 1, std::vector<std::size_t>(kExperts));
  for (std::size_t layer = 0; layer < next.size(); ++layer) {
    std::vector<std::vector<int>> seen(kExperts, std::vector<int>(kExperts));
    for (std::int64_t t = 0; t < kTokens; ++t)
      ++seen[pick(t, static_cast<std::int64_t>(layer), 0)]
            [pick(t, static_cast<std::int64_t>(layer) + 1, 0)];
    for (std::size_t e = 0; e < kExperts; ++e)
      next[layer][e] = static_cast<std::size_t>(std::max_element(seen[e].begin(), seen[e].end()) -
                                                seen[e].begin());
  }
  const auto follows = [&](std::int64_t t, std::int64_t layer, std::size_t rank) {
    return next[static_cast<std::size_t>(layer)][pick(t, layer, rank)] == pick(t, layer + 1, rank);
  };
  Together ranks, tokens, words;
  std::array<Together, kLayers - 2> layers;  // coins of eight layers are one word
  for (std::int64_t t = 1; t < kTokens; ++t) {
    ranks.add(follows(t, 5, 0), follows(t, 5, 1));
    tokens.add(follows(t, 5, 0), follows(t - 1, 5, 0));
    words.add(follows(t, 1, 0), follows(t, 9, 0));
    for (std::int64_t layer = 0; layer + 2 < kLayers; ++layer)
      layers[static_cast<std::size_t>(layer)].add(follows(t, layer, 0), follows(t, layer + 1, 0));
  }
  CHECK(ranks.errors() < 4);
  CHECK(tokens.errors() < 4);
  CHECK(words.errors() < 4);
  for (const Together& pair : layers) CHECK(pair.errors() < 4);
}

TEST_CASE("read_routing: what was written comes back, and CSV says the same") {
  const LlmSpec llm = model(8, 2, routing_of(RoutingPresetName::Typical), 3);
  const RoutingRecord drawn = draw_routing(ExpertRouter{llm, 1}, {5, 3});
  const ScratchFile file;
  write_routing(drawn, file.path(), "note");
  const RoutingRecord read = read_routing(file.path());
  CHECK(is_routing(file.path()));
  CHECK(read.experts == 8);
  REQUIRE(read.sessions.size() == 2);
  CHECK(read.sessions[1].picks == drawn.sessions[1].picks);

  const ScratchFile csv{
      "session,token_pos,layer,e0,e1\n7,4,0,1,0\n7,4,1,3,2\n7,5,0,2,1\n7,5,1,0,1\n"};
  const RoutingRecord table = read_routing(csv.path());
  CHECK(table.experts == 4);
  CHECK(table.layers == 2);
  CHECK(table.sessions[0].first_position == 4);
  CHECK(table.sessions[0].picks == std::vector<std::uint16_t>{1, 0, 3, 2, 2, 1, 0, 1});
}

TEST_CASE("ExpertRouter: a recording is replayed, and one of another model refused") {
  const LlmSpec drawn_by = model(8, 2, routing_of(RoutingPresetName::Typical), 3);
  const ScratchFile file;
  write_routing(draw_routing(ExpertRouter{drawn_by, 1}, {5, 3}), file.path(), "");
  RoutingSpec replayed;
  replayed.recording = file.path();
  const ExpertRouter router{model(8, 2, replayed, 3), 99};
  const ExpertRouter original{drawn_by, 1};
  std::vector<std::int32_t> a(2), b(2);
  for (std::int64_t t = 0; t < 7; ++t) {
    router.route(RequestId{2}, t, 2, a);  // request 2 of two sessions is session 0, of 5 tokens
    original.route(RequestId{0}, t % 5, 2, b);
    CHECK(a == b);
  }
  const std::string expected =
      "moe.routing.recording: expected 2 of 8 experts in 4 layers, found 2 of 8 experts in 3 "
      "layers";
  CHECK_THROWS_WITH_AS((ExpertRouter{model(8, 2, replayed, 4), 1}),
                       (file.path() + ":1:1: " + expected).c_str(), ConfigError);
}

TEST_CASE("read_routing: names file, line and what is wrong") {
  const auto row = [](const std::string& text) { return refusal(kHeader + text); };
  CHECK(row(R"({"session": 1, "position": 0, "experts": [0, 1, 2, 3]})").empty());
  CHECK(row(R"({"session": 1, "position": 0, "experts": [0, 1, 2]})") ==
        "F:2:42: experts: expected layers x top_k = 4 of them, found 3");
  CHECK(row(R"({"session": 1, "position": 0, "experts": [0, 1, 2, 4]})")
            .find("expected an expert below 4, found 4") != std::string::npos);
  CHECK(row(R"({"session": 1, "position": 0, "experts": [0, 0, 2, 3]})").find("found 0 twice") !=
        std::string::npos);
  CHECK(row("{\"session\": 1, \"position\": 0, \"experts\": [0, 1, 2, 3]}\n"
            "{\"session\": 1, \"position\": 2, \"experts\": [0, 1, 2, 3]}")
            .starts_with("F:3:1: token_pos: expected position 1, found 2"));
  CHECK(row("").find("at least one token") != std::string::npos);
  CHECK(refusal("hello\n").starts_with("F:1:1: routing: expected a line with"));
  CHECK(refusal(R"({"reticle_routing": 2, "experts": 4, "layers": 2, "top_k": 2})")
            .find("expected version 1") != std::string::npos);
  CHECK(
      refusal("session,token_pos,layer,e0\n1,0,0,x\n").starts_with("F:2:7: row: expected a whole"));
  CHECK(refusal("session,token_pos,layer,e0\n1,0,1,0\n").find("expected layer 0") !=
        std::string::npos);
  CHECK(refusal("session,token_pos,layer,e0\n1,0,0,5000\n").find("below 4096") !=
        std::string::npos);
}

TEST_CASE(
    "published: gpt-oss-20b's routing has the figures published with it, and a law meets them") {
  if (!std::filesystem::is_directory(kMoe)) {
    MESSAGE("SKIPPED: ../shared/traces is not here");
    return;
  }
  const RoutingRecord full =
      read_routing((kMoe / "gptoss20b_decode_top4_full_sessions.csv.gz").string());
  CHECK(full.sessions.size() == 7);
  const RoutingFigures f = figures_of(full);
  CHECK(f.reuse[0] == doctest::Approx(0.4397).epsilon(0.0005));
  const RoutingRecord batch =
      read_routing((kMoe / "gptoss20b_decode_top4_32sessions_x48tok.csv.gz").string());
  const RoutingFigures measured = figures_of(batch);
  CHECK(measured.reuse[0] == doctest::Approx(0.4164).epsilon(0.0005));

  const auto near = [](double generated, double recorded) {
    CAPTURE(generated);
    CAPTURE(recorded);
    CHECK(std::abs(generated / recorded - 1) < 0.10);
  };
  const auto all_near = [&near](const RoutingFigures& g, const RoutingFigures& recorded) {
    near(g.mean.max_over_mean, recorded.mean.max_over_mean);
    near(g.mean.cv, recorded.mean.cv);
    near(g.mean.gini, recorded.mean.gini);
    for (std::size_t i = 0; i < g.reuse.size(); ++i) near(g.reuse[i], recorded.reuse[i]);
    near(g.independent, recorded.independent);
    for (std::size_t i = 0; i < g.lru.size(); ++i) near(g.lru[i], recorded.lru[i]);
    for (std::size_t i = 0; i < g.distinct.size(); ++i)
      if (recorded.distinct[i] > 0) near(g.distinct[i], recorded.distinct[i]);
    for (std::size_t i = 0; i < g.window.size(); ++i) near(g.window[i], recorded.window[i]);
    near(g.next_layer, recorded.next_layer);
  };
  // As fitted to seven sessions (docs/workloads.md).
  RoutingSpec of_seven;
  of_seven.popularity_sigma = 1.55;
  of_seven.topic_sigma = 3.25;
  of_seven.stickiness = 0.0887;
  of_seven.layer_correlation = 0.52;
  for (std::uint64_t seed = 1; seed <= FittedRouting::kSeeds; ++seed) {
    CAPTURE(seed);
    all_near(generated_figures(routing_of(RoutingPresetName::Typical), batch, seed), measured);
    all_near(generated_figures(of_seven, full, seed), f);
  }
}

TEST_CASE("fit_routing: finds the law that drew a recording") {
  RoutingSpec law;
  law.popularity_sigma = 1.2;
  law.stickiness = 0.25;
  law.layer_correlation = 0.3;
  const RoutingRecord record =
      draw_routing(ExpertRouter{model(16, 2, law, 4), 77}, std::vector<std::int64_t>(16, 60));
  const FittedRouting fit = fit_routing(record);
  CHECK(fit.generated[0].reuse[0] == doctest::Approx(fit.measured.reuse[0]).epsilon(0.06));
  CHECK(fit.generated[0].mean.cv == doctest::Approx(fit.measured.mean.cv).epsilon(0.1));
  CHECK(fit.generated[0].next_layer == doctest::Approx(fit.measured.next_layer).epsilon(0.1));
  CHECK(fit.spec.topic_sigma < 0.6);
  CHECK(fit.generated.size() == FittedRouting::kSeeds);
}

TEST_CASE("fit_routing: tries log-gamma too, and takes the nearest shape") {
  RoutingSpec law;
  law.popularity_sigma = 1;
  law.popularity_shape = PopularityShape::LogGamma;
  law.topic_sigma = 1.5;
  law.stickiness = 0.2;
  law.layer_correlation = 0.4;
  const RoutingRecord record =
      draw_routing(ExpertRouter{model(32, 2, law, 36), 77}, std::vector<std::int64_t>(8, 60));
  const FittedRouting fit = fit_routing(record);
  // It is as near as any, but for what seeds differ by: topics and correlated layers blur a tail.
  const double least = *std::min_element(fit.miss.begin(), fit.miss.end());
  CHECK(fit.miss[static_cast<std::size_t>(PopularityShape::LogGamma)] < 1.25 * least);
  CHECK(fit.miss[static_cast<std::size_t>(fit.spec.popularity_shape)] == least);
}

TEST_CASE("read_routing: damaged files are refused or read, and never crash") {
  const std::string good = kHeader +
                           "{\"session\": 1, \"position\": 0, \"experts\": [0, 1, 2, 3]}\n"
                           "{\"session\": 1, \"position\": 1, \"experts\": [1, 0, 3, 2]}\n";
  RngStream rng{3, "test/damage"};
  for (int i = 0; i < 3'000; ++i) {
    std::string text = good;
    for (std::uint64_t n = 1 + rng.below(4); n > 0; --n) {
      const auto at = static_cast<std::size_t>(rng.below(text.size()));
      if (rng.below(3) == 0)
        text.erase(at, 1 + rng.below(8));
      else
        text[at] = static_cast<char>(rng.below(256));
      if (text.empty()) text = "x";
    }
    (void)refusal(text);
  }
}

TEST_CASE("presets: balanced and skewed have the loads they are documented with") {
  const auto loads = [](RoutingPresetName preset, std::int64_t experts, std::int64_t top_k) {
    LayerLoads mean;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      const LayerLoads one =
          figures(model(experts, top_k, routing_of(preset), 16), 100, 100, seed).mean;
      mean.max_over_mean += one.max_over_mean / 5;
      mean.gini += one.gini / 5;
    }
    return mean;
  };
  // FLAME-MoE, top-6 of 64: 1.38-1.86, Gini 0.09-0.15. Mixtral, top-2 of 8: 1.08-1.33, 0.02-0.12.
  const LayerLoads fine = loads(RoutingPresetName::Balanced, 64, 6);
  CHECK(fine.max_over_mean > 1.38);
  CHECK(fine.max_over_mean < 1.86);
  CHECK(fine.gini > 0.09);
  CHECK(fine.gini < 0.15);
  const LayerLoads coarse = loads(RoutingPresetName::Balanced, 8, 2);
  CHECK(coarse.max_over_mean > 1.08);
  CHECK(coarse.max_over_mean < 1.33);
  CHECK(coarse.gini > 0.02);
  CHECK(coarse.gini < 0.12);
  // DeepSeek-V3 on GPQA, top-8 of 256: 6.8 in the mean of its layers.
  CHECK(loads(RoutingPresetName::Skewed, 256, 8).max_over_mean ==
        doctest::Approx(6.8).epsilon(0.1));
}

TEST_CASE("dropped_of: full experts leave out what is beyond the factor times a step's mean") {
  CHECK(expert_capacity(64, 4, 32, 1.25) == 10);  // of a mean of 8
  CHECK(expert_capacity(3, 1, 8, 1) == 1);
  CHECK(expert_capacity(3, 2, 4, 100) == 3);  // no expert can get more than every token
  // Step 0: tokens of both sessions pick 0 and 1, so each of these has two where the mean is one.
  // Step 1: one session is at its end; two picks of four experts, none twice.
  RoutingRecord record{.experts = 4, .layers = 1, .top_k = 2, .sessions = {}};
  record.sessions.push_back({1, 0, {0, 1, 2, 3}});
  record.sessions.push_back({2, 0, {1, 0}});
  const DroppedPicks one = dropped_of(record, 1);
  CHECK(one.steps == 2);
  CHECK(one.picks == 6);
  CHECK(one.dropped == 2);
  CHECK(one.worst_step == doctest::Approx(0.5));
  CHECK(dropped_of(record, 2).dropped == 0);
}

TEST_CASE("read_routing: rows left out take their token with them, and are counted") {
  const auto lenient = [](const std::string& text) {
    const ScratchFile file{text};
    return read_routing(file.path(), true);
  };
  const auto row = [](int position, const char* experts) {
    return R"({"session": 1, "position": )" + std::to_string(position) + R"(, "experts": [)" +
           experts + "]}\n";
  };
  const RoutingRecord lines =
      lenient(kHeader + row(0, "0,1,2,3") + row(1, "0,0,1,2") + "oops\n" + row(3, "1,0,3,2") +
              row(3, "1,0,3,2") + row(4, "0,1,0,1") + "oops\n" + row(2, "0,1,2,3"));
  // Twice the same expert, no JSON, a position again, no JSON, a position that was passed.
  CHECK(lines.bad_rows.count() == 5);
  REQUIRE(lines.bad_rows.messages().size() == 5);
  CHECK(lines.bad_rows.messages()[0].find(":3:42: experts: expected different") !=
        std::string::npos);
  REQUIRE(lines.sessions.size() == 1);
  CHECK(lines.sessions[0].picks == std::vector<std::uint16_t>{0, 1, 2, 3, 1, 0, 3, 2, 0, 1, 0, 1});
  const RoutingRecord table = lenient(
      "session,token_pos,layer,e0\n7,0,0,1\n7,0,1,2\n7,1,0,3\n7,1,2,3\n7,2,0,1\n7,2,1\n7,3,0,4\n"
      "7,3,1,5\n");
  CHECK(table.bad_rows.count() == 2);
  CHECK(table.sessions[0].picks == std::vector<std::uint16_t>{1, 2, 4, 5});
  CHECK_THROWS_AS((void)lenient("hello\n"), ConfigError);
  CHECK_THROWS_AS((void)lenient(kHeader + "oops\n"), ConfigError);  // nothing is left
}

TEST_CASE("write_routing: a note with quotes reads back, and a file that cannot be is not begun") {
  const RoutingRecord drawn =
      draw_routing(ExpertRouter{model(8, 2, routing_of(RoutingPresetName::Typical), 3), 1}, {5});
  const ScratchFile file;
  write_routing(drawn, file.path(), "drawn: m\"x\\y\n");
  CHECK(read_routing(file.path()).sessions[0].picks == drawn.sessions[0].picks);
  CHECK_THROWS_AS(write_routing(drawn, "/no/such/folder/r.jsonl", ""), ConfigError);
}

TEST_CASE("read_routing: a document with router_data, value by value") {
  const auto document = [](const std::string& tokens) {
    return "{\n  \"dataset\": \"d\", \"row_index\": 7,\n  \"full_text\": [\"a\\\"]\", [{\"x\": "
           "{}}, []],"
           " \"y\"],\n  \"router_data\": [" +
           tokens + "],\n  \"after\": null\n}\n";
  };
  const auto token = [](int position, const std::string& layer_1, const char* more = "") {
    return "\n{\"token_" + std::to_string(position) +
           "\": {\"layer_0\": {\"selected_experts\": [3,\n 1], \"selected_probs\": [0.5, 0.25]},\n"
           "\"layer_1\": {" +
           layer_1 + "}" + more + "}}";
  };
  const std::string good = token(4, R"("selected_experts": [0, 2])");
  const ScratchFile file{document(good + "," + token(5, R"("p": 1, "selected_experts": [5, 2])"))};
  CHECK(is_routing(file.path()));
  const RoutingRecord read = read_routing(file.path());
  CHECK(read.experts == 6);
  CHECK(read.layers == 2);
  CHECK(read.top_k == 2);
  REQUIRE(read.sessions.size() == 1);
  CHECK(read.sessions[0].id == 7);
  CHECK(read.sessions[0].first_position == 4);
  CHECK(read.sessions[0].picks == std::vector<std::uint16_t>{3, 1, 0, 2, 3, 1, 5, 2});

  const auto refused = [&](const std::string& tokens) { return refusal(document(tokens)); };
  const auto second = [&](const std::string& layer_1, const char* more = "") {
    return refused(good + "," + token(5, layer_1, more));
  };
  CHECK(refused("").find("at least one token") != std::string::npos);
  const std::string twice = second(R"("selected_experts": [0, 0])");
  CHECK(twice.starts_with("F:10:"));
  CHECK(twice.ends_with(": experts: expected different experts, found 0 twice"));
  CHECK(second(R"("selected_experts": [4096, 0])").find("expert below 4096, found 4096") !=
        std::string::npos);
  CHECK(second(R"("selected_experts": [0])").find("expected 2 experts at every layer, found 1") !=
        std::string::npos);
  CHECK(second(R"("p": 1)").find("expected 2 experts at every layer, found 0") !=
        std::string::npos);
  CHECK(second(R"("selected_experts": [0, x])").find("expected a whole number, found 'x'") !=
        std::string::npos);
  CHECK(second(R"("selected_experts": [0, 1])", R"(, "layer_3": {})").find("expected layer 2") !=
        std::string::npos);
  CHECK(second(R"("selected_experts": [0, 1])", R"(, "layer_2": {"selected_experts": [0, 1]})")
            .find("expected 2 layers for every token, found 3") != std::string::npos);
  CHECK(refused(good + "," + token(6, R"("selected_experts": [0, 2])"))
            .find("token_pos: expected position 5, found 6") != std::string::npos);
  CHECK(refused(R"({"word_3": {}})").find("expected a name token_N, found 'word_3'") !=
        std::string::npos);
  const std::string text = document(good);
  for (const std::size_t cut : {text.size() - 3, text.size() - 30, text.size() / 2})
    CHECK_FALSE(refusal(text.substr(0, cut)).empty());
  CHECK_FALSE(refusal(text + "x").empty());
  CHECK_FALSE(is_routing(ScratchFile{R"({"id": 1, "requests": [], "router_data": []})"}.path()));
}

TEST_CASE("published: the router's own dump of one session") {
  if (!std::filesystem::is_directory(kMoe)) {
    MESSAGE("SKIPPED: ../shared/traces is not here");
    return;
  }
  const RoutingRecord raw =
      read_routing((kMoe / "raw_gptoss20b_mmlu_dev_abstract_algebra.json.gz").string());
  CHECK(raw.experts == 32);
  CHECK(raw.layers == 24);
  CHECK(raw.top_k == 4);
  REQUIRE(raw.sessions.size() == 1);
  CHECK(raw.sessions[0].id == 27'675);
  CHECK(raw.sessions[0].first_position == 136);
  CHECK(raw.tokens(raw.sessions[0]) == 318);
  // Counted from the document by another program.
  const RoutingFigures f = figures_of(raw);
  CHECK(f.reuse[0] == doctest::Approx(0.394289).epsilon(1e-5));
  CHECK(f.mean.max_over_mean == doctest::Approx(4.658281).epsilon(1e-5));
}

TEST_CASE("figures_of: what a recording costs follows its picks, not its experts squared") {
  // 4,096 experts squared in 1,023 pairs of layers were 17 billion places to look at.
  std::string row = R"({"session": 1, "position": 0, "experts": [)";
  for (int layer = 0; layer < 1'024; ++layer) row += (layer > 0 ? "," : "") + std::to_string(layer);
  const ScratchFile file{R"({"reticle_routing": 1, "experts": 4096, "layers": 1024, "top_k": 1})"
                         "\n" +
                         row + "]}\n"};
  const RoutingFigures f = figures_of(read_routing(file.path()));
  CHECK(f.next_layer == 1.0);
  CHECK(f.commonest == 1.0);
}

TEST_CASE("read_expert_counts: a file that names more than it can mean is refused, not filled in") {
  const auto text = [](int recordings, int expert) {
    std::string all = "name,layer,expert,count\n";
    for (int i = 0; i < recordings; ++i) all += "n" + std::to_string(i) + ",0,0,1\n";
    return all + "n0,0," + std::to_string(expert) + ",1\n";
  };
  const auto refused = [](const std::string& content) {
    const ScratchFile bad{content};
    try {
      (void)read_expert_counts(bad.path());
    } catch (const ConfigError& error) {
      return std::string{error.what()}.substr(bad.path().size());
    }
    return std::string{};
  };
  CHECK(refused(text(1'024, 4'095)).empty());
  CHECK(refused(text(1'025, 4'095)) ==
        ":1027:1: row: expected at most 4194304 counts (layers of all recordings x experts), found "
        "1025 x 4096");
  CHECK(refused(text(4'097, 1)).starts_with(":4098:1: row: expected at most 4096 recordings"));
  const ScratchFile file{text(4'200, 1)};
  CHECK(read_expert_counts(file.path(), true).bad_rows.count() == 104);
}

TEST_CASE("read_expert_counts: columns by name, recordings apart, experts named once") {
  const ScratchFile file{"count,what,expert,layer\n5,a,1,0\n3,a,0,0\n7,b,3,2\n1,a,0,9\n"};
  CHECK(is_expert_counts(file.path()));
  CHECK_FALSE(is_routing(file.path()));
  const ExpertCounts counts = read_expert_counts(file.path());
  CHECK(counts.experts == 4);  // those never named got nothing
  REQUIRE(counts.recordings.size() == 2);
  CHECK(counts.recordings[0].name == "a");
  CHECK(counts.recordings[0].layers.at(0) == std::vector<double>{3, 5, 0, 0});
  CHECK(counts.recordings[1].layers.at(2) == std::vector<double>{0, 0, 0, 7});
  CHECK(mean_of(counts.recordings[1]).max_over_mean == doctest::Approx(4));
  const auto refused = [](const std::string& rows) {
    const ScratchFile bad{"layer,expert,count\n" + rows};
    try {
      (void)read_expert_counts(bad.path());
    } catch (const ConfigError& error) {
      return std::string{error.what()}.substr(bad.path().size());
    }
    return std::string{};
  };
  CHECK(refused("0,0,1\n0,0,2\n") == ":3:1: expert: expected each once per layer, found 0 again");
  CHECK(refused("0,0\n") == ":2:1: row: expected 3 fields, found 2");
  CHECK(refused("0,4096,1\n") == ":2:3: expert: expected a whole number to 4095, found '4096'");
  CHECK(refused("0,0,-1\n").starts_with(":2:5: count: expected a whole number"));
  CHECK(refused("0,0,0\n").find("expected a pick in layer 0") != std::string::npos);
  CHECK(refused("").find("at least one row") != std::string::npos);
}

TEST_CASE("fit_loads: finds the width and shape that drew the counts") {
  for (const auto shape : {PopularityShape::LogNormal, PopularityShape::LogGamma}) {
    RoutingSpec law;
    law.popularity_sigma = 0.8;
    law.popularity_shape = shape;
    const ExpertRouter router{model(64, 4, law, 40), 77};
    CountedLoads counts;
    for (const std::int64_t layer : router.moe_layers()) {
      std::vector<std::int32_t> loads(64, 0);
      router.add_loads(RequestId{0}, 0, 4000, layer, loads);
      counts.layers[layer] = {loads.begin(), loads.end()};
    }
    const FittedLoads fit = fit_loads(counts, 64, 4);
    CHECK(fit.spec.popularity_shape == shape);
    CHECK(fit.spec.popularity_sigma == doctest::Approx(0.8).epsilon(0.1));
    CHECK(fit.generated.cv == doctest::Approx(fit.measured.cv).epsilon(0.06));
  }
}

TEST_CASE("published: a law of popularity meets the loads of OLMoE on every kind of text") {
  if (!std::filesystem::is_directory(kMoe)) {
    MESSAGE("SKIPPED: ../shared/traces is not here");
    return;
  }
  const ExpertCounts counts = read_expert_counts((kMoe / "olmoe_expert_counts.csv").string());
  CHECK(counts.experts == 64);
  CHECK(counts.recordings.size() == 13);
  int fitted = 0;
  for (const CountedLoads& one : counts.recordings) {
    if (one.name.find("top1") != std::string::npos) continue;  // of a token's first pick alone
    CAPTURE(one.name);
    const FittedLoads fit = fit_loads(one, counts.experts, 8);
    CHECK(fit.generated.max_over_mean == doctest::Approx(fit.measured.max_over_mean).epsilon(0.1));
    CHECK(fit.generated.cv == doctest::Approx(fit.measured.cv).epsilon(0.1));
    CHECK(fit.generated.gini == doctest::Approx(fit.measured.gini).epsilon(0.1));
    ++fitted;
  }
  CHECK(fitted == 8);
  // As published with the counts: GitHub, layers 0, 7 and 15.
  const auto github =
      std::find_if(counts.recordings.begin(), counts.recordings.end(),
                   [](const CountedLoads& c) { return c.name == "olmoe, expert_counts, github"; });
  REQUIRE(github != counts.recordings.end());
  const double published[][3] = {{0, 5.01, 0.29}, {7, 6.16, 0.58}, {15, 4.51, 0.59}};
  for (const auto& [layer, max, gini] : published) {
    const LayerLoads loads = loads_of(github->layers.at(static_cast<std::int64_t>(layer)));
    CHECK(loads.max_over_mean == doctest::Approx(max).epsilon(0.002));
    CHECK(loads.gini == doctest::Approx(gini).epsilon(0.02));
  }
}
