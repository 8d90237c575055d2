// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping/adapter_room.hpp"

#include <algorithm>

namespace reticle {

namespace {

AdapterRoom::OfRank of_rank(const LlmSpec& llm, const ParallelPlan& plan, const AdapterSpec& spec,
                            std::int64_t rank) {
  AdapterRoom::OfRank out;
  out.bytes.resize(static_cast<std::size_t>(plan.pipeline * plan.tensor));
  for (std::int64_t stage = 0; stage < plan.pipeline; ++stage)
    for (auto layer = first_layer(llm, plan, stage); layer < first_layer(llm, plan, stage + 1);
         ++layer)
      for (const Matrix& matrix : matrices_of(llm, layer)) {
        const auto pair = adapter_pair(llm, layer, matrix, spec, rank);
        if (!pair) continue;
        for (std::int64_t die = 0; die < plan.tensor; ++die)
          for (const Matrix& one : {pair->a, pair->b}) {
            const std::int64_t elements = shard(one, plan.tensor, die).elements();
            out.elements += elements;
            out.bytes[static_cast<std::size_t>(stage * plan.tensor + die)] +=
                bytes_of(elements, spec.format).count();
          }
      }
  return out;
}

}  // namespace

std::int64_t AdapterRoom::slot_bytes(std::int64_t stage) const {
  std::int64_t most = 0;
  for (const OfRank& rank : ranks)
    for (std::int64_t die = 0; die < stage_dies; ++die)
      most = std::max(most, rank.bytes[static_cast<std::size_t>(stage * stage_dies + die)]);
  return most;
}

std::int64_t AdapterRoom::all_bytes(std::int64_t stage) const {
  std::int64_t most = 0;
  for (std::int64_t die = 0; die < stage_dies; ++die) {
    std::int64_t sum = 0;
    for (std::int64_t r = 0; r < std::ssize(ranks); ++r)
      sum += div_up(spec.adapters - r, std::ssize(ranks)) *
             ranks[static_cast<std::size_t>(r)]
                 .bytes[static_cast<std::size_t>(stage * stage_dies + die)];
    most = std::max(most, sum);
  }
  return most;
}

Bytes AdapterRoom::replica_bytes(std::size_t rank) const {
  Bytes sum{};
  for (const std::int64_t bytes : ranks[rank].bytes) sum += Bytes{bytes};
  return sum;
}

AdapterRoom adapter_room(const LlmSpec& llm, const ParallelPlan& plan, const AdapterSpec& spec) {
  AdapterRoom room{.spec = spec, .ranks = {}, .stage_dies = plan.tensor};
  for (const std::int64_t rank : spec.ranks) room.ranks.push_back(of_rank(llm, plan, spec, rank));
  return room;
}

}  // namespace reticle
