// SPDX-License-Identifier: Apache-2.0
// What token mixers write: attention over cached heads, latent attention, recurrences.
#include <algorithm>
#include <utility>

#include "sim/mapping/lowering_writer.hpp"
#include "sim/mapping/op_costs.hpp"
#include "workloads/llm/recurrence_facts.hpp"

namespace reticle {

// ---- the cache ------------------------------------------------------------------------------

namespace {
/// Elements with a scale in common, most formats' (KIVI, arXiv 2402.02750; OCP MX v1.0).
constexpr std::int64_t kScaleGroup = 32;
}  // namespace

/// Of `elements` per token of one layer's cache what the die of `rank` has, for so many tokens.
std::int64_t Lowering::Writer::cache_share(std::int64_t tokens, std::int64_t elements,
                                           std::int64_t rank) const {
  const std::int64_t mine = shards().copies ? elements : elements / shards().heads;
  return mine * share(tokens, shards().context, rank % shards().context);
}

std::int64_t Lowering::Writer::cache_share_bytes(std::int64_t tokens, std::int64_t elements,
                                                 std::int64_t rank) const {
  return bytes_of(cache_share(tokens, elements, rank), o_.llm_.kv).count();
}

std::int64_t Lowering::Writer::dequantised(std::int64_t tokens, std::int64_t elements,
                                           std::int64_t rank) const {
  const bool as_is = !scaled(o_.llm_.kv) || o_.llm_.kv == attention_product();
  return as_is ? 0 : cache_share(tokens, elements, rank);
}

namespace {
/// Of products whose streamed side is `tokens` long the part from `begin` to `end`.
std::vector<GemmShape> part_of(std::span<const GemmShape> shapes, std::int64_t tokens,
                               std::int64_t begin, std::int64_t end) {
  std::vector<GemmShape> part;
  for (GemmShape shape : shapes) {
    std::int64_t& streamed = shape.along_k ? shape.k : shape.n;
    streamed = mul_div_up(streamed, end, tokens) - mul_div_up(streamed, begin, tokens);
    if (streamed > 0) part.push_back(shape);
  }
  return part;
}
}  // namespace

/// Products take what is in SRAM first: beside them the rest comes from home into staging.
std::int64_t Lowering::Writer::read_cache(std::int64_t die, std::int64_t rank,
                                          const CacheRead& read,
                                          std::span<const GemmShape> shapes) {
  const auto stream = [&](Tier tier, std::int64_t tokens, std::int64_t begin,
                          std::span<const GemmShape> products) {
    const auto upto = [&](auto share_of) { return share_of(begin + tokens) - share_of(begin); };
    load_and_mac(
        die,
        {.tier = tier,
         .bytes = upto([&](std::int64_t t) { return cache_share_bytes(t, read.elements, rank); }),
         .piece = read.piece,
         .category = TimeCategory::Kv,
         .dequantised = upto([&](std::int64_t t) { return dequantised(t, read.elements, rank); })},
        products, attention_product());
  };
  const Tier home = o_.placement_.kv.tier;
  if (read.near == 0) {
    stream(home, read.tokens, 0, shapes);
    return 0;
  }
  const std::int32_t operands = last(die);
  stream(Tier::Sram, read.near, 0, part_of(shapes, read.tokens, 0, read.near));
  const std::int64_t near_scores = mul_div_up(read.scores, read.near, read.tokens);
  softmax(die, near_scores, read.rows);
  if (read.near == read.tokens) return near_scores;
  // Behind those of SRAM in the arrays, but in need of nothing from them.
  last(die) = operands;
  stream(home, read.tokens - read.near, read.near,
         part_of(shapes, read.tokens, read.near, read.tokens));
  return near_scores;
}

/// Nobody waits: this step's attention has the new values on chip.
void Lowering::Writer::store(std::int64_t die, Tier tier, std::int64_t bytes, std::int64_t pieces) {
  if (bytes == 0) return;
  Instruction in{
      .code = OpCode::Store, .unit = Unit::StorePort, .tier = tier, .category = TimeCategory::Kv};
  in.amount = bytes;
  in.piece = static_cast<std::int32_t>(std::max<std::int64_t>(1, bytes / pieces));
  in.after[0] = last(die);
  add(die, in);
}

void Lowering::Writer::append() {
  const std::int64_t elements = cache_elements(mixer());
  const bool quantises = scaled(o_.llm_.kv) && o_.llm_.kv != o_.llm_.activations;
  each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
    if (quantises)
      vector(die, {.op = VectorOp::Quantise,
                   .elements = cache_share(w.tokens, elements, rank),
                   .row = kScaleGroup});
    const std::int64_t near = keeps_all(o_.llm_, mixer()) ? w.near_tokens : 0;
    const std::int64_t in_sram = cache_share_bytes(near, elements, rank);
    store(die, Tier::Sram, in_sram, near);
    store(die, o_.placement_.kv.tier, cache_share_bytes(w.tokens, elements, rank) - in_sram,
          w.tokens - near);
  });
}

// ---- projections ----------------------------------------------------------------------------

void Lowering::Writer::project_in(const Operator& op) {
  project(op);
  // Dies that share KV heads each computed a part of their queries, keys and values. Of latent
  // attention all need the compressed vectors; queries made at once stay with their heads' dies.
  const auto* l = latent();
  const bool queries_cut = l != nullptr && l->query_rank == 0;
  const std::int64_t shared =
      op.weight.n - (queries_cut ? l->heads * (l->nope_dim + l->rope_dim) : 0);
  if (shards().context > 1)
    each_kv_shard([&](const DieGroup& group, const ReplicaWork& w) {
      exchange([&] {
        return o_.collectives_.gather_all(
            group, bytes_of(w.tokens * shared / shards().heads, o_.llm_.activations));
      });
    });
  if (shards().copies)
    each_replica([&](std::int64_t r, const ReplicaWork& w) {
      exchange([&] {
        return o_.collectives_.gather_all(replica_group(r),
                                          bytes_of(w.tokens * shared, o_.llm_.activations));
      });
    });
  if (l == nullptr) return;
  const std::int64_t compressed = l->query_rank + l->kv_rank;
  each_die([&](std::int64_t die, auto, auto, const ReplicaWork& w) {
    vector(die, {.op = VectorOp::RmsNorm, .elements = w.tokens * compressed, .row = compressed});
  });
}

/// Rotation and append are part of the attention kernel, or go before it [docs/models/kernels.md].
void Lowering::Writer::begin_attention(std::int64_t die, const ReplicaWork& w) {
  if (w.prefills.empty())
    return begin_kernel(die, latent()                       ? KernelKind::LatentAttention
                             : o_.llm_.kv == Precision::Fp8 ? KernelKind::AttentionFp8
                                                            : KernelKind::Attention);
  begin_kernel(die, KernelKind::Prefill);
  const auto& kernels = o_.platform_.die.kernels;
  const auto* a = std::get_if<AttentionSpec>(&mixer().of);
  if (!kernels || a == nullptr) return;
  const std::int64_t elements =
      (w.tokens - w.decode_tokens) * (a->heads + 2 * a->kv_heads) * a->head_dim / plan_.tensor;
  cross(die, crossing(bytes_of(elements, o_.llm_.activations), kernels->prefill_passes), true);
}

void Lowering::Writer::rope() {
  const auto* a = std::get_if<AttentionSpec>(&mixer().of);
  const std::int64_t row = a != nullptr ? a->head_dim : latent()->rope_dim;
  const std::int64_t rows = a != nullptr ? a->heads + a->kv_heads : latent()->heads + 1;
  each_die([&](std::int64_t die, auto, auto, const ReplicaWork& w) {
    begin_attention(die, w);
    vector(die,
           {.op = VectorOp::Rope, .elements = w.tokens * rows * row / plan_.tensor, .row = row});
  });
}

// ---- latent attention -----------------------------------------------------------------------
// Decoding absorbs the key projection into the query and works on the cached vectors, cut by
// context, or by heads where every die has a copy of the cache. Prefilling expands cached vectors
// into the heads' keys and values, cut by heads: fewer products where many queries share them
// [DeepSeek-V2, arXiv 2405.04434]. Queries that select their tokens share none: their prefills go
// as decoding does [DeepSeek-V3.2-Exp].

/// By a shard of KeyUp or ValueUp: single queries, and cached plus new positions of blocks.
std::vector<GemmShape> Lowering::Writer::expanded(const Matrix& mine, const ReplicaWork& w) const {
  std::vector<GemmShape> shapes;
  const std::int64_t singles = asked(w).single_tokens;
  for (const std::int64_t rows : {singles, asked(w).blocks.read + w.tokens - singles})
    if (rows > 0) shapes.push_back({rows_of(rows), mine.k, mine.n, mine.copies});
  return shapes;
}

/// Every die needs all compressed vectors that its heads expand; each holds a share of the cached
/// ones.
void Lowering::Writer::gather_latents() {
  const std::int64_t elements = latent()->kv_rank + latent()->rope_dim;
  const KvRoom& kv = o_.placement_.kv;
  each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
    const std::int64_t near = cache_share_bytes(asked(w).near_blocks.read, elements, rank);
    const auto load = [&](Tier tier, std::int64_t bytes) {
      load_and_mac(die,
                   {.tier = tier,
                    .bytes = bytes,
                    .piece = bytes_of(kv.page_tokens * elements, o_.llm_.kv).count(),
                    .category = TimeCategory::Kv},
                   {}, o_.llm_.activations);
    };
    load(Tier::Sram, near);
    load(kv.tier, cache_share_bytes(asked(w).blocks.read, elements, rank) - near);
  });
  each_replica([&](std::int64_t r, const ReplicaWork& w) {
    if (asked(w).blocks.read > 0 && !shards().copies)
      exchange([&] {
        return o_.collectives_.gather_all(replica_group(r),
                                          bytes_of(asked(w).blocks.read * elements, o_.llm_.kv));
      });
  });
  if (!scaled(o_.llm_.kv) || o_.llm_.kv == o_.llm_.activations) return;
  each_die([&](std::int64_t die, auto, auto, const ReplicaWork& w) {
    vector(die, {.op = VectorOp::Dequantise, .elements = asked(w).blocks.read * elements});
  });
}

void Lowering::Writer::key_up(const Operator& op) {
  const LatentAttentionSpec& spec = *latent();
  gather_latents();
  each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
    const Matrix mine = shard(op.weight, plan_.tensor, rank);
    begin_product(die, KernelKind::Product, mine);
    gemm(die, home(op), mine, expanded(mine, w));
  });
  each_replica([&](std::int64_t r, const ReplicaWork& w) {
    const std::int64_t queries = spec.heads * (spec.kv_rank + spec.rope_dim);
    if (asked(w).single_tokens > 0 && !shards().copies)
      exchange([&] {
        return o_.collectives_.gather_all(
            replica_group(r), bytes_of(asked(w).single_tokens * queries, o_.llm_.activations));
      });
  });
}

void Lowering::Writer::value_up(const Operator& op) {
  each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
    const Matrix mine = shard(op.weight, plan_.tensor, rank);
    begin_product(die, KernelKind::Product, mine);
    gemm(die, home(op), mine, expanded(mine, w));
  });
}

/// The indexer scores every cached token for every query; the best are selected digit by digit.
void Lowering::Writer::scan_index(const LatentAttentionSpec& spec) {
  if (spec.index_heads == 0) return;
  // Every die has some of the cached tokens, so needs all queries.
  each_replica([&](std::int64_t r, const ReplicaWork& w) {
    exchange([&] {
      return o_.collectives_.gather_all(
          replica_group(r),
          bytes_of(w.tokens * spec.index_heads * spec.index_dim, o_.llm_.activations));
    });
  });
  each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
    const Attended& all = asked(w).single;
    const auto mine = [&](std::int64_t n) {
      return share(n, shards().context, rank % shards().context);
    };
    // Queries of a prompt chunk share the keys they score, so stand in rows.
    std::vector<GemmShape> scores;
    std::int64_t decode_pairs = all.scanned_pairs;
    for (const Prefill& p : w.prefills) {
      const std::int64_t pairs = p.asked[static_cast<std::size_t>(mixer_)].scanned_pairs;
      decode_pairs -= pairs;
      scores.push_back(
          {spec.index_heads * p.new_tokens, spec.index_dim, mine(div_up(pairs, p.new_tokens)), 1});
    }
    if (decode_pairs > 0)
      scores.push_back({spec.index_heads, spec.index_dim, mine(decode_pairs), 1});
    read_cache(
        die, rank,
        {.tokens = all.scanned,
         .near = asked(w).near_single.scanned,
         .elements = spec.index_dim,
         .piece = bytes_of(o_.placement_.kv.page_tokens * spec.index_dim, o_.llm_.kv).count()},
        scores);
    const std::int64_t scored = mine(all.scanned_pairs);
    vector(die, {.op = VectorOp::Select, .elements = scored, .row = div_up(scored, w.tokens)});
  });
}

void Lowering::Writer::attend_latent(const LatentAttentionSpec& spec) {
  scan_index(spec);
  const KvRoom& kv = o_.placement_.kv;
  const std::int64_t elements = spec.kv_rank + spec.rope_dim;
  std::vector<GemmShape> shapes;
  each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
    const Attended& single = asked(w).single;
    const std::int64_t my_pairs = share(single.pairs, shards().context, rank % shards().context);
    const std::int64_t my_heads = share(spec.heads, plan_.tensor, rank);
    const std::int64_t queries = shards().copies ? my_heads : spec.heads;  // of a token, here
    shapes.clear();
    if (my_pairs > 0) {
      shapes.push_back({queries, elements, my_pairs, 1, MacUse::Attention});
      shapes.push_back({queries, my_pairs, spec.kv_rank, 1, MacUse::Attention, true});
    }
    std::int64_t scores = queries * my_pairs;
    std::vector<GemmShape> of_prompts;  // their keys and values are on the die already
    for (const Prefill& p : w.prefills) {
      if (selects(mixer()) || p.absorbed) continue;  // among the single queries
      const Attended& a = p.asked[static_cast<std::size_t>(mixer_)];
      const std::int64_t positions = div_up(a.pairs, p.new_tokens);
      of_prompts.push_back(
          {p.new_tokens, spec.nope_dim + spec.rope_dim, positions, my_heads, MacUse::Attention});
      of_prompts.push_back(
          {p.new_tokens, positions, spec.value_dim, my_heads, MacUse::Attention, true});
      scores += my_heads * a.pairs;
    }
    const std::int64_t bytes = cache_share_bytes(single.read, elements, rank);
    if (const auto& kernels = o_.platform_.die.kernels)
      cross(die, crossing(Bytes{bytes}, kernels->latent_passes), false);
    // Tokens an indexer has picked lie scattered; else whole pages are read.
    const std::int64_t piece_tokens = spec.index_heads > 0 ? 1 : kv.page_tokens;
    scores -= read_cache(die, rank,
                         {.tokens = single.read,
                          .near = asked(w).near_single.read,
                          .elements = elements,
                          .piece = bytes_of(piece_tokens * elements, o_.llm_.kv).count(),
                          .scores = queries * my_pairs,
                          .rows = queries * asked(w).single_tokens},
                         shapes);
    load_and_mac(die, {.tier = kv.tier, .category = TimeCategory::Kv}, of_prompts,
                 attention_product());
    softmax(die, scores, queries * w.tokens);
  });
  merge(spec.heads, spec.kv_rank, true);
}

// ---- attention over cached heads ------------------------------------------------------------

void Lowering::Writer::attend() {
  if (latent() != nullptr)
    attend_latent(*latent());
  else
    attend_heads(std::get<AttentionSpec>(mixer().of));
}

void Lowering::Writer::softmax(std::int64_t die, std::int64_t scores, std::int64_t rows) {
  vector(die,
         {.op = VectorOp::Softmax,
          .elements = scores,
          .row = div_up(scores, std::max<std::int64_t>(1, rows))},
         last(die));
}

void Lowering::Writer::attend_heads(const AttentionSpec& a) {
  const LlmSpec& llm = o_.llm_;
  const std::int64_t kv_heads = a.kv_heads / shards().heads;
  const std::int64_t group_heads = a.heads / a.kv_heads;
  const KvRoom& kv = o_.placement_.kv;
  std::vector<GemmShape> shapes;
  each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
    const std::int64_t c = rank % shards().context;
    const MixerWork& mixed = asked(w);
    // Scores and weighted sum over so many cached and new positions.
    const auto attention = [&](std::int64_t rows, std::int64_t positions) {
      const std::int64_t mine = share(positions, shards().context, c);
      if (mine == 0 || rows == 0) return;
      shapes.push_back({rows, a.head_dim, mine, kv_heads, MacUse::Attention});
      shapes.push_back({rows, mine, a.head_dim, kv_heads, MacUse::Attention, true});
    };
    const std::int64_t heads = kv_heads * group_heads;
    std::int64_t scores =
        heads * share(mixed.single.pairs + mixed.blocks.pairs, shards().context, c);
    const auto run = [&](std::int64_t read, std::int64_t near, std::int64_t pairs) {
      const std::int64_t elements = cache_elements(mixer());
      if (const auto& kernels = o_.platform_.die.kernels)
        cross(die, crossing(Bytes{cache_share_bytes(read, elements, rank)}, kernels->cache_passes),
              false);
      scores -=
          read_cache(die, rank,
                     {.tokens = read,
                      .near = near,
                      .elements = elements,
                      .piece = bytes_of(kv.page_tokens * kv_heads * a.head_dim, llm.kv).count(),
                      .scores = heads * share(pairs, shards().context, c),
                      .rows = heads * w.tokens},
                     shapes);
      shapes.clear();
    };
    // The contexts of all decoding sequences laid side by side; prompts, whose queries share
    // theirs, stream theirs apart, so that few bytes do not cut the products of many rows into
    // narrow ones.
    attention(group_heads, mixed.single.pairs);
    run(mixed.single.read, mixed.near_single.read, mixed.single.pairs);
    for (const Prefill& p : w.prefills)
      attention(group_heads * p.new_tokens,
                div_up(p.asked[static_cast<std::size_t>(mixer_)].pairs, p.new_tokens));
    run(mixed.blocks.read, mixed.near_blocks.read, mixed.blocks.pairs);
    softmax(die, scores, heads * w.tokens);
  });
  merge(kv_heads * group_heads, a.head_dim, false);
}

/// Partial outputs of the context shards: each die collects and merges its part of the heads.
void Lowering::Writer::merge(std::int64_t heads, std::int64_t width, bool single_only) {
  if (shards().context <= 1) return;
  const auto tokens = [&](const ReplicaWork& w) {
    return single_only ? asked(w).single_tokens : w.tokens;
  };
  const std::int64_t outputs = heads * width;
  each_kv_shard([&](const DieGroup& group, const ReplicaWork& w) {
    if (tokens(w) > 0)
      exchange([&] {
        return o_.collectives_.scatter_sums(
            group, Bytes{tokens(w) * outputs * op_costs::kPartialSumBytes});
      });
  });
  each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
    vector(die, {.op = VectorOp::Merge,
                 .elements = tokens(w) * shards().context *
                             share(outputs, shards().context, rank % shards().context),
                 .row = width});
  });
}

// ---- recurrences ----------------------------------------------------------------------------

/// Decoding updates the state element by element, prefilling goes in chunks of matrix products:
/// scores inside a chunk, their sum over values, the chunk's state and its read-out [Dao and Gu,
/// ICML 2024, section 6], with the delta rule in WY form [Yang et al., ICLR 2025]. Heads are dealt
/// to the dies; each keeps the states of its own.
void Lowering::Writer::recur() {
  const auto& spec = std::get<RecurrentSpec>(mixer().of);
  const KvRoom& kv = o_.placement_.kv;
  const std::int64_t state = spec.key_dim * spec.value_dim;
  each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
    begin_kernel(die, KernelKind::Product);
    const std::int64_t heads = share(spec.heads, plan_.tensor, rank);
    if (heads == 0) return;
    const std::int64_t key_heads = std::max<std::int64_t>(1, heads * spec.key_heads / spec.heads);
    const std::int64_t all = state_elements(mixer());
    const std::int64_t bytes = bytes_of(share(all, plan_.tensor, rank), o_.llm_.state).count();
    const std::int64_t convolved = 2 * key_heads * spec.key_dim + heads * spec.value_dim;
    vector(die, {.op = VectorOp::Convolve,
                 .elements = spec.conv > 0 ? w.tokens * convolved : 0,
                 .row = convolved,
                 .rounds = spec.conv});
    std::vector<GemmShape> shapes;
    for (const Prefill& p : w.prefills) {
      const std::int64_t chunk = std::min(spec.chunk, p.new_tokens);
      shapes.push_back({p.new_tokens, spec.key_dim, chunk, key_heads});
      shapes.push_back({p.new_tokens, chunk, spec.value_dim, heads});
      shapes.push_back({spec.key_dim, p.new_tokens, spec.value_dim, heads});
      shapes.push_back({p.new_tokens, spec.key_dim, spec.value_dim, heads});
      if (!fact_of(spec.kind).delta_rule) continue;
      // What the state holds for the keys is taken off first: products of keys with keys, the
      // inverse of that triangle, its products with keys and values, and keys with the state.
      shapes.push_back({p.new_tokens, spec.key_dim, chunk, key_heads});
      shapes.push_back({p.new_tokens, div_up(chunk, 3), chunk, heads});  // chunk^3 / 3 each
      shapes.push_back({p.new_tokens, chunk, spec.key_dim, heads});
      shapes.push_back({p.new_tokens, chunk, spec.value_dim, heads});
      shapes.push_back({p.new_tokens, spec.key_dim, spec.value_dim, heads});
    }
    load_and_mac(
        die,
        {.tier = kv.tier, .bytes = w.resumed * bytes, .piece = bytes, .category = TimeCategory::Kv},
        shapes, o_.llm_.activations);
    vector(die,
           {.op = VectorOp::StateUpdate,
            .elements = w.decode_tokens * heads * state,
            .row = heads * state,
            .rounds = fact_of(spec.kind).ops_per_state},
           last(die));
    store(die, kv.tier, w.sequences * bytes, w.sequences);
    vector(die, {.op = VectorOp::RmsNorm,
                 .elements = w.tokens * heads * spec.value_dim,
                 .row = spec.value_dim});
  });
}

}  // namespace reticle
