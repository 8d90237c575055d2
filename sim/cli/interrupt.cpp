// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/interrupt.hpp"

#include <atomic>
#include <chrono>

namespace reticle {

namespace {
using Clock = std::chrono::steady_clock;  // clock_gettime, which a handler may call [POSIX 2.4.3]

volatile std::sig_atomic_t asked_to_stop = 0;
std::atomic<Clock::rep> asked_at = 0;
static_assert(std::atomic<Clock::rep>::is_always_lock_free);

/// timeout(1) and some shells send a signal to the process and to its group: twice at one moment.
void on_signal(int signal) {
  const Clock::rep time = Clock::now().time_since_epoch().count();
  if (asked_to_stop == 0) {
    asked_to_stop = 1;
    asked_at = time;
  } else if (Clock::duration{time - asked_at} > std::chrono::seconds{1}) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
}
}  // namespace

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

bool Interruptible::asked() { return asked_to_stop != 0; }

std::string interrupted_cells(std::size_t done, std::size_t all, bool kept) {
  return "interrupted after " + std::to_string(done) + " of " + std::to_string(all) + " cells: " +
         (kept ? "they are kept, and the same command goes on from here"
               : "without --out nothing is kept");
}

}  // namespace reticle
