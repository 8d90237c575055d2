// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "sim/mapping/partition.hpp"
#include "workloads/llm/adapter_matrices.hpp"

namespace reticle {

/// What adapters take on the dies of a replica, and all of them behind the host link. Every replica
/// has the same in its slots.
struct AdapterRoom {
  AdapterSpec spec;
  struct OfRank {
    std::vector<std::int64_t> bytes;  ///< by place in the replica: [stage][die]
    std::int64_t elements = 0;        ///< on all dies of a replica, those cut and those repeated
  };
  std::vector<OfRank> ranks;    ///< as spec.ranks
  std::int64_t stage_dies = 1;  ///< of a replica

  /// On the die that needs most of a stage: a slot, and all adapters.
  [[nodiscard]] std::int64_t slot_bytes(std::int64_t stage) const;
  [[nodiscard]] std::int64_t all_bytes(std::int64_t stage) const;
  /// Of an adapter of the `rank`-th rank, on all dies of a replica.
  [[nodiscard]] Bytes replica_bytes(std::size_t rank) const;
};

AdapterRoom adapter_room(const LlmSpec& llm, const ParallelPlan& plan, const AdapterSpec& spec);

}  // namespace reticle
