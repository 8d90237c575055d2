// SPDX-License-Identifier: Apache-2.0
#include "models/package/event_counts.hpp"

#include <algorithm>

namespace reticle {

namespace {
/// Applies `op` to every pair of fields; one list of fields for sums and differences.
template <class Op>
void combine(EventCounts& a, const EventCounts& b, Op op) {
  for (std::size_t t = 0; t < kTierCount; ++t)
    op(a.read[t], b.read[t]), op(a.written[t], b.written[t]);
  op(a.staged, b.staged);
  for (std::size_t c = 0; c < kTimeCategoryCount; ++c) op(a.loaded[c], b.loaded[c]);
  op(a.hbm_activates, b.hbm_activates);
  op(a.hbm_read_bursts, b.hbm_read_bursts);
  op(a.hbm_written_bursts, b.hbm_written_bursts);
  op(a.hbm_bank_active_us, b.hbm_bank_active_us);
  op(a.hbm_refreshes, b.hbm_refreshes);
  op(a.hbm_bank_refreshes, b.hbm_bank_refreshes);
  for (std::size_t p = 0; p < kPrecisionCount; ++p) op(a.macs[p], b.macs[p]);
  op(a.vector_ops, b.vector_ops);
  a.link_bytes.resize(std::max(a.link_bytes.size(), b.link_bytes.size()));
  a.link_busy.resize(a.link_bytes.size());
  for (std::size_t l = 0; l < b.link_bytes.size(); ++l) {
    op(a.link_bytes[l], b.link_bytes[l]);
    op(a.link_busy[l], b.link_busy[l]);
  }
  op(a.sram_busy, b.sram_busy);
  op(a.hbm_busy, b.hbm_busy);
  op(a.far_busy, b.far_busy);
  op(a.flash_busy, b.flash_busy);
  op(a.mac_busy, b.mac_busy);
  op(a.vector_busy, b.vector_busy);
}
}  // namespace

EventCounts& EventCounts::operator+=(const EventCounts& other) {
  combine(*this, other, [](auto& x, const auto& y) { x += y; });
  return *this;
}
EventCounts& EventCounts::operator-=(const EventCounts& other) {
  combine(*this, other, [](auto& x, const auto& y) { x -= y; });
  return *this;
}

}  // namespace reticle
