// SPDX-License-Identifier: Apache-2.0
#include "sim/validate/kernel_writer.hpp"

#include <algorithm>

#include "sim/base/error.hpp"

namespace reticle {

void KernelWriter::begin(KernelKind kind, Picoseconds more) {
  const DieParams& die = platform_.die;
  Instruction in{.code = OpCode::Wait, .unit = Unit::Control, .category = TimeCategory::Launch};
  in.amount =
      (die.kernels ? begin_of(*die.kernels, kind) + more : die.sequencer.launch_gap).count();
  in.after[0] = last_;
  last_ = gate_ = program_.add(in);
}

void KernelWriter::cross(Bytes bytes, bool first) {
  Instruction in{.code = OpCode::Load,
                 .unit = Unit::SramPort,
                 .tier = Tier::Sram,
                 .category = TimeCategory::Mac};
  in.amount = bytes.count();
  if (in.amount == 0) return;
  in.after[0] = last_;
  (first ? last_ : crossing_) = program_.add(in);
}

void KernelWriter::stream(Bytes bytes, TimeCategory category, std::span<const GemmShape> shapes,
                          Precision precision) {
  Instruction load{
      .code = OpCode::Load, .unit = Unit::HbmPort, .tier = Tier::Hbm, .category = category};
  load.amount = bytes.count();
  load.after[0] = gate_;
  const std::int32_t loaded = bytes.count() > 0 ? program_.add(load) : kNoInstruction;
  Instruction mac{.code = OpCode::Mac,
                  .unit = Unit::Mac,
                  .category = TimeCategory::Mac,
                  .precision = precision};
  mac.shapes_begin = static_cast<std::int32_t>(program_.shapes.size());
  program_.shapes.insert(program_.shapes.end(), shapes.begin(), shapes.end());
  mac.shapes_end = static_cast<std::int32_t>(program_.shapes.size());
  mac.after = {Dependency{loaded, true}, Dependency{last_}, Dependency{crossing_, true}};
  crossing_ = kNoInstruction;
  last_ = program_.add(mac);
}

void KernelWriter::softmax(std::int64_t scores, std::int64_t rows) {
  Instruction in{.code = OpCode::Vector, .unit = Unit::Vector, .category = TimeCategory::Vector};
  in.vector_op = VectorOp::Softmax;
  in.amount = scores;
  in.piece = static_cast<std::int32_t>(div_up(scores, std::max<std::int64_t>(1, rows)));
  in.after[0] = {last_, true};
  last_ = program_.add(in);
}

}  // namespace reticle
