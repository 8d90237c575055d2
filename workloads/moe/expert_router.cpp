// SPDX-License-Identifier: Apache-2.0
#include "workloads/moe/expert_router.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "sim/base/error.hpp"
#include "sim/base/rng.hpp"
#include "workloads/moe/routing_record.hpp"

namespace reticle {

namespace {

constexpr std::int32_t kMaxExperts = 4096;  // check(LlmSpec) promises as much

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
  for (double& w : weights)
    w *= shape == PopularityShape::LogNormal ? rng.lognormal(0.0, sigma)
                                             : std::exp(half_width * (2 * rng.uniform() - 1));
  double sum = 0.0;
  for (const double w : weights) sum += w;
  for (double& w : weights) w /= sum;
  return weights;
}

}  // namespace

/// Vose's construction: columns short of the average are filled up from those above it.
std::vector<ExpertRouter::Column> ExpertRouter::build_columns(std::span<const double> popularity) {
  const std::size_t count = popularity.size();
  constexpr auto kAlways = std::numeric_limits<std::uint32_t>::max();
  std::vector<Column> columns(count);
  std::vector<double> height(count);  // 1 = average
  std::vector<std::size_t> small;
  std::vector<std::size_t> large;
  for (std::size_t e = 0; e < count; ++e) {
    columns[e] = {kAlways, static_cast<std::int32_t>(e)};
    height[e] = popularity[e] * static_cast<double>(count);
    (height[e] < 1.0 ? small : large).push_back(e);
  }
  while (!small.empty() && !large.empty()) {
    const std::size_t low = small.back();
    const std::size_t high = large.back();
    small.pop_back();
    columns[low] = {static_cast<std::uint32_t>(height[low] * 0x1.0p32),
                    static_cast<std::int32_t>(high)};
    height[high] -= 1.0 - height[low];
    if (height[high] >= 1.0) continue;
    large.pop_back();
    small.push_back(high);
  }
  return columns;  // those left over are full but for rounding: they keep themselves as alias
}

ExpertRouter::AliasTable ExpertRouter::make_table(std::vector<double> weights) {
  std::vector<Column> columns = build_columns(weights);
  return {std::move(columns), std::move(weights)};
}

ExpertRouter::ExpertRouter(const LlmSpec& llm, std::uint64_t seed)
    : seed_{seed}, experts_{}, top_k_{} {
  invariant(llm.moe.has_value(), "a router needs a mixture-of-experts model");
  const MoeSpec& moe = *llm.moe;
  invariant(1 <= moe.top_k && moe.top_k <= moe.experts && moe.experts <= kMaxExperts,
            "1 <= top_k <= experts <= 4096");
  experts_ = static_cast<std::int32_t>(moe.experts);
  top_k_ = static_cast<std::int32_t>(moe.top_k);
  spec_ = moe.routing;
  layers_.resize(llm.layers.size());
  for (std::int64_t i = 0; i < llm.layer_count(); ++i)
    if (llm.layer_is_moe(i)) build_layer(layers_[static_cast<std::size_t>(i)], i);
  if (!spec_.recording.empty()) replay(llm);
}

ExpertRouter::~ExpertRouter() = default;
ExpertRouter::ExpertRouter(ExpertRouter&&) noexcept = default;

void ExpertRouter::build_layer(Layer& layer, std::int64_t index) {
  const std::string name = "/layer" + std::to_string(index);
  const auto experts = static_cast<std::size_t>(experts_);
  layer.base = make_table(spread(std::vector<double>(experts, 1.0), spec_.popularity_sigma,
                                 spec_.popularity_shape, seed_, "moe/popularity" + name));
  layer.popularity = layer.base.popularity;
  if (spec_.topic_sigma > 0) {
    std::fill(layer.popularity.begin(), layer.popularity.end(), 0.0);
    for (std::int64_t topic = 0; topic < spec_.topics; ++topic) {
      layer.topics.push_back(make_table(spread(layer.base.popularity, spec_.topic_sigma,
                                               PopularityShape::LogUniform, seed_,
                                               "moe/topic" + std::to_string(topic) + name)));
      for (std::size_t e = 0; e < experts; ++e)
        layer.popularity[e] +=
            layer.topics.back().popularity[e] / static_cast<double>(spec_.topics);
    }
  }
  if (spec_.layer_correlation <= 0) return;
  for (std::int64_t before = index - 1; before >= 0 && layer.before < 0; --before)
    if (!layers_[static_cast<std::size_t>(before)].base.columns.empty()) layer.before = before;
  if (layer.before < 0) return;
  // Which expert follows which: a permutation, so that what is popular stays as popular.
  RngStream rng{seed_, "moe/follows" + name};
  layer.follows.resize(experts);
  std::iota(layer.follows.begin(), layer.follows.end(), 0);
  for (std::size_t e = experts; e > 1; --e)
    std::swap(layer.follows[e - 1], layer.follows[rng.below(e)]);
  const auto& earlier = layers_[static_cast<std::size_t>(layer.before)].popularity;
  for (double& p : layer.popularity) p *= 1 - spec_.layer_correlation;
  for (std::size_t e = 0; e < experts; ++e)
    layer.popularity[static_cast<std::size_t>(layer.follows[e])] +=
        spec_.layer_correlation * earlier[e];
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
  std::int64_t ordinal = 0;
  for (Layer& layer : layers_) {
    if (layer.base.columns.empty()) continue;
    layer.ordinal = ordinal++;
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

std::vector<std::int64_t> ExpertRouter::moe_layers() const {
  std::vector<std::int64_t> found;
  for (std::size_t i = 0; i < layers_.size(); ++i)
    if (!layers_[i].base.columns.empty()) found.push_back(static_cast<std::int64_t>(i));
  return found;
}

const ExpertRouter::Layer& ExpertRouter::layer_of(std::int64_t layer) const {
  const bool inside = layer >= 0 && layer < static_cast<std::int64_t>(layers_.size());
  invariant(inside && !layers_[static_cast<std::size_t>(layer)].base.columns.empty(),
            "not an MoE layer");
  return layers_[static_cast<std::size_t>(layer)];
}

ExpertRouter::Place ExpertRouter::place_of(std::uint64_t request_key, std::int64_t layer) const {
  return {&layer_of(layer), combine64(request_key, static_cast<std::uint64_t>(layer)),
          request_key};
}

std::int32_t ExpertRouter::pick_from(const AliasTable& table, std::uint64_t bits) const {
  const std::uint64_t index = (bits >> 32) * static_cast<std::uint64_t>(experts_) >> 32;
  const Column column = table.columns[index];
  return static_cast<std::uint32_t>(bits) < column.threshold ? static_cast<std::int32_t>(index)
                                                             : column.alias;
}

template <class Pick>
void ExpertRouter::draw_base(const AliasTable& table, std::uint64_t token_key, Pick pick) const {
  ExpertSet taken{experts_};
  std::int32_t wanted = top_k_;
  // Drawing with replacement and throwing repeats away is drawing without replacement. Where most
  // experts are wanted that may take arbitrarily long, so it stops after a fixed number of draws
  // and the rest comes from an exact, slower draw: each branch has the same law, so has the whole.
  const std::int32_t most_draws = 4 * top_k_;
  for (std::int32_t i = 0; i < most_draws && wanted > 0; ++i) {
    const std::int32_t expert = pick_from(table, mix64(++token_key));
    if (taken.contains(expert)) continue;
    taken.insert(expert);
    pick(expert);
    --wanted;
  }
  for (; wanted > 0; --wanted) {
    const double fraction = unit_interval(mix64(++token_key));
    const std::int32_t expert = pick_among_rest(table.popularity, taken, fraction);
    taken.insert(expert);
    pick(expert);
  }
}

/// The preferences of the request's topic, which is the same in all layers.
const ExpertRouter::AliasTable& ExpertRouter::table_of(const Place& place) const {
  if (place.layer->topics.empty()) return place.layer->base;
  const std::uint64_t bits = mix64(~place.request_key) >> 32;
  return place.layer->topics[bits * static_cast<std::uint64_t>(spec_.topics) >> 32];
}

namespace {
/// Coins that fall with a chance (in 1/256), eight of them from one hash.
struct Coins {
  std::uint64_t key;
  std::uint64_t chance;

  [[nodiscard]] bool fall(std::int64_t at, std::int32_t rank) const {
    const std::uint64_t bits =
        combine64(key + static_cast<std::uint64_t>(rank / 8), static_cast<std::uint64_t>(at));
    return (bits >> (rank % 8 * 8) & 255U) < chance;
  }
};
std::uint64_t in_256ths(double chance) { return static_cast<std::uint64_t>(chance * 256 + 0.5); }
}  // namespace

/// The last position up to this one at which the pick of that rank was drawn anew. Pure: the chain
/// of tokens that keep it is read from hashes, never stored.
std::int64_t ExpertRouter::drawn_at(const Place& place, std::int64_t position,
                                    std::int32_t rank) const {
  constexpr std::int64_t kLongestStay = 64;  // at 0.95, 4 % of the stays would be longer
  const Coins stays{~place.key, in_256ths(spec_.stickiness)};
  const std::int64_t first = std::max<std::int64_t>(0, position - kLongestStay);
  while (position > first && stays.fall(position, rank)) --position;
  return position;
}

std::int32_t ExpertRouter::fresh(const Place& place, std::int64_t position, std::int32_t rank,
                                 std::int32_t attempt) const {
  const std::uint64_t salt =
      static_cast<std::uint64_t>(rank) << 32U | static_cast<std::uint64_t>(attempt);
  return pick_from(table_of(place),
                   mix64(combine64(place.key, static_cast<std::uint64_t>(position)) +
                         salt * 0x9e3779b97f4a7c15ULL));
}

/// The pick of a rank: that of an earlier token while it stays, itself what follows from the last
/// layer that drew it.
std::int32_t ExpertRouter::linked(const Place& place, std::int64_t position,
                                  std::int32_t rank) const {
  if (spec_.stickiness > 0) position = drawn_at(place, position, rank);
  if (spec_.layer_correlation <= 0) return fresh(place, position, rank, 0);
  constexpr std::size_t kLongestChain = 64;
  std::array<const Layer*, kLongestChain> chain;
  std::size_t links = 0;
  Place at = place;
  const std::uint64_t chance = in_256ths(spec_.layer_correlation);
  while (links < kLongestChain && at.layer->before >= 0 &&
         Coins{at.key * 3, chance}.fall(position, rank)) {
    chain[links++] = at.layer;
    at = place_of(place.request_key, at.layer->before);
  }
  std::int32_t expert = fresh(at, position, rank, 0);
  while (links > 0) expert = chain[--links]->follows[static_cast<std::size_t>(expert)];
  return expert;
}

template <class Pick>
void ExpertRouter::draw_linked(const Place& place, std::int64_t position, Pick pick) const {
  constexpr std::int32_t kMostAttempts = 8;
  ExpertSet taken{experts_};
  for (std::int32_t rank = 0; rank < top_k_; ++rank) {
    std::int32_t expert = linked(place, position, rank);
    // A pick taken by an earlier rank is drawn anew, at this very token.
    for (std::int32_t i = 1; i <= kMostAttempts && taken.contains(expert); ++i)
      expert = fresh(place, position, rank, i);
    if (taken.contains(expert))
      expert = pick_among_rest(table_of(place).popularity, taken,
                               unit_interval(combine64(place.key + static_cast<std::uint64_t>(rank),
                                                       static_cast<std::uint64_t>(position))));
    taken.insert(expert);
    pick(expert);
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
  if (spec_.stickiness > 0 || spec_.layer_correlation > 0)
    draw_linked(place, position, pick);
  else
    draw_base(table_of(place), combine64(place.key, static_cast<std::uint64_t>(position)), pick);
}

namespace {
std::uint64_t key_of(std::uint64_t seed, RequestId request) {
  return combine64(seed, static_cast<std::uint64_t>(request));
}
}  // namespace

void ExpertRouter::route(RequestId request, std::int64_t position, std::int64_t layer,
                         std::span<std::int32_t> out) const {
  invariant(out.size() == static_cast<std::size_t>(top_k_), "room for exactly top_k experts");
  const auto put = [next = out.begin()](std::int32_t e) mutable { *next++ = e; };
  if (record_)
    recorded(request, position, layer, put);
  else
    draw(place_of(key_of(seed_, request), layer), position, put);
}

void ExpertRouter::add_loads(RequestId request, std::int64_t first, std::int64_t count,
                             std::int64_t layer, std::span<std::int32_t> loads) const {
  invariant(loads.size() == static_cast<std::size_t>(experts_), "one load per expert");
  const Place place = place_of(key_of(seed_, request), layer);
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
