// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <vector>

#include "sim/accounts/silicon.hpp"
#include "sim/config/confidence.hpp"
#include "sim/config/enum_tables.hpp"
#include "sim/config/resolved.hpp"
#include "sim/config/value_text.hpp"
#include "sim/metrics/figures.hpp"
#include "sim/metrics/findings.hpp"
#include "sim/metrics/heat_report.hpp"
#include "sim/metrics/labels.hpp"
#include "sim/metrics/plan_report.hpp"
#include "sim/metrics/provenance.hpp"
#include "sim/metrics/serving_report.hpp"
#include "sim/metrics/text_format.hpp"

namespace reticle {

namespace {
constexpr std::size_t kColumns = 96;      // of a terminal's line
constexpr std::int64_t kBarColumns = 50;  // two percent a letter
constexpr std::string_view kNone = "-";

/// `text` in lines of at most kColumns, the first behind `lead`, the rest indented as far.
std::string wrapped(std::string_view lead, std::string_view text) {
  std::string out{lead};
  std::size_t column = lead.size();
  for (bool first = true; !text.empty(); first = false) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (!first && column + 1 + word.size() > kColumns) {
      out += '\n' + std::string(lead.size(), ' ');
      column = lead.size();
    } else if (!first) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out + '\n';
}

/// In the order of enum RooflineLimit.
constexpr std::array<std::string_view, kRooflineLimitCount> kBoundTitles{
    "SRAM bandwidth",  "HBM bandwidth",     "far-tier bandwidth",
    "flash bandwidth", "matrix arithmetic", "vector arithmetic"};

template <class Format>
std::string or_none(const std::optional<double>& value, Format format) {
  return value ? format(*value) : std::string{kNone};
}
std::string plain(double value) { return number_text(value); }
std::string watts(double value) { return with_unit(value, "W"); }
std::string joules(double value) { return with_unit(value, "J"); }

std::string counted(std::int64_t n, std::string_view what) {
  return count_text(n).append(" ").append(what).append(n == 1 ? "" : "s");
}

std::string headline(const RunSpec& spec, const RunResult& result) {
  const PlatformSpec& p = spec.platform;
  std::string title = p.title.empty() ? p.name : p.title + " (" + p.name + ")";
  if (!p.status.empty()) title += ", " + p.status;
  if (const std::string changed = changed_platform_keys(spec.resolved); !changed.empty())
    title += "; changed: " + changed;
  const auto copies = std::ssize(result.instances);
  const std::string instances = copies > 1 ? counted(copies, "instance") + " of " : std::string{};
  return wrapped("", title) +
         wrapped("", fmt::format("{} on {}, {}, {}: {}", spec.llm.name, counted(p.nodes, "node"),
                                 counted(packages(p), "chip"), counted(dies(p), "die"),
                                 instances + to_string(result.placement.plan))) +
         wrapped("", fmt::format("workload {}, seed {}, {} fidelity", spec.workload_name, spec.seed,
                                 ValueText<Fidelity>::format(spec.engine.fidelity))) +
         (result.plan_options.empty() ? std::string{} : wrapped("plan ", plan_reason(result)));
}

/// A quantity of the deployment and of one chip; what is per token is the same for both.
struct FigureRow {
  std::string_view title;
  std::optional<double> value;
  std::string (*format)(double);
  bool divisible = true;
};

std::string figure_table(const RunFigures& f, const PlatformSpec& platform) {
  const std::vector<FigureRow> rows{
      {"output tokens/s", f.output_tokens_per_s, plain},
      {"tokens/s with prompts", f.total_tokens_per_s, plain},
      {"average power", f.energy.average_power_w, watts},
      {"power while busy", f.energy.busy_power_w.value, watts},
      {"capex", f.cost.capex_usd, money_text},
      {"energy per output token", f.energy_per_token_j, joules, false},
      {"cost per 1M output tokens", f.cost.planned.usd_per_m_tokens, money_text, false},
      {"streams per $1M of capex", f.cost.planned.agent_density, plain, false}};
  std::string out = fmt::format("{:<28}{:>18}{:>18}\n", "", "deployment", "per chip");
  const auto chips = static_cast<double>(packages(platform));
  for (const auto& row : rows) {
    const auto chip = row.value ? std::optional{*row.value / chips} : std::nullopt;
    out += fmt::format("{:<28}{:>18}", row.title, or_none(row.value, row.format));
    if (row.divisible) out += fmt::format("{:>18}", or_none(chip, row.format));
    out += '\n';
  }
  return out;
}

std::string cost_note(const CostReport& cost, const CostParams& params) {
  if (!cost.planned.usd_per_m_tokens || !cost.as_simulated.usd_per_m_tokens) return {};
  const auto utilised = [](const CostAtUtilisation& c) { return percent_text(*c.utilisation); };
  const auto also = [](double usd, std::string_view what) {
    return usd > 0 ? fmt::format(", {} {}", money_text(usd), what) : std::string{};
  };
  const std::string more = also(*cost.planned.nre_usd_per_m_tokens, "NRE") +
                           also(*cost.planned.hosting_usd_per_m_tokens, "hosting");
  return wrapped("  ", fmt::format("Cost assumes {} utilisation over {} years: {} hardware, {} "
                                   "electricity{}. At the {} of this run it is {}.",
                                   utilised(cost.planned), number_text(params.lifetime_years, 2),
                                   money_text(*cost.planned.capital_usd_per_m_tokens),
                                   money_text(*cost.planned.energy_usd_per_m_tokens), more,
                                   utilised(cost.as_simulated),
                                   money_text(*cost.as_simulated.usd_per_m_tokens))) +
         wrapped("  ", fmt::format("A stream takes {} tokens/s.",
                                   number_text(params.stream_rate_tokens_per_s, 2)));
}

std::string latency_row(std::string_view title, const std::optional<Distribution>& d) {
  if (!d) return fmt::format("  {:<26}{:>12}\n", title, kNone);
  const auto cell = [](double ms) { return with_unit(ms * 1e-3, "s"); };
  return fmt::format("  {:<26}{:>12}{:>12}{:>12}{:>12}\n", title, cell(d->mean), cell(d->p50),
                     cell(d->p95), cell(d->p99));
}

std::string latency_table(const RunFigures& f, const RunResult& result) {
  std::string out =
      fmt::format("{:<28}{:>12}{:>12}{:>12}{:>12}\n", "Latency", "mean", "p50", "p95", "p99");
  out += latency_row("time to first token", f.latency.ttft_ms);
  out += latency_row("time per output token", f.latency.tpot_ms);
  out += latency_row("between two tokens", f.latency.itl_ms);
  out += latency_row("arrival to last token", f.latency.e2e_ms);
  for (const ClassLatencies& c : latencies_by_class(result)) {
    out += fmt::format("  class {}, {}\n", c.priority, counted(c.requests, "request"));
    out += latency_row("  time to first token", c.latency.ttft_ms);
    out += latency_row("  time per output token", c.latency.tpot_ms);
  }
  if (f.single_stream_tokens_per_s)
    out +=
        fmt::format("  a single stream sees {} tokens/s\n", plain(*f.single_stream_tokens_per_s));
  return out;
}

std::string goodput_line(const RunFigures& f, const ServingSpec& serving) {
  if (!f.goodput) return {};
  std::string limits;
  const auto add = [&](std::string_view name, const std::optional<Picoseconds>& limit) {
    if (!limit) return;
    limits += fmt::format("{}{} {}", limits.empty() ? "" : " and ", name, time_text(*limit));
  };
  add("a first token within", serving.ttft_limit);
  add("tokens within", serving.tpot_limit);
  return wrapped("Goodput  ", fmt::format("{} tokens/s of {} of the requests: {}",
                                          or_none(f.good_tokens_per_s, plain),
                                          percent_text(f.goodput->share), limits));
}

std::string roofline_line(const RooflineFigures& r) {
  if (!r.tokens_per_s) return {};
  return wrapped("Roofline  ", fmt::format("{} tokens/s, bound by {}; the steps achieve {} of it",
                                           plain(*r.tokens_per_s),
                                           kBoundTitles[static_cast<std::size_t>(*r.bound_by)],
                                           or_none(r.achieved, percent_text)));
}

std::string bar(std::int64_t tenths_of_percent) {
  return std::string(static_cast<std::size_t>(tenths_of_percent * kBarColumns / 1000), '#');
}

std::string time_table(const RunFigures& f, const RunResult& result) {
  if (!f.limited_by) return "Where the time went: no time passed\n";
  std::vector<double> parts;
  for (const auto& part : result.breakdown) parts.push_back(static_cast<double>(part.count()));
  const auto tenths = apportion(parts, 1000);
  std::string out = fmt::format("Where the time went ({} simulated, {} of it in steps)\n",
                                time_text(result.duration), time_text(result.busy));
  for (std::size_t c = 0; c < kTimeCategoryCount; ++c) {
    if (result.breakdown[c].count() == 0) continue;
    const std::string line = fmt::format("  {:<26}{:>6} %  {}", kTimeCategoryLabels[c].title,
                                         decimal_text(tenths[c], 1), bar(tenths[c]));
    out += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  out += fmt::format("  {:<26}{:>6} %\n", "total", decimal_text(1000, 1));
  return out + wrapped("  ", fmt::format("Limited by {}: {}.", label_of(*f.limited_by).title,
                                         label_of(*f.limited_by).why));
}

std::string energy_table(const EnergyReport& energy) {
  const double total = energy.total_j();
  if (total <= 0) return "Energy: no event and no time to price\n";
  const ScaledUnit unit = scaled_unit(total, "J");
  const int decimals = decimals_for(total / unit.factor, 4);
  const auto units = std::llround(total / unit.factor * std::pow(10.0, decimals));
  std::vector<double> parts;
  for (const auto& component : energy.components) parts.push_back(component.joules);
  const auto amounts = apportion(parts, units);
  const auto tenths = apportion(parts, 1000);

  const auto row = [&](std::string_view name, std::int64_t amount, std::int64_t share) {
    return fmt::format("  {:<26}{:>14}{:>10} %\n", name, decimal_text(amount, decimals),
                       decimal_text(share, 1));
  };
  std::string out = fmt::format("{:<28}{:>14}{:>12}\n", "Energy", unit.name, "share");
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (parts[i] > 0) out += row(energy.components[i].name, amounts[i], tenths[i]);
  return out + row("total", units, 1000);
}

/// A tier that is paid for and holds nothing may be left out of the machine.
std::string unused_line(const PlatformSpec& platform, const RunResult& result) {
  constexpr auto kFarTier = static_cast<std::size_t>(Tier::Far);
  const auto made = price_silicon(platform);
  const bool stated = platform.cost.node_price_usd > 0;  // whatever is in the node
  if (stated || !made || made->node_far_usd <= 0 ||
      result.placement.weights[kFarTier].count() > 0 ||
      kv_in_tier(result, Tier::Far).peak.count() > 0)
    return {};
  return wrapped("", fmt::format("Far memory holds nothing in this run and is {} of what a node is "
                                 "made for, {}: --set platform.die.far=none leaves it out",
                                 percent_text(made->node_far_usd / made->node_usd),
                                 money_text(made->node_far_usd)));
}

std::string memory_table(const RunResult& result) {
  const Placement& p = result.placement;
  const auto cell = [](double bytes) { return with_unit(bytes, "B", 4); };
  const auto size = [&](Bytes bytes) { return cell(static_cast<double>(bytes.count())); };
  std::string out = fmt::format("{:<16}{:>14}{:>14}{:>14}{:>14}{:>14}\n", "Memory", "capacity",
                                "weights", "KV peak", "KV mean", "reserved");
  for (std::size_t t = 0; t < kTierCount; ++t) {
    if (p.capacity[t].count() == 0) continue;
    const KvInTier kv = kv_in_tier(result, static_cast<Tier>(t));
    out +=
        fmt::format("  {:<14}{:>14}{:>14}{:>14}{:>14}{:>14}\n", kTierNames[t], size(p.capacity[t]),
                    size(p.weights[t]), size(kv.peak), cell(kv.mean), size(p.reserved[t]));
  }
  return out;
}

std::string room_line(const KvRoom& kv, const ServingSpec& serving) {
  std::string streams;
  for (const std::int64_t context : kStreamContexts)
    streams += fmt::format("{}{} of {} Ki tokens", streams.empty() ? "" : ", ",
                           count_text(streams_that_fit(kv, serving.kept(context))), context / 1024);
  return wrapped("", fmt::format("KV room for streams: {}; the longest alone has {} tokens",
                                 streams, count_text(longest_sequence(kv.stages))));
}

std::string serving_block(const RunResult& result) {
  std::string text;
  if (result.prefix.blocks > 0)
    text += wrapped(
        "", fmt::format("Prefix cache: {} of {} prompt blocks found, {} prompt tokens "
                        "not computed; {} evicted",
                        count_text(result.prefix.hit_blocks), count_text(result.prefix.blocks),
                        count_text(result.prefix.hit_tokens),
                        counted(result.prefix.evicted[KvPlace::Home], "block")));
  if (result.preemption.preemptions > 0)
    text += wrapped("", fmt::format("{}, {} computed once more",
                                    counted(result.preemption.preemptions, "preemption"),
                                    counted(result.preemption.recomputed_tokens, "token")));
  for (const std::string& line : serving_lines(result)) text += wrapped("", line);
  return text;
}

std::string residency_line(const RunFigures& f, const Placement& p) {
  return wrapped(
      "", fmt::format("Active weight bytes from SRAM: {}, {} expected, {} measured",
                      p.sram_fraction_asked ? percent_text(*p.sram_fraction_asked) + " asked for"
                                            : std::string{"as much as fits"},
                      percent_text(p.sram_fraction_expected),
                      or_none(f.sram_fraction_measured, percent_text)));
}

std::string finding_lines(const RunSpec& spec, const RunResult& result, const RunFigures& f) {
  std::string out;
  for (const auto& finding : priced_findings(spec.platform, f.energy))
    out += wrapped("! ", finding.text);
  for (const auto& finding : run_findings(spec, result)) out += wrapped("! ", finding.text);
  return out;
}

std::string claim_lines(const PlatformSpec& platform) {
  std::string out;
  for (const auto& claim : platform.claims) out += wrapped("Claimed   ", claim);
  return out;
}

std::string confidence_line(const std::vector<ResolvedValue>& resolved) {
  const auto counts = count_confidence(resolved);
  std::string list;
  for (const auto word : kConfidenceWords) {
    const auto found = counts.find(std::string{word});
    if (found == counts.end() || found->second == 0) continue;
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", found->second, word);
  }
  return list.empty() ? list : wrapped("Constants: ", list);
}

std::string shares_text(const std::map<std::string, double>& shares) {
  std::vector<std::pair<double, std::string>> sorted;
  for (const auto& [word, share] : shares) sorted.emplace_back(-share, word);
  std::ranges::sort(sorted);
  std::string list;
  for (const auto& [share, word] : sorted)
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", percent_text(-share), word);
  return list;
}

/// By the least trusted constant that sets each part (docs/report.md).
std::string provenance_lines(const Provenance& p) {
  std::string out;
  if (!p.time.empty()) out += wrapped("Time rests on    ", shares_text(p.time));
  if (!p.energy.empty()) out += wrapped("Energy rests on  ", shares_text(p.energy));
  return out;
}

std::string recall_text(const RunResult& result) {
  const RecallReport& recall = result.recall;
  if (recall.recalled == 0) return {};
  const AuditFigures& audited = recall.all;
  std::string error =
      audited.audits > 0
          ? fmt::format(", off by {:+.2f} +- {:.2f} % in the mean and {} a step over {}",
                        audited.mean_error * 100, 2 * audited.standard_error * 100,
                        percent_text(audited.mean_abs_error), counted(audited.audits, "audit"))
          : std::string{};
  if (const auto tail = tpot_p99_error(result))
    error += fmt::format(", p99 TPOT by {:+.2f} +- {:.2f} %", tail->mean * 100, tail->margin * 100);
  return fmt::format(", {} simulated and {} recalled{}", count_text(recall.simulated),
                     count_text(recall.recalled), error);
}

std::string simulator_line(const RunResult& result, const SimulatorFacts& facts) {
  return wrapped(
      "", fmt::format("{}{}; {} generated, {} of prompts; {} of wall time",
                      counted(result.steps, "step"), recall_text(result),
                      counted(result.output_tokens, "token"), count_text(result.prefill_tokens),
                      with_unit(facts.wall_s, "s", 3)));
}
}  // namespace

std::string summary(const RunSpec& spec, const RunResult& result, const SimulatorFacts& simulator) {
  const RunFigures f = figures(spec, result);
  const std::vector<std::string> blocks{
      headline(spec, result),
      figure_table(f, spec.platform) + cost_note(f.cost, spec.platform.cost),
      latency_table(f, result) + goodput_line(f, spec.serving),
      roofline_line(f.roofline) + claim_lines(spec.platform),
      time_table(f, result),
      energy_table(f.energy),
      thermal_lines(spec, result),
      memory_table(result) + unused_line(spec.platform, result) +
          room_line(result.placement.kv, spec.serving) + residency_line(f, result.placement) +
          serving_block(result),
      finding_lines(spec, result, f),
      provenance_lines(provenance(spec, result, f.energy)) + confidence_line(spec.resolved) +
          simulator_line(result, simulator)};
  std::string out;
  for (const auto& block : blocks) {
    if (block.empty()) continue;
    if (!out.empty()) out += '\n';
    out += block;
  }
  return out;
}

}  // namespace reticle
