// SPDX-License-Identifier: Apache-2.0
#include "workloads/moe/expert_counts.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "sim/base/error.hpp"
#include "workloads/llm/llm_bounds.hpp"
#include "workloads/moe/routed_batch.hpp"
#include "workloads/text/csv_cells.hpp"
#include "workloads/text/fields.hpp"
#include "workloads/text/line_source.hpp"

namespace reticle {

namespace {

/// What a file may hold: one recording of it, by layer and expert, is small (58 layers of 256 are
/// 14,848 counts), and thousands of them name something else than texts.
constexpr std::size_t kMostRecordings = 4'096;
constexpr std::int64_t kMostCounts = std::int64_t{1} << 22;  // 34 MB

std::vector<std::string_view> cells_of(std::string_view row) {
  std::vector<std::string_view> all;
  CsvCells cells{row};
  while (const auto cell = cells.next()) all.push_back(*cell);
  return all;
}

/// Which columns hold what.
struct Columns {
  static constexpr std::array<std::string_view, 3> kNames{"layer", "expert", "count"};
  // A count may be as large as doubles tell whole numbers apart.
  static constexpr std::array<std::int64_t, 3> kMost{
      llm_bounds::kLayers - 1, llm_bounds::kExperts - 1, std::int64_t{1} << 53};
  std::array<std::size_t, 3> at{};
  std::size_t count = 0;

  static std::optional<Columns> of(std::string_view header) {
    const auto cells = cells_of(header);
    Columns columns{{}, cells.size()};
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      const auto found = std::find(cells.begin(), cells.end(), kNames[i]);
      if (found == cells.end()) return std::nullopt;
      columns.at[i] = static_cast<std::size_t>(found - cells.begin());
    }
    return columns;
  }
};

class CountsReader {
 public:
  CountsReader(LineSource& lines, Columns columns) : lines_{lines}, columns_{columns} {}

  ExpertCounts read(BadRows bad) {
    while (const auto row = lines_.next()) {
      try {
        take(*row);
      } catch (const ConfigError& error) {
        bad.take(error);
      }
    }
    if (out_.recordings.empty()) lines_.fail(0, "count", "expected at least one row, found none");
    for (CountedLoads& r : out_.recordings)
      for (auto& [layer, loads] : r.layers) {
        loads.resize(static_cast<std::size_t>(out_.experts), kUnsaid);
        std::replace(loads.begin(), loads.end(), kUnsaid, 0.0);
        if (*std::max_element(loads.begin(), loads.end()) <= 0)
          lines_.fail(0, "count", "expected a pick in layer " + std::to_string(layer));
      }
    out_.bad_rows = std::move(bad);
    return std::move(out_);
  }

 private:
  static constexpr double kUnsaid = -1;

  void take(std::string_view row) {
    const auto cells = cells_of(row);
    if (cells.size() != columns_.count)
      lines_.fail(0, "row",
                  "expected " + std::to_string(columns_.count) + " fields, found " +
                      std::to_string(cells.size()));
    std::array<std::int64_t, 3> values{};
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::string_view cell = cells[columns_.at[i]];
      const auto offset = static_cast<std::size_t>(cell.data() - row.data());
      const auto value = whole_number(cell);
      if (!value || *value > Columns::kMost[i])
        lines_.fail(offset, Columns::kNames[i],
                    "expected a whole number to " + std::to_string(Columns::kMost[i]) + ", found " +
                        quoted(cell));
      values[i] = *value;
    }
    std::string name;
    for (std::size_t i = 0; i < cells.size(); ++i)
      if (std::find(columns_.at.begin(), columns_.at.end(), i) == columns_.at.end())
        name += (name.empty() ? "" : ", ") + std::string{cells[i]};
    const auto [layer, expert, count] = values;
    check_room(name, layer, expert);
    auto& loads = recording(name).layers[layer];
    const auto at = static_cast<std::size_t>(expert);
    if (loads.size() <= at) loads.resize(at + 1, kUnsaid);
    if (loads[at] != kUnsaid)
      lines_.fail(0, "expert",
                  "expected each once per layer, found " + std::to_string(expert) + " again");
    loads[at] = static_cast<double>(count);
    out_.experts = std::max(out_.experts, expert + 1);
  }

  /// In the end every layer of every recording has a count of every expert.
  void check_room(const std::string& name, std::int64_t layer, std::int64_t expert) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end() && by_name_.size() == kMostRecordings)
      lines_.fail(0, "row",
                  "expected at most " + std::to_string(kMostRecordings) +
                      " recordings, told apart by all columns but layer, expert and count, found "
                      "another");
    const bool fresh =
        found == by_name_.end() || !out_.recordings[found->second].layers.contains(layer);
    const std::int64_t layers = layers_ + (fresh ? 1 : 0);
    const std::int64_t experts = std::max(out_.experts, expert + 1);
    if (layers > kMostCounts / experts)
      lines_.fail(0, "row",
                  "expected at most " + std::to_string(kMostCounts) +
                      " counts (layers of all recordings x experts), found " +
                      std::to_string(layers) + " x " + std::to_string(experts));
    layers_ = layers;
  }

  CountedLoads& recording(const std::string& name) {
    const auto [found, fresh] = by_name_.try_emplace(name, out_.recordings.size());
    if (fresh) out_.recordings.push_back({name});
    return out_.recordings[found->second];
  }

  LineSource& lines_;
  const Columns columns_;
  ExpertCounts out_;
  std::map<std::string, std::size_t> by_name_;
  std::int64_t layers_ = 0;  ///< of all recordings
};

LayerLoads mean_of(const std::vector<LayerLoads>& all) {
  LayerLoads mean;
  const auto count = static_cast<double>(all.size());
  for (const LayerLoads& one : all) {
    mean.max_over_mean += one.max_over_mean / count;
    mean.cv += one.cv / count;
    mean.gini += one.gini / count;
  }
  return mean;
}

/// Loads that `spec` gives a layer in the mean. So many layers and tokens that the mean of each
/// figure stands to 1 or 2 %.
LayerLoads drawn_loads(const RoutingSpec& spec, std::int64_t experts, std::int64_t top_k) {
  constexpr std::int64_t kLayers = 48, kTokens = 2048;
  LlmSpec llm;
  llm.hidden = 1;
  llm.layers = dense_then_moe(0, kLayers);
  llm.moe = MoeSpec{.experts = experts, .top_k = top_k, .expert_ffn = 1};
  llm.moe->routing = spec;
  const ExpertRouter router{llm, 1};
  std::vector<LayerLoads> all;
  std::vector<std::int32_t> loads(static_cast<std::size_t>(experts));
  RoutedBatch batch{router};
  batch.add(RequestId{0}, 0, kTokens);
  for (std::int64_t layer = 0; layer < kLayers; ++layer) {
    std::fill(loads.begin(), loads.end(), 0);
    batch.add_loads(layer, loads);
    all.push_back(loads_of({loads.begin(), loads.end()}));
  }
  return mean_of(all);
}

}  // namespace

bool is_expert_counts(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  LineSource lines{path};
  const auto first = lines.peek();
  return first && Columns::of(*first).has_value();
}

ExpertCounts read_expert_counts(const std::string& path, bool skip_bad_rows) {
  LineSource lines{path};
  const auto header = lines.next();
  const auto columns = header ? Columns::of(*header) : std::nullopt;
  if (!columns)
    throw ConfigError{{path, 1, 1}, "count", "expected the columns layer, expert and count"};
  return CountsReader{lines, *columns}.read(BadRows{skip_bad_rows});
}

LayerLoads mean_of(const CountedLoads& counts) {
  std::vector<LayerLoads> all;
  for (const auto& [layer, loads] : counts.layers) all.push_back(loads_of(loads));
  return mean_of(all);
}

FittedLoads fit_loads(const CountedLoads& counts, std::int64_t experts, std::int64_t top_k) {
  FittedLoads out;
  out.measured = mean_of(counts);
  double least = std::numeric_limits<double>::infinity();
  const auto attempt = [&](PopularityShape shape, double sigma) {
    RoutingSpec spec;
    spec.popularity_shape = shape;
    spec.popularity_sigma = sigma;
    const LayerLoads drawn = drawn_loads(spec, experts, top_k);
    const auto off = [](double a, double b) {
      return std::abs(std::log(std::max(a, 1e-6) / std::max(b, 1e-6)));
    };
    const double miss =
        std::max({off(drawn.max_over_mean, out.measured.max_over_mean),
                  off(drawn.cv, out.measured.cv), off(drawn.gini, out.measured.gini)});
    if (miss < least) {
      least = miss;
      out.spec = spec;
      out.generated = drawn;
    }
    return miss;
  };
  for (std::size_t i = 0; i < kPopularityShapes.size(); ++i) {
    const auto shape = static_cast<PopularityShape>(i);
    // The miss falls to one least width and rises behind it: golden sections [Kiefer, Proc. AMS
    // 1953], each of which needs one attempt more.
    constexpr double kGolden = 0.6180339887498949;
    double low = 0, high = llm_bounds::kSigma;
    double a = high - kGolden * (high - low), b = low + kGolden * (high - low);
    double at_a = attempt(shape, a), at_b = attempt(shape, b);
    while (high - low > 0.01) {
      const bool left = at_a < at_b;
      (left ? high : low) = left ? b : a;
      (left ? b : a) = left ? a : b;
      (left ? at_b : at_a) = left ? at_a : at_b;
      double& next = left ? a : b;
      next = left ? high - kGolden * (high - low) : low + kGolden * (high - low);
      (left ? at_a : at_b) = attempt(shape, next);
    }
  }
  return out;
}

}  // namespace reticle
