// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/recall.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "models/kernel/time.hpp"
#include "workloads/llm/attended.hpp"

namespace reticle {

namespace {
constexpr std::int64_t kExactBelow = 8;  // small counts have bins of their own
// Of a bin whose steps differ in their routing: a visit, a share of the mean, a number of samples.
constexpr std::int64_t kSecondSample = 4;
constexpr double kStandardError = 0.01;
constexpr std::size_t kMostSamples = 16;
}  // namespace

StepFeatures features_of(const StepLoad& load, const LlmSpec& llm) {
  StepFeatures f;
  for (const SequenceWork& s : load.sequences) {
    const std::int64_t macs = attention_macs(llm, s.context, s.new_tokens);
    f.cache_read += cache_read_bytes(llm, s.context, s.new_tokens);
    f.attention_macs += macs;
    if (s.new_tokens == 1) {
      ++f.decodes;
      f.decode_context += s.context;
    } else {
      f.prefill_macs += macs;
      f.prefill_tokens += s.new_tokens;
      f.prefill_pairs += s.new_tokens * (s.context + (s.new_tokens + 1) / 2);
    }
  }
  return f;
}

RecallExecutor::RecallExecutor(StepExecutor& silicon, const PlatformSpec& platform,
                               const LlmSpec& llm, const Placement& placement,
                               const ExpertRouter* router, const EngineSpec& spec)
    : silicon_{silicon},
      platform_{platform},
      llm_{llm},
      placement_{placement},
      router_{router},
      spec_{spec} {
  report_.enabled = true;
}

std::int64_t RecallExecutor::bin(std::int64_t value) const {
  if (value <= kExactBelow) return value;
  const double steps = std::log(static_cast<double>(value) / static_cast<double>(kExactBelow)) /
                       std::log1p(spec_.recall_bin);
  return kExactBelow + 1 + static_cast<std::int64_t>(steps);
}

RecallExecutor::Bins RecallExecutor::bins_of(const StepFeatures& f) const {
  // Cached tokens that prefills read are left to the closed form: next to their GEMMs they are
  // little.
  return {bin(f.decodes), bin(f.decode_context), bin(f.prefill_tokens), bin(f.prefill_pairs)};
}

/// Seconds: weights, GEMMs and collectives for so many tokens, plus the KV bytes, plus attention.
double RecallExecutor::closed_form(const StepFeatures& f) {
  const std::int64_t tokens = f.decodes + f.prefill_tokens;
  auto [entry, fresh] = weights_time_.try_emplace(tokens);
  if (fresh)
    entry->second =
        seconds(rough_decode_step(platform_, llm_, placement_, router_,
                                  {.batch = std::max<std::int64_t>(1, tokens), .context = 0}));
  const auto n = static_cast<double>(dies(platform_));
  const DieParams& die = platform_.die;
  const bool hbm = placement_.kv.tier == Tier::Hbm && die.hbm;
  const auto rate =
      static_cast<double>((hbm ? peak_bandwidth(*die.hbm) : peak_bandwidth(die.sram)).count());
  const auto& mac = die.mac;
  const auto slow =
      static_cast<double>(mac.cycles_per_pass[static_cast<std::size_t>(llm_.activations)]);
  return entry->second + static_cast<double>(f.cache_read.count()) / (rate * n) +
         static_cast<double>(f.prefill_macs) * slow /
             (static_cast<double>(macs_per_cycle(mac)) * static_cast<double>(mac.clock.count()) *
              n);
}

/// HBM counts of a step that reads `more` and takes `ratio` times as long.
void RecallExecutor::scale_hbm(EventCounts& counts, Bytes more, double ratio) const {
  constexpr auto kHbm = static_cast<std::size_t>(Tier::Hbm);
  const auto times = [](std::int64_t count, double factor) {
    return std::llround(static_cast<double>(count) * factor);
  };
  const Bytes moved = counts.read[kHbm] + counts.written[kHbm];
  if (moved.count() > 0)
    counts.hbm_activates = times(counts.hbm_activates, static_cast<double>((moved + more).count()) /
                                                           static_cast<double>(moved.count()));
  counts.hbm_bank_active_us = times(counts.hbm_bank_active_us, ratio);
  counts.hbm_read_bursts += more.count() / platform_.die.hbm->burst.count();
}

StepOutcome RecallExecutor::scaled(const Sample& sample, const StepFeatures& f) {
  StepOutcome out = sample.outcome;
  const double ratio = closed_form(f) / closed_form(sample.features);
  const auto scale = [&](Picoseconds t) {
    return Picoseconds{std::llround(static_cast<double>(t.count()) * ratio)};
  };
  out.duration = Picoseconds{};
  for (Picoseconds& part : out.breakdown) out.duration += part = scale(part);
  out.roofline.duration = scale(out.roofline.duration);
  // Key and value bytes and attention's products follow the contexts exactly; rows are opened as
  // often per byte, and stay open as long; the rest of the counts is the sample's.
  const StepFeatures& s = sample.features;
  const Bytes kv = f.cache_read - s.cache_read;
  if (placement_.kv.tier == Tier::Hbm) scale_hbm(out.counts, kv, ratio);
  out.counts.read[static_cast<std::size_t>(placement_.kv.tier)] += kv;
  out.counts.loaded[static_cast<std::size_t>(TimeCategory::Kv)] += kv;
  auto& macs = out.counts.macs[static_cast<std::size_t>(llm_.activations)];
  macs = std::max<std::int64_t>(0, macs + f.attention_macs - s.attention_macs);
  return out;
}

void RecallExecutor::audit(const StepOutcome& recalled, const StepOutcome& simulated) {
  const double error =
      seconds(recalled.duration - simulated.duration) / seconds(simulated.duration);
  ++report_.audits;
  error_sum_ += error;
  abs_error_sum_ += std::abs(error);
  report_.max_abs_error = std::max(report_.max_abs_error, std::abs(error));
}

/// One sample says all of a step without routing. With it, one more is taken at the 4th, 8th,
/// 16th ... visit until the standard error of their ratios to the closed form is small.
bool RecallExecutor::wants_sample(const Bin& seen) {
  if (seen.samples.empty()) return true;
  if (router_ == nullptr || seen.visits < kSecondSample ||
      !std::has_single_bit(static_cast<std::uint64_t>(seen.visits)))
    return false;
  const auto n = static_cast<double>(seen.samples.size());
  if (n < 2) return true;
  double sum = 0, squares = 0;
  for (const Sample& s : seen.samples) {
    const double ratio = seconds(s.outcome.duration) / closed_form(s.features);
    sum += ratio;
    squares += ratio * ratio;
  }
  const double mean = sum / n;
  const double variance = std::max(0.0, squares / n - mean * mean) * n / (n - 1);
  return std::sqrt(variance / n) > kStandardError * mean;
}

void RecallExecutor::keep(Bin& seen, const StepFeatures& f, const StepOutcome& outcome) {
  if (seen.samples.size() < kMostSamples)
    seen.samples.push_back({f, outcome});
  else
    seen.samples[static_cast<std::size_t>(seen.visits) % kMostSamples] = {f, outcome};
}

StepOutcome RecallExecutor::execute(const StepLoad& load) {
  if (!load.moves.empty()) {  // each is its own: simulated, and never an example for others
    ++report_.simulated;
    return silicon_.execute(load);
  }
  const StepFeatures f = features_of(load, llm_);
  Bin& seen = bins_[bins_of(f)];
  ++seen.visits;
  if (wants_sample(seen)) {
    ++report_.simulated;
    const StepOutcome simulated = silicon_.execute(load);
    keep(seen, f, simulated);
    return simulated;
  }
  const auto turn = static_cast<std::size_t>(seen.visits) % seen.samples.size();
  StepOutcome recalled = scaled(seen.samples[turn], f);
  ++report_.recalled;
  if (due_for_audit()) {
    const StepOutcome simulated = silicon_.execute(load);
    audit(recalled, simulated);
    if (router_ != nullptr) keep(seen, f, simulated);
    return simulated;
  }
  sc_core::wait(to_sc_time(recalled.duration));
  return recalled;
}

/// Every n-th recalled step; before the first n, the 4th, 8th, 16th ... so that short runs know
/// too.
bool RecallExecutor::due_for_audit() const {
  const std::int64_t n = report_.recalled;
  if (n >= spec_.recall_audit) return n % spec_.recall_audit == 0;
  return n >= 4 && std::has_single_bit(static_cast<std::uint64_t>(n));
}

RecallReport RecallExecutor::report() const {
  RecallReport out = report_;
  if (out.audits > 0) {
    out.mean_error = error_sum_ / static_cast<double>(out.audits);
    out.mean_abs_error = abs_error_sum_ / static_cast<double>(out.audits);
  }
  return out;
}

}  // namespace reticle
