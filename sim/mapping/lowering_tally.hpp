// SPDX-License-Identifier: Apache-2.0
// For the source files of Lowering alone.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "sim/mapping/lowering_writer.hpp"

namespace reticle {

/// Adds up what steps move and compute. Of layers that are alike (operators, sizes, tiers, place in
/// their stage) one is gone through, for all; of steps that only decode, what does not depend on
/// contexts is kept by the numbers of sequences.
class Lowering::Tallier {
 public:
  explicit Tallier(Lowering& owner);
  StepTally tally(const StepLoad& load);

 private:
  /// Operators that stand for others.
  struct Skeleton {
    std::vector<const Operator*> operators;
    std::vector<std::int64_t> times;  ///< by layer: how often what it writes counts
  };
  [[nodiscard]] const ParallelPlan& plan() const { return o_.placement_.plan; }
  [[nodiscard]] std::pair<std::int64_t, std::int64_t> alike_ranks(const Operator& op) const;
  [[nodiscard]] bool decodes_alone() const;
  StepTotals count(const Skeleton& skeleton);
  StepTotals rest();

  Lowering& o_;
  StepPrograms out_;
  Writer writer_;
  Skeleton rest_, attention_;
  std::map<std::vector<std::int64_t>, StepTotals> kept_;  ///< `rest_`, by numbers of sequences
  std::vector<std::int64_t> key_;
};

}  // namespace reticle
