// SPDX-License-Identifier: Apache-2.0
// Seeded synthetic traces with the statistics of published ones.
//
// Models:     lengths and pauses by lognormals, mixtures or tables; gamma, diurnal and closed-loop
//             arrivals; sessions whose prompts grow, break, are compacted and call sub-agents;
//             thinking, adapters, many samples of one prompt.
// Leaves out: correlation of input with output or of a pause with what came before; a pause does
//             not know how fast the platform at hand answers (docs/workloads.md, "Limits").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/requests/law.hpp"
#include "workloads/requests/request.hpp"

namespace reticle {

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

  // Arrivals beyond the gamma gaps.
  double diurnal_swing = 0;          ///< rate swings by this share of its mean; 0 = steady
  double diurnal_period_s = 86'400;  ///< beginning at the mean, rising
  std::int64_t users = 0;            ///< closed loop: so many users who wait for answers
  LengthModel think_s{};             ///< closed loop: seconds from an answer to the next request
  /// Figures of the trace as a whole are the ones asked for, not those of a sample: time is
  /// stretched so that requests/span is rate_per_s, and lengths of single turns are drawn one from
  /// each of `requests` equal strata. A longer trace then does not begin like a shorter one.
  bool exact = false;

  // Single-turn requests.
  double thinking_low = 0;    ///< thinking tokens per answer token, log-uniform between the two;
  double thinking_high = 0;   ///< `output` is both together. 0 = none
  std::int64_t adapters = 0;  ///< low-rank adapters; 0 = none
  double adapter_skew = 1.0;  ///< the i-th is asked for in proportion to i^-skew
  std::int64_t samples_per_prompt = 1;  ///< requests of one prompt that arrive together

  // Sessions.
  bool name_sessions = false;  ///< write session, turn, depth and pause of each request
  LengthModel calls{};         ///< in place of calls_per_session
  LengthModel pause_s{};       ///< in place of pause_median_s: a tool at work
  double human_share = 0;      ///< of the pauses that are a human's
  LengthModel human_pause_s{};
  std::int64_t shared_prefix_tokens = 0;  ///< that all sessions begin with, whole blocks of them
  double cache_break = 0;  ///< chance that a call changes all behind the shared prefix
  LengthModel context{};   ///< of each session, in place of max_context; a session that needs more
  std::int64_t compact_to = 0;  ///< is compacted to so many tokens behind the shared prefix
  double sub_agent_chance = 0;  ///< of a call to start a sub-agent, which runs to its end first
  LengthModel sub_agent_calls{};
  LengthModel sub_agent_input{};
};

/// Throws ConfigError (without position) naming the first parameter that makes no sense.
void check_generator(const GeneratorParams& params);

/// A pure function of its arguments. Agent traces hold the first `requests` calls in time.
/// Throws ConfigError (without position) naming the first parameter that makes no sense.
Trace generate_trace(const GeneratorParams& params, std::uint64_t seed);

/// Parameters of the traces in workloads/samples/, by file name without ".jsonl".
std::vector<std::string_view> sample_names();
GeneratorParams sample_params(std::string_view name);
inline constexpr std::uint64_t kSampleSeed = 2026;
/// The note in the header of a generated file.
std::string generator_note(const GeneratorParams& params, std::uint64_t seed);

/// A kind of traffic and where its figures come from.
struct GeneratorPreset {
  std::string_view name;
  std::string_view what;
  std::string_view source;
  GeneratorParams params;
};
const std::vector<GeneratorPreset>& generator_presets();

}  // namespace reticle
