// SPDX-License-Identifier: Apache-2.0
// clang before 15 has no std::source_location with libstdc++; a fuzzer can do without places.
#pragma once

#include <source_location>

#if defined(__clang__) && !defined(__cpp_lib_source_location)
#include <cstdint>
namespace std {  // NOLINT(cert-dcl58-cpp)
struct source_location {
  static constexpr source_location current() { return {}; }
  [[nodiscard]] constexpr const char* file_name() const { return "?"; }
  [[nodiscard]] constexpr const char* function_name() const { return "?"; }
  [[nodiscard]] constexpr std::uint_least32_t line() const { return 0; }
  [[nodiscard]] constexpr std::uint_least32_t column() const { return 0; }
};
}  // namespace std
#endif
