// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/speculation.hpp"

#include <algorithm>

#include "sim/base/rng.hpp"

namespace reticle {

std::int64_t accepted_drafts(const SpeculationSpec& spec, RequestId request, std::int64_t position,
                             std::int64_t drafts) {
  std::uint64_t key = combine64(combine64(spec.seed, static_cast<std::uint64_t>(request)),
                                static_cast<std::uint64_t>(position));
  const auto last = static_cast<std::int64_t>(spec.acceptance.size()) - 1;
  for (std::int64_t i = 0; i < drafts; ++i) {
    key = mix64(key);
    if (unit_interval(key) >= spec.acceptance[static_cast<std::size_t>(std::min(i, last))])
      return i;
  }
  return drafts;
}

}  // namespace reticle
