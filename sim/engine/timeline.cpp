// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/timeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "models/package/deployment.hpp"
#include "sim/base/rng.hpp"
#include "sim/engine/step_power.hpp"
#include "sim/mapping/program_label.hpp"
#include "sim/metrics/labels.hpp"

namespace reticle {

namespace {
// Processes of an instance: its scheduler, its power, its switches, its dies.
constexpr std::int64_t kInstanceStride = 1'000'000;
constexpr std::int64_t kScheduler = 1, kPower = 2, kSwitches = 3, kFirstDie = 10;
// Threads of a die.
constexpr std::int64_t kSequencer = 1;
constexpr std::int64_t kLaneStride = 1'000;
constexpr std::int64_t kFirstLink = 10'000;
constexpr std::size_t kPowerBins = 256;

struct UnitTrack {
  std::int64_t thread;
  std::string_view name;
};
/// In the order of enum Unit.
constexpr std::array<UnitTrack, kUnitCount> kTracks{{{5, "SRAM reads"},
                                                     {6, "HBM reads"},
                                                     {7, "far reads"},
                                                     {8, "flash reads"},
                                                     {9, "writes"},
                                                     {3, "MAC array"},
                                                     {4, "vector unit"},
                                                     {10, "exchanges"},
                                                     {2, "launches"}}};

std::int64_t base_of(std::int32_t instance) { return kInstanceStride * instance; }

std::string operator_text(const Instruction& in) {
  std::string text{label_name(in.label)};
  if (in.layer >= 0) text += fmt::format(" L{}", in.layer);
  return text;
}

/// Payload of all its messages from a die.
std::int64_t sent_by(const Exchange& exchange, std::size_t die) {
  std::int64_t bytes = 0;
  for (const auto& phase : exchange.phases)
    for (const Message& m : phase)
      if (index(exchange.participants[static_cast<std::size_t>(m.source)]) == die)
        bytes += m.bytes.count();
  return bytes;
}

/// Of equal dies, equal.
std::uint64_t hash_of(const std::vector<UnitSlice>& slices) {
  std::uint64_t hash = slices.size();
  for (const UnitSlice& s : slices)
    hash = combine64(
        hash, static_cast<std::uint64_t>(s.begin.count() ^
                                         (s.end.count() << 20)));  // ends apart from beginnings
  return hash;
}

bool same_work(const Program& a, const Program& b) {
  return std::ranges::equal(a.code, b.code, [](const Instruction& x, const Instruction& y) {
    return x.code == y.code && x.label == y.label && x.layer == y.layer && x.amount == y.amount &&
           x.exchange == y.exchange;
  });
}
}  // namespace

Timeline::Timeline(std::ostream& out, const RunSpec& spec, const TimelineOptions& options)
    : trace_{out}, spec_{spec}, options_{options} {}

bool Timeline::wants(std::int32_t /*instance*/, std::int64_t step) const {
  return options_.steps.has(step);
}

void Timeline::name_process(std::int64_t process, const std::string& name) {
  if (processes_.try_emplace(process, name).second) trace_.process(process, name);
}

void Timeline::name_track(TrackId track, std::string_view name) {
  if (lanes_.try_emplace({track.process, track.thread}).second) trace_.thread(track, name);
}

TrackId Timeline::lane(TrackId track, std::string_view name, Picoseconds begin, Picoseconds end) {
  name_track(track, name);
  auto& taken = lanes_[{track.process, track.thread}];
  const auto free = std::ranges::find_if(taken, [&](Picoseconds until) { return until <= begin; });
  const auto number = free - taken.begin();
  if (free == taken.end())
    taken.push_back(end);
  else
    *free = end;
  if (number == 0) return track;
  const TrackId beside{track.process, track.thread * kLaneStride + number};
  name_track(beside, fmt::format("{} ({})", name, number + 1));
  return beside;
}

std::vector<Timeline::Shown> Timeline::choose(const SiliconStep& step,
                                              std::size_t& left_out) const {
  std::vector<Shown> all;
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> by_hash;
  const bool fold = !options_.dies;
  for (std::size_t d = 0; d < step.deployment.size(); ++d) {
    if (options_.dies && !options_.dies->has(static_cast<std::int64_t>(d))) continue;
    const Die& die = step.deployment.die(DieId{static_cast<std::uint32_t>(d)});
    Shown shown{
        .die = d, .slices = unit_slices(die.sequencer, step.platform.die, step.begun), .alike = {}};
    auto& candidates = by_hash[hash_of(shown.slices)];
    const auto like = std::ranges::find_if(candidates, [&](std::size_t c) {
      return fold && all[c].slices == shown.slices &&
             same_work(step.programs.dies[all[c].die], step.programs.dies[d]);
    });
    if (like != candidates.end()) {
      all[*like].alike.push_back(d);
      continue;
    }
    candidates.push_back(all.size());
    // Slices of units, of operators (one an instruction at most, and loads are none), staging.
    shown.events = shown.slices.size() + kPowerBins +
                   static_cast<std::size_t>(
                       std::ranges::count_if(step.programs.dies[d].code, [](const Instruction& in) {
                         return in.code != OpCode::Load && in.code != OpCode::Store;
                       }));
    all.push_back(std::move(shown));
  }
  const Topology& topology = step.deployment.fabric().topology();
  std::vector<std::size_t> of_links(step.deployment.size());
  for (const LinkUse& use : step.links) {
    const Topology::Link& link = topology.links()[use.link];
    const std::int32_t die = link.from < topology.dies() ? link.from : link.to;
    if (die < topology.dies()) ++of_links[static_cast<std::size_t>(die)];
  }
  std::size_t events = 0;
  for (Shown& s : all) events += s.events += of_links[s.die];
  left_out = 0;
  if (!fold || events <= kMostEvents) return all;
  // Every nth of them.
  const std::size_t stride = div_up(std::int64_t(events), std::int64_t{kMostEvents});
  std::vector<Shown> some;
  for (std::size_t i = 0; i < all.size(); i += stride) some.push_back(std::move(all[i]));
  left_out = all.size() - some.size();
  return some;
}

void Timeline::ran(const SiliconStep& step) {
  const std::int64_t base = base_of(step.instance);
  name_process(base + kScheduler, fmt::format("scheduler {}", step.instance));
  const TrackId track{base + kScheduler, 2};
  name_track(track, "passes over the silicon");
  trace_.slice(track, step.host_from, step.begun, "host");
  trace_.slice(track, step.begun, step.ended, fmt::format("pass {}", ++parts_));

  std::size_t left_out = 0;
  const std::vector<Shown> shown = choose(step, left_out);
  std::size_t alike = 0;
  for (const Shown& s : shown) alike += s.alike.size();
  dies_note_ = fmt::format(
      "{} of {} dies shown; {} did the same as one that is shown, {} others are left out",
      shown.size(), step.deployment.size(), alike, left_out);
  for (const Shown& s : shown) {
    std::string name = fmt::format("die {}", s.die);
    if (!s.alike.empty())
      name += fmt::format(" (and {} that did the same, {} to {})", s.alike.size(), s.alike.front(),
                          s.alike.back());
    name_process(base + kFirstDie + static_cast<std::int64_t>(s.die), name);
    show_operators(step, s);
    show_die(step, s);
    show_staging(step, s);
  }
  show_links(step, shown);
  show_power(step);
}

/// The operators one after another, as the instructions of arrays, lanes, fabric and launches that
/// were written for them end; loads run ahead of theirs.
void Timeline::show_operators(const SiliconStep& step, const Shown& shown) {
  const TrackId track{base_of(step.instance) + kFirstDie + static_cast<std::int64_t>(shown.die),
                      kSequencer};
  name_track(track, "sequencer");
  const Program& program = step.programs.dies[shown.die];
  const Sequencer& sequencer =
      step.deployment.die(DieId{static_cast<std::uint32_t>(shown.die)}).sequencer;
  Picoseconds from = step.begun;
  std::int32_t open = kNoInstruction;
  Picoseconds until = from;
  const auto close = [&] {
    if (open == kNoInstruction || until <= from) return;
    trace_.slice(track, from, until, operator_text(program.code[static_cast<std::size_t>(open)]));
    from = until;
  };
  trace_.slice(track, step.begun, max(step.begun, sequencer.end()), "step");
  for (std::size_t i = 0; i < program.code.size(); ++i) {
    const Instruction& in = program.code[i];
    if (in.code == OpCode::Load || in.code == OpCode::Store) continue;
    if (open == kNoInstruction || program.code[static_cast<std::size_t>(open)].label != in.label ||
        program.code[static_cast<std::size_t>(open)].layer != in.layer) {
      close();
      open = static_cast<std::int32_t>(i);
    }
    until = max(until, sequencer.execution(static_cast<std::int32_t>(i)).end);
  }
  close();
}

void Timeline::show_die(const SiliconStep& step, const Shown& shown) {
  const std::int64_t process =
      base_of(step.instance) + kFirstDie + static_cast<std::int64_t>(shown.die);
  const Program& program = step.programs.dies[shown.die];
  for (const UnitSlice& s : shown.slices) {
    const Instruction& in = program.code[static_cast<std::size_t>(s.instruction)];
    const UnitTrack& unit = kTracks[static_cast<std::size_t>(s.unit)];
    const TrackId track = lane({process, unit.thread}, unit.name, s.begin, s.end);
    const std::string name = operator_text(in);
    switch (in.code) {
      case OpCode::Load:
      case OpCode::Store:
        trace_.slice(
            track, s.begin, s.end, name,
            {{"bytes", in.amount}, {"tier", name_of(in.tier)}, {"for", label_of(in.category).key}});
        break;
      case OpCode::Mac:
        trace_.slice(track, s.begin, s.end, name,
                     {{"macs", macs_of(program, in)},
                      {"format", name_of(in.precision)},
                      {"busy_ps", s.busy.count()}});
        break;
      case OpCode::Vector:
        trace_.slice(track, s.begin, s.end, name,
                     {{"op", kVectorOps[static_cast<std::size_t>(in.vector_op)].name},
                      {"elements", in.amount},
                      {"busy_ps", s.busy.count()}});
        break;
      case OpCode::Exchange: {
        const Sequencer& sequencer =
            step.deployment.die(DieId{static_cast<std::uint32_t>(shown.die)}).sequencer;
        const Exchange& exchange = *step.programs.exchanges[static_cast<std::size_t>(in.exchange)];
        trace_.slice(track, s.begin, s.end, name,
                     {{"exchange", std::int64_t{in.exchange}},
                      {"sent_bytes", sent_by(exchange, shown.die)},
                      {"dies", static_cast<std::int64_t>(exchange.participants.size())},
                      {"waits_for_others_ps",
                       (sequencer.execution(s.instruction).start - s.begin).count()}});
        break;
      }
      case OpCode::Wait:
        trace_.slice(track, s.begin, s.end, name);
        break;
    }
  }
}

/// Bytes in the staging buffer: the most within each of as many bins as power has.
void Timeline::show_staging(const SiliconStep& step, const Shown& shown) {
  const Program& program = step.programs.dies[shown.die];
  const Sequencer& sequencer =
      step.deployment.die(DieId{static_cast<std::uint32_t>(shown.die)}).sequencer;
  std::vector<std::pair<std::int64_t, std::int64_t>> changes;  // time, bytes
  for (std::size_t i = 0; i < program.code.size(); ++i) {
    const Instruction& in = program.code[i];
    if (!in.staged || in.consumer == kNoInstruction) continue;
    changes.emplace_back(sequencer.execution(static_cast<std::int32_t>(i)).start.count(),
                         in.amount);
    changes.emplace_back(sequencer.execution(in.consumer).end.count(), -in.amount);
  }
  if (changes.empty()) return;
  std::ranges::sort(changes);
  const std::int64_t process =
      base_of(step.instance) + kFirstDie + static_cast<std::int64_t>(shown.die);
  const std::int64_t bin =
      std::max<std::int64_t>(1, (step.ended - step.begun).count() / std::int64_t{kPowerBins});
  std::int64_t level = 0, told = -1;
  for (std::size_t c = 0; c < changes.size();) {
    const std::int64_t number = (changes[c].first - step.begun.count()) / bin;
    std::int64_t most = level;
    for (; c < changes.size() && (changes[c].first - step.begun.count()) / bin == number; ++c)
      most = std::max(most, level += changes[c].second);
    if (most == told) continue;
    trace_.counter(process, step.begun + Picoseconds{number * bin}, "staging",
                   {{"bytes", told = most}});
  }
  trace_.counter(process, step.ended, "staging", {{"bytes", level}});
}

void Timeline::show_links(const SiliconStep& step, const std::vector<Shown>& shown) {
  const Topology& topology = step.deployment.fabric().topology();
  const std::int64_t base = base_of(step.instance);
  std::vector<char> is_shown(step.deployment.size());
  for (const Shown& s : shown) is_shown[s.die] = 1;
  const auto end_text = [&](std::int32_t node) {
    return node < topology.dies() ? fmt::format("die {}", node)
                                  : fmt::format("switch {}", node - topology.dies());
  };
  for (const LinkUse& use : step.links) {
    const Topology::Link& link = topology.links()[use.link];
    const bool from_die = link.from < topology.dies();
    // A switch's links towards dies that are not shown are left out with them.
    const std::int32_t die = from_die ? link.from : link.to;
    if (die < topology.dies() && is_shown[static_cast<std::size_t>(die)] == 0) continue;
    const std::int64_t process = from_die ? base + kFirstDie + link.from : base + kSwitches;
    if (!from_die) name_process(process, fmt::format("switches {}", step.instance));
    const TrackId track{process, kFirstLink + static_cast<std::int64_t>(use.link)};
    const std::string& level =
        step.platform.fabric.levels[static_cast<std::size_t>(link.level)].name;
    name_track(track, from_die ? fmt::format("{} link to {}", level, end_text(link.to))
                               : fmt::format("{}: {} to {}", level, end_text(link.from),
                                             end_text(link.to)));
    const Exchange& exchange = *step.programs.exchanges[static_cast<std::size_t>(use.exchange)];
    // Whoever takes part has its instruction, which says what the exchange is for.
    const auto& program = step.programs.dies[index(exchange.participants.front())];
    const auto& queue = program.queues[static_cast<std::size_t>(Unit::Fabric)];
    const auto mine = std::ranges::lower_bound(queue, use.exchange, {}, [&](std::int32_t i) {
      return program.code[static_cast<std::size_t>(i)].exchange;
    });
    trace_.slice(track, use.begin, use.end,
                 operator_text(program.code[static_cast<std::size_t>(*mine)]),
                 {{"bytes", use.bytes.count()},
                  {"messages", use.messages},
                  {"busy_ps", (use.end - use.begin).count()}});
  }
}

void Timeline::show_power(const SiliconStep& step) {
  const StepPower power = step_power(step, kPowerBins);
  const std::int64_t process = base_of(step.instance) + kPower;
  name_process(process, fmt::format("power {} (watts of its dies and host)", step.instance));
  for (std::size_t b = 0; b < power.watts.size(); ++b) {
    const Picoseconds at =
        step.begun + Picoseconds{power.bin.count() * static_cast<std::int64_t>(b)};
    const auto& w = power.watts[b];
    static_assert(kPowerModuleCount == 8);
    trace_.counter(process, at, "power",
                   {{kPowerModuleNames[0], w[0]},
                    {kPowerModuleNames[1], w[1]},
                    {kPowerModuleNames[2], w[2]},
                    {kPowerModuleNames[3], w[3]},
                    {kPowerModuleNames[4], w[4]},
                    {kPowerModuleNames[5], w[5]},
                    {kPowerModuleNames[6], w[6]},
                    {kPowerModuleNames[7], w[7]}});
  }
}

void Timeline::scheduled(const ScheduledStep& step) {
  const std::int64_t process = base_of(step.instance) + kScheduler;
  name_process(process, fmt::format("scheduler {}", step.instance));
  const TrackId track{process, 1};
  name_track(track, "steps");
  std::int64_t decodes = 0, prompt_tokens = 0, context = 0;
  for (const SequenceWork& s : step.load.sequences) {
    s.decodes() ? ++decodes : prompt_tokens += s.new_tokens;
    context += s.context;
  }
  trace_.slice(track, step.begun, step.ended, fmt::format("step {}", step.number),
               {{"decodes", decodes},
                {"prompt_tokens", prompt_tokens},
                {"cached_tokens_read", context},
                {"roofline_us", seconds(step.outcome.roofline.duration) * 1e6}});
  trace_.counter(process, step.ended, "requests",
                 {{"running", step.after.running}, {"waiting", step.after.waiting}});
  for (const KvPlace place : kKvPlaces)
    if (step.after.kv_used[place].count() > 0 || place == KvPlace::Home)
      trace_.counter(process, step.ended,
                     fmt::format("KV in {}", name_of(tier_of(step.home, place))),
                     {{"bytes", step.after.kv_used[place].count()}});
  if (steps_++ == 0) from_ = step.begun;
  from_ = min(from_, step.begun);
  to_ = max(to_, step.ended);
  parts_ = 0;
}

/// Requests that were there at some time of the window.
void Timeline::ended(const RunResult& result) {
  const bool steady = std::holds_alternative<SteadyDecode>(spec_.workload);
  if (steps_ > 0) {
    trace_.process(0, "requests");
    for (const RequestRecord& r : result.requests) {
      const Picoseconds gone = r.finished.value_or(r.rejected ? r.arrival : to_);
      if (r.arrival > to_ || gone < from_) continue;
      const auto id = static_cast<std::uint64_t>(r.id) + 1;
      const auto phase = [&](std::optional<Picoseconds> from, std::optional<Picoseconds> to,
                             std::string_view name) {
        if (!from || *from >= to_) return;
        const Picoseconds a = max(*from, from_), b = min(to.value_or(to_), to_);
        if (b > a)
          trace_.span(0, id, a, b, "request", fmt::format("request {}: {}", id - 1, name),
                      {{"input_tokens", r.input_tokens}, {"output_tokens", r.output_tokens}});
      };
      if (!steady) {
        phase(r.arrival, r.admitted, "waits");
        phase(r.admitted, r.first_token, "prompt");
        phase(r.first_token, r.finished, "decodes");
      } else {
        phase(r.admitted, r.finished, "decodes");
      }
    }
  }
  trace_.note("program", "reticle");
  trace_.note("platform", spec_.platform.name);
  trace_.note("llm", spec_.llm.name);
  trace_.note("workload", spec_.workload_name);
  trace_.note("steps",
              fmt::format("{} to {} of each instance", options_.steps.first, options_.steps.last));
  if (!dies_note_.empty()) trace_.note("dies", dies_note_);
  trace_.finish();
}

}  // namespace reticle
