// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "sim/config/run_spec.hpp"
#include "sim/engine/timeline.hpp"
#include "sim/engine/unit_slices.hpp"
#include "sim/trace/vcd.hpp"

namespace reticle {

/// What keeps a unit from its next instruction: values of the `stall` signals.
enum class Stall : std::uint8_t {
  None,  ///< it works, or nothing is left for it
  Sram,  ///< the instruction needs what comes from SRAM
  Hbm,
  Far,
  Flash,
  Write,  ///< a write to end
  Mac,    ///< a product
  Vector,
  Fabric,   ///< an exchange
  Launch,   ///< a kernel's begin
  Staging,  ///< room in the staging buffer
};
inline constexpr std::size_t kStallCount = 11;

/// Signals of dies and schedulers for a waveform viewer: per unit `busy` (an instruction has it, be
/// it that its operands are still to come), `work` (percent of that time that the unit needs at its
/// full rate), `stall` (what the next instruction waits for, unit by unit as they were under way),
/// `left` (instructions of the step it has not ended); per die `staging` (bytes) and `operator`
/// (ASCII); per scheduler `running`, `waiting`, `kv_bytes` and `step`.
class Waveform final : public RunObserver {
 public:
  /// Without dies named, the first ones.
  static constexpr std::int64_t kDies = 8;
  /// Both must outlive the object.
  Waveform(std::ostream& out, const RunSpec& spec, const TimelineOptions& options);

  [[nodiscard]] bool wants(std::int32_t instance, std::int64_t step) const override;
  void ran(const SiliconStep& step) override;
  void scheduled(const ScheduledStep& step) override;
  void ended(const RunResult& result) override;

 private:
  struct UnitSignals {
    VcdDump::Signal busy, work, stall, left;
  };
  struct DieSignals {
    std::vector<UnitSignals> units;
    VcdDump::Signal staging, op;
  };
  struct SchedulerSignals {
    VcdDump::Signal running, waiting, kv, step;
  };
  DieSignals& signals_of(std::int32_t instance, std::size_t die);
  SchedulerSignals& signals_of(std::int32_t instance);
  /// Why `instruction`, for which the unit was free from `from` on, began only at `to`.
  void show_stall(VcdDump::Signal signal, const Sequencer& sequencer, std::int32_t instruction,
                  Picoseconds from, Picoseconds to);
  void show_units(const DieSignals& signals, const Sequencer& sequencer,
                  const std::vector<UnitSlice>& slices, const DieParams& die, Picoseconds begun);
  void show_die(const DieSignals& signals, const Sequencer& sequencer, Picoseconds begun);

  std::ostream& out_;
  const RunSpec& spec_;
  const TimelineOptions options_;
  VcdDump dump_;
  std::map<std::pair<std::int32_t, std::size_t>, DieSignals> dies_;
  std::map<std::int32_t, SchedulerSignals> schedulers_;
};

}  // namespace reticle
