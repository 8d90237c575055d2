// SPDX-License-Identifier: Apache-2.0
#include "models/hbm/hbm_channel.hpp"

#include <algorithm>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
constexpr Picoseconds kLongAgo{-1'000'000'000};
constexpr std::int64_t kBurstsPerGroupVisit = 2;  // 64 B before the next bank group
}  // namespace

HbmChannel::HbmChannel(const sc_core::sc_module_name& name, const HbmParams& params)
    : sc_module{name},
      params_{params},
      row_set_{params.row.count() * params.bank_groups},
      sets_{params.stack_ids * params.banks_per_group},
      banks_(static_cast<std::size_t>(reticle::banks(params))),
      next_refresh_{params.timing.t_refi},
      queue_{params.queue_depth} {
  invariant(params.bank_groups > 0 && params.banks_per_group > 0, "HBM banks");
  invariant(params.burst.count() > 0 && params.row.count() % params.burst.count() == 0, "HBM row");
  recent_activates_.fill(kLongAgo);
  for (auto& bank : banks_) bank.act_ready = bank.pre_ready = kLongAgo;
  port.bind(*this);
}

Bytes HbmChannel::capacity() const {
  return Bytes{params_.capacity_per_stack.count() / params_.pseudo_channels};
}

HbmChannel::Place HbmChannel::place_of(std::int64_t address) const {
  const std::int64_t visit = params_.burst.count() * kBurstsPerGroupVisit;
  const std::int64_t set = address / row_set_;
  return {
      .group = (address / visit) % params_.bank_groups, .bank = set % sets_, .row = set / sets_};
}

/// Time to stream `run` when nothing before it interferes.
HbmChannel::Pace HbmChannel::pace_of(const MemoryRun& run) const {
  const std::int64_t piece =
      run.piece.count() > 0 ? std::min(run.piece.count(), run.bytes.count()) : run.bytes.count();
  const std::int64_t pieces = div_up(run.bytes.count(), piece);
  const std::int64_t visit = params_.burst.count() * kBurstsPerGroupVisit;
  const std::int64_t bursts = div_up(piece, params_.burst.count());
  // Rows a piece opens: one per bank group it visits, in every row set it spans.
  const std::int64_t groups = std::min(params_.bank_groups, div_up(piece, visit));
  const std::int64_t offset = run.piece.count() > 0 ? 0 : run.address.count() % row_set_;
  const std::int64_t sets = div_up(offset + piece, row_set_);
  const std::int64_t rows = piece >= row_set_ ? sets * params_.bank_groups : sets * groups;

  // Columns of one bank group are tCCD_L apart; other groups fill the bus in between, be it with
  // this piece's bursts or with another's. A piece alone in few groups only ends later.
  const auto spacing = [&](std::int64_t over_groups) {
    return max(max(t_.t_burst, t_.t_ccd_s), Picoseconds{div_up(t_.t_ccd_l.count(), over_groups)});
  };
  const Picoseconds column = spacing(params_.bank_groups);
  const Picoseconds window{std::max(t_.t_rrd_s.count(), div_up(t_.t_faw.count(), 4))};
  // Scattered pieces fall on banks at random; each bank serves one row per tRC.
  const auto bank_count = static_cast<std::int64_t>(banks_.size());
  const Picoseconds bank_cycle{div_up(rows * t_.t_rc.count(), bank_count)};

  const Picoseconds bus = bursts * column;
  // A single piece opens its rows ahead, as its data streams: the first set is paid by the caller.
  const Picoseconds activation = std::max<std::int64_t>(0, rows - groups) * window;
  const Picoseconds one =
      pieces == 1 ? max(bus, activation) : max(max(bus, rows * window), bank_cycle);
  return {.total = pieces * one,
          .bus = pieces * bus,
          .tail = (bursts - 1) * (spacing(groups) - column),
          .groups = groups,
          .activates = pieces * rows};
}

void HbmChannel::close_all(Picoseconds at) {
  event_ = {.closes = true, .end = at};
  ++events_;
}

void HbmChannel::catch_up(Bank& bank, std::int64_t bank_index) const {
  bank.seen = events_;
  if (event_.closes) {
    bank.open_row.reset();
    bank.act_ready = max(bank.act_ready, event_.end);
    return;
  }
  const bool wrapped = bank_index > event_.bank;  // last visited one round earlier
  const std::int64_t back = event_.bank - bank_index + (wrapped ? sets_ : 0);
  const Picoseconds used = event_.end - back * event_.per_set;
  bank.open_row = event_.row - (wrapped ? 1 : 0);
  bank.act_ready = max(bank.act_ready, used - event_.per_set + t_.t_rc - t_.t_rcd_rd);
  bank.pre_ready = max(bank.pre_ready, used + event_.recovery);
}

/// Refreshes due before `at` have happened; one still running delays the caller.
Picoseconds HbmChannel::wait_for_refresh(Picoseconds at) {
  if (params_.refresh != RefreshMode::AllBank || at < next_refresh_) return at;
  const std::int64_t passed = 1 + (at - next_refresh_).count() / t_.t_refi.count();
  const Picoseconds last = next_refresh_ + (passed - 1) * t_.t_refi;
  next_refresh_ = last + t_.t_refi;
  stats_.refreshes += passed;
  // The refresh starts once the bus is quiet and the banks are precharged.
  const Picoseconds ready = max(last, bus_free_) + t_.t_rp + t_.t_rfc_ab;
  close_all(ready);
  return max(at, ready);
}

/// Stretches `work` of streaming by the refreshes that fall into it. Each costs
/// tRFC + tRP + tRCD + tRTP of data-bus time [reference simulators agree, docs/models/hbm.md].
Picoseconds HbmChannel::add_refreshes(Picoseconds start, Picoseconds work) {
  const Picoseconds end = start + work;
  if (params_.refresh != RefreshMode::AllBank || end <= next_refresh_) return end;
  const Picoseconds loss = t_.t_rfc_ab + t_.t_rp + t_.t_rcd_rd + t_.t_rtp;
  const Picoseconds useful = t_.t_refi - loss;
  invariant(useful.count() > 0, "refresh takes longer than its interval");
  const Picoseconds rest = end - max(next_refresh_, start);
  const std::int64_t count = 1 + (rest.count() - 1) / useful.count();
  next_refresh_ += count * t_.t_refi;
  stats_.refreshes += count;
  stats_.activates += count * params_.bank_groups;  // the open row set comes back
  return end + count * loss;
}

/// Earliest data of `kind` on the bus after what went before.
Picoseconds HbmChannel::bus_ready(Access kind) const {
  if (!last_kind_ || *last_kind_ == kind) return bus_free_;
  if (kind == Access::Read) return last_data_ + t_.t_wtr_l + t_.t_cl;
  return max(last_data_, last_data_ - t_.t_burst - t_.t_cl + t_.t_rtw + t_.t_cwl);
}

/// Issues precharge and activate as needed; returns when a column command may go.
Picoseconds HbmChannel::open(const Place& place, Access kind, Picoseconds at) {
  Bank& bank = bank_at(place.group, place.bank);
  if (bank.open_row == place.row) {
    ++stats_.row_hits;
    return at;
  }
  Picoseconds activate = max(at, bank.act_ready);
  if (bank.open_row) activate = max(activate, max(at, bank.pre_ready) + t_.t_rp);
  activate = max(activate, last_activate_ + t_.t_rrd_s);
  activate = max(activate, recent_activates_[next_activate_] + t_.t_faw);
  if (params_.refresh == RefreshMode::PerBank) {
    // One bank in turn is refreshed every tREFI / banks; a row of that bank waits for it.
    const auto count = static_cast<std::int64_t>(banks_.size());
    const std::int64_t slot = t_.t_refi.count() / count;
    const std::int64_t turn = activate.count() / slot;
    const std::int64_t mine = place.bank * params_.bank_groups + place.group;
    const std::int64_t begun = (turn - mine) % count;  // slots since this bank's last refresh
    const Picoseconds refreshed{(turn - (begun < 0 ? begun + count : begun)) * slot};
    if (refreshed.count() >= 0 && activate < refreshed + t_.t_rfc_pb) {
      activate = refreshed + t_.t_rfc_pb;
      ++stats_.refreshes;
    }
  }
  recent_activates_[next_activate_] = activate;
  next_activate_ = (next_activate_ + 1) % recent_activates_.size();
  last_activate_ = activate;
  bank.open_row = place.row;
  bank.act_ready = activate + t_.t_rc;
  bank.pre_ready = activate + t_.t_ras;
  return activate + (kind == Access::Read ? t_.t_rcd_rd : t_.t_rcd_wr);
}

/// Rows of the row set at `first` that a run over `groups` bank groups finds open.
std::int64_t HbmChannel::open_rows(const Place& first, std::int64_t groups) {
  std::int64_t open = 0;
  for (std::int64_t g = 0; g < groups; ++g)
    open += bank_at((first.group + g) % params_.bank_groups, first.bank).open_row == first.row;
  return open;
}

/// Leaves the banks as the end of the run finds them: the last rows open, with their timing.
void HbmChannel::settle(const MemoryRun& run, Picoseconds start, Picoseconds end) {
  // From the last data on the bus: tRTP runs from the read command, tWR from the data's end.
  const Picoseconds recovery = run.kind == Access::Read ? t_.t_rtp - t_.t_cl : t_.t_wr;
  if (run.piece.count() > 0 && run.piece < run.bytes) {
    // Scattered: which rows stay open is as good as random, so none is taken to be a hit later.
    close_all(end + recovery + t_.t_rp);
    return;
  }
  const std::int64_t first = run.address.count() / row_set_;
  const std::int64_t last = (run.address.count() + run.bytes.count() - 1) / row_set_;
  const std::int64_t visit = params_.burst.count() * kBurstsPerGroupVisit;
  const std::int64_t sets = last - first + 1;
  const std::int64_t kept = std::min(sets, sets_);
  const Picoseconds per_set{sets > 1 ? (end - start).count() / sets : 0};
  const bool whole = sets > 1 || run.bytes.count() >= params_.bank_groups * visit;
  const std::int64_t group0 = whole ? 0 : place_of(run.address.count()).group;
  const std::int64_t groups =
      whole ? params_.bank_groups : std::min(params_.bank_groups, div_up(run.bytes.count(), visit));
  if (sets >= sets_ && sets > 1) {
    event_ = {.closes = false,
              .end = end,
              .bank = last % sets_,
              .row = last / sets_,
              .per_set = per_set,
              .recovery = recovery};
    ++events_;
    return;
  }
  // Counted down instead of divided: this loop runs for every shorter transaction.
  std::int64_t bank_index = last % sets_;
  std::int64_t row = last / sets_;
  Picoseconds used = end;
  for (std::int64_t back = 0; back < kept; ++back, used -= per_set) {
    std::int64_t group = group0;
    for (std::int64_t g = 0; g < groups; ++g) {
      Bank& bank = bank_at(group, bank_index);
      if (sets > 1) bank.act_ready = max(bank.act_ready, used - per_set + t_.t_rc - t_.t_rcd_rd);
      bank.open_row = row;
      bank.pre_ready = max(bank.pre_ready, used + recovery);
      if (++group == params_.bank_groups) group = 0;
    }
    if (bank_index-- == 0) {
      bank_index = sets_ - 1;
      --row;
    }
  }
}

AccessTiming HbmChannel::access(const MemoryRun& run, Picoseconds at) {
  if (run.bytes.count() <= 0) return {at, at, at, at};
  const Picoseconds accepted = queue_.accept(at);
  const Pace pace = pace_of(run);
  const Place place = place_of(run.address.count());
  const Picoseconds begin = wait_for_refresh(accepted);
  const std::int64_t open_already = open_rows(place, pace.groups);
  const Picoseconds column = open(place, run.kind, begin);

  const Picoseconds delay = run.kind == Access::Read ? t_.t_cl : t_.t_cwl;
  Picoseconds data = max(column + delay, bus_ready(run.kind));
  if (place.group == last_group_) data = max(data, group_ready_);
  const Picoseconds end = add_refreshes(data, pace.total);
  const Picoseconds done = max(end + pace.tail, data + t_.t_burst);

  ++stats_.transactions;
  (run.kind == Access::Read ? stats_.read : stats_.written) += run.bytes;
  stats_.activates += std::max<std::int64_t>(0, pace.activates - open_already);
  stats_.turnarounds += last_kind_ && *last_kind_ != run.kind;
  stats_.busy += pace.bus;
  stats_.waited += max(Picoseconds{0}, data - (column + delay)) + (begin - at);
  last_kind_ = run.kind;
  bus_free_ = end;
  last_data_ = done;
  last_group_ = pace.groups == 1 ? place.group : kNoGroup;
  group_ready_ = done - t_.t_burst + t_.t_ccd_l;
  settle(run, data, done);
  queue_.push(done);
  return {accepted, begin, data + t_.t_burst, done};
}

}  // namespace reticle
