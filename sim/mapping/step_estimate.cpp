// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping/step_estimate.hpp"

#include <algorithm>
#include <span>

#include "models/mac/gemm_cycles.hpp"
#include "models/vector/vector_cycles.hpp"
#include "sim/base/error.hpp"

namespace reticle {

namespace {
/// What a long stream gets: the data bus less the time of all-bank refreshes, through the crossbar
/// of a die that runs kernels. Refresh bank by bank goes on beside a stream.
BytesPerSecond stream_rate(const DieParams& die) {
  const HbmParams& hbm = *die.hbm;
  const HbmTiming& t = hbm.timing;
  BytesPerSecond rate = peak_bandwidth(hbm);
  if (hbm.refresh == RefreshMode::AllBank && t.t_refi.count() > 0)
    rate =
        BytesPerSecond{mul_div_up(rate.count(), (t.t_refi - t.t_rfc_ab).count(), t.t_refi.count())};
  const BytesPerSecond crossbar = crossbar_rate(die);
  return crossbar.count() > 0 ? min(rate, crossbar) : rate;
}
}  // namespace

StepEstimate::StepEstimate(const PlatformSpec& platform)
    : platform_{platform}, collectives_{platform} {
  const DieParams& die = platform.die;
  rate_[static_cast<std::size_t>(Tier::Sram)] = peak_bandwidth(die.sram);
  latency_[static_cast<std::size_t>(Tier::Sram)] =
      time_of(die.sram.latency + Cycles{1}, die.sram.clock);
  if (die.hbm) {
    const HbmTiming& t = die.hbm->timing;
    rate_[static_cast<std::size_t>(Tier::Hbm)] = stream_rate(die);
    latency_[static_cast<std::size_t>(Tier::Hbm)] = t.t_rcd_rd + t.t_cl + t.t_burst;
  }
  const auto linked = [this](Tier tier, const std::optional<LinkedMemoryParams>& memory) {
    if (!memory) return;
    rate_[static_cast<std::size_t>(tier)] = peak_bandwidth(*memory);
    latency_[static_cast<std::size_t>(tier)] =
        2 * memory->link.latency + memory->device.read_latency;
  };
  linked(Tier::Far, die.far);
  linked(Tier::Flash, die.flash);
}

/// When the operands let `in` start; `stream`: when the last of its streaming ones has come.
Picoseconds StepEstimate::ready(const Instruction& in, DieState& die, Picoseconds& stream) const {
  Picoseconds at{};
  for (const Dependency& dep : in.after) {
    if (dep.on() == kNoInstruction) continue;
    const Done& before = die.done[static_cast<std::size_t>(dep.on())];
    at = max(at, dep.streaming() ? before.first : before.end);
    if (dep.streaming()) stream = max(stream, before.end);
  }
  if (!in.staged) return at;
  while (die.staging_used + in.amount > platform_.die.sequencer.staging.count()) {
    invariant(!die.staged.empty(), "a load fits the staging buffer");
    const auto& oldest = die.staged.front();
    die.staging_free =
        max(die.staging_free, die.done[static_cast<std::size_t>(oldest.consumer)].end);
    die.staging_used -= oldest.bytes;
    die.staged.pop_front();
  }
  die.staging_used += in.amount;
  die.staged.push_back({in.consumer, in.amount});
  return max(at, die.staging_free);
}

StepEstimate::Done StepEstimate::transfer(const Instruction& in, DieState& die,
                                          Picoseconds at) const {
  const auto tier = static_cast<std::size_t>(in.tier);
  Picoseconds& free = die.free[static_cast<std::size_t>(in.unit)];
  const Picoseconds start = max(at, free);
  free = start + transfer_time(Bytes{in.amount}, rate_[tier]);
  return {start + latency_[tier], free + latency_[tier]};
}

StepEstimate::Done StepEstimate::compute(const Program& program, const Instruction& in,
                                         DieState& die, Picoseconds at, Picoseconds stream) const {
  Picoseconds& free = die.free[static_cast<std::size_t>(in.unit)];
  const Picoseconds start = max(at, free);
  Picoseconds busy, tail, rest;  // `rest`: from the unit's release to the result
  if (in.code == OpCode::Mac) {
    const MacParams& mac = platform_.die.mac;
    const auto shapes = std::span{program.shapes}.subspan(
        static_cast<std::size_t>(in.shapes_begin),
        static_cast<std::size_t>(in.shapes_end - in.shapes_begin));
    const GemmCycles cycles = gemm_cycles(mac, shapes, in.precision);
    busy = time_of(Cycles{cycles.stream}, mac.clock);
    rest = time_of(Cycles{cycles.drain}, mac.clock);
    tail = time_of(Cycles{cycles.longest + cycles.drain}, mac.clock);
  } else {
    const VectorCycles cycles = vector_cycles(platform_.die.vector, vector_work(in));
    busy = time_of(cycles.issue, platform_.die.vector.clock);
    rest = tail = time_of(cycles.depth, platform_.die.vector.clock);
  }
  const Picoseconds done = max(start + busy + rest, stream + tail);
  free = max(start + busy, stream);
  return {min(done, start + tail), done};
}

/// Up to the die's next exchange, or the end of its program.
void StepEstimate::run_to_exchange(const Program& program, DieState& die) {
  for (; die.next < program.code.size(); ++die.next) {
    const Instruction& in = program.code[die.next];
    if (in.code == OpCode::Exchange) return;
    Picoseconds stream{};
    const Picoseconds at = ready(in, die, stream);
    Done& done = die.done[die.next];
    switch (in.code) {
      case OpCode::Load:
      case OpCode::Store:
        done = transfer(in, die, at);
        break;
      case OpCode::Mac:
      case OpCode::Vector:
        done = compute(program, in, die, at, stream);
        break;
      default: {
        Picoseconds& free = die.free[static_cast<std::size_t>(in.unit)];
        done.first = done.end = free = max(at, free) + Picoseconds{in.amount};
      }
    }
  }
}

Picoseconds StepEstimate::time_of_step(const StepPrograms& step) {
  dies_.assign(step.dies.size(), DieState{});
  for (std::size_t d = 0; d < dies_.size(); ++d) dies_[d].done.resize(step.dies[d].code.size());
  exchange_time_.clear();
  for (const auto& exchange : step.exchanges) {
    // A die's exchanges stand in its program in the order of their numbers.
    Picoseconds joined{};
    for (const DieId id : exchange->participants) {
      DieState& die = dies_[index(id)];
      const Program& program = step.dies[index(id)];
      run_to_exchange(program, die);
      invariant(die.next < program.code.size(), "a participant has an instruction to join with");
      Picoseconds stream{};
      joined = max(joined, ready(program.code[die.next], die, stream));
    }
    const auto [entry, fresh] = exchange_time_.try_emplace(exchange.get());
    if (fresh) entry->second = collectives_.estimate(*exchange);
    const Picoseconds end = joined + entry->second;
    for (const DieId id : exchange->participants) {
      DieState& die = dies_[index(id)];
      die.done[die.next++] = {end, end};
    }
  }
  Picoseconds end{};
  for (std::size_t d = 0; d < dies_.size(); ++d) {
    run_to_exchange(step.dies[d], dies_[d]);
    for (const Done& done : dies_[d].done) end = max(end, done.end);
  }
  return end;
}

}  // namespace reticle
