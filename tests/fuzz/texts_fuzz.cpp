// SPDX-License-Identifier: Apache-2.0
// libFuzzer over the readers of single values.
#include <cstdint>

#include "tests/fuzz/text_entry.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)reticle::read_any_text({reinterpret_cast<const char*>(data), size});
  return 0;
}
