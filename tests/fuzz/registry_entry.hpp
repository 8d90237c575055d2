// SPDX-License-Identifier: Apache-2.0
// What the fuzzers feed to the readers of the bottleneck registry.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "sim/base/error.hpp"
#include "sim/html/html.hpp"
#include "sim/registry/registry.hpp"
#include "sim/registry/validation.hpp"

namespace reticle {

/// An entry that experiments may name, with a claim they may test.
inline std::vector<Entry> entries_to_test() {
  Entry entry;
  entry.id = "B1";
  entry.number = 1;
  entry.claims.push_back({.id = "speed", .low = 1, .high = 2, .unit = "x"});
  return {entry};
}

/// '---' begins an entry, `ids:` a ledger, anything else is an experiment. Answers whether it was
/// taken; anything but a ConfigError escapes.
inline bool read_any_registry(std::string_view text) {
  static const std::vector<Entry> entries = entries_to_test();
  try {
    if (text.starts_with("---")) {
      Registry registry;
      registry.entries.push_back(parse_entry(std::string{text}, "fuzz.md"));
      const Date today = *parse_date("2026-11-23");
      lint_registry(registry, today);
      (void)registry_json(registry, today);
      (void)html_of_markdown(registry.entries.front().body);
    } else if (text.starts_with("ids:")) {
      (void)parse_ledger(text, "ledger.yaml");
    } else {
      const std::vector<Experiment> all{parse_experiment(text, "fuzz.yaml", entries)};
      for (const Cell& cell : cells_of(all))
        invariant(!cell.command.empty(), "a cell can be repeated");
    }
    return true;
  } catch (const ConfigError&) {
    return false;
  }
}

}  // namespace reticle
