// SPDX-License-Identifier: Apache-2.0
#include "models/fabric/event_wheel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "sim/base/rng.hpp"

namespace reticle {

TEST_CASE("EventWheel: events come by time, those of one time as posted, near and far ones alike") {
  const auto wheel = std::make_unique<EventWheel>();
  RngStream rng{3, "wheel"};
  for (const std::int64_t horizon : {1, 1'000, 300'000, 50'000'000}) {
    const std::int64_t begin = 7'000'000'000 + horizon;
    wheel->reset(Picoseconds{begin}, Picoseconds{horizon});
    struct Due {
      std::int64_t at = 0;
      std::uint32_t subject = 0;
    };
    std::vector<Due> waiting;  // in the order of posting
    std::int64_t now = begin;
    std::uint32_t subject = 0;
    for (int step = 0; step < 4'000; ++step) {
      for (std::uint64_t n = rng.below(step < 3'000 ? 4 : 2); n > 0; --n) {
        // Most within the horizon, some at once, some far beyond.
        const std::uint64_t kind = rng.below(10);
        const auto span = static_cast<std::uint64_t>(kind == 0 ? 40 * horizon : horizon);
        const std::int64_t at = now + (kind == 1 ? 0 : static_cast<std::int64_t>(rng.below(span)));
        waiting.push_back({at, subject});
        wheel->post(Picoseconds{at}, subject++);
      }
      REQUIRE(wheel->empty() == waiting.empty());
      if (waiting.empty()) continue;
      const auto first = std::min_element(waiting.begin(), waiting.end(),
                                          [](const Due& a, const Due& b) { return a.at < b.at; });
      const EventWheel::Event event = wheel->take();
      REQUIRE(event.at.count() == first->at);
      REQUIRE(event.subject() == first->subject);
      now = first->at;
      waiting.erase(first);
    }
    while (!wheel->empty()) wheel->take();
  }
}

}  // namespace reticle
