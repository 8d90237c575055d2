// SPDX-License-Identifier: Apache-2.0
#include "workloads/moe/fit_routing.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "workloads/llm/llm_bounds.hpp"

namespace reticle {

namespace {

constexpr std::size_t kParameters = 4;
/// Popularity and topic sigma, stickiness, layer correlation; a negative number stands for its
/// magnitude. So none of the search's points meets a wall at 0, against which they would fall into
/// a plane that they cannot leave.
using Point = std::array<double, kParameters>;

RoutingSpec spec_at(const Point& p, PopularityShape shape) {
  RoutingSpec spec;
  spec.popularity_shape = shape;
  spec.popularity_sigma = std::min(std::abs(p[0]), llm_bounds::kSigma);
  spec.topic_sigma = std::min(std::abs(p[1]), llm_bounds::kSigma);
  spec.stickiness = std::min(std::abs(p[2]), llm_bounds::kLink);
  spec.layer_correlation = std::min(std::abs(p[3]), llm_bounds::kLink);
  return spec;
}

/// So high that the sum is nearly the furthest figure's alone, as all are to come near.
constexpr int kPower = 16;

/// Sum over the figures of powers of how far they are off, relative to the measured.
double miss(const RoutingFigures& a, const RoutingFigures& b) {
  double sum = 0;
  const auto compare = [&sum](double generated, double measured) {
    if (measured <= 0) return;
    sum += std::pow(generated / measured - 1, kPower);
  };
  compare(a.mean.max_over_mean, b.mean.max_over_mean);
  compare(a.mean.cv, b.mean.cv);
  compare(a.mean.gini, b.mean.gini);
  for (std::size_t i = 0; i < a.reuse.size(); ++i) compare(a.reuse[i], b.reuse[i]);
  compare(a.independent, b.independent);
  for (std::size_t i = 0; i < a.lru.size(); ++i) compare(a.lru[i], b.lru[i]);
  for (std::size_t i = 0; i < a.distinct.size(); ++i) compare(a.distinct[i], b.distinct[i]);
  for (std::size_t i = 0; i < a.window.size(); ++i) compare(a.window[i], b.window[i]);
  compare(a.next_layer, b.next_layer);
  return sum;
}

/// Least value of f near `start` [Nelder and Mead, Computer Journal 1965]. `first_steps`: along
/// each parameter, whatever it is at.
template <class F>
std::pair<double, Point> simplex(const Point& start, const Point& first_steps, F f) {
  constexpr int kSteps = 40;
  struct Vertex {
    double value;
    Point at;
  };
  std::vector<Vertex> all{{f(start), start}};
  for (std::size_t i = 0; i < kParameters; ++i) {
    Point p = start;
    p[i] += first_steps[i];
    all.push_back({f(p), p});
  }
  const auto by_value = [](const Vertex& a, const Vertex& b) { return a.value < b.value; };
  for (int step = 0; step < kSteps; ++step) {
    std::sort(all.begin(), all.end(), by_value);
    Vertex& worst = all.back();
    Point centre{};
    for (std::size_t v = 0; v < kParameters; ++v)
      for (std::size_t i = 0; i < kParameters; ++i) centre[i] += all[v].at[i] / kParameters;
    const auto along = [&](double t) {
      Point p;
      for (std::size_t i = 0; i < kParameters; ++i)
        p[i] = centre[i] + t * (worst.at[i] - centre[i]);
      return Vertex{f(p), p};
    };
    const Vertex reflected = along(-1);
    if (reflected.value < all.front().value) {
      const Vertex further = along(-2);
      worst = further.value < reflected.value ? further : reflected;
    } else if (reflected.value < all[kParameters - 1].value) {
      worst = reflected;
    } else if (const Vertex nearer = along(0.5); nearer.value < worst.value) {
      worst = nearer;
    } else {
      for (std::size_t v = 1; v < all.size(); ++v) {
        for (std::size_t i = 0; i < kParameters; ++i)
          all[v].at[i] = (all[v].at[i] + all.front().at[i]) / 2;
        all[v].value = f(all[v].at);
      }
    }
  }
  const auto best = std::min_element(all.begin(), all.end(), by_value);
  return {best->value, best->at};
}

/// A model of the recording's shape; a router asks for no more of it.
LlmSpec model_of(const RoutingRecord& record, const RoutingSpec& spec) {
  LlmSpec llm;
  llm.hidden = 1;
  llm.layers = dense_then_moe(0, record.layers);
  llm.moe = MoeSpec{.experts = record.experts, .top_k = record.top_k, .expert_ffn = 1};
  llm.moe->routing = spec;
  return llm;
}

}  // namespace

RoutingFigures generated_figures(const RoutingSpec& spec, const RoutingRecord& record,
                                 std::uint64_t seed) {
  std::vector<std::int64_t> lengths;
  for (const RoutedSession& s : record.sessions) lengths.push_back(record.tokens(s));
  return figures_of(draw_routing(ExpertRouter{model_of(record, spec), seed}, lengths));
}

FittedRouting fit_routing(const RoutingRecord& record) {
  // More than one, lest the law fit what one seed happens to draw: few to find the shape, all to
  // find its place among what seeds differ by.
  constexpr std::uint64_t kSearched = 3;
  FittedRouting out;
  out.measured = figures_of(record);
  const auto search = [&](PopularityShape shape, std::uint64_t seeds, const Point& start,
                          const Point& first_steps) {
    return simplex(start, first_steps, [&](const Point& p) {
      double sum = 0;
      for (std::uint64_t seed = 1; seed <= seeds; ++seed)
        sum += miss(generated_figures(spec_at(p, shape), record, seed), out.measured);
      return sum;
    });
  };
  double best = std::numeric_limits<double>::infinity();
  PopularityShape shape{};
  Point nearest{};
  for (std::size_t i = 0; i < kPopularityShapes.size(); ++i) {
    const auto [value, at] = search(static_cast<PopularityShape>(i), kSearched,
                                    {0.8, 1.0, 0.1, 0.4}, {0.5, 0.5, 0.1, 0.15});
    out.miss[i] = std::pow(value / kSearched, 1.0 / kPower);
    if (value >= best) continue;
    best = value;
    shape = static_cast<PopularityShape>(i);
    nearest = at;
  }
  // Fresh simplexes, ever smaller, free one that has collapsed before it was there [Kelley, SIAM J.
  // Optimization 1999].
  constexpr Point kRestart{0.25, 0.25, 0.03, 0.06};
  for (double size = 1; size > 0.2; size /= 2) {
    Point first_steps = kRestart;
    for (double& step : first_steps) step *= size;
    nearest = search(shape, FittedRouting::kSeeds, nearest, first_steps).second;
  }
  out.spec = spec_at(nearest, shape);
  for (std::uint64_t seed = 1; seed <= FittedRouting::kSeeds; ++seed)
    out.generated.push_back(generated_figures(out.spec, record, seed));
  return out;
}

}  // namespace reticle
