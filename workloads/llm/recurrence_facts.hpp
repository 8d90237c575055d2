// SPDX-License-Identifier: Apache-2.0
// How the recurrences differ: one row per kind.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "workloads/llm/llm_spec.hpp"

namespace reticle {

struct RecurrenceFact {
  Recurrence kind;
  std::string_view name;
  bool gated;                      ///< projects an output gate as wide as the values
  std::int64_t projected_scalars;  ///< per token and head, beside keys, queries and values
  std::int64_t scalars;            ///< learned numbers per head
  bool delta_rule;  ///< takes off what the state holds for a key before it adds the value
  bool conv_bias;
  bool norm_per_head;  ///< the norm before the output has value_dim gains, else all heads' values
  /// Of a token on an element of state: decay (1), outer product added (2), read out (2); the delta
  /// rule first reads what the state holds for the key (2).
  std::int64_t ops_per_state;
};

// Mamba2: dt per head; A, D, dt bias. [Dao and Gu, ICML 2024; Nemotron-H, arXiv 2504.03624]
// GatedDelta: beta and decay per head; A, dt bias. [Yang et al., ICLR 2025; Qwen3-Next]
// Lightning: decay is fixed per head. [MiniMax-01, arXiv 2501.08313]
inline constexpr std::array<RecurrenceFact, 3> kRecurrences{{
    {Recurrence::Mamba2, "mamba2", true, 1, 3, false, true, false, 5},
    {Recurrence::GatedDelta, "gated_delta", true, 2, 2, true, false, true, 7},
    {Recurrence::Lightning, "lightning", true, 0, 0, false, false, false, 5},
}};

constexpr const RecurrenceFact& fact_of(Recurrence kind) {
  return kRecurrences[static_cast<std::size_t>(kind)];
}

}  // namespace reticle
