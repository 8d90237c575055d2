// SPDX-License-Identifier: Apache-2.0
// Number formats and the bits they really occupy, block scales included.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "sim/base/units.hpp"

namespace reticle {

enum class Precision : std::uint8_t { Fp32, Bf16, Fp16, Fp8, Int8, Mxfp4, Nvfp4, Int2 };
inline constexpr std::size_t kPrecisionCount = 8;

struct PrecisionFact {
  Precision precision;
  std::string_view name;
  /// Storage per element in 1/4 bit. MXFP4 carries one 8-bit scale per 32 elements (4.25 bit),
  /// NVFP4 one per 16 (4.5 bit), INT2 a 16-bit scale and zero point per 32 (3 bit).
  /// [OCP MX v1.0; NVIDIA NVFP4; KIVI, arXiv 2402.02750]
  int quarter_bits;
};

inline constexpr std::array<PrecisionFact, kPrecisionCount> kPrecisions{{
    {Precision::Fp32, "fp32", 128},
    {Precision::Bf16, "bf16", 64},
    {Precision::Fp16, "fp16", 64},
    {Precision::Fp8, "fp8", 32},
    {Precision::Int8, "int8", 32},
    {Precision::Mxfp4, "mxfp4", 17},
    {Precision::Nvfp4, "nvfp4", 18},
    {Precision::Int2, "int2", 12},
}};

constexpr std::string_view name_of(Precision p) {
  return kPrecisions[static_cast<std::size_t>(p)].name;
}
/// A format to keep things in that no array multiplies.
constexpr bool storage_only(Precision p) { return p == Precision::Int2; }
/// Whether numbers share scales that must be found and multiplied out again.
constexpr bool scaled(Precision p) {
  return kPrecisions[static_cast<std::size_t>(p)].quarter_bits < 64;
}
constexpr std::optional<Precision> precision_of(std::string_view name) {
  for (const auto& fact : kPrecisions)
    if (fact.name == name) return fact.precision;
  return std::nullopt;
}
/// Bytes that `elements` of format `p` occupy, rounded up to a whole byte.
constexpr Bytes bytes_of(std::int64_t elements, Precision p) {
  return Bytes{mul_div_up(elements, kPrecisions[static_cast<std::size_t>(p)].quarter_bits, 32)};
}

}  // namespace reticle
