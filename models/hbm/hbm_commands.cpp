// SPDX-License-Identifier: Apache-2.0
#include "models/hbm/hbm_commands.hpp"

#include <algorithm>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
using enum HbmCommand;
constexpr HbmTick kLongAgo = -(std::int64_t{1} << 40);  // before any command

/// Commands of one kind, as bits.
using CommandSet = std::uint16_t;
constexpr CommandSet set(std::initializer_list<HbmCommand> commands) {
  CommandSet bits = 0;
  for (const HbmCommand c : commands)
    bits = static_cast<CommandSet>(bits | (1U << static_cast<unsigned>(c)));
  return bits;
}
constexpr CommandSet kAct = set({Activate});
constexpr CommandSet kPre = set({Precharge});
constexpr CommandSet kPreAll = set({PrechargeAll});
constexpr CommandSet kAnyPre = kPre | kPreAll;
constexpr CommandSet kRead = set({Read, ReadAuto});
constexpr CommandSet kWrite = set({Write, WriteAuto});
constexpr CommandSet kRefAll = set({RefreshAll});
constexpr CommandSet kRefBank = set({RefreshBank});

/// One rule of the standards: after any of `prev`, any of `next` waits for the sum of `times`.
struct Rule {
  HbmScope scope;
  CommandSet prev, next;
  std::array<Picoseconds HbmTiming::*, 4> times;
  std::int64_t window = 1;
};
using T = HbmTiming;
using enum HbmScope;
// JESD235 (HBM2/2E), JESD238 (HBM3/3E), JESD270 (HBM4): the command truth tables' timing rules.
constexpr std::array kRules{
    // data bus and columns
    Rule{PseudoChannel, kRead, kRead, {&T::t_burst}},
    Rule{PseudoChannel, kWrite, kWrite, {&T::t_burst}},
    Rule{StackId, kRead, kRead, {&T::t_ccd_s}},
    Rule{StackId, kWrite, kWrite, {&T::t_ccd_s}},
    Rule{OtherStackIds, kRead, kRead, {&T::t_ccd_r}},
    Rule{OtherStackIds, kWrite, kWrite, {&T::t_ccd_r}},
    Rule{BankGroup, kRead, kRead, {&T::t_ccd_l}},
    Rule{BankGroup, kWrite, kWrite, {&T::t_ccd_l}},
    Rule{PseudoChannel, kRead, kWrite, {&T::t_rtw}},
    Rule{PseudoChannel, kWrite, kRead, {&T::t_cwl, &T::t_burst, &T::t_wtr_s}},
    Rule{BankGroup, kWrite, kRead, {&T::t_cwl, &T::t_burst, &T::t_wtr_l}},
    // rows
    Rule{Bank, kAct, kRead, {&T::t_rcd_rd}},
    Rule{Bank, kAct, kWrite, {&T::t_rcd_wr}},
    Rule{Bank, kAct, kAct, {&T::t_rc}},
    Rule{Bank, kAct, kPre, {&T::t_ras}},
    Rule{Bank, kPre, kAct, {&T::t_rp}},
    Rule{Bank, set({Read}), kPre, {&T::t_rtp}},
    Rule{Bank, set({Write}), kPre, {&T::t_cwl, &T::t_burst, &T::t_wr}},
    Rule{Bank, set({ReadAuto}), kAct, {&T::t_rtp, &T::t_rp}},
    Rule{Bank, set({WriteAuto}), kAct, {&T::t_cwl, &T::t_burst, &T::t_wr, &T::t_rp}},
    Rule{BankGroup, kAct, kAct, {&T::t_rrd_l}},
    Rule{PseudoChannel, kAct, kAct, {&T::t_rrd_s}},
    Rule{PseudoChannel, kAct, kAct, {&T::t_faw}, 4},  // activates in its window
    Rule{PseudoChannel, kAct, kPreAll, {&T::t_ras}},
    Rule{PseudoChannel, kRead, kPreAll, {&T::t_rtp}},
    Rule{PseudoChannel, kWrite, kPreAll, {&T::t_cwl, &T::t_burst, &T::t_wr}},
    Rule{PseudoChannel, kPreAll, kAct, {&T::t_rp}},
    Rule{PseudoChannel, kAnyPre, kAnyPre, {&T::t_ppd}},
    // refresh
    Rule{PseudoChannel, kAct, kRefAll, {&T::t_rc}},
    Rule{PseudoChannel, kAnyPre, kRefAll, {&T::t_rp}},
    Rule{PseudoChannel, set({ReadAuto}), kRefAll, {&T::t_rtp, &T::t_rp}},
    Rule{PseudoChannel, set({WriteAuto}), kRefAll, {&T::t_cwl, &T::t_burst, &T::t_wr, &T::t_rp}},
    Rule{PseudoChannel, kRefBank, kRefAll, {&T::t_rfc_pb}},
    Rule{PseudoChannel, kRefAll, kAct | kPreAll | kRefAll | kRefBank, {&T::t_rfc_ab}},
    Rule{Bank, kAct, kRefBank, {&T::t_rc}},
    Rule{Bank, kPre, kRefBank, {&T::t_rp}},
    Rule{Bank, set({ReadAuto}), kRefBank, {&T::t_rtp, &T::t_rp}},
    Rule{Bank, set({WriteAuto}), kRefBank, {&T::t_cwl, &T::t_burst, &T::t_wr, &T::t_rp}},
    Rule{Bank, kRefBank, kAct, {&T::t_rfc_pb}},
    Rule{PseudoChannel, kAct, kRefBank, {&T::t_rrd_s}},
    Rule{PseudoChannel, kRefBank, kAct | kRefBank, {&T::t_rrefd}},
};

HbmTick sum_of(const Rule& rule, const HbmTiming& timing) {
  HbmTick ticks = 0;
  for (const auto member : rule.times)
    if (member) ticks += ticks_of(timing.*member, timing.t_ck);
  return ticks;
}

template <class Visit>
void for_each(CommandSet commands, Visit visit) {
  for (std::size_t c = 0; c < kHbmCommands; ++c)
    if ((commands >> c) & 1U) visit(static_cast<HbmCommand>(c));
}
}  // namespace

std::string_view name_of(HbmCommand command) {
  constexpr std::array<std::string_view, kHbmCommands> kNames{"ACT", "PRE", "PREA",  "RD",   "WR",
                                                              "RDA", "WRA", "REFab", "REFpb"};
  return kNames[static_cast<std::size_t>(command)];
}

HbmTick ticks_of(Picoseconds time, Picoseconds clock) {
  const std::int64_t thousandths = time.count() * 1000 / clock.count();
  return 2 * ((thousandths + 974) / 1000);  // 26 thousandths forgiven
}

HbmTick bus_ticks(HbmCommand command, const HbmParams& params) {
  if (command == Activate) return params.activate_half_clocks;
  return is_column(command) ? 2 : params.precharge_half_clocks;
}

std::vector<HbmConstraint> constraints_of(const HbmParams& params) {
  std::vector<HbmConstraint> all;
  for (const Rule& rule : kRules) {
    const HbmTick nominal = sum_of(rule, params.timing);
    for_each(rule.prev, [&](HbmCommand prev) {
      for_each(rule.next, [&](HbmCommand next) {
        // From start to start: what the first takes longer on the bus is added, the next's taken
        // off.
        const HbmTick ticks = nominal + bus_ticks(prev, params) - bus_ticks(next, params);
        all.push_back({rule.scope, prev, next, ticks, rule.window});
      });
    });
  }
  for (std::size_t a = 0; a < kHbmCommands; ++a)
    for (std::size_t b = 0; b < kHbmCommands; ++b) {
      const auto prev = static_cast<HbmCommand>(a);
      const auto next = static_cast<HbmCommand>(b);
      if (is_column(prev) == is_column(next))
        all.push_back({is_column(prev) ? ColumnBus : RowBus, prev, next, bus_ticks(prev, params)});
    }
  return all;
}

HbmTimingState::HbmTimingState(const HbmParams& params, std::int64_t pseudo_channels) {
  const auto node = [&] {
    nodes_.push_back({});
    nodes_.back().ready.fill(kLongAgo);
    return static_cast<std::uint32_t>(nodes_.size() - 1);
  };
  node();
  for (std::int64_t pc = 0; pc < pseudo_channels; ++pc) {
    const std::uint32_t channel = node();
    stacks_.emplace_back();
    for (std::int64_t s = 0; s < params.stack_ids; ++s) {
      stacks_.back().push_back(node());
      for (std::int64_t g = 0; g < params.bank_groups; ++g) {
        const std::uint32_t group = node();
        for (std::int64_t b = 0; b < params.banks_per_group; ++b)
          banks_.push_back(
              {node(), group, stacks_.back().back(), channel, static_cast<std::uint32_t>(pc)});
      }
    }
  }
  windows_.resize(static_cast<std::size_t>(pseudo_channels));
  for (Window& window : windows_) window.last.fill(kLongAgo);
  for (const HbmConstraint& c : constraints_of(params)) {
    if (c.window > 1) {
      invariant(c.window == 4 && c.prev == Activate && c.next == Activate,  // of four
                "the activate window");                                     // t_FAW is of four
      faw_ = c.ticks;
      continue;
    }
    effects_[static_cast<std::size_t>(c.prev)].push_back(
        {c.scope, static_cast<std::uint8_t>(c.next), c.ticks});
  }
}

void HbmTimingState::issue(HbmCommand command, std::size_t bank, HbmTick now) {
  const Nodes& at = banks_[bank];
  for (const Effect& effect : effects_[static_cast<std::size_t>(command)]) {
    switch (effect.scope) {
      case Bank:
        raise(nodes_[at.bank], effect, now);
        break;
      case BankGroup:
        raise(nodes_[at.group], effect, now);
        break;
      case StackId:
        raise(nodes_[at.stack], effect, now);
        break;
      case OtherStackIds:
        for (const std::uint32_t stack : stacks_[at.pseudo])
          if (stack != at.stack) raise(nodes_[stack], effect, now);
        break;
      case PseudoChannel:
        raise(nodes_[at.channel], effect, now);
        break;
      case RowBus:
      case ColumnBus:
        raise(nodes_[0], effect, now);
        break;
    }
  }
  if (command != Activate) return;
  Window& window = windows_[at.pseudo];
  window.last[window.next] = now;
  window.next = (window.next + 1) % window.last.size();
  auto& ready = nodes_[at.channel].ready[static_cast<std::size_t>(Activate)];
  ready = std::max(ready, window.last[window.next] + faw_);
}

}  // namespace reticle
