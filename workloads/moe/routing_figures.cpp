// SPDX-License-Identifier: Apache-2.0
#include "workloads/moe/routing_figures.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "sim/base/rng.hpp"
#include "workloads/moe/expert_capacity.hpp"

namespace reticle {

namespace {

class Measure {
 public:
  explicit Measure(const RoutingRecord& record)
      : r_{record}, experts_{static_cast<std::size_t>(record.experts)} {}

  RoutingFigures run() {
    for (std::int64_t layer = 0; layer < r_.layers; ++layer) {
      measure_loads(layer);
      for (std::size_t i = 0; i < out_.reuse.size(); ++i)
        reuse_of(layer, RoutingFigures::kLags[i], reuse_[i]);
      out_.layers.back().reuse = last_reuse_;
      cache(layer);
      for (std::size_t i = 0; i < out_.window.size(); ++i)
        windows(layer, RoutingFigures::kWindows[i], window_[i]);
      if (layer + 1 < r_.layers) predict(layer);
    }
    for (std::size_t i = 0; i < out_.distinct.size(); ++i)
      out_.distinct[i] = distinct(RoutingFigures::kBatches[i]);
    finish();
    return std::move(out_);
  }

 private:
  struct Ratio {
    double hits = 0, all = 0;
    [[nodiscard]] double value() const { return all > 0 ? hits / all : 0; }
  };

  /// f(session, token) for every token.
  template <class F>
  void each_token(F f) const {
    for (const RoutedSession& s : r_.sessions)
      for (std::int64_t t = 0; t < r_.tokens(s); ++t) f(s, t);
  }

  void measure_loads(std::int64_t layer) {
    std::vector<double> loads(experts_);
    double tokens = 0;
    each_token([&](const RoutedSession& s, std::int64_t t) {
      ++tokens;
      const std::uint16_t* picks = r_.at(s, t, layer);
      for (std::int64_t i = 0; i < r_.top_k; ++i) ++loads[picks[i]];
    });
    double same = 0;
    for (const double load : loads) same += load / tokens * (load / tokens);
    independent_ += same / static_cast<double>(r_.top_k);
    out_.layers.push_back(loads_of(std::move(loads)));
  }

  void reuse_of(std::int64_t layer, std::int64_t lag, Ratio& sum) {
    Ratio mine;
    std::vector<std::int64_t> seen(experts_, -1);
    std::int64_t stamp = 0;
    for (const RoutedSession& s : r_.sessions)
      for (std::int64_t t = lag; t < r_.tokens(s); ++t, ++stamp) {
        const std::uint16_t* now = r_.at(s, t, layer);
        const std::uint16_t* then = r_.at(s, t - lag, layer);
        for (std::int64_t i = 0; i < r_.top_k; ++i) seen[then[i]] = stamp;
        for (std::int64_t i = 0; i < r_.top_k; ++i) mine.hits += seen[now[i]] == stamp;
        mine.all += static_cast<double>(r_.top_k);
      }
    sum.hits += mine.hits;
    sum.all += mine.all;
    if (lag == 1) last_reuse_ = mine.value();
  }

  /// One pass serves all sizes: a pick hits every cache larger than its place in the LRU order, the
  /// experts used since. Picks of one token are looked up before any of them moves.
  void cache(std::int64_t layer) {
    depth_.resize(experts_ + 1);
    for (const RoutedSession& s : r_.sessions) {
      std::vector<std::int32_t> used(experts_, 0);  // when last; 0: never
      std::int32_t now = 0;
      for (std::int64_t t = 0; t < r_.tokens(s); ++t) {
        const std::uint16_t* picks = r_.at(s, t, layer);
        for (std::int64_t i = 0; i < r_.top_k; ++i) {
          const std::int32_t then = used[picks[i]];
          const auto since = std::count_if(used.begin(), used.end(),
                                           [then](std::int32_t other) { return other > then; });
          ++depth_[then == 0 ? experts_ : static_cast<std::size_t>(since)];
        }
        for (std::int64_t i = r_.top_k; i-- > 0;) used[picks[i]] = ++now;
      }
    }
  }

  void windows(std::int64_t layer, std::int64_t width, Ratio& sum) const {
    std::vector<std::int64_t> seen(experts_, -1);
    std::int64_t stamp = 0;
    for (const RoutedSession& s : r_.sessions)
      for (std::int64_t t = 0; t + width <= r_.tokens(s); t += width, ++stamp) {
        const std::uint16_t* picks = r_.at(s, t, layer);
        for (std::int64_t w = 0; w < width; ++w, picks += r_.layers * r_.top_k)
          for (std::int64_t i = 0; i < r_.top_k; ++i)
            sum.hits += std::exchange(seen[picks[i]], stamp) != stamp;
        ++sum.all;
      }
  }

  /// First picks of the next layer by the table that names, for each first pick here, what most
  /// often follows it.
  void predict(std::int64_t layer) {
    std::unordered_map<std::uint32_t, std::int32_t> follows;  // only pairs that occur
    std::vector<std::int32_t> next(experts_), most(experts_);
    double tokens = 0;
    each_token([&](const RoutedSession& s, std::int64_t t) {
      const std::uint16_t from = *r_.at(s, t, layer);
      const std::uint16_t to = *r_.at(s, t, layer + 1);
      most[from] = std::max(most[from], ++follows[(std::uint32_t{from} << 16U) | to]);
      ++next[to];
      ++tokens;
    });
    predicted_.hits += std::accumulate(most.begin(), most.end(), 0.0);
    predicted_.all += tokens;
    commonest_.hits += *std::max_element(next.begin(), next.end());
    commonest_.all += tokens;
  }

  /// Mean over draws of so many different sessions and a token of each, all layers.
  [[nodiscard]] double distinct(std::int64_t batch) const {
    std::vector<const RoutedSession*> all;
    for (const RoutedSession& s : r_.sessions)
      if (r_.tokens(s) > 0) all.push_back(&s);
    const auto want = static_cast<std::size_t>(batch);
    if (all.size() < want) return 0;
    constexpr int kDraws = 200;
    RngStream rng{1, "routing/distinct"};
    std::vector<std::int64_t> seen(experts_, -1);
    std::int64_t stamp = 0, touched = 0;
    for (int d = 0; d < kDraws; ++d) {
      for (std::size_t i = 0; i < want; ++i) std::swap(all[i], all[i + rng.below(all.size() - i)]);
      std::vector<std::int64_t> tokens(want);
      for (std::size_t i = 0; i < want; ++i)
        tokens[i] =
            static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(r_.tokens(*all[i]))));
      for (std::int64_t layer = 0; layer < r_.layers; ++layer, ++stamp)
        for (std::size_t i = 0; i < want; ++i) {
          const std::uint16_t* picks = r_.at(*all[i], tokens[i], layer);
          for (std::int64_t k = 0; k < r_.top_k; ++k)
            touched += std::exchange(seen[picks[k]], stamp) != stamp;
        }
    }
    return static_cast<double>(touched) / static_cast<double>(stamp);
  }

  void finish() {
    const auto layers = static_cast<double>(r_.layers);
    for (const LayerLoads& one : out_.layers) {
      out_.mean.max_over_mean += one.max_over_mean / layers;
      out_.mean.cv += one.cv / layers;
      out_.mean.gini += one.gini / layers;
    }
    for (std::size_t i = 0; i < out_.reuse.size(); ++i) out_.reuse[i] = reuse_[i].value();
    out_.mean.reuse = out_.reuse[0];
    out_.independent = independent_ / layers;
    const double picks = std::accumulate(depth_.begin(), depth_.end(), 0.0);
    for (std::size_t i = 0; i < out_.lru.size(); ++i) {
      const auto size = static_cast<std::ptrdiff_t>(
          std::llround(RoutingFigures::kCacheParts[i] * static_cast<double>(experts_)));
      out_.lru[i] = std::accumulate(depth_.begin(), depth_.begin() + size, 0.0) / picks;
    }
    for (std::size_t i = 0; i < out_.window.size(); ++i) out_.window[i] = window_[i].value();
    out_.next_layer = predicted_.value();
    out_.commonest = commonest_.value();
  }

  const RoutingRecord& r_;
  const std::size_t experts_;
  RoutingFigures out_;
  std::array<Ratio, 3> reuse_{}, window_{};
  Ratio predicted_, commonest_;
  std::vector<std::int64_t> depth_;  ///< picks by place in the LRU order; last: nowhere
  double independent_ = 0, last_reuse_ = 0;
};

}  // namespace

LayerLoads loads_of(std::vector<double> loads) {
  const auto n = static_cast<double>(loads.size());
  const double mean = std::accumulate(loads.begin(), loads.end(), 0.0) / n;
  std::sort(loads.begin(), loads.end());
  double variance = 0, weighted = 0;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    variance += (loads[i] - mean) * (loads[i] - mean) / n;
    weighted += static_cast<double>(i + 1) * loads[i];
  }
  return {.max_over_mean = loads.back() / mean,
          .cv = std::sqrt(variance) / mean,
          .gini = 2 * weighted / (n * n * mean) - (n + 1) / n};
}

DroppedPicks dropped_of(const RoutingRecord& record, double capacity_factor) {
  DroppedPicks out;
  std::int64_t longest = 0;
  for (const RoutedSession& s : record.sessions) longest = std::max(longest, record.tokens(s));
  std::vector<std::int32_t> loads(static_cast<std::size_t>(record.experts));
  for (std::int64_t t = 0; t < longest; ++t) {
    std::int64_t dropped = 0, tokens = 0;
    for (const RoutedSession& s : record.sessions) tokens += t < record.tokens(s) ? 1 : 0;
    const std::int64_t capacity =
        expert_capacity(tokens, record.top_k, record.experts, capacity_factor);
    for (std::int64_t layer = 0; layer < record.layers; ++layer) {
      std::fill(loads.begin(), loads.end(), 0);
      for (const RoutedSession& s : record.sessions)
        if (t < record.tokens(s))
          for (std::int64_t i = 0; i < record.top_k; ++i) ++loads[record.at(s, t, layer)[i]];
      dropped += picks_beyond(loads, capacity);
    }
    const std::int64_t picks = tokens * record.layers * record.top_k;
    out.picks += picks;
    out.dropped += dropped;
    out.worst_step =
        std::max(out.worst_step, static_cast<double>(dropped) / static_cast<double>(picks));
    ++out.steps;
  }
  return out;
}

RoutingFigures figures_of(const RoutingRecord& record) { return Measure{record}.run(); }

}  // namespace reticle
