// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <cstddef>
#include <stdexcept>
#include <string>

#include "sim/sweep/point_process.hpp"

namespace reticle {

/// The user stopped it; what() says how far it came and what is kept.
class InterruptedError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// From now on SIGINT, SIGTERM and SIGHUP, where they are not ignored, remove temporary files and
/// say so before they end the program.
void end_cleanly_on_signals();

/// While one lives, SIGINT and SIGTERM ask to stop instead of ending the program. Asked again a
/// second later or more, they end it at once. One at a time.
class Interruptible {
 public:
  Interruptible();
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

  [[nodiscard]] static bool asked();

 private:
  struct sigaction before_int_ {
  }, before_term_{};
};

/// Of points that are left when the user asks to stop.
inline const PointRules kUntilAsked{.go_on = [] { return !Interruptible::asked(); }};

/// "interrupted after 3 of 40 cells: ..."
std::string interrupted_cells(std::size_t done, std::size_t all, bool kept);

/// Throws InterruptedError, "interrupted after 3 of 40 runs: what is kept", once it was asked.
void throw_if_asked(std::size_t done, std::size_t all, const std::string& of,
                    const std::string& kept);

}  // namespace reticle
