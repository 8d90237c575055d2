// SPDX-License-Identifier: Apache-2.0
// The bound no schedule can beat: every byte and operation of a step spread perfectly over all
// dies, everything overlapped, nothing waiting. [seed paper section 3.2]
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "models/package/event_counts.hpp"
#include "models/package/platform_spec.hpp"
#include "models/program/program.hpp"
#include "sim/base/units.hpp"
#include "sim/mapping/partition.hpp"
#include "sim/mapping/placement.hpp"

namespace reticle {

/// What a step moves and computes, over the whole deployment.
struct StepTotals {
  std::array<Bytes, kTierCount> weights{};
  std::array<Bytes, kTierCount> kv{};
  /// Read from and written to a tier by moves of keys and values between tiers, and of adapters.
  std::array<Bytes, kTierCount> moved_out{}, moved_in{};
  Bytes adapters_in{};  ///< of what was read to be moved, adapters
  Bytes operands{};     ///< of products, where they cross to the cores (die.kernels): in no bound
  std::array<std::int64_t, kPrecisionCount> macs{};
  std::int64_t vector_ops = 0;

  StepTotals& operator+=(const StepTotals& other);
  bool operator==(const StepTotals&) const = default;
};

enum class RooflineLimit : std::uint8_t { Sram, Hbm, Far, Flash, Mac, Vector };
inline constexpr std::size_t kRooflineLimitCount = 6;
std::string_view name_of(RooflineLimit limit);

struct RooflineStep {
  Picoseconds duration{};
  RooflineLimit limit{};
};

/// Sums the loads, MACs and vector operations of programs / takes them from what was counted.
/// `times`: how often the instructions of each layer count; empty: once.
StepTotals totals_of(const StepPrograms& step, std::span<const std::int64_t> times = {});
/// `moves`: of the step that was counted.
StepTotals totals_of(const EventCounts& counts, const KvRoom& kv,
                     std::span<const KvMove> moves = {});
/// Keys and values that attention read from SRAM beside their home in HBM.
Bytes near_read(const EventCounts& counts, const KvRoom& kv, std::span<const KvMove> moves = {});
/// `in_turn`: a microbatch meets the stages one after another, so that with fewer microbatches than
/// stages no more than so many in so many stages work at a time (stages / microbatches).
RooflineStep roofline(const PlatformSpec& platform, const StepTotals& totals, double in_turn = 1);
/// Of a step of `sequences` sequences.
double in_turn(const ParallelPlan& plan, std::size_t sequences);

}  // namespace reticle
