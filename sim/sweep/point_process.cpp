// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/point_process.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <map>
#include <system_error>

#include "sim/base/error.hpp"
#include "sim/base/exit_code.hpp"

namespace reticle {

namespace {

struct Child {
  pid_t pid = 0;
  std::size_t point = 0;
  std::string output;
};

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
  const pid_t pid = ::fork();
  if (pid < 0) refuse("cannot start a process");
  if (pid == 0) {
    ::close(ends[0]);
    work_out(ends[1], point, work);
  }
  ::close(ends[1]);
  return {ends[0], {pid, point, {}}};
}

int exit_code(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

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
    const std::function<bool(std::size_t, const PointOutcome&)>& on_done) {
  std::vector<PointOutcome> outcomes(points);
  std::map<int, Child> running;
  std::size_t next = 0;
  bool go_on = true;
  while ((go_on && next < points) || !running.empty()) {
    for (; go_on && next < points && running.size() < std::max<std::size_t>(1, jobs); ++next)
      running.insert(begin(next, work));
    std::vector<pollfd> polled;
    for (const auto& [descriptor, child] : running) polled.push_back({descriptor, POLLIN, 0});
    if (::poll(polled.data(), polled.size(), -1) < 0) continue;  // a signal
    for (const pollfd& p : polled) {
      if (p.revents == 0) continue;
      const auto child = running.find(p.fd);
      if (!read_some(p.fd, child->second)) continue;
      ::close(p.fd);
      PointOutcome& outcome = outcomes[child->second.point];
      outcome = {exit_code(child->second.pid), std::move(child->second.output)};
      if (on_done) go_on &= on_done(child->second.point, outcome);
      running.erase(child);
    }
  }
  return outcomes;
}

}  // namespace reticle
