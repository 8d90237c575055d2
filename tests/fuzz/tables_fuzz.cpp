// SPDX-License-Identifier: Apache-2.0
// libFuzzer over tables of measurements.
#include <cstdint>

#include "tests/fuzz/table_entry.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)reticle::read_any_table({reinterpret_cast<const char*>(data), size});
  return 0;
}
