// SPDX-License-Identifier: Apache-2.0
// What feed-forward networks write: dense ones, shared and routed experts.
#include <algorithm>
#include <array>
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

/// Draws the experts of every token of the microbatch at `layer`, and finds out where they are.
void Lowering::Writer::count_experts(std::int64_t layer) {
  draw_picks(layer);
  for (const std::int32_t load : loads_) out_.picks += load;
  if (o_.llm_.moe->routing.capacity_factor > 0) {
    const std::int64_t most = capacity();
    out_.dropped_picks += picks_beyond(loads_, most);
    for (std::int32_t& load : loads_)  // those beyond are dropped, though they were sent
      load = std::min(load, static_cast<std::int32_t>(most));
  }
  deal_to_groups(layer);
  expert_work_.assign(static_cast<std::size_t>(plan_.expert) * kSources, {});
  for (std::int64_t group = 0; group < plan_.expert; ++group) find_experts(layer, group);
  for (ExpertWork& work : expert_work_) even_out(work);
  if (!o_.predictor_) return;
  learn_picks(layer);
  predict(layer);
}

void Lowering::Writer::pass(std::span<const SequenceWork> sequences) {
  take(sequences);
  for (const Operator& op : o_.graph_.operators) {
    if (op.kind != OperatorKind::Router) continue;
    while (stage_ + 1 < plan_.pipeline && op.layer >= first_layer(o_.llm_, plan_, stage_ + 1))
      ++stage_;
    count_experts(op.layer);
  }
}

void Lowering::Writer::draw_picks(std::int64_t layer) {
  const auto experts = static_cast<std::size_t>(o_.llm_.moe->experts);
  loads_.assign(experts, 0);
  const auto groups = static_cast<std::size_t>(plan_.expert);
  if (plan_.data > 1) routed_.assign(static_cast<std::size_t>(plan_.stage_dies()) * groups, 0);
  if (o_.llm_.moe->routing.choice == ExpertChoice::ByExpert) {
    choose_by_expert(layer);
  } else if (plan_.data == 1) {
    routed_batch_->add_loads(layer, loads_);
  } else {
    count_dispatched(layer);
  }
}

std::int64_t Lowering::Writer::group_of(std::int64_t layer, std::int64_t expert,
                                        std::int64_t token) const {
  const LayerHomes& homes = o_.placement_.layers[static_cast<std::size_t>(layer)];
  const auto e = static_cast<std::size_t>(expert);
  // Every other token goes to the copy: what a sender can decide by itself.
  return token % 2 == 1 && homes.copies[e] ? homes.copies[e]->group : homes.groups[e];
}

/// Who has which picked experts, and how many tokens of each.
void Lowering::Writer::deal_to_groups(std::int64_t layer) {
  const LayerHomes& homes = o_.placement_.layers[static_cast<std::size_t>(layer)];
  group_picks_.resize(static_cast<std::size_t>(plan_.expert));
  for (GroupPicks& picks : group_picks_) picks.experts.clear(), picks.tokens.clear();
  const auto add = [&](std::int32_t group, std::size_t expert, std::int64_t tokens) {
    if (tokens == 0) return;
    GroupPicks& picks = group_picks_[static_cast<std::size_t>(group)];
    picks.experts.push_back(static_cast<std::int32_t>(expert));
    picks.tokens.push_back(tokens);
  };
  for (std::size_t e = 0; e < loads_.size(); ++e) {
    const std::int64_t to_copy = homes.copies[e] ? loads_[e] / 2 : 0;
    add(homes.groups[e], e, loads_[e] - to_copy);
    if (to_copy > 0) add(homes.copies[e]->group, e, to_copy);
  }
}

void Lowering::Writer::add_work(ExpertWork& work, std::int64_t tokens, std::int64_t address) {
  if (work.experts++ == 0) work.address = address;
  work.tokens += tokens;
  const auto equal = std::find_if(work.groups.begin(), work.groups.end(),
                                  [&](const auto& g) { return g.tokens == tokens; });
  if (equal != work.groups.end())
    ++equal->experts;
  else
    work.groups.push_back({tokens, 1});
}

/// Where the experts are that `group` needs; what the cache does not hold may go on into it.
void Lowering::Writer::find_experts(std::int64_t layer, std::int64_t group) {
  const LayerHomes& homes = o_.placement_.layers[static_cast<std::size_t>(layer)];
  const GroupPicks& picks = group_picks_[static_cast<std::size_t>(group)];
  const Bytes each = o_.expert_bytes_;
  const ExpertCache::Use uncached;
  std::span<const ExpertCache::Use> uses;
  if (!o_.caches_.empty())
    uses = o_.caches_[static_cast<std::size_t>(layer)][static_cast<std::size_t>(group)].refer(
        picks.experts);
  for (std::size_t i = 0; i < picks.experts.size(); ++i) {
    const auto e = static_cast<std::size_t>(picks.experts[i]);
    const WeightHome& home = homes.groups[e] == group ? homes.experts[e] : homes.copies[e]->home;
    const ExpertCache::Use& use = uses.empty() ? uncached : uses[i];
    const std::size_t source = !use.hit         ? static_cast<std::size_t>(home.tier)
                               : use.prefetched ? kJustCome
                                                : static_cast<std::size_t>(Tier::Sram);
    ExpertWork& work = expert_work_[static_cast<std::size_t>(group) * kSources + source];
    add_work(work, picks.tokens[i], use.hit ? *use.address : home.address);
    const bool hit = use.hit || home.tier == Tier::Sram;
    ++(hit ? out_.experts.hits : out_.experts.misses);
    (hit ? out_.experts.hit_bytes : out_.experts.missed_bytes) += each;
    if (use.hit || !use.address) continue;
    if (work.kept++ == 0) work.kept_at = *use.address;
    out_.experts.filled += each;
  }
}

// ---- prefetching experts --------------------------------------------------------------------

/// What the tokens picked one layer before led to what they pick here.
void Lowering::Writer::learn_picks(std::int64_t layer) {
  if (!routed_batch_) return;  // experts choose: all of them are needed
  const std::span<const std::uint16_t> picks = routed_batch_->route(layer);
  if (picks_layer_ == layer - 1 && picks_before_.size() == picks.size())
    o_.predictor_->learn(layer - 1, picks_before_, picks);
  picks_before_.assign(picks.begin(), picks.end());
  picks_layer_ = layer;
  if (predicted_for_ != layer) return;
  for (std::size_t e = 0; e < loads_.size(); ++e) {
    if (loads_[e] == 0) continue;
    ++out_.experts.foreseeable;
    out_.experts.came_true += std::ranges::binary_search(predicted_, static_cast<std::int32_t>(e));
  }
}

/// Sends for the experts of the next layer that these picks announce.
void Lowering::Writer::predict(std::int64_t layer) {
  coming_.assign(static_cast<std::size_t>(plan_.expert) * kTierCount, {});
  const std::int64_t next = layer + 1;
  // Another stage's dies would have to be told, which takes as long as the router there; and the
  // graph may be but a part of the model's.
  const bool here = next < first_layer(o_.llm_, plan_, stage_ + 1) && o_.llm_.layer_is_moe(next) &&
                    std::ranges::any_of(o_.graph_.operators,
                                        [&](const Operator& op) { return op.layer == next; });
  predicted_for_ = here && routed_batch_ ? next : -1;
  if (predicted_for_ < 0) return;
  std::vector<std::int32_t> picked;
  for (std::size_t e = 0; e < loads_.size(); ++e)
    if (loads_[e] > 0) picked.push_back(static_cast<std::int32_t>(e));
  predicted_ = o_.predictor_->after(layer, picked);
  out_.experts.predicted += std::ssize(predicted_);
  const LayerHomes& homes = o_.placement_.layers[static_cast<std::size_t>(next)];
  for (std::int64_t group = 0; group < plan_.expert; ++group) {
    std::vector<std::int32_t> wanted;
    for (const std::int32_t e : predicted_)
      if (group_of(next, e, 0) == group) wanted.push_back(e);
    ExpertCache& cache =
        o_.caches_[static_cast<std::size_t>(next)][static_cast<std::size_t>(group)];
    for (const CachedExpert& one : cache.prefetch(wanted)) {
      const WeightHome& home = homes.experts[static_cast<std::size_t>(one.expert)];
      Prefetched& batch = coming_[static_cast<std::size_t>(group) * kTierCount +
                                  static_cast<std::size_t>(home.tier)];
      if (batch.experts++ == 0) batch = {home.tier, home.address, one.address, 1};
      ++out_.experts.prefetched;
      out_.experts.filled += o_.expert_bytes_;
    }
  }
}

/// Loads the experts that the next layer is expected to need, behind those of this one.
void Lowering::Writer::prefetch(std::int64_t layer) {
  if (!o_.predictor_) return;
  const std::int64_t bytes = expert_shard_bytes(o_.llm_, plan_, layer).count();
  each_expert_die([&](std::int64_t die, std::int64_t i) {
    const auto group = static_cast<std::size_t>(i / plan_.expert_tensor);
    for (std::size_t t = 0; t < kTierCount; ++t) {
      const Prefetched& batch = coming_[group * kTierCount + t];
      const std::int64_t all = batch.experts * bytes;
      const std::int64_t tiles = div_up(all, tile_);
      for (std::int64_t tile = 0; tile < tiles; ++tile) {
        Instruction load{.code = OpCode::Load,
                         .unit = port_of(batch.from),
                         .tier = batch.from,
                         .category = weights_category(batch.from),
                         .staged = true};
        load.amount = share(all, tiles, tile);
        load.address = batch.from_address + all * tile / tiles;
        load.after[0] = router_done_[static_cast<std::size_t>(die)];
        load.after[1] = gate_[static_cast<std::size_t>(die)];
        const std::int32_t loaded = add(die, load);
        const std::int32_t stored =
            fill(die, batch.address + all * tile / tiles, load.amount, loaded);
        program(die).code[static_cast<std::size_t>(loaded)].consumer = stored;
        arrived_[static_cast<std::size_t>(die)] = stored;
      }
    }
  });
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
  const std::size_t tokens = sender_of_.size();
  const std::int64_t experts = o_.llm_.moe->experts;
  std::vector<std::uint8_t> sent(tokens * static_cast<std::size_t>(plan_.expert));
  for (std::int64_t e = 0; e < experts; ++e) {
    // Which ones is of no matter but for where they come from: a run from a place of its own.
    const std::uint64_t first =
        combine64(static_cast<std::uint64_t>(layer), static_cast<std::uint64_t>(e)) % tokens;
    for (std::int64_t i = 0; i < take; ++i) {
      const std::size_t token = (first + static_cast<std::size_t>(i)) % tokens;
      const std::int64_t group = group_of(layer, e, i);
      const std::size_t at =
          token * static_cast<std::size_t>(plan_.expert) + static_cast<std::size_t>(group);
      if (!std::exchange(sent[at], std::uint8_t{1}))
        ++routed_[static_cast<std::size_t>(sender_of_[token] * plan_.expert + group)];
    }
  }
}

/// Loads, and how many tokens each die sends to each expert group.
void Lowering::Writer::count_dispatched(std::int64_t layer) {
  const auto top_k = static_cast<std::size_t>(o_.llm_.moe->top_k);
  std::span<const std::uint16_t> left = routed_batch_->route(layer);
  std::vector<std::uint8_t> seen(static_cast<std::size_t>(plan_.expert));
  for (const std::int64_t sender : sender_of_) {
    const auto picks = left.first(top_k);
    left = left.subspan(top_k);
    std::fill(seen.begin(), seen.end(), std::uint8_t{0});
    for (const std::int64_t e : picks) {
      const std::int64_t group = group_of(layer, e, loads_[static_cast<std::size_t>(e)]++);
      if (!std::exchange(seen[static_cast<std::size_t>(group)], std::uint8_t{1}))
        ++routed_[static_cast<std::size_t>(sender * plan_.expert + group)];
    }
  }
}

/// Tokens between replicas and expert groups: every die sends those that are its own to each die
/// of the expert groups they are routed to, or gets the results back.
void Lowering::Writer::dispatch(bool back, std::int64_t bytes_per_token) {
  if (tallies_) return;
  const std::int64_t n = plan_.stage_dies();
  std::vector<DieId> all;
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(n * n));
  for (std::int64_t i = 0; i < n; ++i)
    all.push_back(DieId{static_cast<std::uint32_t>(stage_first() + i)});
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      const std::int64_t tokens =
          routed_[static_cast<std::size_t>(i * plan_.expert + j / plan_.expert_tensor)];
      if (i != j)
        sizes[static_cast<std::size_t>(back ? j * n + i : i * n + j)] = tokens * bytes_per_token;
    }
  // Dies of idle replicas take part too: tokens of others come to their experts.
  exchange(std::make_shared<const Exchange>(o_.collectives_.as_dispatch(all_to_all(all, sizes))));
}

std::int64_t Lowering::Writer::expert_tokens(std::int64_t in_stage) const {
  std::int64_t tokens = 0;
  for (std::size_t s = 0; s < kSources; ++s) tokens += expert_work(in_stage, s).tokens;
  return tokens;
}

void Lowering::Writer::expert_gemms(const Operator& op) {
  Matrix one = op.weight;
  one.copies = 1;
  std::vector<GemmShape> shapes;
  // What is there before what is still on its way.
  constexpr std::array<std::size_t, kSources> kInOrder{0, kJustCome, 1, 2};
  each_expert_die([&](std::int64_t die, std::int64_t i) {
    const Matrix mine = shard(one, plan_.expert_tensor, i % plan_.expert_tensor);
    bool begun = false;
    for (const std::size_t source : kInOrder) {
      const ExpertWork& work = expert_work(i, source);
      if (work.experts == 0 || mine.elements() == 0) continue;
      if (!std::exchange(begun, true)) {
        begin_product(die, KernelKind::Experts, mine);
        // Half of what a routed token moves goes with each of the two products.
        if (const auto& kernels = o_.platform_.die.kernels)
          cross(die,
                crossing(bytes_of(expert_tokens(i) * o_.llm_.hidden, o_.llm_.activations),
                         kernels->expert_passes / 2),
                true);
      }
      shapes.clear();
      for (const auto& g : work.groups)
        shapes.push_back({rows_of(g.tokens), mine.k, mine.n, g.experts, MacUse::Grouped});
      const bool just_come = source == kJustCome;
      const auto tier = just_come ? Tier::Sram : static_cast<Tier>(source);
      const std::int64_t each = bytes_of(mine.elements(), mine.precision).count();
      load_and_mac(die,
                   {.tier = tier,
                    .address = work.address,
                    .bytes = work.experts * each,
                    .category = weights_category(tier),
                    // Which experts are needed is known when the router has spoken.
                    .load_after = router_done_[static_cast<std::size_t>(die)],
                    .arrived = just_come ? arrived_[static_cast<std::size_t>(die)] : kNoInstruction,
                    .kept = work.kept * each,
                    .kept_at = work.kept_at},
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
  prefetch(op.layer);
  each_expert_die([&](std::int64_t die, std::int64_t i) {
    vector(die, {.op = VectorOp::Combine,
                 .elements = expert_tokens(i) * o_.llm_.hidden,
                 .row = o_.llm_.hidden});
  });
  if (plan_.data > 1) dispatch(true, o_.llm_.hidden * op_costs::kPartialSumBytes);
  partial_label_ = label_;
  reduce_pending_ = plan_.tensor > 1;
}

}  // namespace reticle
