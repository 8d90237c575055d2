// SPDX-License-Identifier: Apache-2.0
#include "models/hbm/hbm_run_model.hpp"

#include <algorithm>

#include "sim/base/error.hpp"
#include "sim/base/rng.hpp"

namespace reticle {

namespace {
constexpr Picoseconds kLongAgo{-1'000'000'000};
/// Pieces that settle the pace of a scattered run: enough for 1 % of bank conflicts' share.
constexpr std::int64_t kPacePieces = 2048;
}  // namespace

HbmRunModel::HbmRunModel(const HbmParams& params)
    : params_{params},
      geometry_{params},
      refresh_{params.timing, params.refresh},
      visits_of_set_{geometry_.set / geometry_.visit},
      sight_visits_{std::max<std::int64_t>(
          1, params.controller.read_queue * params.burst.count() / geometry_.visit)},
      column_{spacing(sight_visits_)},
      drain_{params.controller.write_queue *
             (params.controller.write_high_percent - params.controller.write_low_percent) / 100},
      left_behind_{params.controller.write_queue * params.controller.write_low_percent / 100},
      reads_in_sight_{params.controller.read_queue * column_},
      banks_(static_cast<std::size_t>(banks(params))),
      groups_(static_cast<std::size_t>(params.stack_ids * params.bank_groups)),
      open_{params_} {
  for (Bank& bank : banks_) bank.act_ready = bank.pre_ready = bank.used = kLongAgo;
}

/// Burst to burst over `visits` visits: columns of one group are tCCD_L apart, other groups fill
/// in.
Picoseconds HbmRunModel::spacing(std::int64_t visits) const {
  const std::int64_t groups = std::max<std::int64_t>(1, geometry_.groups_of(visits));
  return max(max(t_.t_burst, t_.t_ccd_s), Picoseconds{div_up(t_.t_ccd_l.count(), groups)});
}

HbmRunModel::Demand HbmRunModel::demand_of(const MemoryRun& run) {
  const std::int64_t burst = params_.burst.count();
  const std::int64_t piece =
      run.piece.count() > 0 ? std::min(run.piece, run.bytes).count() : run.bytes.count();
  const std::int64_t pieces = div_up(run.bytes.count(), piece);
  const std::int64_t bursts = div_up(piece, burst);
  Demand demand;
  demand.bursts = pieces * bursts;
  demand.visits = div_up(run.address.count() % geometry_.visit + piece, geometry_.visit);
  const std::int64_t seen = std::min(demand.visits, sight_visits_);
  const Picoseconds apart = spacing(seen);
  demand.visit = geometry_.visit / burst * max(column_, apart);
  demand.bus = bursts * column_;
  // Groups take turns; what is left at the end has fewer of them, and its columns stand apart.
  const std::int64_t rest = bursts % (geometry_.groups_of(seen) * geometry_.visit / burst);
  const Picoseconds end = spacing(div_up(rest * burst, geometry_.visit));
  demand.alone = (bursts - rest) * apart + rest * end - (rest > 0 ? end : apart) + t_.t_burst;
  const std::int64_t into = run.address.count() % geometry_.set / geometry_.visit;
  const std::int64_t sets = div_up(into + demand.visits, visits_of_set_);
  const std::int64_t first = std::min(geometry_.members, visits_of_set_ - into);
  const std::int64_t last =
      std::min(geometry_.members, into + demand.visits - (sets - 1) * visits_of_set_);
  demand.rows = sets == 1 ? std::min(geometry_.members, demand.visits)
                          : first + (sets - 2) * geometry_.members + last;
  if (pieces == 1) return demand;
  const Pace& pace = pace_of(piece, run.kind);
  demand.scattered = true;
  demand.bus = pieces * pace.piece;
  demand.alone = max(demand.alone, demand.bus);
  demand.rows = static_cast<std::int64_t>(pace.activates * static_cast<double>(pieces));
  return demand;
}

/// Measured once per size on a channel of its own: pieces at random places, the queue never dry.
const HbmRunModel::Pace& HbmRunModel::pace_of(std::int64_t piece, Access kind) {
  const auto [found, fresh] = paces_.try_emplace({piece, kind});
  if (!fresh) return found->second;
  HbmParams params = params_;
  params.refresh = RefreshMode::Off;
  HbmRunModel scratch{params};
  constexpr std::int64_t kPlaces = 1 << 20;
  std::int64_t moved = 0;
  Picoseconds begin{}, end{};
  MemoryStats settled;
  for (std::int64_t i = 0; i < kPacePieces; ++i) {
    const auto place = static_cast<std::int64_t>(mix64(static_cast<std::uint64_t>(i)) % kPlaces);
    const MemoryRun run{kind, Bytes{place * piece}, Bytes{piece}, Bytes{}};
    end = max(end, scratch.access(run, Picoseconds{}).done);
    if (i + 1 == kPacePieces / 8) {
      begin = end;
      settled = scratch.stats();
    } else if (i >= kPacePieces / 8) {
      ++moved;
    }
  }
  const MemoryStats all = scratch.stats();
  found->second = {
      .piece = Picoseconds{div_up((end - begin).count(), moved)},
      .activates =
          static_cast<double>(all.activates - settled.activates) / static_cast<double>(moved),
      .open = Picoseconds{(all.bank_active_ns - settled.bank_active_ns) * 1000 / moved}};
  return found->second;
}

/// When the column command of the `burst`-th burst of a kind went; long ago if it is forgotten.
Picoseconds HbmRunModel::gone(Access kind, std::int64_t burst) const {
  for (const Served& s : served_[kind == Access::Write]) {
    if (s.end < burst) continue;
    const std::int64_t into = burst - (s.end - s.bursts);
    if (into <= 0) break;
    return s.first + Picoseconds{static_cast<std::int64_t>(
                         static_cast<__int128>((s.last - s.first).count()) * into / s.bursts)};
  }
  return kLongAgo;
}

/// When the controller sees a run's first burst: bursts are handed over in order, so its own queue
/// must have room for it and the other one for all before it.
Picoseconds HbmRunModel::sight(Access kind, Picoseconds at) {
  // A drain leaves some writes behind; they hold their places until the next one.
  const HbmControllerParams& controller = params_.controller;
  const std::array queues{controller.read_queue,
                          controller.write_queue * (100 - controller.write_low_percent) / 100};
  for (std::size_t k = 0; k < 2; ++k)
    while (!served_[k].empty() && served_[k].front().end <= bursts_[k] - queues[k])
      served_[k].pop_front();
  const bool write = kind == Access::Write;
  return max(at, max(gone(Access::Read, bursts_[0] + !write - queues[0]),
                     gone(Access::Write, bursts_[1] + write - queues[1])));
}

HbmRunModel::Bank& HbmRunModel::bank_at(std::size_t index) {
  Bank& bank = banks_[index];
  if (bank.seen != sweeps_) catch_up(bank, index);
  return bank;
}

/// What the last sweep left a bank with: its last visit, counted back from the sweep's end.
void HbmRunModel::catch_up(Bank& bank, std::size_t index) const {
  bank.seen = sweeps_;
  if (sweep_.closes) {
    bank.row = kClosed;
    bank.used = sweep_.begin;
    return;
  }
  const HbmGeometry::Member at = geometry_.member_of(index);
  const std::int64_t members = geometry_.members;
  std::int64_t back_sets = sweep_.of_sets - at.set;
  if (back_sets < 0) back_sets += geometry_.sets;
  std::int64_t back = sweep_.member - at.member;
  if (back < 0) back += members;
  // Not reached in the last set: its row is of one round earlier.
  if (back_sets == 0 && back > sweep_.in_set) back_sets = geometry_.sets;
  if (back_sets > 0)
    back = sweep_.in_set + 1 + (back_sets - 1) * visits_of_set_ + (members - 1 - at.member);
  const Picoseconds used = sweep_.end - back * sweep_.visit;
  leave(bank, sweep_.set - back_sets, used - visits_of_set_ * sweep_.visit, used, sweep_.kind);
}

void HbmRunModel::leave(Bank& bank, std::int64_t set, Picoseconds first, Picoseconds used,
                        Access kind) const {
  const bool read = kind == Access::Read;
  bank.row = set / geometry_.sets;
  bank.used = used;
  bank.act_ready = max(bank.act_ready,
                       first + t_.t_rc - (read ? t_.t_rcd_rd + t_.t_cl : t_.t_rcd_wr + t_.t_cwl));
  bank.pre_ready = max(bank.pre_ready, used + (read ? t_.t_rtp - t_.t_cl - t_.t_burst : t_.t_wr));
  if (params_.controller.page == PagePolicy::Open) return;
  bank.row = kClosed;
  bank.act_ready = max(bank.act_ready, bank.pre_ready + t_.t_rp);
}

/// Refreshes since the bank was last used have closed its row; one under way holds it.
void HbmRunModel::apply_refresh(Bank& bank, std::size_t index, Picoseconds at) {
  if (params_.refresh == RefreshMode::AllBank) {
    const Picoseconds due{refresh_.due(at) * t_.t_refi.count()};
    if (due.count() == 0 || bank.used - t_.t_cl >= due) return;
    bank.act_ready = max(bank.act_ready, refresh_.command(due));
    bank.row = kClosed;
    return;
  }
  if (params_.refresh != RefreshMode::PerBank) return;
  // One bank in turn every tREFI / banks.
  const auto count = static_cast<std::int64_t>(banks_.size());
  const std::int64_t slot = t_.t_refi.count() / count;
  const std::int64_t round = (at.count() / slot - static_cast<std::int64_t>(index)) / count;
  const Picoseconds begun{(round * count + static_cast<std::int64_t>(index)) * slot};
  if (at.count() / slot < static_cast<std::int64_t>(index) || bank.used >= begun) return;
  bank.act_ready = max(bank.act_ready, begun + t_.t_rfc_pb);
  bank.row = kClosed;
}

Picoseconds HbmRunModel::open_first(const MemoryRun& run, const Demand& demand, Picoseconds at) {
  const bool read = run.kind == Access::Read;
  const Picoseconds to_data = read ? t_.t_rcd_rd + t_.t_cl : t_.t_rcd_wr + t_.t_cwl;
  list_first_rows(run, demand);
  std::int64_t missing = 0;
  for (const FirstRow& first : first_rows_) {
    Bank& bank = bank_at(first.bank);
    apply_refresh(bank, first.bank, at);
    missing += bank.row != first.row;
  }
  if (missing == 0) ++stats_.row_hits;
  stats_.activates += missing;
  const Picoseconds slot = missing == 0 ? at : open_rows(at, missing);
  Picoseconds data = at + (read ? t_.t_cl : t_.t_cwl);
  std::int64_t opened = 0;
  for (const FirstRow& first : first_rows_) {
    Bank& bank = banks_[first.bank];
    const Picoseconds offset = first.visits * demand.visit;
    if (bank.row != first.row) {
      Picoseconds activate = max(slot + opened++ * t_.t_rrd_s, bank.act_ready);
      const Picoseconds precharge = max(at, bank.pre_ready);
      if (bank.row != kClosed) activate = max(activate, precharge + t_.t_rp);
      open_.close(first.bank, precharge);
      bank.row = first.row;
      bank.opened = refresh_.command(activate);
      bank.act_ready = bank.opened + t_.t_rc;
      bank.pre_ready = bank.opened + t_.t_ras;
      open_.open(first.bank, bank.opened);
    }
    data = max(data, bank.opened + to_data - offset);
  }
  return demand.visits <= geometry_.members ? columns(demand, data) : data;
}

/// The rows a run needs first: of the sets it walks through while they are within sight.
void HbmRunModel::list_first_rows(const MemoryRun& run, const Demand& demand) {
  const std::int64_t begin = run.address.count() / geometry_.visit;
  const std::int64_t end = begin + std::min(demand.visits, sight_visits_);
  first_rows_.clear();
  std::int64_t set = begin / visits_of_set_;
  std::int64_t row = set / geometry_.sets;
  std::int64_t of_sets = set - row * geometry_.sets;
  std::int64_t member = (begin - set * visits_of_set_) % geometry_.members;
  for (std::int64_t at = begin, sets = 0; at < end && sets < geometry_.sets; ++sets) {
    const std::int64_t next = ++set * visits_of_set_;
    const std::int64_t count = std::min(geometry_.members, std::min(end, next) - at);
    // Behind enough data of the rows before, opening the next ones does not show.
    const bool hidden = (at - begin) * demand.visit >= t_.t_rc + t_.t_rp;
    if (sets > 0 && (hidden || first_rows_.size() + static_cast<std::size_t>(count) > kFirstRows))
      return;
    for (std::int64_t i = 0; i < count; ++i) {
      first_rows_.push_back(
          {.bank = geometry_.bank(of_sets, member), .row = row, .visits = at + i - begin});
      if (++member == geometry_.members) member = 0;
    }
    member = 0;
    at = next;
    if (++of_sets == geometry_.sets) {
      of_sets = 0;
      ++row;
    }
  }
}

/// Takes a place among the activates: tRRD apart, and every four of them fill tFAW.
Picoseconds HbmRunModel::open_rows(Picoseconds at, std::int64_t count) {
  if (activates_.tail() <= at) activated_ = 0;
  const std::int64_t windows = (activated_ + count) / 4 - activated_ / 4;
  activated_ = (activated_ + count) % 4;
  const Picoseconds rest = max(Picoseconds{}, t_.t_faw - 4 * t_.t_rrd_s);
  return activates_.reserve(at, count * t_.t_rrd_s + windows * rest).first;
}

/// A run too short to pass through all groups meets others in the columns of its own.
Picoseconds HbmRunModel::columns(const Demand& demand, Picoseconds data) {
  const Picoseconds held = geometry_.visit / params_.burst.count() * t_.t_ccd_l;
  Picoseconds earliest = data;
  for (const FirstRow& first : first_rows_) {
    const Picoseconds offset = first.visits * demand.visit;
    BusTimeline& group = groups_[geometry_.group(first.bank)];
    const BusTimeline::Slot slot = group.reserve(refresh_.useful(data + offset), held);
    earliest = max(earliest, refresh_.begins(slot.first) - offset);
  }
  return earliest;
}

/// Reads go first: a short write stays in its queue until a drain is worth turning the bus for.
bool HbmRunModel::stays_queued(const MemoryRun& run, const Demand& demand) const {
  return run.kind == Access::Write && direction_ == Access::Read && bursts_[0] > 0 &&
         queued_bursts_ + demand.bursts < drain_;
}

/// Its data take their share of the bus now; its rows are opened, and the bus is turned, with the
/// others of the drain.
AccessTiming HbmRunModel::queue(const MemoryRun& run, const Demand& demand, Picoseconds accepted) {
  queued_.push_back(run);
  queued_bursts_ += demand.bursts;
  return place(run, demand, accepted, refresh_.command(accepted) + t_.t_rcd_wr + t_.t_cwl);
}

/// Turns the bus if it serves the other direction; returns the earliest row command after that.
Picoseconds HbmRunModel::turn(Access kind, Picoseconds seen) {
  if (bursts_[0] + bursts_[1] == 0) direction_ = kind;
  if (kind == direction_) return {};
  const bool write = kind == Access::Write;
  const Picoseconds tail = refresh_.ends(bus_.tail());
  const Picoseconds last = tail - t_.t_burst - (write ? t_.t_cl : t_.t_cwl);
  const Picoseconds free = write ? last + t_.t_rtw + t_.t_cwl : tail + t_.t_wtr_l + t_.t_cl;
  ++stats_.turnarounds;
  bus_.fence();
  // A controller opens rows for the direction it serves. What the last turn left waiting of this
  // direction goes first, its rows open, while those of the others are opened.
  const Picoseconds command = last - waiting_[write];
  // Left waiting now: the writes a drain leaves behind; the reads that were in sight when the write
  // queue filled up.
  waiting_[!write] =
      write ? min(max(last - seen, Picoseconds{}), reads_in_sight_) : left_behind_ * column_;
  activates_.fence();
  direction_ = kind;
  data_from_ = free;
  return command;
}

/// A run through the banks where the other direction left bursts waiting closes their rows.
void HbmRunModel::lose_rows(const MemoryRun& run, const Demand& demand) {
  const bool write = run.kind == Access::Write;
  const std::int64_t set = run.address.count() / geometry_.set;
  const std::int64_t sets =
      div_up(run.address.count() % geometry_.set + demand.visits * geometry_.visit, geometry_.set);
  const std::int64_t ahead =
      (last_set_[!write] - set % geometry_.sets + geometry_.sets) % geometry_.sets;
  if (demand.scattered || ahead < sets) waiting_[!write] = Picoseconds{};
  last_set_[write] = (set + sets - 1) % geometry_.sets;
}

/// Opens the rows of the queued writes; returns when a drain that began with them can go on to
/// others, less the bus time they have already.
Picoseconds HbmRunModel::open_queued(Picoseconds at) {
  Picoseconds ready{};
  for (const MemoryRun& run : queued_) {
    const Demand demand = demand_of(run);
    const Picoseconds data = open_first(run, demand, at);
    settle(run, demand, data, data + demand.alone);
    ready = max(ready, data);
  }
  ready = ready - queued_bursts_ * column_;
  queued_.clear();
  queued_bursts_ = 0;
  return ready;
}

/// Leaves the banks as the end of the run finds them.
void HbmRunModel::settle(const MemoryRun& run, const Demand& demand, Picoseconds begin,
                         Picoseconds end) {
  const std::int64_t first = run.address.count() / geometry_.visit;
  const std::int64_t last = first + demand.visits - 1;
  hold_rows(run, demand, begin, end);
  if (demand.scattered || demand.visits >= (geometry_.sets + 1) * visits_of_set_) {
    const std::int64_t set = last / visits_of_set_;
    const std::int64_t in_set = last - set * visits_of_set_;
    sweep_ = {.closes = demand.scattered,
              .begin = begin,
              .end = end,
              .visit = Picoseconds{(end - begin).count() / demand.visits},
              .set = set,
              .of_sets = set % geometry_.sets,
              .in_set = in_set,
              .member = in_set % geometry_.members,
              .kind = run.kind};
    ++sweeps_;
    return;
  }
  const Picoseconds visit{(end - begin).count() / demand.visits};
  for (std::int64_t set = first / visits_of_set_; set <= last / visits_of_set_; ++set) {
    const std::int64_t from = std::max(first, set * visits_of_set_);
    const std::int64_t to = std::min(last, (set + 1) * visits_of_set_ - 1);
    for (std::int64_t back = 0; back < std::min(geometry_.members, to - from + 1); ++back) {
      const std::int64_t at = to - back;
      const std::size_t index =
          geometry_.bank(set % geometry_.sets, at % visits_of_set_ % geometry_.members);
      Bank& bank = bank_at(index);
      const Picoseconds used = end - (last - at) * visit;
      leave(bank, set, begin + (from - first) * visit, used, run.kind);
    }
  }
}

/// Time before a row is needed at which a controller opens it when its queue is full.
Picoseconds HbmRunModel::opened_ahead(Access kind) const {
  const bool read = kind == Access::Read;
  const HbmControllerParams& controller = params_.controller;
  const Picoseconds in_sight = (read ? controller.read_queue : controller.write_queue) * column_;
  return max(read ? t_.t_rcd_rd + t_.t_cl : t_.t_rcd_wr + t_.t_cwl, in_sight - t_.t_rp);
}

void HbmRunModel::hold_rows(const MemoryRun& run, const Demand& demand, Picoseconds begin,
                            Picoseconds end) {
  if (demand.scattered) {
    for (std::size_t bank = 0; bank < open_.banks(); ++bank) open_.close(bank, begin);
    const std::int64_t pieces = div_up(run.bytes.count(), std::min(run.piece, run.bytes).count());
    const auto all = static_cast<std::int64_t>(open_.banks());
    open_.add(min(pieces * pace_of(std::min(run.piece, run.bytes).count(), run.kind).open,
                  all * (end - begin)));
    return;
  }
  if (demand.visits >= (geometry_.sets + 1) * visits_of_set_)
    return hold_swept_rows(run, demand, begin, end);
  const std::int64_t first = run.address.count() / geometry_.visit;
  const std::int64_t last = first + demand.visits - 1;
  const Picoseconds visit{(end - begin).count() / demand.visits};
  const Picoseconds closed = t_.t_rp + t_.t_rfc_ab;
  for (std::int64_t set = first / visits_of_set_; set <= last / visits_of_set_; ++set) {
    const std::int64_t from = std::max(first, set * visits_of_set_);
    const std::int64_t to = std::min(last, (set + 1) * visits_of_set_ - 1);
    const Picoseconds needed = begin + (from - first) * visit;
    for (std::int64_t back = 0; back < std::min(geometry_.members, to - from + 1); ++back) {
      const std::size_t index =
          geometry_.bank(set % geometry_.sets, (to - back) % visits_of_set_ % geometry_.members);
      const Bank& bank = bank_at(index);
      if (bank.row != set / geometry_.sets || !open_.is_open(index, needed)) {
        const Picoseconds activate = max(begin, needed - opened_ahead(run.kind));
        open_.close(index, activate - t_.t_rp);
        open_.open(index, activate);
      }
      const Picoseconds used = end - (last - to + back) * visit;
      open_.keep(index, used);
      open_.add((refresh_.due(needed) - refresh_.due(max(needed, used))) * closed);
    }
  }
}

/// Rows follow each other in every bank, tRP apart; each refresh closes them all, and the run comes
/// back to them set by set.
void HbmRunModel::hold_swept_rows(const MemoryRun& run, const Demand& demand, Picoseconds begin,
                                  Picoseconds end) {
  const Picoseconds set = geometry_.set / params_.burst.count() * column_;
  const std::int64_t first = run.address.count() / geometry_.set % geometry_.sets;
  const Picoseconds into = run.address.count() % geometry_.set / params_.burst.count() * column_;
  const Picoseconds ahead = opened_ahead(run.kind);
  Picoseconds back{};  // from a refresh until a bank is opened again, summed over banks
  const bool in_turn = params_.refresh == RefreshMode::PerBank;
  const Picoseconds next = open_.next_refresh(0, end);
  for (std::size_t bank = 0; bank < open_.banks(); ++bank) {
    std::int64_t sets_before = geometry_.member_of(bank).set - first;
    if (sets_before < 0) sets_before += geometry_.sets;
    const Picoseconds refresh = in_turn ? open_.next_refresh(bank, end) : next;
    back += max(Picoseconds{}, sets_before * set - ahead);
    if (sets_before > 0) {
      const Picoseconds activate = begin + max(Picoseconds{}, sets_before * set - into - ahead);
      open_.close(bank, activate - t_.t_rp);
      open_.open(bank, activate, refresh);
    }
    open_.keep_until(bank, refresh);
  }
  const auto all = static_cast<std::int64_t>(open_.banks());
  open_.add(-1 * (std::max<std::int64_t>(0, demand.rows - all) * t_.t_rp));
  if (params_.refresh == RefreshMode::PerBank) {
    // A bank waits for the run to come back to it, half a round in the mean.
    const std::int64_t refreshes = (end - begin).count() / (t_.t_refi.count() / all);
    const Picoseconds wait{(geometry_.sets * set - ahead).count() / 2};
    open_.add(-1 * (refreshes * max(t_.t_rp + t_.t_rfc_pb, wait)));
  }
  const std::int64_t refreshes = refresh_.due(end) - refresh_.due(begin);
  open_.add(-1 * (refreshes * (all * (t_.t_rp + t_.t_rfc_ab) + back)));
}

MemoryStats HbmRunModel::stats() const {
  MemoryStats stats = stats_;
  stats.bank_active_ns = open_.sum(last_data_).count() / 1000;
  if (params_.refresh == RefreshMode::PerBank)
    stats.bank_refreshes =
        last_data_.count() / (t_.t_refi.count() / static_cast<std::int64_t>(banks_.size()));
  return stats;
}

AccessTiming HbmRunModel::place(const MemoryRun& run, const Demand& demand, Picoseconds accepted,
                                Picoseconds data) {
  const bool read = run.kind == Access::Read;
  const Picoseconds latency = read ? t_.t_cl : t_.t_cwl;
  const BusTimeline::Slot slot = bus_.reserve(refresh_.useful(data), demand.bus);
  const Picoseconds begin = refresh_.begins(slot.first);
  const Picoseconds end = max(refresh_.ends(slot.last), begin + demand.alone);
  const std::int64_t side = read ? 0 : 1;
  bursts_[side] += demand.bursts;
  served_[side].push_back({.end = bursts_[side],
                           .bursts = demand.bursts,
                           .first = begin - latency,
                           .last = end - t_.t_burst - latency});
  ++stats_.transactions;
  (read ? stats_.read : stats_.written) += run.bytes;
  (read ? stats_.read_bursts : stats_.written_bursts) += demand.bursts;
  last_data_ = max(last_data_, end);
  // A long run opens the rows it is at, and those of the bursts in sight, again after each refresh.
  const std::int64_t within = refresh_.due(end) - refresh_.due(begin);
  const std::int64_t sight =
      std::min(demand.visits, sight_visits_) * geometry_.visit * geometry_.members / geometry_.set;
  stats_.activates += within * (geometry_.members + (demand.scattered ? 0 : sight));
  stats_.refreshes += std::max<std::int64_t>(0, refresh_.due(end) - refreshes_seen_);
  refreshes_seen_ = std::max(refreshes_seen_, refresh_.due(end));
  stats_.busy += demand.bursts * t_.t_burst;
  stats_.waited += max(Picoseconds{}, begin - accepted - latency);
  const Picoseconds started = refresh_.command(accepted);
  return {accepted, started, max(started, begin + t_.t_burst), end};
}

AccessTiming HbmRunModel::access(const MemoryRun& run, Picoseconds at) {
  if (run.bytes.count() <= 0) return {at, at, at, at};
  const Demand demand = demand_of(run);
  const Picoseconds accepted = sight(run.kind, at);
  if (stays_queued(run, demand)) return queue(run, demand, accepted);
  const Picoseconds commands = max(refresh_.command(accepted), turn(run.kind, accepted));
  Picoseconds data = data_from_;
  if (run.kind == Access::Write && !queued_.empty()) data = max(data, open_queued(commands));
  data = max(data, open_first(run, demand, commands));
  const auto listed = static_cast<std::int64_t>(first_rows_.size());
  stats_.activates += std::max<std::int64_t>(0, demand.rows - listed);
  lose_rows(run, demand);
  const AccessTiming timing = place(run, demand, accepted, data);
  settle(run, demand, timing.first_data - t_.t_burst, timing.done);
  return timing;
}

}  // namespace reticle
