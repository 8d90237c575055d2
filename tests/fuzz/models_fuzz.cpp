// SPDX-License-Identifier: Apache-2.0
// libFuzzer over the importer, orders of layers, recordings of routings and counts by expert.
//   ninja fuzz_models && ./fuzz_models -max_total_time=60 tests/fuzz/models
#include <cstdint>

#include "tests/fuzz/model_entry.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)reticle::read_any_model({reinterpret_cast<const char*>(data), size});
  return 0;
}
