// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping/roofline.hpp"

#include <algorithm>

namespace reticle {

namespace {
constexpr std::array<std::string_view, kRooflineLimitCount> kNames{
    "sram_bandwidth", "hbm_bandwidth", "far_bandwidth", "flash_bandwidth", "mac", "vector"};

/// Rounded down: a bound must not exceed what it bounds.
Picoseconds shortest(double amount, double per_second) {
  if (amount <= 0 || per_second <= 0) return Picoseconds{0};
  return Picoseconds{static_cast<std::int64_t>(amount / per_second * 1e12 * (1 - 1e-9))};
}
}  // namespace

std::string_view name_of(RooflineLimit limit) { return kNames[static_cast<std::size_t>(limit)]; }

namespace {
void add_instruction(StepTotals& totals, const Program& program, const Instruction& in,
                     std::int64_t times) {
  const auto tier = static_cast<std::size_t>(in.tier);
  const bool adapter = in.category == TimeCategory::AdapterMove;
  const Bytes bytes{times * in.amount};  // of a load or a store
  if (adapter && in.code == OpCode::Load) totals.adapters_in += bytes;
  if (adapter || in.category == TimeCategory::KvMove)
    (in.code == OpCode::Load ? totals.moved_out : totals.moved_in)[tier] += bytes;
  else if (in.code == OpCode::Load && in.category == TimeCategory::Mac)
    totals.operands += bytes;
  else if (in.code == OpCode::Load)
    (in.category == TimeCategory::Kv ? totals.kv : totals.weights)[tier] += bytes;
  if (in.code == OpCode::Vector) totals.vector_ops += times * element_ops(vector_work(in));
  if (in.code != OpCode::Mac) return;
  for (auto i = in.shapes_begin; i < in.shapes_end; ++i) {
    const GemmShape& s = program.shapes[static_cast<std::size_t>(i)];
    totals.macs[static_cast<std::size_t>(in.precision)] += times * s.m * s.k * s.n * s.count;
  }
}
}  // namespace

StepTotals totals_of(const StepPrograms& step, std::span<const std::int64_t> times) {
  StepTotals totals;
  for (const Program& program : step.dies)
    for (const Instruction& in : program.code)
      add_instruction(
          totals, program, in,
          times.empty() || in.layer < 0 ? 1 : times[static_cast<std::size_t>(in.layer)]);
  return totals;
}

StepTotals& StepTotals::operator+=(const StepTotals& other) {
  for (std::size_t t = 0; t < kTierCount; ++t) {
    weights[t] += other.weights[t];
    kv[t] += other.kv[t];
    moved_out[t] += other.moved_out[t];
    moved_in[t] += other.moved_in[t];
  }
  adapters_in += other.adapters_in;
  operands += other.operands;
  for (std::size_t p = 0; p < kPrecisionCount; ++p) macs[p] += other.macs[p];
  vector_ops += other.vector_ops;
  return *this;
}

namespace {
/// That left, or came to, SRAM beside home.
Bytes near_moves(std::span<const KvMove> moves, KvPlace KvMove::*end) {
  Bytes sum{};
  for (const KvMove& m : moves)
    if (m.*end == KvPlace::Near) sum += m.bytes;
  return sum;
}
}  // namespace

/// All that SRAM is read for else is counted by what it was for.
Bytes near_read(const EventCounts& counts, const KvRoom& kv, std::span<const KvMove> moves) {
  if (kv.near_pages == 0) return Bytes{};
  const auto loaded = [&](TimeCategory c) { return counts.loaded[static_cast<std::size_t>(c)]; };
  return counts.read[static_cast<std::size_t>(Tier::Sram)] - loaded(TimeCategory::WeightsSram) -
         loaded(TimeCategory::Mac) - near_moves(moves, &KvMove::from);
}

StepTotals totals_of(const EventCounts& counts, const KvRoom& kv, std::span<const KvMove> moves) {
  constexpr auto kSram = static_cast<std::size_t>(Tier::Sram);
  StepTotals totals;
  for (std::size_t t = 0; t < kWeightCategories.size(); ++t)
    totals.weights[t] = counts.loaded[static_cast<std::size_t>(kWeightCategories[t])];
  const auto home = static_cast<std::size_t>(kv.tier);
  totals.kv[home] = counts.loaded[static_cast<std::size_t>(TimeCategory::Kv)];
  // The tiers behind are read for weights and moves alone, and written for moves alone; what moves
  // is read once and written once.
  totals.adapters_in = counts.loaded[static_cast<std::size_t>(TimeCategory::AdapterMove)];
  totals.moved_out[home] = totals.moved_in[home] =
      counts.loaded[static_cast<std::size_t>(TimeCategory::KvMove)] + totals.adapters_in;
  for (const Tier behind : {Tier::Far, Tier::Flash}) {
    const auto t = static_cast<std::size_t>(behind);
    totals.moved_out[home] -= totals.moved_out[t] = counts.read[t] - totals.weights[t];
    totals.moved_in[home] -= totals.moved_in[t] = counts.written[t];
  }
  if (kv.near_pages > 0) {
    totals.kv[home] -= totals.kv[kSram] = near_read(counts, kv, moves);
    totals.moved_out[home] -= totals.moved_out[kSram] = near_moves(moves, &KvMove::from);
    totals.moved_in[home] -= totals.moved_in[kSram] = near_moves(moves, &KvMove::to);
  }
  totals.operands = counts.loaded[static_cast<std::size_t>(TimeCategory::Mac)];
  totals.macs = counts.macs;
  totals.vector_ops = counts.vector_ops;
  return totals;
}

double in_turn(const ParallelPlan& plan, std::size_t sequences) {
  return static_cast<double>(plan.pipeline) /
         static_cast<double>(microbatches(plan, static_cast<std::int64_t>(sequences)));
}

RooflineStep roofline(const PlatformSpec& platform, const StepTotals& totals, double in_turn) {
  const double n = static_cast<double>(dies(platform)) / in_turn;
  const DieParams& die = platform.die;
  std::array<double, kTierCount> rates{};
  rates[0] = static_cast<double>(peak_bandwidth(die.sram).count());
  if (die.hbm) rates[1] = static_cast<double>(peak_bandwidth(*die.hbm).count());
  if (die.far) rates[2] = static_cast<double>(peak_bandwidth(*die.far).count());
  if (die.flash) rates[3] = static_cast<double>(peak_bandwidth(*die.flash).count());

  RooflineStep bound{Picoseconds{0}, RooflineLimit::Hbm};
  const auto consider = [&](Picoseconds t, RooflineLimit limit) {
    if (t > bound.duration) bound = {t, limit};
  };
  for (std::size_t t = 0; t < kTierCount; ++t)
    consider(shortest(static_cast<double>((totals.weights[t] + totals.kv[t]).count()) +
                          static_cast<double>((totals.moved_out[t] + totals.moved_in[t]).count()) /
                              in_turn,
                      rates[t] * n),
             static_cast<RooflineLimit>(t));
  double mac_cycles = 0;  // array-passes in units of the native format
  for (std::size_t p = 0; p < kPrecisionCount; ++p)
    mac_cycles +=
        static_cast<double>(totals.macs[p]) * static_cast<double>(die.mac.cycles_per_pass[p]);
  const auto mac_clock = static_cast<double>(die.mac.clock.count());
  consider(shortest(mac_cycles, static_cast<double>(macs_per_cycle(die.mac)) * mac_clock * n),
           RooflineLimit::Mac);
  consider(shortest(static_cast<double>(totals.vector_ops),
                    static_cast<double>(die.vector.lanes) *
                        static_cast<double>(die.vector.clock.count()) * n),
           RooflineLimit::Vector);
  return bound;
}

}  // namespace reticle
