// SPDX-License-Identifier: Apache-2.0
#include "workloads/moe/routed_batch.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "sim/base/error.hpp"
#include "sim/base/rng.hpp"
#include "workloads/moe/routing_record.hpp"

namespace reticle {

namespace {

// What is kept of a block of tokens stays in the nearest cache.
constexpr std::size_t kBlockPicks = 512, kBlockTokens = 64;

// A draw's bits are the hash of a sum: random keys of request and of layer, and these odd steps of
// position, rank and attempt, as counter-based generators hash a counter.
constexpr std::uint64_t kPosition = 0x8cb92ba72f3d8dd7ULL, kRank = 0x9e3779b97f4a7c15ULL,
                        kAttempt = 0xd1b54a32d192ed03ULL;

/// What a key of layers is for.
enum class Purpose : std::uint64_t { Stay, Follow, Again };
constexpr std::uint64_t key_of(Purpose purpose, std::uint64_t layers) {
  return combine64(static_cast<std::uint64_t>(purpose), layers);
}

/// A hash of one multiplication, four to a pick: wyrand's [Wang Yi,
/// github.com/wangyi-fudan/wyhash].
constexpr std::uint64_t draw64(std::uint64_t key) {
  const auto product = static_cast<unsigned __int128>(key) * (key ^ 0xe7037ed1a1b428dbULL);
  return static_cast<std::uint64_t>(product >> 64U) ^ static_cast<std::uint64_t>(product);
}

// ---- coins ----------------------------------------------------------------------------------
// Eight to a word, one a byte, each with a chance in 1/128.

constexpr std::uint64_t kBytes = 0x0101010101010101ULL;

/// The highest bit of each byte whose coin does not fall.
constexpr std::uint64_t not_fallen(std::uint64_t coins, std::uint64_t in_128) {
  return ((coins & 0x7f * kBytes) + (128 - in_128) * kBytes) & 0x80 * kBytes;
}

/// By byte, of the ranks whose bytes `ranks` has ones in: how many coins fall one after another,
/// those of `key` first, then those of the position before; at most `longest`.
std::uint64_t runs(std::uint64_t key, std::uint64_t in_128, std::uint64_t ranks,
                   std::int64_t longest) {
  constexpr std::int64_t kUsual = 3;  // longer ones are rare enough for a branch that foresees them
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < longest && (i < kUsual || ranks != 0); ++i, key -= kPosition) {
    ranks &= ~not_fallen(draw64(key), in_128) >> 7U;
    sum += ranks;
  }
  return sum;
}

/// How many of eight coins fall one after another, from the lowest byte upwards.
std::uint64_t run(std::uint64_t coins, std::uint64_t in_128) {
  // The last bit stands behind the eighth coin: without a branch, for no one foresees these runs.
  constexpr std::uint64_t kEnd = std::uint64_t{1} << 63U;
  return (static_cast<std::uint64_t>(std::countr_zero(not_fallen(coins, in_128) >> 7U | kEnd)) +
          1) /
         8;
}

/// The expert at which the cumulative weight of those not yet taken passes `fraction`.
std::uint16_t pick_among_rest(std::span<const double> weights, const std::uint64_t* taken,
                              double fraction) {
  const auto free = [taken](std::size_t e) { return (taken[e / 64] >> (e % 64) & 1U) == 0; };
  double rest = 0.0;
  for (std::size_t e = 0; e < weights.size(); ++e)
    if (free(e)) rest += weights[e];
  double remaining = fraction * rest;
  std::size_t last = 0;
  for (std::size_t e = 0; e < weights.size(); ++e) {
    if (!free(e)) continue;
    last = e;
    remaining -= weights[e];
    if (remaining < 0.0) break;
  }
  return static_cast<std::uint16_t>(last);
}

/// 1 if the set has the expert, else 0; it has from now on. A number, for whether a pick repeats
/// one of its token nobody can foresee: a branch on it would hold up all draws behind it.
std::uint64_t take(std::uint64_t* set, std::uint16_t expert) {
  std::uint64_t& word = set[expert / 64U];
  const std::uint64_t has = word >> (expert & 63U) & 1U;
  word |= std::uint64_t{1} << (expert & 63U);
  return has;
}

}  // namespace

/// The draws of one layer. A rank's pick is drawn at the last token that did not keep it, at the
/// last layer from which it follows: both are read from hashes, never stored.
class RoutedBatch::LayerDraws {
 public:
  LayerDraws(const ExpertRouter& router, const Layer& layer)
      : columns_{router.columns_.data()},
        keys_{router.draw_keys_.data()},
        follows_{layer.follows.data()},
        experts_{static_cast<std::uint64_t>(router.experts_)},
        layer_columns_{layer.weights.size()},
        link_{layer.link},
        stay_{router.stay_},
        follow_{router.follow_},
        stay_key_{key_of(Purpose::Stay, link_)},
        follow_key_{key_of(Purpose::Follow, link_ / 8)},
        follow_key_before_{key_of(Purpose::Follow, link_ / 8 - 1)},
        turn_{static_cast<int>(7 - link_ % 8) * 8} {}

  /// Writes by rank the key of the token that a pick was drawn for: this one, or one before it.
  void write_keys(const Token& token, std::size_t top_k, std::uint64_t* keys) const {
    const std::int64_t longest = std::min<std::int64_t>(ExpertRouter::kLongestRun, token.position);
    for (std::size_t first = 0; first < top_k; first += 8, keys += 8) {
      const std::size_t ranks = std::min<std::size_t>(8, top_k - first);
      std::uint64_t key = token.key + kRank * first;
      std::uint64_t stays = 0;
      if (stay_ > 0) stays = runs(key + stay_key_, stay_, kBytes >> (64 - 8 * ranks), longest);
      for (std::size_t i = 0; i < ranks; ++i, key += kRank, stays >>= 8U)
        keys[i] = key - kPosition * (stays & 0xffU);
    }
  }

  /// Over how many layers a pick follows. Layers have their coins in words of eight, the later the
  /// lower.
  [[nodiscard]] std::uint8_t depth(std::uint64_t key) const {
    const std::uint64_t here = draw64(key + follow_key_), before = draw64(key + follow_key_before_);
    // The layer's coin in the lowest byte, those of the seven before it behind.
    const std::uint64_t coins =
        std::rotr(before ^ ((here ^ before) & ~std::uint64_t{0} << turn_), turn_);
    return static_cast<std::uint8_t>(run(coins, follow_));
  }

  /// The expert so many layers before.
  [[nodiscard]] std::uint16_t drawn(std::uint64_t key, std::size_t table, std::size_t depth) const {
    const std::size_t link = link_ - depth;
    return pick(draw64(key + keys_[link]), table, link);
  }
  /// The expert here that follows it.
  [[nodiscard]] std::uint16_t followed(std::uint16_t expert, std::size_t depth) const {
    return follows_[depth * experts_ + expert];
  }

  /// A draw for this layer itself.
  [[nodiscard]] std::uint16_t pick(std::uint64_t bits, std::size_t table) const {
    return pick(bits, table, link_);
  }

 private:
  [[nodiscard]] std::uint16_t pick(std::uint64_t bits, std::size_t table, std::size_t link) const {
    const std::uint64_t index = (bits >> 32U) * experts_ >> 32U;
    return columns_[table + link * layer_columns_ + index].choose(static_cast<std::uint16_t>(index),
                                                                  static_cast<std::uint16_t>(bits));
  }

  const ExpertRouter::Column* columns_;
  const std::uint64_t* keys_;
  const std::uint16_t* follows_;
  const std::uint64_t experts_, layer_columns_, link_, stay_, follow_;
  const std::uint64_t stay_key_, follow_key_, follow_key_before_;
  const int turn_;  ///< bits
};

RoutedBatch::RoutedBatch(const ExpertRouter& router)
    : r_{router},
      top_k_{static_cast<std::size_t>(router.top_k_)},
      experts_{static_cast<std::size_t>(router.experts_)},
      set_words_{(experts_ + 63) / 64},
      block_{std::clamp<std::size_t>(kBlockPicks / top_k_, 1, kBlockTokens)} {}

void RoutedBatch::add(RequestId request, std::int64_t first, std::int64_t count) {
  const std::uint64_t key = r_.request_key(request);
  const std::size_t table = r_.topic_of(request) * experts_;
  for (std::int64_t position = first; position < first + count; ++position)
    tokens_.push_back({key + kPosition * static_cast<std::uint64_t>(position), position,
                       static_cast<std::uint64_t>(request), table});
}

std::span<const std::uint16_t> RoutedBatch::route(std::int64_t layer) {
  const Layer& l = r_.layer_of(layer);
  picks_.resize(tokens_.size() * top_k_);
  if (r_.record_) {
    replay(l);
  } else {
    const std::span<const Token> all{tokens_};
    for (std::size_t begin = 0; begin < all.size(); begin += block_)
      draw(l, all.subspan(begin, std::min(block_, all.size() - begin)), &picks_[begin * top_k_]);
  }
  return picks_;
}

void RoutedBatch::add_loads(std::int64_t layer, std::span<std::int32_t> loads) {
  invariant(loads.size() == experts_, "one load per expert");
  for (const std::uint16_t e : route(layer)) ++loads[e];
}

void RoutedBatch::replay(const Layer& layer) {
  const auto& sessions = r_.record_->sessions;
  auto out = picks_.begin();
  for (const Token& token : tokens_) {
    const RoutedSession& s = sessions[token.request % sessions.size()];
    out = std::copy_n(r_.record_->at(s, token.position % r_.record_->tokens(s), r_.ordinal(layer)),
                      top_k_, out);
  }
}

/// In passes over all tokens: in each their draws are independent, and overlap in the processor.
void RoutedBatch::draw(const Layer& layer, std::span<const Token> tokens, std::uint16_t* out) {
  const LayerDraws draws{r_, layer};
  want(draws, tokens);
  keep_distinct(tokens.size(), out);
  draw_again(draws, layer, tokens, out);
}

void RoutedBatch::want(const LayerDraws& draws, std::span<const Token> tokens) {
  const std::size_t top_k = top_k_, all = tokens.size() * top_k;
  const bool follows = r_.follow_ > 0;
  keys_.resize(all);
  depths_.resize(all);
  wanted_.resize(all);
  std::uint64_t* key = keys_.data();
  for (const Token& token : tokens) {
    draws.write_keys(token, top_k, key);
    key += top_k;
  }
  key = keys_.data();
  std::uint8_t* depth = depths_.data();
  for (std::size_t i = 0; i < all; ++i) depth[i] = follows ? draws.depth(key[i]) : std::uint8_t{0};
  std::uint16_t* wanted = wanted_.data();
  for (const Token& token : tokens)
    for (std::size_t rank = 0; rank < top_k; ++rank)
      *wanted++ = draws.drawn(*key++, token.table, *depth++);
  if (!follows) return;
  wanted = wanted_.data();
  depth = depths_.data();
  for (std::size_t i = 0; i < all; ++i) wanted[i] = draws.followed(wanted[i], depth[i]);
}

/// Ranks take what they want but for what an earlier one has.
void RoutedBatch::keep_distinct(std::size_t tokens, std::uint16_t* out) {
  const std::size_t top_k = top_k_, set_words = set_words_;
  taken_.assign(tokens * set_words, 0);
  count_.resize(tokens);
  missing_.resize(tokens * top_k);
  std::uint64_t* taken = taken_.data();
  const std::uint16_t* wanted = wanted_.data();
  Missing* missing = missing_.data();
  for (std::size_t t = 0; t < tokens; ++t, taken += set_words, wanted += top_k, out += top_k) {
    std::size_t count = 0;
    for (std::size_t rank = 0; rank < top_k; ++rank) {
      const std::uint16_t expert = wanted[rank];
      const std::uint64_t has = take(taken, expert);
      out[count] = expert;
      count += 1 - has;
      *missing = {static_cast<std::uint16_t>(t), static_cast<std::uint16_t>(rank)};
      missing += has;
    }
    count_[t] = count;
  }
  missing_count_ = static_cast<std::size_t>(missing - missing_.data());
}

/// Drawing with replacement and throwing repeats away is drawing without replacement. A pick that
/// an earlier rank has is drawn again at this very token and layer. Where most experts are wanted
/// that may take arbitrarily long, so it stops after some attempts and the rest comes from an
/// exact, slower draw: each branch has the same law, so has the whole.
void RoutedBatch::draw_again(const LayerDraws& draws, const Layer& layer,
                             std::span<const Token> tokens, std::uint16_t* out) {
  constexpr std::uint64_t kMostAttempts = 8;
  const std::uint64_t again = key_of(Purpose::Again, layer.link);
  const auto each = [&](std::uint64_t attempt, auto draw) {
    const std::size_t all = std::exchange(missing_count_, 0);
    std::size_t missing = 0;
    for (std::size_t i = 0; i < all; ++i) {
      const Missing pick = missing_[i];
      const Token& token = tokens[pick.token];
      std::uint64_t* taken = &taken_[pick.token * set_words_];
      const std::uint64_t bits = draw64(token.key + again + kRank * pick.rank + kAttempt * attempt);
      const std::uint16_t expert = draw(bits, token.table, taken);
      const std::uint64_t has = take(taken, expert);
      out[pick.token * top_k_ + count_[pick.token]] = expert;
      count_[pick.token] += 1 - has;
      missing_[missing] = pick;
      missing += has;
    }
    missing_count_ = missing;
  };
  for (std::uint64_t attempt = 1; attempt <= kMostAttempts && missing_count_ > 0; ++attempt)
    each(attempt, [&](std::uint64_t bits, std::size_t table, const std::uint64_t*) {
      return draws.pick(bits, table);
    });
  const std::span<const double> weights{layer.weights};
  each(kMostAttempts + 1, [&](std::uint64_t bits, std::size_t table, const std::uint64_t* taken) {
    return pick_among_rest(weights.subspan(table, experts_), taken, unit_interval(bits));
  });
}

}  // namespace reticle
