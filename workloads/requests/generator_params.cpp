// SPDX-License-Identifier: Apache-2.0
// Parameters of the generator: what makes sense, and the note that repeats them.
#include <string>

#include "sim/base/error.hpp"
#include "workloads/requests/generator.hpp"

namespace reticle {

namespace {
constexpr std::int64_t kMostRequests = 100'000'000;

void require(bool ok, std::string_view key, std::string_view rule) {
  if (!ok) throw ConfigError{{}, key, "expected " + std::string{rule}};
}

void check_sessions(const GeneratorParams& params) {
  check_law(params.append, "append");
  require(params.calls_per_session >= 1.0 && params.calls_per_session <= 1e6, "calls_per_session",
          "a mean from 1 to 10^6");
  require(params.pause_median_s >= 0.0 && params.pause_median_s <= kLongestTraceSeconds,
          "pause_median_s", "seconds from 0 to 9200000");
  require(params.max_context == 0 || params.max_context >= 2, "max_context",
          "0, or at least 2 tokens");
  require(params.shared_prefix_tokens >= 0 && params.shared_prefix_tokens <= 100'000'000,
          "shared_prefix_tokens", "tokens from 0 to 10^8");
  require(params.cache_break >= 0.0 && params.cache_break <= 1.0, "cache_break",
          "a chance from 0 to 1");
  require(params.compact_to >= 0, "compact_to", "tokens from 0 on");
  const std::int64_t least = params.shared_prefix_tokens + params.compact_to;
  if (is_given(params.context)) {
    check_law(params.context, "context");
    require(!params.context.table.empty() &&
                params.context.table.front().value > static_cast<double>(least + 1),
            "context", "a table above shared_prefix_tokens + compact_to");
  }
  require(params.max_context == 0 || params.compact_to == 0 || params.max_context > least + 1,
          "max_context", "more than shared_prefix_tokens + compact_to");
  if (is_given(params.calls)) check_law(params.calls, "calls");
  if (is_given(params.pause_s)) check_law(params.pause_s, "pause_s");
  require(params.human_share >= 0.0 && params.human_share <= 1.0, "human_share",
          "a share from 0 to 1");
  if (params.human_share > 0.0) check_law(params.human_pause_s, "human_pause_s");
  require(params.sub_agent_chance >= 0.0 && params.sub_agent_chance <= 1.0, "sub_agent_chance",
          "a chance from 0 to 1");
  if (params.sub_agent_chance == 0.0) return;
  check_law(params.sub_agent_calls, "sub_agent_calls");
  check_law(params.sub_agent_input, "sub_agent_input");
}

}  // namespace

void check_generator(const GeneratorParams& params) {
  require(params.kind == "chat" || params.kind == "agent", "kind", "chat or agent");
  require(params.requests >= 1, "requests", "at least 1");
  // All are held, some 100 B each: to be put in order, and described.
  require(params.requests <= kMostRequests, "requests", "at most 10^8");
  require(params.rate_per_s > 0.0 && params.rate_per_s <= 1e9, "rate_per_s",
          "a rate above 0 and up to 10^9");
  require(params.arrival_cv >= 0.0 && params.arrival_cv <= 100.0, "arrival_cv",
          "a number from 0 to 100");
  require(params.diurnal_swing >= 0.0 && params.diurnal_swing < 1.0, "diurnal_swing",
          "a share from 0 to below 1");
  require(params.diurnal_period_s > 0.0 && params.diurnal_period_s <= kLongestTraceSeconds,
          "diurnal_period_s", "seconds above 0 and up to 9200000");
  check_law(params.input, "input");
  check_law(params.output, "output");
  require(params.block_tokens >= 1 && params.block_tokens <= 1'000'000, "block_tokens",
          "tokens from 1 to 10^6");
  require(params.decode_per_s >= 0.0 && params.decode_per_s <= 1e9, "decode_per_s",
          "a rate from 0 to 10^9");
  require(params.users >= 0 && params.users <= 10'000'000, "users", "users from 0 to 10^7");
  if (params.users > 0) check_law(params.think_s, "think_s");
  require(params.thinking_high == 0.0 ||
              (params.thinking_low > 0.0 && params.thinking_high >= params.thinking_low &&
               params.thinking_high <= 1e6),
          "thinking_high", "0, or a ratio from thinking_low to 10^6");
  require(params.adapters >= 0 && params.adapters <= 10'000'000, "adapters",
          "adapters from 0 to 10^7");
  require(params.adapter_skew >= 0.0 && params.adapter_skew <= 10.0, "adapter_skew",
          "a number from 0 to 10");
  require(params.samples_per_prompt >= 1 && params.samples_per_prompt <= 1'000'000,
          "samples_per_prompt", "samples from 1 to 10^6");
  if (params.kind == "agent") check_sessions(params);
}

namespace {

void note_extras(std::string& note, const GeneratorParams& params) {
  const GeneratorParams plain;
  const auto add = [&note](std::string_view key, double value, double usual) {
    if (value != usual) describe_number(note, key, value);
  };
  const auto add_law = [&note](const std::string& key, const LengthModel& model) {
    if (is_given(model)) describe_law(note, key, model);
  };
  add("diurnal_swing", params.diurnal_swing, plain.diurnal_swing);
  add("diurnal_period_s", params.diurnal_period_s, plain.diurnal_period_s);
  add("users", static_cast<double>(params.users), 0);
  add_law("think_s", params.think_s);
  add("exact", params.exact ? 1 : 0, 0);
  add("thinking_low", params.thinking_low, 0);
  add("thinking_high", params.thinking_high, 0);
  add("adapters", static_cast<double>(params.adapters), 0);
  if (params.adapters > 0) describe_number(note, "adapter_skew", params.adapter_skew);
  add("samples_per_prompt", static_cast<double>(params.samples_per_prompt), 1);
  add_law("calls", params.calls);
  add_law("pause_s", params.pause_s);
  add("human_share", params.human_share, 0);
  add_law("human_pause_s", params.human_pause_s);
  add("shared_prefix_tokens", static_cast<double>(params.shared_prefix_tokens), 0);
  add("cache_break", params.cache_break, 0);
  add_law("context", params.context);
  add("compact_to", static_cast<double>(params.compact_to), 0);
  add("sub_agent_chance", params.sub_agent_chance, 0);
  add_law("sub_agent_calls", params.sub_agent_calls);
  add_law("sub_agent_input", params.sub_agent_input);
}

}  // namespace

std::string generator_note(const GeneratorParams& params, std::uint64_t seed) {
  std::string note = "synthetic " + params.kind + ", seed " + std::to_string(seed);
  const auto add = [&note](std::string_view key, double value) {
    describe_number(note, key, value);
  };
  add("requests", static_cast<double>(params.requests));
  add("rate_per_s", params.rate_per_s);
  add("arrival_cv", params.arrival_cv);
  describe_law(note, "input", params.input);
  describe_law(note, "output", params.output);
  if (params.kind == "agent") {
    describe_law(note, "append", params.append);
    add("calls_per_session", params.calls_per_session);
    add("pause_median_s", params.pause_median_s);
    add("block_tokens", static_cast<double>(params.block_tokens));
    add("max_context", static_cast<double>(params.max_context));
    add("decode_per_s", params.decode_per_s);
  } else if (params.users > 0) {
    add("decode_per_s", params.decode_per_s);
  }
  note_extras(note, params);
  return note;
}

}  // namespace reticle
