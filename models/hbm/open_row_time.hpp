// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "models/hbm/hbm_geometry.hpp"
#include "models/hbm/hbm_spec.hpp"

namespace reticle {

/// How long the banks of one pseudo-channel have had an open row, summed over banks, as the
/// transaction form knows it: a row is open from its activate until another takes its bank or a
/// refresh closes it. Banks go by their index in the geometry's walk; those of a set that were
/// opened together are kept as one until one of them is asked for alone.
class OpenRowTime {
 public:
  OpenRowTime(const HbmParams& params, const HbmGeometry& geometry)
      : refi_{params.timing.t_refi},
        refresh_{params.refresh},
        members_{static_cast<std::size_t>(geometry.members)},
        by_members_{geometry.members},
        banks_(static_cast<std::size_t>(reticle::banks(params))),
        alike_(static_cast<std::size_t>(geometry.sets)) {
    for (std::size_t i = 0; i < banks_.size(); ++i)
      turns_.push_back(static_cast<std::int64_t>(geometry.bank(i)));
  }

  [[nodiscard]] std::size_t banks() const { return banks_.size(); }
  /// The bank's first refresh after `at`; alike for all banks unless they are refreshed in turn.
  [[nodiscard]] Picoseconds next_refresh(std::size_t bank, Picoseconds at) const {
    if (refresh_ == RefreshMode::AllBank) return (at.count() / refi_.count() + 1) * refi_;
    if (refresh_ == RefreshMode::Off) return Picoseconds{std::int64_t{1} << 62};
    const auto all = static_cast<std::int64_t>(banks_.size());
    const Picoseconds first = (turns_[bank] + 1) * Picoseconds{refi_.count() / all};
    const Picoseconds round = all * Picoseconds{refi_.count() / all};
    return at < first ? first : first + ((at - first).count() / round.count() + 1) * round;
  }

  /// Its row is still open at `at`: opened, and no refresh of the bank since.
  [[nodiscard]] bool is_open(std::size_t bank, Picoseconds at) {
    const Bank& b = single(bank);
    return b.open && at < b.refresh;
  }
  void open(std::size_t bank, Picoseconds at) { open(bank, at, next_refresh(bank, at)); }
  /// `refresh`: the first of the bank after it was last in use.
  void open(std::size_t bank, Picoseconds at, Picoseconds refresh) {
    close(bank, at);
    banks_[bank] = {.open = true, .from = at, .refresh = refresh};
  }
  /// At `at`, or at the refresh that came before; nothing when no row is open.
  void close(std::size_t bank, Picoseconds at) {
    Bank& b = single(bank);
    closed_ += span(b, at);
    b.open = false;
  }
  /// Still in use at `at`, whatever refreshes there were since.
  void keep(std::size_t bank, Picoseconds at) { keep_until(bank, next_refresh(bank, at)); }
  void keep_until(std::size_t bank, Picoseconds refresh) {
    Bank& b = single(bank);
    b.refresh = max(b.refresh, refresh);
  }
  /// All banks of a set: closed at `closed`, opened at `opened`, in use until `refresh`.
  void reopen_set(std::size_t set, Picoseconds closed, Picoseconds opened, Picoseconds refresh) {
    Bank* const b = &banks_[set * members_];
    if (alike_[set]) {
      closed_ += static_cast<std::int64_t>(members_) * span(*b, closed);
    } else {
      for (std::size_t i = 0; i < members_; ++i) closed_ += span(b[i], closed);
      alike_[set] = true;
    }
    *b = {.open = true, .from = opened, .refresh = refresh};
  }
  void keep_set_until(std::size_t set, Picoseconds refresh) {
    Bank* const b = &banks_[set * members_];
    for (std::size_t i = 0; i < (alike_[set] ? 1 : members_); ++i)
      b[i].refresh = max(b[i].refresh, refresh);
  }
  /// Adds what a run's closed form gives for rows it opened and closed; less than 0 for gaps.
  void add(Picoseconds open) { closed_ += open; }
  /// Up to `now`.
  [[nodiscard]] Picoseconds sum(Picoseconds now) const {
    Picoseconds total = closed_;
    for (std::size_t bank = 0; bank < banks_.size(); ++bank) {
      const std::size_t set = bank / members_;
      total += span(banks_[alike_[set] ? set * members_ : bank], now);
    }
    return total;
  }

 private:
  struct Bank {
    bool open = false;
    Picoseconds from{};
    Picoseconds refresh{};
  };
  static Picoseconds span(const Bank& bank, Picoseconds at) {
    return bank.open ? max(Picoseconds{}, min(at, bank.refresh) - bank.from) : Picoseconds{};
  }
  Bank& single(std::size_t bank) {
    const auto set = static_cast<std::size_t>(by_members_.of(static_cast<std::int64_t>(bank)));
    if (alike_[set]) {
      alike_[set] = false;
      const std::size_t first = set * members_;
      for (std::size_t i = 1; i < members_; ++i) banks_[first + i] = banks_[first];
    }
    return banks_[bank];
  }

  const Picoseconds refi_;
  const RefreshMode refresh_;
  const std::size_t members_;
  const Divisor by_members_;
  std::vector<Bank> banks_;          ///< of a set alike only the first holds
  std::vector<char> alike_;          ///< per set
  std::vector<std::int64_t> turns_;  ///< place in the round of per-bank refreshes
  Picoseconds closed_{};
};

}  // namespace reticle
