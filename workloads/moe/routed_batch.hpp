// SPDX-License-Identifier: Apache-2.0
// The picks of many tokens at once. Each is the pure function of its token that ExpertRouter
// promises: which tokens stand beside it changes when it is computed, not what it is.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/base/ids.hpp"
#include "workloads/moe/expert_router.hpp"

namespace reticle {

/// Tokens that go through the layers together: a microbatch. What is the same for them in all
/// layers is looked up once, and no token's draws wait for those of another.
class RoutedBatch {
 public:
  /// Keeps a reference: the router must outlive the batch.
  explicit RoutedBatch(const ExpertRouter& router);

  void clear() { tokens_.clear(); }
  /// Appends positions [first, first + count) of `request`.
  void add(RequestId request, std::int64_t first, std::int64_t count);

  /// Experts of each token at `layer`: [token][top_k], distinct, in order drawn. Valid until the
  /// next call.
  std::span<const std::uint16_t> route(std::int64_t layer);
  /// Adds one to loads[e] (size experts) for each expert e that a token picks at `layer`.
  void add_loads(std::int64_t layer, std::span<std::int32_t> loads);

 private:
  using Layer = ExpertRouter::Layer;
  struct Token {
    std::uint64_t key;  ///< of seed, request and position
    std::int64_t position;
    std::uint64_t request;
    std::size_t table;  ///< where its topic's begins among those of a layer
  };
  /// A pick that an earlier rank of the token has already.
  struct Missing {
    std::uint16_t token;  ///< of the block
    std::uint16_t rank;
  };
  class LayerDraws;

  void replay(const Layer& layer);
  /// The picks of a block of tokens.
  void draw(const Layer& layer, std::span<const Token> tokens, std::uint16_t* out);
  void want(const LayerDraws& draws, std::span<const Token> tokens);
  void keep_distinct(std::size_t tokens, std::uint16_t* out);
  void draw_again(const LayerDraws& draws, const Layer& layer, std::span<const Token> tokens,
                  std::uint16_t* out);

  const ExpertRouter& r_;
  const std::size_t top_k_, experts_;
  const std::size_t set_words_;  ///< of a set of experts, 64 to a word
  const std::size_t block_;      ///< tokens
  std::vector<Token> tokens_;
  std::vector<std::uint16_t> picks_;  ///< [token][rank]
  // Of a block:
  std::vector<std::uint64_t> keys_;    ///< [token][rank]: of what is wanted
  std::vector<std::uint8_t> depths_;   ///< [token][rank]: layers over which it follows
  std::vector<std::uint16_t> wanted_;  ///< [token][rank], repeats among them
  std::vector<std::uint64_t> taken_;   ///< [token][word]: sets of experts
  std::vector<std::size_t> count_;     ///< of the set, by token
  std::vector<Missing> missing_;       ///< those that are, then room
  std::size_t missing_count_ = 0;
};

}  // namespace reticle
