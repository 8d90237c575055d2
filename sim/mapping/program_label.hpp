// SPDX-License-Identifier: Apache-2.0
// What Instruction::label says: the operator an instruction was written for, or what lies between
// operators.
#pragma once

#include <cstdint>
#include <string_view>

#include "workloads/graph/op_graph.hpp"

namespace reticle {

inline constexpr std::uint8_t kNoLabel = 0;             ///< a program that was not lowered
inline constexpr std::uint8_t kKvMoveLabel = 1;         ///< keys and values change tier
inline constexpr std::uint8_t kAdapterLabel = 2;        ///< an adapter comes in
inline constexpr std::uint8_t kStageLabel = 3;          ///< activations go on to the next stage
inline constexpr std::uint8_t kHostLabel = 4;           ///< before the step: no instruction has it
inline constexpr std::uint8_t kFirstOperatorLabel = 5;  ///< behind these five
inline constexpr std::size_t kLabelCount =
    kFirstOperatorLabel + static_cast<std::size_t>(OperatorKind::Sample) + 1;

constexpr std::uint8_t label_of(OperatorKind kind) {
  return static_cast<std::uint8_t>(kFirstOperatorLabel + static_cast<std::uint8_t>(kind));
}

inline std::string_view label_name(std::uint8_t label) {
  constexpr std::string_view kOthers[] = {"other", "kv_move", "adapter", "next_stage", "host"};
  if (label < kFirstOperatorLabel) return kOthers[label];
  return name_of(static_cast<OperatorKind>(label - kFirstOperatorLabel));
}

}  // namespace reticle
