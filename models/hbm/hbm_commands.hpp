// SPDX-License-Identifier: Apache-2.0
// DRAM commands and the least time between any two of them, as one table over a standard's timing.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "models/hbm/hbm_spec.hpp"

namespace reticle {

enum class HbmCommand : std::uint8_t {
  Activate,
  Precharge,
  PrechargeAll,
  Read,
  Write,
  ReadAuto,   ///< with auto-precharge
  WriteAuto,  ///< with auto-precharge
  RefreshAll,
  RefreshBank,
};
inline constexpr std::size_t kHbmCommands = 9;  ///< enumerators of HbmCommand
std::string_view name_of(HbmCommand command);
constexpr bool is_column(HbmCommand c) {
  return c >= HbmCommand::Read && c <= HbmCommand::WriteAuto;
}

/// How far a constraint reaches from the command that sets it.
enum class HbmScope : std::uint8_t {
  Bank,
  BankGroup,
  StackId,
  OtherStackIds,
  PseudoChannel,
  RowBus,     ///< of the channel: shared by its pseudo-channels
  ColumnBus,  ///< likewise
};

/// Half clocks of the command bus; two per t_ck.
using HbmTick = std::int64_t;

/// `next` may follow the `window`-th last `prev` within `scope` after `ticks`, from start to start.
struct HbmConstraint {
  HbmScope scope = HbmScope::Bank;
  HbmCommand prev = HbmCommand::Activate;
  HbmCommand next = HbmCommand::Activate;
  HbmTick ticks = 0;
  std::int64_t window = 1;
};

/// The constraints of a standard. JEDEC counts from the last clock of one command to the last of
/// the next; here commands are counted from their first half clock.
std::vector<HbmConstraint> constraints_of(const HbmParams& params);

/// Whole clocks a timing takes, in half clocks. A period rounded to picoseconds must not add a
/// clock: 2.5 % of one is forgiven, as in JEDEC's own rounding rule [JESD79-5, rounding
/// algorithms].
HbmTick ticks_of(Picoseconds time, Picoseconds clock);
/// Half clocks the command occupies its bus.
HbmTick bus_ticks(HbmCommand command, const HbmParams& params);

/// Earliest legal time of every command to every bank of one channel.
class HbmTimingState {
 public:
  HbmTimingState(const HbmParams& params, std::int64_t pseudo_channels);

  /// Earliest tick at which `command` may go to `bank`, counted over all pseudo-channels.
  [[nodiscard]] HbmTick ready(HbmCommand command, std::size_t bank) const {
    const Nodes& at = banks_[bank];
    const auto c = static_cast<std::size_t>(command);
    return std::max({nodes_[at.bank].ready[c], nodes_[at.group].ready[c], nodes_[at.stack].ready[c],
                     nodes_[at.channel].ready[c], nodes_[0].ready[c]});
  }
  void issue(HbmCommand command, std::size_t bank, HbmTick now);

 private:
  struct Node {
    std::array<HbmTick, kHbmCommands> ready;
  };
  /// The nodes a bank belongs to; node 0 is the channel with its two command buses.
  struct Nodes {
    std::uint32_t bank, group, stack, channel, pseudo;
  };
  struct Effect {
    HbmScope scope;
    std::uint8_t next;
    HbmTick ticks;
  };
  /// The last activates of a pseudo-channel: at most four within tFAW.
  struct Window {
    std::array<HbmTick, 4> last;
    std::size_t next = 0;
  };
  void raise(Node& node, const Effect& effect, HbmTick now) {
    node.ready[effect.next] = std::max(node.ready[effect.next], now + effect.ticks);
  }

  std::vector<Node> nodes_;
  std::vector<Nodes> banks_;
  std::vector<Window> windows_;  ///< per pseudo-channel
  HbmTick faw_ = 0;
  std::array<std::vector<Effect>, kHbmCommands> effects_;
  std::vector<std::vector<std::uint32_t>> stacks_;  ///< per pseudo-channel: its stack nodes
};

}  // namespace reticle
