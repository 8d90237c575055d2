// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/base/cache_stage.hpp"
#include "sim/base/units.hpp"

namespace reticle {

/// Room the placement left for keys and values.
struct KvCapacity {
  std::int64_t page_tokens = 1;
  Bytes page_bytes{};      ///< of one page, all dies together
  std::int64_t pages = 0;  ///< per replica
  std::int64_t replicas = 1;
  std::int64_t dies = 1;             ///< per replica and stage
  std::vector<CacheStage> stages{};  ///< per die; empty: one stage of so many pages
};

/// Books pages of the KV cache per replica. Reserves for a request's whole life at admission, so no
/// request is ever evicted; counts apart what is reserved and what tokens really fill.
///
/// Leaves out: sharing of prefixes, eviction, spilling to further tiers.
class KvManager {
 public:
  explicit KvManager(const KvCapacity& capacity);

  /// Pages that `tokens` tokens need.
  [[nodiscard]] std::int64_t pages_for(std::int64_t tokens) const;
  /// Whether a request of `tokens` fits an empty replica.
  [[nodiscard]] bool ever_fits(std::int64_t tokens) const;
  /// Reserves for `tokens` on the replica with most free pages (the lowest of equals); nullopt when
  /// none has enough.
  std::optional<std::int32_t> reserve(std::int64_t tokens);
  /// A sequence of `before` tokens has grown to `after`, within its reservation.
  void fill(std::int32_t replica, std::int64_t before, std::int64_t after);
  /// Gives back the reservation for `reserved` tokens, of which `filled` were written.
  void release(std::int32_t replica, std::int64_t reserved, std::int64_t filled);

  [[nodiscard]] Bytes reserved() const;  ///< pages promised
  [[nodiscard]] Bytes used() const;      ///< tokens written, by the byte; windows and states
  [[nodiscard]] Bytes capacity() const;
  [[nodiscard]] const KvCapacity& room() const { return capacity_; }

 private:
  struct Replica {
    std::vector<std::int64_t> booked;  ///< bytes per stage, of one die
    Bytes filled{};                    ///< all dies
  };
  [[nodiscard]] Bytes held(std::int64_t tokens) const;
  KvCapacity capacity_;
  std::vector<Replica> replicas_;
};

}  // namespace reticle
