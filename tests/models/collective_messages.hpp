// SPDX-License-Identifier: Apache-2.0
// Collectives among dies 0..n-1 as messages, by their definitions.
#pragma once

#include <cstdint>

#include "models/program/program.hpp"
#include "tests/models/fabric_bench.hpp"

namespace reticle::messages {

template <class Size>
std::vector<Message> all_pairs_in_rounds(std::int64_t n, Size size) {
  std::vector<Message> phase;
  for (std::int64_t d = 1; d < n; ++d)
    for (std::int64_t s = 0; s < n; ++s) {
      const std::int64_t t = (s + d) % n;
      phase.push_back({std::int32_t(s), std::int32_t(t), Bytes{size(s, t)}});
    }
  return phase;
}

template <class Size>
Exchange all_to_all(std::int64_t n, Size size) {
  return {everyone(n), {all_pairs_in_rounds(n, size)}};
}

inline Exchange one_shot(std::int64_t n, std::int64_t bytes) {
  return all_to_all(n, [&](auto, auto) { return bytes; });
}

inline Exchange direct(std::int64_t n, std::int64_t bytes) {
  const auto part = all_pairs_in_rounds(n, [&](auto, auto) { return bytes / n; });
  return {everyone(n), {part, part}};
}

inline Exchange ring(std::int64_t n, std::int64_t bytes) {
  Exchange exchange{everyone(n), {}};
  for (std::int64_t step = 0; step < 2 * (n - 1); ++step) {
    auto& phase = exchange.phases.emplace_back();
    for (std::int64_t i = 0; i < n; ++i)
      phase.push_back({std::int32_t(i), std::int32_t((i + 1) % n), Bytes{bytes / n}});
  }
  return exchange;
}

/// Binomial, from die 0 to all.
inline Exchange broadcast(std::int64_t n, std::int64_t bytes) {
  Exchange exchange{everyone(n), {}};
  std::int64_t top = 1;
  while (2 * top < n) top *= 2;
  for (std::int64_t d = top; d >= 1; d /= 2) {
    auto& phase = exchange.phases.emplace_back();
    for (std::int64_t i = 0; i + d < n; i += 2 * d)
      phase.push_back({std::int32_t(i), std::int32_t(i + d), Bytes{bytes}});
  }
  return exchange;
}

/// To die 0 along the same tree, and back.
inline Exchange tree(std::int64_t n, std::int64_t bytes) {
  const Exchange down = broadcast(n, bytes);
  Exchange exchange{everyone(n), {}};
  for (auto phase = down.phases.rbegin(); phase != down.phases.rend(); ++phase) {
    auto& up = exchange.phases.emplace_back(*phase);
    for (Message& m : up) std::swap(m.source, m.target);
  }
  exchange.phases.insert(exchange.phases.end(), down.phases.begin(), down.phases.end());
  return exchange;
}

/// Reduce-scatter in packages of `a`, all-reduce across, all-gather in packages.
inline Exchange hierarchical(std::int64_t n, std::int64_t a, std::int64_t bytes) {
  const std::int64_t b = n / a;
  std::vector<Message> inside, across;
  for (std::int64_t d = 1; d < a; ++d)
    for (std::int64_t i = 0; i < n; ++i)
      inside.push_back({std::int32_t(i), std::int32_t(i / a * a + (i + d) % a), Bytes{bytes / a}});
  for (std::int64_t d = 1; d < b; ++d)
    for (std::int64_t i = 0; i < n; ++i)
      across.push_back({std::int32_t(i), std::int32_t((i + d * a) % n), Bytes{bytes / n}});
  return {everyone(n), {inside, across, across, inside}};
}

inline Exchange in_switch(std::int64_t n, std::int64_t bytes) {
  Exchange exchange{everyone(n), {{}}};
  for (std::int64_t i = 0; i < n; ++i)
    exchange.phases[0].push_back({std::int32_t(i), kInSwitch, Bytes{bytes}});
  return exchange;
}

}  // namespace reticle::messages
