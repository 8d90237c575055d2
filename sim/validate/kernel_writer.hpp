// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "models/package/platform_spec.hpp"
#include "models/program/program.hpp"

namespace reticle {

/// Writes kernels into the program of one die, one after another, as Lowering does for those of a
/// layer.
class KernelWriter {
 public:
  KernelWriter(const PlatformSpec& platform, Program& program)
      : platform_{platform}, program_{program} {}

  /// A kernel that waits for the one before; `more` on top of its kind's time.
  void begin(KernelKind kind, Picoseconds more = {});
  /// What it moves beside its weights; `first`: nothing goes beside it.
  void cross(Bytes bytes, bool first);
  /// `bytes` from HBM stream into the products.
  void stream(Bytes bytes, TimeCategory category, std::span<const GemmShape> shapes,
              Precision precision);
  void softmax(std::int64_t scores, std::int64_t rows);

 private:
  const PlatformSpec& platform_;
  Program& program_;
  std::int32_t last_ = kNoInstruction, gate_ = kNoInstruction, crossing_ = kNoInstruction;
};

}  // namespace reticle
