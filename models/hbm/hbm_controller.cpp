// SPDX-License-Identifier: Apache-2.0
#include "models/hbm/hbm_controller.hpp"

#include <algorithm>
#include <bit>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
/// Refreshes a controller may owe before it must do them [JESD235D, JESD238: up to eight].
constexpr std::int64_t kMostPostponed = 8;

template <class Visit>
void for_each_bit(std::uint64_t bits, Visit visit) {
  for (; bits != 0; bits &= bits - 1) visit(static_cast<std::size_t>(std::countr_zero(bits)));
}
}  // namespace

HbmController::HbmController(const HbmParams& params, std::int64_t pseudo_channels)
    : params_{params.controller},
      refresh_{params.refresh},
      half_clock_rows_{params.precharge_half_clocks == 1},
      banks_per_channel_{static_cast<std::size_t>(reticle::banks(params))},
      read_data_{ticks_of(params.timing.t_cl, params.timing.t_ck) +
                 ticks_of(params.timing.t_burst, params.timing.t_ck)},
      write_data_{ticks_of(params.timing.t_cwl, params.timing.t_ck) +
                  ticks_of(params.timing.t_burst, params.timing.t_ck)},
      refresh_interval_{ticks_of(params.timing.t_refi, params.timing.t_ck) /
                        (refresh_ == RefreshMode::PerBank ? reticle::banks(params) : 1)},
      timing_{params, pseudo_channels},
      banks_(static_cast<std::size_t>(pseudo_channels) * banks_per_channel_),
      channels_(static_cast<std::size_t>(pseudo_channels)),
      limits_{params_.read_queue, params_.write_queue},
      drain_above_{params_.write_queue * params_.write_high_percent / 100},
      drain_below_{
          std::max<std::int64_t>(1, div_up(params_.write_queue * params_.write_low_percent, 100))} {
  invariant(banks_per_channel_ >= 1 && banks_per_channel_ <= 64, "banks of a pseudo-channel");
  // A burst keeps its entry while it waits for the row it opened.
  const auto entries = static_cast<std::size_t>(limits_[0] + limits_[1]) + banks_.size();
  invariant(entries < static_cast<std::size_t>(std::numeric_limits<Index>::max()), "queue entries");
  bursts_.resize(entries);
  for (std::size_t i = entries; i-- > 0;) free_.push_back(static_cast<Index>(i));
  for (Channel& channel : channels_)
    if (refresh_ != RefreshMode::Off) channel.refresh_due = refresh_interval_;
  if (refresh_ != RefreshMode::Off) next_ = refresh_interval_;
}

void HbmController::append(List& list, Index burst) {
  Burst& added = bursts_[static_cast<std::size_t>(burst)];
  added.previous = list.tail;
  added.next = kNone;
  (list.tail == kNone ? list.head : bursts_[static_cast<std::size_t>(list.tail)].next) = burst;
  list.tail = burst;
}

void HbmController::remove(List& list, Index burst) {
  const Burst& gone = bursts_[static_cast<std::size_t>(burst)];
  (gone.previous == kNone ? list.head : bursts_[static_cast<std::size_t>(gone.previous)].next) =
      gone.next;
  (gone.next == kNone ? list.tail : bursts_[static_cast<std::size_t>(gone.next)].previous) =
      gone.previous;
}

/// A read of what a queued write is about to store is answered from the queue.
bool HbmController::forwarded(const Bank& bank, const HbmPlace& place) const {
  const auto same = [&](Index i) {
    const HbmPlace& other = bursts_[static_cast<std::size_t>(i)].place;
    return other.row == place.row && other.column == place.column;
  };
  const bool writes =
      bank.opener != kNone && bursts_[static_cast<std::size_t>(bank.opener)].kind == Access::Write;
  if (writes && same(bank.opener)) return true;
  for (Index i = bank.queue[1].head; i != kNone; i = bursts_[static_cast<std::size_t>(i)].next)
    if (same(i)) return true;
  return false;
}

void HbmController::push(Access kind, std::int64_t pseudo_channel, const HbmPlace& place,
                         std::uint32_t tag, HbmTick now) {
  const std::size_t index = static_cast<std::size_t>(pseudo_channel) * banks_per_channel_ +
                            static_cast<std::size_t>(place.bank);
  Bank& bank = banks_[index];
  if (kind == Access::Read && forwarded(bank, place)) {
    completed_.push_back({now, now + 1, tag});
    return;
  }
  invariant(!full(kind), "a burst for a full queue");
  const Index entry = free_.back();
  free_.pop_back();
  bursts_[static_cast<std::size_t>(entry)] = {.arrival = now,
                                              .order = order_++,
                                              .tag = tag,
                                              .place = place,
                                              .kind = kind,
                                              .previous = kNone,
                                              .next = kNone};
  append(bank.queue[side(kind)], entry);
  ++sizes_[side(kind)];
  next_ = std::min(next_, now);
  review(index);
}

/// Finds again what `index` has to offer, after its queue, its row or the direction changed.
void HbmController::review(std::size_t index) {
  Bank& bank = banks_[index];
  Channel& channel = channel_of(index);
  const std::uint64_t mask = bit(index);
  bank.hit = bank.miss = kNone;
  for (Index i = bank.queue[writing_].head; i != kNone && (bank.hit == kNone || bank.miss == kNone);
       i = bursts_[static_cast<std::size_t>(i)].next) {
    Index& found =
        bursts_[static_cast<std::size_t>(i)].place.row == bank.row ? bank.hit : bank.miss;
    if (found == kNone) found = i;
  }
  const auto put = [mask](std::uint64_t& bits, bool on) { bits = on ? bits | mask : bits & ~mask; };
  const Burst* hit = bank.hit == kNone ? nullptr : &bursts_[static_cast<std::size_t>(bank.hit)];
  const Burst* miss = bank.miss == kNone ? nullptr : &bursts_[static_cast<std::size_t>(bank.miss)];
  const bool capped = params_.row_hit_cap > 0 && hit && miss && miss->order < hit->order &&
                      bank.passed >= params_.row_hit_cap;
  const bool open = bank.row != kClosed;
  const bool keeps_row = params_.scheduling == HbmScheduling::RowHit && hit && miss && !capped &&
                         hit->arrival <= miss->arrival;
  put(channel.openers, bank.opener != kNone);
  put(channel.hits, hit && !capped);
  put(channel.activates, !open && miss);
  put(channel.precharges, open && miss && bank.opener == kNone && !keeps_row);
}

void HbmController::review_all() {
  for (std::size_t i = 0; i < banks_.size(); ++i) review(i);
}

/// Reads go first until the write queue fills up or no read waits.
void HbmController::choose_direction() {
  const bool reads = sizes_[0] > 0;
  const bool write =
      writing_ ? !(sizes_[1] < drain_below_ && reads) : sizes_[1] > drain_above_ || !reads;
  if (write == writing_) return;
  writing_ = write;
  review_all();
}

HbmCommand HbmController::column_command(const Bank& bank, Index burst) const {
  const Burst& b = bursts_[static_cast<std::size_t>(burst)];
  const bool write = b.kind == Access::Write;
  if (params_.page == PagePolicy::Open) return write ? HbmCommand::Write : HbmCommand::Read;
  // Closed page: the last waiting burst of a row takes the precharge with it.
  bool more = bank.opener != kNone && bank.opener != burst;
  for (const List& list : bank.queue)
    for (Index i = list.head; i != kNone && !more; i = bursts_[static_cast<std::size_t>(i)].next)
      more = i != burst && bursts_[static_cast<std::size_t>(i)].place.row == bank.row;
  if (more) return write ? HbmCommand::Write : HbmCommand::Read;
  return write ? HbmCommand::WriteAuto : HbmCommand::ReadAuto;
}

void HbmController::offer(Pick& best, Index burst, HbmCommand command, std::size_t bank,
                          HbmTick now) {
  const HbmTick at = when(command, bank);
  if (at > now) {
    next_ = std::min(next_, at);
    return;
  }
  const std::uint64_t order = bursts_[static_cast<std::size_t>(burst)].order;
  if (order < best.order) best = {burst, bank, command, order};
}

HbmController::Pick HbmController::pick_column(HbmTick now) {
  Pick best;
  for (std::size_t c = 0; c < channels_.size(); ++c)
    for_each_bit(channels_[c].openers, [&](std::size_t b) {
      const std::size_t index = c * banks_per_channel_ + b;
      const Index burst = banks_[index].opener;
      offer(best, burst, column_command(banks_[index], burst), index, now);
    });
  // Rows just opened come first: whoever paid for a row gets its data.
  if (best.burst != kNone) return best;
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    const Channel& channel = channels_[c];
    if (channel.refreshing) continue;
    for_each_bit(channel.hits, [&](std::size_t b) {
      if (channel.bank == static_cast<std::int64_t>(b)) return;
      const std::size_t index = c * banks_per_channel_ + b;
      const Index burst = banks_[index].hit;
      offer(best, burst, column_command(banks_[index], burst), index, now);
    });
  }
  return best;
}

HbmController::Pick HbmController::pick_row(HbmTick now) {
  Pick best;
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    const Channel& channel = channels_[c];
    if (channel.refreshing) continue;
    const std::uint64_t open_to =
        channel.bank < 0 ? ~std::uint64_t{0} : ~(std::uint64_t{1} << channel.bank);
    const auto offer_all = [&](std::uint64_t bits, HbmCommand command) {
      for_each_bit(bits & open_to, [&](std::size_t b) {
        const std::size_t index = c * banks_per_channel_ + b;
        offer(best, banks_[index].miss, command, index, now);
      });
    };
    offer_all(channel.activates, HbmCommand::Activate);
    offer_all(channel.precharges, HbmCommand::Precharge);
  }
  return best;
}

void HbmController::send(HbmCommand command, std::size_t bank, HbmTick now) {
  timing_.issue(command, bank, now);
  ++counts_.issued[static_cast<std::size_t>(command)];
  if (observer_) observer_(context_, command, bank, now);
}

void HbmController::close(std::size_t index, HbmTick now) {
  Bank& bank = banks_[index];
  if (bank.row == kClosed) return;
  counts_.bank_active += now - bank.opened;
  bank.row = kClosed;
  bank.passed = 0;
}

HbmTick HbmController::bank_active(HbmTick now) const {
  HbmTick sum = counts_.bank_active;
  for (const Bank& bank : banks_)
    if (bank.row != kClosed) sum += now - bank.opened;
  return sum;
}

void HbmController::resume(HbmTick left, HbmTick now, const std::vector<std::int32_t>& rows) {
  invariant(waiting() == 0, "others use the banks of an idle controller");
  const HbmCommand kind =
      refresh_ == RefreshMode::AllBank ? HbmCommand::RefreshAll : HbmCommand::RefreshBank;
  next_ = kNever;
  for (Channel& channel : channels_) {
    const HbmTick passed = std::max<HbmTick>(0, now - channel.refresh_due);
    if (refresh_ != RefreshMode::Off) {
      const std::int64_t due = div_up(passed, refresh_interval_);
      channel.refresh_due += due * refresh_interval_;
      counts_.issued[static_cast<std::size_t>(kind)] += due + channel.refreshing + channel.owed;
    }
    channel.refreshing = false;
    channel.owed = 0;
    channel.bank = -1;
    next_ = std::min(next_, channel.refresh_due);
  }
  for (std::size_t bank = 0; bank < banks_.size(); ++bank) {
    const std::int32_t row = rows[bank] >= 0 ? rows[bank] : banks_[bank].row;
    close(bank, left);
    banks_[bank].row = row;
    banks_[bank].opened = now;
  }
  review_all();
}

void HbmController::issue_column(const Pick& pick, HbmTick now) {
  Bank& bank = banks_[pick.bank];
  const Burst& burst = bursts_[static_cast<std::size_t>(pick.burst)];
  const bool write = burst.kind == Access::Write;
  send(pick.command, pick.bank, now);
  counts_.turnarounds += write != bus_writes_;
  bus_writes_ = write;
  completed_.push_back({now, now + (write ? write_data_ : read_data_), burst.tag});
  if (pick.burst == bank.opener) {
    bank.opener = kNone;
    --opened_;
  } else {
    ++counts_.row_hits;
    const bool passes =
        bank.miss != kNone && bursts_[static_cast<std::size_t>(bank.miss)].order < burst.order;
    bank.passed += passes;
    remove(bank.queue[write], pick.burst);
    --sizes_[write];
  }
  free_.push_back(pick.burst);
  if (pick.command == HbmCommand::ReadAuto || pick.command == HbmCommand::WriteAuto)
    close(pick.bank, now);
  review(pick.bank);
}

void HbmController::issue_row(const Pick& pick, HbmTick now) {
  Bank& bank = banks_[pick.bank];
  send(pick.command, pick.bank, now);
  if (pick.command == HbmCommand::Precharge) {
    close(pick.bank, now);
  } else {
    const Burst& burst = bursts_[static_cast<std::size_t>(pick.burst)];
    bank.row = burst.place.row;
    bank.opened = now;
    bank.opener = pick.burst;
    remove(bank.queue[side(burst.kind)], pick.burst);
    --sizes_[side(burst.kind)];
    ++opened_;
  }
  review(pick.bank);
}

void HbmController::fall_due(HbmTick now) {
  for (Channel& channel : channels_)
    while (now >= channel.refresh_due) {
      channel.refresh_due += refresh_interval_;
      if (refresh_ == RefreshMode::AllBank)
        channel.refreshing = true;
      else
        ++channel.owed;
    }
}

/// Closes all rows, then refreshes; the rows just opened are served before.
bool HbmController::refresh_all(std::size_t c, HbmTick now) {
  Channel& channel = channels_[c];
  if (channel.openers != 0) return false;
  const std::size_t first = c * banks_per_channel_;
  bool open = false;
  for (std::size_t b = 0; b < banks_per_channel_; ++b) open |= banks_[first + b].row != kClosed;
  const HbmCommand command = open ? HbmCommand::PrechargeAll : HbmCommand::RefreshAll;
  const HbmTick at = when(command, first);
  if (at > now) {
    next_ = std::min(next_, at);
    return false;
  }
  send(command, first, now);
  if (open) {
    for (std::size_t b = 0; b < banks_per_channel_; ++b) close(first + b, now);
  } else {
    channel.refreshing = false;
  }
  for (std::size_t b = 0; b < banks_per_channel_; ++b) review(first + b);
  return true;
}

/// Banks without work are refreshed first; when too many refreshes are owed, the next in turn is.
void HbmController::choose_bank_to_refresh(std::size_t c) {
  Channel& channel = channels_[c];
  const std::size_t first = c * banks_per_channel_;
  std::int64_t in_turn = -1;
  for (std::size_t b = 0; b < banks_per_channel_; ++b) {
    if ((channel.refreshed >> b) & 1U) continue;
    const Bank& bank = banks_[first + b];
    const bool idle =
        bank.opener == kNone && bank.queue[0].head == kNone && bank.queue[1].head == kNone;
    if (in_turn < 0) in_turn = static_cast<std::int64_t>(b);
    if (!idle) continue;
    channel.bank = static_cast<std::int64_t>(b);
    return;
  }
  if (channel.owed >= kMostPostponed) channel.bank = in_turn;
}

bool HbmController::refresh_bank(std::size_t c, HbmTick now) {
  Channel& channel = channels_[c];
  if (channel.bank < 0 && channel.owed > 0) choose_bank_to_refresh(c);
  if (channel.bank < 0) return false;
  const std::size_t index = c * banks_per_channel_ + static_cast<std::size_t>(channel.bank);
  Bank& bank = banks_[index];
  if (bank.opener != kNone) return false;
  const HbmCommand command = bank.row != kClosed ? HbmCommand::Precharge : HbmCommand::RefreshBank;
  const HbmTick at = when(command, index);
  if (at > now) {
    next_ = std::min(next_, at);
    return false;
  }
  send(command, index, now);
  if (command == HbmCommand::Precharge) {
    close(index, now);
  } else {
    channel.refreshed |= bit(index);
    if (std::popcount(channel.refreshed) == static_cast<int>(banks_per_channel_))
      channel.refreshed = 0;
    channel.bank = -1;
    --channel.owed;
  }
  review(index);
  return true;
}

bool HbmController::refresh(std::size_t c, HbmTick now) {
  if (channels_[c].refreshing) return refresh_all(c, now);
  return refresh_ == RefreshMode::PerBank && refresh_bank(c, now);
}

void HbmController::step(HbmTick now) {
  next_ = kNever;
  fall_due(now);
  choose_direction();
  bool issued = false;
  if (const Pick column = pick_column(now); column.burst != kNone) {
    issue_column(column, now);
    issued = true;
  }
  bool row = false;
  for (std::size_t c = 0; c < channels_.size() && !row; ++c) row = refresh(c, now);
  if (!row) {
    choose_direction();
    if (const Pick pick = pick_row(now); pick.burst != kNone) {
      issue_row(pick, now);
      row = true;
    }
  }
  // What was seen before a command went is stale after it: look again from the next half clock.
  if (issued || row) next_ = now + 1;
  for (const Channel& channel : channels_) next_ = std::min(next_, channel.refresh_due);
}

void add_counts(MemoryStats& stats, const HbmController& controller, HbmTick now,
                Picoseconds clock) {
  const HbmCommandCounts& counts = controller.counts();
  const auto issued = [&](HbmCommand c) { return counts.issued[static_cast<std::size_t>(c)]; };
  stats.activates += issued(HbmCommand::Activate);
  stats.row_hits += counts.row_hits;
  stats.read_bursts += issued(HbmCommand::Read) + issued(HbmCommand::ReadAuto);
  stats.written_bursts += issued(HbmCommand::Write) + issued(HbmCommand::WriteAuto);
  stats.bank_active_ns += div_up(controller.bank_active(now) * clock.count(), 2) / 1000;
  stats.refreshes += issued(HbmCommand::RefreshAll);
  stats.bank_refreshes += issued(HbmCommand::RefreshBank);
  stats.turnarounds += counts.turnarounds;
}

}  // namespace reticle
