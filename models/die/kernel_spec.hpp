// SPDX-License-Identifier: Apache-2.0
// How a generation of GPUs runs kernels: what a kernel costs beyond the bytes and products it asks
// its die for. Few numbers, fitted to measured kernels (docs/models/kernels.md).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "models/mac/mac_spec.hpp"
#include "sim/base/precision.hpp"
#include "sim/base/units.hpp"

namespace reticle {

/// What a kernel does, as far as its fixed time depends on it.
enum class KernelKind : std::uint8_t {
  Small,         ///< element-wise: launch alone
  Product,       ///< weights stream by, of one matrix
  Experts,       ///< of one of the two grouped products of routed experts, permutation included
  Attention,     ///< decoding, over cached heads: split contexts, merge
  AttentionFp8,  ///< likewise, keys and values in FP8: another kernel
  LatentAttention,
  Prefill  ///< attention of prompts, with rotation and append before it
};
inline constexpr std::size_t kKernelKindCount = 7;

/// How a library moves bytes in one of its protocols.
struct ProtocolParams {
  Picoseconds step{};              ///< between a phase and the next: flags, copies through buffers
  std::int64_t wire_permille = 0;  ///< bytes on the wire per 1000 of payload: flags, headers
};

struct CollectiveParams {
  Picoseconds start{};               ///< of an exchange in which peers read from one another
  std::int64_t direct_permille = 0;  ///< its bytes on the wire per 1000 of payload
  Picoseconds ring_start{};          ///< of a library's collective
  ProtocolParams latency;            ///< of it: flags beside the data (LL)
  ProtocolParams bulk;               ///< of it: whole buffers (Simple)
  ProtocolParams dispatch;           ///< tokens to experts and back, for few tokens
  ProtocolParams dispatch_bulk;      ///< likewise for many, each sent to a rank but once
};

/// Models:     launch, staggered start and last wave of a kernel; operands that share the crossbar
///             with streamed weights; quantisation before a product; steps of collectives.
/// Leaves out: tiles and waves by shape (no gain in accuracy was found), L2 hits of weights, clock
///             changes over time.
struct KernelParams {
  std::string standard;
  std::array<Picoseconds, kKernelKindCount> begin{};    ///< beyond streaming and computing
  std::array<Picoseconds, kPrecisionCount> quantise{};  ///< of inputs, before a product
  std::array<Picoseconds, kPrecisionCount> walk{};      ///< of a product, per 1024 of its depth
  bool shared_beside = false;   ///< shared experts are launched beside the routed ones
  Picoseconds per_tensor{};     ///< more of it where a scale needs the whole input first
  Picoseconds block_experts{};  ///< more of a grouped product whose scales are per block
  Picoseconds host{};           ///< more, of a kernel that the host launches one by one
  /// What loads from memories reach the cores with: the sustained share of the HBM's pins.
  std::int64_t crossbar_permille = 0;
  /// How often a product's inputs cross, in hundredths: columns of tiles read them again.
  std::int64_t operand_passes = 0;
  std::int64_t expert_passes = 0;   ///< likewise of a routed token: permuted, read, reduced
  std::int64_t cache_passes = 0;    ///< of cached heads, beside the one that brings them
  std::int64_t latent_passes = 0;   ///< likewise of cached latent vectors
  std::int64_t prefill_passes = 0;  ///< likewise of queries, keys and values of a prompt
  CollectiveParams collective;
};

constexpr Picoseconds begin_of(const KernelParams& k, KernelKind kind) {
  return k.begin[static_cast<std::size_t>(kind)];
}

/// What goes before a product in `format` along `depth`, beyond its begin: inputs are quantised,
/// and tiles that are not split along the depth walk it step by step.
constexpr Picoseconds before_product(const KernelParams& k, Precision format, std::int64_t depth) {
  const auto f = static_cast<std::size_t>(format);
  return k.quantise[f] + Picoseconds{k.walk[f].count() * depth / 1024};
}

/// Bytes that cross with `passes` hundredths of them.
constexpr Bytes crossing(Bytes bytes, std::int64_t passes) {
  return Bytes{div_up(bytes.count() * passes, 100)};
}

/// Inputs of `format` and results of `result` of a product: inputs no more often than there are
/// columns of tiles, results once.
constexpr Bytes operands_crossing(const KernelParams& k, const GemmShape& s, Precision format,
                                  Precision result) {
  constexpr std::int64_t kTileColumns = 256;  // the widest of the libraries' output tiles
  const std::int64_t passes = std::min(k.operand_passes, 100 * div_up(s.n, kTileColumns));
  return s.count * (crossing(bytes_of(s.m * s.k, format), passes) + bytes_of(s.m * s.n, result));
}

}  // namespace reticle
