// SPDX-License-Identifier: Apache-2.0
#include "models/hbm/hbm_history.hpp"

#include <doctest/doctest.h>

#include "sim/base/rng.hpp"
#include "tests/reference/hbm_presets.hpp"

namespace reticle {
namespace {

TEST_CASE("HbmHistory: followers answer as models of their own, before and after they part") {
  HbmParams params = hbm3_preset();
  params.refresh = RefreshMode::AllBank;
  const auto history = std::make_shared<HbmHistory>(params);
  HbmFollower first{history}, second{history};
  HbmRunModel alone_first{params}, alone_second{params};
  RngStream rng{3, "runs"};
  Picoseconds at{};
  constexpr int kParting = 700;  // within the second chapter
  for (int i = 0; i < 1500; ++i) {
    const MemoryRun run{rng.below(5) == 0 ? Access::Write : Access::Read,
                        Bytes{static_cast<std::int64_t>(rng.below(1 << 20)) * 64},
                        Bytes{static_cast<std::int64_t>(64 + rng.below(60'000))}, Bytes{}};
    MemoryRun other = run;
    if (i == kParting) other.bytes += Bytes{64};
    const Picoseconds done = alone_first.access(run, at).done;
    CHECK(first.access(run, at).done == done);
    CHECK(second.access(other, at).done == alone_second.access(other, at).done);
    CHECK(second.alone() == (i >= kParting));
    at = done;
  }
  CHECK(first.stats().activates == alone_first.stats().activates);
  CHECK(second.stats().bank_active_ns == alone_second.stats().bank_active_ns);
}

}  // namespace
}  // namespace reticle
