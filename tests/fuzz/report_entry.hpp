// SPDX-License-Identifier: Apache-2.0
// What the fuzzers feed to the readers of reports: those that compare, explain, reprice and
// registry take up again.
#pragma once

#include <string>
#include <string_view>

#include "sim/base/error.hpp"
#include "sim/compare/cell.hpp"
#include "sim/config/read_run.hpp"
#include "sim/explain/explanation.hpp"
#include "sim/metrics/counts_json.hpp"
#include "sim/metrics/report.hpp"
#include "sim/metrics/stored_run.hpp"
#include "sim/registry/validation.hpp"

namespace reticle {

/// One platform and what can be changed of it; read once.
struct ReportReaders {
  PlatformSpec platform = read_platform("h100-8");
  std::vector<Lever> levers{{.resource = Resource::HbmCapacity, .sets = {}},
                            {.resource = Resource::Mac, .sets = {}},
                            {.resource = Resource::Links, .sets = {}}};
};

/// How many of the readers took it; anything but their errors escapes.
inline int read_any_report(std::string_view text) {
  static const ReportReaders with;
  int taken = 0;
  const auto ask = [&](auto read) {
    try {
      read();
      ++taken;
    } catch (const ConfigError&) {
    } catch (const InfeasibleError&) {  // the report says that the run does not fit
    }
  };
  ask([&] { (void)read_cell(text); });
  ask([&] { (void)read_outcome("cell", text); });
  ask([&] { (void)read_stored("validation.json", text); });
  ask([&] { (void)counts_from_json(text); });
  ask([&] { (void)StoredRun{text}.price(with.platform); });
  if (taken == 0) return taken;  // the others need what these do
  ask([&] { (void)reprice_report_json(text, with.platform, "prices"); });
  ask([&] {
    const AnswerText answer{.report = std::string{text}, .problem = {}};
    const Explanation explanation = explain(answer, with.levers, {answer, answer, answer});
    (void)explanation_text(explanation);
    (void)explanation_json(explanation);
  });
  return taken;
}

}  // namespace reticle
