// SPDX-License-Identifier: Apache-2.0
// What binds a run, and what twice as much of each resource would have made of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/explain/resources.hpp"

namespace reticle {

/// What a report says about one run, as far as this asks.
struct RunAnswer {
  std::string problem;  ///< why it has no result; empty: it has
  std::optional<double> tokens_per_s;
  std::optional<double> e2e_ms;  ///< mean from arrival to last token; absent in a steady decode
  std::string limited_by;        ///< category
  std::string plan;
  std::string collectives;  ///< which algorithm serves which sizes
};

struct WhatIf {
  Lever lever;
  /// Share of the run's time that hangs on the resource: on the critical path; of capacity, while
  /// requests waited for room in the cache. Absent for the clock, which several units share.
  std::optional<double> share;
  /// Speed-up of the run, less one, if that time were halved and all else stayed [Amdahl 1967]; of
  /// a trace its share of the time within steps, as requests spend none of the idle time. A run
  /// gains less where another path is as long, more where it finds a better plan or collective.
  std::optional<double> expected;
  RunAnswer answer;
  std::optional<double> gain;  ///< speed-up less one; absent where it has no result
};

struct Explanation {
  RunAnswer base;
  std::string inputs;   ///< platform, model and workload, in words
  bool steady = false;  ///< speed is tokens/s; else the inverse of the mean time to the last token
  double idle = 0;      ///< share of the time without work
  std::vector<WhatIf> what_if;  ///< by share, those without behind

  /// The first three that bind at all.
  [[nodiscard]] std::vector<const WhatIf*> binding() const;
  /// The one resource that gains most, the clock, which several hang on, apart; null: none has a
  /// result.
  [[nodiscard]] const WhatIf* gains_most() const;
};

/// `base` and `answers`: texts of report.json, of the run and of it under each lever, or messages
/// of why there is none. Throws ConfigError where the run itself has no result.
struct AnswerText {
  std::string report;
  std::string problem;
};
Explanation explain(const AnswerText& base, const std::vector<Lever>& levers,
                    const std::vector<AnswerText>& answers);

std::string explanation_text(const Explanation& explanation);
std::string explanation_json(const Explanation& explanation);

}  // namespace reticle
