// SPDX-License-Identifier: Apache-2.0
// The one contract between software and silicon: mapping writes a Program per die, the die's
// sequencer runs it. Plain data; a model of a language model is nowhere in it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "models/mac/mac_spec.hpp"
#include "models/vector/vector_op_spec.hpp"
#include "sim/base/ids.hpp"
#include "sim/base/precision.hpp"
#include "sim/base/units.hpp"

namespace reticle {

enum class OpCode : std::uint8_t {
  Load,      ///< bytes from a tier towards the array
  Store,     ///< bytes into a tier
  Mac,       ///< GEMMs on the array
  Vector,    ///< an operation of the vector unit
  Exchange,  ///< this die's sends and receives of one collective
  Wait,      ///< a fixed time (kernel launch)
};

enum class Tier : std::uint8_t { Sram, Hbm, Far, Flash };
inline constexpr std::size_t kTierCount = 4;

/// What simulated time is charged to in "where the time went".
enum class TimeCategory : std::uint8_t {
  WeightsSram,
  WeightsHbm,
  WeightsFar,
  Kv,
  KvMove,       ///< keys and values from tier to tier
  AdapterMove,  ///< adapters on their way into the home tier
  Mac,
  Vector,
  FabricLatency,
  FabricTransfer,
  Launch,
  Idle
};
inline constexpr std::size_t kTimeCategoryCount = 12;

/// The category of weights by the tier they come from; flash holds none.
inline constexpr std::array kWeightCategories{TimeCategory::WeightsSram, TimeCategory::WeightsHbm,
                                              TimeCategory::WeightsFar};

/// The units of a die; each runs its instructions in program order, all run side by side.
enum class Unit : std::uint8_t {
  SramPort,
  HbmPort,
  FarPort,
  FlashPort,
  StorePort,
  Mac,
  Vector,
  Fabric,
  Control
};
inline constexpr std::size_t kUnitCount = 9;

inline constexpr std::int32_t kNoInstruction = -1;

/// Waits for an earlier instruction of the same program. A streaming dependency starts with the
/// producer's first data and ends no earlier than its last data plus the consumer's own tail.
class Dependency {
 public:
  constexpr Dependency() = default;
  constexpr Dependency(std::int32_t on, bool streaming = false)
      : packed_{on * 2 + (streaming ? 1 : 0)} {}
  [[nodiscard]] constexpr std::int32_t on() const { return packed_ >> 1; }
  [[nodiscard]] constexpr bool streaming() const { return (packed_ & 1) != 0; }

 private:
  std::int32_t packed_ = kNoInstruction * 2;  ///< the instruction, then one bit: streaming
};

struct Instruction {
  OpCode code{};
  Unit unit{};
  Tier tier{};  ///< Load, Store
  TimeCategory category{};
  Precision precision{};    ///< Mac
  bool staged = false;      ///< Load: holds staging space until `consumer` has finished
  std::int16_t layer = -1;  ///< for reading traces, not for timing
  std::array<Dependency, 3> after{};
  std::int32_t consumer = kNoInstruction;  ///< Load staged: the instruction that frees the space
  std::int32_t shapes_begin = 0;           ///< Mac: range of Program::shapes
  std::int32_t shapes_end = 0;
  std::int32_t exchange = 0;  ///< Exchange: index into StepPrograms::exchanges
  std::int32_t slot = 0;      ///< Exchange: this die's place among the participants
  /// Load, Store: bytes of one contiguous piece; Vector: elements of one row; 0 = all.
  std::int32_t piece = 0;
  VectorOp vector_op{};      ///< Vector
  std::uint8_t label = 0;    ///< the writer's own, for reading traces, not for timing
  std::uint16_t rounds = 0;  ///< Vector, TopK: k
  std::int64_t amount = 0;   ///< Load, Store: bytes; Vector: elements; Wait: picoseconds
  std::int64_t address = 0;  ///< Load, Store: where in the tier
};
/// What a Vector instruction asks for.
constexpr VectorWork vector_work(const Instruction& in) {
  return {.op = in.vector_op, .elements = in.amount, .row = in.piece, .rounds = in.rounds};
}
// A step of a large deployment has 10^5 of these: one cache line each.
static_assert(sizeof(Instruction) == 64);

/// What one die does in one step.
struct Program {
  std::vector<Instruction> code;
  std::vector<GemmShape> shapes;
  std::array<std::vector<std::int32_t>, kUnitCount>
      queues;  ///< instructions of each unit, in order

  std::int32_t add(const Instruction& instruction) {
    const auto at = static_cast<std::int32_t>(code.size());
    code.push_back(instruction);
    queues[static_cast<std::size_t>(instruction.unit)].push_back(at);
    return at;
  }
  void clear() {
    code.clear();
    shapes.clear();
    for (auto& queue : queues) queue.clear();
  }
};

/// As a target: the switch that joins all participants. It adds up what a phase sends it and sends
/// the sum to every participant, a single sender excepted.
inline constexpr std::int32_t kInSwitch = -1;

/// A point-to-point message between two participants of an exchange.
struct Message {
  std::int32_t source = 0;  ///< slot
  std::int32_t target = 0;  ///< slot, or kInSwitch
  Bytes bytes{};
};

/// A collective as the messages it is. A participant sends its messages of phase p once it has
/// joined and holds everything phase p - 1 sent to it.
struct Exchange {
  std::vector<DieId> participants;
  std::vector<std::vector<Message>> phases;
  Picoseconds start{};  ///< before the first phase, on every participant: its kernel
  Picoseconds step{};   ///< before each later phase: flags and copies of the library
};

/// Where routed experts came from, over all layers and expert groups: for the report, not for
/// timing.
struct ExpertTraffic {
  std::int64_t hits = 0;    ///< loaded from SRAM
  std::int64_t misses = 0;  ///< loaded from a tier below
  Bytes hit_bytes{}, missed_bytes{};
  Bytes filled{};                ///< written into SRAM, prefetched ones included
  std::int64_t predicted = 0;    ///< experts of the next layer, over steps and layers
  std::int64_t came_true = 0;    ///< of these
  std::int64_t foreseeable = 0;  ///< experts needed where there was a prediction
  std::int64_t prefetched = 0;   ///< predicted ones that were loaded ahead, as they were absent
  ExpertTraffic& operator+=(const ExpertTraffic& other) {
    hits += other.hits;
    misses += other.misses;
    hit_bytes += other.hit_bytes;
    missed_bytes += other.missed_bytes;
    filled += other.filled;
    predicted += other.predicted;
    came_true += other.came_true;
    foreseeable += other.foreseeable;
    prefetched += other.prefetched;
    return *this;
  }
};

/// One step of the whole deployment.
struct StepPrograms {
  std::vector<Program> dies;
  std::vector<std::shared_ptr<const Exchange>> exchanges;
  /// Of tokens for routed experts, over all layers, and those of them that full experts dropped:
  /// for the report, not for timing.
  std::int64_t picks = 0, dropped_picks = 0;
  ExpertTraffic experts;

  void clear() {
    for (auto& program : dies) program.clear();
    exchanges.clear();
    picks = dropped_picks = 0;
    experts = {};
  }
};

}  // namespace reticle
