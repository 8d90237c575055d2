// SPDX-License-Identifier: Apache-2.0
// Reproducible random numbers: own generator and own distributions, because those of the standard
// library differ between implementations.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

namespace reticle {

/// splitmix64 finaliser: a bijective mix of 64 bits. [Steele, Lea, Flood, OOPSLA 2014]
constexpr std::uint64_t mix64(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

/// Order-dependent combination, for pure functions of several keys.
constexpr std::uint64_t combine64(std::uint64_t a, std::uint64_t b) { return mix64(a ^ mix64(b)); }

/// 64-bit FNV-1a of a text: names streams and digests inputs.
constexpr std::uint64_t fnv1a64(std::string_view text, std::uint64_t hash = 0xcbf29ce484222325ULL) {
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

/// Maps 64 random bits to [0, 1).
constexpr double unit_interval(std::uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

/// One independent stream per (seed, purpose): a new consumer never shifts another's numbers.
class RngStream {
 public:
  RngStream(std::uint64_t seed, std::string_view purpose)
      : state_{combine64(seed, fnv1a64(purpose))} {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    return mix64(state_);
  }
  double uniform() { return unit_interval(next()); }
  double exponential(double mean) { return -mean * std::log1p(-uniform()); }
  /// Standard normal, by Box-Muller; uses two uniforms and discards the second value.
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log1p(-uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }
  double lognormal(double mu, double sigma) { return std::exp(mu + sigma * normal()); }
  /// Uniform integer in [0, bound); bias below 2^-64 * bound.
  std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }

 private:
  std::uint64_t state_;
};

}  // namespace reticle
