// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_workload.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>

#include "sim/config/bounds.hpp"
#include "sim/config/catalogue.hpp"
#include "sim/config/yaml_reader.hpp"
#include "workloads/requests/trace_reader.hpp"

namespace reticle {

namespace fs = std::filesystem;

namespace {
constexpr Range<std::int64_t> kBatch{1, 1'000'000};
constexpr Range<std::int64_t> kSteps{1, 1'000'000};
constexpr Range<std::int64_t> kSkip{0, 1'000'000'000'000};
constexpr Range<Picoseconds> kTime{Picoseconds{0},
                                   Picoseconds{std::numeric_limits<std::int64_t>::max()}};

enum class WorkloadKind { SteadyDecode, Trace };
}  // namespace

template <>
struct EnumTable<WorkloadKind> {
  static constexpr std::array<EnumName<WorkloadKind>, 2> names{{
      {"steady-decode", WorkloadKind::SteadyDecode},
      {"trace", WorkloadKind::Trace},
  }};
};

namespace {
SteadyDecode read_steady(const ConfigNode& node) {
  const SteadyDecode defaults;
  return {
      .batch = node.get<std::int64_t>("batch", defaults.batch, kBatch),
      .context = node.get<std::int64_t>("context", defaults.context, bounds::kTokens),
      .steps = node.get<std::int64_t>("steps", defaults.steps, kSteps),
  };
}

TraceWorkload read_trace_workload(const ConfigNode& node) {
  const TraceWorkload defaults;
  TraceWorkload trace{
      .path = node.get<std::string>("path"),
      .format = node.get<std::string>("format", defaults.format),
      .limit = node.find<std::int64_t>("limit", bounds::kTokens),
      .rate_scale = node.get<double>("rate_scale", defaults.rate_scale, {1e-6, 1e6}),
      .skip = node.get<std::int64_t>("skip", defaults.skip, kSkip),
      .from = node.get<Picoseconds>("from", defaults.from, kTime),
      .to = node.find<Picoseconds>("to", kTime),
      .max_input = node.find<std::int64_t>("max_input", bounds::kTokens),
      .max_output = node.find<std::int64_t>("max_output", bounds::kTokens),
      .sample = node.get<double>("sample", defaults.sample, {1e-9, 1.0}),
      .seed = node.get<std::uint64_t>("seed", defaults.seed),
      .skip_bad_rows = node.get<bool>("skip_bad_rows", defaults.skip_bad_rows),
      .background_share =
          node.get<double>("background_share", defaults.background_share, {0.0, 1.0}),
      .closed_loop = node.get<bool>("closed_loop", defaults.closed_loop),
  };
  if (trace.to) node.check("to", *trace.to > trace.from, "must be later than `from`");
  const auto formats = trace_formats();
  std::vector<std::string> words{formats.begin(), formats.end()};
  words.emplace_back();
  node.takes_words("format", std::move(words));
  node.check("format", trace.format.empty() || std::ranges::count(formats, trace.format) > 0,
             one_of(std::vector<std::string>{formats.begin(), formats.end()}) + ", or empty");
  trace.path = openable(trace.path).string();
  return trace;
}

ConfigTree trace_tree(const std::string& path, const std::string& format) {
  const SourcePosition position{"command line", 0, 0};
  ConfigTree tree = make_map(position);
  put(tree, "kind", make_leaf("trace", position, position.file));
  put(tree, "path", make_leaf(as_configured(path), position, position.file));
  put(tree, "format", make_leaf(format, position, position.file));
  return tree;
}

/// A trace's path is relative to the file that names it; from here on, to the catalogue's root or
/// the working directory.
void rebase_path(ConfigTree& workload, const std::string& label) {
  ConfigTree* path = workload.find("path");
  if (path == nullptr || path->kind != ConfigTree::Kind::Leaf) return;
  path->text = (fs::path{label}.parent_path() / path->text).lexically_normal().generic_string();
}

bool is_yaml(const std::string& argument) {
  return argument.ends_with(".yaml") || argument.ends_with(".yml");
}
}  // namespace

ConfigTree workload_tree(const std::string& argument) {
  const bool named = argument.find('/') == std::string::npos;
  const auto [path, format] = split_trace_argument(argument);
  std::error_code error;
  const bool is_trace = !is_yaml(path) && (fs::exists(path, error) || !named);
  const auto catalogued = named ? find_config(CatalogueKind::Workload, argument) : std::nullopt;
  if (is_trace && !catalogued) return trace_tree(path, format);
  const CatalogueFile file = require_config(CatalogueKind::Workload, argument);
  return based_workload(read_yaml(file.path, file.label), file.label);
}

ConfigTree based_workload(ConfigTree workload, const std::string& label) {
  rebase_path(workload, label);
  check_trace(workload);
  return workload;
}

void check_trace(const ConfigTree& workload) {
  if (const ConfigTree* path = workload.find("path"))
    require_given(openable(path->text), path->position, "workload.path");
}

WorkloadSpec read_workload(const ConfigNode& node) {
  (void)node.get<std::string>("title", "");
  const auto kind = node.get<WorkloadKind>("kind");
  const WorkloadSpec workload = kind == WorkloadKind::SteadyDecode
                                    ? WorkloadSpec{read_steady(node)}
                                    : WorkloadSpec{read_trace_workload(node)};
  node.reject_unknown_keys();
  return workload;
}

}  // namespace reticle
