// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/recall.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "models/kernel/time.hpp"
#include "workloads/llm/attended.hpp"

namespace reticle {

namespace {
/// By how much the ratio to the closed form differs between steps that have nothing in common
/// (measured: a closed form that is 3 to 17 % short, llama-3-70b and claude-class-mid).
constexpr double kDeviation = 0.1;
// Correlation lengths: over what change of a coordinate the ratio becomes another.
constexpr double kTokenOctaves = 2;    // factors of two in a step's tokens
constexpr double kContextOctaves = 3;  // likewise in the cached tokens that decodes read
constexpr double kShare = 0.5;         // chosen: share of the closed form that one of its parts has
/// Audits begin with one step in kFirstAudits and become as rare as asked for only when some
/// kEarlyAudits have been made for every factor of e in steps: short runs know their error too.
constexpr double kFirstAudits = 4;
constexpr double kEarlyAudits = 16;
/// From so many times `recall_audit` steps on their number grows with the logarithm of the steps:
/// each costs as much as a thousand recalled steps.
constexpr double kPlentyOfAudits = 64;
/// Steps over whose routing a recalled one is averaged at least.
constexpr double kRoutings = 16;
/// Samples are kept up to here; beyond, audits only measure.
constexpr std::size_t kMostSamples = 2048;
}  // namespace

namespace {
void add_adapters(StepFeatures& f, const StepLoad& load, const AdapterRoom& room) {
  std::set<std::pair<std::int32_t, std::uint32_t>> seen;
  for (const SequenceWork& s : load.sequences) {
    if (!s.adapter) continue;
    const std::size_t rank = room.spec.rank_index(*s.adapter);
    f.adapter_macs += s.new_tokens * room.ranks[rank].elements;
    if (seen.emplace(s.replica, *s.adapter).second) f.adapters_read += room.replica_bytes(rank);
  }
  f.adapters = std::ssize(seen);
}
}  // namespace

StepFeatures features_of(const StepLoad& load, const LlmSpec& llm, const AdapterRoom* room) {
  StepFeatures f;
  if (room != nullptr) add_adapters(f, load, *room);
  for (const SequenceWork& s : load.sequences) {
    const std::int64_t macs = attention_macs(llm, s.context, s.new_tokens);
    const Bytes read = cache_read_bytes(llm, s.context, s.new_tokens);
    const Bytes near = near_read_bytes(llm, s.context, s.near, s.new_tokens);
    f.cache_read += read;
    f.near_read += near;
    f.attention_macs += macs;
    if (s.new_tokens == 1) {
      ++f.decodes;
      f.decode_context += s.context;
    } else {
      f.longest_prefill = std::max(f.longest_prefill, s.new_tokens);
      f.prefill_cache_read += read;
      f.prefill_near_read += near;
      f.prefill_macs += macs;
      f.prefill_tokens += s.new_tokens;
      f.prefill_pairs += s.new_tokens * (s.context + (s.new_tokens + 1) / 2);
    }
  }
  return f;
}

namespace {
struct Shares {
  double decode_cache = 0, prefill_cache = 0, attention = 0, adapters = 0;
  double near_cache = 0;
};
Kriging::Point point_of(const StepFeatures& f, const Shares& of) {
  const auto tokens = static_cast<double>(f.tokens());
  return {std::log2(tokens) / kTokenOctaves,
          of.decode_cache / kShare,
          of.prefill_cache / kShare,
          of.attention / kShare,
          static_cast<double>(f.longest_prefill) / tokens / kShare,
          std::log2(1 + static_cast<double>(f.decode_context)) / kContextOctaves,
          of.adapters / kShare,
          std::log2(1 + static_cast<double>(f.adapters)) / kTokenOctaves,
          of.near_cache / kShare};
}
}  // namespace

namespace {
/// The format that adapters' products run in; of no matter where there are none.
Precision adapter_product(const PlatformSpec& platform, const LlmSpec& llm,
                          const Placement& placement) {
  const Precision inputs = llm.linear_inputs.value_or(llm.activations);
  if (!placement.adapters) return inputs;
  return product_format(platform.die.mac, placement.adapters->spec.format, inputs);
}
}  // namespace

RecallExecutor::RecallExecutor(StepExecutor& silicon, const PlatformSpec& platform,
                               const LlmSpec& llm, const Placement& placement,
                               const ExpertRouter* router, const EngineSpec& spec)
    : silicon_{silicon},
      platform_{platform},
      llm_{llm},
      placement_{placement},
      router_{router},
      spec_{spec},
      profile_{placement.kv.tier, product_format(platform.die.mac, llm.kv, llm.activations),
               adapter_product(platform, llm, placement), platform.fabric.levels.size()},
      fields_{Field{Kriging{kDeviation}, {}}, Field{Kriging{kDeviation}, {}},
              Field{Kriging{kDeviation}, {}}, Field{Kriging{kDeviation}, {}}},
      audits_drawn_{0, "recall audits"} {
  report_.enabled = true;
}

RecallExecutor::ClosedForm RecallExecutor::closed_form(const StepFeatures& f) {
  auto [entry, fresh] = weights_time_.try_emplace(f.tokens());
  if (fresh)
    entry->second =
        seconds(rough_decode_step(platform_, llm_, placement_, router_,
                                  {.batch = std::max<std::int64_t>(1, f.tokens()), .context = 0}));
  const auto n = static_cast<double>(dies(platform_));
  const DieParams& die = platform_.die;
  const bool hbm = placement_.kv.tier == Tier::Hbm && die.hbm;
  const double sram = n * static_cast<double>(peak_bandwidth(die.sram).count());
  const double rate = hbm ? n * static_cast<double>(peak_bandwidth(*die.hbm).count()) : sram;
  const auto reading = [&](Bytes all, Bytes near) {
    return static_cast<double>((all - near).count()) / rate +
           static_cast<double>(near.count()) / sram;
  };
  const auto& mac = die.mac;
  const auto slow =
      static_cast<double>(mac.cycles_per_pass[static_cast<std::size_t>(llm_.activations)]);
  return {.weights = entry->second,
          .decode_cache =
              reading(f.cache_read - f.prefill_cache_read, f.near_read - f.prefill_near_read),
          .prefill_cache = reading(f.prefill_cache_read, f.prefill_near_read),
          .prefill_attention = static_cast<double>(f.prefill_macs) * slow /
                               (static_cast<double>(macs_per_cycle(mac)) *
                                static_cast<double>(mac.clock.count()) * n),
          .adapters = static_cast<double>(f.adapters_read.count()) / rate};
}

/// More than an average over kRoutings steps of a kind is not asked for.
bool RecallExecutor::trusted(const Field& field, const Kriging::Estimate& estimate) const {
  const double asked = spec_.recall_error * spec_.recall_error + field.ratios.noise() / kRoutings;
  return estimate.standard_error * estimate.standard_error <= asked;
}

StepOutcome RecallExecutor::answer(const Field& field, const Kriging::Estimate& estimate,
                                   const StepScale& scale, std::size_t sequences) {
  mean_profile_.assign(field.profiles.front().size(), 0);
  for (const auto& [sample, weight] : estimate.weights)
    for (std::size_t i = 0; i < mean_profile_.size(); ++i)
      mean_profile_[i] += weight * field.profiles[sample][i];
  StepOutcome out = profile_.outcome(mean_profile_, scale);
  out.roofline = roofline(platform_, totals_of(out.counts, placement_.kv),
                          in_turn(placement_.plan, sequences));
  // What no schedule can beat no interpolation beats either.
  const Picoseconds below = max(Picoseconds{}, out.roofline.duration - out.duration);
  *std::max_element(out.breakdown.begin(), out.breakdown.end()) += below;
  out.duration += below;
  return out;
}

void RecallExecutor::learn(Field& field, const Kriging::Point& point, const StepOutcome& outcome,
                           const StepScale& scale) {
  const double log_ratio = std::log(seconds(outcome.duration) / scale.seconds);
  const std::size_t sample = field.ratios.add(point, log_ratio);
  const std::vector<double> profile = profile_.of(outcome, scale);
  if (sample == field.profiles.size()) {
    field.profiles.push_back(profile);
    return;
  }
  std::vector<double>& mean = field.profiles[sample];
  for (std::size_t i = 0; i < mean.size(); ++i)
    mean[i] += (profile[i] - mean[i]) / field.ratios.values_of(sample);
}

/// Whether to audit a step of that time: in proportion to it, one in `recall_audit` in the mean,
/// and fewer once they are plenty, by a rule that knows nothing of their outcome.
bool RecallExecutor::draw_audit(Picoseconds duration, double& chance) {
  const auto n = static_cast<double>(++report_.recalled);
  recalled_time_ += seconds(duration);
  const double every =
      std::max(n / kPlentyOfAudits,
               std::min(static_cast<double>(spec_.recall_audit), kFirstAudits + n / kEarlyAudits));
  chance = std::min(1.0, seconds(duration) / (recalled_time_ / n) / every);
  return audits_drawn_.uniform() < chance;
}

namespace {
/// Of the bytes that are read from the cache.
double near_share(const StepFeatures& f) {
  if (f.near_read.count() == 0) return 0;
  return static_cast<double>(f.near_read.count()) / static_cast<double>(f.cache_read.count());
}
}  // namespace

StepOutcome RecallExecutor::execute(const StepLoad& load) {
  if (load.transfers()) {  // each is its own: simulated, and never an example for others
    ++report_.simulated;
    return silicon_.execute(load);
  }
  const StepFeatures f =
      features_of(load, llm_, placement_.adapters ? &*placement_.adapters : nullptr);
  const ClosedForm form = closed_form(f);
  const double total = form.total();
  const StepScale scale{.tokens = static_cast<double>(f.tokens()),
                        .seconds = total,
                        .cache_read = f.cache_read,
                        .near_read = f.near_read,
                        .attention_macs = f.attention_macs,
                        .adapters_read = f.adapters_read,
                        .adapter_macs = f.adapter_macs};
  const auto kind = static_cast<std::size_t>(f.prefill_tokens > 0);
  Field& field = fields_[kind + (f.adapters > 0 ? 2 : 0)];
  const Kriging::Point point = point_of(f, {.decode_cache = form.decode_cache / total,
                                            .prefill_cache = form.prefill_cache / total,
                                            .attention = form.prefill_attention / total,
                                            .adapters = form.adapters / total,
                                            .near_cache = near_share(f)});
  const Kriging::Estimate estimate = field.ratios.at(point);
  if (exact_ || !trusted(field, estimate)) {
    ++report_.simulated;
    const StepOutcome simulated = silicon_.execute(load);
    if (!exact_ || field.ratios.size() < kMostSamples) learn(field, point, simulated, scale);
    return simulated;
  }
  StepOutcome recalled = answer(field, estimate, scale, load.sequences.size());
  double chance = 0;
  if (!draw_audit(recalled.duration, chance)) {
    recalled.experts = silicon_.pass(load);
    sc_core::wait(to_sc_time(recalled.duration));
    return recalled;
  }
  const StepOutcome simulated = silicon_.execute(load);
  const double error =
      seconds(recalled.duration - simulated.duration) / seconds(simulated.duration);
  audits_[kind].add(error, seconds(recalled.duration), chance);
  all_audits_.add(error, seconds(recalled.duration), chance);
  if (field.ratios.size() < kMostSamples) learn(field, point, simulated, scale);
  return simulated;
}

RecallReport RecallExecutor::report() const {
  RecallReport out = report_;
  out.all = all_audits_.figures();
  out.decoding = audits_[0].figures();
  out.prefilling = audits_[1].figures();
  return out;
}

}  // namespace reticle
