// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/analysis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "sim/base/error.hpp"
#include "sim/base/rng.hpp"
#include "sim/sweep/point_values.hpp"

namespace reticle {

namespace {
double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double variance_of(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (const double v : values) sum += (v - mean) * (v - mean);
  return sum / static_cast<double>(values.size());
}

/// The last of the fidelities: after halving, what was simulated.
std::string final_fidelity(const SweepSpec& sweep) { return *sweep.base.fidelity; }

class Analyst {
 public:
  Analyst(const SweepSpec& sweep, const std::vector<StoredPoint>& points)
      : sweep_{sweep}, points_{points} {
    check_points(sweep, points);
    for (const StoredPoint& point : points) {
      results_.push_back(result_of(sweep, point.point, point.answer));
      // Bounds are not compared with results.
      results_.back().usable &= point.point.fidelity == final_fidelity(sweep);
    }
  }

  SweepAnalysis analyse() const {
    SweepAnalysis analysis;
    for (const std::size_t i : pareto_front(results_)) analysis.front.push_back(points_[i].id);
    for (std::size_t o = 0; o < sweep_.objectives.size(); ++o)
      analysis.sensitivity.push_back(sweep_.design.kind == DesignKind::Saltelli ? by_matrices(o)
                                                                                : by_values(o));
    add_notes(analysis);
    add_front_knee(analysis);
    add_axis_knees(analysis);
    return analysis;
  }

 private:
  /// Why a front is empty, or smaller than one would think.
  void add_notes(SweepAnalysis& analysis) const {
    std::map<PointStatus, std::int64_t> by_status;
    std::map<std::string, std::int64_t> absent;  // names, by points that ran and have them not
    std::int64_t compared = 0, usable = 0;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      ++by_status[points_[i].answer.status];
      if (points_[i].answer.status != PointStatus::Ok ||
          points_[i].point.fidelity != final_fidelity(sweep_))
        continue;
      ++compared;
      usable += results_[i].usable;
      for (const std::string& name : absent_names(sweep_, points_[i].point, points_[i].answer))
        ++absent[name];
    }
    if (by_status[PointStatus::Ok] == 0) {
      std::string text = "No point has a result:";
      for (const auto& [status, number] : by_status)
        if (number > 0) text += fmt::format(" {} {}", number, name_of(status));
      analysis.notes.push_back(text + ".");
    }
    for (const auto& [name, number] : absent)
      analysis.notes.push_back(
          fmt::format("{} of {} points that ran have no {}, which objectives or limits ask for: "
                      "they are in no front.",
                      number, compared, name));
    if (compared > 0 && usable == 0 && absent.empty())
      analysis.notes.push_back(
          fmt::format("None of the {} points that ran keeps the limits.", compared));
    for (const ObjectiveSensitivity& s : analysis.sensitivity)
      if (sweep_.design.kind == DesignKind::Saltelli &&
          s.rows < static_cast<std::int64_t>(kLeastRows))
        analysis.notes.push_back(fmt::format(
            "Sensitivity of {}: {} rows of the matrices are complete, {} are needed at least.",
            s.objective, s.rows, kLeastRows));
  }

  /// The first key of an axis speaks for those that change with it.
  [[nodiscard]] std::vector<std::size_t> first_columns() const {
    std::vector<std::size_t> first;
    std::size_t column = 0;
    for (const SweepAxis& axis : sweep_.axes) {
      first.push_back(column);
      column += axis.columns.size();
    }
    return first;
  }
  [[nodiscard]] double value(std::size_t point, std::size_t objective) const {
    const double turned = results_[point].objectives[objective];
    return sweep_.objectives[objective].better == Better::More ? turned : -turned;
  }

  /// Rows all of whose points ran.
  [[nodiscard]] ObjectiveSensitivity by_matrices(std::size_t objective) const {
    const std::size_t d = sweep_.axes.size();
    std::set<std::string> names{"A", "B"};
    for (std::size_t k = 0; k < d; ++k) names.insert("AB" + std::to_string(k));
    std::map<std::int64_t, std::map<std::string, double>> rows;
    for (std::size_t i = 0; i < points_.size(); ++i)
      if (results_[i].usable && names.contains(points_[i].point.block))
        rows[points_[i].point.row][points_[i].point.block] = value(i, objective);
    std::vector<double> a, b;
    std::vector<std::vector<double>> mixed(d);
    for (const auto& [row, blocks] : rows) {
      if (blocks.size() != d + 2) continue;
      a.push_back(blocks.at("A"));
      b.push_back(blocks.at("B"));
      for (std::size_t k = 0; k < d; ++k) mixed[k].push_back(blocks.at("AB" + std::to_string(k)));
    }
    ObjectiveSensitivity out{
        .objective = sweep_.objectives[objective].name,
        .method = "Saltelli 2010 and Jansen 1999, from matrices of Sobol points",
        .rows = std::ssize(a),
        .axes = {}};
    const auto indices = sobol_indices(a, b, mixed);
    for (std::size_t k = 0; k < d; ++k) {
      AxisSensitivity& axis = out.axes.emplace_back();
      axis.key = sweep_.axes[k].columns.front().key;
      if (!indices) continue;
      axis.first = indices->first[k];
      axis.total = indices->total[k];
      axis.first_margin = indices->first_margin[k];
      axis.total_margin = indices->total_margin[k];
    }
    return out;
  }

  [[nodiscard]] ObjectiveSensitivity by_values(std::size_t objective) const {
    std::vector<double> figure;
    std::vector<std::size_t> which;
    for (std::size_t i = 0; i < points_.size(); ++i)
      if (results_[i].usable) which.push_back(i), figure.push_back(value(i, objective));
    ObjectiveSensitivity out{.objective = sweep_.objectives[objective].name,
                             .method = "variance of the means over an axis' values",
                             .rows = std::ssize(which),
                             .axes = {}};
    const std::vector<std::size_t> columns = first_columns();
    for (std::size_t k = 0; k < columns.size(); ++k)
      out.axes.push_back(
          {sweep_.axes[k].columns.front().key,
           which.size() < 2 ? std::nullopt : explained_by(bins(which, k, columns[k]), figure),
           std::nullopt});
    return out;
  }

  /// Which value of an axis a point has; of a sampled range, which of ten parts.
  [[nodiscard]] std::vector<std::size_t> bins(const std::vector<std::size_t>& which,
                                              std::size_t axis, std::size_t column) const {
    constexpr std::size_t kParts = 10;
    const auto& span = sweep_.axes[axis].span;
    const bool sampled =
        span && sweep_.design.kind != DesignKind::Grid && sweep_.design.kind != DesignKind::Pareto;
    std::map<std::string, std::size_t> seen;
    std::vector<std::size_t> bin;
    for (const std::size_t i : which) {
      const std::string text = points_[i].point.values[column].value_or("");
      const ExpressionValue number = value_of_text(text.substr(0, text.find(' ')));
      // Where the axis does not apply there is none.
      if (!sampled || !std::holds_alternative<double>(number)) {
        bin.push_back(kParts + seen.emplace(text, seen.size()).first->second);
        continue;
      }
      const double at = std::get<double>(number);
      const double u = span->log ? std::log(at / span->low) / std::log(span->high / span->low)
                                 : (at - span->low) / (span->high - span->low);
      constexpr double kLast = static_cast<double>(kParts) - 1;
      bin.push_back(static_cast<std::size_t>(std::clamp(std::floor(u * (kLast + 1)), 0.0, kLast)));
    }
    return bin;
  }

  [[nodiscard]] std::string name_of_point(std::size_t i) const {
    std::string text;
    const auto columns = columns_of(sweep_);
    for (std::size_t c = 0; c < columns.size(); ++c)
      if (points_[i].point.values[c])
        text += (text.empty() ? "" : ", ") + columns[c]->key + " " + *points_[i].point.values[c];
    return text;
  }

  /// Between the first two objectives.
  void add_front_knee(SweepAnalysis& analysis) const {
    if (sweep_.objectives.size() < 2 || analysis.front.size() < 3) return;
    std::vector<PointResult> two;
    for (const PointResult& r : results_) {
      two.push_back(r);
      if (r.usable) two.back().objectives.resize(2);
    }
    std::vector<std::size_t> front = pareto_front(two);
    std::ranges::stable_sort(front, {}, [&](std::size_t i) { return -two[i].objectives[0]; });
    std::vector<double> x, y;
    for (const std::size_t i : front)
      x.push_back(-two[i].objectives[0]), y.push_back(two[i].objectives[1]);
    const auto knee = knee_of(x, y);
    if (!knee) return;
    const std::size_t i = front[*knee];
    analysis.knees.push_back(
        fmt::format("The front of {} against {} bends at point {}: {} {:.4g} with {} {:.4g} ({}).",
                    sweep_.objectives[0].name, sweep_.objectives[1].name, points_[i].id,
                    sweep_.objectives[0].name, value(i, 0), sweep_.objectives[1].name, value(i, 1),
                    name_of_point(i)));
  }

  /// Along every axis of numbers, the others held where the best point has them.
  void add_axis_knees(SweepAnalysis& analysis) const {
    const auto usable = [&](std::size_t i) { return results_[i].usable; };
    std::vector<std::size_t> all(points_.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    std::erase_if(all, [&](std::size_t i) { return !usable(i); });
    if (all.empty()) return;
    const std::size_t best = *std::ranges::max_element(
        all, {}, [&](std::size_t i) { return results_[i].objectives.front(); });
    const std::vector<std::size_t> columns = first_columns();
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const auto line = line_through(best, columns[k], all);
      if (line.size() < 3) continue;
      std::vector<double> x, y;
      for (const auto& [at, i] : line) x.push_back(at), y.push_back(results_[i].objectives.front());
      const std::string& key = sweep_.axes[k].columns.front().key;
      const std::string& figure = sweep_.objectives.front().name;
      const auto knee = knee_of(x, y);
      if (knee) {
        const std::size_t i = std::next(line.begin(), static_cast<std::ptrdiff_t>(*knee))->second;
        analysis.knees.push_back(fmt::format(
            "Through the best point, {} bends at {} {}: {:.4g} there, {:.4g} at {:.6g} and {:.4g} "
            "at {:.6g}.",
            figure, key, *points_[i].point.values[columns[k]], value(i, 0),
            value(line.begin()->second, 0), x.front(), value(line.rbegin()->second, 0), x.back()));
      }
      add_crossings(analysis, key, line);
    }
  }

  /// Points that differ from `best` in one column alone, by their number there.
  [[nodiscard]] std::map<double, std::size_t> line_through(
      std::size_t best, std::size_t column, const std::vector<std::size_t>& usable) const {
    std::map<double, std::size_t> line;
    for (const std::size_t i : usable) {
      auto mine = points_[i].point.values;
      mine[column] = points_[best].point.values[column];
      if (mine != points_[best].point.values || !points_[i].point.values[column]) continue;
      const ExpressionValue at = value_of_text(*points_[i].point.values[column]);
      if (std::holds_alternative<double>(at)) line[std::get<double>(at)] = i;
    }
    return line;
  }

  /// Where another resource takes over.
  void add_crossings(SweepAnalysis& analysis, const std::string& key,
                     const std::map<double, std::size_t>& line) const {
    std::string before;
    double at_before = 0;
    for (const auto& [at, i] : line) {
      const auto outputs = outputs_of(points_[i].answer);
      const auto found = outputs.find("limited_by");
      if (found == outputs.end() || !std::holds_alternative<std::string>(found->second)) return;
      const std::string limit = std::get<std::string>(found->second);
      if (!before.empty() && limit != before)
        analysis.knees.push_back(
            fmt::format("Between {} {:.6g} and {:.6g} the limit changes from {} to {}.", key,
                        at_before, at, before, limit));
      before = limit;
      at_before = at;
    }
  }

  const SweepSpec& sweep_;
  const std::vector<StoredPoint>& points_;
  std::vector<PointResult> results_;
};
}  // namespace

namespace {
/// Of the rows of that number, which may be there several times.
std::optional<SobolIndices> indices_of(const std::vector<double>& a, const std::vector<double>& b,
                                       const std::vector<std::vector<double>>& mixed,
                                       const std::vector<std::size_t>& rows) {
  std::vector<double> both;
  for (const std::size_t j : rows) both.push_back(a[j]), both.push_back(b[j]);
  const double variance = variance_of(both);
  if (!(variance > 0)) return std::nullopt;
  const auto n = static_cast<double>(rows.size());
  const double mean = mean_of(both);
  SobolIndices indices;
  for (const auto& m : mixed) {
    double first = 0, total = 0;
    for (const std::size_t j : rows) {
      first += (b[j] - mean) * (m[j] - a[j]);  // centred: the estimate scatters less
      total += (a[j] - m[j]) * (a[j] - m[j]);
    }
    indices.first.push_back(first / n / variance);
    indices.total.push_back(total / (2 * n) / variance);
  }
  return indices;
}

/// Rows of Sobol's sequence cover more evenly than rows drawn at random, so that the intervals are
/// rather too wide.
void add_margins(SobolIndices& indices, const std::vector<double>& a, const std::vector<double>& b,
                 const std::vector<std::vector<double>>& mixed) {
  constexpr int kResamples = 200;
  constexpr double kNormal95 = 1.96;
  RngStream rng{0, "bootstrap of Sobol indices"};
  std::vector<std::vector<double>> first(mixed.size()), total(mixed.size());
  std::vector<std::size_t> rows(a.size());
  for (int i = 0; i < kResamples; ++i) {
    for (std::size_t& row : rows) row = static_cast<std::size_t>(rng.below(a.size()));
    const auto again = indices_of(a, b, mixed, rows);
    if (!again) continue;
    for (std::size_t k = 0; k < mixed.size(); ++k) {
      first[k].push_back(again->first[k]);
      total[k].push_back(again->total[k]);
    }
  }
  for (std::size_t k = 0; k < mixed.size(); ++k) {
    indices.first_margin.push_back(kNormal95 * std::sqrt(variance_of(first[k])));
    indices.total_margin.push_back(kNormal95 * std::sqrt(variance_of(total[k])));
  }
}
}  // namespace

std::optional<SobolIndices> sobol_indices(const std::vector<double>& a,
                                          const std::vector<double>& b,
                                          const std::vector<std::vector<double>>& mixed) {
  std::vector<double> both = a;
  both.insert(both.end(), b.begin(), b.end());
  if (a.size() < kLeastRows || !(variance_of(both) > 0)) return std::nullopt;
  for (const auto& m : mixed)
    invariant(m.size() == a.size() && b.size() == a.size(), "matrices of one length");
  std::vector<std::size_t> rows(a.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  SobolIndices indices = *indices_of(a, b, mixed, rows);
  add_margins(indices, a, b, mixed);
  return indices;
}

std::optional<double> explained_by(const std::vector<std::size_t>& value_of,
                                   const std::vector<double>& figure) {
  const double variance = variance_of(figure);
  if (!(variance > 0)) return std::nullopt;
  std::map<std::size_t, std::vector<double>> groups;
  for (std::size_t i = 0; i < figure.size(); ++i) groups[value_of[i]].push_back(figure[i]);
  const double mean = mean_of(figure);
  double between = 0;
  for (const auto& [at, group] : groups)
    between += static_cast<double>(group.size()) * std::pow(mean_of(group) - mean, 2);
  return between / static_cast<double>(figure.size()) / variance;
}

std::optional<std::size_t> knee_of(const std::vector<double>& x, const std::vector<double>& y) {
  if (x.size() < 3) return std::nullopt;
  const auto [low_y, high_y] = std::ranges::minmax(y);
  const double span_x = x.back() - x.front();
  if (!(span_x > 0) || !(high_y > low_y)) return std::nullopt;
  const double from = (y.front() - low_y) / (high_y - low_y);
  const double to = (y.back() - low_y) / (high_y - low_y);
  constexpr double kBend = 0.05;  // less is a straight line with noise
  std::optional<std::size_t> knee;
  double furthest = kBend;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double u = (x[i] - x.front()) / span_x;
    const double above = (y[i] - low_y) / (high_y - low_y) - (from + u * (to - from));
    if (above > furthest) furthest = above, knee = i;
  }
  return knee;
}

SweepAnalysis analyse(const SweepSpec& sweep, const std::vector<StoredPoint>& points) {
  return Analyst{sweep, points}.analyse();
}

}  // namespace reticle
