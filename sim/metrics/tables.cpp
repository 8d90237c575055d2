// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <vector>

#include "sim/accounts/energy.hpp"
#include "sim/mapping/program_label.hpp"
#include "sim/metrics/figures.hpp"
#include "sim/metrics/labels.hpp"
#include "sim/metrics/statistics.hpp"

namespace reticle {

namespace {
constexpr std::int64_t kPicosecondsPerMillisecond = 1'000'000'000;

/// An exact decimal, without trailing zeros.
std::string decimal(Picoseconds time, std::int64_t unit) {
  std::string text = std::to_string(time.count() / unit);
  const std::int64_t rest = time.count() % unit;
  if (rest == 0) return text;
  text += '.' + std::to_string(unit + rest).substr(1);
  return text.substr(0, text.find_last_not_of('0') + 1);
}

std::string as_seconds(std::optional<Picoseconds> time) {
  return time ? decimal(*time, kPicosecondsPerSecond) : std::string{};
}
std::string as_milliseconds(std::optional<Picoseconds> time) {
  return time ? decimal(*time, kPicosecondsPerMillisecond) : std::string{};
}

std::optional<Picoseconds> since_arrival(const RequestRecord& request,
                                         std::optional<Picoseconds> end) {
  return end ? std::optional{*end - request.arrival} : std::nullopt;
}

std::optional<Picoseconds> tpot(const RequestRecord& request) {
  const auto exact = tpot_picoseconds(request);
  return exact ? std::optional{Picoseconds{std::llround(*exact)}} : std::nullopt;
}

void write_row(std::ostream& out, const std::vector<std::string>& fields) {
  bool first = true;
  for (const auto& field : fields) {
    out << (first ? "" : ",") << csv_field(field);
    first = false;
  }
  out << '\n';
}
}  // namespace

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string{text};
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

/// In the order of enum Refusal.
constexpr std::array<std::string_view, 5> kRefusalNames{"", "context", "room", "fault", "late"};

std::string_view status_of(const RequestRecord& request) {
  if (request.rejected) return "rejected";
  if (request.finished) return "finished";
  return request.admitted ? "running" : "waiting";
}

void write_requests_csv(std::ostream& out, const RunResult& result, bool steady) {
  write_row(out, {"id", "arrival_s", "input_tokens", "output_tokens", "generated", "admitted_s",
                  "ttft_ms", "tpot_ms", "e2e_ms", "prefix_hit_tokens", "preemptions", "status",
                  "reason", "priority", "adapter"});
  for (const RequestRecord& r : result.requests) {
    const auto once_admitted = [&](std::int64_t n) {
      return steady || !r.admitted ? std::string{} : std::to_string(n);
    };
    write_row(
        out,
        {std::to_string(static_cast<std::uint64_t>(r.id)),
         steady ? std::string{} : as_seconds(r.arrival), std::to_string(r.input_tokens),
         std::to_string(r.output_tokens), std::to_string(r.generated),
         steady ? std::string{} : as_seconds(r.admitted),
         steady ? std::string{} : as_milliseconds(since_arrival(r, r.first_token)),
         as_milliseconds(tpot(r)),
         steady ? std::string{} : as_milliseconds(since_arrival(r, r.finished)),
         once_admitted(r.prefix_hit_tokens), once_admitted(r.preemptions),
         std::string{status_of(r)}, std::string{kRefusalNames[static_cast<std::size_t>(r.refusal)]},
         std::to_string(r.priority), r.adapter ? std::to_string(*r.adapter) : std::string{}});
  }
}

void write_residency_csv(std::ostream& out, const RunResult& result) {
  write_row(out, {"time_s", "instance", "tier", "weights_bytes", "kv_bytes", "kv_reserved_bytes",
                  "kv_cached_bytes", "running", "waiting", "adapter_bytes"});
  const Placement& placement = result.placement;
  for (const ResidencySample& sample : result.residency)
    for (std::size_t t = 0; t < kTierCount; ++t) {
      if (placement.capacity[t].count() == 0) continue;
      const bool is_home = placement.kv.tier == static_cast<Tier>(t);
      // Where home is SRAM nothing is near.
      const auto kv = [&](const ByPlace<Bytes>& bytes) {
        Bytes here{};
        for (const KvPlace place : kKvPlaces)
          if (tier_of(placement.kv.tier, place) == static_cast<Tier>(t)) here += bytes[place];
        return std::to_string(here.count());
      };
      write_row(out, {as_seconds(sample.time), std::to_string(sample.instance),
                      std::string{kTierNames[t]}, std::to_string(sample.weights[t].count()),
                      kv(sample.kv_used), kv(sample.kv_reserved), kv(sample.kv_cached),
                      std::to_string(sample.running), std::to_string(sample.waiting),
                      std::to_string(is_home ? sample.adapters.count() : 0)});
    }
}

void write_activity_csv(std::ostream& out, const RunResult& result, const PlatformSpec& platform) {
  std::vector<std::string> names{"begun_s",  "ended_s",       "instance",       "busy_share",
                                 "steps",    "output_tokens", "prefill_tokens", "admitted",
                                 "finished", "preemptions",   "running",        "waiting",
                                 "kv_bytes"};
  for (const UnitUse& use : utilisation(platform, {}, {})) names.push_back(use.name + "_share");
  names.emplace_back("power_w");
  write_row(out, names);
  const auto instances =
      static_cast<double>(std::max<std::int64_t>(1, std::ssize(result.instances)));
  for (const ActivitySpan& span : result.activity) {
    const Picoseconds took = span.ended - span.begun;
    std::vector<std::string> row{as_seconds(span.begun),
                                 as_seconds(span.ended),
                                 std::to_string(span.instance),
                                 fmt::format("{:.6g}", *ratio(seconds(span.busy), seconds(took))),
                                 std::to_string(span.steps),
                                 std::to_string(span.output_tokens),
                                 std::to_string(span.prefill_tokens),
                                 std::to_string(span.admitted),
                                 std::to_string(span.finished),
                                 std::to_string(span.preemptions),
                                 std::to_string(span.running),
                                 std::to_string(span.waiting),
                                 std::to_string(span.kv_used.count())};
    for (const UnitUse& use : utilisation(platform, span.counts, took))
      row.push_back(use.share ? fmt::format("{:.6g}", *use.share * instances) : "");
    const EnergyReport energy = price_energy(span.counts, platform, took);
    const double dynamic = energy.total_j() - energy.constant_j();
    row.push_back(
        fmt::format("{:.6g}", dynamic / seconds(took) + constant_power_w(platform) / instances));
    write_row(out, row);
  }
}

void write_power_csv(std::ostream& out, const RunResult& result, const PlatformSpec& platform) {
  std::vector<std::string> names{"begun_s", "ended_s", "instance"};
  for (const EnergyComponent& c : price_energy({}, platform, {}).components)
    names.push_back(c.name + "_w");
  write_row(out, names);
  const auto instances =
      static_cast<double>(std::max<std::int64_t>(1, std::ssize(result.instances)));
  for (const ActivitySpan& span : result.activity) {
    const Picoseconds took = span.ended - span.begun;
    std::vector<std::string> row{as_seconds(span.begun), as_seconds(span.ended),
                                 std::to_string(span.instance)};
    for (const EnergyComponent& c : price_energy(span.counts, platform, took).components)
      row.push_back(fmt::format("{:.6g}", c.joules / seconds(took) / (c.constant ? instances : 1)));
    write_row(out, row);
  }
}

void write_operators_csv(std::ostream& out, const RunResult& result) {
  std::vector<std::string> names{"simulated_step", "decodes", "prompt_tokens",
                                 "operator",       "path_us", "span_us"};
  for (const auto& label : kTimeCategoryLabels) names.push_back(std::string{label.key} + "_us");
  for (const auto tier : kTierNames)
    for (const char* what : {"_loaded_bytes", "_stored_bytes"})
      names.push_back(std::string{tier} + what);
  names.insert(names.end(), {"macs", "vector_ops"});
  write_row(out, names);
  const auto us = [](Picoseconds t) { return decimal(t, 1'000'000); };
  for (const StepAnatomy& step : result.anatomy)
    for (const OperatorWork& work : step.operators) {
      Picoseconds path{};
      for (const Picoseconds part : work.path) path += part;
      std::vector<std::string> row{std::to_string(step.simulated),
                                   std::to_string(step.decodes),
                                   std::to_string(step.prompt_tokens),
                                   std::string{label_name(work.label)},
                                   us(path),
                                   us(work.span)};
      for (const Picoseconds part : work.path) row.push_back(us(part));
      for (std::size_t t = 0; t < kTierCount; ++t)
        for (const auto& bytes : {work.loaded, work.stored})
          row.push_back(std::to_string(bytes[t].count()));
      std::int64_t macs = 0;
      for (const std::int64_t m : work.macs) macs += m;
      row.push_back(std::to_string(macs));
      row.push_back(std::to_string(work.vector_ops));
      write_row(out, row);
    }
}

void write_thermal_csv(std::ostream& out, const RunResult& result) {
  write_row(out, {"time_s", "instance", "clock", "hottest_c", "coolest_c", "dynamic_w", "memory_w",
                  "leakage_w", "elsewhere_w"});
  if (!result.thermal) return;
  for (const ThermalSample& s : result.thermal->samples) {
    std::vector<std::string> row{as_seconds(s.time), std::to_string(s.instance)};
    for (const double value :
         {s.clock, s.hottest_c, s.coolest_c, s.dynamic_w, s.memory_w, s.leakage_w, s.elsewhere_w})
      row.push_back(fmt::format("{:.6g}", value));
    write_row(out, row);
  }
}

void write_steps_csv(std::ostream& out, const RunResult& result) {
  write_row(out, {"begun_s", "took_ms", "instance", "decodes", "prefill_tokens", "output_tokens",
                  "running", "waiting", "kv_bytes", "mostly"});
  for (const StepRow& row : result.step_rows)
    write_row(out, {as_seconds(row.begun), as_milliseconds(row.took), std::to_string(row.instance),
                    std::to_string(row.decodes), std::to_string(row.prefill_tokens),
                    std::to_string(row.output_tokens), std::to_string(row.running),
                    std::to_string(row.waiting), std::to_string(row.kv_used.count()),
                    std::string{label_of(row.mostly).key}});
}

}  // namespace reticle
