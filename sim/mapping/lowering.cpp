// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping/lowering.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "sim/base/error.hpp"
#include "sim/mapping/op_costs.hpp"

namespace reticle {

namespace {

/// What the sequences of one replica ask of one microbatch, summed.
struct ReplicaWork {
  std::int64_t tokens = 0;          ///< new tokens
  std::int64_t emitted = 0;         ///< sequences that yield a token
  std::int64_t kv_tokens = 0;       ///< cached tokens to read
  std::int64_t decode_context = 0;  ///< attended positions of all decoding sequences
  std::int64_t decode_tokens = 0;
  std::int64_t attended = 0;  ///< query-key pairs, all sequences
  std::vector<SequenceWork> prefills;
};

/// Cached positions plus, causally, half of the new ones.
std::int64_t attended_per_token(const SequenceWork& s) {
  return s.context + div_up(s.new_tokens + 1, 2);
}

ReplicaWork summarise(std::span<const SequenceWork> sequences, std::int32_t replica) {
  ReplicaWork work;
  for (const SequenceWork& s : sequences) {
    if (s.replica != replica) continue;
    work.tokens += s.new_tokens;
    work.emitted += s.emits;
    work.kv_tokens += s.context;
    work.attended += s.new_tokens * attended_per_token(s);
    if (s.new_tokens == 1) {
      work.decode_context += s.context + 1;
      ++work.decode_tokens;
    } else {
      work.prefills.push_back(s);
    }
  }
  return work;
}

TimeCategory weights_category(Tier tier) {
  return kWeightCategories[static_cast<std::size_t>(tier)];
}

Unit port_of(Tier tier) {
  constexpr std::array<Unit, kTierCount> kOf{Unit::SramPort, Unit::HbmPort, Unit::FarPort};
  return kOf[static_cast<std::size_t>(tier)];
}

/// Routed experts of one layer, as one expert group and one tier see them: how many experts have
/// how many tokens.
struct ExpertWork {
  struct Equal {
    std::int64_t tokens;
    std::int64_t experts;
  };
  std::vector<Equal> groups;
  std::int64_t experts = 0;  ///< touched
  std::int64_t tokens = 0;   ///< token-expert pairs
  std::int64_t address = 0;
};

}  // namespace

/// Writes one microbatch of one step. Per die it keeps the instruction that the next one depends
/// on.
class Lowering::Writer {
 public:
  Writer(Lowering& owner, StepPrograms& out)
      : o_{owner},
        plan_{owner.placement_.plan},
        shards_{attention_shards(owner.llm_, plan_)},
        prefetch_{owner.platform_.die.sequencer.static_prefetch},
        tile_{owner.platform_.die.sequencer.load_tile.count()},
        out_{out},
        last_(static_cast<std::size_t>(plan_.stage_dies() * plan_.pipeline), kNoInstruction),
        gate_(last_.size(), kNoInstruction),
        router_done_(last_.size(), kNoInstruction) {}

  void write(std::span<const SequenceWork> sequences) {
    sequences_ = sequences;
    work_.clear();
    for (std::int64_t r = 0; r < plan_.data; ++r)
      work_.push_back(summarise(sequences, static_cast<std::int32_t>(r)));
    // A microbatch starts from nothing on every die; units keep it behind the one before.
    std::fill(last_.begin(), last_.end(), kNoInstruction);
    std::fill(gate_.begin(), gate_.end(), kNoInstruction);
    reduce_pending_ = false;
    stage_ = 0;
    for (const Operator& op : o_.graph_.operators) {
      enter_stage(op);
      emit(op);
    }
  }

 private:
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
      if (work_of(i).tokens > 0) f(stage_first() + i, i, i % plan_.tensor, work_of(i));
  }

  // ---- instructions -------------------------------------------------------------------------
  std::int32_t add(std::int64_t die, Instruction in) {
    in.layer = layer_;
    return program(die).add(in);
  }

  /// Where kernels run one after another, the next one waits for the last and for its launch.
  void begin_kernel(std::int64_t die) {
    if (prefetch_) return;
    Instruction in{.code = OpCode::Wait, .unit = Unit::Control, .category = TimeCategory::Launch};
    in.amount = o_.platform_.die.sequencer.launch_gap.count();
    in.after[0] = last(die);
    last(die) = gate_[static_cast<std::size_t>(die)] = add(die, in);
  }

  /// A vector operation on `work`'s rows, after the die's last instruction or with `streams_from`.
  void vector(std::int64_t die, const VectorWork& work,
              std::int32_t streams_from = kNoInstruction) {
    if (work.elements <= 0) return;
    auto& code = program(die).code;
    const bool follows = streams_from == kNoInstruction && last(die) != kNoInstruction &&
                         last(die) + 1 == std::ssize(code) && code.back().code == OpCode::Vector;
    if (follows && fuse(code.back(), work)) return;
    Instruction in{.code = OpCode::Vector, .unit = Unit::Vector, .category = TimeCategory::Vector};
    in.vector_op = work.op;
    in.amount = work.elements;
    in.piece = static_cast<std::int32_t>(work.row);
    in.rounds = static_cast<std::uint16_t>(work.rounds);
    if (streams_from != kNoInstruction)
      in.after[0] = {streams_from, true};
    else
      in.after[0] = last(die);
    last(die) = add(die, in);
  }

  /// A residual add and the norm behind it are one pass over the data.
  static bool fuse(Instruction& before, const VectorWork& work) {
    if (before.vector_op != VectorOp::Residual || work.op != VectorOp::RmsNorm ||
        before.amount != work.elements)
      return false;
    before.vector_op = VectorOp::AddNorm;
    before.piece = static_cast<std::int32_t>(work.row);
    return true;
  }

  /// Loads `bytes` from a home and multiplies; `shapes` are pushed already. Tiles of at most
  /// load_tile stream in one after another, each feeding its share of the columns.
  struct Streamed {
    Tier tier{};
    std::int64_t address = 0;
    std::int64_t bytes = 0;
    std::int64_t piece = 0;
    TimeCategory category{};
    std::int32_t load_after = kNoInstruction;  ///< when the bytes are known to be needed
  };
  void load_and_mac(std::int64_t die, const Streamed& s, std::span<const GemmShape> shapes,
                    Precision precision) {
    const bool direct = s.tier == Tier::Sram;  // straight from SRAM into the array
    const std::int64_t tiles = direct ? 1 : std::max<std::int64_t>(1, div_up(s.bytes, tile_));
    const std::int32_t operands = last(die);
    for (std::int64_t t = 0; t < tiles; ++t) {
      Instruction load{.code = OpCode::Load,
                       .unit = port_of(s.tier),
                       .tier = s.tier,
                       .category = s.category,
                       .staged = !direct};
      load.amount = share(s.bytes, tiles, t);
      load.address = s.address + s.bytes * t / tiles;
      load.piece = static_cast<std::int32_t>(s.piece);
      // SRAM streams when the array can take it; slower tiers run ahead as far as they may.
      load.after[0] = direct ? operands : s.load_after;
      load.after[1] = gate_[static_cast<std::size_t>(die)];
      const std::int32_t loaded = s.bytes > 0 ? add(die, load) : kNoInstruction;

      Instruction mac{.code = OpCode::Mac,
                      .unit = Unit::Mac,
                      .category = TimeCategory::Mac,
                      .precision = precision};
      auto& all = program(die).shapes;
      mac.shapes_begin = static_cast<std::int32_t>(all.size());
      for (GemmShape shape : shapes) {
        shape.n = share(shape.n, tiles, t);
        if (shape.n > 0) all.push_back(shape);
      }
      mac.shapes_end = static_cast<std::int32_t>(all.size());
      mac.after[0] = {loaded, true};
      mac.after[1] = operands;
      last(die) = add(die, mac);
      if (loaded != kNoInstruction)
        program(die).code[static_cast<std::size_t>(loaded)].consumer = last(die);
    }
  }

  void gemm(std::int64_t die, const WeightHome& home, std::int64_t m, std::int64_t k,
            std::int64_t n, Precision precision) {
    if (n <= 0 || m <= 0 || k <= 0) return;
    const GemmShape shape{m, k, n, 1};
    load_and_mac(die,
                 {.tier = home.tier,
                  .address = home.address,
                  .bytes = bytes_of(k * n, precision).count(),
                  .category = weights_category(home.tier)},
                 {&shape, 1}, precision);
  }

  void exchange(const std::shared_ptr<const Exchange>& exchange) {
    if (exchange->participants.size() <= 1) return;
    const auto id = static_cast<std::int32_t>(out_.exchanges.size());
    out_.exchanges.push_back(exchange);
    for (std::size_t slot = 0; slot < exchange->participants.size(); ++slot) {
      const auto die = static_cast<std::int64_t>(index(exchange->participants[slot]));
      Instruction in{
          .code = OpCode::Exchange, .unit = Unit::Fabric, .category = TimeCategory::FabricTransfer};
      in.exchange = id;
      in.slot = static_cast<std::int32_t>(slot);
      in.after[0] = last(die);
      last(die) = add(die, in);
    }
  }

  template <class F>
  void each_replica(F f) {
    for (std::int64_t r = 0; r < plan_.data; ++r)
      if (work_[static_cast<std::size_t>(r)].tokens > 0) f(r, work_[static_cast<std::size_t>(r)]);
  }

  // ---- stages -------------------------------------------------------------------------------
  /// At the first operator of a stage's layers the residual stream comes over from the stage
  /// before.
  void enter_stage(const Operator& op) {
    layer_ = static_cast<std::int16_t>(op.layer);
    if (op.layer < 0) return;
    if (stage_ + 1 == plan_.pipeline || op.layer < first_layer(o_.llm_, plan_, stage_ + 1)) return;
    reduce();
    const std::int64_t from_stage = stage_++;
    each_replica([&](std::int64_t r, const ReplicaWork& w) {
      const DieGroup from{from_stage * plan_.stage_dies() + r * plan_.tensor, plan_.tensor, 1};
      exchange(o_.collectives_.send(from, replica_group(r),
                                    Bytes{w.tokens * o_.llm_.hidden * op_costs::kPartialSumBytes}));
    });
  }

  // ---- operators ----------------------------------------------------------------------------
  void emit(const Operator& op) {
    switch (op.kind) {
      case OperatorKind::Embed:
        embed();
        break;
      case OperatorKind::Norm:
        reduce();
        token_wise(VectorOp::RmsNorm);
        break;
      case OperatorKind::QkvProject:
        qkv(op);
        break;
      case OperatorKind::Rope:
        rope();
        break;
      case OperatorKind::KvAppend:
        append();
        break;
      case OperatorKind::Attend:
        attend();
        break;
      case OperatorKind::OutProject:
        out_project(op);
        break;
      case OperatorKind::Residual:
        reduce();
        token_wise(VectorOp::Residual);
        break;
      case OperatorKind::Router:
        route(op);
        break;
      case OperatorKind::GateUp:
        gate_up(op);
        break;
      case OperatorKind::Activate:
        activate(op);
        break;
      case OperatorKind::Down:
        down(op);
        break;
      case OperatorKind::ExpertGateUp:
        expert_gate_up(op);
        break;
      case OperatorKind::ExpertActivate:
        expert_activate();
        break;
      case OperatorKind::ExpertDown:
        expert_down(op);
        break;
      case OperatorKind::Head:
        head();
        break;
      case OperatorKind::Sample:
        sample();
        break;
    }
  }

  /// Sums the partial results that tensor-parallel GEMMs left on the dies of each replica.
  void reduce() {
    if (!std::exchange(reduce_pending_, false)) return;
    each_replica([&](std::int64_t r, const ReplicaWork& w) {
      exchange(o_.collectives_.reduce_all(
          replica_group(r), Bytes{w.tokens * o_.llm_.hidden * op_costs::kPartialSumBytes}));
    });
  }

  /// Element-wise work on the residual stream. Each die of a replica does its part of the tokens,
  /// between the reduce-scatter and the all-gather an all-reduce consists of (sequence parallelism,
  /// Korthikanti+ MLSys'23).
  void token_wise(VectorOp op) {
    each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
      vector(die, {.op = op,
                   .elements = share(w.tokens * o_.llm_.hidden, plan_.tensor, rank),
                   .row = o_.llm_.hidden});
    });
  }

  [[nodiscard]] const WeightHome& home(std::int64_t layer, WeightKind kind) const {
    return o_.placement_.layers[static_cast<std::size_t>(layer)]
        .weights[static_cast<std::size_t>(kind)];
  }

  /// The table is cut by columns: every die reads its part of each token's row, then all gather.
  void embed() {
    const LlmSpec& llm = o_.llm_;
    const WeightHome& table = o_.placement_.embedding;
    each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
      begin_kernel(die);
      const std::int64_t row =
          bytes_of(share(llm.hidden, plan_.tensor, rank), llm.embedding).count();
      Instruction in{.code = OpCode::Load,
                     .unit = port_of(table.tier),
                     .tier = table.tier,
                     .category = weights_category(table.tier)};
      in.amount = row * w.tokens;
      in.piece = static_cast<std::int32_t>(row);
      in.address = table.address;
      in.after[0] = last(die);
      last(die) = add(die, in);
    });
    each_replica([&](std::int64_t r, const ReplicaWork& w) {
      exchange(o_.collectives_.gather_all(
          replica_group(r), Bytes{w.tokens * llm.hidden * op_costs::kPartialSumBytes}));
    });
  }

  void qkv(const Operator& op) {
    each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
      begin_kernel(die);
      gemm(die, home(op.layer, WeightKind::Qkv), w.tokens, op.weight.k,
           share(op.weight.n, plan_.tensor, rank), op.weight.precision);
    });
    // Dies that share a KV head each computed a part of its queries, keys and values.
    if (shards_.context > 1)
      each_kv_shard([&](const DieGroup& group, const ReplicaWork& w) {
        exchange(o_.collectives_.gather_all(
            group, bytes_of(w.tokens * op.weight.n / shards_.heads, o_.llm_.activations)));
      });
  }

  template <class F>
  void each_kv_shard(F f) {
    each_replica([&](std::int64_t r, const ReplicaWork& w) {
      for (std::int64_t h = 0; h < shards_.heads; ++h)
        f(DieGroup{replica_group(r).first + h * shards_.context, shards_.context, 1}, w);
    });
  }

  void rope() {
    const auto& a = o_.llm_.attention;
    each_die([&](std::int64_t die, auto, auto, const ReplicaWork& w) {
      begin_kernel(die);
      vector(die, {.op = VectorOp::Rope,
                   .elements = w.tokens * (a.heads + a.kv_heads) * a.head_dim / plan_.tensor,
                   .row = a.head_dim});
    });
  }

  /// Bytes of one token's keys and values in one layer on the die of `rank`.
  [[nodiscard]] std::int64_t kv_share_bytes(std::int64_t tokens, std::int64_t rank) const {
    const auto& a = o_.llm_.attention;
    const std::int64_t elements = 2 * a.kv_heads / shards_.heads * a.head_dim *
                                  share(tokens, shards_.context, rank % shards_.context);
    return bytes_of(elements, o_.llm_.kv).count();
  }

  void append() {
    const Tier tier = o_.placement_.kv.tier;
    each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
      Instruction in{.code = OpCode::Store,
                     .unit = Unit::StorePort,
                     .tier = tier,
                     .category = TimeCategory::Kv};
      in.amount = kv_share_bytes(w.tokens, rank);
      if (in.amount == 0) return;
      in.piece = static_cast<std::int32_t>(std::max<std::int64_t>(1, in.amount / w.tokens));
      in.after[0] = last(die);
      add(die, in);  // nobody waits: this step's attention has the new values on chip
    });
  }

  void attend() {
    const LlmSpec& llm = o_.llm_;
    const auto& a = llm.attention;
    const std::int64_t kv_heads = a.kv_heads / shards_.heads;
    const std::int64_t group_heads = a.heads / a.kv_heads;
    const KvRoom& kv = o_.placement_.kv;
    std::vector<GemmShape> shapes;
    each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
      const std::int64_t c = rank % shards_.context;
      shapes.clear();
      // Scores and weighted sum; the contexts of all decoding sequences laid side by side.
      const auto attention = [&](std::int64_t rows, std::int64_t positions) {
        const std::int64_t mine = share(positions, shards_.context, c);
        if (mine == 0 || rows == 0) return;
        shapes.push_back({rows, a.head_dim, mine, kv_heads});
        shapes.push_back({rows, mine, a.head_dim, kv_heads});
      };
      attention(group_heads, w.decode_context);
      for (const SequenceWork& s : w.prefills)
        attention(group_heads * s.new_tokens, attended_per_token(s));
      Streamed stream{.tier = kv.tier,
                      .address = 0,
                      .bytes = kv_share_bytes(w.kv_tokens, rank),
                      .piece = bytes_of(kv.page_tokens * kv_heads * a.head_dim, llm.kv).count(),
                      .category = TimeCategory::Kv};
      load_and_mac(die, stream, shapes, llm.activations);
      const std::int64_t scores = kv_heads * group_heads * share(w.attended, shards_.context, c);
      const std::int64_t heads = kv_heads * group_heads * w.tokens;
      vector(die,
             {.op = VectorOp::Softmax,
              .elements = scores,
              .row = div_up(scores, std::max<std::int64_t>(1, heads))},
             last(die));
    });
    if (shards_.context <= 1) return;
    // Partial outputs of the context shards: each die collects and merges its part of the heads.
    const std::int64_t outputs = kv_heads * group_heads * a.head_dim;
    each_kv_shard([&](const DieGroup& group, const ReplicaWork& w) {
      exchange(o_.collectives_.scatter_sums(
          group, Bytes{w.tokens * outputs * op_costs::kPartialSumBytes}));
    });
    each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
      vector(die, {.op = VectorOp::Merge,
                   .elements = w.tokens * shards_.context *
                               share(outputs, shards_.context, rank % shards_.context),
                   .row = a.head_dim});
    });
  }

  void out_project(const Operator& op) {
    each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
      begin_kernel(die);
      gemm(die, home(op.layer, WeightKind::Out), w.tokens, share(op.weight.k, plan_.tensor, rank),
           op.weight.n, op.weight.precision);
    });
    reduce_pending_ = plan_.tensor > 1;
  }

  void gate_up(const Operator& op) {
    each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
      begin_kernel(die);
      gemm(die, home(op.layer, WeightKind::GateUp), w.tokens, op.weight.k,
           2 * share(op.weight.n / 2, plan_.tensor, rank), op.weight.precision);
    });
  }

  void activate(const Operator& op) {
    const bool moe = o_.llm_.layer_is_moe(op.layer);
    const std::int64_t ffn =
        moe ? o_.llm_.moe->shared_experts * o_.llm_.moe->shared_ffn : o_.llm_.dense_ffn;
    each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
      const std::int64_t mine = share(ffn, plan_.tensor, rank);
      vector(die, {.op = VectorOp::Activate, .elements = w.tokens * mine, .row = mine});
    });
  }

  void down(const Operator& op) {
    each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
      begin_kernel(die);
      gemm(die, home(op.layer, WeightKind::Down), w.tokens, share(op.weight.k, plan_.tensor, rank),
           op.weight.n, op.weight.precision);
    });
    reduce_pending_ = plan_.tensor > 1;
  }

  // ---- routed experts -----------------------------------------------------------------------
  void route(const Operator& op) {
    each_die([&](std::int64_t die, auto, auto, const ReplicaWork& w) {
      begin_kernel(die);
      gemm(die, home(op.layer, WeightKind::Router), w.tokens, op.weight.k, op.weight.n,
           op.weight.precision);
      vector(die, {.op = VectorOp::TopK,
                   .elements = w.tokens * op.weight.n,
                   .row = op.weight.n,
                   .rounds = o_.llm_.moe->top_k});
      router_done_[static_cast<std::size_t>(die)] = last(die);
    });
    count_experts(op.layer);
  }

  /// Draws the experts of every token of the microbatch at `layer`.
  void count_experts(std::int64_t layer) {
    const auto experts = static_cast<std::size_t>(o_.llm_.moe->experts);
    loads_.assign(experts, 0);
    const auto groups = static_cast<std::size_t>(plan_.expert);
    routed_.assign(static_cast<std::size_t>(plan_.data) * groups, 0);
    if (plan_.data == 1) {
      for (const SequenceWork& s : sequences_)
        o_.router_->add_loads(s.request, s.context, s.new_tokens, layer, loads_);
    } else {
      count_dispatched(layer);
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
  void even_out(ExpertWork& work) const {
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

  /// As add_loads, and how many tokens of each replica go to each expert group.
  void count_dispatched(std::int64_t layer) {
    const auto experts = o_.llm_.moe->experts;
    picks_.resize(static_cast<std::size_t>(o_.llm_.moe->top_k));
    std::vector<std::uint8_t> seen(static_cast<std::size_t>(plan_.expert));
    for (const SequenceWork& s : sequences_)
      for (std::int64_t t = 0; t < s.new_tokens; ++t) {
        o_.router_->route(s.request, s.context + t, layer, picks_);
        std::fill(seen.begin(), seen.end(), std::uint8_t{0});
        for (const std::int32_t e : picks_) {
          ++loads_[static_cast<std::size_t>(e)];
          const std::int64_t group = e * plan_.expert / experts;
          if (!std::exchange(seen[static_cast<std::size_t>(group)], std::uint8_t{1}))
            ++routed_[static_cast<std::size_t>(s.replica * plan_.expert + group)];
        }
      }
  }

  /// Tokens between replicas and expert groups: every die sends its share of its replica's tokens
  /// to each die of the expert groups they are routed to, or the results back.
  void dispatch(bool back, std::int64_t bytes_per_token) {
    const std::int64_t n = plan_.stage_dies();
    std::vector<DieId> all;
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(n * n));
    for (std::int64_t i = 0; i < n; ++i)
      all.push_back(DieId{static_cast<std::uint32_t>(stage_first() + i)});
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < n; ++j) {
        const std::int64_t tokens = routed_[static_cast<std::size_t>(
            i / plan_.tensor * plan_.expert + j / plan_.expert_tensor)];
        const std::int64_t bytes = share(tokens, plan_.tensor, i % plan_.tensor) * bytes_per_token;
        if (i != j) sizes[static_cast<std::size_t>(back ? j * n + i : i * n + j)] = bytes;
      }
    // Dies of idle replicas take part too: tokens of others come to their experts.
    exchange(std::make_shared<const Exchange>(all_to_all(all, sizes)));
  }

  [[nodiscard]] const ExpertWork& expert_work(std::int64_t in_stage, std::size_t tier) const {
    return expert_work_[static_cast<std::size_t>(in_stage / plan_.expert_tensor) * kTierCount +
                        tier];
  }

  /// Every die of the stage, with work of its own replica or not.
  template <class F>
  void each_expert_die(F f) {
    for (std::int64_t i = 0; i < plan_.stage_dies(); ++i) f(stage_first() + i, i);
  }

  void expert_gemms(const Operator& op, std::int64_t numerator, bool cut_k) {
    const std::int64_t ffn = o_.llm_.moe->expert_ffn;
    std::vector<GemmShape> shapes;
    each_expert_die([&](std::int64_t die, std::int64_t i) {
      const std::int64_t mine = share(ffn, plan_.expert_tensor, i % plan_.expert_tensor);
      const std::int64_t k = cut_k ? mine : op.weight.k;
      const std::int64_t n = cut_k ? op.weight.n : numerator * mine;
      bool begun = false;
      for (std::size_t t = 0; t < kTierCount; ++t) {
        const ExpertWork& work = expert_work(i, t);
        if (work.experts == 0 || mine == 0) continue;
        if (!std::exchange(begun, true)) begin_kernel(die);
        shapes.clear();
        for (const auto& g : work.groups) shapes.push_back({g.tokens, k, n, g.experts});
        load_and_mac(die,
                     {.tier = static_cast<Tier>(t),
                      .address = work.address,
                      .bytes = work.experts * bytes_of(k * n, op.weight.precision).count(),
                      .category = weights_category(static_cast<Tier>(t)),
                      // Which experts are needed is known when the router has spoken.
                      .load_after = router_done_[static_cast<std::size_t>(die)]},
                     shapes, op.weight.precision);
      }
    });
  }

  void expert_gate_up(const Operator& op) {
    if (plan_.data > 1) {
      dispatch(false, bytes_of(o_.llm_.hidden, o_.llm_.activations).count());
      // Tokens of other replicas were routed there: what they need is known when they have come.
      each_expert_die(
          [&](std::int64_t die, auto) { router_done_[static_cast<std::size_t>(die)] = last(die); });
    }
    expert_gemms(op, 2, false);
  }

  void expert_activate() {
    each_expert_die([&](std::int64_t die, std::int64_t i) {
      const std::int64_t mine =
          share(o_.llm_.moe->expert_ffn, plan_.expert_tensor, i % plan_.expert_tensor);
      std::int64_t tokens = 0;
      for (std::size_t t = 0; t < kTierCount; ++t) tokens += expert_work(i, t).tokens;
      vector(die, {.op = VectorOp::Activate, .elements = tokens * mine, .row = mine});
    });
  }

  void expert_down(const Operator& op) {
    expert_gemms(op, 1, true);
    each_expert_die([&](std::int64_t die, std::int64_t i) {
      std::int64_t tokens = 0;
      for (std::size_t t = 0; t < kTierCount; ++t) tokens += expert_work(i, t).tokens;
      vector(die,
             {.op = VectorOp::Combine, .elements = tokens * o_.llm_.hidden, .row = o_.llm_.hidden});
    });
    if (plan_.data > 1) dispatch(true, o_.llm_.hidden * op_costs::kPartialSumBytes);
    reduce_pending_ = plan_.tensor > 1;
  }

  // ---- the end ------------------------------------------------------------------------------
  void head() {
    const LlmSpec& llm = o_.llm_;
    each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
      if (w.emitted == 0) return;
      begin_kernel(die);
      gemm(die, o_.placement_.head, w.emitted, llm.hidden,
           share(llm.vocabulary, plan_.tensor, rank), llm.embedding);
    });
  }

  void sample() {
    each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
      const std::int64_t mine = share(o_.llm_.vocabulary, plan_.tensor, rank);
      vector(die, {.op = VectorOp::Sample, .elements = w.emitted * mine, .row = mine});
    });
    each_replica([&](std::int64_t r, const ReplicaWork& w) {
      if (w.emitted > 0)
        exchange(o_.collectives_.gather_all(
            replica_group(r), Bytes{w.emitted * plan_.tensor * op_costs::kCandidateBytes}));
    });
  }

  Lowering& o_;
  const ParallelPlan plan_;
  const AttentionShards shards_;
  const bool prefetch_;
  const std::int64_t tile_;
  StepPrograms& out_;
  std::span<const SequenceWork> sequences_;
  std::vector<ReplicaWork> work_;
  std::vector<std::int32_t> last_, gate_, router_done_;  ///< per die
  std::int64_t stage_ = 0;
  std::int16_t layer_ = -1;
  bool reduce_pending_ = false;
  std::vector<std::int32_t> loads_, picks_;
  std::vector<std::int64_t> routed_;     ///< [replica][expert group] tokens
  std::vector<ExpertWork> expert_work_;  ///< [expert group][tier]
};

Lowering::Lowering(const PlatformSpec& platform, const LlmSpec& llm, const Placement& placement,
                   const ExpertRouter* router)
    : platform_{platform},
      llm_{llm},
      placement_{placement},
      router_{router},
      graph_{build_op_graph(llm)},
      collectives_{platform} {}

Lowering::~Lowering() = default;

void Lowering::lower(const StepLoad& load, StepPrograms& out) {
  out.dies.resize(static_cast<std::size_t>(dies(platform_)));
  out.clear();
  // A pipeline of p stages takes the sequences in up to p microbatches, so that stages overlap.
  const auto count = static_cast<std::int64_t>(load.sequences.size());
  const std::int64_t batches =
      std::clamp<std::int64_t>(placement_.plan.pipeline, 1, std::max<std::int64_t>(1, count));
  Writer writer{*this, out};
  const std::span<const SequenceWork> all{load.sequences};
  for (std::int64_t b = 0; b < batches; ++b) {
    const auto begin = static_cast<std::size_t>(count * b / batches);
    const auto end = static_cast<std::size_t>(count * (b + 1) / batches);
    if (begin < end) writer.write(all.subspan(begin, end - begin));
  }
}

}  // namespace reticle
