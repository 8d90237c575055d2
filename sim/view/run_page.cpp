// SPDX-License-Identifier: Apache-2.0
#include "sim/view/run_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "sim/accounts/energy.hpp"
#include "sim/html/html.hpp"
#include "sim/html/style.hpp"
#include "sim/mapping/program_label.hpp"
#include "sim/metrics/figures.hpp"
#include "sim/metrics/labels.hpp"
#include "sim/metrics/statistics.hpp"
#include "sim/thermal/package_heat.hpp"
#include "sim/view/run_page_script.hpp"

namespace reticle {

namespace {
using Json = nlohmann::ordered_json;

constexpr std::size_t kMostPoints = 400;  // of a curve
constexpr std::size_t kMostLinks = 4000;  // drawn one by one
constexpr int kHistogramBins = 48;        // bars, chosen for the width

double microseconds(Picoseconds t) { return static_cast<double>(t.count()) * 1e-6; }

template <class T>
std::size_t stride_of(const std::vector<T>& all) {
  return std::max<std::size_t>(1, (all.size() + kMostPoints - 1) / kMostPoints);
}

Json by_tier(const std::array<Bytes, kTierCount>& bytes) {
  Json out = Json::object();
  for (std::size_t t = 0; t < kTierCount; ++t)
    if (bytes[t].count() > 0) out[std::string{kTierNames[t]}] = bytes[t].count();
  return out;
}

Json operator_json(const OperatorWork& work) {
  Json path = Json::object(), macs = Json::object();
  for (std::size_t c = 0; c < kTimeCategoryCount; ++c)
    if (work.path[c].count() > 0)
      path[std::string{kTimeCategoryLabels[c].key}] = microseconds(work.path[c]);
  for (std::size_t p = 0; p < kPrecisionCount; ++p)
    if (work.macs[p] > 0) macs[std::string{name_of(static_cast<Precision>(p))}] = work.macs[p];
  return {{"name", label_name(work.label)},     {"path_us", path},
          {"span_us", microseconds(work.span)}, {"loaded", by_tier(work.loaded)},
          {"stored", by_tier(work.stored)},     {"macs", macs},
          {"vector_ops", work.vector_ops}};
}

Json anatomy_json(const RunResult& result) {
  Json out = Json::array();
  for (const StepAnatomy& a : result.anatomy) {
    if (a.simulated == 0) continue;
    Json operators = Json::array();
    for (const OperatorWork& work : a.operators) operators.push_back(operator_json(work));
    out.push_back({{"simulated", a.simulated},
                   {"decodes", a.decodes},
                   {"prompt_tokens", a.prompt_tokens},
                   {"took_us", microseconds(a.took)},
                   {"operators", operators}});
  }
  return out;
}

/// Of the dies of one instance, at their best: what the roofline is made of.
Json roofs_json(const RunSpec& spec, const RunResult& result) {
  const DieParams& die = spec.platform.die;
  const auto n = static_cast<double>(std::max<std::size_t>(1, result.dies.size()));
  Json bandwidth{{"sram", static_cast<double>(peak_bandwidth(die.sram).count()) * n}};
  if (die.hbm) bandwidth["hbm"] = static_cast<double>(peak_bandwidth(*die.hbm).count()) * n;
  if (die.far) bandwidth["far"] = static_cast<double>(peak_bandwidth(*die.far).count()) * n;
  Json macs = Json::object();
  for (std::size_t p = 0; p < kPrecisionCount; ++p)
    if (const std::int64_t cycles = die.mac.cycles_per_pass[p]; cycles > 0)
      macs[std::string{name_of(static_cast<Precision>(p))}] =
          static_cast<double>(macs_per_cycle(die.mac)) *
          static_cast<double>(die.mac.clock.count()) * n / static_cast<double>(cycles);
  return {{"bytes_per_s", bandwidth}, {"macs_per_s", macs}};
}

Json residency_json(const RunResult& result) {
  Json out = Json::array();
  const auto& all = result.residency;
  const std::size_t stride = stride_of(all);
  for (std::size_t i = 0; i < all.size(); i += stride) {
    const ResidencySample& s = all[i];
    if (s.instance != 0) continue;
    Json kv = Json::object();
    for (const KvPlace place : kKvPlaces)
      if (s.kv_used[place].count() > 0)
        kv[std::string{name_of(tier_of(result.placement.kv.tier, place))}] =
            s.kv_used[place].count();
    out.push_back({{"t", seconds(s.time)},
                   {"kv", kv},
                   {"weights", by_tier(s.weights)},
                   {"running", s.running},
                   {"waiting", s.waiting}});
  }
  return out;
}

/// Counts in bins whose edges grow by a constant factor; null without values.
Json histogram(std::vector<std::pair<double, std::int64_t>> values) {
  std::erase_if(values, [](const auto& v) { return v.second == 0; });
  if (values.empty()) return nullptr;
  double low = values.front().first, high = low;
  for (const auto& [v, n] : values) low = std::min(low, v), high = std::max(high, v);
  low = std::max(low, 1e-6);
  constexpr double kNarrowest = 1.05;  // where all are alike, five percent
  high = std::max(high, low * kNarrowest);
  const double step = std::log(high / low) / kHistogramBins;
  std::vector<std::int64_t> counts(kHistogramBins);
  for (const auto& [v, n] : values) {
    const int bin = static_cast<int>(std::log(std::max(v, low) / low) / step);
    counts[static_cast<std::size_t>(std::clamp(bin, 0, kHistogramBins - 1))] += n;
  }
  return {{"low", low}, {"high", high}, {"counts", counts}};
}

Json latencies_json(const RunResult& result, bool steady) {
  std::vector<std::pair<double, std::int64_t>> ttft, tpot, e2e, itl;
  const auto ms = [](Picoseconds t) { return static_cast<double>(t.count()) * 1e-9; };
  for (const RequestRecord& r : result.requests) {
    if (!steady && r.first_token) ttft.emplace_back(ms(*r.first_token - r.arrival), 1);
    if (!steady && r.finished) e2e.emplace_back(ms(*r.finished - r.arrival), 1);
    if (const auto exact = tpot_picoseconds(r); r.finished && exact)
      tpot.emplace_back(*exact * 1e-9, 1);
  }
  for (const auto& [gap, count] : result.token_gaps.sorted()) itl.emplace_back(ms(gap), count);
  return {{"ttft_ms", histogram(std::move(ttft))},
          {"tpot_ms", histogram(std::move(tpot))},
          {"itl_ms", histogram(std::move(itl))},
          {"e2e_ms", histogram(std::move(e2e))}};
}

/// Busy shares of each die in the steps that were simulated, and where it lies.
Json dies_json(const RunSpec& spec, const RunResult& result) {
  const FloorPlan plan = floor_plan(spec.platform);
  Json rows = Json::array();
  const auto add = [&](const InstanceResult& instance) {
    const double time = seconds(instance.simulated);
    if (time <= 0) return;
    for (const EventCounts& c : instance.dies) {
      const auto share = [&](Picoseconds busy) { return seconds(busy) / time; };
      rows.push_back({{"mac", share(c.mac_busy)},
                      {"vector", share(c.vector_busy)},
                      {"sram", share(c.sram_busy)},
                      {"hbm", share(c.hbm_busy)},
                      {"far", share(c.far_busy)}});
    }
  };
  if (result.instances.empty()) add(result);
  for (const InstanceResult& instance : result.instances) add(instance);
  return {{"width", plan.width},
          {"height", plan.height},
          {"per_package", spec.platform.dies_per_package},
          {"packages_per_node", spec.platform.packages_per_node},
          {"shares", rows}};
}

Json links_json(const RunSpec& spec, const RunResult& result) {
  const double time = seconds(result.simulated);
  if (result.links.empty() || time <= 0) return nullptr;
  const bool all = result.links.size() <= kMostLinks;
  Json rows = Json::array(), levels = Json::array();
  std::vector<double> busy(spec.platform.fabric.levels.size()), most(busy.size());
  std::vector<std::int64_t> count(busy.size()), bytes(busy.size());
  for (const LinkLoad& link : result.links) {
    const auto level = static_cast<std::size_t>(link.level);
    const double share = seconds(link.busy) / time;
    ++count[level];
    bytes[level] += link.bytes.count();
    busy[level] += share;
    most[level] = std::max(most[level], share);
    if (all) rows.push_back({link.from, link.to, link.level, link.bytes.count(), share});
  }
  for (std::size_t l = 0; l < busy.size(); ++l)
    levels.push_back({{"name", spec.platform.fabric.levels[l].name},
                      {"links", count[l]},
                      {"bytes", bytes[l]},
                      {"mean_share", count[l] > 0 ? busy[l] / static_cast<double>(count[l]) : 0},
                      {"most_share", most[l]}});
  return {{"levels", levels}, {"links", rows}, {"dies", result.dies.size()}};
}

/// Watts of each component of energy over time, several spans to one where there are many.
Json power_json(const RunSpec& spec, const RunResult& result) {
  Json out = Json::array();
  std::vector<ActivitySpan> mine;
  for (const ActivitySpan& s : result.activity)
    if (s.instance == 0) mine.push_back(s);
  const double instances = static_cast<double>(std::max<std::size_t>(1, result.instances.size()));
  const std::size_t stride = stride_of(mine);
  for (std::size_t i = 0; i < mine.size(); i += stride) {
    EventCounts counts;
    Picoseconds end{};
    for (std::size_t k = i; k < std::min(mine.size(), i + stride); ++k) {
      counts += mine[k].counts;
      end = mine[k].ended;
    }
    const Picoseconds took = end - mine[i].begun;
    if (took.count() == 0) continue;
    Json watts = Json::object();
    for (const EnergyComponent& c : price_energy(counts, spec.platform, took).components) {
      const double w = c.joules / seconds(took) / (c.constant ? instances : 1);
      if (w > 0) watts[c.name] = w;
    }
    out.push_back({{"t", seconds(mine[i].begun)}, {"to", seconds(end)}, {"watts", watts}});
  }
  return out;
}

Json heat_json(const RunResult& result) {
  if (!result.thermal) return nullptr;
  Json samples = Json::array();
  const auto& all = result.thermal->samples;
  const std::size_t stride = stride_of(all);
  for (std::size_t i = 0; i < all.size(); i += stride)
    if (all[i].instance == 0)
      samples.push_back({seconds(all[i].time), all[i].clock, all[i].hottest_c, all[i].coolest_c,
                         all[i].leakage_w});
  return {{"samples", samples}, {"die_c", result.thermal->die_c}};
}

Json inputs_json(const RunSpec& spec) {
  Json rows = Json::array();
  for (const ResolvedValue& v : spec.resolved)
    rows.push_back({v.path, v.value, v.origin, v.confidence, v.source});
  return rows;
}

/// Components of energy that flow whether or not there is work.
Json constant_names(const RunSpec& spec) {
  Json names = Json::array();
  for (const EnergyComponent& c : price_energy({}, spec.platform, Picoseconds{0}).components)
    if (c.constant) names.push_back(c.name);
  return names;
}

/// As text between script tags.
std::string embedded(const Json& data) {
  std::string text = data.dump(), out;
  for (const char c : text) c == '<' ? out += "\\u003c" : out += c;
  return out;
}
}  // namespace

std::string run_page(const RunSpec& spec, const RunResult& result, std::string_view report) {
  const bool steady = std::holds_alternative<SteadyDecode>(spec.workload);
  Json categories = Json::object();
  for (const TimeCategoryLabel& l : kTimeCategoryLabels)
    categories[std::string{l.key}] = {{"title", l.title}, {"why", l.why}};
  const Json data{
      {"report", Json::parse(report)},       {"categories", categories},
      {"anatomy", anatomy_json(result)},     {"roofs", roofs_json(spec, result)},
      {"residency", residency_json(result)}, {"latencies", latencies_json(result, steady)},
      {"dies", dies_json(spec, result)},     {"links", links_json(spec, result)},
      {"power", power_json(spec, result)},   {"heat", heat_json(result)},
      {"inputs", inputs_json(spec)},         {"constant", constant_names(spec)}};
  Page page;
  page.title = fmt::format("{} on {}, {}", spec.llm.name, spec.platform.name, spec.workload_name);
  page.style = std::string{style_sheet()} + std::string{run_page_style()};
  page.body = fmt::format(
      "<h1>{}</h1>\n{}<script type=\"application/json\" id=\"data\">{}</script>\n"
      "<script>{}</script>\n",
      escaped(page.title), run_page_body(), embedded(data), run_page_script());
  return html_page(page);
}

}  // namespace reticle
