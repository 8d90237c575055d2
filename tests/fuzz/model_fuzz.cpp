// SPDX-License-Identifier: Apache-2.0
// libFuzzer over the importer, orders of layers and recordings of routings: '{' begins a
// config.json or a recording, 's' a recording as CSV, anything else an order.
//   ninja fuzz_models && ./fuzz_models -max_total_time=60 tests/fuzz/models
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/base/error.hpp"
#include "tests/fuzz/memory_file.hpp"
#include "workloads/llm/hf_import.hpp"
#include "workloads/llm/layer_order.hpp"
#include "workloads/moe/routing_figures.hpp"

namespace {

void read_recording(std::string_view text) {
  const reticle::MemoryFile file{text};
  const reticle::RoutingRecord record = reticle::read_routing(file.path());
  if (record.experts <= 64 && record.layers <= 64) (void)reticle::figures_of(record);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  try {
    if (text.starts_with('s') || text.starts_with("{\"reticle_routing\""))
      read_recording(text);
    else if (text.starts_with('{'))
      (void)reticle::import_hf_config("config.json", text, "m");
    else
      (void)reticle::write_order(reticle::expand_order(text, 4096));
  } catch (const reticle::ConfigError&) {
  }
  return 0;
}
