// SPDX-License-Identifier: Apache-2.0
#include "sim/explain/explanation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sim/base/error.hpp"
#include "sim/config/json_document.hpp"
#include "sim/metrics/labels.hpp"
#include "sim/metrics/text_format.hpp"

namespace reticle {

namespace {
using Json = nlohmann::ordered_json;

std::optional<double> number(const Json& value) {
  return value.is_number() ? std::optional{value.get<double>()} : std::nullopt;
}

RunAnswer answer_of(const Json& report) {
  RunAnswer answer;
  if (!report.at("feasible").at("fits").get<bool>()) {
    answer.problem = report.at("feasible").at("limits").at(0).at("text");
    return answer;
  }
  answer.tokens_per_s = number(report.at("throughput").at("output_tokens_per_s"));
  const Json& e2e = report.at("latency").at("e2e_ms");
  if (e2e.is_object()) answer.e2e_ms = number(e2e.at("mean"));
  const Json& limit = report.at("limited_by");
  if (limit.is_object() && limit.at("category").is_string())
    answer.limited_by = limit.at("category");
  answer.plan = report.at("placement").at("plan").at("text");
  answer.collectives = report.at("collectives").dump();
  return answer;
}

Tier home_of(const Json& report) {
  const std::string tier = report.at("placement").at("kv").at("tier");
  const auto found = std::ranges::find(kTierNames, tier);
  if (found == kTierNames.end())
    throw ConfigError({"report.json", 0, 0}, "placement.kv.tier",
                      "expected a memory, got '" + tier + "'");
  return static_cast<Tier>(found - kTierNames.begin());
}

bool is_capacity(Resource r) { return r == Resource::HbmCapacity || r == Resource::SramCapacity; }

/// Of the run's time, what hangs on `resource`.
std::optional<double> share_of(const Json& report, Resource resource) {
  const Tier home = home_of(report);
  if (is_capacity(resource)) {
    if ((resource == Resource::HbmCapacity ? Tier::Hbm : Tier::Sram) != home) return std::nullopt;
    return number(report.at("residency").at("short_of_room_share"));
  }
  const auto categories = categories_of(resource, home);
  if (categories.empty()) return std::nullopt;
  double share = 0;
  for (const TimeCategory c : categories)
    share += report.at("time_breakdown").at(std::string{label_of(c).key}).get<double>();
  return share;
}

/// Less one.
std::optional<double> speed_up(const RunAnswer& base, const RunAnswer& answer, bool steady) {
  const auto& before = steady ? base.tokens_per_s : base.e2e_ms;
  const auto& after = steady ? answer.tokens_per_s : answer.e2e_ms;
  if (!before || !after || *before <= 0 || *after <= 0) return std::nullopt;
  return (steady ? *after / *before : *before / *after) - 1;
}

std::string signed_percent(const std::optional<double>& value) {
  return value ? fmt::format("{:+.1f} %", *value * 100) : std::string{"-"};
}
std::string percent(const std::optional<double>& value) {
  return value ? fmt::format("{:.1f} %", *value * 100) : std::string{"-"};
}

std::string title_of_category(const std::string& key) {
  for (const auto& label : kTimeCategoryLabels)
    if (label.key == key) return std::string{label.title};
  return key;
}

/// Why what gains most is not what takes most of the time.
std::string_view why_not_first(const Explanation& e, const WhatIf& most) {
  if (most.answer.plan != e.base.plan) return "it makes room for another plan";
  if (is_capacity(most.lever.resource)) return "what it holds is not read from further away";
  return "what lies beside the path makes the difference";
}

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }
}  // namespace

/// Chosen: half a percent of the time, the resolution in which shares are printed.
constexpr double kLeastShare = 0.005;

std::vector<const WhatIf*> Explanation::binding() const {
  // As many as a person takes in at once; all of them are in the table.
  constexpr std::size_t kMost = 3;
  std::vector<const WhatIf*> first;
  for (const WhatIf& w : what_if)
    if (w.share && *w.share >= kLeastShare && first.size() < kMost) first.push_back(&w);
  return first;
}

const WhatIf* Explanation::gains_most() const {
  const WhatIf* most = nullptr;
  for (const WhatIf& w : what_if)
    if (w.lever.resource != Resource::Clock && w.gain && (most == nullptr || *w.gain > *most->gain))
      most = &w;
  return most;
}

namespace {
Explanation explained(const AnswerText& base, const std::vector<Lever>& levers,
                      const std::vector<AnswerText>& answers) {
  const Json report = parse_json<Json>(base.report, "report.json");
  Explanation out;
  out.base = answer_of(report);
  if (!out.base.problem.empty()) throw InfeasibleError(out.base.problem);
  const Json& inputs = report.at("inputs");
  out.inputs = fmt::format("{} on {}, {}", inputs.at("llm").get<std::string>(),
                           inputs.at("platform").get<std::string>(),
                           inputs.at("workload").get<std::string>());
  out.steady = !out.base.e2e_ms;
  out.idle = report.at("time_breakdown").at("idle").get<double>();
  for (std::size_t i = 0; i < levers.size(); ++i) {
    WhatIf what;
    what.lever = levers[i];
    what.share = share_of(report, levers[i].resource);
    // A trace's measure is the time of requests, which knows no idle time.
    if (what.share && !is_capacity(levers[i].resource))
      what.expected = 1 / (1 - *what.share / (out.steady ? 1 : 1 - out.idle) / 2) - 1;
    if (answers[i].problem.empty())
      what.answer = answer_of(parse_json<Json>(answers[i].report, "report.json"));
    else
      what.answer.problem = answers[i].problem;
    what.gain = speed_up(out.base, what.answer, out.steady);
    out.what_if.push_back(std::move(what));
  }
  std::ranges::stable_sort(out.what_if, std::ranges::greater{},
                           [](const WhatIf& w) { return w.share.value_or(-1); });
  return out;
}
}  // namespace

Explanation explain(const AnswerText& base, const std::vector<Lever>& levers,
                    const std::vector<AnswerText>& answers) {
  if (!base.problem.empty()) throw SimulationError(base.problem);
  try {
    return explained(base, levers, answers);
  } catch (const Json::exception&) {
    throw ConfigError({"report.json", 0, 0}, "", "expected the report of a run, whole");
  }
}

std::string explanation_text(const Explanation& e) {
  std::string out = e.inputs + ": ";
  out += e.steady ? number_text(e.base.tokens_per_s.value_or(0)) + " output tokens/s\n"
                  : fmt::format("{} from arrival to last token, {} output tokens/s\n",
                                with_unit(e.base.e2e_ms.value_or(0) * 1e-3, "s"),
                                number_text(e.base.tokens_per_s.value_or(0)));
  out += "\nWhat binds, by where the time went\n";
  int rank = 0;
  for (const WhatIf* w : e.binding()) {
    const ResourceFact& fact = fact_of(w->lever.resource);
    out += fmt::format("  {}. {:<20}{:>8}", ++rank, fact.title, percent(w->share));
    out += is_capacity(w->lever.resource)
               ? "  of the time requests waited for room in the cache\n"
               : fmt::format("  of the time; halved, all else as it is: {}\n",
                             signed_percent(w->expected));
  }
  if (rank == 0) out += "  nothing that could be doubled\n";
  if (e.idle >= kLeastShare)
    out += fmt::format("  {} of the time there was nothing to do: nothing here changes that\n",
                       percent(e.idle));
  out += fmt::format("\nWhat if, one change at a time, each run again ({})\n",
                     e.steady ? "gain in tokens/s" : "gain in speed from arrival to last token");
  out += fmt::format("  {:<20}{:>9}{:>10}{:>10}  {}\n", "", "share", "halved", "gain",
                     "then most of the time goes to");
  const WhatIf* most = e.gains_most();
  for (const WhatIf& w : e.what_if) {
    const ResourceFact& fact = fact_of(w.lever.resource);
    out += fmt::format("  {:<20}{:>9}{:>10}{:>10}  ", fact.title, percent(w.share),
                       signed_percent(w.expected), signed_percent(w.gain));
    if (!w.answer.problem.empty())
      out += w.answer.problem.substr(0, w.answer.problem.find('\n')) + "\n";
    else
      out += fmt::format("{}{}{}\n", title_of_category(w.answer.limited_by),
                         w.answer.plan != e.base.plan ? "; another plan: " + w.answer.plan : "",
                         w.answer.collectives != e.base.collectives ? "; other collectives" : "");
  }
  const auto first = e.binding();
  if (!first.empty() && most != nullptr)
    out += first.front() == most
               ? fmt::format("\nWhat takes most of the time is what gains most: {}.\n",
                             fact_of(most->lever.resource).title)
               : fmt::format("\n{} takes most of the time, and {} gains most: {}.\n",
                             fact_of(first.front()->lever.resource).title,
                             fact_of(most->lever.resource).title, why_not_first(e, *most));
  for (const WhatIf& w : e.what_if)
    if (w.lever.resource == Resource::Clock && w.gain && most != nullptr && *w.gain > *most->gain)
      out += fmt::format("The clock, on which arrays, lanes and SRAM hang together, gains {}.\n",
                         signed_percent(w.gain));
  return out;
}

std::string explanation_json(const Explanation& e) {
  Json binds = Json::array(), rows = Json::array();
  for (const WhatIf* w : e.binding()) binds.push_back(fact_of(w->lever.resource).key);
  for (const WhatIf& w : e.what_if) {
    const ResourceFact& fact = fact_of(w.lever.resource);
    rows.push_back(
        {{"resource", fact.key},
         {"title", fact.title},
         {"change", fact.twice},
         {"set", w.lever.sets},
         {"share", or_null(w.share)},
         {"expected", or_null(w.expected)},
         {"gain", or_null(w.gain)},
         {"output_tokens_per_s", or_null(w.answer.tokens_per_s)},
         {"e2e_ms", or_null(w.answer.e2e_ms)},
         {"limited_by", w.answer.limited_by.empty() ? Json(nullptr) : Json(w.answer.limited_by)},
         {"plan", w.answer.plan.empty() ? Json(nullptr) : Json(w.answer.plan)},
         {"problem", w.answer.problem.empty() ? Json(nullptr) : Json(w.answer.problem)}});
  }
  const WhatIf* most = e.gains_most();
  const Json document{
      {"schema", 1},
      {"run", e.inputs},
      {"measure", e.steady ? "output_tokens_per_s" : "e2e_ms"},
      {"base",
       {{"output_tokens_per_s", or_null(e.base.tokens_per_s)},
        {"e2e_ms", or_null(e.base.e2e_ms)},
        {"limited_by", e.base.limited_by},
        {"plan", e.base.plan},
        {"idle_share", e.idle}}},
      {"binds", binds},
      {"what_if", rows},
      {"gains_most", most == nullptr ? Json(nullptr) : Json(fact_of(most->lever.resource).key)}};
  return document.dump(2) + "\n";
}

}  // namespace reticle
