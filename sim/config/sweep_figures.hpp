// SPDX-License-Identifier: Apache-2.0
// What a sweep keeps of every point: figures of its report by short names, and what is known of the
// deployment before anything runs.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "sim/config/sweep_spec.hpp"

namespace reticle {

struct SweepFigure {
  std::string_view name;
  std::string_view pointer;  ///< into report.json (RFC 6901)
  std::string_view unit;
  std::optional<Better> better;  ///< of those that can be an objective by name alone
  bool word = false;             ///< no number
  std::string_view needs{};      ///< where runs may be without it
};

inline constexpr std::string_view kTwoTokens =
    "two output tokens of a request: workload.steps above 1";
inline constexpr std::string_view kPrompts =
    "requests that begin with a prompt, which a steady decode has not";
inline constexpr std::string_view kTargets =
    "targets of latency (serving.ttft_limit, serving.tpot_limit) and requests that arrive, which a "
    "steady decode has not";

inline constexpr std::array<SweepFigure, 27> kSweepFigures{{
    {"throughput", "/throughput/output_tokens_per_s", "tokens/s", Better::More},
    {"per_chip", "/throughput/per_chip", "tokens/s", Better::More},
    {"per_user", "/latency/single_stream_tokens_per_s", "tokens/s", Better::More},
    {"tpot", "/latency/tpot_ms/mean", "ms", Better::Less, false, kTwoTokens},
    {"tpot_p99", "/latency/tpot_ms/p99", "ms", Better::Less, false, kTwoTokens},
    {"ttft_p99", "/latency/ttft_ms/p99", "ms", Better::Less, false, kPrompts},
    {"j_per_token", "/energy/scopes/node/per_token_j", "J", Better::Less},
    {"power", "/energy/busy_power_w", "W", Better::Less},
    {"heat_flux", "/energy/heat_flux_w_per_mm2", "W/mm2", Better::Less},
    {"usd_per_m_tokens", "/cost/planned/usd_per_m_tokens", "USD", Better::Less},
    {"agent_density", "/cost/planned/agent_density", "streams/1e6 USD", Better::More},
    {"capex", "/cost/capex_usd", "USD", Better::Less},
    {"roofline", "/roofline/tokens_per_s", "tokens/s", Better::More},
    {"bound_by", "/roofline/bound_by", "", std::nullopt, true},
    {"limited_by", "/limited_by/category", "", std::nullopt, true},
    {"sram_hit", "/residency/active_bytes_sram_fraction", "", Better::More},
    {"prefix_hit", "/residency/prefix_hit_fraction", "", Better::More},
    {"sram_weights", "/placement/weights_bytes/sram", "B", std::nullopt},
    {"longest_context", "/placement/kv/longest_context", "tokens", Better::More},
    {"plan", "/placement/plan/text", "", std::nullopt, true},
    {"simulated_s", "/simulated_s", "s", std::nullopt},
    {"busy_ps", "/time_ps/busy", "ps", std::nullopt},
    {"output_tokens", "/output_tokens", "tokens", std::nullopt},
    {"steps", "/steps", "", std::nullopt},
    {"rejected", "/requests/rejected", "", Better::Less},
    {"effective_bandwidth", "", "B/s", Better::More},  ///< bytes loaded over busy time
    {"good_tokens_per_s", "/goodput/output_tokens_per_s", "tokens/s", Better::More, false,
     kTargets},
}};

/// Known before a point runs, so that constraints may ask for them.
inline constexpr std::array<SweepFigure, 9> kSweepFacts{{
    {"dies", "", "", Better::Less},
    {"packages", "", "", Better::Less},
    {"die_area", "", "mm2", Better::Less},
    {"silicon_area", "", "mm2", Better::Less},
    {"sram_capacity", "", "B", std::nullopt},
    {"hbm_capacity", "", "B", std::nullopt},
    {"sram_bandwidth", "", "B/s", Better::More},
    {"hbm_bandwidth", "", "B/s", Better::More},
    {"weights", "", "B", std::nullopt},
}};

/// nullptr: no figure or fact of that name.
const SweepFigure* find_sweep_figure(std::string_view name);

}  // namespace reticle
