// SPDX-License-Identifier: Apache-2.0
// Value change dumps (IEEE 1364-2005, clause 18), as waveform viewers read them.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/units.hpp"

namespace reticle {

/// Collects changes in any order and writes them in that of time. Picoseconds are the unit.
class VcdDump {
 public:
  using Signal = std::size_t;

  /// `scope`: names with dots between them. `width`: bits. All values begin as 0.
  Signal add(std::string_view scope, std::string_view name, int width);
  /// From `at` on; of several at one time the last one counts.
  void change(Signal signal, Picoseconds at, std::uint64_t value);
  /// Characters, eight bits each, for a viewer's ASCII format: as many as the width holds.
  void change(Signal signal, Picoseconds at, std::string_view text);
  /// `comment`: what a reader should know.
  void write(std::ostream& out, std::string_view comment) const;

 private:
  struct Variable {
    std::string scope, name;
    int width;
  };
  struct Change {
    Picoseconds at{};
    std::uint32_t signal = 0;
    std::uint64_t value = 0;
    std::uint32_t text = 0;  ///< place in `texts_` + 1
  };
  [[nodiscard]] std::string value_text(const Change& change) const;

  std::vector<Variable> variables_;
  std::vector<Change> changes_;
  std::vector<std::string> texts_;
};

}  // namespace reticle
