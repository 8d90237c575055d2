// SPDX-License-Identifier: Apache-2.0
#include "models/hbm/hbm_run_bursts.hpp"

#include <algorithm>

#include "sim/base/rng.hpp"

namespace reticle {

std::int64_t HbmRunBursts::count(const MemoryRun& run) const {
  const std::int64_t piece =
      run.piece.count() > 0 ? std::min(run.piece, run.bytes).count() : run.bytes.count();
  return div_up(run.bytes.count(), piece) * div_up(piece, burst_);
}

HbmPlace HbmRunBursts::place(const MemoryRun& run, std::int64_t i) const {
  if (contiguous(run)) return map_.place(run.address.count() / burst_ + i);
  const std::int64_t per_piece = div_up(run.piece.count(), burst_);
  const std::int64_t piece = i / per_piece;
  const auto draw =
      combine64(static_cast<std::uint64_t>(run.address.count()), static_cast<std::uint64_t>(piece));
  const std::int64_t pieces = capacity_ / run.piece.count();
  const auto place = static_cast<std::int64_t>(draw % static_cast<std::uint64_t>(pieces));
  return map_.place(place * per_piece + i % per_piece);
}

std::vector<std::int32_t> HbmRunBursts::rows_at_end(const MemoryRun& run) const {
  const std::int64_t banks = geometry_.sets * geometry_.members;
  std::vector<std::int32_t> rows(static_cast<std::size_t>(banks), -1);
  if (!contiguous(run)) return rows;
  // Back through one round of the banks, visit by visit.
  const std::int64_t bursts = count(run);
  const std::int64_t begin =
      std::max<std::int64_t>(0, bursts - geometry_.sets * geometry_.set / burst_);
  for (std::int64_t at = bursts - 1; at >= begin; at -= geometry_.visit / burst_) {
    const HbmPlace last = place(run, at);
    std::int32_t& row = rows[static_cast<std::size_t>(last.bank)];
    if (row < 0) row = last.row;
  }
  return rows;
}

}  // namespace reticle
