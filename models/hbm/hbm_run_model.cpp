// SPDX-License-Identifier: Apache-2.0
#include "models/hbm/hbm_run_model.hpp"

#include <algorithm>
#include <limits>

#include "models/hbm/hbm_stream_pace.hpp"
#include "sim/base/error.hpp"
#include "sim/base/rng.hpp"

namespace reticle {

namespace {
/// Pieces that settle the pace of a scattered run: enough for 1 % of bank conflicts' share.
constexpr std::int64_t kPacePieces = 2048;
/// From here on a run is in step with the refreshes that go through the banks, and goes at the pace
/// of a stream (docs/models/hbm.md).
constexpr Bytes kLongRun{16 * 1024};
}  // namespace

HbmRunModel::HbmRunModel(const HbmParams& params)
    : params_{params},
      geometry_{params},
      refresh_{params.timing, params.refresh},
      visits_of_set_{geometry_.set / geometry_.visit},
      sight_visits_{std::max<std::int64_t>(
          1, params.controller.read_queue * params.burst.count() / geometry_.visit)},
      columns_of_visits_{side_by_side(Access::Read)},
      columns_{stream_columns(Access::Read), stream_columns(Access::Write)},
      column_{columns_[0].of_short},
      drain_{params.controller.write_queue *
             (params.controller.write_high_percent - params.controller.write_low_percent) / 100},
      left_behind_{params.controller.write_queue * params.controller.write_low_percent / 100},
      reads_in_sight_{params.controller.read_queue * column_},
      set_time_{geometry_.set / params.burst.count() * column_},
      banks_(static_cast<std::size_t>(banks(params))),
      known_(kKnownShapes),
      groups_(static_cast<std::size_t>(params.stack_ids * params.bank_groups)),
      open_{params_, geometry_},
      switch_{params.stack_ids > 1 ? t_.t_ccd_r - max(t_.t_burst, t_.t_ccd_s) : Picoseconds{}},
      sets_of_stack_{geometry_.sets_of_stack()} {
  for (Bank& bank : banks_) bank.act_ready = bank.pre_ready = bank.used = kLongAgo;
}

/// Burst to burst of short runs and of long ones. Which rows share the queue where a map keeps a
/// row's bursts together, and what banks under refresh hold up, is timed on the commands.
HbmRunModel::Paces HbmRunModel::stream_columns(Access kind) const {
  const bool split = geometry_.visit < params_.row.count();
  const bool in_turn = params_.refresh == RefreshMode::PerBank;
  const Picoseconds column =
      split ? spacing(side_by_side(kind)) : HbmStreamPace::column(params_, kind);
  if (!in_turn) {
    const Picoseconds of_long = split ? column : HbmStreamPace::of_long_runs(params_, kind);
    return {.of_short = column, .of_long = of_long, .beside = of_long};
  }
  return {.of_short = HbmStreamPace::under_bank_refresh(params_, kind, column),
          .of_long = HbmStreamPace::of_long_runs(params_, kind),
          .beside = HbmStreamPace::of_long_runs_beside(params_, kind)};
}

/// Visits whose columns a full queue serves side by side. Served at one pace, k of them end one
/// after the other, and hold V (k - 1) / 2 bursts of a visit's V more than k times what the first
/// has left when the next comes into sight; by the time the first ends that one's row must be open.
std::int64_t HbmRunModel::side_by_side(Access kind) const {
  const bool read = kind == Access::Read;
  const std::int64_t queue = read ? params_.controller.read_queue : params_.controller.write_queue;
  const std::int64_t bursts = geometry_.visit / params_.burst.count();
  if (geometry_.visit < params_.row.count())
    return std::max<std::int64_t>(1, 2 * queue / bursts - 1);
  const bool conflict = params_.controller.page == PagePolicy::Open;
  const Picoseconds opening =
      (conflict ? t_.t_rp : Picoseconds{}) + (read ? t_.t_rcd_rd : t_.t_rcd_wr);
  const Picoseconds apart = max(t_.t_burst, t_.t_ccd_s);
  for (std::int64_t rows = std::min(geometry_.groups_of(queue), 2 * queue / bursts); rows > 1;
       --rows) {
    const std::int64_t left = (2 * queue - bursts * (rows - 1)) / (2 * rows);
    if (left * max(t_.t_ccd_l, rows * apart) >= opening) return rows;
  }
  return 1;
}

/// Burst to burst over `visits` visits: columns of one group are tCCD_L apart, other groups fill
/// in.
Picoseconds HbmRunModel::spacing(std::int64_t visits) const {
  const std::int64_t groups = std::max<std::int64_t>(1, geometry_.groups_of(visits));
  return max(max(t_.t_burst, t_.t_ccd_s), Picoseconds{div_up(t_.t_ccd_l.count(), groups)});
}

HbmRunModel::Demand& HbmRunModel::demand_of(const MemoryRun& run) {
  const std::int64_t into = geometry_.bytes_into_set(run.address);
  Shape shape{run.kind, run.bytes.count(), run.piece.count(), into};
  const bool scattered = run.piece.count() > 0 && run.piece < run.bytes;
  const std::int64_t in_set = geometry_.visits_before(Bytes{into});
  if (scattered)  // only its first piece has a place; how many visits that takes is all it changes
    shape.into_set = -geometry_.visits_over(into - in_set * geometry_.visit + run.piece.count());
  const std::uint64_t hash =
      mix64(static_cast<std::uint64_t>(shape.bytes) * 0x9e3779b97f4a7c15U +
            static_cast<std::uint64_t>(shape.piece) * 0xc2b2ae3d27d4eb4fU +
            static_cast<std::uint64_t>(shape.into_set) * 2 + (run.kind == Access::Write));
  Known& known = known_[hash % kKnownShapes];
  if (known.shape != shape) known = {.shape = shape, .demand = work_out(run, into)};
  if (scattered) place_piece(known.demand, into, in_set);
  return known.demand;
}

/// Under a map that keeps a row's bursts together, a controller serves as many rows side by side as
/// fill the bus, each of its own bank group, and fewer towards the end. Bursts before the first
/// are of the first row.
Picoseconds HbmRunModel::rows_side_by_side(std::int64_t before, std::int64_t bursts) const {
  const std::int64_t row = params_.row.count() / params_.burst.count();
  const Picoseconds apart = max(t_.t_burst, t_.t_ccd_s);
  const auto side = static_cast<std::size_t>(
      std::max<std::int64_t>(1, std::min(geometry_.groups_of(columns_of_visits_),
                                         div_up(t_.t_ccd_l.count(), apart.count()))));
  const auto pace = [&](std::size_t rows) {
    return max(t_.t_ccd_l, static_cast<std::int64_t>(rows) * apart);
  };
  // Whole rounds in the middle of a long run are alike.
  const std::int64_t round = static_cast<std::int64_t>(side) * row;
  const std::int64_t rounds = std::max<std::int64_t>(0, bursts / round - 3);
  Picoseconds time = rounds * row * pace(side);
  std::int64_t left = bursts - rounds * round;
  std::vector<std::int64_t> open;
  std::int64_t next = std::min(left, row - before);
  for (Picoseconds step{}; left > 0 || !open.empty();) {
    for (; open.size() < side && left > 0; next = std::min(left, row)) {
      open.push_back(next);
      left -= next;
    }
    const std::int64_t least = *std::min_element(open.begin(), open.end());
    step = pace(open.size());
    time += least * step;
    for (std::int64_t& row_left : open) row_left -= least;
    std::erase(open, 0);
    if (left == 0 && open.empty()) return time - step + t_.t_burst;
  }
  return time;
}

void HbmRunModel::place_piece(Demand& demand, std::int64_t into_set, std::int64_t in_set) const {
  demand.sets = geometry_.sets_over(into_set + demand.visits * geometry_.visit);
  list_first_rows(demand, in_set);
}

HbmRunModel::Demand HbmRunModel::work_out(const MemoryRun& run, std::int64_t into_set) {
  const std::int64_t burst = params_.burst.count();
  const std::int64_t piece =
      run.piece.count() > 0 ? std::min(run.piece, run.bytes).count() : run.bytes.count();
  const std::int64_t pieces = div_up(run.bytes.count(), piece);
  const std::int64_t bursts = div_up(piece, burst);
  Demand demand;
  demand.bursts = pieces * bursts;
  demand.visits = div_up(into_set % geometry_.visit + piece, geometry_.visit);
  const std::int64_t seen = std::min(demand.visits, sight_visits_);
  const Picoseconds apart = spacing(std::min(demand.visits, columns_of_visits_));
  const bool is_long = piece >= kLongRun.count();
  const Paces& paces = columns_[run.kind == Access::Write];
  const Picoseconds column = is_long ? paces.of_long : paces.of_short;
  demand.visit = geometry_.visit / burst * max(column, apart);
  demand.bus = bursts * column;
  demand.beside = is_long ? bursts * paces.beside : demand.bus;
  // Groups take turns; what is left at the end has fewer of them, and its columns stand apart.
  const std::int64_t rest = bursts % (geometry_.groups_of(seen) * geometry_.visit / burst);
  const Picoseconds end = spacing(div_up(rest * burst, geometry_.visit));
  demand.alone = (bursts - rest) * apart + rest * end - (rest > 0 ? end : apart) + t_.t_burst;
  if (geometry_.visit == params_.row.count() && piece > geometry_.visit)
    demand.alone = rows_side_by_side(into_set % geometry_.visit / burst, bursts);
  const std::int64_t into = into_set / geometry_.visit;
  const std::int64_t sets = div_up(into + demand.visits, visits_of_set_);
  const std::int64_t first = std::min(geometry_.members, visits_of_set_ - into);
  const std::int64_t last =
      std::min(geometry_.members, into + demand.visits - (sets - 1) * visits_of_set_);
  demand.in_first = std::min(demand.visits, visits_of_set_ - into) * demand.visit;
  demand.rows = sets == 1 ? std::min(geometry_.members, demand.visits)
                          : first + (sets - 2) * geometry_.members + last;
  demand.sets = div_up(into_set + demand.visits * geometry_.visit, geometry_.set);
  demand.again = seen * geometry_.visit * geometry_.members / geometry_.set;
  demand.into = into_set / burst * column_;
  demand.row = Picoseconds{div_up(demand.bus.count(), demand.rows)};
  list_first_rows(demand, into);
  demand.sweeps = demand.visits >= (geometry_.sets + 1) * visits_of_set_;
  if (pieces == 1) return demand;
  const Pace& pace = pace_of(piece, run.kind);
  demand.scattered = true;
  demand.bus = demand.beside = pieces * pace.piece;
  demand.alone = max(demand.alone, demand.bus);
  demand.rows = static_cast<std::int64_t>(pace.activates * static_cast<double>(pieces));
  demand.again = 0;
  demand.open = pieces * pace.open;
  return demand;
}

/// A run's last column waits for its bank group while one of another stack id may go.
bool HbmRunModel::straggles(const Columns& run) {
  // Groups that all take part repeat themselves: the end of a long run is that of a short one.
  const std::int64_t round = geometry_.set / params_.burst.count();
  const std::int64_t bursts = run.bursts > 3 * round ? 2 * round + run.bursts % round : run.bursts;
  const std::int64_t key = (run.into * (3 * round + 1) + bursts) * 3 +
                           static_cast<std::int64_t>(run.rows);  // kinds of rows
  const auto [known, fresh] = straggling_->try_emplace(key, false);
  if (fresh) known->second = last_gap(run.into, bursts, run.rows) > t_.t_ccd_r;
  return known->second;
}

/// From the last column but one to the last, of a run served oldest first among its bank groups.
/// The burst that opened a row goes first, also where the row is of a later set.
Picoseconds HbmRunModel::last_gap(std::int64_t begin, std::int64_t bursts, Rows rows) const {
  const std::int64_t of_visit = geometry_.visit / params_.burst.count();
  const std::int64_t round = geometry_.set / params_.burst.count();
  const std::int64_t groups = geometry_.groups_of(sight_visits_);
  std::vector<std::int64_t> left(static_cast<std::size_t>(groups));  // next burst of each group
  std::vector<Picoseconds> ready(static_cast<std::size_t>(groups));
  std::vector<char> fresh(static_cast<std::size_t>(groups), rows != Rows::Open);
  const std::int64_t first = begin / of_visit;
  for (std::int64_t g = 0; g < groups; ++g) {
    const auto group = static_cast<std::size_t>((first + g) % groups);
    left[group] = std::max(begin, (first + g) * of_visit);
    if (rows == Rows::Opening) ready[group] = g * t_.t_rrd_s;
  }
  const std::int64_t end = begin + bursts;
  Picoseconds now{}, before{};
  const Picoseconds apart = max(t_.t_burst, t_.t_ccd_s);
  for (std::int64_t i = 0; i < bursts; ++i) {
    std::size_t best = left.size();
    Picoseconds soonest{std::numeric_limits<std::int64_t>::max()};
    for (std::size_t g = 0; g < left.size(); ++g)
      if (left[g] < end) soonest = min(soonest, ready[g]);
    const Picoseconds at = i == 0 ? now : max(now + apart, soonest);
    // Rows just opened come first.
    const auto order = [&](std::size_t g) { return fresh[g] ? left[g] - bursts : left[g]; };
    for (std::size_t g = 0; g < left.size(); ++g)
      if (left[g] < end && ready[g] <= at && (best == left.size() || order(g) < order(best)))
        best = g;
    before = now;
    now = at;
    fresh[best] = false;
    ready[best] = at + t_.t_ccd_l;
    if (++left[best] % of_visit == 0) left[best] += (groups - 1) * of_visit;
    if (rows != Rows::Open && left[best] % round % (groups * of_visit) == left[best] % round &&
        left[best] % of_visit == 0 && left[best] < end && ++i < bursts)
      ++left[best];
  }
  return now - before;
}

/// Measured once per size on a channel of its own: pieces at random places, the queue never dry.
const HbmRunModel::Pace& HbmRunModel::pace_of(std::int64_t piece, Access kind) {
  const auto [found, fresh] = paces_.try_emplace({piece, kind});
  if (!fresh) return found->second;
  HbmParams params = params_;
  params.refresh = RefreshMode::Off;
  HbmRunModel scratch{params};
  constexpr std::int64_t kPlaces = 1 << 20;  // drawn from; chosen
  std::int64_t moved = 0;
  Picoseconds begin{}, end{};
  MemoryStats settled;
  for (std::int64_t i = 0; i < kPacePieces; ++i) {
    const auto place = static_cast<std::int64_t>(mix64(static_cast<std::uint64_t>(i)) % kPlaces);
    const MemoryRun run{kind, Bytes{place * piece}, Bytes{piece}, Bytes{}};
    end = max(end, scratch.access(run, Picoseconds{}).done);
    if (i + 1 == kPacePieces / 8) {  // an eighth warms up
      begin = end;
      settled = scratch.stats();
    } else if (i >= kPacePieces / 8) {  // behind that eighth
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
  const std::int64_t members = geometry_.members;
  const HbmGeometry::Member at = geometry_.member_of(index);
  std::int64_t back_sets = sweep_.last.of_sets - at.set;
  std::int64_t row = sweep_.last.row;
  if (back_sets < 0) {
    back_sets += geometry_.sets;
    --row;
  }
  std::int64_t back = sweep_.member - at.member;
  if (back < 0) back += members;
  // Not reached in the last set: its row is of one round earlier.
  if (back_sets == 0 && back > sweep_.last.in_set) {
    back_sets = geometry_.sets;
    --row;
  }
  if (back_sets > 0)
    back = sweep_.last.in_set + 1 + (back_sets - 1) * visits_of_set_ + (members - 1 - at.member);
  const Picoseconds used = sweep_.end - back * sweep_.visit;
  leave(bank, std::max<std::int64_t>(0, row), used - visits_of_set_ * sweep_.visit, used,
        sweep_.kind);
}

void HbmRunModel::leave(Bank& bank, std::int64_t row, Picoseconds first, Picoseconds used,
                        Access kind) const {
  const bool read = kind == Access::Read;
  bank.row = row;
  bank.used = used;
  bank.act_ready = max(bank.act_ready,
                       first + t_.t_rc - (read ? t_.t_rcd_rd + t_.t_cl : t_.t_rcd_wr + t_.t_cwl));
  bank.pre_ready = max(bank.pre_ready, used + (read ? t_.t_rtp - t_.t_cl - t_.t_burst : t_.t_wr));
}

/// Closed page: a row closes behind its last column command unless another run is seen by then.
void HbmRunModel::close_behind(Bank& bank, Access kind, Picoseconds at) const {
  if (bank.row == kClosed || bank.used - (kind == Access::Read ? t_.t_cl : t_.t_cwl) >= at) return;
  bank.row = kClosed;
  bank.act_ready = max(bank.act_ready, bank.pre_ready + t_.t_rp);
}

/// Refreshes since the bank was last used have closed its row; one under way holds it.
Picoseconds HbmRunModel::apply_refresh(Bank& bank, std::size_t index, Picoseconds at) {
  if (params_.refresh == RefreshMode::AllBank) {
    const Picoseconds due{refresh_.due(at) * t_.t_refi.count()};
    if (due.count() == 0 || bank.used - t_.t_cl >= due) return {};
    bank.act_ready = max(bank.act_ready, refresh_.command(due));
    bank.row = kClosed;
    return {};
  }
  if (params_.refresh != RefreshMode::PerBank) return {};
  const Picoseconds begun = refreshed(index, at);
  if (begun.count() == 0 || bank.used >= begun) return {};
  bank.row = kClosed;
  return begun + t_.t_rfc_pb;
}

/// One bank in turn every tREFI / banks: when its last refresh up to `at` began; 0 for none.
Picoseconds HbmRunModel::refreshed(std::size_t index, Picoseconds at) const {
  const auto count = static_cast<std::int64_t>(banks_.size());
  const std::int64_t slot = t_.t_refi.count() / count;
  const std::int64_t number = static_cast<std::int64_t>(geometry_.bank(index)) + 1;
  const std::int64_t since = at.count() / slot - number;
  return since < 0 ? Picoseconds{} : Picoseconds{(since / count * count + number) * slot};
}

/// Per-bank refresh within a run: others pass the bursts of the bank, so only what is late at the
/// end shows. A bank whose bursts are in sight is not chosen.
Picoseconds HbmRunModel::refreshed_end(const MemoryRun& run, const Demand& demand,
                                       Picoseconds begin, Picoseconds end) const {
  const bool read = run.kind == Access::Read;
  // An idle bank has a row open, unless pages are closed.
  const bool open = params_.controller.page == PagePolicy::Open;
  const Picoseconds hold = (open ? t_.t_rp : Picoseconds{}) + t_.t_rfc_pb +
                           (read ? t_.t_rcd_rd + t_.t_cl : t_.t_rcd_wr + t_.t_cwl);
  const Picoseconds sight = sight_visits_ * geometry_.visit / params_.burst.count() * column_;
  const std::int64_t first = geometry_.visits_before(run.address);
  const std::int64_t last = first + demand.visits - 1;
  const Picoseconds visit{(end - begin).count() / demand.visits};
  const HbmGeometry::Walk listed = geometry_.walk_to(first);
  const std::int64_t looked_at = listed.set + demand.first_rows.back().set;
  Picoseconds latest = end;
  HbmGeometry::Walk at = geometry_.walk_to(last);
  while (at.set > looked_at) {
    const std::int64_t begun = at.set * visits_of_set_;
    const Picoseconds needed = begin + (begun - first) * visit;
    if (end - needed > hold) break;
    const std::int64_t members = std::min(geometry_.members, last - begun + 1);
    for (std::int64_t member = 0; member < members; ++member) {
      const Picoseconds since = refreshed(geometry_.index(at.of_sets, member), needed - sight);
      if (since.count() == 0 || since + hold <= needed + member * visit) continue;
      const std::int64_t bursts = std::min(last - begun + 1, visits_of_set_) * geometry_.visit /
                                  params_.burst.count() / members;
      latest = max(latest, since + hold + bursts * t_.t_ccd_l);
    }
    --at.set;
    at.of_sets = at.of_sets == 0 ? geometry_.sets - 1 : at.of_sets - 1;
  }
  return latest;
}

/// Rows of a set that open one after the other: until the bus is full each adds the columns of its
/// bank group, tCCD_L apart. Data that began now and never paused would end as these do.
Picoseconds HbmRunModel::Ramp::data(Picoseconds floor, Picoseconds in_group,
                                    Picoseconds apart) const {
  Picoseconds lost{};
  for (std::size_t i = 0; i + 1 < count; ++i) {
    const std::int64_t share = static_cast<std::int64_t>(i + 1) * apart.count();
    const std::int64_t idle = std::max<std::int64_t>(0, in_group.count() - share);
    const Picoseconds step = max(Picoseconds{}, from[i + 1] - max(from[i], floor));
    lost += Picoseconds{step.count() * idle / in_group.count()};
  }
  return count == 0 ? floor : max(floor, from[0]) + lost;
}

Picoseconds HbmRunModel::open_first(const MemoryRun& run, Demand& demand, Picoseconds at) {
  const bool read = run.kind == Access::Read;
  const Picoseconds to_data = read ? t_.t_rcd_rd + t_.t_cl : t_.t_rcd_wr + t_.t_cwl;
  const HbmGeometry::Walk begin = geometry_.walk_to(geometry_.visits_before(run.address));
  std::int64_t missing = 0;
  std::int64_t conflicts = 0;  // in the first set
  std::int64_t opens_first = 0;
  Picoseconds earliest{};
  for (FirstRow& first : demand.first_rows) {
    std::int64_t of_sets = begin.of_sets + first.set;
    first.row = begin.row;
    if (of_sets >= geometry_.sets) {
      of_sets -= geometry_.sets;
      ++first.row;
    }
    first.bank = geometry_.index(of_sets, first.member);
    Bank& bank = bank_at(first.bank);
    if (params_.controller.page == PagePolicy::Closed) close_behind(bank, run.kind, at);
    first.wait = apply_refresh(bank, first.bank, at);
    if (bank.row == first.row) continue;
    conflicts += first.set == 0 && bank.row != kClosed;
    opens_first += first.set == 0;
    const Picoseconds ready =
        max(bank.act_ready, bank.row == kClosed ? at : max(at, bank.pre_ready) + t_.t_rp);
    earliest = missing++ == 0 ? ready : min(earliest, ready);
  }
  if (missing == 0) ++stats_.row_hits;
  stats_.activates += missing;
  const Picoseconds slot = missing == 0 ? at : open_rows(at, earliest, missing);
  Picoseconds data = at + (read ? t_.t_cl : t_.t_cwl);
  std::int64_t opened = 0;
  late_ = Picoseconds{};
  late_rows_ = 0;
  opens_ = missing > 0;
  opens_first_ = opens_first > 0;
  later_ = demand.first_rows.back().set > 0 ? data : kNever;
  // Of one row behind its precharge the run's other rows hide the wait; a run that comes to each
  // bank once is placed group by group.
  const bool runs_up = conflicts > 1 && demand.visits > geometry_.members;
  Ramp ramp;
  for (const FirstRow& first : demand.first_rows) {
    Bank& bank = banks_[first.bank];
    bool late = false;
    if (bank.row != first.row) {
      Picoseconds activate = max(slot + opened++ * t_.t_rrd_s, bank.act_ready);
      late = first.wait > activate;
      activate = max(activate, first.wait);
      const Picoseconds precharge = max(at, bank.pre_ready);
      if (bank.row != kClosed) activate = max(activate, precharge + t_.t_rp);
      open_.close(first.bank, precharge);
      bank.row = first.row;
      bank.opened = refresh_.command(activate);
      bank.act_ready = bank.opened + t_.t_rc;
      bank.pre_ready = bank.opened + t_.t_ras;
      open_.open(first.bank, bank.opened);
    }
    late_rows_ += late;
    // Others pass the bursts of a bank under refresh.
    if (late)
      late_ = max(late_, bank.opened + to_data);
    else if (first.set == 0 && runs_up)
      ramp.add(bank.opened + to_data);
    else if (first.set == 0)
      data = max(data, bank.opened + to_data - first.after);
    else
      later_ = max(later_, bank.opened + to_data - first.after + demand.in_first);
  }
  data = ramp.data(data, t_.t_ccd_l, max(t_.t_burst, t_.t_ccd_s));
  return demand.visits <= geometry_.members ? columns(demand, data) : data;
}

/// The rows a run needs first: of the sets it walks through while they are within sight.
void HbmRunModel::list_first_rows(Demand& demand, std::int64_t in_set) const {
  const std::int64_t end = in_set + std::min(demand.visits, sight_visits_);
  demand.first_rows.clear();
  std::int64_t member = geometry_.member(in_set);
  for (std::int64_t at = in_set, set = 0; at < end && set < geometry_.sets; ++set) {
    const std::int64_t next = (set + 1) * visits_of_set_;
    const std::int64_t count = std::min(geometry_.members, std::min(end, next) - at);
    // Behind enough data of the rows before, opening the next ones does not show.
    const bool hidden = (at - in_set) * demand.visit >= t_.t_rc + t_.t_rp;
    if (set > 0 &&
        (hidden || demand.first_rows.size() + static_cast<std::size_t>(count) > kFirstRows))
      return;
    for (std::int64_t i = 0; i < count; ++i) {
      demand.first_rows.push_back(
          {.set = set, .member = member, .after = (at + i - in_set) * demand.visit});
      if (++member == geometry_.members) member = 0;
    }
    member = 0;
    at = next;
  }
}

/// Takes a place among the activates: tRRD apart, and every four of them fill tFAW.
Picoseconds HbmRunModel::open_rows(Picoseconds at, Picoseconds earliest, std::int64_t count) {
  if (activates_.tail() <= at) activated_ = 0;
  // Four activates are a window of t_FAW.
  const std::int64_t windows = (activated_ + count) / 4 - activated_ / 4;
  activated_ = (activated_ + count) % 4;                                   // t_FAW is of four
  const Picoseconds rest = max(Picoseconds{}, t_.t_faw - 4 * t_.t_rrd_s);  // of the four
  return activates_.reserve(earliest, count * t_.t_rrd_s + windows * rest).first;
}

/// A run too short to pass through all groups meets others in the columns of its own.
Picoseconds HbmRunModel::columns(const Demand& demand, Picoseconds data) {
  const Picoseconds held = geometry_.visit / params_.burst.count() * t_.t_ccd_l;
  Picoseconds earliest = data;
  for (const FirstRow& first : demand.first_rows) {
    const Picoseconds offset = first.after;
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
  later_ = kNever;
  return place(run, demand, accepted, refresh_.command(accepted) + t_.t_rcd_wr + t_.t_cwl);
}

/// Turns the bus if it serves the other direction; returns the earliest row command after that.
Picoseconds HbmRunModel::turn(Access kind, Picoseconds seen) {
  if (bursts_[0] + bursts_[1] == 0) direction_ = kind;
  if (kind == direction_ && !beside_) return {};
  const bool write = kind == Access::Write;
  const Picoseconds tail = refresh_.ends(bus_.tail());
  const Picoseconds last = tail - t_.t_burst - (write ? t_.t_cl : t_.t_cwl);
  if (kind == direction_) {
    beside_ = last > seen;  // else the bus turned to them meanwhile
    return {};
  }
  beside_ = last - seen >= (write ? reads_in_sight_ : left_behind_ * column_);
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
  const std::int64_t first = geometry_.walk_to(geometry_.visits_before(run.address)).of_sets;
  const std::int64_t ahead = geometry_.in_round(last_set_[!write] - first + geometry_.sets);
  if (demand.scattered || ahead < demand.sets) waiting_[!write] = Picoseconds{};
  last_set_[write] = geometry_.in_round(first + demand.sets - 1);
}

/// Opens the rows of the queued writes; returns when a drain that began with them can go on to
/// others, less the bus time they have already.
Picoseconds HbmRunModel::open_queued(Picoseconds at) {
  Picoseconds ready{};
  for (const MemoryRun& run : queued_) {
    Demand demand = demand_of(run);
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
  const std::int64_t first = geometry_.visits_before(run.address);
  const Picoseconds visit{(end - begin).count() / demand.visits};
  if (demand.scattered || demand.sweeps) {
    if (demand.scattered) {
      for (std::size_t bank = 0; bank < open_.banks(); ++bank) open_.close(bank, begin);
      open_.add(min(demand.open, static_cast<std::int64_t>(open_.banks()) * (end - begin)));
    } else {
      hold_swept_rows(run, demand, geometry_.walk_to(first).of_sets, begin, end);
    }
    const HbmGeometry::Walk last = geometry_.walk_to(first + demand.visits - 1);
    sweep_ = {.closes = demand.scattered,
              .begin = begin,
              .end = end,
              .visit = visit,
              .last = last,
              .member = geometry_.member(last.in_set),
              .kind = run.kind};
    ++sweeps_;
    return;
  }
  const std::int64_t last = first + demand.visits - 1;
  const Picoseconds ahead = opened_ahead(run.kind);
  HbmGeometry::Walk at = geometry_.walk_to(first);
  for (std::int64_t from = first; from <= last; from = (++at.set) * visits_of_set_) {
    const std::int64_t begun = at.set * visits_of_set_;
    const std::int64_t to = std::min(last, begun + visits_of_set_ - 1);
    const Picoseconds needed = begin + (from - first) * visit;
    for (std::int64_t back = 0; back < std::min(geometry_.members, to - from + 1); ++back) {
      const std::size_t index = geometry_.index(at.of_sets, geometry_.member(to - back - begun));
      const Picoseconds used = end - (last - to + back) * visit;
      hold_row(index, at.row, max(begin, needed - ahead), needed, used);
      leave(banks_[index], at.row, needed, used, run.kind);
    }
    if (++at.of_sets == geometry_.sets) {
      at.of_sets = 0;
      ++at.row;
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

void HbmRunModel::hold_row(std::size_t index, std::int64_t row, Picoseconds activate,
                           Picoseconds needed, Picoseconds used) {
  if (bank_at(index).row != row || !open_.is_open(index, needed)) {
    open_.close(index, activate - t_.t_rp);
    open_.open(index, activate);
  }
  open_.keep(index, used);
  open_.add((refresh_.due(needed) - refresh_.due(max(needed, used))) * (t_.t_rp + t_.t_rfc_ab));
}

/// Rows follow each other in every bank, tRP apart; each refresh closes them all, and the run comes
/// back to them set by set, from set `first` on.
void HbmRunModel::hold_swept_rows(const MemoryRun& run, const Demand& demand, std::int64_t first,
                                  Picoseconds begin, Picoseconds end) {
  const Picoseconds ahead = opened_ahead(run.kind);
  const auto all = static_cast<std::int64_t>(open_.banks());
  const bool in_turn = params_.refresh == RefreshMode::PerBank;
  Picoseconds back{};  // from a refresh until a bank is opened again, summed over banks
  const Picoseconds next = open_.next_refresh(0, end);
  for (std::int64_t sets_before = 0; sets_before < geometry_.sets; ++sets_before) {
    const std::int64_t past = first + sets_before;
    const auto set = static_cast<std::size_t>(past < geometry_.sets ? past : past - geometry_.sets);
    back += geometry_.members * max(Picoseconds{}, sets_before * set_time_ - ahead);
    const Picoseconds activate =
        begin + max(Picoseconds{}, sets_before * set_time_ - demand.into - ahead);
    if (!in_turn) {
      if (sets_before > 0)
        open_.reopen_set(set, activate - t_.t_rp, activate, next);
      else
        open_.keep_set_until(set, next);
      continue;
    }
    for (std::int64_t member = 0; member < geometry_.members; ++member) {
      const std::size_t bank = geometry_.index(static_cast<std::int64_t>(set), member);
      const Picoseconds refresh = open_.next_refresh(bank, end);
      if (sets_before > 0) {
        open_.close(bank, activate - t_.t_rp);
        open_.open(bank, activate, refresh);
      }
      open_.keep_until(bank, refresh);
    }
  }
  open_.add(-1 * (std::max<std::int64_t>(0, demand.rows - all) * t_.t_rp));
  if (in_turn) {
    // A bank waits for the run to come back to it, half a round in the mean.
    const std::int64_t refreshes = (end - begin).count() / (t_.t_refi.count() / all);
    const Picoseconds wait{(geometry_.sets * set_time_ - ahead).count() / 2};
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

/// What lies in the first set of banks and what lies behind it wait for their own rows.
BusTimeline::Slot HbmRunModel::take_bus(const Demand& demand, Picoseconds data, Picoseconds bus) {
  const Picoseconds first = refresh_.useful(data);
  const Picoseconds rest = bus - demand.in_first;
  if (rest.count() <= 0 || later_ == kNever) return bus_.reserve(first, bus);
  const Picoseconds later = refresh_.useful(later_);
  const Picoseconds tail = bus_.tail();
  if (first <= tail && later <= max(first, tail) + demand.in_first)
    return bus_.reserve(min(first, later), bus);
  if (later < first) {
    const BusTimeline::Slot ahead = bus_.reserve(later, rest);
    const BusTimeline::Slot behind = bus_.reserve(first, demand.in_first);
    return {.first = min(ahead.first, behind.first), .last = max(ahead.last, behind.last)};
  }
  const BusTimeline::Slot ahead = bus_.reserve(first, demand.in_first);
  const BusTimeline::Slot behind = bus_.reserve(later, rest);
  return {.first = ahead.first, .last = max(ahead.last, behind.last)};
}

/// Bus time lost where one stack id's columns follow another's.
Picoseconds HbmRunModel::switch_stacks(const MemoryRun& run, const Demand& demand,
                                       Picoseconds data) const {
  if (demand.scattered) return {};
  const std::int64_t first = geometry_.visits_before(run.address) / visits_of_set_;
  const bool follows = before_.stack >= 0 && before_.stack != geometry_.stack_of(first) &&
                       refresh_.useful(data) <= bus_.tail();
  return follows ? switch_ : Picoseconds{};
}

/// A run whose last column waits for its bank group is overtaken by one in another stack id: its
/// own columns leave no gap of tCCD_R until it ends or goes to the next stack id. What was told of
/// the run before stands; whoever asks after its end sees the delay.
void HbmRunModel::hold_back(const MemoryRun& run, const Demand& demand, Picoseconds data,
                            Picoseconds begin, Picoseconds end) {
  const std::int64_t first = geometry_.visits_before(run.address) / visits_of_set_;
  const std::int64_t stack = geometry_.stack_of(first);
  const std::int64_t ahead = sets_of_stack_ - first % sets_of_stack_;  // until the next stack id
  if (before_.stack >= 0 && data < before_.end - t_.t_burst &&
      ((before_.stack != stack && straggles(before_.last)) ||
       (before_.crosses && before_.first_stack != stack && straggles(before_.first))))
    held_ = {.from = before_.end, .until = min(end, begin + ahead * set_time_)};
  const bool follows = run.kind == Access::Read && !demand.scattered;
  const std::int64_t into = geometry_.bytes_into_set(run.address) / params_.burst.count();
  const std::int64_t of_first =
      std::min(demand.bursts, ahead * geometry_.set / params_.burst.count() - into);
  const Rows rows = !opens_ ? Rows::Open : begin > data ? Rows::Ready : Rows::Opening;
  before_ = {.stack = follows ? geometry_.stack_of(first + demand.sets - 1) : -1,
             .first_stack = stack,
             .crosses = of_first < demand.bursts && opens_first_,
             .first = {.into = into, .bursts = of_first, .rows = rows},
             .last = {.into = into, .bursts = demand.bursts, .rows = rows},
             .end = end};
}

AccessTiming HbmRunModel::place(const MemoryRun& run, const Demand& demand, Picoseconds accepted,
                                Picoseconds data) {
  const bool read = run.kind == Access::Read;
  const Picoseconds latency = read ? t_.t_cl : t_.t_cwl;
  const Picoseconds late = late_rows_ * demand.row;
  Picoseconds bus = max((beside_ ? demand.beside : demand.bus) - late, Picoseconds{});
  if (switch_.count() > 0) bus += switch_stacks(run, demand, data);
  const BusTimeline::Slot slot = take_bus(demand, data, bus);
  Picoseconds begin = refresh_.begins(slot.first);
  Picoseconds end = max(refresh_.ends(slot.last), begin + demand.alone);
  const std::int64_t side = read ? 0 : 1;
  bursts_[side] += demand.bursts;
  served_[side].push_back({.end = bursts_[side],
                           .bursts = demand.bursts,
                           .first = begin - latency,
                           .last = end - t_.t_burst - latency});
  if (params_.refresh == RefreshMode::PerBank && !demand.scattered)
    end = refreshed_end(run, demand, begin, end);
  if (late.count() > 0) {
    const BusTimeline::Slot rest = bus_.reserve(refresh_.useful(late_), min(late, demand.bus));
    if (late >= demand.bus) begin = refresh_.begins(rest.first);
    // They stand alone in their bank groups.
    const Picoseconds apart = spacing(late_rows_);
    const Picoseconds alone =
        Picoseconds{late.count() * apart.count() / column_.count()} - apart + t_.t_burst;
    end = max(end, max(refresh_.ends(rest.last), refresh_.begins(rest.first) + alone));
    late_rows_ = 0;
  }
  if (switch_.count() > 0) hold_back(run, demand, data, begin, end);
  ++stats_.transactions;
  (read ? stats_.read : stats_.written) += run.bytes;
  (read ? stats_.read_bursts : stats_.written_bursts) += demand.bursts;
  last_data_ = max(last_data_, end);
  // A long run opens the rows it is at, and those of the bursts in sight, again after each refresh.
  const std::int64_t due = refresh_.due(end);
  stats_.activates += (due - refresh_.due(begin)) * (geometry_.members + demand.again);
  stats_.refreshes += std::max<std::int64_t>(0, due - refreshes_seen_);
  refreshes_seen_ = std::max(refreshes_seen_, due);
  stats_.busy += demand.bursts * t_.t_burst;
  stats_.waited += max(Picoseconds{}, begin - accepted - latency);
  const Picoseconds started = refresh_.command(accepted);
  return {accepted, started, max(started, begin + t_.t_burst), end};
}

AccessTiming HbmRunModel::access(const MemoryRun& run, Picoseconds at) {
  if (run.bytes.count() <= 0) return {at, at, at, at};
  AccessTiming timing = answer(run, at);
  if (!run.posted || run.kind == Access::Read) return timing;
  // The last bursts of a posted write stay in the queue.
  timing.done = max(timing.accepted, timing.done - params_.controller.write_queue * t_.t_burst);
  timing.started = min(timing.started, timing.done);
  timing.first_data = min(timing.first_data, timing.done);
  return timing;
}

AccessTiming HbmRunModel::answer(const MemoryRun& run, Picoseconds at) {
  Demand& demand = demand_of(run);
  if (at > held_.from) {
    at = max(at, held_.until);
    held_ = {.from = kNever, .until = {}};
  }
  const Picoseconds accepted = sight(run.kind, at);
  if (stays_queued(run, demand)) return queue(run, demand, accepted);
  const Picoseconds commands = max(refresh_.command(accepted), turn(run.kind, accepted));
  Picoseconds data = data_from_;
  if (run.kind == Access::Write && !queued_.empty()) {
    data = max(data, open_queued(commands));
    return serve(run, demand_of(run), accepted, commands, data);
  }
  return serve(run, demand, accepted, commands, data);
}

AccessTiming HbmRunModel::serve(const MemoryRun& run, Demand& demand, Picoseconds accepted,
                                Picoseconds commands, Picoseconds data) {
  const Picoseconds turned = data;
  data = max(turned, open_first(run, demand, commands));
  later_ = max(turned, later_);
  const auto listed = static_cast<std::int64_t>(demand.first_rows.size());
  stats_.activates += std::max<std::int64_t>(0, demand.rows - listed);
  lose_rows(run, demand);
  const AccessTiming timing = place(run, demand, accepted, data);
  settle(run, demand, timing.first_data - t_.t_burst, timing.done);
  return timing;
}

}  // namespace reticle
