// SPDX-License-Identifier: Apache-2.0
// Most that a language model may have of each: for check(LlmSpec), readers of files and routers
// alike. They catch slipped units and keep products within 64 bits.
#pragma once

#include <cstdint>

namespace reticle::llm_bounds {

inline constexpr std::int64_t kLayers = 4096;
inline constexpr std::int64_t kMixers = 100;
inline constexpr std::int64_t kWidth = 1 << 20;  // of a matrix, in elements
inline constexpr std::int64_t kVocabulary = 1 << 24;
inline constexpr std::int64_t kTokens = 1'000'000'000;
inline constexpr std::int64_t kExperts = 4096;  // a router's sets of them are this large
inline constexpr std::int64_t kSharedExperts = 1024;
inline constexpr std::int64_t kMtpLayers = 64;
inline constexpr std::int64_t kConv = 1024;
inline constexpr std::int64_t kChunk = 1 << 16;
inline constexpr std::int64_t kTopics = 4096;
// Above 5 the mean of a lognormal is 10^5 times its median: one expert takes everything.
inline constexpr double kSigma = 5;
inline constexpr double kLink = 0.75;  // stickiness and correlation: runs end after eight
inline constexpr double kParameters = 1e16;

}  // namespace reticle::llm_bounds
