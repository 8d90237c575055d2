// SPDX-License-Identifier: Apache-2.0
// reticle workload routing: what a routing does to experts, recorded or drawn; a law fitted to it.
#include "sim/cli/routing.hpp"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "sim/base/error.hpp"
#include "sim/config/read_run.hpp"
#include "workloads/moe/fit_routing.hpp"

namespace reticle {

namespace {

/// One line per figure, in the order people read them.
struct NamedFigure {
  std::string key;
  std::string label;
  double value = 0;
};

std::vector<NamedFigure> named(const RoutingFigures& f) {
  std::vector<NamedFigure> all{
      {"load_max_over_mean", "load, max over mean (mean of layers)", f.mean.max_over_mean},
      {"load_cv", "load, standard deviation over mean", f.mean.cv},
      {"load_gini", "load, Gini", f.mean.gini}};
  for (std::size_t i = 0; i < f.reuse.size(); ++i)
    all.push_back({fmt::format("reuse_{}", RoutingFigures::kLags[i]),
                   fmt::format("picks shared with {} before",
                               RoutingFigures::kLags[i] == 1
                                   ? std::string{"the token"}
                                   : fmt::format("the token {}", RoutingFigures::kLags[i])),
                   f.reuse[i]});
  all.push_back({"independent", "- if independent, same loads", f.independent});
  for (std::size_t i = 0; i < f.lru.size(); ++i)
    all.push_back(
        {fmt::format("lru_{:g}", RoutingFigures::kCacheParts[i]),
         fmt::format("LRU hits, {:.1f} % of experts cached", 100 * RoutingFigures::kCacheParts[i]),
         f.lru[i]});
  for (std::size_t i = 0; i < f.distinct.size(); ++i)
    if (f.distinct[i] > 0)
      all.push_back({fmt::format("distinct_{}", RoutingFigures::kBatches[i]),
                     fmt::format("experts touched by {} sequences", RoutingFigures::kBatches[i]),
                     f.distinct[i]});
  for (std::size_t i = 0; i < f.window.size(); ++i)
    all.push_back({fmt::format("window_{}", RoutingFigures::kWindows[i]),
                   fmt::format("- by {} consecutive tokens of one", RoutingFigures::kWindows[i]),
                   f.window[i]});
  all.push_back({"next_layer", "next layer's first pick guessed from this one's", f.next_layer});
  all.push_back({"commonest", "- guessed as the commonest", f.commonest});
  return all;
}

nlohmann::ordered_json to_json(const RoutingFigures& f) {
  nlohmann::ordered_json out;
  for (const NamedFigure& figure : named(f)) out["overall"][figure.key] = figure.value;
  for (const LayerLoads& l : f.layers)
    out["layers"].push_back({{"load_max_over_mean", l.max_over_mean},
                             {"load_cv", l.cv},
                             {"load_gini", l.gini},
                             {"reuse_1", l.reuse}});
  return out;
}

void print_figures(const RoutingFigures& f, bool json) {
  if (json) {
    fmt::print("{}\n", to_json(f).dump(2));
    return;
  }
  for (const NamedFigure& figure : named(f))
    fmt::print("  {:<48}{:>8.3f}\n", figure.label, figure.value);
  fmt::print("\n  {:>9}{:>10}{:>8}{:>8}{:>8}\n", "MoE layer", "max/mean", "CV", "Gini", "reuse");
  for (std::size_t i = 0; i < f.layers.size(); ++i)
    fmt::print("  {:>9}{:>10.2f}{:>8.2f}{:>8.2f}{:>8.3f}\n", i, f.layers[i].max_over_mean,
               f.layers[i].cv, f.layers[i].gini, f.layers[i].reuse);
}

const char* shape_text(const RoutingSpec& spec) {
  return spec.popularity_shape == PopularityShape::LogNormal ? "log-normal" : "log-uniform";
}

void print_fit(const RoutingRecord& record, bool json) {
  const FittedRouting fit = fit_routing(record);
  const auto measured = named(fit.measured), generated = named(fit.generated);
  if (json) {
    nlohmann::ordered_json out;
    out["routing"] = {{"popularity_sigma", fit.spec.popularity_sigma},
                      {"popularity_shape", shape_text(fit.spec)},
                      {"topics", fit.spec.topics},
                      {"topic_sigma", fit.spec.topic_sigma},
                      {"stickiness", fit.spec.stickiness},
                      {"layer_correlation", fit.spec.layer_correlation}};
    out["measured"] = to_json(fit.measured);
    out["generated"] = to_json(fit.generated);
    fmt::print("{}\n", out.dump(2));
    return;
  }
  fmt::print("  {:<48}{:>10}{:>10}{:>8}\n", "", "recorded", "drawn", "off");
  for (std::size_t i = 0; i < measured.size(); ++i)
    fmt::print("  {:<48}{:>10.3f}{:>10.3f}{:>+7.1f}%\n", measured[i].label, measured[i].value,
               generated[i].value, 100 * (generated[i].value / measured[i].value - 1));
  fmt::print(
      "\nrouting:\n  popularity_sigma: {:.3g}\n  popularity_shape: {}\n  topics: {}\n  "
      "topic_sigma: {:.3g}\n"
      "  stickiness: {:.3g}\n  layer_correlation: {:.3g}\n",
      fit.spec.popularity_sigma, shape_text(fit.spec), fit.spec.topics, fit.spec.topic_sigma,
      fit.spec.stickiness, fit.spec.layer_correlation);
}

struct Options {
  std::string file;
  std::string llm;
  std::vector<std::string> sets;
  std::int64_t sessions = 32;
  std::int64_t tokens = 256;
  std::uint64_t seed = 0;
  std::string out;
  bool fit = false;
  bool json = false;
};

RoutingRecord drawn(const Options& o) {
  const LlmSpec llm = read_llm(o.llm, o.sets);
  if (!llm.moe) throw ConfigError(o.llm + ": expected a mixture of experts, found a dense model");
  if (llm.moe->routing.choice == ExpertChoice::ByExpert || llm.moe->routing.capacity_factor > 0)
    throw ConfigError(
        "moe.routing: choice=expert and capacity_factor act on a step's tokens together; picks of "
        "single tokens do not show them (reticle run does)");
  const std::vector<std::int64_t> lengths(static_cast<std::size_t>(o.sessions), o.tokens);
  return draw_routing(ExpertRouter{llm, o.seed}, lengths);
}

void run(const Options& o) {
  if (o.file.empty() == o.llm.empty())
    throw ConfigError("expected either a file of recorded picks or --llm and a model");
  const RoutingRecord record = o.file.empty() ? drawn(o) : read_routing(o.file);
  if (!o.out.empty())
    write_routing(record, o.out,
                  o.file.empty() ? fmt::format("drawn: {}, seed {}", o.llm, o.seed) : "copied");
  std::int64_t tokens = 0;
  for (const RoutedSession& s : record.sessions) tokens += record.tokens(s);
  if (!o.json)
    fmt::print("{}: top-{} of {} experts in {} layers, {} sessions, {} tokens\n",
               o.file.empty() ? o.llm : o.file, record.top_k, record.experts, record.layers,
               record.sessions.size(), tokens);
  if (o.fit)
    print_fit(record, o.json);
  else
    print_figures(figures_of(record), o.json);
}

}  // namespace

void describe_routing(const std::string& path, bool json) {
  Options options;
  options.file = path;
  options.json = json;
  run(options);
}

void add_routing(CLI::App& workload) {
  CLI::App* sub = workload.add_subcommand("routing", "How tokens spread over experts");
  auto o = std::make_shared<Options>();
  sub->add_option("file", o->file, "Recorded picks (CSV or JSONL, gzipped or not)");
  sub->add_option("--llm", o->llm, "Draw picks of a model instead");
  sub->add_option("--set", o->sets, "llm.moe.routing.key=value")
      ->take_all()
      ->allow_extra_args(false);
  sub->add_option("--sessions", o->sessions, "Sequences to draw")->check(CLI::Range(1, 100000));
  sub->add_option("--tokens", o->tokens, "Tokens of each")->check(CLI::Range(1, 1000000));
  sub->add_option("--seed", o->seed, "Seed of the draws");
  sub->add_option("--out", o->out, "Write the picks as JSONL");
  sub->add_flag("--fit", o->fit, "Fit a law to the picks and print it");
  sub->add_flag("--json", o->json, "Print one JSON document");
  sub->footer("Example: reticle workload routing --llm claude-class-mid");
  sub->callback([o] { run(*o); });
}

}  // namespace reticle
