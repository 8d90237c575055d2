// SPDX-License-Identifier: Apache-2.0
// Seeded synthetic traces with the statistics of published ones.
//
// Models:     lognormal lengths and pauses, gamma arrivals, sessions whose prompts grow.
// Leaves out: the shape of a length distribution beyond two percentiles, bursts, correlation of
//             input with output, sub-agents, prompt compaction; a pause does not know how fast the
//             platform at hand answers (docs/workloads.md, "Limits").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/requests/request.hpp"

namespace reticle {

/// Token lengths: lognormal with the given median and 95th percentile, clipped to [1, maximum].
struct LengthModel {
  double median = 0;
  double p95 = 0;
  std::int64_t maximum = 0;
};

/// Independent single-turn requests ("chat"), or sessions of growing prompts ("agent").
struct GeneratorParams {
  std::string kind = "chat";  ///< chat | agent
  std::int64_t requests = 0;
  double rate_per_s = 0;    ///< chat: request rate; agent: session start rate
  double arrival_cv = 1.0;  ///< coefficient of variation of the gaps (gamma; 1 = Poisson)
  LengthModel input{};      ///< chat: prompt; agent: first prompt of a session
  LengthModel output{};
  LengthModel append{};            ///< agent: new tokens of each further call, besides the output
  double calls_per_session = 1;    ///< agent: mean of a geometric number of calls
  double pause_median_s = 0;       ///< agent: median pause between calls (lognormal, sigma 1.5)
  std::int64_t block_tokens = 64;  ///< agent: size of prefix blocks
  std::int64_t max_context = 0;    ///< agent: a session ends before it needs more; 0 = unbounded
  double decode_per_s = 0;         ///< agent: tokens/s that answers took; 0 = answered at once
};

/// A pure function of its arguments. Agent traces hold the first `requests` calls in time.
/// Throws ConfigError (without position) naming the first parameter that makes no sense.
Trace generate_trace(const GeneratorParams& params, std::uint64_t seed);

/// Parameters of the traces in workloads/samples/, by file name without ".jsonl".
std::vector<std::string_view> sample_names();
GeneratorParams sample_params(std::string_view name);
inline constexpr std::uint64_t kSampleSeed = 2026;
/// The note in the header of a generated file.
std::string generator_note(const GeneratorParams& params, std::uint64_t seed);

}  // namespace reticle
