// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace reticle {

/// Guesses the experts of the next layer from those of this one: what followed each most often, in
/// the steps so far. Knows nothing of how picks are drawn.
class ExpertPredictor {
 public:
  ExpertPredictor(std::int64_t layers, std::int64_t experts, std::int64_t top_k);

  /// Learns from the picks of the same tokens, [token][top_k], at `layer` and at the next one.
  void learn(std::int64_t layer, std::span<const std::uint16_t> here,
             std::span<const std::uint16_t> next);
  /// The most frequent successor of each of `picks` of `layer`, ascending, each once; of experts
  /// never seen nothing. Of equally frequent ones the first to come as far.
  [[nodiscard]] std::vector<std::int32_t> after(std::int64_t layer,
                                                std::span<const std::int32_t> picks) const;

 private:
  [[nodiscard]] std::size_t row(std::int64_t layer, std::int64_t expert) const {
    return static_cast<std::size_t>(layer * experts_ + expert);
  }

  const std::int64_t experts_;
  const std::size_t top_k_;
  std::vector<std::uint32_t> counts_;  ///< [layer][expert][expert of the next layer]
  std::vector<std::uint16_t> best_;    ///< [layer][expert]
};

}  // namespace reticle
