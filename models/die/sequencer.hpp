// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <systemc>
#include <vector>

#include "models/fabric/fabric_if.hpp"
#include "models/mac/mac_if.hpp"
#include "models/memory/memory_if.hpp"
#include "models/program/program.hpp"
#include "models/vector/vector_if.hpp"

namespace reticle {

/// When an instruction ran and what made it start and end then: the raw material of "where the time
/// went". Causes are instructions of the same program, kNoInstruction = the start of the step.
struct Execution {
  Picoseconds start{-1};  ///< < 0: not issued yet
  Picoseconds first{};    ///< first data or result
  Picoseconds end{};
  std::int32_t start_cause = kNoInstruction;
  /// A streaming operand that arrived last and so set `end`; for an Exchange the index of its
  /// timing; else kNoInstruction.
  std::int32_t end_cause = kNoInstruction;
};

/// Told once per step when a die knows the end of its whole program.
class CompletionIf : public virtual sc_core::sc_interface {
 public:
  virtual void die_finished() = 0;
};

/// Runs a die's program: issues to every unit, in program order per unit, whatever has its
/// operands, its staging space and its unit.
///
/// Models:     decoupled units with in-order queues, streaming (double-buffered) operands, bounded
///             staging space for loads that run ahead, kernel launches as instructions.
/// Leaves out: instruction fetch, register and buffer allocation inside a unit.
///
/// Loosely timed inside the die (its units serve nobody else), synchronised with simulated time
/// wherever it meets other dies: it joins an exchange at the very time it is ready to.
class Sequencer final : public sc_core::sc_module, public ExchangeListenerIf {
 public:
  sc_core::sc_port<MemoryIf> sram{"sram"};
  sc_core::sc_port<MemoryIf, 1, sc_core::SC_ZERO_OR_MORE_BOUND> hbm{"hbm"};
  sc_core::sc_port<MemoryIf, 1, sc_core::SC_ZERO_OR_MORE_BOUND> far{"far"};
  sc_core::sc_port<MemoryIf, 1, sc_core::SC_ZERO_OR_MORE_BOUND> flash{"flash"};
  sc_core::sc_port<MacIf> mac{"mac"};
  sc_core::sc_port<VectorIf> vector{"vector"};
  sc_core::sc_port<FabricIf> fabric{"fabric"};
  sc_core::sc_port<CompletionIf> completion{"completion"};
  sc_core::sc_export<ExchangeListenerIf> listener{"listener"};

  /// `staging` bounds the bytes that loads may hold before their consumer is done.
  /// `crossbar`: what loads from SRAM and HBM share on their way to the cores; 0 = no limit.
  Sequencer(const sc_core::sc_module_name& name, Bytes staging, BytesPerSecond crossbar = {});

  /// Begins `program` now; it must outlive the step. The last one must have finished.
  void start(const Program& program);
  void exchange_done(std::int32_t exchange, const ExchangeTiming& timing) override;

  [[nodiscard]] bool finished() const { return !running_; }
  /// When the last instruction ends; valid once finished, and may lie ahead of simulated time.
  [[nodiscard]] Picoseconds end() const { return end_; }

  [[nodiscard]] const Program& program() const { return *program_; }
  [[nodiscard]] const Execution& execution(std::int32_t i) const {
    return executions_[static_cast<std::size_t>(i)];
  }
  [[nodiscard]] const ExchangeTiming& exchange_timing(std::int32_t i) const {
    return timings_[static_cast<std::size_t>(i)];
  }
  /// The instruction that ends last.
  [[nodiscard]] std::int32_t last_instruction() const { return last_; }
  /// Bytes that went through staging: written into it and read out of it once each.
  [[nodiscard]] Bytes staged() const { return staged_; }
  /// Bytes loaded so far, by what they were for.
  [[nodiscard]] const std::array<Bytes, kTimeCategoryCount>& loaded() const { return loaded_; }
  /// What the program waits for; empty when finished.
  [[nodiscard]] std::string pending() const;

 private:
  /// When an instruction's operands allow it to start, and which one comes last.
  struct Readiness {
    Picoseconds at{};
    std::int32_t cause = kNoInstruction;
  };
  /// Consumption of a streaming operand: the latest end among them.
  struct StreamEnd {
    Picoseconds end{-1};
    std::int32_t on = kNoInstruction;
  };
  struct Staged {
    std::int32_t consumer;
    std::int64_t bytes;
  };

  void advance();
  bool issue_next(Unit unit);
  /// The first operand whose time is not known; kNoInstruction when all are.
  [[nodiscard]] std::int32_t operands(const Instruction& in, Readiness& ready,
                                      StreamEnd& stream) const;
  bool reserve_staging(const Instruction& in, Readiness& ready);
  bool issue_transfer(std::int32_t i, const Instruction& in, Readiness ready);
  void issue_compute(std::int32_t i, const Instruction& in, Readiness ready, StreamEnd stream);
  bool issue_exchange(std::int32_t i, const Instruction& in, Readiness ready);
  void record(std::int32_t i, const Execution& execution);
  [[nodiscard]] MemoryIf& memory(Tier tier);

  [[nodiscard]] Picoseconds cross(const MemoryRun& run, const AccessTiming& timing);

  const std::int64_t staging_;
  const BytesPerSecond crossbar_;
  Picoseconds crossbar_free_{};
  const Program* program_ = nullptr;
  Picoseconds begun_{};
  std::array<std::size_t, kUnitCount> next_{};
  std::array<std::int32_t, kUnitCount> blocked_on_{};  ///< operand the head of the queue waits for
  /// Per unit: the instruction that used it last and until when it keeps the next one out.
  std::array<Readiness, kUnitCount> unit_{};
  std::vector<Execution> executions_;
  std::vector<ExchangeTiming> timings_;
  std::vector<std::pair<std::int32_t, std::int32_t>> joined_;  ///< exchange, instruction
  std::deque<Staged> in_staging_;
  std::int64_t staging_used_ = 0;
  /// Space is given in issue order: no load gets it before the last consumer that an earlier load
  /// had to wait for.
  Readiness staging_free_;
  std::size_t staging_turn_ = 0;  ///< no staged load before this instruction is left
  std::size_t issued_ = 0;
  bool running_ = false;
  Picoseconds end_{};
  std::int32_t last_ = kNoInstruction;
  Bytes staged_{};
  std::array<Bytes, kTimeCategoryCount> loaded_{};
  sc_core::sc_event wake_;
};

}  // namespace reticle
