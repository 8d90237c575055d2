// SPDX-License-Identifier: Apache-2.0
// What tests of SystemC modules share. One elaboration per process: a case builds all its modules
// first, and runs the kernel at most once.
#pragma once

#include <functional>
#include <systemc>
#include <utility>

#include "models/kernel/time.hpp"

namespace reticle {

class TestThread final : public sc_core::sc_module {
 public:
  TestThread(const sc_core::sc_module_name& name, std::function<void()> body)
      : sc_module{name}, body_{std::move(body)} {
    SC_HAS_PROCESS(TestThread);
    SC_THREAD(run);
  }

 private:
  void run() { body_(); }
  std::function<void()> body_;
};

/// Elaborates, runs `body` as a simulation process, and returns when no event is left.
inline void run_in_thread(std::function<void()> body) {
  TestThread thread{"test_thread", std::move(body)};
  sc_core::sc_start();
}

/// Inside run_in_thread: waits until absolute time `t`.
inline void wait_until(Picoseconds t) {
  if (t > now()) sc_core::wait(to_sc_time(t - now()));
}

}  // namespace reticle
