// SPDX-License-Identifier: Apache-2.0
// Low-rank adapters that serving, placement and lowering all have to do with.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/base/precision.hpp"

namespace reticle {

/// The matrices of a layer that adapters change.
enum class AdapterTargets : std::uint8_t {
  Attention,  ///< into and out of token mixers
  AllLinear   ///< those, and dense and shared feed-forward networks
};

/// Adapters (LoRA) of one model, numbered from 0: to a product with a matrix each adds one with
/// A (in x rank) and then B (rank x out) [Hu+ 2022].
struct AdapterSpec {
  std::int64_t adapters = 0;
  std::vector<std::int64_t> ranks{16};  ///< dealt to the adapters in turn
  AdapterTargets targets = AdapterTargets::AllLinear;
  Precision format = Precision::Bf16;
  std::int64_t slots = 0;  ///< adapters the home tier has room for, each of the highest rank

  /// Which of `ranks` an adapter has.
  [[nodiscard]] std::size_t rank_index(std::uint32_t adapter) const {
    return adapter % ranks.size();
  }
  [[nodiscard]] std::int64_t rank_of(std::uint32_t adapter) const {
    return ranks[rank_index(adapter)];
  }
};

}  // namespace reticle
