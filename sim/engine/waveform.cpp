// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/waveform.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>

#include "models/package/deployment.hpp"
#include "sim/mapping/program_label.hpp"

namespace reticle {

namespace {
constexpr int kTextBits = 16 * 8;  // sixteen letters
constexpr int kPercentBits = 7;    // to 100 percent
constexpr int kCountBits = 20;     // to a million
constexpr int kBytesBits = 60;     // to 1 EiB
constexpr int kStepBits = 32;      // to four billion
/// In the order of enum Unit.
constexpr std::array<std::string_view, kUnitCount> kUnitNames{
    "sram", "hbm", "far", "flash", "write", "mac", "vector", "fabric", "launch"};
constexpr std::array<Stall, kUnitCount> kStallOn{Stall::Sram,   Stall::Hbm,    Stall::Far,
                                                 Stall::Flash,  Stall::Write,  Stall::Mac,
                                                 Stall::Vector, Stall::Fabric, Stall::Launch};

Stall stall_of(const Program& program, std::int32_t instruction, std::int32_t cause) {
  if (cause == kNoInstruction) return Stall::None;
  const Instruction& in = program.code[static_cast<std::size_t>(instruction)];
  const bool operand =
      std::ranges::any_of(in.after, [&](const Dependency& d) { return d.on() == cause; });
  const Unit unit = program.code[static_cast<std::size_t>(cause)].unit;
  // Behind its own unit's former instruction it does not wait, it takes its turn.
  if (!operand && unit == in.unit) return Stall::None;
  if (!operand && in.staged) return Stall::Staging;
  return kStallOn[static_cast<std::size_t>(unit)];
}

/// Bytes of a second that the unit moves at most; nullopt: it moves none, or no single rate holds.
std::optional<BytesPerSecond> peak_rate(const DieParams& die, const Instruction& in) {
  if (in.code != OpCode::Load && in.code != OpCode::Store) return std::nullopt;
  switch (in.tier) {
    case Tier::Sram:
      return peak_bandwidth(die.sram);
    case Tier::Hbm:
      return peak_bandwidth(*die.hbm);
    case Tier::Far:
      return peak_bandwidth(*die.far);
    case Tier::Flash:
      return peak_bandwidth(*die.flash);
  }
  return std::nullopt;
}

/// Of the time a slice takes, in percent: what the unit would need for it at its full rate.
double work_percent(const DieParams& die, const Instruction& in, const UnitSlice& slice) {
  const double took = seconds(slice.end - slice.begin);
  if (took <= 0) return 0;
  if (in.unit == Unit::Mac || in.unit == Unit::Vector) return 100 * seconds(slice.busy) / took;
  const auto rate = peak_rate(die, in);
  return rate ? 100 * static_cast<double>(in.amount) / static_cast<double>(rate->count()) / took
              : 100;
}
}  // namespace

Waveform::Waveform(std::ostream& out, const RunSpec& spec, const TimelineOptions& options)
    : out_{out}, spec_{spec}, options_{options} {}

bool Waveform::wants(std::int32_t /*instance*/, std::int64_t step) const {
  return options_.steps.has(step);
}

Waveform::DieSignals& Waveform::signals_of(std::int32_t instance, std::size_t die) {
  const auto [entry, fresh] = dies_.try_emplace({instance, die});
  DieSignals& signals = entry->second;
  if (!fresh) return signals;
  const std::string scope = "instance" + std::to_string(instance) + ".die" + std::to_string(die);
  for (const std::string_view unit : kUnitNames) {
    const std::string inner = scope + "." + std::string{unit};
    signals.units.push_back({dump_.add(inner, "busy", 1), dump_.add(inner, "work", kPercentBits),
                             // bits, likewise
                             dump_.add(inner, "stall", 4), dump_.add(inner, "left", 20)});
  }
  signals.staging = dump_.add(scope, "staging_bytes", 40);  // bits: to 1 TiB
  signals.op = dump_.add(scope, "operator", kTextBits);
  return signals;
}

Waveform::SchedulerSignals& Waveform::signals_of(std::int32_t instance) {
  const auto [entry, fresh] = schedulers_.try_emplace(instance);
  if (fresh) {
    const std::string scope = "instance" + std::to_string(instance) + ".scheduler";
    entry->second = {dump_.add(scope, "running", kCountBits),
                     dump_.add(scope, "waiting", kCountBits),
                     dump_.add(scope, "kv_bytes", kBytesBits), dump_.add(scope, "step", kStepBits)};
  }
  return entry->second;
}

/// Back along the causes: while the instruction waited, each was under way in turn.
void Waveform::show_stall(VcdDump::Signal signal, const Sequencer& sequencer,
                          std::int32_t instruction, Picoseconds from, Picoseconds to) {
  const Program& program = sequencer.program();
  dump_.change(signal, to, std::uint64_t{0});
  std::int32_t waits = instruction;
  while (to > from) {
    const std::int32_t cause = sequencer.execution(waits).start_cause;
    const Stall stall = stall_of(program, waits, cause);
    Picoseconds since = from;
    if (cause != kNoInstruction) {
      const Execution& done = sequencer.execution(cause);
      // An exchange is under way from when the die has joined it.
      const bool joins = program.code[static_cast<std::size_t>(cause)].code == OpCode::Exchange;
      if (!joins)
        since = max(from, done.start);
      else if (done.start_cause != kNoInstruction)
        since = max(from, sequencer.execution(done.start_cause).end);
    }
    since = min(since, to);
    dump_.change(signal, since, static_cast<std::uint64_t>(stall));
    if (cause == kNoInstruction) return;
    to = since;
    waits = cause;
  }
}

void Waveform::show_units(const DieSignals& signals, const Sequencer& sequencer,
                          const std::vector<UnitSlice>& slices, const DieParams& die,
                          Picoseconds begun) {
  const Program& program = sequencer.program();
  for (std::size_t s = 0; s < slices.size();) {
    const Unit unit = slices[s].unit;
    const UnitSignals& signal = signals.units[static_cast<std::size_t>(unit)];
    const std::size_t first = s;
    while (s < slices.size() && slices[s].unit == unit) ++s;
    // Transfers of one port may be under way side by side, exchanges be joined in any order.
    std::vector<UnitSlice> mine(slices.begin() + static_cast<std::ptrdiff_t>(first),
                                slices.begin() + static_cast<std::ptrdiff_t>(s));
    std::ranges::stable_sort(mine, {}, &UnitSlice::begin);
    std::vector<std::pair<Picoseconds, int>> edges;
    std::vector<std::pair<Picoseconds, double>> work;
    std::vector<Picoseconds> ends;
    Picoseconds free = begun;
    for (const UnitSlice& slice : mine) {
      edges.emplace_back(slice.begin, 1);
      edges.emplace_back(slice.end, -1);
      const double percent =
          work_percent(die, program.code[static_cast<std::size_t>(slice.instruction)], slice);
      work.emplace_back(slice.begin, percent);
      work.emplace_back(slice.end, -percent);
      ends.push_back(slice.end);
      if (slice.begin > free)
        show_stall(signal.stall, sequencer, slice.instruction, free, slice.begin);
      free = max(free, slice.end);
    }
    std::ranges::sort(edges);
    int level = 0;
    for (const auto& [at, change] : edges)
      dump_.change(signal.busy, at, static_cast<std::uint64_t>((level += change) > 0));
    std::ranges::sort(work);
    double sum = 0;
    for (const auto& [at, change] : work)
      dump_.change(signal.work, at,
                   static_cast<std::uint64_t>(std::clamp(std::lround(sum += change), 0L, 100L)));
    std::ranges::sort(ends);
    auto left = static_cast<std::uint64_t>(ends.size());
    dump_.change(signal.left, begun, left);
    for (const Picoseconds end : ends) dump_.change(signal.left, end, --left);
  }
}

void Waveform::show_die(const DieSignals& signals, const Sequencer& sequencer, Picoseconds begun) {
  const Program& program = sequencer.program();
  std::vector<std::pair<std::int64_t, std::int64_t>> changes;
  Picoseconds from = begun;
  std::int32_t told = -1;
  for (std::size_t i = 0; i < program.code.size(); ++i) {
    const Instruction& in = program.code[i];
    const Execution& done = sequencer.execution(static_cast<std::int32_t>(i));
    if (in.staged && in.consumer != kNoInstruction) {
      changes.emplace_back(done.start.count(), in.amount);
      changes.emplace_back(sequencer.execution(in.consumer).end.count(), -in.amount);
    }
    if (in.code == OpCode::Load || in.code == OpCode::Store) continue;
    if (in.label != told) dump_.change(signals.op, from, label_name(in.label));
    told = in.label;
    from = max(from, done.end);
  }
  dump_.change(signals.op, from, std::string_view{});
  std::ranges::sort(changes);
  std::int64_t level = 0;
  for (const auto& [at, bytes] : changes)
    dump_.change(signals.staging, Picoseconds{at}, static_cast<std::uint64_t>(level += bytes));
}

void Waveform::ran(const SiliconStep& step) {
  const NumberRange range = options_.dies.value_or(NumberRange{0, kDies - 1});
  for (std::size_t d = 0; d < step.deployment.size(); ++d) {
    if (!range.has(static_cast<std::int64_t>(d))) continue;
    const Sequencer& sequencer =
        step.deployment.die(DieId{static_cast<std::uint32_t>(d)}).sequencer;
    const DieSignals& signals = signals_of(step.instance, d);
    show_units(signals, sequencer, unit_slices(sequencer, step.platform.die, step.begun),
               step.platform.die, step.begun);
    show_die(signals, sequencer, step.begun);
  }
}

void Waveform::scheduled(const ScheduledStep& step) {
  const SchedulerSignals& signals = signals_of(step.instance);
  dump_.change(signals.step, step.begun, static_cast<std::uint64_t>(step.number));
  dump_.change(signals.running, step.ended, static_cast<std::uint64_t>(step.after.running));
  dump_.change(signals.waiting, step.ended, static_cast<std::uint64_t>(step.after.waiting));
  std::int64_t kv = 0;
  for (const Bytes bytes : step.after.kv_used.all) kv += bytes.count();
  dump_.change(signals.kv, step.ended, static_cast<std::uint64_t>(kv));
}

void Waveform::ended(const RunResult& /*result*/) {
  dump_.write(out_, spec_.llm.name + " on " + spec_.platform.name + ", " + spec_.workload_name +
                        "; stall: 0 none, 1 sram, 2 hbm, 3 far, 4 flash, 5 write, 6 mac, 7 vector, "
                        "8 fabric, 9 launch, 10 room in staging");
}

}  // namespace reticle
