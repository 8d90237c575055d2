// SPDX-License-Identifier: Apache-2.0
// libFuzzer over reports that are read again.
#include <cstdint>

#include "tests/fuzz/report_entry.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)reticle::read_any_report({reinterpret_cast<const char*>(data), size});
  return 0;
}
