// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/best_points.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "sim/config/sweep_figures.hpp"
#include "sim/sweep/point_values.hpp"

namespace reticle {

namespace {
/// All digits before the point, and four in all at least: "22,044", "0.9415".
std::string number_text(double value) {
  constexpr double kWhole = 1000, kLong = 1e15;  // four digits; what a double has exactly
  const double size = std::abs(value);
  if (size < kWhole || !(size < kLong)) return fmt::format("{:.4g}", value);
  std::string text = fmt::format("{:.0f}", value);
  constexpr int kGroup = 3;  // digits between commas
  for (auto i = std::ssize(text) - kGroup; i > (value < 0 ? 1 : 0); i -= kGroup)
    text.insert(static_cast<std::size_t>(i), 1, ',');
  return text;
}

std::string_view unit_of(const SweepObjective& objective) {
  const SweepFigure* figure = find_sweep_figure(objective.name);
  return figure == nullptr ? std::string_view{} : figure->unit;
}

/// The last part of a key where no other key of the sweep ends alike: tables are narrow.
std::string short_key(const SweepSpec& sweep, const std::string& key) {
  const auto last = [](const std::string& k) { return k.substr(k.rfind('.') + 1); };
  const auto alike = std::ranges::count_if(
      columns_of(sweep), [&](const SweepColumn* c) { return last(c->key) == last(key); });
  return alike > 1 ? key : last(key);
}
}  // namespace

std::string figure_text(double value, std::string_view unit) {
  if (unit == "B" || unit == "B/s") {
    constexpr std::array<std::pair<double, char>, 5> kPrefixes{
        {{1e15, 'P'}, {1e12, 'T'}, {1e9, 'G'}, {1e6, 'M'}, {1e3, 'k'}}};
    for (const auto& [factor, prefix] : kPrefixes)
      if (std::abs(value) >= factor)
        return fmt::format("{:.4g} {}{}", value / factor, prefix, unit);
  }
  return number_text(value) + (unit.empty() ? "" : " ") + std::string{unit};
}

std::string objective_text(const SweepSpec& sweep, const PointResult& result,
                           std::size_t objective) {
  const SweepObjective& o = sweep.objectives[objective];
  const double turned = result.objectives[objective];
  return figure_text(o.better == Better::More ? turned : -turned, unit_of(o));
}

std::string axes_text(const SweepSpec& sweep, const DesignPoint& point) {
  std::string text;
  const auto columns = columns_of(sweep);
  for (std::size_t c = 0; c < columns.size(); ++c)
    if (point.values[c])
      text += (text.empty() ? "" : ", ") + columns[c]->key + " " + *point.values[c];
  return text;
}

std::optional<std::size_t> best_of(const std::vector<PointResult>& results, std::size_t objective) {
  // That objective first, then all in their order.
  const auto better = [&](const std::vector<double>& a, const std::vector<double>& b) {
    return a[objective] != b[objective] ? a[objective] > b[objective] : a > b;
  };
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < results.size(); ++i)
    if (results[i].usable && (!best || better(results[i].objectives, results[*best].objectives)))
      best = i;
  return best;
}

std::vector<std::string> best_sentences(const SweepSpec& sweep,
                                        const std::vector<StoredPoint>& points,
                                        const std::vector<PointResult>& results) {
  std::vector<PointResult> last = results;
  for (std::size_t i = 0; i < last.size(); ++i)
    last[i].usable &= points[i].point.fidelity == *sweep.base.fidelity;
  std::vector<std::string> sentences;
  for (std::size_t o = 0; o < sweep.objectives.size(); ++o) {
    const auto best = best_of(last, o);
    if (!best) break;
    std::string text = fmt::format("Best {} within limits: {} at point {} ({})",
                                   sweep.objectives[o].name, objective_text(sweep, last[*best], o),
                                   points[*best].id, axes_text(sweep, points[*best].point));
    std::string between = ", with ";
    for (std::size_t other = 0; other < sweep.objectives.size(); ++other)
      if (other != o) {
        text += between + sweep.objectives[other].name + " " +
                objective_text(sweep, last[*best], other);
        between = ", ";
      }
    sentences.push_back(text + ".");
  }
  return sentences;
}

std::size_t front_order(const SweepSpec& sweep) {
  for (const char* price : {"usd_per_m_tokens", "capex"})
    for (std::size_t o = 0; o < sweep.objectives.size(); ++o)
      if (sweep.objectives[o].name == price) return o;
  return 0;
}

std::string front_table(const SweepSpec& sweep, const std::vector<StoredPoint>& points,
                        const std::vector<std::int64_t>& front, std::size_t most) {
  std::vector<std::vector<std::string>> rows{{"point"}};
  const auto columns = columns_of(sweep);
  for (const SweepColumn* column : columns) rows[0].push_back(short_key(sweep, column->key));
  for (const SweepObjective& o : sweep.objectives)
    rows[0].push_back(unit_of(o).empty() ? o.name : fmt::format("{} [{}]", o.name, unit_of(o)));
  // Both ends, and what lies evenly between them.
  std::set<std::size_t> shown;
  const std::size_t wanted = std::min(most, front.size());
  for (std::size_t i = 0; i < wanted; ++i)
    shown.insert(wanted == 1 ? 0 : i * (front.size() - 1) / (wanted - 1));
  for (const std::size_t at : shown) {
    const auto found = std::ranges::find(points, front[at], &StoredPoint::id);
    if (found == points.end()) continue;
    std::vector<std::string>& row = rows.emplace_back();
    row.push_back(std::to_string(found->id));
    for (const auto& value : found->point.values) row.push_back(value.value_or("-"));
    const PointResult result = result_of(sweep, found->point, found->answer);
    for (std::size_t o = 0; o < result.objectives.size(); ++o) {
      const double turned = result.objectives[o];
      row.push_back(number_text(sweep.objectives[o].better == Better::More ? turned : -turned));
    }
  }
  std::vector<std::size_t> width(rows[0].size());
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) width[c] = std::max(width[c], row[c].size());
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) text += fmt::format("  {:>{}}", row[c], width[c]);
    text += '\n';
  }
  return text;
}

}  // namespace reticle
