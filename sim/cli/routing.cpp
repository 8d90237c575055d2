// SPDX-License-Identifier: Apache-2.0
// reticle workload routing: what a routing does to experts, recorded or drawn; a law fitted to it.
#include "sim/cli/routing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "sim/base/error.hpp"
#include "sim/config/read_run.hpp"
#include "workloads/moe/expert_counts.hpp"
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

nlohmann::ordered_json to_json(const LayerLoads& l) {
  return {{"load_max_over_mean", l.max_over_mean}, {"load_cv", l.cv}, {"load_gini", l.gini}};
}

nlohmann::ordered_json to_json(const DroppedPicks& d, double capacity) {
  return {{"capacity_factor", capacity},
          {"steps", d.steps},
          {"picks", d.picks},
          {"dropped", d.dropped},
          {"worst_step", d.worst_step}};
}

void print_dropped(const DroppedPicks& d, double capacity) {
  const auto per = [&](std::int64_t n) {
    return static_cast<double>(d.dropped) / static_cast<double>(n);
  };
  fmt::print(
      "  dropped by full experts (capacity {:g} x mean): {} of {} picks, {:.2f} %; {:.1f} of a "
      "step, at worst {:.2f} %\n",
      capacity, d.dropped, d.picks, 100 * per(d.picks), per(d.steps), 100 * d.worst_step);
}

void print_figures(const RoutingFigures& f) {
  for (const NamedFigure& figure : named(f))
    fmt::print("  {:<48}{:>8.3f}\n", figure.label, figure.value);
  fmt::print("\n  {:>9}{:>10}{:>8}{:>8}{:>8}\n", "MoE layer", "max/mean", "CV", "Gini", "reuse");
  for (std::size_t i = 0; i < f.layers.size(); ++i)
    fmt::print("  {:>9}{:>10.2f}{:>8.2f}{:>8.2f}{:>8.3f}\n", i, f.layers[i].max_over_mean,
               f.layers[i].cv, f.layers[i].gini, f.layers[i].reuse);
}

std::string_view shape_text(const RoutingSpec& spec) {
  return kPopularityShapes[static_cast<std::size_t>(spec.popularity_shape)];
}

nlohmann::ordered_json to_json(const RoutingSpec& spec) {
  return {{"popularity_sigma", spec.popularity_sigma},
          {"popularity_shape", shape_text(spec)},
          {"topics", spec.topics},
          {"topic_sigma", spec.topic_sigma},
          {"stickiness", spec.stickiness},
          {"layer_correlation", spec.layer_correlation}};
}

void print_bad_rows(const BadRows& bad) {
  if (bad.count() == 0) return;
  fmt::print("  {} malformed rows left out\n", bad.count());
  for (const std::string& message : bad.messages()) fmt::print("    {}\n", message);
}

/// Least and most of a figure over layers or seeds.
struct Extent {
  double least = std::numeric_limits<double>::infinity(), most = -least, sum = 0;
  int count = 0;
  void take(double value) {
    least = std::min(least, value);
    most = std::max(most, value);
    sum += value;
    ++count;
  }
  [[nodiscard]] double mean() const { return sum / count; }
};

/// Figures of layers, in the order printed.
struct LayerFigure {
  const char* key;
  const char* label;
  double LayerLoads::*value;
};
constexpr std::array<LayerFigure, 4> kLayerFigures{
    {{"load_max_over_mean", "load, max over mean", &LayerLoads::max_over_mean},
     {"load_cv", "load, standard deviation over mean", &LayerLoads::cv},
     {"load_gini", "load, Gini", &LayerLoads::gini},
     {"reuse_1", "picks shared with the token before", &LayerLoads::reuse}}};

Extent over_layers(const RoutingFigures& f, double LayerLoads::*value) {
  Extent all;
  for (const LayerLoads& l : f.layers) all.take(l.*value);
  return all;
}

nlohmann::ordered_json to_json(const FittedRouting& fit) {
  nlohmann::ordered_json out;
  out["routing"] = to_json(fit.spec);
  for (std::size_t i = 0; i < kPopularityShapes.size(); ++i)
    out["miss_by_shape"][std::string{kPopularityShapes[i]}] = fit.miss[i];
  out["measured"] = to_json(fit.measured);
  // A list, by seed from 1.
  for (const RoutingFigures& f : fit.generated) out["generated"].push_back(to_json(f));
  return out;
}

/// One law holds for all layers: what it draws over them beside what was recorded.
void print_layers(const FittedRouting& fit) {
  fmt::print("\n  one law for all layers: least to most of a layer\n  {:<48}{:>16}{:>16}\n", "",
             "recorded", "drawn, seed 1");
  const auto text = [](const Extent& e) { return fmt::format("{:.2f} - {:.2f}", e.least, e.most); };
  for (const LayerFigure& figure : kLayerFigures)
    fmt::print("  {:<48}{:>16}{:>16}\n", figure.label,
               text(over_layers(fit.measured, figure.value)),
               text(over_layers(fit.generated.front(), figure.value)));
}

void print_fit(const RoutingRecord& record, bool json) {
  const FittedRouting fit = fit_routing(record);
  if (json) {
    fmt::print("{}\n", to_json(fit).dump(2));
    return;
  }
  std::vector<std::vector<NamedFigure>> drawn;
  for (const RoutingFigures& f : fit.generated) drawn.push_back(named(f));
  fmt::print("  {:<48}{:>10}{:>10}{:>8}   seeds 1 to {}\n", "", "recorded", "drawn", "off",
             drawn.size());
  const auto measured = named(fit.measured);
  for (std::size_t i = 0; i < measured.size(); ++i) {
    Extent seeds;
    for (const auto& one : drawn) seeds.take(one[i].value);
    const auto off = [&](double value) { return 100 * (value / measured[i].value - 1); };
    fmt::print("  {:<48}{:>10.3f}{:>10.3f}{:>+7.1f}%   {:+.1f} to {:+.1f}%\n", measured[i].label,
               measured[i].value, seeds.mean(), off(seeds.mean()), off(seeds.least),
               off(seeds.most));
  }
  print_layers(fit);
  fmt::print("\n  off by shape (16th root of the mean over seeds of sums of 16th powers):");
  for (std::size_t i = 0; i < kPopularityShapes.size(); ++i)
    fmt::print("{} {} {:.3f}", i > 0 ? "," : "", kPopularityShapes[i], fit.miss[i]);
  fmt::print(
      "\n\nrouting:\n  popularity_sigma: {:.3g}\n  popularity_shape: {}\n  topics: {}\n  "
      "topic_sigma: {:.3g}\n"
      "  stickiness: {:.3g}\n  layer_correlation: {:.3g}\n",
      fit.spec.popularity_sigma, shape_text(fit.spec), fit.spec.topics, fit.spec.topic_sigma,
      fit.spec.stickiness, fit.spec.layer_correlation);
}

struct Options {
  std::string file;
  std::string llm;
  std::vector<std::string> sets;
  std::int64_t sessions = 32;  ///< default, chosen
  std::int64_t tokens = 256;   ///< default, chosen: of each
  std::uint64_t seed = 0;
  std::string out;
  std::string only;
  std::int64_t top_k = 0;
  double capacity = 0;
  bool fit = false;
  bool json = false;
  bool skip_bad_rows = false;
};

struct Source {
  RoutingRecord record;
  double capacity = 0;
};

Source drawn(const Options& o) {
  const LlmSpec llm = read_llm(o.llm, o.sets);
  if (!llm.moe) throw ConfigError(o.llm + ": expected a mixture of experts, found a dense model");
  if (llm.moe->routing.choice == ExpertChoice::ByExpert)
    throw ConfigError(
        "moe.routing.choice: expert acts on a step's tokens together; picks of single tokens do "
        "not show it (reticle run does)");
  const std::vector<std::int64_t> lengths(static_cast<std::size_t>(o.sessions), o.tokens);
  return {draw_routing(ExpertRouter{llm, o.seed}, lengths), llm.moe->routing.capacity_factor};
}

void print_picks(const Options& o) {
  auto [record, capacity] =
      o.file.empty() ? drawn(o) : Source{read_routing(o.file, o.skip_bad_rows)};
  if (o.capacity > 0) capacity = o.capacity;
  if (!o.out.empty())
    write_routing(record, o.out,
                  o.file.empty() ? fmt::format("drawn: {}, seed {}", o.llm, o.seed) : "copied");
  std::int64_t tokens = 0;
  for (const RoutedSession& s : record.sessions) tokens += record.tokens(s);
  if (!o.json) {
    fmt::print("{}: top-{} of {} experts in {} layers, {} sessions, {} tokens\n",
               o.file.empty() ? o.llm : o.file, record.top_k, record.experts, record.layers,
               record.sessions.size(), tokens);
    print_bad_rows(record.bad_rows);
  }
  if (o.fit) return print_fit(record, o.json);
  const RoutingFigures figures = figures_of(record);
  if (!o.json) {
    if (capacity > 0) print_dropped(dropped_of(record, capacity), capacity);
    return print_figures(figures);
  }
  auto out = to_json(figures);
  out["bad_rows"] = record.bad_rows.count();
  if (capacity > 0) out["dropped"] = to_json(dropped_of(record, capacity), capacity);
  fmt::print("{}\n", out.dump(2));
}

// ---- counts by expert -----------------------------------------------------------------------

void print_loads(const std::string& name, const LayerLoads& l) {
  fmt::print("  {:>9}{:>10.2f}{:>8.2f}{:>8.2f}\n", name, l.max_over_mean, l.cv, l.gini);
}

void print_fitted(const FittedLoads& fit) {
  const auto row = [](const char* label, double recorded, double drawn) {
    fmt::print("  {:<48}{:>10.3f}{:>10.3f}{:>+7.1f}%\n", label, recorded, drawn,
               100 * (drawn / recorded - 1));
  };
  fmt::print("  {:<48}{:>10}{:>10}{:>8}\n", "", "recorded", "drawn", "off");
  row("load, max over mean (mean of layers)", fit.measured.max_over_mean,
      fit.generated.max_over_mean);
  row("load, standard deviation over mean", fit.measured.cv, fit.generated.cv);
  row("load, Gini", fit.measured.gini, fit.generated.gini);
  fmt::print("  routing: {{popularity_sigma: {:.3g}, popularity_shape: {}}}\n",
             fit.spec.popularity_sigma, shape_text(fit.spec));
}

void print_counts(const Options& o) {
  const ExpertCounts counts = read_expert_counts(o.file, o.skip_bad_rows);
  if (o.fit && (o.top_k < 1 || o.top_k > counts.experts))
    throw ConfigError(
        fmt::format("--top-k: expected 1 to {}, the picks of a token, which counts "
                    "do not tell, got {}",
                    counts.experts, o.top_k));
  nlohmann::ordered_json out{{"experts", counts.experts},
                             {"bad_rows", counts.bad_rows.count()},
                             {"reuse_1", nullptr},
                             {"recordings", nlohmann::ordered_json::array()}};
  if (!o.json) {
    fmt::print(
        "{}: picks counted by expert, {} experts; reuse: not available, for counts do not "
        "tell which token picked\n",
        o.file, counts.experts);
    print_bad_rows(counts.bad_rows);
  }
  bool found = false;
  for (const CountedLoads& one : counts.recordings) {
    if (!o.only.empty() && one.name != o.only) continue;
    found = true;
    nlohmann::ordered_json json{{"name", one.name}, {"overall", to_json(mean_of(one))}};
    if (!o.json && !one.name.empty()) fmt::print("\n{}\n", one.name);
    if (o.fit) {
      const FittedLoads fit = fit_loads(one, counts.experts, o.top_k);
      json["routing"] = to_json(fit.spec);
      json["generated"] = to_json(fit.generated);
      if (!o.json) print_fitted(fit);
    } else if (!o.json) {
      fmt::print("  {:>9}{:>10}{:>8}{:>8}\n", "layer", "max/mean", "CV", "Gini");
    }
    for (const auto& [layer, loads] : one.layers) {
      json["layers"].push_back(to_json(loads_of(loads)));
      json["layers"].back()["layer"] = layer;
      if (!o.json && !o.fit) print_loads(std::to_string(layer), loads_of(loads));
    }
    if (!o.json && !o.fit) print_loads("mean", mean_of(one));
    out["recordings"].push_back(json);
  }
  if (!found) {
    std::vector<std::string> names;
    for (const CountedLoads& one : counts.recordings) names.push_back("'" + one.name + "'");
    throw ConfigError(
        fmt::format("--only: expected one of {}, got '{}'", fmt::join(names, "; "), o.only));
  }
  if (o.json) fmt::print("{}\n", out.dump(2));
}

void run(const Options& o) {
  if (o.file.empty() == o.llm.empty())
    throw ConfigError("expected either a file of recorded picks or --llm and a model");
  if (!o.file.empty() && is_expert_counts(o.file))
    print_counts(o);
  else
    print_picks(o);
}

/// Options that belong to another kind of source would be passed over in silence.
void refuse_ignored(const Options& o, const CLI::App& sub) {
  const auto refuse = [&sub](std::initializer_list<const char*> options, const char* why) {
    for (const char* option : options)
      if (sub.count(option) > 0) throw ConfigError(std::string{option} + ": " + why);
  };
  const bool counts = !o.file.empty() && is_expert_counts(o.file);
  if (counts)
    refuse({"--out", "--capacity"},
           "needs picks of single tokens, which a file of counts does not have");
  else
    refuse({"--only", "--top-k"}, "belongs to a file of counts by expert");
  if (!o.file.empty())
    refuse({"--set", "--sessions", "--tokens", "--seed"},
           "says what --llm draws; a file's picks are what they are");
  else
    refuse({"--skip-bad-rows"}, "belongs to a file; --llm draws none that are bad");
}

}  // namespace

bool is_routing_file(const std::string& path) { return is_routing(path) || is_expert_counts(path); }

void describe_routing(const std::string& path, bool json, bool skip_bad_rows) {
  Options options;
  options.file = path;
  options.json = json;
  options.skip_bad_rows = skip_bad_rows;
  run(options);
}

void add_routing(CLI::App& workload) {
  CLI::App* sub = workload.add_subcommand("routing", "How tokens spread over experts");
  auto o = std::make_shared<Options>();
  sub->add_option("file", o->file,
                  "Recorded picks, or picks counted by expert (CSV or JSONL, gzipped or not)");
  sub->add_option("--llm", o->llm, "Draw picks of a model instead");
  sub->add_option("--set", o->sets, "llm.moe.routing.key=value")
      ->take_all()
      ->allow_extra_args(false);
  sub->add_option("--sessions", o->sessions, "Sequences to draw")->check(CLI::Range(1, 100000));
  sub->add_option("--tokens", o->tokens, "Tokens of each")->check(CLI::Range(1, 1000000));
  sub->add_option("--seed", o->seed, "Seed of the draws");
  sub->add_option("--out", o->out, "Write the picks as JSONL");
  sub->add_option("--capacity", o->capacity, "Count what experts with so many times the mean drop")
      ->check(CLI::Range(0.0, 4096.0));
  sub->add_option("--only", o->only, "Of a file of counts, this recording");
  sub->add_option("--top-k", o->top_k, "Picks of a token, for --fit of a file of counts");
  sub->add_flag("--skip-bad-rows", o->skip_bad_rows, "Leave out malformed rows, count them");
  sub->add_flag("--fit", o->fit, "Fit a law to the picks and print it");
  sub->add_flag("--json", o->json, "Print one JSON document");
  sub->footer("Example: reticle workload routing --llm claude-class-mid");
  sub->callback([o, sub] {
    refuse_ignored(*o, *sub);
    run(*o);
  });
}

}  // namespace reticle
