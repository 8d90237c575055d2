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
#include <cstring>
#include <deque>
#include <map>
#include <system_error>

#include "sim/base/error.hpp"
#include "sim/base/exit_code.hpp"

namespace reticle {

namespace {

using Clock = std::chrono::steady_clock;
constexpr int kTickMs = 100;

/// What comes through a pipe ahead of the text of a point.
struct Header {
  int code = 0;
  double wall_s = 0;  ///< of the work alone: when it is read says when its reader had time
  std::int64_t peak_rss_bytes = 0;
  std::size_t size = 0;
};

struct Child {
  pid_t pid = 0;
  std::vector<std::size_t> points;  ///< in a row
  Clock::time_point begun;          ///< the point under way
  double watched_s = 0;             ///< of that one, while its parent ran too
  std::size_t answered = 0;
  std::string received{};
  std::optional<std::size_t> killed_for{};  ///< which of them was late
};

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

void write_all(int descriptor, std::string_view text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(descriptor, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) ::_exit(static_cast<int>(ExitCode::Bug));  // nobody reads any more
    done += static_cast<std::size_t>(n);
  }
}

std::int64_t peak_rss() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;  // Linux reports KiB
}

using Work = std::function<std::string(std::size_t)>;

/// Its code, and what it returned or said.
std::pair<ExitCode, std::string> attempt(const Work& work, std::size_t point) {
  try {
    return {ExitCode::Ok, work(point)};
  } catch (const ConfigError& error) {
    return {ExitCode::BadInput, error.what()};
  } catch (const InfeasibleError& error) {
    return {ExitCode::Infeasible, error.what()};
  } catch (const SimulationError& error) {
    return {ExitCode::Stuck, error.what()};
  } catch (const std::exception& error) {
    return {ExitCode::Bug, error.what()};
  }
}

[[noreturn]] void work_out(int descriptor, const std::vector<std::size_t>& points,
                           const Work& work) {
  for (const std::size_t point : points) {
    const auto begun = Clock::now();
    const auto [code, text] = attempt(work, point);
    const Header header{static_cast<int>(code), seconds_since(begun), peak_rss(), text.size()};
    write_all(descriptor, {reinterpret_cast<const char*>(&header), sizeof header});
    write_all(descriptor, text);
  }
  std::fflush(nullptr);
  ::_exit(static_cast<int>(ExitCode::Ok));  // the parent's destructors are not ours to run
}

/// Begins some points; what they come to comes through the descriptor returned.
std::pair<int, Child> begin(std::vector<std::size_t> points, const Work& work) {
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
    work_out(ends[1], points, work);
  }
  ::close(ends[1]);
  return {ends[0], {.pid = pid, .points = std::move(points), .begun = Clock::now()}};
}

/// Waits for the end of `child`, which has left a point undone.
PointOutcome end_of(const Child& child) {
  int status = 0;
  rusage usage{};
  while (::wait4(child.pid, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  constexpr int kSignal = 128;  // as a shell tells it
  return {.code = WIFSIGNALED(status) ? kSignal + WTERMSIG(status) : WEXITSTATUS(status),
          .output = {},
          .timed_out = child.killed_for == child.answered,
          .wall_s = seconds_since(child.begun),
          .peak_rss_bytes = std::int64_t{usage.ru_maxrss} * 1024};
}

/// The next point that `child` has answered in full.
std::optional<PointOutcome> next_answer(Child& child) {
  Header header;
  if (child.received.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, child.received.data(), sizeof header);
  if (child.received.size() < sizeof header + header.size) return std::nullopt;
  PointOutcome outcome{.code = header.code,
                       .output = child.received.substr(sizeof header, header.size),
                       .timed_out = false,
                       .wall_s = header.wall_s,
                       .peak_rss_bytes = header.peak_rss_bytes};
  child.received.erase(0, sizeof header + header.size);
  child.begun = Clock::now();
  child.watched_s = 0;
  ++child.answered;
  return outcome;
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
      (void)end_of(child);
    }
  }
};

/// Waits for output; true when the child has closed its end.
bool read_some(int descriptor, Child& child) {
  std::array<char, 1 << 16> buffer;
  const ssize_t n = ::read(descriptor, buffer.data(), buffer.size());
  if (n > 0) child.received.append(buffer.data(), static_cast<std::size_t>(n));
  return n == 0 || (n < 0 && errno != EINTR);
}

/// The points still to be begun and those under way.
class Pool {
 public:
  using OnDone = std::function<bool(std::size_t, const PointOutcome&)>;
  Pool(std::size_t points, std::size_t jobs, const Work& work, const OnDone& on_done,
       const PointRules& rules)
      : jobs_{std::max<std::size_t>(1, jobs)},
        work_{work},
        on_done_{on_done},
        rules_{rules},
        outcomes_(points) {
    for (std::size_t i = 0; i < points; ++i) waiting_.push_back(i);
  }

  std::vector<PointOutcome> run() {
    while ((go_on_ && !waiting_.empty()) || !running_.empty()) {
      while (go_on_ && !waiting_.empty() && running_.size() < jobs_)
        running_.insert(begin(take_chunk(), work_));
      if (!wait()) break;
    }
    return std::move(outcomes_);
  }

 private:
  /// Fewer towards the end, so that all processes end together.
  std::vector<std::size_t> take_chunk() {
    constexpr std::size_t kShares = 4;  // of a worker: the last are short
    const std::size_t share = waiting_.size() / (kShares * jobs_);
    std::vector<std::size_t> points(std::clamp<std::size_t>(share, 1, rules_.chunk));
    for (std::size_t& point : points) {
      point = waiting_.front();
      waiting_.pop_front();
    }
    return points;
  }

  /// False: everything is to stop.
  bool wait() {
    std::vector<pollfd> polled;
    for (const auto& [descriptor, child] : running_) polled.push_back({descriptor, POLLIN, 0});
    const bool ticks = rules_.time_limit_s || rules_.go_on;
    const int ready = ::poll(polled.data(), polled.size(), ticks ? kTickMs : -1);
    if (rules_.go_on && (ready <= 0 || seconds_since(asked_) * 1e3 > kTickMs)) {
      asked_ = Clock::now();
      if (!rules_.go_on()) return false;
    }
    // What has come in counts before the time does.
    if (ready > 0) read(polled);
    if (rules_.time_limit_s) kill_late();
    return true;
  }

  void read(const std::vector<pollfd>& polled) {
    for (const pollfd& p : polled) {
      if (p.revents == 0) continue;
      const auto entry = running_.find(p.fd);
      const bool closed = read_some(p.fd, entry->second);
      while (const auto answer = next_answer(entry->second))
        done(entry->second.points[entry->second.answered - 1], *answer);
      if (closed) end(entry);
    }
  }

  /// A sweep that was stopped for a while, or whose machine slept, has not watched its points: the
  /// gap is not theirs.
  void kill_late() {
    constexpr double kLongestGap = 5e-3 * kTickMs;  // five ticks = 5 of kTickMs, in seconds
    const double passed = std::min(seconds_since(watched_), kLongestGap);
    watched_ = Clock::now();
    for (auto& [descriptor, child] : running_) {
      child.watched_s += std::min(passed, seconds_since(child.begun));
      if (child.killed_for || child.watched_s <= *rules_.time_limit_s) continue;
      child.killed_for = child.answered;
      ::kill(child.pid, SIGKILL);
    }
  }

  void end(Running::iterator entry) {
    ::close(entry->first);
    const Child child = std::move(entry->second);
    running_.erase(entry);
    const PointOutcome outcome = end_of(child);
    if (child.answered == child.points.size()) return;
    for (std::size_t i = child.points.size(); i-- > child.answered + 1;)
      waiting_.push_front(child.points[i]);
    // The late one had ended when its process was killed: it is the next one that was cut short.
    if (child.killed_for && *child.killed_for < child.answered)
      return waiting_.push_front(child.points[child.answered]);
    done(child.points[child.answered], outcome);
  }

  void done(std::size_t point, const PointOutcome& outcome) {
    outcomes_[point] = outcome;
    if (on_done_) go_on_ &= on_done_(point, outcome);
  }

  const std::size_t jobs_;
  const Work& work_;
  const OnDone& on_done_;
  const PointRules& rules_;
  std::vector<PointOutcome> outcomes_;
  std::deque<std::size_t> waiting_;
  Running running_;
  bool go_on_ = true;
  Clock::time_point asked_ = Clock::now();
  Clock::time_point watched_ = asked_;
};

}  // namespace

std::vector<PointOutcome> run_points(
    std::size_t points, std::size_t jobs, const std::function<std::string(std::size_t)>& work,
    const std::function<bool(std::size_t, const PointOutcome&)>& on_done, const PointRules& rules) {
  return Pool{points, jobs, work, on_done, rules}.run();
}

}  // namespace reticle
