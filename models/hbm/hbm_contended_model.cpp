// SPDX-License-Identifier: Apache-2.0
#include "models/hbm/hbm_contended_model.hpp"

namespace reticle {

HbmContendedModel::HbmContendedModel(const HbmParams& params)
    : params_{params}, bursts_{params_}, queue_{std::make_unique<HbmRunQueue>(params_, bursts_)} {}

Picoseconds HbmContendedModel::time_of(HbmTick tick) const {
  return Picoseconds{div_up(tick * params_.timing.t_ck.count(), 2)};
}

HbmTick HbmContendedModel::tick_at(Picoseconds at) const {
  const std::int64_t clock = params_.timing.t_ck.count();
  return (at.count() * 2 + clock / 2) / clock;  // the nearest: times are rounded to picoseconds
}

/// Goes on until all that was asked up to `until` is handed over.
void HbmContendedModel::settle(HbmTick until) {
  if (foreseen_ && foreseen_->now() <= until) queue_ = std::move(foreseen_);
  queue_->settle(until);
  for (const HbmRunQueue::End& end : queue_->ends()) told(end.requester).ended(end.at);
  queue_->ends().clear();
}

HbmToldEnds& HbmContendedModel::told(std::uint8_t requester) {
  if (requester >= told_.size()) told_.resize(std::size_t{requester} + 1);
  return told_[requester];
}

AccessTiming HbmContendedModel::contend(const MemoryRun& run, Picoseconds at) {
  const HbmTick tick = tick_at(at);
  settle(tick);
  const auto follows = told(run.requester).take(tick);
  const HbmRunQueue::Id id =
      !follows         ? queue_->ask(run, tick)
      : follows->ended ? queue_->ask(run, std::max(tick, *follows->ended + follows->later))
                       : queue_->ask_after_end(run, tick, follows->later);
  settle(tick);
  foreseen_ = std::make_unique<HbmRunQueue>(*queue_);
  foreseen_->finish(id);
  const HbmRunQueue::Request& seen = foreseen_->request(id);
  told(run.requester).told(seen.end);
  AccessTiming timing;
  timing.accepted = timing.started = max(at, time_of(seen.accepted));
  timing.done = max(timing.started, time_of(seen.end));
  timing.first_data = max(timing.started, time_of(std::min(seen.first_data, seen.end)));
  return timing;
}

HbmContendedModel::Turn HbmContendedModel::turn_of(const MemoryRun& run, Picoseconds at) {
  const HbmTick tick = tick_at(at);
  settle(tick);
  HbmTick heard = tick;
  if (const auto follows = told(run.requester).take(tick)) {
    const HbmTick ended = follows->ended ? *follows->ended : queue_->go_on_to_end(run.requester);
    heard = std::max(tick, ended + follows->later);
    settle(heard);
  }
  foreseen_.reset();
  const HbmTiming& t = params_.timing;
  const bool read = run.kind == Access::Read;
  const Picoseconds to_data = t.t_rp + (read ? t.t_rcd_rd + t.t_cl : t.t_rcd_wr + t.t_cwl);
  // Those that waited before still do if this direction has not run dry meanwhile.
  const HbmControllerParams& queues = params_.controller;
  const std::int64_t dry = read ? 0 : queues.write_queue * queues.write_low_percent / 100;
  const HbmController& controller = queue_->controller();
  others_wait_ = controller.full(read ? Access::Write : Access::Read) ||
                 (others_wait_ && controller.queued(run.kind) > dry);
  const Picoseconds free = time_of(queue_->serve());
  return {.at = max(max(at, time_of(heard)), free - to_data), .others_wait = others_wait_};
}

AccessTiming HbmContendedModel::stream(const MemoryRun& run, Picoseconds at, Turn turn) {
  if (!streams_) streams_.emplace(params_);
  MemoryRun whole = run;
  whole.posted = false;
  AccessTiming timing = streams_->access(whole, turn.at, turn.others_wait);
  ahead_ = {.run = whole, .done = timing.done};
  timing.accepted = max(at, timing.accepted);
  if (run.posted && run.kind == Access::Write) {
    const Picoseconds queued = params_.controller.write_queue * params_.timing.t_burst;
    timing.done = max(timing.first_data, timing.done - queued);
  }
  return timing;
}

AccessTiming HbmContendedModel::access(const MemoryRun& run, Picoseconds at) {
  if (run.bytes.count() <= 0) return {at, at, at, at};
  ++asked_.transactions;
  (run.kind == Access::Read ? asked_.read : asked_.written) += run.bytes;
  if (run.kind != last_) others_wait_ = false;
  last_ = run.kind;
  const bool streams = run.bytes >= params_.commands_below;
  AccessTiming timing;
  if (streams && ahead_ && queue_->idle()) {
    timing = stream(run, at, {.at = at});
  } else {
    if (ahead_) {
      queue_->take_over(ahead_->run, tick_at(ahead_->done));
      ahead_.reset();
    }
    timing = streams ? stream(run, at, turn_of(run, at)) : contend(run, at);
  }
  const std::int64_t bursts = bursts_.count(run);
  (run.kind == Access::Read ? asked_.read_bursts : asked_.written_bursts) += bursts;
  asked_.busy += bursts * params_.timing.t_burst;
  asked_.waited += max(Picoseconds{}, timing.first_data - at - params_.timing.t_cl);
  return timing;
}

/// Bursts as asked, refreshes as the queue counts them, which goes on beside the long runs.
MemoryStats HbmContendedModel::stats() const {
  MemoryStats stats = asked_;
  HbmRunQueue end{*queue_};
  if (ahead_) end.take_over(ahead_->run, tick_at(ahead_->done));
  end.drain();
  add_counts(stats, end.controller(), end.now(), params_.timing.t_ck);
  stats.read_bursts = asked_.read_bursts;
  stats.written_bursts = asked_.written_bursts;
  if (!streams_) return stats;
  const MemoryStats long_runs = streams_->stats();
  stats.activates += long_runs.activates;
  stats.bank_active_ns += long_runs.bank_active_ns;
  stats.row_hits += long_runs.row_hits;
  stats.turnarounds += long_runs.turnarounds;
  return stats;
}

}  // namespace reticle
