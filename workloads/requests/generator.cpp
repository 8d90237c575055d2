// SPDX-License-Identifier: Apache-2.0
#include "workloads/requests/generator.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <queue>
#include <utility>

#include "sim/base/error.hpp"
#include "sim/base/rng.hpp"
#include "workloads/requests/popularity.hpp"

namespace reticle {

namespace {

constexpr double kPauseSigma = 1.5;

/// Whole microseconds: the last bits of a logarithm differ between maths libraries, and files
/// should not.
Picoseconds to_time(double seconds) { return Picoseconds{std::llround(seconds * 1e6) * 1'000'000}; }

/// Gamma with mean `shape` and scale 1. [Marsaglia, Tsang, ACM TOMS 26(3), 2000]
double draw_gamma(RngStream& rng, double shape) {
  if (shape < 1.0) {
    const double larger = draw_gamma(rng, shape + 1.0);
    return larger * std::pow(1.0 - rng.uniform(), 1.0 / shape);
  }
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = rng.normal();
    const double v = std::pow(1.0 + c * x, 3);
    if (v <= 0.0) continue;
    if (std::log(1.0 - rng.uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

/// Gaps with the wanted mean and coefficient of variation; the first arrival is at 0, as in the
/// published traces.
class Arrivals {
 public:
  Arrivals(const GeneratorParams& params, std::uint64_t seed)
      : rng_{seed, "generator/arrivals"},
        mean_gap_s_{1.0 / params.rate_per_s},
        cv_{params.arrival_cv},
        swing_{params.diurnal_swing},
        period_s_{params.diurnal_period_s} {}

  /// Seconds from the start of the trace.
  double next() { return by_day(std::exchange(time_s_, time_s_ + gap())); }

 private:
  double gap() {
    if (cv_ == 0.0) return mean_gap_s_;
    const double variance = cv_ * cv_;  // of the gap over its mean; gamma shape is the inverse
    return mean_gap_s_ * variance * draw_gamma(rng_, 1.0 / variance);
  }
  /// The time t at which the integral of 1 + swing sin(2 pi t / period) is `steady_s`.
  [[nodiscard]] double by_day(double steady_s) const {
    if (swing_ == 0.0) return steady_s;
    const double per_s = 2.0 * 3.141592653589793 / period_s_;
    double low = steady_s - 2.0 * swing_ / per_s;
    double high = steady_s;
    for (int i = 0; i < 60; ++i) {
      const double t = 0.5 * (low + high);
      (t + swing_ * (1.0 - std::cos(per_s * t)) / per_s < steady_s ? low : high) = t;
    }
    return high;
  }

  RngStream rng_;
  double mean_gap_s_;
  double cv_;
  double swing_;
  double period_s_;
  double time_s_ = 0.0;
};

Picoseconds checked_time(double seconds) {
  if (seconds > kLongestTraceSeconds)
    throw ConfigError{{}, "requests", "expected a trace of at most 106 days, found a longer one"};
  return to_time(seconds);
}

/// Lengths of one kind, drawn one by one or one from each of as many strata as there are requests.
class Lengths {
 public:
  Lengths(const GeneratorParams& params, const LengthModel& model, std::uint64_t seed,
          std::string_view stream)
      : model_{model}, rng_{seed, stream} {
    if (!params.exact) return;
    const std::vector<QuantilePoint> table = quantile_table(model);
    const auto n = static_cast<std::uint64_t>(params.requests);
    for (std::uint64_t i = 0; i < n; ++i) {
      const double u = (static_cast<double>(i) + rng_.uniform()) / static_cast<double>(n);
      strata_.push_back(std::llround(std::max(table_value(table, u), 1.0)));
    }
    for (std::uint64_t i = n; i > 1; --i) std::swap(strata_[i - 1], strata_[rng_.below(i)]);
  }
  std::int64_t next() {
    if (next_ < strata_.size()) return strata_[next_++];
    return draw_length(rng_, model_);
  }

 private:
  const LengthModel& model_;
  RngStream rng_;
  std::vector<std::int64_t> strata_;
  std::size_t next_ = 0;
};

/// Everything about single-turn requests but their arrival.
class SingleTurns {
 public:
  SingleTurns(const GeneratorParams& params, std::uint64_t seed)
      : params_{params},
        input_{params, params.input, seed, "generator/input"},
        output_{params, params.output, seed, "generator/output"},
        thinking_{seed, "generator/thinking"},
        adapter_{seed, "generator/adapter"},
        popularity_{params.adapters, params.adapter_skew} {}

  Request next() {
    if (left_of_prompt_ == 0) start_prompt();
    --left_of_prompt_;
    Request request{
        .input_tokens = prompt_, .output_tokens = output_.next(), .prefix_blocks = blocks_};
    if (params_.thinking_high > 0.0) think(request);
    if (params_.adapters > 0) request.adapter = popularity_.at(adapter_.uniform());
    return request;
  }

 private:
  void start_prompt() {
    left_of_prompt_ = params_.samples_per_prompt;
    prompt_ = input_.next();
    if (params_.samples_per_prompt == 1) return;  // shares nothing with any other
    blocks_.resize(static_cast<std::size_t>(prompt_ / params_.block_tokens));
    for (auto& block : blocks_) block = next_block_++;
  }
  void think(Request& request) {
    const double span = params_.thinking_high / params_.thinking_low;
    const double ratio = params_.thinking_low * std::pow(span, thinking_.uniform());
    request.output_tokens = std::max<std::int64_t>(request.output_tokens, 2);
    const auto answer = std::max<std::int64_t>(
        std::llround(static_cast<double>(request.output_tokens) / (1.0 + ratio)), 1);
    request.thinking_tokens = request.output_tokens - answer;
  }

  const GeneratorParams& params_;
  Lengths input_;
  Lengths output_;
  RngStream thinking_;
  RngStream adapter_;
  Popularity popularity_;
  std::int64_t left_of_prompt_ = 0;
  std::int64_t prompt_ = 0;
  std::vector<std::uint64_t> blocks_;
  std::uint64_t next_block_ = 0;
};

void generate_chat(const GeneratorParams& params, std::uint64_t seed, Trace& trace) {
  Arrivals arrivals{params, seed};
  SingleTurns turns{params, seed};
  double arrival_s = 0.0;
  for (std::int64_t i = 0; i < params.requests; ++i) {
    if (i % params.samples_per_prompt == 0) arrival_s = arrivals.next();
    Request request = turns.next();
    request.id = RequestId{static_cast<std::uint64_t>(i)};
    request.arrival = checked_time(arrival_s);
    trace.requests.push_back(std::move(request));
  }
}

/// Users who send, wait for the answer at `decode_per_s`, think, and send again.
void generate_closed_loop(const GeneratorParams& params, std::uint64_t seed, Trace& trace) {
  SingleTurns turns{params, seed};
  RngStream think{seed, "generator/think"};
  using Due = std::pair<double, std::int64_t>;  // when, which user
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due;
  for (std::int64_t user = 0; user < params.users; ++user)
    due.emplace(user == 0 ? 0.0 : draw_value(think, params.think_s), user);
  std::vector<std::int64_t> turn(static_cast<std::size_t>(params.users));
  for (std::int64_t i = 0; i < params.requests; ++i) {
    const auto [now_s, user] = due.top();
    due.pop();
    Request request = turns.next();
    request.id = RequestId{static_cast<std::uint64_t>(i)};
    request.arrival = checked_time(now_s);
    request.session = static_cast<std::uint64_t>(user);
    request.turn = turn[static_cast<std::size_t>(user)]++;
    const double answer_s = params.decode_per_s > 0.0
                                ? static_cast<double>(request.output_tokens) / params.decode_per_s
                                : 0.0;
    due.emplace(now_s + answer_s + draw_value(think, params.think_s), user);
    trace.requests.push_back(std::move(request));
  }
}

/// One conversation with the model: each prompt is the one before, its answer and something new.
struct Conversation {
  std::int64_t prompt = 0;
  std::int64_t output = 0;
  std::int64_t calls_left = 0;
  std::vector<std::uint64_t> blocks{};
};

/// One agent at work, and the sub-agents it waits for.
class Session {
 public:
  Session(const GeneratorParams& params, std::uint64_t seed, std::int64_t number, double start_s)
      : params_{params},
        rng_{seed, "generator/session/" + std::to_string(number)},
        extra_{seed, "generator/session/" + std::to_string(number) + "/extra"},
        number_{number},
        next_s_{start_s},
        max_context_{is_given(params.context) ? draw_length(extra_, params.context)
                                              : params.max_context} {
    // Drawn in this order since the first samples.
    main_.calls_left = draw_calls();
    main_.prompt = params.shared_prefix_tokens + draw_length(rng_, params.input);
    main_.output = draw_length(rng_, params.output);
    clip_to_context();
  }

  [[nodiscard]] std::int64_t number() const { return number_; }
  [[nodiscard]] double next_s() const { return next_s_; }
  [[nodiscard]] bool over() const { return main_.calls_left == 0 && sub_.calls_left == 0; }

  /// The call due now; blocks new to the session take ids from `next_block`.
  Request call(std::uint64_t& next_block) {
    const bool sub = sub_.calls_left > 0;
    Conversation& talk = sub ? sub_ : main_;
    fill_blocks(talk, sub, next_block);
    Request request{.arrival = checked_time(next_s_),
                    .input_tokens = talk.prompt,
                    .output_tokens = talk.output,
                    .prefix_blocks = talk.blocks};
    if (params_.name_sessions) {
      request.session = static_cast<std::uint64_t>(number_);
      request.turn = turn_;
      request.depth = sub ? 1 : 0;
      if (turn_ > 0) request.pause = to_time(pause_s_);
    }
    ++turn_;
    advance(talk, sub);
    return request;
  }

 private:
  std::int64_t draw_calls() {
    if (is_given(params_.calls)) return draw_length(rng_, params_.calls);
    if (params_.calls_per_session <= 1.0) return 1;
    const double log_continue = std::log1p(-1.0 / params_.calls_per_session);
    return 1 + static_cast<std::int64_t>(std::log1p(-rng_.uniform()) / log_continue);
  }

  void fill_blocks(Conversation& talk, bool sub, std::uint64_t& next_block) const {
    const auto shared =
        sub ? std::size_t{0}
            : static_cast<std::size_t>(params_.shared_prefix_tokens / params_.block_tokens);
    // Only whole blocks: a part-filled one will read differently in the next, longer prompt.
    const auto whole = static_cast<std::size_t>(talk.prompt / params_.block_tokens);
    if (talk.blocks.size() > whole) talk.blocks.resize(whole);
    while (talk.blocks.size() < whole)
      talk.blocks.push_back(talk.blocks.size() < shared ? talk.blocks.size() : next_block++);
  }

  double draw_pause() {
    if (!is_given(params_.pause_s))
      return params_.pause_median_s > 0.0
                 ? rng_.lognormal(std::log(params_.pause_median_s), kPauseSigma)
                 : 0.0;
    const bool human = params_.human_share > 0.0 && extra_.uniform() < params_.human_share;
    return draw_value(rng_, human ? params_.human_pause_s : params_.pause_s);
  }

  void advance(Conversation& talk, bool sub) {
    if (params_.decode_per_s > 0.0)
      next_s_ += static_cast<double>(talk.output) / params_.decode_per_s;
    next_s_ += pause_s_ = draw_pause();
    talk.prompt += talk.output + draw_length(rng_, params_.append);
    talk.output = draw_length(rng_, params_.output);
    --talk.calls_left;
    if (sub) return;
    if (params_.cache_break > 0.0 && extra_.uniform() < params_.cache_break) forget(talk);
    if (max_context_ > 0 && talk.prompt + talk.output > max_context_) {
      if (params_.compact_to == 0) {
        talk.calls_left = 0;
      } else {
        talk.prompt = params_.shared_prefix_tokens + params_.compact_to;
        talk.output = std::min(talk.output, max_context_ - talk.prompt);
        forget(talk);
      }
    }
    if (params_.sub_agent_chance > 0.0 && talk.calls_left > 0 &&
        extra_.uniform() < params_.sub_agent_chance)
      start_sub_agent();
  }

  /// What stands behind the shared prefix reads differently from now on.
  void forget(Conversation& talk) const {
    const auto shared =
        static_cast<std::size_t>(params_.shared_prefix_tokens / params_.block_tokens);
    if (talk.blocks.size() > shared) talk.blocks.resize(shared);
  }

  void start_sub_agent() {
    sub_ = {.prompt = draw_length(extra_, params_.sub_agent_input),
            .output = draw_length(extra_, params_.output),
            .calls_left = draw_length(extra_, params_.sub_agent_calls)};
  }

  void clip_to_context() {
    if (max_context_ <= 0) return;
    main_.prompt = std::min(main_.prompt, max_context_ - 1);
    main_.output = std::min(main_.output, max_context_ - main_.prompt);
  }

  const GeneratorParams& params_;
  RngStream rng_;
  RngStream extra_;  ///< what the first samples did not draw
  std::int64_t number_;
  double next_s_;
  std::int64_t max_context_;
  Conversation main_;
  Conversation sub_;
  std::int64_t turn_ = 0;
  double pause_s_ = 0.0;
};

/// Earliest call first; of two at once that of the older session.
struct LaterCall {
  bool operator()(const Session* a, const Session* b) const {
    return std::pair{a->next_s(), a->number()} > std::pair{b->next_s(), b->number()};
  }
};

void generate_agent(const GeneratorParams& params, std::uint64_t seed, Trace& trace) {
  Arrivals arrivals{params, seed};
  std::vector<std::unique_ptr<Session>> sessions;
  std::priority_queue<Session*, std::vector<Session*>, LaterCall> due;
  // Ids below are those of the shared prefix.
  auto next_block = static_cast<std::uint64_t>(params.shared_prefix_tokens / params.block_tokens);
  double next_start_s = arrivals.next();
  for (std::int64_t i = 0; i < params.requests; ++i) {
    if (due.empty() || next_start_s <= due.top()->next_s()) {
      const auto number = static_cast<std::int64_t>(sessions.size());
      sessions.push_back(std::make_unique<Session>(params, seed, number, next_start_s));
      due.push(sessions.back().get());
      next_start_s = arrivals.next();
    }
    Session* const session = due.top();
    due.pop();
    Request request = session->call(next_block);
    request.id = RequestId{static_cast<std::uint64_t>(i)};
    trace.requests.push_back(std::move(request));
    if (session->over()) {
      sessions[static_cast<std::size_t>(session->number())].reset();
    } else {
      due.push(session);
    }
  }
}

/// Stretches time so that the rate is exactly the one asked for.
void set_rate(const GeneratorParams& params, Trace& trace) {
  const Picoseconds last = trace.requests.back().arrival;
  if (last <= Picoseconds{0}) return;
  const double wanted_s = static_cast<double>(params.requests) / params.rate_per_s;
  const double stretch = wanted_s / seconds(last);
  for (Request& request : trace.requests)
    request.arrival = checked_time(seconds(request.arrival) * stretch);
}

}  // namespace

Trace generate_trace(const GeneratorParams& params, std::uint64_t seed) {
  check_generator(params);
  Trace trace;
  trace.path = "(generated)";
  trace.format = "reticle";
  trace.digest = fnv1a64(generator_note(params, seed));
  if (params.kind == "agent" || params.samples_per_prompt > 1)
    trace.block_tokens = params.block_tokens;
  if (params.kind == "agent") {
    generate_agent(params, seed, trace);
  } else if (params.users > 0) {
    generate_closed_loop(params, seed, trace);
  } else {
    generate_chat(params, seed, trace);
  }
  if (params.exact) set_rate(params, trace);
  return trace;
}

}  // namespace reticle
