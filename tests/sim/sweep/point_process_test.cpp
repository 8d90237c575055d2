// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/point_process.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <set>

#include "sim/base/error.hpp"
#include "sim/base/exit_code.hpp"

using namespace reticle;

TEST_CASE(
    "points: whoever is killed in a row of points ends one point, and the rest are done once") {
  std::multiset<std::size_t> reported;
  const auto outcomes = run_points(
      40, 2,
      [](std::size_t i) {
        if (i % 10 == 3) ::raise(SIGKILL);
        if (i == 5) throw ConfigError("wrong");
        return std::string(100'000, 'x') + std::to_string(i);
      },
      [&](std::size_t i, const PointOutcome&) {
        reported.insert(i);
        return true;
      },
      {.chunk = 8});
  CHECK(reported.size() == 40);
  for (std::size_t i = 0; i < 40; ++i) {
    CHECK(reported.count(i) == 1);
    if (i % 10 == 3)
      CHECK(outcomes[i].code == 128 + SIGKILL);
    else if (i == 5)
      CHECK(outcomes[i].code == static_cast<int>(ExitCode::BadInput));
    else
      CHECK(outcomes[i].output.ends_with("x" + std::to_string(i)));
  }
}

TEST_CASE("points: one that hangs is ended at its time limit, beside others that are not") {
  const auto outcomes = run_points(6, 1,
                                   [](std::size_t i) {
                                     if (i == 2) ::pause();
                                     return std::to_string(i);
                                   },
                                   {}, {.time_limit_s = 0.3, .chunk = 6});
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(outcomes[i].timed_out == (i == 2));
    if (i != 2) CHECK(outcomes[i].output == std::to_string(i));
  }
}

TEST_CASE("points: asked to stop, those under way are killed and not reported") {
  int asked = 0;
  std::size_t reported = 0;
  (void)run_points(
      4, 2,
      [](std::size_t) -> std::string {
        ::pause();
        return "";
      },
      [&](std::size_t, const PointOutcome&) { return ++reported, true; },
      {.go_on = [&] { return ++asked < 3; }});
  CHECK(asked == 3);
  CHECK(reported == 0);
}
