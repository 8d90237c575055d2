// SPDX-License-Identifier: Apache-2.0
// Keys and values that change tier while a step runs.
#include <algorithm>
#include <utility>

#include "sim/mapping/lowering_writer.hpp"
#include "workloads/llm/attended.hpp"

namespace reticle {

namespace {

/// What each stage has of bytes of a replica's cache: as much as of a page, evenly where there are
/// no pages.
std::vector<std::int64_t> by_stage(const KvRoom& kv, std::int64_t bytes) {
  std::int64_t pages = 0;
  for (const CacheStage& stage : kv.stages) pages += stage.page;
  std::vector<std::int64_t> shares;
  std::int64_t seen = 0, given = 0;
  for (const CacheStage& stage : kv.stages) {
    seen += pages > 0 ? stage.page : 1;
    const std::int64_t all = pages > 0 ? pages : std::ssize(kv.stages);
    const std::int64_t until =
        seen == all ? bytes : mul_div_up(bytes, seen, all);  // the last takes the rest
    shares.push_back(until - std::exchange(given, until));
  }
  return shares;
}

}  // namespace

/// A page of one layer is one piece: pages of a sequence lie scattered.
std::int64_t Lowering::Writer::page_piece(std::int64_t stage) const {
  const std::int64_t page = o_.placement_.kv.stages[static_cast<std::size_t>(stage)].page;
  std::int64_t layers = 0;
  for (auto l = first_layer(o_.llm_, plan_, stage); l < first_layer(o_.llm_, plan_, stage + 1); ++l)
    if (const Mixer* m = o_.llm_.mixer_of(l)) layers += cache_elements(*m) > 0;
  return page / std::max<std::int64_t>(1, layers);
}

/// Reads stand first in the program, writes of what leaves behind them: pages are free to be used
/// again by this step. What comes is written when the die has computed: nothing in the step reads
/// it, and a memory serves in call order, so that an early call for a late time would keep weights
/// waiting.
void Lowering::Writer::move(const KvMove& move, bool begins) {
  const KvRoom& kv = o_.placement_.kv;
  const auto shares = by_stage(kv, move.bytes.count());
  layer_ = -1;
  label_ = kKvMoveLabel;
  for (std::int64_t stage = 0; stage < plan_.pipeline; ++stage)
    for (std::int64_t rank = 0; rank < plan_.tensor; ++rank)
      copy(stage * plan_.stage_dies() + move.replica * plan_.tensor + rank,
           {.from = tier_of(kv.tier, move.from),
            .to = tier_of(kv.tier, move.to),
            .bytes = share(shares[static_cast<std::size_t>(stage)], plan_.tensor, rank),
            .piece = page_piece(stage)},
           begins);
}

void Lowering::Writer::copy(std::int64_t die, const Copied& c, bool begins) {
  if (c.bytes == 0) return;
  auto& waiting = arriving_[static_cast<std::size_t>(die)];
  const std::int64_t tiles = div_up(c.bytes, tile_);
  for (std::int64_t t = 0; t < tiles; ++t) {
    const bool leaves = c.to == Tier::Far || c.to == Tier::Flash;
    if (begins) {
      const std::int32_t read = add(die, transfer(OpCode::Load, c.from, c, tiles, t));
      if (leaves)
        add_after(die, transfer(OpCode::Store, c.to, c, tiles, t), read);
      else
        waiting.push_back(read);
    } else if (!leaves) {
      Instruction write = transfer(OpCode::Store, c.to, c, tiles, t);
      write.after[1] = last(die);
      add_after(die, write, waiting.front());
      waiting.pop_front();
    }
  }
}

Instruction Lowering::Writer::transfer(OpCode code, Tier tier, const Copied& c, std::int64_t tiles,
                                       std::int64_t t) const {
  Instruction in{.code = code,
                 .unit = code == OpCode::Load ? port_of(tier) : Unit::StorePort,
                 .tier = tier,
                 .category = c.category};
  in.amount = share(c.bytes, tiles, t);
  // A drive gets whole prefix blocks, megabytes of a die, each as one piece: storage layers lay
  // them out so, as sectors are larger than a page of one layer. [SGLang HiCache design,
  // "page_first" layout]
  if (tier != Tier::Flash) in.piece = static_cast<std::int32_t>(std::min(c.piece, kLongestPiece));
  return in;
}

void Lowering::Writer::add_after(std::int64_t die, Instruction in, std::int32_t before) {
  in.after[0] = before;
  add(die, in);
}

}  // namespace reticle
