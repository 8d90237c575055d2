// SPDX-License-Identifier: Apache-2.0
// Writes one microbatch of one step; for the source files of Lowering alone. Places and
// instructions are in lowering.cpp, what mixers and feed-forward networks write in
// lowering_mixer.cpp and lowering_ffn.cpp.
#pragma once

#include <concepts>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "sim/mapping/lowering.hpp"
#include "sim/mapping/program_label.hpp"
#include "workloads/llm/attended.hpp"
#include "workloads/moe/routed_batch.hpp"

namespace reticle {

constexpr TimeCategory weights_category(Tier tier) {
  return kWeightCategories[static_cast<std::size_t>(tier)];
}

constexpr Unit port_of(Tier tier) {
  constexpr std::array<Unit, kTierCount> kOf{Unit::SramPort, Unit::HbmPort, Unit::FarPort,
                                             Unit::FlashPort};
  return kOf[static_cast<std::size_t>(tier)];
}

/// What the sequences of one replica ask of the cache of one mixer, summed.
struct MixerWork {
  Attended single;  ///< of queries that attend one by one: decoding, or each to tokens of its own
  Attended blocks;  ///< of prompt chunks, whose queries share the keys they see
  Attended near_single, near_blocks;  ///< of what is read and scanned, in SRAM beside home
  std::int64_t single_tokens = 0;
};

struct Prefill {
  std::int64_t new_tokens = 0;
  bool absorbed = false;        ///< drafts to verify: too few to be worth expanding latents for
  std::vector<Attended> asked;  ///< by mixer
};

/// Adapters of one rank with as many tokens each.
struct AdapterGroup {
  std::int64_t rank = 0;
  std::int64_t tokens = 0;
  std::int64_t adapters = 0;
};

std::vector<AdapterGroup> group_adapters(const AdapterSpec& spec,
                                         std::span<const SequenceWork> sequences,
                                         std::int32_t replica);

/// What the sequences of one replica ask of one microbatch, summed.
struct ReplicaWork {
  std::int64_t sequences = 0;
  std::int64_t resumed = 0;        ///< sequences that have a state already
  std::int64_t tokens = 0;         ///< new tokens
  std::int64_t near_tokens = 0;    ///< of these, written into SRAM by layers that keep all
  std::int64_t decode_tokens = 0;  ///< of sequences with one new token
  std::int64_t emitted = 0;        ///< positions that yield a token
  std::vector<MixerWork> mixers;
  std::vector<Prefill> prefills;
  std::vector<AdapterGroup> adapters;
};

/// Routed experts of one layer, as one expert group and one tier see them: how many experts have
/// how many tokens.
///
/// With a cache, what it prefetched is told from what it had before: it has to have come.
struct ExpertWork {
  struct Equal {
    std::int64_t tokens;
    std::int64_t experts;
  };
  std::vector<Equal> groups;
  std::int64_t experts = 0;  ///< touched
  std::int64_t tokens = 0;   ///< token-expert pairs
  std::int64_t address = 0;
  std::int64_t kept = 0;  ///< experts of them that go on into SRAM
  std::int64_t kept_at = 0;
};

/// A pick of a routed expert in one group.
struct GroupPicks {
  std::vector<std::int32_t> experts;
  std::vector<std::int64_t> tokens;
};

/// Experts of the next layer on their way into the SRAM of one expert group.
struct Prefetched {
  Tier from{};
  std::int64_t from_address = 0;
  std::int64_t address = 0;
  std::int64_t experts = 0;
};

/// What Instruction::piece holds.
inline constexpr std::int64_t kLongestPiece = std::numeric_limits<std::int32_t>::max();

/// Per die it keeps the instruction that the next one depends on.
class Lowering::Writer {
 public:
  /// `tallies`: what is written is but added up, so that loads are not cut into tiles and nobody
  /// exchanges anything.
  Writer(Lowering& owner, StepPrograms& out, bool tallies = false);

  void write(std::span<const SequenceWork> sequences);
  /// A microbatch, of which nothing is written yet; again: from its first operator on.
  void begin(std::span<const SequenceWork> sequences);
  void begin_again();
  /// An operator of it; they must come in the order of the graph.
  void write(const Operator& op);
  /// Writes for the first `ranks` dies of every replica alone.
  void write_ranks(std::int64_t ranks) { ranks_ = ranks; }
  [[nodiscard]] std::span<const ReplicaWork> work() const { return work_; }
  /// A move between tiers: what it does before the sequences' work (`begins`), or behind it.
  void move(const KvMove& move, bool begins);
  /// Likewise an adapter on its way into its slot, on every die.
  void bring(std::uint32_t adapter, bool begins);
  /// Lets the picks of a microbatch pass by the caches; writes nothing.
  void pass(std::span<const SequenceWork> sequences);

 private:
  void take(std::span<const SequenceWork> sequences);

  // ---- places -------------------------------------------------------------------------------
  [[nodiscard]] std::int64_t stage_first() const { return stage_ * plan_.stage_dies(); }
  [[nodiscard]] DieGroup replica_group(std::int64_t replica) const {
    return {stage_first() + replica * plan_.tensor, plan_.tensor, 1};
  }
  [[nodiscard]] const ReplicaWork& work_of(std::int64_t in_stage) const {
    return work_[static_cast<std::size_t>(in_stage / plan_.tensor)];
  }
  [[nodiscard]] Program& program(std::int64_t die) {
    return out_.dies[static_cast<std::size_t>(die)];
  }
  std::int32_t& last(std::int64_t die) { return last_[static_cast<std::size_t>(die)]; }

  /// f(die, place in stage, rank in replica, that replica's work) for every die with work.
  template <class F>
  void each_die(F f) {
    for (std::int64_t i = 0; i < plan_.stage_dies(); ++i)
      if (i % plan_.tensor < ranks_ && work_of(i).tokens > 0)
        f(stage_first() + i, i, i % plan_.tensor, work_of(i));
  }
  /// f(replica, its work) for every replica with work.
  template <class F>
  void each_replica(F f) {
    for (std::int64_t r = 0; r < plan_.data; ++r)
      if (work_[static_cast<std::size_t>(r)].tokens > 0) f(r, work_[static_cast<std::size_t>(r)]);
  }
  /// f(dies that share a part of the KV heads, their replica's work).
  template <class F>
  void each_kv_shard(F f) {
    each_replica([&](std::int64_t r, const ReplicaWork& w) {
      for (std::int64_t h = 0; h < shards().heads; ++h)
        f(DieGroup{replica_group(r).first + h * shards().context, shards().context, 1}, w);
    });
  }
  [[nodiscard]] const WeightHome& home(const Operator& op) const {
    return o_.placement_.layers[static_cast<std::size_t>(op.layer)]
        .weights[static_cast<std::size_t>(op.weight.role)];
  }

  /// The format activations enter projections in, and the one a projection runs in.
  [[nodiscard]] Precision inputs() const {
    return o_.llm_.linear_inputs.value_or(o_.llm_.activations);
  }
  [[nodiscard]] Precision product(const Matrix& weight) const {
    return product_format(o_.platform_.die.mac, weight.precision, inputs());
  }
  /// The format that products of queries and cached keys and values run in.
  [[nodiscard]] Precision attention_product() const {
    return product_format(o_.platform_.die.mac, o_.llm_.kv, o_.llm_.activations);
  }

  // ---- instructions -------------------------------------------------------------------------
  std::int32_t add(std::int64_t die, Instruction in);
  void begin_kernel(std::int64_t die, KernelKind kind = KernelKind::Small, Picoseconds more = {});
  /// Begins a product with a die's part of a matrix: its inputs are quantised first.
  void begin_product(std::int64_t die, KernelKind kind, const Matrix& mine);
  [[nodiscard]] bool launched_beside(const Operator& op) const;
  /// What a kernel moves beside its weights crosses to the cores first.
  /// `first`: nothing of the kernel goes beside it.
  void cross(std::int64_t die, Bytes bytes, bool first);
  /// A vector operation on `work`'s rows, after the die's last instruction or with `streams_from`.
  void vector(std::int64_t die, const VectorWork& work, std::int32_t streams_from = kNoInstruction);
  struct Streamed {
    Tier tier{};
    std::int64_t address = 0;
    std::int64_t bytes = 0;
    std::int64_t piece = 0;
    TimeCategory category{};
    std::int32_t load_after = kNoInstruction;  ///< when the bytes are known to be needed
    std::int64_t dequantised = 0;              ///< elements that the vector unit turns over first
    std::int32_t arrived = kNoInstruction;     ///< what brought them where they are
    std::int64_t kept = 0;                     ///< of the bytes: to be written into SRAM
    std::int64_t kept_at = 0;
  };
  /// Loads `bytes` from a home and multiplies. Tiles of at most load_tile stream in one after
  /// another, each feeding its share of the columns.
  void load_and_mac(std::int64_t die, const Streamed& s, std::span<const GemmShape> shapes,
                    Precision precision);
  /// One tile of that: `part`, and a product of `shapes`, which stand in the program already from
  /// `shapes_begin` on. It waits for `operands` too.
  void load_and_mac_tile(std::int64_t die, const Streamed& part, std::int32_t shapes_begin,
                         Precision precision, std::int32_t operands);
  std::int32_t dequantise(std::int64_t die, std::int32_t loaded, std::int64_t elements);
  std::int32_t fill(std::int64_t die, std::int64_t address, std::int64_t bytes, std::int32_t after);
  /// Multiplies by a shard of a matrix: one pass over its weights serves all `shapes`.
  void gemm(std::int64_t die, const WeightHome& home, const Matrix& mine,
            std::span<const GemmShape> shapes);
  /// Rows of the products of so many tokens (Placement::invariant_rows).
  [[nodiscard]] std::int64_t rows_of(std::int64_t tokens) const;
  /// `rows` of input by a shard of a matrix.
  void gemm(std::int64_t die, const WeightHome& home, const Matrix& mine, std::int64_t rows);
  void exchange(const std::shared_ptr<const Exchange>& exchange);
  template <std::invocable Make>
  void exchange(Make make) {
    if (!tallies_) exchange(make());
  }

  // ---- the walk over the graph --------------------------------------------------------------
  void enter_stage(const Operator& op);
  void emit(const Operator& op);
  void reduce();
  void token_wise(VectorOp op);
  void embed();
  void head(const Operator& op);
  void sample();
  /// Launches a kernel on every die with work and multiplies its tokens by its shard.
  void project(const Operator& op);
  /// As project, leaving partial sums where the rows are cut.
  void project_and_sum(const Operator& op);

  // ---- mixers (lowering_mixer.cpp) ----------------------------------------------------------
  [[nodiscard]] const AttentionShards& shards() const {
    return shards_[static_cast<std::size_t>(mixer_)];
  }
  [[nodiscard]] const Mixer& mixer() const {
    return o_.llm_.mixers[static_cast<std::size_t>(mixer_)];
  }
  [[nodiscard]] const MixerWork& asked(const ReplicaWork& work) const {
    return work.mixers[static_cast<std::size_t>(mixer_)];
  }
  [[nodiscard]] std::vector<GemmShape> expanded(const Matrix& mine, const ReplicaWork& w) const;
  [[nodiscard]] const LatentAttentionSpec* latent() const {
    return std::get_if<LatentAttentionSpec>(&mixer().of);
  }
  [[nodiscard]] std::int64_t cache_share_bytes(std::int64_t tokens, std::int64_t elements,
                                               std::int64_t rank) const;
  /// As cache_share_bytes, in elements; 0 where products take the cache's format as it is.
  [[nodiscard]] std::int64_t dequantised(std::int64_t tokens, std::int64_t elements,
                                         std::int64_t rank) const;
  [[nodiscard]] std::int64_t cache_share(std::int64_t tokens, std::int64_t elements,
                                         std::int64_t rank) const;
  /// Cached tokens that a die reads its share of.
  struct CacheRead {
    std::int64_t tokens = 0;
    std::int64_t near = 0;      ///< of these, in SRAM beside home
    std::int64_t elements = 0;  ///< of a token, before it is cut
    std::int64_t piece = 0;     ///< bytes that lie together
    std::int64_t scores = 0;    ///< that the products yield, in so many rows
    std::int64_t rows = 0;
  };
  /// Returns how many of the scores have had their softmax; that of the others streams from the
  /// last product.
  std::int64_t read_cache(std::int64_t die, std::int64_t rank, const CacheRead& read,
                          std::span<const GemmShape> shapes);
  void store(std::int64_t die, Tier tier, std::int64_t bytes, std::int64_t pieces);
  void project_in(const Operator& op);
  void key_up(const Operator& op);
  void value_up(const Operator& op);
  void gather_latents();
  void begin_attention(std::int64_t die, const ReplicaWork& w);
  void rope();
  void append();
  void attend();
  void attend_heads(const AttentionSpec& spec);
  void attend_latent(const LatentAttentionSpec& spec);
  void scan_index(const LatentAttentionSpec& spec);
  void softmax(std::int64_t die, std::int64_t scores, std::int64_t rows);
  void merge(std::int64_t heads, std::int64_t width, bool single_only);
  void recur();

  // ---- moves between tiers (lowering_moves.cpp) ---------------------------------------------
  struct Copied {
    Tier from{}, to{};
    std::int64_t bytes = 0;
    std::int64_t piece = 0;
    TimeCategory category = TimeCategory::KvMove;
  };
  [[nodiscard]] std::int64_t page_piece(std::int64_t stage) const;
  void copy(std::int64_t die, const Copied& c, bool begins);
  [[nodiscard]] Instruction transfer(OpCode code, Tier tier, const Copied& c, std::int64_t tiles,
                                     std::int64_t t) const;
  void add_after(std::int64_t die, Instruction in, std::int32_t before);

  // ---- adapters (lowering_adapters.cpp) -----------------------------------------------------
  void adapt(std::int64_t die, const Operator& op, std::int64_t rank, const ReplicaWork& w);
  struct LowRank {
    const AdapterGroup& group;
    Matrix mine;        ///< of one adapter, this die's
    bool into = false;  ///< A, whose rows are cut into tiles; else B, whose columns are
  };
  void stream_adapters(std::int64_t die, const LowRank& work, std::int32_t operands);

  // ---- feed-forward networks (lowering_ffn.cpp) ---------------------------------------------
  void activate(const Operator& op);
  void route(const Operator& op);
  void count_experts(std::int64_t layer);
  void draw_picks(std::int64_t layer);
  void deal_to_groups(std::int64_t layer);
  void find_experts(std::int64_t layer, std::int64_t group);
  void add_work(ExpertWork& work, std::int64_t tokens, std::int64_t address);
  void learn_picks(std::int64_t layer);
  void predict(std::int64_t layer);
  void prefetch(std::int64_t layer);
  /// The group that takes token number `token` of those that pick `expert`.
  [[nodiscard]] std::int64_t group_of(std::int64_t layer, std::int64_t expert,
                                      std::int64_t token) const;
  void even_out(ExpertWork& work) const;
  [[nodiscard]] std::int64_t capacity() const;
  void choose_by_expert(std::int64_t layer);
  void count_dispatched(std::int64_t layer);
  void dispatch(bool back, std::int64_t bytes_per_token);
  /// Where an expert comes from: a tier, or SRAM that it has only just been prefetched into.
  static constexpr std::size_t kJustCome = kWeightCategories.size();
  static constexpr std::size_t kSources = kJustCome + 1;
  [[nodiscard]] const ExpertWork& expert_work(std::int64_t in_stage, std::size_t source) const {
    return expert_work_[static_cast<std::size_t>(in_stage / plan_.expert_tensor) * kSources +
                        source];
  }
  [[nodiscard]] std::int64_t expert_tokens(std::int64_t in_stage) const;
  /// f(die, place in stage) for every die of the stage, with work of its own replica or not.
  template <class F>
  void each_expert_die(F f) {
    for (std::int64_t i = 0; i < plan_.stage_dies(); ++i) f(stage_first() + i, i);
  }
  void expert_gemms(const Operator& op);
  void expert_gate_up(const Operator& op);
  void expert_activate();
  void expert_down(const Operator& op);

  Lowering& o_;
  const ParallelPlan plan_;
  std::vector<AttentionShards> shards_;  ///< by mixer
  const bool prefetch_;
  static constexpr std::int64_t kUncut = std::int64_t{1} << 62;  ///< above any size
  const std::int64_t tile_;
  const bool tallies_;
  StepPrograms& out_;
  std::int64_t ranks_;
  std::span<const SequenceWork> sequences_;
  std::vector<ReplicaWork> work_;
  std::vector<std::int32_t> last_, gate_, router_done_;  ///< per die
  std::vector<std::int32_t> crossing_;                   ///< per die: operands on their way
  std::vector<std::deque<std::int32_t>> arriving_;       ///< per die: reads of what comes home
  std::vector<std::int32_t> arrived_;                    ///< per die: the last prefetched expert
  std::int64_t stage_ = 0;
  std::int16_t layer_ = -1;
  std::uint8_t label_ = 0;          ///< of what is being written
  std::uint8_t partial_label_ = 0;  ///< of what left the partial sums
  std::int8_t mixer_ = 0;           ///< of the layer
  bool reduce_pending_ = false;
  std::optional<RoutedBatch> routed_batch_;  ///< of a routed model: the microbatch
  std::vector<std::int32_t> loads_;
  std::vector<std::int64_t> sender_of_;      ///< by token: the die of the stage that sends it
  std::vector<std::int64_t> routed_;         ///< [die of the stage][expert group] tokens it sends
  std::vector<GroupPicks> group_picks_;      ///< by expert group
  std::vector<ExpertWork> expert_work_;      ///< [expert group][source]
  std::vector<std::uint16_t> picks_before_;  ///< of the layer before, [token][top_k]
  std::int64_t picks_layer_ = -1;            ///< that layer
  std::vector<std::int32_t> predicted_;      ///< experts of the next layer, ascending
  std::int64_t predicted_for_ = -1;          ///< that layer
  std::vector<Prefetched> coming_;           ///< [expert group][tier], of the next layer
};

}  // namespace reticle
