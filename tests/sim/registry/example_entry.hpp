// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "sim/registry/entry.hpp"

namespace reticle::test {

inline Entry example_entry(int number, std::vector<std::string> depends_on = {}, int priority = 1,
                           int difficulty = 1) {
  Entry entry;
  entry.id = "B" + std::to_string(number);
  entry.number = number;
  entry.name = "bottleneck " + std::to_string(number);
  entry.priority = priority;
  entry.difficulty = difficulty;
  entry.depends_on = std::move(depends_on);
  entry.last_reviewed = {2026, 4, 22};
  return entry;
}

}  // namespace reticle::test
