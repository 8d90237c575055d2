// SPDX-License-Identifier: Apache-2.0
// What low-rank adapters write: their products beside the model's, and their way in.
#include <algorithm>
#include <map>

#include "sim/mapping/lowering_writer.hpp"

namespace reticle {

std::vector<AdapterGroup> group_adapters(const AdapterSpec& spec,
                                         std::span<const SequenceWork> sequences,
                                         std::int32_t replica) {
  std::map<std::uint32_t, std::int64_t> tokens;
  for (const SequenceWork& s : sequences)
    if (s.replica == replica && s.adapter) tokens[*s.adapter] += s.new_tokens;
  std::vector<AdapterGroup> groups;
  for (const auto& [adapter, count] : tokens) {
    const std::int64_t rank = spec.rank_of(adapter);
    const auto alike = std::ranges::find_if(
        groups, [&, n = count](const AdapterGroup& g) { return g.rank == rank && g.tokens == n; });
    if (alike != groups.end())
      ++alike->adapters;
    else
      groups.push_back({rank, count, 1});
  }
  return groups;
}

/// The tokens of all adapters by their A in one kernel, and what that gives by their B in another
/// (SGMV) [Chen+ 2023]; the sum grows in place, so that all-reduces see it as part of the base's.
void Lowering::Writer::adapt(std::int64_t die, const Operator& op, std::int64_t rank,
                             const ReplicaWork& w) {
  if (w.adapters.empty()) return;
  const AdapterSpec& spec = o_.placement_.adapters->spec;
  if (!adapter_pair(o_.llm_, op.layer, op.weight, spec, 1)) return;
  for (const bool into : {true, false}) {
    begin_kernel(die);
    const std::int32_t operands = last(die);
    for (const AdapterGroup& group : w.adapters) {
      const AdapterPair pair = *adapter_pair(o_.llm_, op.layer, op.weight, spec, group.rank);
      stream_adapters(die, {group, shard(into ? pair.a : pair.b, plan_.tensor, rank), into},
                      operands);
    }
  }
}

/// Tiles of whole matrices, or of equal parts of one where it is larger than a tile.
void Lowering::Writer::stream_adapters(std::int64_t die, const LowRank& work,
                                       std::int32_t operands) {
  const Matrix& m = work.mine;
  if (m.elements() == 0) return;
  const Tier tier = o_.placement_.kv.tier;
  const std::int64_t each = bytes_of(m.elements(), m.precision).count();
  const bool direct = tier == Tier::Sram;
  const std::int64_t parts = direct ? 1 : div_up(each, tile_);
  const std::int64_t at_once =
      direct ? work.group.adapters : std::max<std::int64_t>(1, tile_ / each);
  for (std::int64_t first = 0; first < work.group.adapters; first += at_once) {
    const std::int64_t count = std::min(at_once, work.group.adapters - first);
    for (std::int64_t part = 0; part < parts; ++part) {
      auto& shapes = program(die).shapes;
      const auto begin = static_cast<std::int32_t>(shapes.size());
      shapes.push_back({rows_of(work.group.tokens), work.into ? share(m.k, parts, part) : m.k,
                        work.into ? m.n : share(m.n, parts, part), count});
      load_and_mac_tile(die,
                        {.tier = tier,
                         .bytes = share(count * each, parts, part),
                         .piece = each,
                         .category = weights_category(tier)},
                        begin, product(m), operands);
    }
  }
}

/// As a move of keys and values, from behind the host link into a slot.
void Lowering::Writer::bring(std::uint32_t adapter, bool begins) {
  const AdapterRoom& room = *o_.placement_.adapters;
  const auto& bytes = room.ranks[room.spec.rank_index(adapter)].bytes;
  layer_ = -1;
  label_ = kAdapterLabel;
  for (std::int64_t stage = 0; stage < plan_.pipeline; ++stage)
    for (std::int64_t in_stage = 0; in_stage < plan_.stage_dies(); ++in_stage) {
      const std::int64_t mine =
          bytes[static_cast<std::size_t>(stage * plan_.tensor + in_stage % plan_.tensor)];
      copy(stage * plan_.stage_dies() + in_stage,
           {.from = Tier::Far,
            .to = o_.placement_.kv.tier,
            .bytes = mine,
            .piece = mine,
            .category = TimeCategory::AdapterMove},
           begins);
    }
}

}  // namespace reticle
