// SPDX-License-Identifier: Apache-2.0
#include "workloads/moe/expert_router.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "sim/base/error.hpp"
#include "sim/base/rng.hpp"

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

std::vector<double> draw_popularity(std::int32_t experts, double sigma, std::uint64_t seed,
                                    std::int64_t layer) {
  RngStream rng{seed, "moe/popularity/layer" + std::to_string(layer)};
  std::vector<double> popularity(static_cast<std::size_t>(experts), 1.0);
  if (sigma > 0.0)
    for (double& p : popularity) p = rng.lognormal(0.0, sigma);
  double sum = 0.0;
  for (const double p : popularity) sum += p;
  for (double& p : popularity) p /= sum;
  return popularity;
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

ExpertRouter::ExpertRouter(const LlmSpec& llm, std::uint64_t seed)
    : seed_{seed}, experts_{}, top_k_{} {
  invariant(llm.moe.has_value(), "a router needs a mixture-of-experts model");
  const MoeSpec& moe = *llm.moe;
  invariant(1 <= moe.top_k && moe.top_k <= moe.experts && moe.experts <= kMaxExperts,
            "1 <= top_k <= experts <= 4096");
  experts_ = static_cast<std::int32_t>(moe.experts);
  top_k_ = static_cast<std::int32_t>(moe.top_k);
  for (std::int64_t layer = 0; layer < llm.layer_count(); ++layer) {
    AliasTable& table = layers_.emplace_back();
    if (!llm.layer_is_moe(layer)) continue;
    table.popularity = draw_popularity(experts_, moe.popularity_sigma, seed, layer);
    table.columns = build_columns(table.popularity);
  }
}

const ExpertRouter::AliasTable& ExpertRouter::table_of(std::int64_t layer) const {
  const bool inside = layer >= 0 && layer < static_cast<std::int64_t>(layers_.size());
  invariant(inside && !layers_[static_cast<std::size_t>(layer)].columns.empty(),
            "not an MoE layer");
  return layers_[static_cast<std::size_t>(layer)];
}

std::uint64_t ExpertRouter::key_of(RequestId request, std::int64_t layer) const {
  const std::uint64_t of_request = combine64(seed_, static_cast<std::uint64_t>(request));
  return combine64(of_request, static_cast<std::uint64_t>(layer));
}

template <class Pick>
void ExpertRouter::draw(const AliasTable& table, std::uint64_t token_key, Pick pick) const {
  ExpertSet taken{experts_};
  const Column* columns = table.columns.data();
  const auto experts = static_cast<std::uint64_t>(experts_);
  std::int32_t wanted = top_k_;

  // Drawing with replacement and throwing repeats away is drawing without replacement. Where most
  // experts are wanted that may take arbitrarily long, so it stops after a fixed number of draws
  // and the rest comes from an exact, slower draw: each branch has the same law, so has the whole.
  const std::int32_t most_draws = 4 * top_k_;
  for (std::int32_t i = 0; i < most_draws && wanted > 0; ++i) {
    const std::uint64_t bits = mix64(++token_key);
    const std::uint64_t index = (bits >> 32) * experts >> 32;
    const Column column = columns[index];
    const auto fraction = static_cast<std::uint32_t>(bits);
    const std::int32_t expert =
        fraction < column.threshold ? static_cast<std::int32_t>(index) : column.alias;
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

void ExpertRouter::route(RequestId request, std::int64_t position, std::int64_t layer,
                         std::span<std::int32_t> out) const {
  invariant(out.size() == static_cast<std::size_t>(top_k_), "room for exactly top_k experts");
  const std::uint64_t key = combine64(key_of(request, layer), static_cast<std::uint64_t>(position));
  draw(table_of(layer), key, [next = out.begin()](std::int32_t e) mutable { *next++ = e; });
}

void ExpertRouter::add_loads(RequestId request, std::int64_t first, std::int64_t count,
                             std::int64_t layer, std::span<std::int32_t> loads) const {
  invariant(loads.size() == static_cast<std::size_t>(experts_), "one load per expert");
  const AliasTable& table = table_of(layer);
  const std::uint64_t key = key_of(request, layer);
  for (std::int64_t position = first; position < first + count; ++position)
    draw(table, combine64(key, static_cast<std::uint64_t>(position)),
         [loads](std::int32_t e) { ++loads[static_cast<std::size_t>(e)]; });
}

std::span<const double> ExpertRouter::popularity(std::int64_t layer) const {
  return table_of(layer).popularity;
}

}  // namespace reticle
