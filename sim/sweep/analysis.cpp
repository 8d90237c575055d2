// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/analysis.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <set>

#include "sim/base/error.hpp"
#include "sim/base/rng.hpp"
#include "sim/config/sweep_figures.hpp"
#include "sim/sweep/best_points.hpp"
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
      const bool last = point.point.fidelity == final_fidelity(sweep);
      results_.back().usable &= last;
      compared_.push_back(last && point.answer.status == PointStatus::Ok);
    }
    std::size_t column = 0;
    for (const SweepAxis& axis : sweep.axes) {
      first_columns_.push_back(column);
      column += axis.columns.size();
    }
  }

  SweepAnalysis analyse() const {
    SweepAnalysis analysis;
    std::vector<std::size_t> front = pareto_front(results_);
    std::ranges::stable_sort(front, std::greater{}, [&](std::size_t i) {
      return results_[i].objectives[front_order(sweep_)];
    });
    for (const std::size_t i : front) analysis.front.push_back(points_[i].id);
    analysis.best = best_sentences(sweep_, points_, results_);
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
    for (const StoredPoint& point : points_) ++by_status[point.answer.status];
    if (by_status[PointStatus::Ok] == 0) {
      std::string text = "No point has a result:";
      for (const auto& [status, number] : by_status)
        if (number > 0) text += fmt::format(" {} {}", number, name_of(status));
      analysis.notes.push_back(text + ".");
      return;
    }
    const bool any_compared = std::ranges::find(compared_, true) != compared_.end();
    std::vector<std::size_t> which;
    for (std::size_t i = 0; i < points_.size(); ++i)
      if (any_compared ? compared_[i] : points_[i].answer.status == PointStatus::Ok)
        which.push_back(i);
    const auto kept = std::ranges::count_if(
        points_, [&](const StoredPoint& p) { return p.point.fidelity == final_fidelity(sweep_); });
    if (!any_compared)
      analysis.notes.push_back(
          kept == 0 ? fmt::format("Halving kept no point: none of the {} rooflines is a candidate.",
                                  which.size())
                    : fmt::format("None of the {} points that halving kept has a result.", kept));
    add_absent(analysis, which);
    add_broken(analysis, which);
    add_outside(analysis, which);
    const auto keeps =
        std::ranges::count_if(which, [&](std::size_t i) { return results_[i].within_limits; });
    if (!sweep_.limits.empty() && keeps < std::ssize(which))
      analysis.notes.push_back(
          keeps == 0 ? fmt::format("None of the {} points that ran keeps the limits.", which.size())
                     : fmt::format(
                           "{} of {} points that ran do not keep the limits: they are in no front.",
                           std::ssize(which) - keeps, which.size()));
    for (const ObjectiveSensitivity& s : analysis.sensitivity) add_about(analysis, s);
    if (any_compared)
      if (const auto out = std::ranges::count_if(
              which, [&](std::size_t i) { return has_result(i) && !results_[i].usable; });
          out > 0 && sweep_.design.kind != DesignKind::Saltelli)
        analysis.notes.push_back(
            fmt::format("Sensitivity is of all {} points that ran, {} of them outside limits.",
                        analysis.sensitivity.front().rows, out));
    if (sweep_.halving && any_compared)
      analysis.notes.push_back(
          "Halving ranks by roofline, each point with a plan of its own: where plans change along "
          "an axis, a better point may have been left at its roofline.");
  }

  void add_absent(SweepAnalysis& analysis, const std::vector<std::size_t>& which) const {
    std::map<std::string, std::int64_t> absent;
    for (const std::size_t i : which)
      for (const std::string& name : absent_names(sweep_, points_[i].point, points_[i].answer))
        ++absent[name];
    for (const auto& [name, number] : absent) {
      const SweepFigure* figure = find_sweep_figure(name);
      const std::string needs = figure != nullptr && !figure->needs.empty()
                                    ? fmt::format(" It needs {}.", figure->needs)
                                    : std::string{};
      analysis.notes.push_back(
          fmt::format("{} of {} points that ran have no {}, which objectives or limits ask for: "
                      "they are in no front.{}",
                      number, which.size(), name, needs));
    }
  }

  /// Which of the sweep's limits takes how many points out.
  void add_outside(SweepAnalysis& analysis, const std::vector<std::size_t>& which) const {
    for (const Expression& limit : sweep_.limits) {
      const auto number = std::ranges::count_if(which, [&](std::size_t i) {
        return breaks(sweep_, points_[i].point, points_[i].answer, limit);
      });
      if (number > 0)
        analysis.notes.push_back(
            fmt::format("{} of {} points that ran break {}.", number, which.size(), limit.text()));
    }
  }

  void add_broken(SweepAnalysis& analysis, const std::vector<std::size_t>& which) const {
    std::map<std::string, std::int64_t> broken;
    for (const std::size_t i : which)
      for (const std::string& limit : broken_of(points_[i].answer)) ++broken[limit];
    for (const auto& [limit, number] : broken) {
      const bool allowed = std::ranges::find(sweep_.allowed, limit) != sweep_.allowed.end();
      analysis.notes.push_back(fmt::format(
          "{} of {} points that ran {}: {}.", number, which.size(), words_of_limit(limit),
          allowed ? "the sweep's file allows it"
                  : fmt::format("they are in no front; `allow: [{}]` would let them in", limit)));
    }
  }

  static std::string words_of_limit(const std::string& limit) {
    static const std::map<std::string, std::string> kWords{
        {"power", "take more power than the platform's envelope (power)"},
        {"heat_flux", "give off more heat than the cooling carries (heat_flux)"},
        {"die_area", "have a die larger than the reticle (die_area)"},
        {"price", "cost more to make than the platform's price (price)"},
        {"rejected", "rejected requests, so that they did less work than others (rejected)"}};
    const auto found = kWords.find(limit);
    return found != kWords.end() ? found->second : "break the limit " + limit;
  }

  void add_about(SweepAnalysis& analysis, const ObjectiveSensitivity& s) const {
    if (sweep_.design.kind == DesignKind::Saltelli &&
        s.rows < static_cast<std::int64_t>(kLeastRows))
      analysis.notes.push_back(fmt::format(
          "Sensitivity of {}: {} rows of the matrices are complete, {} are needed at least.",
          s.objective, s.rows, kLeastRows));
    if (&s != &analysis.sensitivity.front()) return;  // it is the same for all
    for (std::size_t k = 0; k < s.axes.size(); ++k) {
      if (!s.axes[k].applies_to) continue;
      // A point of a damaged store may lack the value of an axis that applies everywhere.
      const auto& when = sweep_.axes[k].when;
      analysis.notes.push_back(fmt::format(
          "What {} explains is among the {} points where it applies ({}).", s.axes[k].key,
          *s.axes[k].applies_to, when ? when->text() : "the others have no value of it"));
    }
  }

  [[nodiscard]] double value(std::size_t point, std::size_t objective) const {
    const double turned = results_[point].objectives[objective];
    return sweep_.objectives[objective].better == Better::More ? turned : -turned;
  }

  /// It ran and has all objectives; limits do not matter to what explains a figure.
  [[nodiscard]] bool has_result(std::size_t i) const {
    return compared_[i] && !results_[i].objectives.empty();
  }

  /// Rows all of whose points ran.
  [[nodiscard]] ObjectiveSensitivity by_matrices(std::size_t objective) const {
    const std::size_t d = sweep_.axes.size();
    std::set<std::string> names{"A", "B"};
    for (std::size_t k = 0; k < d; ++k) names.insert("AB" + std::to_string(k));
    std::map<std::int64_t, std::map<std::string, double>> rows;
    for (std::size_t i = 0; i < points_.size(); ++i)
      if (has_result(i) && names.contains(points_[i].point.block))
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
    std::vector<std::size_t> which;
    for (std::size_t i = 0; i < points_.size(); ++i)
      if (has_result(i)) which.push_back(i);
    ObjectiveSensitivity out{.objective = sweep_.objectives[objective].name,
                             .method = "variance of the means over an axis' values",
                             .rows = std::ssize(which),
                             .axes = {}};
    for (std::size_t k = 0; k < first_columns_.size(); ++k) {
      // Where an axis does not apply, another one has another value: that is not its effect.
      std::vector<std::size_t> mine = which;
      std::erase_if(mine,
                    [&](std::size_t i) { return !points_[i].point.values[first_columns_[k]]; });
      std::vector<double> figure;
      for (const std::size_t i : mine) figure.push_back(value(i, objective));
      AxisSensitivity& axis = out.axes.emplace_back();
      axis.key = sweep_.axes[k].columns.front().key;
      if (mine.size() >= 2) axis.first = explained_by(bins(mine, k, first_columns_[k]), figure);
      if (mine.size() < which.size()) axis.applies_to = std::ssize(mine);
    }
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
      std::string text = *points_[i].point.values[column];
      // Of keys that change together one alone may have a value several times.
      for (std::size_t c = column + 1; c < column + sweep_.axes[axis].columns.size(); ++c)
        text += '\n' + points_[i].point.values[c].value_or("");
      const ExpressionValue number = value_of_text(text.substr(0, text.find(' ')));  // no unit
      if (!sampled || !std::holds_alternative<double>(number)) {
        bin.push_back(kParts + seen.emplace(text, seen.size()).first->second);
        continue;
      }
      const double at = std::get<double>(number);
      const double u = span->log ? std::log(at / span->low) / std::log(span->high / span->low)
                                 : (at - span->low) / (span->high - span->low);
      constexpr double kLast = static_cast<double>(kParts) - 1;
      const double part = std::floor(u * (kLast + 1));
      // Of a damaged store it may be no number.
      bin.push_back(part > 0 ? static_cast<std::size_t>(std::min(part, kLast)) : 0);
    }
    return bin;
  }

  [[nodiscard]] std::string text_of_objective(std::size_t i, std::size_t objective) const {
    return objective_text(sweep_, results_[i], objective);
  }

  /// Between the first two objectives.
  void add_front_knee(SweepAnalysis& analysis) const {
    // a bend has three points
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
        fmt::format("The front of {} against {} bends at point {}: {} {} with {} {} ({}).",
                    sweep_.objectives[0].name, sweep_.objectives[1].name, points_[i].id,
                    sweep_.objectives[0].name, text_of_objective(i, 0), sweep_.objectives[1].name,
                    text_of_objective(i, 1), axes_text(sweep_, points_[i].point)));
  }

  /// Along every axis of numbers, the others held where the best point has them.
  void add_axis_knees(SweepAnalysis& analysis) const {
    std::vector<std::size_t> all(points_.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    std::erase_if(all, [&](std::size_t i) { return !results_[i].usable; });
    if (all.empty()) return;
    const std::size_t best = *best_of(results_, 0);
    for (std::size_t k = 0; k < sweep_.axes.size(); ++k) {
      const Line line = line_through(best, k, all);
      if (line.points.size() < 2) continue;  // a change has two ends
      std::vector<double> x, y;
      for (const auto& [at, i] : line.points)
        x.push_back(at), y.push_back(results_[i].objectives.front());
      const std::string& figure = sweep_.objectives.front().name;
      if (const auto knee = knee_of(x, y)) {
        const auto at = std::next(line.points.begin(), static_cast<std::ptrdiff_t>(*knee));
        analysis.knees.push_back(fmt::format(
            "Through point {}, the best {}, it bends at {} {}: {} there, {} at {} and {} at {}.",
            points_[best].id, figure, line.key, text_at(line, at->second),
            text_of_objective(at->second, 0), text_of_objective(line.points.begin()->second, 0),
            text_at(line, line.points.begin()->second),
            text_of_objective(line.points.rbegin()->second, 0),
            text_at(line, line.points.rbegin()->second)));
      }
      add_crossings(analysis, line);
      add_plans(analysis, line);
    }
  }

  /// Points that differ in one axis alone, by a number of it.
  struct Line {
    std::string key{};
    std::size_t column = 0;
    std::map<double, std::size_t> points{};
  };
  [[nodiscard]] const std::string& text_at(const Line& line, std::size_t i) const {
    return *points_[i].point.values[line.column];
  }

  [[nodiscard]] Line line_through(std::size_t best, std::size_t axis,
                                  const std::vector<std::size_t>& usable) const {
    const std::size_t first = first_columns_[axis];
    const std::size_t end = first + sweep_.axes[axis].columns.size();
    const auto number = [&](std::size_t i, std::size_t column) -> std::optional<double> {
      const auto& text = points_[i].point.values[column];
      if (!text) return std::nullopt;
      const ExpressionValue at = value_of_text(*text);
      return std::holds_alternative<double>(at) ? std::optional{std::get<double>(at)}
                                                : std::nullopt;
    };
    // Of keys that change together the first that counts something, every time something else.
    const auto columns = columns_of(sweep_);
    const auto places = [&](std::size_t c) {
      const auto& values = columns[c]->values;
      return number(best, c) &&
             (first + 1 == end ||
              std::set<std::string>(values.begin(), values.end()).size() == values.size());
    };
    Line line{.column = first};
    while (line.column < end && !places(line.column)) ++line.column;
    if (line.column == end) return line;
    line.key = columns[line.column]->key;
    for (const std::size_t i : usable) {
      const auto& mine = points_[i].point.values;
      const auto& its = points_[best].point.values;
      bool beside = true;
      for (std::size_t c = 0; c < mine.size(); ++c)
        beside &= (c >= first && c < end) || mine[c] == its[c];
      const auto at = number(i, line.column);
      if (beside && at) line.points[*at] = i;
    }
    return line;
  }

  [[nodiscard]] std::string word_of(std::size_t i, const char* name) const {
    const auto outputs = outputs_of(points_[i].answer);
    const auto found = outputs.find(name);
    const auto* word = found == outputs.end() ? nullptr : std::get_if<std::string>(&found->second);
    return word == nullptr ? std::string{} : *word;
  }

  /// Where another resource takes over.
  void add_crossings(SweepAnalysis& analysis, const Line& line) const {
    for (auto to = std::next(line.points.begin()); to != line.points.end(); ++to) {
      const std::size_t before = std::prev(to)->second, after = to->second;
      const std::string from_limit = word_of(before, "limited_by"),
                        to_limit = word_of(after, "limited_by");
      if (from_limit.empty() || to_limit.empty() || from_limit == to_limit) continue;
      analysis.knees.push_back(fmt::format("Between {} {} and {} the limit changes from {} to {}.",
                                           line.key, text_at(line, before), text_at(line, after),
                                           from_limit, to_limit));
    }
  }

  /// Where the planner takes another plan: a bend there is its doing. Named one by one where the
  /// first objective gets worse, for an estimate chose the plan that the run then did not bear out.
  void add_plans(SweepAnalysis& analysis, const Line& line) const {
    std::vector<std::string> silent;
    for (auto to = std::next(line.points.begin()); to != line.points.end(); ++to) {
      const std::size_t before = std::prev(to)->second, after = to->second;
      const std::string from_plan = word_of(before, "plan"), to_plan = word_of(after, "plan");
      if (from_plan == to_plan) continue;
      if (results_[after].objectives.front() >= results_[before].objectives.front()) {
        silent.push_back(text_at(line, after));
        continue;
      }
      analysis.knees.push_back(fmt::format(
          "Between {} {} and {} the plan changes from {} to {}, and {} goes from {} to {}.",
          line.key, text_at(line, before), text_at(line, after), from_plan, to_plan,
          sweep_.objectives.front().name, text_of_objective(before, 0),
          text_of_objective(after, 0)));
    }
    if (!silent.empty())
      analysis.knees.push_back(
          fmt::format("Along {} the plan also changes at {}.", line.key, fmt::join(silent, ", ")));
  }

  const SweepSpec& sweep_;
  const std::vector<StoredPoint>& points_;
  std::vector<PointResult> results_;
  std::vector<bool> compared_;              ///< it ran by the last of the fidelities
  std::vector<std::size_t> first_columns_;  ///< of the axes; it speaks for those that go with it
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
  constexpr int kResamples = 200;     // chosen: margins want two digits
  constexpr double kNormal95 = 1.96;  // exact to its digits: the normal 97.5 percentile
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
  if (x.size() < 3) return std::nullopt;  // likewise, three points
  const auto [low_y, high_y] = std::ranges::minmax(y);
  const double span_x = x.back() - x.front();
  if (!(span_x > 0) || !(high_y > low_y)) return std::nullopt;
  const double from = (y.front() - low_y) / (high_y - low_y);
  const double to = (y.back() - low_y) / (high_y - low_y);
  constexpr double kBend = 0.05;  // chosen: less is a straight line with noise
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
