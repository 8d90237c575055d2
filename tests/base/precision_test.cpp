// SPDX-License-Identifier: Apache-2.0
#include "sim/base/precision.hpp"

#include <doctest/doctest.h>

using namespace reticle;
using namespace reticle::literals;

TEST_CASE("precision: the table is in the order of the enumeration, and names lead back") {
  for (std::size_t i = 0; i < kPrecisionCount; ++i) {
    CHECK(static_cast<std::size_t>(kPrecisions[i].precision) == i);
    CHECK(precision_of(name_of(kPrecisions[i].precision)) == kPrecisions[i].precision);
  }
  CHECK_FALSE(precision_of("fp5").has_value());
  CHECK_FALSE(precision_of("").has_value());
}

TEST_CASE("precision: plain formats take their width, block formats their scale as well") {
  CHECK(bytes_of(32, Precision::Fp32) == 128_B);
  CHECK(bytes_of(32, Precision::Bf16) == 64_B);
  CHECK(bytes_of(32, Precision::Fp16) == 64_B);
  CHECK(bytes_of(32, Precision::Fp8) == 32_B);
  CHECK(bytes_of(32, Precision::Int8) == 32_B);
  CHECK(bytes_of(32, Precision::Mxfp4) == 16_B + 1_B);  // one scale byte per 32
  CHECK(bytes_of(16, Precision::Nvfp4) == 8_B + 1_B);   // one scale byte per 16
}

TEST_CASE("precision: a started byte counts whole") {
  CHECK(bytes_of(0, Precision::Mxfp4) == 0_B);
  CHECK(bytes_of(1, Precision::Mxfp4) == 1_B);
  CHECK(bytes_of(3, Precision::Nvfp4) == 2_B);  // 13.5 bit
}
