// SPDX-License-Identifier: Apache-2.0
// The three errors that cross library boundaries, and the check for our own mistakes.
#pragma once

#include <cstdint>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>

namespace reticle {

/// Where in a user's file something stands; line and column count from 1, 0 = unknown.
struct SourcePosition {
  std::string file;
  std::int64_t line = 0;
  std::int64_t column = 0;
};

/// "file:line:col", without the parts that are unknown.
std::string to_string(const SourcePosition& position);

/// The user's input is wrong. what(): `file:line:col: key: what was expected, what was found`.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  ConfigError(const SourcePosition& position, std::string_view key, std::string_view problem);

  /// Unknown where only a message was given.
  [[nodiscard]] const SourcePosition& position() const { return position_; }

 private:
  SourcePosition position_;
};

/// The input is valid but does not fit: capacity, or a limit that cannot be met.
class InfeasibleError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The simulation is stuck or over a limit.
class SimulationError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A broken promise of our own code; exit code 1.
class InvariantError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] void fail_invariant(std::string_view why, const std::source_location& where);

/// Always compiled in. Throws InvariantError naming the place when `ok` is false.
inline void invariant(bool ok, std::string_view why,
                      const std::source_location& where = std::source_location::current()) {
  if (!ok) [[unlikely]]
    fail_invariant(why, where);
}

}  // namespace reticle
