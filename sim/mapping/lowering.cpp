// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping/lowering.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "sim/mapping/lowering_tally.hpp"
#include "sim/mapping/lowering_writer.hpp"
#include "sim/mapping/op_costs.hpp"

namespace reticle {

namespace {

void add_to(Attended& sum, const Attended& one) {
  sum.read += one.read;
  sum.pairs += one.pairs;
  sum.scanned += one.scanned;
  sum.scanned_pairs += one.scanned_pairs;
}

/// Into `work`, whose memory is used again.
void summarise(const LlmSpec& llm, std::span<const SequenceWork> sequences, std::int32_t replica,
               ReplicaWork& work) {
  ReplicaWork nothing;
  nothing.mixers = std::move(work.mixers);
  nothing.prefills = std::move(work.prefills);
  nothing.mixers.assign(llm.mixers.size(), {});
  nothing.prefills.clear();
  work = std::move(nothing);
  for (const SequenceWork& s : sequences) {
    if (s.replica != replica) continue;
    const bool decodes = s.new_tokens == 1;
    ++work.sequences;
    work.resumed += s.context > 0;
    work.tokens += s.new_tokens;
    work.near_tokens += s.near_new;
    work.decode_tokens += decodes;
    work.emitted += s.outputs;
    const bool absorbed = s.drafts > 0;
    if (!decodes) work.prefills.push_back({s.new_tokens, absorbed, {}});
    for (std::size_t m = 0; m < llm.mixers.size(); ++m) {
      const Attended asked = attended(llm.mixers[m], s.context, s.new_tokens);
      MixerWork& of = work.mixers[m];
      const bool latent = std::holds_alternative<LatentAttentionSpec>(llm.mixers[m].of);
      const bool single = decodes || selects(llm.mixers[m]) || (latent && absorbed);
      add_to(single ? of.single : of.blocks, asked);
      if (s.near > 0)
        add_to(single ? of.near_single : of.near_blocks,
               near_of(llm, llm.mixers[m], asked, s.context, s.near));
      if (single) of.single_tokens += s.new_tokens;
      if (!decodes) work.prefills.back().asked.push_back(asked);
    }
  }
}

/// A residual add and the norm behind it are one pass over the data.
bool fuse(Instruction& before, const VectorWork& work) {
  if (before.vector_op != VectorOp::Residual || work.op != VectorOp::RmsNorm ||
      before.amount != work.elements)
    return false;
  before.vector_op = VectorOp::AddNorm;
  before.piece = static_cast<std::int32_t>(work.row);
  return true;
}

/// Of one routed expert, all dies of its group together; those of all layers are alike.
Bytes expert_bytes(const LlmSpec& llm, const ParallelPlan& plan, const ExpertRouter& router) {
  Bytes sum{};
  for (Matrix m : matrices_of(llm, router.moe_layers().front())) {
    if (!is_expert(m.role)) continue;
    m.copies = 1;
    for (std::int64_t i = 0; i < plan.expert_tensor; ++i)
      sum += bytes_of(shard(m, plan.expert_tensor, i).elements(), m.precision);
  }
  return sum;
}

}  // namespace

Lowering::Writer::Writer(Lowering& owner, StepPrograms& out, bool tallies)
    : o_{owner},
      plan_{owner.placement_.plan},
      prefetch_{owner.platform_.die.sequencer.static_prefetch},
      tile_{tallies ? kUncut : owner.platform_.die.sequencer.load_tile.count()},
      tallies_{tallies},
      out_{out},
      ranks_{plan_.tensor},
      last_(static_cast<std::size_t>(plan_.stage_dies() * plan_.pipeline), kNoInstruction),
      gate_(last_.size(), kNoInstruction),
      router_done_(last_.size(), kNoInstruction),
      crossing_(last_.size(), kNoInstruction),
      arriving_(last_.size()),
      arrived_(last_.size(), kNoInstruction) {
  if (owner.router_ != nullptr && owner.llm_.moe->routing.choice == ExpertChoice::ByToken)
    routed_batch_.emplace(*owner.router_);
  for (const Mixer& mixer : owner.llm_.mixers) shards_.push_back(attention_shards(mixer, plan_));
}

void Lowering::Writer::take(std::span<const SequenceWork> sequences) {
  sequences_ = sequences;
  stage_ = 0;
  predicted_for_ = picks_layer_ = -1;
  if (routed_batch_) {
    routed_batch_->clear();
    for (const SequenceWork& s : sequences)
      routed_batch_->add(s.request, s.position(), s.new_tokens);
  }
  sender_of_.clear();
  if (!o_.llm_.moe || plan_.data == 1) return;
  // A replica's tokens are dealt to its dies in turn: each sends those that are its own.
  std::vector<std::int64_t> dealt(static_cast<std::size_t>(plan_.data));
  for (const SequenceWork& s : sequences) {
    std::int64_t& next = dealt[static_cast<std::size_t>(s.replica)];
    for (std::int64_t t = 0; t < s.new_tokens; ++t)
      sender_of_.push_back(s.replica * plan_.tensor + next++ % plan_.tensor);
  }
}

void Lowering::Writer::write(std::span<const SequenceWork> sequences) {
  begin(sequences);
  for (const Operator& op : o_.graph_.operators) write(op);
}

void Lowering::Writer::begin(std::span<const SequenceWork> sequences) {
  take(sequences);
  work_.resize(static_cast<std::size_t>(plan_.data));
  for (std::int64_t r = 0; r < plan_.data; ++r) {
    const auto replica = static_cast<std::int32_t>(r);
    ReplicaWork& work = work_[static_cast<std::size_t>(r)];
    summarise(o_.llm_, sequences, replica, work);
    if (o_.placement_.adapters)
      work.adapters = group_adapters(o_.placement_.adapters->spec, sequences, replica);
  }
  begin_again();
}

/// A microbatch starts from nothing on every die; units keep it behind the one before.
void Lowering::Writer::begin_again() {
  stage_ = 0;
  std::fill(last_.begin(), last_.end(), kNoInstruction);
  std::fill(gate_.begin(), gate_.end(), kNoInstruction);
  reduce_pending_ = false;
}

void Lowering::Writer::write(const Operator& op) {
  enter_stage(op);
  emit(op);
}

// ---- instructions ---------------------------------------------------------------------------

std::int32_t Lowering::Writer::add(std::int64_t die, Instruction in) {
  in.layer = layer_;
  in.label = label_;
  return program(die).add(in);
}

/// Where kernels run one after another, the next one waits for the last and for its launch.
void Lowering::Writer::begin_kernel(std::int64_t die, KernelKind kind, Picoseconds more) {
  if (prefetch_) return;
  const DieParams& silicon = o_.platform_.die;
  Instruction in{.code = OpCode::Wait, .unit = Unit::Control, .category = TimeCategory::Launch};
  in.amount =
      (silicon.kernels ? begin_of(*silicon.kernels, kind) + more : silicon.sequencer.launch_gap)
          .count();
  in.after[0] = last(die);
  last(die) = gate_[static_cast<std::size_t>(die)] = add(die, in);
}

void Lowering::Writer::begin_product(std::int64_t die, KernelKind kind, const Matrix& mine) {
  const auto& kernels = o_.platform_.die.kernels;
  begin_kernel(die, kind,
               kernels ? before_product(*kernels, product(mine), mine.k) : Picoseconds{});
}

void Lowering::Writer::cross(std::int64_t die, Bytes bytes, bool first) {
  Instruction in{.code = OpCode::Load,
                 .unit = Unit::SramPort,
                 .tier = Tier::Sram,
                 .category = TimeCategory::Mac};
  in.amount = bytes.count();
  if (in.amount == 0) return;
  in.after[0] = last(die);
  (first ? last(die) : crossing_[static_cast<std::size_t>(die)]) = add(die, in);
}

void Lowering::Writer::vector(std::int64_t die, const VectorWork& work, std::int32_t streams_from) {
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

void Lowering::Writer::load_and_mac(std::int64_t die, const Streamed& s,
                                    std::span<const GemmShape> shapes, Precision precision) {
  if (s.bytes == 0 && shapes.empty()) return;
  const bool direct = s.tier == Tier::Sram;  // straight from SRAM into the array
  const std::int64_t tiles = direct ? 1 : std::max<std::int64_t>(1, div_up(s.bytes, tile_));
  const std::int32_t operands = last(die);
  for (std::int64_t t = 0; t < tiles; ++t) {
    Streamed part = s;
    part.bytes = share(s.bytes, tiles, t);
    part.address = s.address + s.bytes * t / tiles;
    part.dequantised = share(s.dequantised, tiles, t);
    part.kept = share(s.kept, tiles, t);
    part.kept_at = s.kept_at + s.kept * t / tiles;
    auto& all = program(die).shapes;
    const auto shapes_begin = static_cast<std::int32_t>(all.size());
    for (GemmShape shape : shapes) {
      std::int64_t& streamed = shape.along_k ? shape.k : shape.n;
      streamed = share(streamed, tiles, t);
      if (streamed > 0) all.push_back(shape);
    }
    load_and_mac_tile(die, part, shapes_begin, precision, operands);
  }
}

void Lowering::Writer::load_and_mac_tile(std::int64_t die, const Streamed& part,
                                         std::int32_t shapes_begin, Precision precision,
                                         std::int32_t operands) {
  const bool direct = part.tier == Tier::Sram;
  Instruction load{.code = OpCode::Load,
                   .unit = port_of(part.tier),
                   .tier = part.tier,
                   .category = part.category,
                   .staged = !direct};
  load.amount = part.bytes;
  load.address = part.address;
  load.piece = static_cast<std::int32_t>(std::min(part.piece, kLongestPiece));
  // SRAM streams when the array can take it; slower tiers run ahead as far as they may.
  load.after[0] = direct ? operands : part.load_after;
  load.after[1] = gate_[static_cast<std::size_t>(die)];
  load.after[2] = part.arrived;
  const std::int32_t loaded = part.bytes > 0 ? add(die, load) : kNoInstruction;

  const std::int32_t operand = dequantise(die, loaded, part.dequantised);
  Instruction mac{.code = OpCode::Mac,
                  .unit = Unit::Mac,
                  .category = TimeCategory::Mac,
                  .precision = precision};
  mac.shapes_begin = shapes_begin;
  mac.shapes_end = static_cast<std::int32_t>(program(die).shapes.size());
  mac.after[0] = {operand, true};
  mac.after[1] = operands;
  mac.after[2] = {std::exchange(crossing_[static_cast<std::size_t>(die)], kNoInstruction), true};
  last(die) = add(die, mac);
  if (loaded == kNoInstruction) return;
  // What is kept goes on from the staging buffer when the array has had it. The fill may move the
  // code: the load is looked up behind it.
  const std::int32_t consumer =
      part.kept > 0 ? fill(die, part.kept_at, part.kept, last(die)) : last(die);
  program(die).code[static_cast<std::size_t>(loaded)].consumer = consumer;
}

/// What streams in from `loaded`, in the format that products take.
std::int32_t Lowering::Writer::dequantise(std::int64_t die, std::int32_t loaded,
                                          std::int64_t elements) {
  if (elements == 0) return loaded;
  Instruction in{.code = OpCode::Vector, .unit = Unit::Vector, .category = TimeCategory::Vector};
  in.vector_op = VectorOp::Dequantise;
  in.amount = elements;
  in.after[0] = {loaded, true};
  return add(die, in);
}

/// Writes weights that came from a tier below into SRAM.
std::int32_t Lowering::Writer::fill(std::int64_t die, std::int64_t address, std::int64_t bytes,
                                    std::int32_t after) {
  Instruction in{.code = OpCode::Store,
                 .unit = Unit::StorePort,
                 .tier = Tier::Sram,
                 .category = TimeCategory::WeightsSram};
  in.amount = bytes;
  in.address = address;
  in.after[0] = after;
  return add(die, in);
}

std::int64_t Lowering::Writer::rows_of(std::int64_t tokens) const {
  const std::int64_t tile = o_.placement_.invariant_rows;
  return tile > 0 ? div_up(tokens, tile) * tile : tokens;
}

void Lowering::Writer::gemm(std::int64_t die, const WeightHome& home, const Matrix& mine,
                            std::span<const GemmShape> shapes) {
  if (mine.elements() <= 0 || shapes.empty()) return;
  if (const auto& kernels = o_.platform_.die.kernels) {
    std::int64_t bytes = 0;
    for (const GemmShape& s : shapes)
      bytes += operands_crossing(*kernels, s, product(mine), o_.llm_.activations).count();
    cross(die, Bytes{bytes}, false);
  }
  load_and_mac(die,
               {.tier = home.tier,
                .address = home.address,
                .bytes = bytes_of(mine.elements(), mine.precision).count(),
                .category = weights_category(home.tier)},
               shapes, product(mine));
}

void Lowering::Writer::gemm(std::int64_t die, const WeightHome& home, const Matrix& mine,
                            std::int64_t rows) {
  if (rows <= 0) return;
  const GemmShape shape{rows_of(rows), mine.k, mine.n, mine.copies};
  gemm(die, home, mine, {&shape, 1});
}

void Lowering::Writer::exchange(const std::shared_ptr<const Exchange>& exchange) {
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

// ---- the walk over the graph ----------------------------------------------------------------

/// At the first operator of a stage's layers the residual stream comes over from the stage before.
void Lowering::Writer::enter_stage(const Operator& op) {
  layer_ = static_cast<std::int16_t>(op.layer);
  if (op.layer < 0) return;
  mixer_ = o_.llm_.layer(op.layer).mixer;
  while (stage_ + 1 < plan_.pipeline && op.layer >= first_layer(o_.llm_, plan_, stage_ + 1)) {
    reduce();
    label_ = kStageLabel;
    const std::int64_t from_stage = stage_++;
    each_replica([&](std::int64_t r, const ReplicaWork& w) {
      const DieGroup from{from_stage * plan_.stage_dies() + r * plan_.tensor, plan_.tensor, 1};
      exchange([&] {
        return o_.collectives_.send(from, replica_group(r),
                                    Bytes{w.tokens * o_.llm_.hidden * op_costs::kPartialSumBytes});
      });
    });
  }
}

void Lowering::Writer::emit(const Operator& op) {
  label_ = label_of(op.kind);
  switch (op.kind) {
    case OperatorKind::Embed:
      return embed();
    case OperatorKind::Norm:
      reduce();
      return token_wise(VectorOp::RmsNorm);
    case OperatorKind::QkvProject:
      return project_in(op);
    case OperatorKind::QueryUp:
      return project(op);
    case OperatorKind::KeyUp:
      return key_up(op);
    case OperatorKind::Rope:
      return rope();
    case OperatorKind::KvAppend:
      return append();
    case OperatorKind::Attend:
      return attend();
    case OperatorKind::ValueUp:
      return value_up(op);
    case OperatorKind::Recur:
      return recur();
    case OperatorKind::Residual:
      reduce();
      return token_wise(VectorOp::Residual);
    case OperatorKind::Router:
      return route(op);
    case OperatorKind::GateUp:
      return project(op);
    case OperatorKind::Activate:
      return activate(op);
    case OperatorKind::OutProject:
    case OperatorKind::Down:
      return project_and_sum(op);
    case OperatorKind::ExpertGateUp:
      return expert_gate_up(op);
    case OperatorKind::ExpertActivate:
      return expert_activate();
    case OperatorKind::ExpertDown:
      return expert_down(op);
    case OperatorKind::Head:
      return head(op);
    case OperatorKind::Sample:
      return sample();
  }
}

/// Sums the partial results that tensor-parallel GEMMs left on the dies of each replica.
void Lowering::Writer::reduce() {
  if (!std::exchange(reduce_pending_, false)) return;
  const std::uint8_t next = std::exchange(label_, partial_label_);
  each_replica([&](std::int64_t r, const ReplicaWork& w) {
    exchange([&] {
      return o_.collectives_.reduce_all(
          replica_group(r), Bytes{w.tokens * o_.llm_.hidden * op_costs::kPartialSumBytes});
    });
  });
  label_ = next;
}

/// Element-wise work on the residual stream. Each die of a replica does its part of the tokens,
/// between the reduce-scatter and the all-gather an all-reduce consists of (sequence parallelism,
/// Korthikanti+ MLSys'23).
void Lowering::Writer::token_wise(VectorOp op) {
  each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
    vector(die, {.op = op,
                 .elements = share(w.tokens * o_.llm_.hidden, plan_.tensor, rank),
                 .row = o_.llm_.hidden});
  });
}

/// Shared experts run on a stream of their own beside the routed ones, whose launches take longer:
/// their bytes and products take their turn, their launches hide.
bool Lowering::Writer::launched_beside(const Operator& op) const {
  const auto& kernels = o_.platform_.die.kernels;
  const bool dense = op.kind == OperatorKind::GateUp || op.kind == OperatorKind::Down;
  return kernels && kernels->shared_beside && dense && o_.llm_.layer_is_moe(op.layer);
}

void Lowering::Writer::project(const Operator& op) {
  each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
    const Matrix mine = shard(op.weight, plan_.tensor, rank);
    if (!launched_beside(op)) begin_product(die, KernelKind::Product, mine);
    gemm(die, home(op), mine, w.tokens);
    adapt(die, op, rank, w);
  });
}

void Lowering::Writer::project_and_sum(const Operator& op) {
  project(op);
  partial_label_ = label_;
  reduce_pending_ = plan_.tensor > 1;
}

/// The table is cut by columns: every die reads its part of each token's row, then all gather.
void Lowering::Writer::embed() {
  const LlmSpec& llm = o_.llm_;
  const WeightHome& table = o_.placement_.embedding;
  each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
    begin_kernel(die);
    const std::int64_t row = bytes_of(share(llm.hidden, plan_.tensor, rank), llm.embedding).count();
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
    exchange([&] {
      return o_.collectives_.gather_all(replica_group(r),
                                        Bytes{w.tokens * llm.hidden * op_costs::kPartialSumBytes});
    });
  });
}

void Lowering::Writer::head(const Operator& op) {
  each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
    if (w.emitted == 0) return;
    const Matrix mine = shard(op.weight, plan_.tensor, rank);
    begin_product(die, KernelKind::Product, mine);
    gemm(die, o_.placement_.head, mine, w.emitted);
  });
}

void Lowering::Writer::sample() {
  each_die([&](std::int64_t die, auto, std::int64_t rank, const ReplicaWork& w) {
    const std::int64_t mine = share(o_.llm_.vocabulary, plan_.tensor, rank);
    vector(die, {.op = VectorOp::Sample, .elements = w.emitted * mine, .row = mine});
  });
  each_replica([&](std::int64_t r, const ReplicaWork& w) {
    if (w.emitted > 0)
      exchange([&] {
        return o_.collectives_.gather_all(
            replica_group(r), Bytes{w.emitted * plan_.tensor * op_costs::kCandidateBytes});
      });
  });
}

Lowering::Lowering(const PlatformSpec& platform, const LlmSpec& llm, const Placement& placement,
                   const ExpertRouter* router, OpGraph graph)
    : platform_{platform},
      llm_{llm},
      placement_{placement},
      router_{router},
      graph_{std::move(graph)},
      collectives_{platform, placement.rank_order} {
  if (router != nullptr) expert_bytes_ = expert_bytes(llm, placement.plan, *router);
  if (placement.expert_cache == ExpertCachePolicy::Static || router == nullptr) return;
  caches_.resize(placement.cached.size());
  for (std::size_t layer = 0; layer < caches_.size(); ++layer)
    for (const auto& held : placement.cached[layer])
      caches_[layer].emplace_back(placement.expert_cache, llm.moe->experts, held);
  if (placement.expert_prefetch == ExpertPrefetch::PreviousLayer)
    predictor_.emplace(llm.layer_count(), llm.moe->experts, llm.moe->top_k);
}

Lowering::~Lowering() = default;

void Lowering::lower(const StepLoad& load, StepPrograms& out) {
  out.dies.resize(static_cast<std::size_t>(dies(platform_)));
  out.clear();
  Writer writer{*this, out};
  for (const KvMove& move : load.moves) writer.move(move, true);
  for (const std::uint32_t adapter : load.adapters_in) writer.bring(adapter, true);
  each_microbatch(load, [&](auto sequences) { writer.write(sequences); });
  for (const KvMove& move : load.moves) writer.move(move, false);
  for (const std::uint32_t adapter : load.adapters_in) writer.bring(adapter, false);
}

ExpertTraffic Lowering::pass(const StepLoad& load) {
  StepPrograms nothing;
  if (caches_.empty()) return {};
  Writer writer{*this, nothing};
  each_microbatch(load, [&](auto sequences) { writer.pass(sequences); });
  return nothing.experts;
}

}  // namespace reticle
