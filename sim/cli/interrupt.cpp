// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/interrupt.hpp"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <string_view>

#include "sim/base/file_writer.hpp"

namespace reticle {

namespace {
using Clock = std::chrono::steady_clock;  // clock_gettime, which a handler may call [POSIX 2.4.3]

volatile std::sig_atomic_t asked_to_stop = 0;
std::atomic<Clock::rep> asked_at = 0;
static_assert(std::atomic<Clock::rep>::is_always_lock_free);

/// Calls nothing but what a handler may call [signal-safety(7)].
void end(int signal) {
  remove_temporary_files();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

const pid_t main_process = ::getpid();

void say(std::string_view text) {
  if (::getpid() == main_process) (void)!::write(STDERR_FILENO, text.data(), text.size());
}

void say_and_end(int signal) {
  say("interrupted: files under way are gone, those that were there stay\n");
  end(signal);
}

/// timeout(1) and some shells send a signal to the process and to its group: twice at one moment.
void on_signal(int signal) {
  const Clock::rep time = Clock::now().time_since_epoch().count();
  if (asked_to_stop == 0) {
    asked_to_stop = 1;
    asked_at = time;
    // Where nobody reads standard error any more, the results are still to be written.
    const int before = errno;
    std::signal(SIGPIPE, SIG_IGN);
    say("stopping once what is under way can be left; a signal after a second ends it at once\n");
    errno = before;
  } else if (Clock::duration{time - asked_at} > std::chrono::seconds{1}) {
    end(signal);
  }
}
}  // namespace

void end_cleanly_on_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction present {};
    ::sigaction(signal, nullptr, &present);
    if (present.sa_handler != SIG_IGN) std::signal(signal, say_and_end);  // nohup(1)
  }
}

Interruptible::Interruptible() {
  asked_to_stop = 0;
  struct sigaction mine {};
  mine.sa_handler = on_signal;
  ::sigaction(SIGINT, &mine, &before_int_);
  ::sigaction(SIGTERM, &mine, &before_term_);
}

Interruptible::~Interruptible() {
  ::sigaction(SIGINT, &before_int_, nullptr);
  ::sigaction(SIGTERM, &before_term_, nullptr);
}

void throw_if_asked(std::size_t done, std::size_t all, const std::string& of,
                    const std::string& kept) {
  if (Interruptible::asked())
    throw InterruptedError("interrupted after " + std::to_string(done) + " of " +
                           std::to_string(all) + " " + of + ": " + kept);
}

bool Interruptible::asked() { return asked_to_stop != 0; }

std::string interrupted_cells(std::size_t done, std::size_t all, bool kept) {
  return "interrupted after " + std::to_string(done) + " of " + std::to_string(all) + " cells: " +
         (kept ? "they are kept, and the same command goes on from here"
               : "without --out nothing is kept");
}

}  // namespace reticle
