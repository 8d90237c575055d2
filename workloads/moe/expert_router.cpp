// SPDX-License-Identifier: Apache-2.0
#include "workloads/moe/expert_router.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "sim/base/error.hpp"
#include "sim/base/rng.hpp"
#include "workloads/llm/llm_bounds.hpp"
#include "workloads/moe/routed_batch.hpp"
#include "workloads/moe/routing_record.hpp"

namespace reticle {

namespace {

constexpr std::int32_t kMaxExperts = llm_bounds::kExperts;

std::uint64_t in_128ths(double chance) { return static_cast<std::uint64_t>(chance * 128 + 0.5); }

/// `weights` times factors whose logarithms have standard deviation `sigma`, a stream of draws per
/// purpose; normalised.
std::vector<double> spread(std::vector<double> weights, double sigma, PopularityShape shape,
                           std::uint64_t seed, const std::string& purpose) {
  RngStream rng{seed, purpose};
  const double half_width = sigma * std::sqrt(3.0);
  const auto factor = [&] {
    switch (shape) {
      case PopularityShape::LogUniform:
        return std::exp(half_width * (2 * rng.uniform() - 1));
      case PopularityShape::LogNormal:
        return rng.lognormal(0.0, sigma);
      case PopularityShape::LogGamma:
        break;
    }
    const double each = sigma * std::sqrt(0.5);
    return std::exp(rng.exponential(each) + rng.exponential(each));
  };
  for (double& w : weights) w *= factor();
  double sum = 0.0;
  for (const double w : weights) sum += w;
  for (double& w : weights) w /= sum;
  return weights;
}

}  // namespace

/// Vose's construction: columns short of the average are filled up from those above it.
void ExpertRouter::add_table(Layer& layer, std::span<const double> weights) {
  const std::size_t count = weights.size();
  const std::size_t first = columns_.size();
  layer.weights.insert(layer.weights.end(), weights.begin(), weights.end());
  std::vector<double> height(count);  // 1 = average
  std::vector<std::size_t> small;
  std::vector<std::size_t> large;
  for (std::size_t e = 0; e < count; ++e) {
    columns_.push_back({std::numeric_limits<std::uint16_t>::max(), static_cast<std::uint16_t>(e)});
    height[e] = weights[e] * static_cast<double>(count);
    (height[e] < 1.0 ? small : large).push_back(e);
  }
  while (!small.empty() && !large.empty()) {
    const std::size_t low = small.back();
    const std::size_t high = large.back();
    small.pop_back();
    columns_[first + low] = {static_cast<std::uint16_t>(height[low] * 0x1.0p16),
                             static_cast<std::uint16_t>(high)};
    height[high] -= 1.0 - height[low];
    if (height[high] >= 1.0) continue;
    large.pop_back();
    small.push_back(high);
  }  // those left over are full but for rounding: they keep themselves as alias
}

ExpertRouter::ExpertRouter(const LlmSpec& llm, std::uint64_t seed)
    : seed_{seed}, experts_{}, top_k_{} {
  invariant(llm.moe.has_value(), "a router needs a mixture-of-experts model");
  const MoeSpec& moe = *llm.moe;
  invariant(1 <= moe.top_k && moe.top_k <= moe.experts && moe.experts <= kMaxExperts,
            "1 <= top_k <= experts <= llm_bounds::kExperts");
  experts_ = static_cast<std::int32_t>(moe.experts);
  top_k_ = static_cast<std::int32_t>(moe.top_k);
  spec_ = moe.routing;
  stay_ = in_128ths(spec_.stickiness);
  follow_ = in_128ths(spec_.layer_correlation);
  if (follow_ > 0) before_.resize(kLongestRun);
  for (std::size_t i = 0; i < before_.size(); ++i)
    build_layer(before_[i], static_cast<std::int64_t>(i) - std::ssize(before_));
  layers_.resize(llm.layers.size());
  for (std::int64_t i = 0; i < llm.layer_count(); ++i) {
    if (!llm.layer_is_moe(i)) continue;
    Layer& layer = layers_[static_cast<std::size_t>(i)];
    moe_layers_.push_back(i);
    build_layer(layer, i);
  }
  if (!spec_.recording.empty()) replay(llm);
}

ExpertRouter::~ExpertRouter() = default;
ExpertRouter::ExpertRouter(ExpertRouter&&) noexcept = default;

void ExpertRouter::build_layer(Layer& layer, std::int64_t index) {
  const std::string name = "/layer" + std::to_string(index);
  layer.link = linked_layers_.size();
  draw_keys_.push_back(mix64(layer.link));
  const auto experts = static_cast<std::size_t>(experts_);
  const std::vector<double> base = spread(std::vector<double>(experts, 1.0), spec_.popularity_sigma,
                                          spec_.popularity_shape, seed_, "moe/popularity" + name);
  layer.own = base;
  if (spec_.topic_sigma > 0) {
    std::fill(layer.own.begin(), layer.own.end(), 0.0);
    for (std::int64_t topic = 0; topic < spec_.topics; ++topic) {
      const std::vector<double> mine = spread(base, spec_.topic_sigma, PopularityShape::LogUniform,
                                              seed_, "moe/topic" + std::to_string(topic) + name);
      add_table(layer, mine);
      for (std::size_t e = 0; e < experts; ++e)
        layer.own[e] += mine[e] / static_cast<double>(spec_.topics);
    }
  } else {
    add_table(layer, base);
  }
  layer.popularity = layer.own;
  if (follow_ > 0) link(layer, experts, name);
  linked_layers_.push_back(&layer);
}

/// Which expert follows which: a permutation, kept composed over the layers before, as picks follow
/// over several. What picks come to is a mixture of so many layers' own popularities, of equally
/// many at every layer: the first ones follow from layers before them that nobody asks for.
void ExpertRouter::link(Layer& layer, std::size_t experts, const std::string& name) {
  std::vector<std::uint16_t> next(experts);
  std::iota(next.begin(), next.end(), std::uint16_t{0});
  layer.follows = next;  // over no layer: itself
  if (linked_layers_.empty()) return;
  RngStream rng{seed_, "moe/follows" + name};
  for (std::size_t e = experts; e > 1; --e) std::swap(next[e - 1], next[rng.below(e)]);
  const std::vector<std::uint16_t>& earlier = linked_layers_.back()->follows;
  const std::size_t depths = std::min(kLongestRun, earlier.size() / experts);
  for (std::size_t i = 0; i < depths * experts; ++i) layer.follows.push_back(next[earlier[i]]);

  const double chance = static_cast<double>(follow_) / 128;
  double reached = 1.0;  // chance that a pick follows over so many layers or more
  std::fill(layer.popularity.begin(), layer.popularity.end(), 0.0);
  for (std::size_t depth = 0; depth <= depths; ++depth) {
    const Layer& root = depth == 0 ? layer : *linked_layers_[linked_layers_.size() - depth];
    const double share = depth == depths ? reached : reached * (1 - chance);
    for (std::size_t e = 0; e < experts; ++e)
      layer.popularity[layer.follows[depth * experts + e]] += share * root.own[e];
    reached *= chance;
  }
}

/// Takes the recorded picks, and their popularity for those who place experts by it.
void ExpertRouter::replay(const LlmSpec& llm) {
  auto record = std::make_unique<RoutingRecord>(read_routing(spec_.recording));
  const std::int64_t layers = llm.layers_with(FfnKind::Moe);
  const auto shape = [](std::int64_t e, std::int64_t k, std::int64_t l) {
    return std::to_string(k) + " of " + std::to_string(e) + " experts in " + std::to_string(l) +
           " layers";
  };
  // A CSV file names no count: experts beyond those that occur are never picked.
  if (record->experts > experts_ || record->top_k != top_k_ || record->layers != layers)
    throw ConfigError{{spec_.recording, 1, 1},  // where the file says what it is of
                      "moe.routing.recording",
                      "expected " + shape(experts_, top_k_, layers) + ", found " +
                          shape(record->experts, record->top_k, record->layers)};
  for (Layer& layer : layers_) {
    if (layer.weights.empty()) continue;
    std::fill(layer.popularity.begin(), layer.popularity.end(), 0.0);
    double picks = 0;
    for (const RoutedSession& s : record->sessions)
      for (std::int64_t t = 0; t < record->tokens(s); ++t, picks += top_k_)
        for (std::int32_t i = 0; i < top_k_; ++i)
          ++layer.popularity[record->at(s, t, ordinal(layer))[i]];
    for (double& p : layer.popularity) p /= picks;
  }
  record_ = std::move(record);
}

const ExpertRouter::Layer& ExpertRouter::layer_of(std::int64_t layer) const {
  const bool inside = layer >= 0 && layer < static_cast<std::int64_t>(layers_.size());
  invariant(inside && !layers_[static_cast<std::size_t>(layer)].weights.empty(),
            "not an MoE layer");
  return layers_[static_cast<std::size_t>(layer)];
}

void ExpertRouter::share_topics(std::vector<std::uint64_t> session_of) {
  session_of_ = std::move(session_of);
}

std::int64_t ExpertRouter::ordinal(const Layer& layer) const {
  return static_cast<std::int64_t>(layer.link - before_.size());
}

std::uint64_t ExpertRouter::request_key(RequestId request) const {
  return combine64(seed_, static_cast<std::uint64_t>(request));
}

/// The same in all layers, and in all requests of a session.
std::uint64_t ExpertRouter::topic_of(RequestId request) const {
  const auto number = static_cast<std::uint64_t>(request);
  const std::uint64_t key =
      number < session_of_.size() ? combine64(~seed_, session_of_[number]) : ~request_key(request);
  const std::uint64_t topics = spec_.topic_sigma > 0 ? static_cast<std::uint64_t>(spec_.topics) : 1;
  return (mix64(key) >> 32) * topics >> 32;
}

void ExpertRouter::route(RequestId request, std::int64_t position, std::int64_t layer,
                         std::span<std::int32_t> out) const {
  invariant(out.size() == static_cast<std::size_t>(top_k_), "room for exactly top_k experts");
  RoutedBatch batch{*this};
  batch.add(request, position, 1);
  std::ranges::copy(batch.route(layer), out.begin());
}

void ExpertRouter::add_loads(RequestId request, std::int64_t first, std::int64_t count,
                             std::int64_t layer, std::span<std::int32_t> loads) const {
  RoutedBatch batch{*this};
  batch.add(request, first, count);
  batch.add_loads(layer, loads);
}

std::span<const double> ExpertRouter::popularity(std::int64_t layer) const {
  return layer_of(layer).popularity;
}

}  // namespace reticle
