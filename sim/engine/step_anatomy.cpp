// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/step_anatomy.hpp"
#include "sim/engine/unit_slices.hpp"

#include <algorithm>
#include <utility>

namespace reticle {

namespace {
using Interval = std::pair<std::int64_t, std::int64_t>;

/// Picoseconds in at least one of them.
std::int64_t covered(std::vector<Interval>& all) {
  std::ranges::sort(all);
  std::int64_t sum = 0, until = 0;
  for (const auto& [from, to] : all) {
    sum += std::max<std::int64_t>(0, to - std::max(from, until));
    until = std::max(until, to);
  }
  return sum;
}

void add_work(OperatorWork& work, const Program& program, const Instruction& in) {
  const auto tier = static_cast<std::size_t>(in.tier);
  if (in.code == OpCode::Load) work.loaded[tier] += Bytes{in.amount};
  if (in.code == OpCode::Store) work.stored[tier] += Bytes{in.amount};
  if (in.code == OpCode::Vector) work.vector_ops += element_ops(vector_work(in));
  if (in.code == OpCode::Mac)
    work.macs[static_cast<std::size_t>(in.precision)] += macs_of(program, in);
}
}  // namespace

std::vector<OperatorWork> take_apart(const Deployment& deployment, const StepPrograms& step,
                                     const PathByLabel& path) {
  std::array<OperatorWork, kLabelCount> all;
  std::array<std::int64_t, kLabelCount> spans{};
  std::array<std::vector<Interval>, kLabelCount> intervals;
  std::array<bool, kLabelCount> there{};
  for (std::size_t d = 0; d < deployment.size(); ++d) {
    const Sequencer& sequencer = deployment.die(DieId{static_cast<std::uint32_t>(d)}).sequencer;
    const Program& program = step.dies[d];
    for (std::size_t i = 0; i < program.code.size(); ++i) {
      const Instruction& in = program.code[i];
      const Execution& done = sequencer.execution(static_cast<std::int32_t>(i));
      there[in.label] = true;
      add_work(all[in.label], program, in);
      intervals[in.label].emplace_back(done.start.count(), done.end.count());
    }
    for (std::size_t label = 0; label < kLabelCount; ++label) {
      spans[label] += covered(intervals[label]);
      intervals[label].clear();
    }
  }
  std::vector<OperatorWork> operators;
  for (std::size_t label = 0; label < kLabelCount; ++label) {
    const bool charged = std::ranges::any_of(path[label], [](auto t) { return t.count() > 0; });
    if (!there[label] && !charged) continue;
    all[label].label = static_cast<std::uint8_t>(label);
    all[label].path = path[label];
    all[label].span = Picoseconds{spans[label] / static_cast<std::int64_t>(deployment.size())};
    operators.push_back(all[label]);
  }
  return operators;
}

std::vector<LinkLoad> link_loads(const Deployment& deployment) {
  const std::vector<LinkStats> stats = deployment.fabric().link_stats();
  const auto links = deployment.fabric().topology().links();
  std::vector<LinkLoad> loads;
  for (std::size_t i = 0; i < stats.size(); ++i)
    loads.push_back({links[i].from, links[i].to, links[i].level, stats[i].bytes, stats[i].busy});
  return loads;
}

}  // namespace reticle
