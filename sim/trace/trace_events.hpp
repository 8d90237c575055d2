// SPDX-License-Identifier: Apache-2.0
// Chrome's trace event format in JSON ("Trace Event Format", Chromium project, 2016), which
// Perfetto and chrome://tracing load.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "sim/base/units.hpp"

namespace reticle {

/// A track: a thread of a process, as the format calls them.
struct TrackId {
  std::int64_t process = 0;
  std::int64_t thread = 0;
};

/// Writes events as they come; the viewer puts them in order. Times are written in microseconds
/// with three decimals, cut to whole nanoseconds: that is what viewers keep, and two slices that
/// touch go on touching.
class TraceEventWriter {
 public:
  using Value = std::variant<std::int64_t, double, std::string_view>;
  struct Argument {
    std::string_view name;
    Value value;
  };
  using Arguments = std::initializer_list<Argument>;

  /// Writes the head; `out` must outlive the object.
  explicit TraceEventWriter(std::ostream& out);

  void process(std::int64_t process, std::string_view name);
  /// Tracks of a process stand in the order of their numbers.
  void thread(TrackId track, std::string_view name);
  /// Slices of one track must not overlap unless one lies within the other.
  void slice(TrackId track, Picoseconds begin, Picoseconds end, std::string_view name,
             Arguments arguments = {});
  /// Values from `at` on, drawn on top of each other.
  void counter(std::int64_t process, Picoseconds at, std::string_view name, Arguments values);
  /// A span that may overlap others of its kind; those of one `id` and category share a line.
  void span(std::int64_t process, std::uint64_t id, Picoseconds begin, Picoseconds end,
            std::string_view category, std::string_view name, Arguments arguments = {});
  /// A fact about the whole trace.
  void note(std::string_view key, std::string_view text);
  /// Writes the tail; nothing may follow.
  void finish();

 private:
  void begin(char phase, std::int64_t process);
  void arguments(Arguments all);

  std::ostream& out_;
  std::string buffer_;
  std::string notes_;
  bool first_ = true;
};

}  // namespace reticle
