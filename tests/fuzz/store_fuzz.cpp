// SPDX-License-Identifier: Apache-2.0
// libFuzzer over the store of a sweep.
#include <cstdint>

#include "tests/fuzz/store_entry.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)reticle::read_any_store({reinterpret_cast<const char*>(data), size});
  return 0;
}
