// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/silicon_executor.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "models/kernel/time.hpp"
#include "sim/engine/critical_path.hpp"
#include "sim/engine/step_anatomy.hpp"

namespace reticle {

/// Ever fewer of them, so that it costs nothing and the last one is of the run's second half.
StepAnatomy* SiliconExecutor::to_take_apart(const StepLoad& load) {
  if (!takes_apart_) return nullptr;
  StepAnatomy fresh;
  for (const SequenceWork& s : load.sequences)
    s.decodes() ? ++fresh.decodes : fresh.prompt_tokens += s.new_tokens;
  const std::size_t kind = fresh.prompt_tokens > 0 ? 1 : 0;
  fresh.simulated = ++simulations_[kind];
  if (!std::has_single_bit(static_cast<std::uint64_t>(fresh.simulated))) return nullptr;
  anatomy_[kind] = std::move(fresh);
  return &anatomy_[kind];
}

StepOutcome SiliconExecutor::execute(const StepLoad& load) {
  const Picoseconds host = host_.step + std::ssize(load.sequences) * host_.stream;
  sc_core::wait(to_sc_time(host));
  const Picoseconds begun = now();
  lowering_.lower(load, programs_);
  deployment_.fabric().observe(observer_ != nullptr ? &links_ : nullptr);
  deployment_.start(programs_);
  if (!deployment_.finished()) sc_core::wait(deployment_.all_finished());
  sc_core::wait(to_sc_time(max(Picoseconds{0}, deployment_.end() - now())));

  StepOutcome outcome;
  outcome.duration = host + now() - begun;
  simulated_ += outcome.duration;
  if (StepAnatomy* anatomy = to_take_apart(load)) {
    PathByLabel path{};
    outcome.breakdown = critical_path(deployment_, programs_, begun, &path);
    path[kHostLabel][static_cast<std::size_t>(TimeCategory::Launch)] += host;
    anatomy->took = outcome.duration;
    anatomy->operators = reticle::take_apart(deployment_, programs_, path);
  } else {
    outcome.breakdown = critical_path(deployment_, programs_, begun);
  }
  outcome.breakdown[static_cast<std::size_t>(TimeCategory::Launch)] += host;
  outcome.counts = deployment_.take_counts();
  outcome.roofline = roofline(platform_, totals_of(outcome.counts, placement_.kv, load.moves),
                              in_turn(placement_.plan, load.sequences.size()));
  outcome.picks = programs_.picks;
  outcome.dropped_picks = programs_.dropped_picks;
  outcome.experts = programs_.experts;
  if (observer_ != nullptr) {
    observer_->ran({.instance = instance_,
                    .deployment = deployment_,
                    .platform = platform_,
                    .programs = programs_,
                    .host_from = begun - host,
                    .begun = begun,
                    .ended = now(),
                    .outcome = outcome,
                    .links = links_.uses()});
    links_.clear();
  }
  return outcome;
}

namespace {
/// The time is that of what binds; a tier's is shared by what it moves, by bytes.
void charge(StepOutcome& outcome, const StepTotals& totals) {
  const auto part = [&](TimeCategory c) -> Picoseconds& {
    return outcome.breakdown[static_cast<std::size_t>(c)];
  };
  const auto limit = outcome.roofline.limit;
  if (limit == RooflineLimit::Mac || limit == RooflineLimit::Vector) {
    part(limit == RooflineLimit::Mac ? TimeCategory::Mac : TimeCategory::Vector) = outcome.duration;
    return;
  }
  const auto tier = static_cast<std::size_t>(limit);
  const std::int64_t weights = totals.weights[tier].count(), kv = totals.kv[tier].count();
  const std::int64_t moves = (totals.moved_out[tier] + totals.moved_in[tier]).count();
  const std::int64_t all = std::max<std::int64_t>(1, weights + kv + moves);
  const auto share = [&](std::int64_t bytes) {
    return Picoseconds{mul_div_up(outcome.duration.count(), bytes, all)};
  };
  part(TimeCategory::Kv) = share(kv);
  part(TimeCategory::KvMove) = tier < kWeightCategories.size()
                                   ? min(share(moves), outcome.duration - share(kv))
                                   : outcome.duration - share(kv);  // flash holds no weights
  if (tier < kWeightCategories.size())
    part(kWeightCategories[tier]) =
        outcome.duration - part(TimeCategory::Kv) - part(TimeCategory::KvMove);
}
}  // namespace

StepOutcome RooflineExecutor::execute(const StepLoad& load) {
  const StepTally tally = lowering_.tally(load);
  const StepTotals& totals = tally.totals;
  StepOutcome outcome;
  outcome.roofline = roofline(platform_, totals, in_turn(placement_.plan, load.sequences.size()));
  outcome.duration = outcome.roofline.duration;
  outcome.picks = tally.picks;
  outcome.dropped_picks = tally.dropped_picks;
  outcome.experts = tally.experts;
  charge(outcome, totals);
  EventCounts& counts = outcome.counts;
  for (std::size_t t = 0; t < kTierCount; ++t) {
    counts.read[t] = totals.weights[t] + totals.kv[t] + totals.moved_out[t];
    counts.written[t] = totals.moved_in[t];
    counts.loaded[static_cast<std::size_t>(TimeCategory::Kv)] += totals.kv[t];
    counts.loaded[static_cast<std::size_t>(TimeCategory::KvMove)] += totals.moved_out[t];
  }
  counts.loaded[static_cast<std::size_t>(TimeCategory::KvMove)] -= totals.adapters_in;
  counts.loaded[static_cast<std::size_t>(TimeCategory::AdapterMove)] = totals.adapters_in;
  for (std::size_t t = 0; t < kWeightCategories.size(); ++t)
    counts.loaded[static_cast<std::size_t>(kWeightCategories[t])] += totals.weights[t];
  counts.loaded[static_cast<std::size_t>(TimeCategory::Mac)] = totals.operands;
  counts.read[static_cast<std::size_t>(Tier::Sram)] += totals.operands;
  // Whole bursts, every row used in full.
  if (const auto& hbm = platform_.die.hbm) {
    const std::int64_t bytes = counts.read[static_cast<std::size_t>(Tier::Hbm)].count();
    counts.hbm_read_bursts = div_up(bytes, hbm->burst.count());
    counts.hbm_activates = div_up(bytes, hbm->row.count());
  }
  counts.macs = totals.macs;
  counts.vector_ops = totals.vector_ops;
  counts.link_bytes.resize(platform_.fabric.levels.size());
  counts.link_busy.resize(platform_.fabric.levels.size());
  sc_core::wait(to_sc_time(outcome.duration));
  return outcome;
}

}  // namespace reticle
