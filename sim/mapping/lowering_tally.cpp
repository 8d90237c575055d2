// SPDX-License-Identifier: Apache-2.0
// What a step moves and computes, added up without writing all of it.
#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "sim/mapping/lowering_tally.hpp"

namespace reticle {

namespace {
/// Totals of microbatches that are kept for those like them.
constexpr std::size_t kMostKept = 4096;

bool is_attention(const Operator& op) { return op.kind == OperatorKind::Attend; }
}  // namespace

Lowering::Tallier::Tallier(Lowering& owner) : o_{owner}, writer_{owner, out_, true} {
  out_.dies.resize(static_cast<std::size_t>(dies(owner.platform_)));
  const auto layers = static_cast<std::size_t>(owner.llm_.layer_count());
  const auto stage_of = [&](std::int64_t layer) {
    std::int64_t stage = 0;
    while (stage + 1 < plan().pipeline && layer >= first_layer(owner.llm_, plan(), stage + 1))
      ++stage;
    return stage;
  };
  std::map<std::int64_t, std::vector<std::int64_t>> kind_of;  // of a layer's operators, in numbers
  std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> ends;  // of a stage's layers
  for (const Operator& op : owner.graph_.operators) {
    if (op.layer < 0) continue;
    ends.try_emplace(stage_of(op.layer), op.layer, op.layer).first->second.second = op.layer;
    const Matrix& m = op.weight;
    const WeightHome& home = owner.placement_.layers[static_cast<std::size_t>(op.layer)]
                                 .weights[static_cast<std::size_t>(m.role)];
    auto& kind = kind_of[op.layer];
    for (const std::int64_t fact :
         {static_cast<std::int64_t>(op.kind), static_cast<std::int64_t>(m.role), m.k, m.n, m.copies,
          static_cast<std::int64_t>(m.cut), static_cast<std::int64_t>(m.precision), m.blocks,
          static_cast<std::int64_t>(home.tier)})
      kind.push_back(fact);
    // Tokens are routed in every layer anew.
    if (op.kind == OperatorKind::Router) kind.push_back(-1 - op.layer);
  }
  // Where a stage begins and ends, no vector operation is joined with the next layer's.
  std::map<std::vector<std::int64_t>, std::int64_t> first_of_kind;
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> first_of_mixer;
  std::vector<std::int64_t> stands_for(layers), mixer_stands_for(layers);  // the layer that does
  for (auto& [layer, kind] : kind_of) {
    const std::int64_t stage = stage_of(layer);
    const std::int64_t mixer = owner.llm_.layer(layer).mixer;
    kind.insert(kind.end(),
                {mixer, stage, layer == ends.at(stage).first, layer == ends.at(stage).second});
    stands_for[static_cast<std::size_t>(layer)] =
        first_of_kind.try_emplace(kind, layer).first->second;
    mixer_stands_for[static_cast<std::size_t>(layer)] =
        first_of_mixer.try_emplace({stage, mixer}, layer).first->second;
  }
  rest_.times.resize(layers);
  attention_.times.resize(layers);
  for (const auto& [layer, kind] : kind_of)
    ++rest_.times[static_cast<std::size_t>(stands_for[static_cast<std::size_t>(layer)])];
  for (const Operator& op : owner.graph_.operators) {
    if (!is_attention(op)) {
      if (op.layer < 0 || stands_for[static_cast<std::size_t>(op.layer)] == op.layer)
        rest_.operators.push_back(&op);
      continue;
    }
    const std::int64_t first = mixer_stands_for[static_cast<std::size_t>(op.layer)];
    // Dies with other heads of the same positions do the same.
    attention_.times[static_cast<std::size_t>(first)] += alike_ranks(op).first;
    if (first == op.layer) attention_.operators.push_back(&op);
  }
}

/// Of the dies of a replica, so many groups are alike in an attention, of so many ranks each.
std::pair<std::int64_t, std::int64_t> Lowering::Tallier::alike_ranks(const Operator& op) const {
  const Mixer& mixer = *o_.llm_.mixer_of(op.layer);
  const AttentionShards shards = attention_shards(mixer, plan());
  if (!std::holds_alternative<AttentionSpec>(mixer.of)) return {1, plan().tensor};
  return {shards.heads, shards.context};
}

/// Whether its totals, attention aside, follow from the number of sequences alone.
bool Lowering::Tallier::decodes_alone() const {
  return o_.router_ == nullptr && std::ranges::all_of(writer_.work(), [](const ReplicaWork& w) {
           return w.prefills.empty() && w.adapters.empty() && w.emitted == w.sequences;
         });
}

StepTotals Lowering::Tallier::count(const Skeleton& skeleton) {
  for (Program& program : out_.dies) program.clear();
  writer_.begin_again();
  for (const Operator* op : skeleton.operators) {
    writer_.write_ranks(is_attention(*op) ? alike_ranks(*op).second : plan().tensor);
    writer_.write(*op);
  }
  return totals_of(out_, skeleton.times);
}

StepTotals Lowering::Tallier::rest() {
  if (!decodes_alone()) return count(rest_);
  key_.clear();
  for (const ReplicaWork& w : writer_.work()) key_.insert(key_.end(), {w.sequences, w.resumed});
  const auto at = kept_.find(key_);
  if (at != kept_.end()) return at->second;
  if (kept_.size() >= kMostKept) kept_.clear();
  return kept_.emplace(key_, count(rest_)).first->second;
}

StepTally Lowering::Tallier::tally(const StepLoad& load) {
  StepTally sum;
  out_.picks = out_.dropped_picks = 0;
  out_.experts = {};
  if (load.transfers()) {
    for (Program& program : out_.dies) program.clear();
    for (const bool begins : {true, false}) {
      for (const KvMove& move : load.moves) writer_.move(move, begins);
      for (const std::uint32_t adapter : load.adapters_in) writer_.bring(adapter, begins);
    }
    sum.totals += totals_of(out_);
  }
  o_.each_microbatch(load, [&](std::span<const SequenceWork> sequences) {
    writer_.begin(sequences);
    sum.totals += rest();
    sum.totals += count(attention_);
  });
  sum.picks = out_.picks;
  sum.dropped_picks = out_.dropped_picks;
  sum.experts = out_.experts;
  return sum;
}

StepTally Lowering::tally(const StepLoad& load) {
  if (!tallier_) tallier_ = std::make_unique<Tallier>(*this);
  return tallier_->tally(load);
}

}  // namespace reticle
