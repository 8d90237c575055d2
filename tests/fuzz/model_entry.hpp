// SPDX-License-Identifier: Apache-2.0
// What the fuzzers feed to the importer and the readers of routings: any bytes are read, or are a
// ConfigError.
#pragma once

#include <string>
#include <string_view>

#include "sim/base/error.hpp"
#include "tests/fuzz/memory_file.hpp"
#include "workloads/llm/hf_import.hpp"
#include "workloads/llm/layer_order.hpp"
#include "workloads/moe/expert_counts.hpp"
#include "workloads/moe/routing_figures.hpp"

namespace reticle {

/// '{' begins a config.json or a recording, a first line with commas a recording or counts as CSV,
/// as what is gzipped may be; anything else is an order. Answers whether it was taken; anything but
/// a ConfigError escapes.
inline bool read_any_model(std::string_view text) {
  try {
    const bool commas = text.substr(0, text.find('\n')).find(',') != std::string_view::npos;
    if (text.starts_with('{') || text.starts_with("\x1f\x8b") || commas) {
      const MemoryFile file{text};
      if (is_routing(file.path())) {
        (void)figures_of(read_routing(file.path()));
        return true;
      }
      if (is_expert_counts(file.path())) {
        for (const CountedLoads& one : read_expert_counts(file.path()).recordings)
          (void)mean_of(one);
        return true;
      }
    }
    if (text.starts_with('{'))
      (void)import_hf_config("config.json", std::string{text}, "m");
    else
      (void)write_order(expand_order(text, 4096));
    return true;
  } catch (const ConfigError&) {
    return false;
  }
}

}  // namespace reticle
