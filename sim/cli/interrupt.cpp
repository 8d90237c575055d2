// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/interrupt.hpp"

#include <ctime>

namespace reticle {

namespace {
volatile std::sig_atomic_t asked_to_stop = 0;
volatile std::time_t asked_at = 0;

std::time_t monotonic_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);  // may be called in a handler [POSIX 2.4.3]
  return time.tv_sec;
}

/// timeout(1) and some shells send a signal to the process and to its group: twice at one moment.
void on_signal(int signal) {
  if (asked_to_stop == 0) {
    asked_to_stop = 1;
    asked_at = monotonic_seconds();
  } else if (monotonic_seconds() > asked_at) {
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
