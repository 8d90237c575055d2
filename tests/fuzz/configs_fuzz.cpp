// SPDX-License-Identifier: Apache-2.0
// libFuzzer over every kind of configuration file.
#include <cstdint>

#include "sim/config/yaml_reader.hpp"
#include "tests/fuzz/config_entry.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const reticle::KeepYaml tables;  // those of the catalogue are read once
  (void)reticle::read_any_config({reinterpret_cast<const char*>(data), size});
  return 0;
}
