// SPDX-License-Identifier: Apache-2.0
// What feed-forward networks write: dense ones, shared and routed experts.
#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/base/rng.hpp"
#include "sim/mapping/lowering_writer.hpp"
#include "sim/mapping/op_costs.hpp"
#include "workloads/moe/expert_capacity.hpp"

namespace reticle {

void Lowering::Writer::activate(const Operator& op) {
  const LlmSpec& llm = o_.llm_;
  const std::int64_t ffn =
      llm.layer_is_moe(op.layer) ? llm.moe->shared_experts * llm.moe->shared_ffn : llm.dense_ffn;
  each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
    const std::int64_t mine = share(ffn, plan_.tensor, rank);
    vector(die, {.op = VectorOp::Activate, .elements = w.tokens * mine, .row = mine});
  });
}

// ---- routed experts -------------------------------------------------------------------------

void Lowering::Writer::route(const Operator& op) {
  each_die([&](std::int64_t die, auto, auto, const ReplicaWork& w) {
    begin_kernel(die);
    gemm(die, home(op), op.weight, w.tokens);
    vector(die, {.op = VectorOp::TopK,
                 .elements = w.tokens * op.weight.n,
                 .row = op.weight.n,
                 .rounds = o_.llm_.moe->top_k});
    router_done_[static_cast<std::size_t>(die)] = last(die);
  });
  count_experts(op.layer);
}

/// Draws the experts of every token of the microbatch at `layer`.
void Lowering::Writer::count_experts(std::int64_t layer) {
  const auto experts = static_cast<std::size_t>(o_.llm_.moe->experts);
  loads_.assign(experts, 0);
  const auto groups = static_cast<std::size_t>(plan_.expert);
  routed_.assign(static_cast<std::size_t>(plan_.data) * groups, 0);
  if (o_.llm_.moe->routing.choice == ExpertChoice::ByExpert) {
    choose_by_expert(layer);
  } else if (plan_.data == 1) {
    routed_batch_->add_loads(layer, loads_);
  } else {
    count_dispatched(layer);
  }
  for (const std::int32_t load : loads_) out_.picks += load;
  if (o_.llm_.moe->routing.capacity_factor > 0) {
    const std::int64_t most = capacity();
    out_.dropped_picks += picks_beyond(loads_, most);
    for (std::int32_t& load : loads_)  // those beyond are dropped, though they were sent
      load = std::min(load, static_cast<std::int32_t>(most));
  }
  expert_work_.assign(groups * kTierCount, {});
  for (std::size_t e = 0; e < experts; ++e) {
    if (loads_[e] == 0) continue;
    const WeightHome& where = o_.placement_.layers[static_cast<std::size_t>(layer)].experts[e];
    const std::size_t group = e * groups / experts;
    ExpertWork& work = expert_work_[group * kTierCount + static_cast<std::size_t>(where.tier)];
    if (work.experts++ == 0) work.address = where.address;
    work.tokens += loads_[e];
    const auto equal = std::find_if(work.groups.begin(), work.groups.end(),
                                    [&](const auto& g) { return g.tokens == loads_[e]; });
    if (equal != work.groups.end())
      ++equal->experts;
    else
      work.groups.push_back({loads_[e], 1});
  }
  for (ExpertWork& work : expert_work_) even_out(work);
}

/// Experts with at least as many tokens as the array has rows cost time in proportion to their
/// tokens, so dealing these tokens evenly changes neither work nor time, and saves shapes.
void Lowering::Writer::even_out(ExpertWork& work) const {
  if (o_.platform_.die.mac.dataflow == Dataflow::OutputStationary) return;  // tiles along m
  std::int64_t tokens = 0;
  std::int64_t experts = 0;
  std::erase_if(work.groups, [&](const ExpertWork::Equal& g) {
    if (g.tokens < o_.platform_.die.mac.rows) return false;
    tokens += g.tokens * g.experts;
    experts += g.experts;
    return true;
  });
  if (experts == 0) return;
  const std::int64_t more = tokens % experts;
  if (more > 0) work.groups.push_back({tokens / experts + 1, more});
  work.groups.push_back({tokens / experts, experts - more});
}

/// Most tokens an expert takes of this microbatch.
std::int64_t Lowering::Writer::capacity() const {
  const MoeSpec& moe = *o_.llm_.moe;
  std::int64_t tokens = 0;
  for (const SequenceWork& s : sequences_) tokens += s.new_tokens;
  const double factor = moe.routing.capacity_factor > 0 ? moe.routing.capacity_factor : 1;
  return expert_capacity(tokens, moe.top_k, moe.experts, factor);
}

/// Every expert takes as many tokens as it may, from all over the microbatch. Loads are even by
/// construction, and depend on the batch: no token's experts are its own affair.
void Lowering::Writer::choose_by_expert(std::int64_t layer) {
  const std::int64_t take = capacity();
  std::fill(loads_.begin(), loads_.end(), static_cast<std::int32_t>(take));
  if (plan_.data == 1) return;
  std::vector<std::int32_t> replica_of;  // by token
  for (const SequenceWork& s : sequences_)
    replica_of.insert(replica_of.end(), static_cast<std::size_t>(s.new_tokens), s.replica);
  const std::size_t tokens = replica_of.size();
  const std::int64_t experts = o_.llm_.moe->experts;
  std::vector<std::uint8_t> sent(tokens * static_cast<std::size_t>(plan_.expert));
  for (std::int64_t e = 0; e < experts; ++e) {
    const std::int64_t group = e * plan_.expert / experts;
    // Which ones is of no matter but for where they come from: a run from a place of its own.
    const std::uint64_t first =
        combine64(static_cast<std::uint64_t>(layer), static_cast<std::uint64_t>(e)) % tokens;
    for (std::int64_t i = 0; i < take; ++i) {
      const std::size_t token = (first + static_cast<std::size_t>(i)) % tokens;
      const std::size_t at =
          token * static_cast<std::size_t>(plan_.expert) + static_cast<std::size_t>(group);
      if (!std::exchange(sent[at], std::uint8_t{1}))
        ++routed_[static_cast<std::size_t>(replica_of[token] * plan_.expert + group)];
    }
  }
}

/// Loads, and how many tokens of each replica go to each expert group.
void Lowering::Writer::count_dispatched(std::int64_t layer) {
  const auto experts = o_.llm_.moe->experts;
  const auto top_k = static_cast<std::size_t>(o_.llm_.moe->top_k);
  std::span<const std::uint16_t> left = routed_batch_->route(layer);
  std::vector<std::uint8_t> seen(static_cast<std::size_t>(plan_.expert));
  for (const SequenceWork& s : sequences_)
    for (std::int64_t t = 0; t < s.new_tokens; ++t) {
      const auto picks = left.first(top_k);
      left = left.subspan(top_k);
      std::fill(seen.begin(), seen.end(), std::uint8_t{0});
      for (const std::int64_t e : picks) {
        ++loads_[static_cast<std::size_t>(e)];
        const std::int64_t group = e * plan_.expert / experts;
        if (!std::exchange(seen[static_cast<std::size_t>(group)], std::uint8_t{1}))
          ++routed_[static_cast<std::size_t>(s.replica * plan_.expert + group)];
      }
    }
}

/// Tokens between replicas and expert groups: every die sends its share of its replica's tokens
/// to each die of the expert groups they are routed to, or the results back.
void Lowering::Writer::dispatch(bool back, std::int64_t bytes_per_token) {
  const std::int64_t n = plan_.stage_dies();
  std::vector<DieId> all;
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(n * n));
  for (std::int64_t i = 0; i < n; ++i)
    all.push_back(DieId{static_cast<std::uint32_t>(stage_first() + i)});
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      const std::int64_t tokens = routed_[static_cast<std::size_t>(i / plan_.tensor * plan_.expert +
                                                                   j / plan_.expert_tensor)];
      const std::int64_t bytes = share(tokens, plan_.tensor, i % plan_.tensor) * bytes_per_token;
      if (i != j) sizes[static_cast<std::size_t>(back ? j * n + i : i * n + j)] = bytes;
    }
  // Dies of idle replicas take part too: tokens of others come to their experts.
  exchange(std::make_shared<const Exchange>(all_to_all(all, sizes)));
}

std::int64_t Lowering::Writer::expert_tokens(std::int64_t in_stage) const {
  std::int64_t tokens = 0;
  for (std::size_t t = 0; t < kTierCount; ++t) tokens += expert_work(in_stage, t).tokens;
  return tokens;
}

void Lowering::Writer::expert_gemms(const Operator& op) {
  Matrix one = op.weight;
  one.copies = 1;
  std::vector<GemmShape> shapes;
  each_expert_die([&](std::int64_t die, std::int64_t i) {
    const Matrix mine = shard(one, plan_.expert_tensor, i % plan_.expert_tensor);
    bool begun = false;
    for (std::size_t t = 0; t < kTierCount; ++t) {
      const ExpertWork& work = expert_work(i, t);
      if (work.experts == 0 || mine.elements() == 0) continue;
      if (!std::exchange(begun, true)) begin_kernel(die);
      shapes.clear();
      for (const auto& g : work.groups) shapes.push_back({g.tokens, mine.k, mine.n, g.experts});
      const auto tier = static_cast<Tier>(t);
      load_and_mac(die,
                   {.tier = tier,
                    .address = work.address,
                    .bytes = work.experts * bytes_of(mine.elements(), mine.precision).count(),
                    .category = kWeightCategories[t],
                    // Which experts are needed is known when the router has spoken.
                    .load_after = router_done_[static_cast<std::size_t>(die)]},
                   shapes, product(mine));
    }
  });
}

void Lowering::Writer::expert_gate_up(const Operator& op) {
  if (plan_.data > 1) {
    dispatch(false, bytes_of(o_.llm_.hidden, inputs()).count());
    // Tokens of other replicas were routed there: what they need is known when they have come.
    each_expert_die(
        [&](std::int64_t die, auto) { router_done_[static_cast<std::size_t>(die)] = last(die); });
  }
  expert_gemms(op);
}

void Lowering::Writer::expert_activate() {
  each_expert_die([&](std::int64_t die, std::int64_t i) {
    const std::int64_t mine =
        share(o_.llm_.moe->expert_ffn, plan_.expert_tensor, i % plan_.expert_tensor);
    vector(die, {.op = VectorOp::Activate, .elements = expert_tokens(i) * mine, .row = mine});
  });
}

void Lowering::Writer::expert_down(const Operator& op) {
  expert_gemms(op);
  each_expert_die([&](std::int64_t die, std::int64_t i) {
    vector(die, {.op = VectorOp::Combine,
                 .elements = expert_tokens(i) * o_.llm_.hidden,
                 .row = o_.llm_.hidden});
  });
  if (plan_.data > 1) dispatch(true, o_.llm_.hidden * op_costs::kPartialSumBytes);
  reduce_pending_ = plan_.tensor > 1;
}

}  // namespace reticle
