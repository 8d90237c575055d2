// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/point_process.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <set>
#include <thread>

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

TEST_CASE("points: their wall time is that of the work, whenever it is read") {
  using std::chrono::milliseconds;
  const auto outcomes = run_points(
      3, 1,
      [](std::size_t i) {
        std::this_thread::sleep_for(milliseconds{i == 0 ? 1 : 50});
        return std::to_string(i);
      },
      [](std::size_t i, const PointOutcome&) {
        if (i == 0) std::this_thread::sleep_for(milliseconds{400});  // two more end meanwhile
        return true;
      },
      {.chunk = 3});
  for (const std::size_t i : {1, 2}) {
    CHECK(outcomes[i].wall_s >= 0.05);
    CHECK(outcomes[i].wall_s < 0.2);
  }
}

TEST_CASE("points: while the sweep itself was stopped, no time of its points is over") {
  const pid_t sweep = ::fork();
  if (sweep == 0) {
    const auto outcomes = run_points(4, 1,
                                     [](std::size_t i) {
                                       std::this_thread::sleep_for(std::chrono::milliseconds{500});
                                       return std::to_string(i);
                                     },
                                     {}, {.time_limit_s = 1.5, .chunk = 4});
    int late = 0;
    for (const auto& outcome : outcomes) late += outcome.timed_out;
    ::_exit(late);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds{300});
  ::kill(sweep, SIGSTOP);
  std::this_thread::sleep_for(std::chrono::milliseconds{2'500});
  ::kill(sweep, SIGCONT);
  int status = 0;
  ::waitpid(sweep, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
