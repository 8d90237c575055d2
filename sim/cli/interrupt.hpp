// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <cstddef>
#include <stdexcept>
#include <string>

namespace reticle {

/// The user stopped it; what() says how far it came and what is kept.
class InterruptedError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

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

/// "interrupted after 3 of 40 cells: ..."
std::string interrupted_cells(std::size_t done, std::size_t all, bool kept);

}  // namespace reticle
