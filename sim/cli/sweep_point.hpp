// SPDX-License-Identifier: Apache-2.0
// One point of a sweep: what is run for it, what is kept of it.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>

#include "sim/config/read_run.hpp"
#include "sim/config/sweep_spec.hpp"
#include "sim/sweep/point_process.hpp"
#include "sim/sweep/store.hpp"
#include "workloads/requests/trace_reader.hpp"

namespace reticle {

RunRequest request_of(const SweepSpec& sweep, const DesignPoint& point);

/// Reads points, before any runs, until every key of an axis has a value that it takes and every
/// figure of objectives and limits a point that can have it. Throws ConfigError that names the key
/// or the figure where none of the points, or of the first 256 of the design, does.
void check_first_points(const SweepSpec& sweep);

/// What all points share, read once before processes are forked.
class SweepGround {
 public:
  /// Reads every combination of names. Throws ConfigError where the sweep cannot be run at all.
  explicit SweepGround(const SweepSpec& sweep);

  /// Of the resolved inputs beneath all points.
  [[nodiscard]] const std::string& digest() const { return digest_; }
  /// The trace of `spec`, if it is a trace's; read once where all points share it.
  [[nodiscard]] const Trace* trace(const RunSpec& spec, std::optional<Trace>& own) const;

 private:
  std::string digest_;
  std::string trace_key_;
  std::optional<Trace> trace_;
};

/// Works a point out and says what came of it, in the process of the point; inputs that are `known`
/// are not run again, and those that were run become so.
std::string work_point_out(const SweepSpec& sweep, const SweepGround& ground,
                           const DesignPoint& point, std::unordered_set<std::string>& known);

/// What such a process came to; `answered`: by the store, which has these inputs.
PointAnswer answer_of(const PointOutcome& outcome, const SweepSpec& sweep, bool& answered);

}  // namespace reticle
