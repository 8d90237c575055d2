// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/unit_slices.hpp"

#include "models/die/sequencer.hpp"
#include "models/mac/gemm_cycles.hpp"
#include "models/vector/vector_cycles.hpp"

namespace reticle {

namespace {
/// Worked out anew from the instruction, so that its sum checks what the units counted.
Picoseconds work_time(const Program& program, const Instruction& in, const DieParams& die) {
  if (in.code == OpCode::Vector)
    return time_of(vector_cycles(die.vector, vector_work(in)).issue, die.vector.clock);
  if (in.code != OpCode::Mac) return {};
  const std::span<const GemmShape> shapes{program.shapes};
  const auto begin = static_cast<std::size_t>(in.shapes_begin);
  const auto count = static_cast<std::size_t>(in.shapes_end) - begin;
  return time_of(Cycles{gemm_cycles(die.mac, shapes.subspan(begin, count), in.precision).stream},
                 die.mac.clock);
}

bool pipelined(Unit unit) { return unit == Unit::Mac || unit == Unit::Vector; }
}  // namespace

std::int64_t macs_of(const Program& program, const Instruction& in) {
  std::int64_t macs = 0;
  for (auto i = in.shapes_begin; i < in.shapes_end; ++i) {
    const GemmShape& s = program.shapes[static_cast<std::size_t>(i)];
    macs += s.m * s.k * s.n * s.count;
  }
  return macs;
}

std::vector<UnitSlice> unit_slices(const Sequencer& sequencer, const DieParams& die,
                                   Picoseconds begun) {
  const Program& program = sequencer.program();
  std::vector<UnitSlice> slices;
  slices.reserve(program.code.size());
  for (std::size_t u = 0; u < kUnitCount; ++u) {
    const auto unit = static_cast<Unit>(u);
    const std::size_t first = slices.size();
    for (const std::int32_t i : program.queues[u]) {
      const Instruction& in = program.code[static_cast<std::size_t>(i)];
      const Execution& done = sequencer.execution(i);
      UnitSlice slice{.unit = unit, .instruction = i, .begin = done.start, .end = done.end};
      if (in.code == OpCode::Exchange)
        slice.begin =
            done.start_cause == kNoInstruction ? begun : sequencer.execution(done.start_cause).end;
      slice.busy = work_time(program, in, die);
      if (pipelined(unit) && slices.size() > first)
        slices.back().end = min(slices.back().end, max(slices.back().begin, slice.begin));
      slices.push_back(slice);
    }
  }
  return slices;
}

}  // namespace reticle
