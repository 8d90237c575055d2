// SPDX-License-Identifier: Apache-2.0
// libFuzzer over entries, ledgers and experiments of the registry.
#include <cstdint>

#include "tests/fuzz/registry_entry.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)reticle::read_any_registry({reinterpret_cast<const char*>(data), size});
  return 0;
}
