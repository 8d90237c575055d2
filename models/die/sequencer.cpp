// SPDX-License-Identifier: Apache-2.0
#include "models/die/sequencer.hpp"

#include <algorithm>
#include <string_view>

#include "models/kernel/time.hpp"
#include "sim/base/error.hpp"

namespace reticle {

namespace {
constexpr std::array<std::string_view, 6> kOpNames{"load",   "store",    "mac",
                                                   "vector", "exchange", "wait"};
constexpr std::array<std::string_view, kUnitCount> kUnitNames{
    "sram port", "hbm port", "far port", "flash port", "store port",
    "mac",       "vector",   "fabric",   "control"};
}  // namespace

Sequencer::Sequencer(const sc_core::sc_module_name& name, Bytes staging, BytesPerSecond crossbar)
    : sc_module{name}, staging_{staging.count()}, crossbar_{crossbar} {
  listener.bind(*this);
  SC_HAS_PROCESS(Sequencer);
  SC_METHOD(advance);
  sensitive << wake_;
  dont_initialize();
}

MemoryIf& Sequencer::memory(Tier tier) {
  switch (tier) {
    case Tier::Sram:
      return *sram.operator->();
    case Tier::Hbm:
      return *hbm.operator->();
    case Tier::Far:
      return *far.operator->();
    case Tier::Flash:
      return *flash.operator->();
  }
  fail_invariant("no such tier", std::source_location::current());
}

void Sequencer::start(const Program& program) {
  invariant(finished(), "the last step has ended");
  program_ = &program;
  running_ = !program.code.empty();
  begun_ = now();
  next_.fill(0);
  blocked_on_.fill(kNoInstruction);
  unit_.fill({begun_, kNoInstruction});
  executions_.assign(program.code.size(), Execution{});
  timings_.clear();
  joined_.clear();
  in_staging_.clear();
  staging_used_ = 0;
  staging_free_ = {begun_, kNoInstruction};
  staging_turn_ = 0;
  issued_ = 0;
  end_ = begun_;
  last_ = kNoInstruction;
  if (running_)
    wake_.notify(sc_core::SC_ZERO_TIME);
  else
    completion->die_finished();
}

void Sequencer::record(std::int32_t i, const Execution& execution) {
  executions_[static_cast<std::size_t>(i)] = execution;
  ++issued_;
  if (execution.end > end_ || last_ == kNoInstruction) {
    end_ = max(end_, execution.end);
    last_ = i;
  }
  if (issued_ < program_->code.size()) return;
  running_ = false;
  completion->die_finished();
}

std::int32_t Sequencer::operands(const Instruction& in, Readiness& ready, StreamEnd& stream) const {
  for (const Dependency& dep : in.after) {
    if (dep.on() == kNoInstruction) continue;
    const Execution& before = executions_[static_cast<std::size_t>(dep.on())];
    if (before.start.count() < 0) return dep.on();
    const Picoseconds at = dep.streaming() ? before.first : before.end;
    if (at > ready.at) ready = {at, dep.on()};
    if (dep.streaming() && before.end > stream.end) stream = {before.end, dep.on()};
  }
  return kNoInstruction;
}

/// Waits for the oldest staged loads to be consumed until `in` fits; false while that is not known.
bool Sequencer::reserve_staging(const Instruction& in, Readiness& ready) {
  invariant(in.amount <= staging_, "a load fits the staging buffer");
  // In program order over all ports: a port that ran ahead could fill the buffer with data whose
  // consumers wait for a load of another port, for ever.
  while (!program_->code[staging_turn_].staged) ++staging_turn_;
  if (&program_->code[staging_turn_] != &in) return false;
  while (staging_used_ + in.amount > staging_) {
    const Staged& oldest = in_staging_.front();
    const Execution& consumer = executions_[static_cast<std::size_t>(oldest.consumer)];
    if (consumer.start.count() < 0) return false;
    if (consumer.end > staging_free_.at) staging_free_ = {consumer.end, oldest.consumer};
    staging_used_ -= oldest.bytes;
    in_staging_.pop_front();
  }
  if (staging_free_.at > ready.at) ready = staging_free_;
  staging_used_ += in.amount;
  in_staging_.push_back({in.consumer, in.amount});
  ++staging_turn_;
  staged_ += Bytes{in.amount};
  return true;
}

/// When what is read has crossed to the cores: one load behind another.
Picoseconds Sequencer::cross(const MemoryRun& run, const AccessTiming& timing) {
  crossbar_free_ = max(crossbar_free_, timing.started) + transfer_time(run.bytes, crossbar_);
  return max(timing.done, crossbar_free_);
}

bool Sequencer::issue_transfer(std::int32_t i, const Instruction& in, Readiness ready) {
  // A memory serves in call order: a fill reserved ahead of its time would hold up all loads from
  // there that come before it.
  const bool fills = in.code == OpCode::Store && in.category != TimeCategory::Kv;
  if (fills && ready.at > now()) {
    wake_.notify(to_sc_time(ready.at - now()));
    return false;
  }
  if (in.staged && !reserve_staging(in, ready)) return false;
  auto& port = unit_[static_cast<std::size_t>(in.unit)];
  const Requester requester =
      in.code == OpCode::Store                                                 ? Requester::Writer
      : in.category == TimeCategory::Kv || in.category == TimeCategory::KvMove ? Requester::Kv
                                                                               : Requester::Weights;
  const MemoryRun run{.kind = in.code == OpCode::Load ? Access::Read : Access::Write,
                      .address = Bytes{in.address},
                      .bytes = Bytes{in.amount},
                      .piece = Bytes{in.piece},
                      .requester = static_cast<std::uint8_t>(requester)};
  AccessTiming timing = memory(in.tier).access(run, ready.at);
  if (crossbar_.count() > 0 && in.code == OpCode::Load && in.tier != Tier::Far)
    timing.done = cross(run, timing);
  if (in.code == OpCode::Load) loaded_[static_cast<std::size_t>(in.category)] += run.bytes;
  // Behind an earlier transfer of this port, the time up to its end is that one's.
  Execution execution{ready.at, timing.first_data, timing.done, ready.cause, kNoInstruction};
  if (port.cause != kNoInstruction && port.at > ready.at && port.at <= timing.done) {
    execution.start = port.at;
    execution.start_cause = port.cause;
  }
  execution.first = max(execution.first, execution.start);
  record(i, execution);
  port = {timing.done, i};
  return true;
}

void Sequencer::issue_compute(std::int32_t i, const Instruction& in, Readiness ready,
                              StreamEnd stream) {
  auto& unit = unit_[static_cast<std::size_t>(in.unit)];
  if (unit.at > ready.at) ready = unit;
  Picoseconds started, done, tail;
  if (in.code == OpCode::Mac) {
    const std::span<const GemmShape> shapes{program_->shapes};
    const auto timing =
        mac->compute(shapes.subspan(static_cast<std::size_t>(in.shapes_begin),
                                    static_cast<std::size_t>(in.shapes_end - in.shapes_begin)),
                     in.precision, ready.at);
    started = timing.started, done = timing.done, tail = timing.tail;
  } else {
    const auto timing = vector->compute(vector_work(in), ready.at);
    started = timing.started, done = timing.done, tail = timing.tail;
  }
  Execution execution{ready.at, min(done, started + tail), done, ready.cause, kNoInstruction};
  if (started > ready.at && unit.cause != kNoInstruction)
    execution.start = started, execution.start_cause = unit.cause;
  if (stream.on != kNoInstruction && stream.end + tail > done) {
    execution.end = stream.end + tail;
    execution.end_cause = stream.on;
  }
  record(i, execution);
  // The unit is held until its last operand has streamed in; its pipeline drains beside the next.
  unit = {max(unit.at, stream.end), i};
}

/// Joins at the time the operands are ready: false while that lies ahead.
bool Sequencer::issue_exchange(std::int32_t i, const Instruction& in, Readiness ready) {
  if (ready.at > now()) {
    wake_.notify(to_sc_time(ready.at) - sc_core::sc_time_stamp());
    return false;
  }
  auto& execution = executions_[static_cast<std::size_t>(i)];
  execution.start_cause = ready.cause;
  joined_.emplace_back(in.exchange, i);
  fabric->join(in.exchange, in.slot);
  return true;
}

void Sequencer::exchange_done(std::int32_t exchange, const ExchangeTiming& timing) {
  const auto found = std::find_if(joined_.begin(), joined_.end(),
                                  [&](const auto& pair) { return pair.first == exchange; });
  invariant(found != joined_.end(), "an exchange ends after it was joined");
  const std::int32_t i = found->second;
  joined_.erase(found);
  const std::int32_t cause = executions_[static_cast<std::size_t>(i)].start_cause;
  timings_.push_back(timing);
  record(i,
         {now(), timing.done, timing.done, cause, static_cast<std::int32_t>(timings_.size()) - 1});
  advance();
}

bool Sequencer::issue_next(Unit unit) {
  const auto u = static_cast<std::size_t>(unit);
  const auto& queue = program_->queues[u];
  if (next_[u] == queue.size()) return false;
  auto& blocked_on = blocked_on_[u];
  if (blocked_on != kNoInstruction &&
      executions_[static_cast<std::size_t>(blocked_on)].start.count() < 0)
    return false;
  const std::int32_t i = queue[next_[u]];
  const Instruction& in = program_->code[static_cast<std::size_t>(i)];
  Readiness ready{begun_, kNoInstruction};
  StreamEnd stream;
  blocked_on = operands(in, ready, stream);
  if (blocked_on != kNoInstruction) return false;
  switch (in.code) {
    case OpCode::Load:
    case OpCode::Store:
      if (!issue_transfer(i, in, ready)) return false;
      break;
    case OpCode::Mac:
    case OpCode::Vector:
      issue_compute(i, in, ready, stream);
      break;
    case OpCode::Exchange:
      if (!issue_exchange(i, in, ready)) return false;
      break;
    case OpCode::Wait: {
      auto& control = unit_[u];
      if (control.at > ready.at) ready = control;
      const Picoseconds end = ready.at + Picoseconds{in.amount};
      record(i, {ready.at, end, end, ready.cause, kNoInstruction});
      control = {end, i};
      break;
    }
  }
  ++next_[u];
  return true;
}

void Sequencer::advance() {
  for (bool progress = running_; progress;) {
    progress = false;
    for (std::size_t u = 0; u < kUnitCount; ++u)
      while (issue_next(static_cast<Unit>(u))) progress = true;
  }
}

std::string Sequencer::pending() const {
  if (finished()) return {};
  std::string text;
  for (std::size_t u = 0; u < kUnitCount; ++u) {
    const auto& queue = program_->queues[u];
    if (next_[u] == queue.size()) continue;
    const std::int32_t i = queue[next_[u]];
    const auto& in = program_->code[static_cast<std::size_t>(i)];
    text += std::string{name()} + ": " + std::string{kUnitNames[u]} + ": instruction " +
            std::to_string(i) + " (" + std::string{kOpNames[static_cast<std::size_t>(in.code)]} +
            ", layer " + std::to_string(in.layer) + ") and " +
            std::to_string(queue.size() - next_[u] - 1) + " more wait\n";
  }
  for (const auto& [exchange, i] : joined_)
    text += std::string{name()} + ": joined exchange " + std::to_string(exchange) + "\n";
  return text;
}

}  // namespace reticle
