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
#include "workloads/moe/routing_record.hpp"

namespace reticle {

namespace {

constexpr std::int32_t kMaxExperts = llm_bounds::kExperts;

/// Experts a token has already; only the words in use are cleared, for one token costs 50 ns.
class ExpertSet {
 public:
  explicit ExpertSet(std::int32_t experts) {
    std::fill_n(words_.begin(), (static_cast<std::size_t>(experts) + 63) / 64, std::uint64_t{0});
  }
  [[nodiscard]] bool contains(std::int32_t expert) const {
    return (words_[word(expert)] >> (expert & 63) & 1) != 0;
  }
  void insert(std::int32_t expert) { words_[word(expert)] |= std::uint64_t{1} << (expert & 63); }

 private:
  static std::size_t word(std::int32_t expert) { return static_cast<std::size_t>(expert) >> 6; }
  std::array<std::uint64_t, kMaxExperts / 64> words_;
};

std::uint64_t in_128ths(double chance) { return static_cast<std::uint64_t>(chance * 128 + 0.5); }

constexpr std::size_t kLongestRun = 8;  // of tokens that keep a pick, and of layers it follows over

/// The expert at which the cumulative popularity of those not yet taken passes `fraction`.
std::int32_t pick_among_rest(std::span<const double> popularity, const ExpertSet& taken,
                             double fraction) {
  double rest = 0.0;
  for (std::size_t e = 0; e < popularity.size(); ++e)
    if (!taken.contains(static_cast<std::int32_t>(e))) rest += popularity[e];
  double remaining = fraction * rest;
  std::int32_t last = -1;
  for (std::size_t e = 0; e < popularity.size(); ++e) {
    if (taken.contains(static_cast<std::int32_t>(e))) continue;
    last = static_cast<std::int32_t>(e);
    remaining -= popularity[e];
    if (remaining < 0.0) break;
  }
  return last;
}

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
void ExpertRouter::add_table(Layer& layer, std::span<const double> weights) const {
  const std::size_t count = weights.size();
  const std::size_t first = layer.columns.size();
  layer.weights.insert(layer.weights.end(), weights.begin(), weights.end());
  std::vector<double> height(count);  // 1 = average
  std::vector<std::size_t> small;
  std::vector<std::size_t> large;
  for (std::size_t e = 0; e < count; ++e) {
    layer.columns.push_back(
        {std::numeric_limits<std::uint16_t>::max(), static_cast<std::uint16_t>(e)});
    height[e] = weights[e] * static_cast<double>(count);
    (height[e] < 1.0 ? small : large).push_back(e);
  }
  while (!small.empty() && !large.empty()) {
    const std::size_t low = small.back();
    const std::size_t high = large.back();
    small.pop_back();
    layer.columns[first + low] = {static_cast<std::uint16_t>(height[low] * 0x1.0p16),
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
    layer.ordinal = std::ssize(moe_layers_);
    moe_layers_.push_back(i);
    build_layer(layer, i);
  }
  if (!spec_.recording.empty()) replay(llm);
}

ExpertRouter::~ExpertRouter() = default;
ExpertRouter::ExpertRouter(ExpertRouter&&) noexcept = default;

void ExpertRouter::build_layer(Layer& layer, std::int64_t index) {
  const std::string name = "/layer" + std::to_string(index);
  layer.salt = mix64(static_cast<std::uint64_t>(index)) | 1U;
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
    throw ConfigError{{spec_.recording},
                      "moe.routing.recording",
                      "expected " + shape(experts_, top_k_, layers) + ", found " +
                          shape(record->experts, record->top_k, record->layers)};
  for (Layer& layer : layers_) {
    if (layer.columns.empty()) continue;
    std::fill(layer.popularity.begin(), layer.popularity.end(), 0.0);
    double picks = 0;
    for (const RoutedSession& s : record->sessions)
      for (std::int64_t t = 0; t < record->tokens(s); ++t, picks += top_k_)
        for (std::int32_t i = 0; i < top_k_; ++i)
          ++layer.popularity[record->at(s, t, layer.ordinal)[i]];
    for (double& p : layer.popularity) p /= picks;
  }
  record_ = std::move(record);
}

const ExpertRouter::Layer& ExpertRouter::layer_of(std::int64_t layer) const {
  const bool inside = layer >= 0 && layer < static_cast<std::int64_t>(layers_.size());
  invariant(inside && !layers_[static_cast<std::size_t>(layer)].columns.empty(),
            "not an MoE layer");
  return layers_[static_cast<std::size_t>(layer)];
}

void ExpertRouter::share_topics(std::vector<std::uint64_t> session_of) {
  session_of_ = std::move(session_of);
}

ExpertRouter::Place ExpertRouter::place_of(RequestId request, std::int64_t layer) const {
  const Layer& l = layer_of(layer);
  const auto number = static_cast<std::uint64_t>(request);
  const std::uint64_t key = combine64(seed_, number);
  // The topic is the same in all layers, and in all requests of a session.
  const std::uint64_t topic_key =
      number < session_of_.size() ? combine64(~seed_, session_of_[number]) : ~key;
  const std::uint64_t topics = spec_.topic_sigma > 0 ? static_cast<std::uint64_t>(spec_.topics) : 1;
  const std::uint64_t topic = (mix64(topic_key) >> 32) * topics >> 32;
  return {&l, mix64(key ^ l.salt), key, topic * static_cast<std::size_t>(experts_)};
}

std::int32_t ExpertRouter::pick_from(const Layer& layer, std::size_t table,
                                     std::uint64_t bits) const {
  const std::uint64_t index = (bits >> 32) * static_cast<std::uint64_t>(experts_) >> 32;
  const Column column = layer.columns[table + index];
  return static_cast<std::uint16_t>(bits) < column.threshold ? static_cast<std::int32_t>(index)
                                                             : std::int32_t{column.alias};
}

std::span<const double> ExpertRouter::weights_of(const Place& place) const {
  return std::span{place.layer->weights}.subspan(place.table, static_cast<std::size_t>(experts_));
}

template <class Pick>
void ExpertRouter::draw_alone(const Place& place, std::int64_t position, Pick pick) const {
  std::uint64_t token_key = combine64(place.key, static_cast<std::uint64_t>(position));
  ExpertSet taken{experts_};
  std::int32_t wanted = top_k_;
  // Drawing with replacement and throwing repeats away is drawing without replacement. Where most
  // experts are wanted that may take arbitrarily long, so it stops after a fixed number of draws
  // and the rest comes from an exact, slower draw: each branch has the same law, so has the whole.
  const std::int32_t most_draws = 4 * top_k_;
  for (std::int32_t i = 0; i < most_draws && wanted > 0; ++i) {
    const std::int32_t expert = pick_from(*place.layer, place.table, mix64(++token_key));
    if (taken.contains(expert)) continue;
    taken.insert(expert);
    pick(expert);
    --wanted;
  }
  for (; wanted > 0; --wanted) {
    const double fraction = unit_interval(mix64(++token_key));
    const std::int32_t expert = pick_among_rest(weights_of(place), taken, fraction);
    taken.insert(expert);
    pick(expert);
  }
}

namespace {

constexpr std::uint64_t kRank = 0x9e3779b97f4a7c15ULL, kWord = 0xd1b54a32d192ed03ULL,
                        kToken =
                            0x8cb92ba72f3d8dd7ULL;  // odd: keys of ranks, words and tokens differ

/// Sixteen coins up to number `last`, one a byte: two words of hashes under one key, which the
/// ranks of a token share and each stirs for itself.
class Coins {
 public:
  Coins(std::uint64_t key, std::int64_t last)
      : here_{mix64(key + word(last) * kWord)},
        before_{mix64(key + (word(last) - 1) * kWord)},
        last_{last} {}

  /// How many fall one after another for a rank, from the last downwards, each with a chance of
  /// `in_128`/128; at most 8 and `last`. Without a branch: such runs end unpredictably, and two are
  /// drawn per pick.
  [[nodiscard]] std::int64_t run(std::int32_t rank, std::uint64_t in_128) const {
    const auto place = static_cast<unsigned>(last_ & 7);
    // Coin `last` in the highest byte, the seven before it behind.
    const std::uint64_t coins =
        stir(here_, rank) << (7 - place) * 8 | stir(before_, rank) >> 1U >> (place * 8 + 7);
    constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
    const std::uint64_t stands = ((coins & 0x7f * kOnes) + (128 - in_128) * kOnes) & 0x80 * kOnes;
    return std::min<std::int64_t>(std::countl_zero(stands) / 8, last_);
  }

 private:
  static std::uint64_t word(std::int64_t last) { return static_cast<std::uint64_t>(last) >> 3U; }
  static std::uint64_t stir(std::uint64_t word, std::int32_t rank) {
    std::uint64_t x = word + static_cast<std::uint64_t>(rank) * kRank;
    x = (x ^ x >> 29U) * 0xbf58476d1ce4e5b9ULL;
    return x ^ x >> 32U;
  }

  std::uint64_t here_, before_;
  std::int64_t last_;
};

}  // namespace

/// The pick of a rank: drawn at the last token that did not keep it, at the last layer from which
/// it follows. Pure: both are read from hashes, never stored.
class ExpertRouter::Linked {
 public:
  Linked(const ExpertRouter& router, const Place& place, std::int64_t position)
      : r_{router},
        place_{place},
        position_{position},
        stays_{~place.key, position},
        follows_{follows_at(position)} {}

  [[nodiscard]] std::int32_t pick(std::int32_t rank) const {
    const std::int64_t stay = stays_.run(rank, r_.stay_);
    const std::int64_t position = position_ - stay;
    const std::int64_t depth = (stay == 0 ? follows_ : follows_at(position)).run(rank, r_.follow_);
    const Layer& root = *r_.linked_layers_[static_cast<std::size_t>(linked_at() - depth)];
    const std::uint64_t token =
        static_cast<std::uint64_t>(position) * kToken + static_cast<std::uint64_t>(rank) * kRank;
    const std::int32_t expert =
        r_.pick_from(root, place_.table, mix64(place_.request_key * root.salt ^ token));
    if (r_.follow_ == 0) return expert;
    return place_.layer->follows[static_cast<std::size_t>(depth * r_.experts_ + expert)];
  }

 private:
  [[nodiscard]] std::int64_t linked_at() const {
    return place_.layer->ordinal + std::ssize(r_.before_);
  }
  [[nodiscard]] Coins follows_at(std::int64_t position) const {
    return {place_.request_key + static_cast<std::uint64_t>(position) * kToken, linked_at()};
  }

  const ExpertRouter& r_;
  const Place& place_;
  const std::int64_t position_;
  const Coins stays_, follows_;
};

template <class Pick>
void ExpertRouter::draw_linked(const Place& place, std::int64_t position, Pick pick) const {
  constexpr std::uint64_t kMostAttempts = 8;
  constexpr std::int32_t kAtOnce = 8;
  const Linked linked{*this, place, position};
  const std::uint64_t again = combine64(place.key, static_cast<std::uint64_t>(position));
  ExpertSet taken{experts_};
  std::array<std::int32_t, kAtOnce> wanted;
  for (std::int32_t first = 0; first < top_k_; first += kAtOnce) {
    const std::int32_t count = std::min(kAtOnce, top_k_ - first);
    // What ranks want does not depend on each other: drawn in a row they overlap in the processor,
    // where repeats, which nobody can foresee, would come between.
    for (std::int32_t i = 0; i < count; ++i)
      wanted[static_cast<std::size_t>(i)] = linked.pick(first + i);
    for (std::int32_t i = 0; i < count; ++i) {
      const auto rank = static_cast<std::uint64_t>(first + i);
      std::int32_t expert = wanted[static_cast<std::size_t>(i)];
      // A pick taken by an earlier rank is drawn anew, at this very token.
      for (std::uint64_t n = 1; n <= kMostAttempts && taken.contains(expert); ++n)
        expert = pick_from(*place.layer, place.table, mix64(again + (rank << 32U | n)));
      if (taken.contains(expert))
        expert = pick_among_rest(
            weights_of(place), taken,
            unit_interval(combine64(place.key + rank, static_cast<std::uint64_t>(position))));
      taken.insert(expert);
      pick(expert);
    }
  }
}

template <class Pick>
void ExpertRouter::recorded(RequestId request, std::int64_t position, std::int64_t layer,
                            Pick pick) const {
  const auto& sessions = record_->sessions;
  const RoutedSession& s = sessions[static_cast<std::uint64_t>(request) % sessions.size()];
  const std::uint16_t* picks =
      record_->at(s, position % record_->tokens(s), layer_of(layer).ordinal);
  for (std::int32_t i = 0; i < top_k_; ++i) pick(std::int32_t{picks[i]});
}

template <class Pick>
void ExpertRouter::draw(const Place& place, std::int64_t position, Pick pick) const {
  if (stay_ > 0 || follow_ > 0)
    draw_linked(place, position, pick);
  else
    draw_alone(place, position, pick);
}

void ExpertRouter::route(RequestId request, std::int64_t position, std::int64_t layer,
                         std::span<std::int32_t> out) const {
  invariant(out.size() == static_cast<std::size_t>(top_k_), "room for exactly top_k experts");
  const auto put = [next = out.begin()](std::int32_t e) mutable { *next++ = e; };
  if (record_)
    recorded(request, position, layer, put);
  else
    draw(place_of(request, layer), position, put);
}

void ExpertRouter::add_loads(RequestId request, std::int64_t first, std::int64_t count,
                             std::int64_t layer, std::span<std::int32_t> loads) const {
  invariant(loads.size() == static_cast<std::size_t>(experts_), "one load per expert");
  const Place place = place_of(request, layer);
  const auto add = [loads](std::int32_t e) { ++loads[static_cast<std::size_t>(e)]; };
  for (std::int64_t position = first; position < first + count; ++position)
    if (record_)
      recorded(request, position, layer, add);
    else
      draw(place, position, add);
}

std::span<const double> ExpertRouter::popularity(std::int64_t layer) const {
  return layer_of(layer).popularity;
}

}  // namespace reticle
