// SPDX-License-Identifier: Apache-2.0
#include "models/hbm/hbm_memory.hpp"

#include <algorithm>
#include <limits>

#include "models/hbm/hbm_channel.hpp"
#include "models/hbm/hbm_contended_channel.hpp"
#include "models/hbm/hbm_cycle_channel.hpp"
#include "sim/base/error.hpp"

namespace reticle {

namespace {
std::unique_ptr<MemoryIf> make_channel(const std::string& name, const HbmParams& params,
                                       const std::shared_ptr<HbmHistory>& history) {
  if (params.form == ModelForm::Cycle)
    return std::make_unique<HbmCycleChannel>(name.c_str(), params);
  if (params.commands_below.count() > 0)
    return std::make_unique<HbmContendedChannel>(name.c_str(), params);
  return std::make_unique<HbmChannel>(name.c_str(), params, history);
}
}  // namespace

HbmHistories hbm_histories(const HbmParams& params) {
  HbmHistories histories;
  if (params.form == ModelForm::Transaction && params.commands_below.count() == 0)
    for (std::int64_t i = 0; i < params.simulated_channels; ++i)
      histories.push_back(std::make_shared<HbmHistory>(params));
  return histories;
}

HbmMemory::HbmMemory(const sc_core::sc_module_name& name, const HbmParams& params,
                     const HbmHistories& histories)
    : sc_module{name},
      params_{params},
      lockstep_{reticle::channels(params) / params.simulated_channels} {
  invariant(lockstep_ * params.simulated_channels == reticle::channels(params),
            "simulated channels divide the channels");
  for (std::size_t i = 0; i < static_cast<std::size_t>(params.simulated_channels); ++i)
    channels_.push_back(make_channel("channel" + std::to_string(i), params,
                                     i < histories.size() ? histories[i] : nullptr));
  port.bind(*this);
}

MemoryRun HbmMemory::share_of(const MemoryRun& run, std::int64_t first) const {
  const std::int64_t all = reticle::channels(params_);
  const std::int64_t stripe = params_.interleave.count();
  MemoryRun share = run;
  share.address = share.bytes = share.piece = {};
  if (run.piece.count() > 0 && run.piece < run.bytes) {
    // Scattered pieces: each covers ceil(piece / stripe) channels, spread evenly over all of them.
    const std::int64_t piece = run.piece.count();
    const std::int64_t pieces = div_up(run.bytes.count(), piece);
    const std::int64_t local = piece >= all * stripe ? div_up(piece, all) : std::min(piece, stripe);
    const std::int64_t parts = piece >= all * stripe ? pieces * all : pieces * div_up(piece, local);
    share.piece = Bytes{local};
    share.bytes = Bytes{div_up(parts, all) * local};
    share.address = Bytes{run.address.count() / all};
    return share;
  }
  const std::int64_t begin = run.address.count() / stripe;
  const std::int64_t stripes = div_up(run.address.count() % stripe + run.bytes.count(), stripe);
  // Stripes go to channels begin % all, +1, ...; count those of the group's busiest channel.
  const std::int64_t skip = (first - begin % all + all) % all;  // stripes before the group's turn
  const std::int64_t lead = begin % all >= first && begin % all < first + lockstep_ ? 0 : skip;
  const std::int64_t mine = stripes > lead ? div_up(stripes - lead, all) : 0;
  share.bytes = Bytes{std::min(mine * stripe, run.bytes.count())};
  share.address = Bytes{begin / all * stripe};
  return share;
}

/// A share may be larger than what one channel was asked for; on the buses is what the run covers.
std::int64_t HbmMemory::bursts_of(const MemoryRun& run) const {
  const std::int64_t burst = params_.burst.count();
  if (run.piece.count() <= 0 || run.piece >= run.bytes)
    return div_up(run.address.count() % burst + run.bytes.count(), burst);
  return div_up(run.bytes.count(), run.piece.count()) * div_up(run.piece.count(), burst);
}

AccessTiming HbmMemory::access(const MemoryRun& run, Picoseconds at) {
  AccessTiming timing{at, at, at, at};
  if (run.bytes.count() <= 0) return timing;
  ++asked_.transactions;
  (run.kind == Access::Read ? asked_.read_bursts : asked_.written_bursts) += bursts_of(run);
  (run.kind == Access::Read ? asked_.read : asked_.written) += run.bytes;
  timing.started = timing.first_data = Picoseconds{std::numeric_limits<std::int64_t>::max()};
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    const MemoryRun share = share_of(run, static_cast<std::int64_t>(i) * lockstep_);
    if (share.bytes.count() == 0) continue;
    const AccessTiming part = channels_[i]->access(share, at);
    timing.accepted = max(timing.accepted, part.accepted);
    timing.started = min(timing.started, part.started);
    timing.first_data = min(timing.first_data, part.first_data);
    timing.done = max(timing.done, part.done);
  }
  timing.started = max(timing.started, timing.accepted);
  timing.first_data = max(timing.first_data, timing.started);
  return timing;
}

MemoryStats HbmMemory::stats() const {
  MemoryStats total = asked_;
  for (const auto& channel : channels_) {
    const MemoryStats part = channel->stats();
    total.activates += part.activates * lockstep_;
    total.bank_active_ns += part.bank_active_ns * lockstep_;
    total.bank_refreshes += part.bank_refreshes * lockstep_;
    total.row_hits += part.row_hits * lockstep_;
    total.refreshes += part.refreshes * lockstep_;
    total.turnarounds += part.turnarounds * lockstep_;
    total.busy += part.busy * lockstep_;
    total.waited += part.waited;
  }
  return total;
}

}  // namespace reticle
