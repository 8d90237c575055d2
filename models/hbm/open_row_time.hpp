// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "models/hbm/hbm_spec.hpp"

namespace reticle {

/// How long the banks of one pseudo-channel have had an open row, summed over banks, as the
/// transaction form knows it: a row is open from its activate until another takes its bank or a
/// refresh closes it.
class OpenRowTime {
 public:
  explicit OpenRowTime(const HbmParams& params)
      : refi_{params.timing.t_refi},
        refresh_{params.refresh},
        banks_(static_cast<std::size_t>(reticle::banks(params))) {}

  [[nodiscard]] std::size_t banks() const { return banks_.size(); }
  /// The bank's first refresh after `at`; alike for all banks unless they are refreshed in turn.
  [[nodiscard]] Picoseconds next_refresh(std::size_t bank, Picoseconds at) const {
    if (refresh_ == RefreshMode::AllBank) return (at.count() / refi_.count() + 1) * refi_;
    if (refresh_ == RefreshMode::Off) return Picoseconds{std::int64_t{1} << 62};
    const auto all = static_cast<std::int64_t>(banks_.size());
    const Picoseconds first = static_cast<std::int64_t>(bank) * Picoseconds{refi_.count() / all};
    const Picoseconds round = all * Picoseconds{refi_.count() / all};
    return at < first ? first : first + ((at - first).count() / round.count() + 1) * round;
  }

  /// Its row is still open at `at`: opened, and no refresh of the bank since.
  [[nodiscard]] bool is_open(std::size_t bank, Picoseconds at) const {
    return banks_[bank].open && at < banks_[bank].refresh;
  }
  void open(std::size_t bank, Picoseconds at) { open(bank, at, next_refresh(bank, at)); }
  /// `refresh`: the first of the bank after it was last in use.
  void open(std::size_t bank, Picoseconds at, Picoseconds refresh) {
    close(bank, at);
    banks_[bank] = {.open = true, .from = at, .refresh = refresh};
  }
  /// At `at`, or at the refresh that came before; nothing when no row is open.
  void close(std::size_t bank, Picoseconds at) {
    Bank& b = banks_[bank];
    if (b.open) closed_ += span(bank, at);
    b.open = false;
  }
  /// Still in use at `at`, whatever refreshes there were since.
  void keep(std::size_t bank, Picoseconds at) { keep_until(bank, next_refresh(bank, at)); }
  void keep_until(std::size_t bank, Picoseconds refresh) {
    banks_[bank].refresh = max(banks_[bank].refresh, refresh);
  }
  /// Adds what a run's closed form gives for rows it opened and closed; less than 0 for gaps.
  void add(Picoseconds open) { closed_ += open; }
  /// Up to `now`.
  [[nodiscard]] Picoseconds sum(Picoseconds now) const {
    Picoseconds total = closed_;
    for (std::size_t bank = 0; bank < banks_.size(); ++bank)
      if (banks_[bank].open) total += span(bank, now);
    return total;
  }

 private:
  struct Bank {
    bool open = false;
    Picoseconds from{};
    Picoseconds refresh{};
  };
  [[nodiscard]] Picoseconds span(std::size_t bank, Picoseconds at) const {
    return max(Picoseconds{}, min(at, banks_[bank].refresh) - banks_[bank].from);
  }
  const Picoseconds refi_;
  const RefreshMode refresh_;
  std::vector<Bank> banks_;
  Picoseconds closed_{};
};

}  // namespace reticle
