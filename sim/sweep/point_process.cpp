// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/point_process.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <system_error>

#include "sim/base/error.hpp"
#include "sim/base/exit_code.hpp"

namespace reticle {

namespace {

using Clock = std::chrono::steady_clock;
constexpr int kTickMs = 100;

struct Child {
  pid_t pid = 0;
  std::size_t point = 0;
  Clock::time_point begun;
  std::string output{};
  bool timed_out = false;
};

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

void write_all(int descriptor, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(descriptor, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) ::_exit(static_cast<int>(ExitCode::Bug));  // nobody reads any more
    done += static_cast<std::size_t>(n);
  }
}

[[noreturn]] void work_out(int descriptor, std::size_t point,
                           const std::function<std::string(std::size_t)>& work) {
  const auto end = [&](ExitCode code, const std::string& text) {
    write_all(descriptor, text);
    std::fflush(nullptr);
    ::_exit(static_cast<int>(code));  // the parent's destructors are not ours to run
  };
  try {
    end(ExitCode::Ok, work(point));
  } catch (const ConfigError& error) {
    end(ExitCode::BadInput, error.what());
  } catch (const InfeasibleError& error) {
    end(ExitCode::Infeasible, error.what());
  } catch (const SimulationError& error) {
    end(ExitCode::Stuck, error.what());
  } catch (const std::exception& error) {
    end(ExitCode::Bug, error.what());
  }
  ::_exit(static_cast<int>(ExitCode::Bug));
}

/// Begins a point; its output comes through the descriptor returned.
std::pair<int, Child> begin(std::size_t point,
                            const std::function<std::string(std::size_t)>& work) {
  const auto refuse = [](const char* what) {
    throw SimulationError(std::string{what} + ": " + std::generic_category().message(errno));
  };
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) refuse("cannot open a pipe");
  std::fflush(nullptr);  // else the child would write what is buffered once more
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    const int error = errno;
    ::close(ends[0]);
    ::close(ends[1]);
    errno = error;
    refuse("cannot start a process");
  }
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(static_cast<int>(ExitCode::Bug));  // it was killed before
    std::signal(SIGINT, SIG_IGN);  // a terminal asks everybody: whoever began us decides
    ::close(ends[0]);
    work_out(ends[1], point, work);
  }
  ::close(ends[1]);
  return {ends[0], {.pid = pid, .point = point, .begun = Clock::now()}};
}

/// Waits for the end of `child`.
PointOutcome outcome_of(Child& child) {
  int status = 0;
  rusage usage{};
  while (::wait4(child.pid, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  return {.code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
          .output = std::move(child.output),
          .timed_out = child.timed_out,
          .wall_s = seconds_since(child.begun),
          .peak_rss_bytes = std::int64_t{usage.ru_maxrss} * 1024};  // Linux reports KiB
}

/// Those under way; whoever is left at the end is killed.
struct Running : std::map<int, Child> {
  Running() = default;
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    for (auto& [descriptor, child] : *this) {
      ::kill(child.pid, SIGKILL);
      ::close(descriptor);
      (void)outcome_of(child);
    }
  }
};

/// Waits for output; true when the child has closed its end.
bool read_some(int descriptor, Child& child) {
  std::array<char, 1 << 16> buffer;
  const ssize_t n = ::read(descriptor, buffer.data(), buffer.size());
  if (n > 0) child.output.append(buffer.data(), static_cast<std::size_t>(n));
  return n == 0 || (n < 0 && errno != EINTR);
}

}  // namespace

std::vector<PointOutcome> run_points(
    std::size_t points, std::size_t jobs, const std::function<std::string(std::size_t)>& work,
    const std::function<bool(std::size_t, const PointOutcome&)>& on_done, const PointRules& rules) {
  std::vector<PointOutcome> outcomes(points);
  Running running;
  std::size_t next = 0;
  bool go_on = true;
  const bool ticks = rules.time_limit_s || rules.go_on;
  Clock::time_point asked = Clock::now();
  while ((go_on && next < points) || !running.empty()) {
    for (; go_on && next < points && running.size() < std::max<std::size_t>(1, jobs); ++next)
      running.insert(begin(next, work));
    std::vector<pollfd> polled;
    for (const auto& [descriptor, child] : running) polled.push_back({descriptor, POLLIN, 0});
    const int ready = ::poll(polled.data(), polled.size(), ticks ? kTickMs : -1);
    if (rules.go_on && (ready <= 0 || seconds_since(asked) * 1e3 > kTickMs)) {
      asked = Clock::now();
      if (!rules.go_on()) break;
    }
    if (rules.time_limit_s)
      for (auto& [descriptor, child] : running)
        if (!child.timed_out && seconds_since(child.begun) > *rules.time_limit_s) {
          child.timed_out = true;
          ::kill(child.pid, SIGKILL);
        }
    if (ready < 0) continue;  // a signal
    for (const pollfd& p : polled) {
      if (p.revents == 0) continue;
      const auto child = running.find(p.fd);
      if (!read_some(p.fd, child->second)) continue;
      ::close(p.fd);
      const std::size_t point = child->second.point;
      outcomes[point] = outcome_of(child->second);
      running.erase(child);
      if (on_done) go_on &= on_done(point, outcomes[point]);
    }
  }
  return outcomes;
}

}  // namespace reticle
