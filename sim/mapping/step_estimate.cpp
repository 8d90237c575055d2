// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping/step_estimate.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <type_traits>

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

namespace {
/// The same to the estimate: a die's place in an exchange and where its bytes lie have no time.
bool alike(const Program& a, const Program& b) {
  const auto same_shape = [](const GemmShape& x, const GemmShape& y) {
    return x.m == y.m && x.k == y.k && x.n == y.n && x.count == y.count && x.use == y.use &&
           x.along_k == y.along_k;
  };
  static_assert(std::has_unique_object_representations_v<Instruction>, "compared as memory");
  const auto same_instruction = [](Instruction x, const Instruction& y) {
    x.slot = y.slot;
    x.address = y.address;
    return std::memcmp(&x, &y, sizeof x) == 0;
  };
  return std::ranges::equal(a.shapes, b.shapes, same_shape) &&
         std::ranges::equal(a.code, b.code, same_instruction);
}
}  // namespace

/// Dies that do the same join the same exchanges, and the first of them stands for all: ranks of a
/// cut into equal parts.
void StepEstimate::find_twins(const StepPrograms& step) {
  twin_of_.resize(step.dies.size());
  std::vector<std::size_t> firsts;
  for (std::size_t d = 0; d < step.dies.size(); ++d) {
    twin_of_[d] = d;
    // Ranks lie beside each other: of those before, the last few are the ones to be like.
    constexpr std::size_t kLookBack = 4;
    const std::size_t end = firsts.size();
    for (std::size_t i = end; i-- > end - std::min(end, kLookBack) && twin_of_[d] == d;)
      if (alike(step.dies[firsts[i]], step.dies[d])) twin_of_[d] = firsts[i];
    if (twin_of_[d] == d) firsts.push_back(d);
  }
}

Picoseconds StepEstimate::time_of_step(const StepPrograms& step) {
  find_twins(step);
  dies_.assign(step.dies.size(), DieState{});
  for (std::size_t d = 0; d < dies_.size(); ++d)
    if (twin_of_[d] == d) dies_[d].done.resize(step.dies[d].code.size());
  exchange_time_.clear();
  const auto each = [&](const Exchange& exchange, auto act) {
    for (const DieId id : exchange.participants)
      if (const std::size_t d = index(id); twin_of_[d] == d) act(step.dies[d], dies_[d]);
  };
  for (const auto& exchange : step.exchanges) {
    // A die's exchanges stand in its program in the order of their numbers.
    Picoseconds joined{};
    each(*exchange, [&](const Program& program, DieState& die) {
      run_to_exchange(program, die);
      invariant(die.next < program.code.size(), "a participant has an instruction to join with");
      Picoseconds stream{};
      joined = max(joined, ready(program.code[die.next], die, stream));
    });
    const auto [entry, fresh] = exchange_time_.try_emplace(exchange.get());
    if (fresh) entry->second = collectives_.estimate(*exchange);
    const Picoseconds end = joined + entry->second;
    each(*exchange, [&](const Program&, DieState& die) { die.done[die.next++] = {end, end}; });
  }
  Picoseconds end{};
  for (std::size_t d = 0; d < dies_.size(); ++d) {
    if (twin_of_[d] != d) continue;
    run_to_exchange(step.dies[d], dies_[d]);
    for (const Done& done : dies_[d].done) end = max(end, done.end);
  }
  return end;
}

}  // namespace reticle
