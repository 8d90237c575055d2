// SPDX-License-Identifier: Apache-2.0
// Programs for a deployment, written by hand.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "models/package/deployment.hpp"
#include "tests/models/fabric_bench.hpp"
#include "tests/models/sim_fixture.hpp"
#include "tests/models/test_params.hpp"

namespace reticle {

inline Instruction load(Tier tier, Bytes bytes, std::int64_t address = 0) {
  constexpr std::array kPorts{Unit::SramPort, Unit::HbmPort, Unit::FarPort, Unit::FlashPort};
  Instruction in;
  in.code = OpCode::Load;
  in.unit = kPorts[static_cast<std::size_t>(tier)];
  in.tier = tier;
  in.category = TimeCategory::WeightsHbm;
  in.amount = bytes.count();
  in.address = address;
  return in;
}
inline Instruction store(Tier tier, Bytes bytes) {
  Instruction in = load(tier, bytes);
  in.code = OpCode::Store;
  in.unit = Unit::StorePort;
  in.category = TimeCategory::Kv;
  return in;
}
inline Instruction mac(Program& program, GemmShape shape) {
  Instruction in;
  in.code = OpCode::Mac;
  in.unit = Unit::Mac;
  in.category = TimeCategory::Mac;
  in.precision = Precision::Fp8;
  in.shapes_begin = static_cast<std::int32_t>(program.shapes.size());
  program.shapes.push_back(shape);
  in.shapes_end = static_cast<std::int32_t>(program.shapes.size());
  return in;
}
inline Instruction vector_op(std::int64_t element_ops) {
  Instruction in;
  in.code = OpCode::Vector;
  in.unit = Unit::Vector;
  in.category = TimeCategory::Vector;
  in.amount = element_ops;
  return in;
}
inline Instruction pause(Picoseconds time) {
  Instruction in;
  in.code = OpCode::Wait;
  in.unit = Unit::Control;
  in.category = TimeCategory::Launch;
  in.amount = time.count();
  return in;
}
inline Instruction exchange(std::int32_t id, std::int32_t slot) {
  Instruction in;
  in.code = OpCode::Exchange;
  in.unit = Unit::Fabric;
  in.category = TimeCategory::FabricTransfer;
  in.exchange = id;
  in.slot = slot;
  return in;
}
inline Instruction after(Instruction in, std::int32_t on, bool streaming = false) {
  for (Dependency& dep : in.after)
    if (dep.on() == kNoInstruction) {
      dep = {on, streaming};
      return in;
    }
  return in;
}
inline Instruction streaming(Instruction in, std::int32_t on) { return after(in, on, true); }

/// A step for `dies` dies, all programs empty.
inline StepPrograms empty_step(std::int64_t dies) {
  StepPrograms step;
  step.dies.resize(static_cast<std::size_t>(dies));
  return step;
}
inline void add_exchange(StepPrograms& step, Exchange exchange) {
  step.exchanges.push_back(std::make_shared<const Exchange>(std::move(exchange)));
}

/// Starts `step` at the present time and waits until every die knows its end.
inline void run_step(Deployment& deployment, const StepPrograms& step) {
  deployment.start(step);
  if (!deployment.finished()) sc_core::wait(deployment.all_finished());
}

/// A program of one die with its expected parts: the case runs it alone from time zero.
inline const Execution& execution(const Deployment& deployment, std::uint32_t die,
                                  std::int32_t instruction) {
  return deployment.die(DieId{die}).sequencer.execution(instruction);
}

}  // namespace reticle
