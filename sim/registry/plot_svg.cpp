// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/plot_svg.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "sim/html/html.hpp"
#include "sim/registry/number_text.hpp"

namespace reticle {

namespace {
constexpr double kWidth = 720, kLeft = 230, kRight = 24, kTop = 28, kRow = 22, kAxis = 34;
constexpr double kLogFrom = 5;  // ranges that span more than this factor get a logarithmic axis
constexpr std::size_t kMarks = 6;

struct Axis {
  double low = 0, high = 1;
  bool log = false;

  [[nodiscard]] double at(double figure) const {
    const auto map = [&](double x) { return log ? std::log10(std::max(x, low)) : x; };
    const double share = (map(figure) - map(low)) / (map(high) - map(low));
    return kLeft + std::clamp(share, 0.0, 1.0) * (kWidth - kLeft - kRight);
  }
};

/// The least and greatest of figures and claim.
std::optional<std::pair<double, double>> extent_of(const TestResult& result) {
  std::optional<std::pair<double, double>> extent;
  const auto add = [&](double figure) {
    if (!extent) extent = {figure, figure};
    extent->first = std::min(extent->first, figure);
    extent->second = std::max(extent->second, figure);
  };
  for (const TestedPoint& point : result.points)
    for (const Comparand& comparand : point.treatments)
      if (comparand.figure) add(*comparand.figure);
  if (!extent) return std::nullopt;
  if (!result.test.claim.empty()) {
    add(result.test.claimed.low);
    add(result.test.claimed.high);
  }
  return extent;
}

Axis axis_for(const TestResult& result, std::pair<double, double> extent) {
  const auto [low, high] = extent;
  if (low > 0 && high / low > kLogFrom)
    return {std::pow(10, std::floor(std::log10(low))), std::pow(10, std::ceil(std::log10(high))),
            true};
  const bool about_one = result.test.form == Form::Ratio && low > 0;
  const double pad = std::max(0.08 * (high - low), 0.02 * std::abs(high));
  return {about_one ? std::min(low - pad, 0.98) : low - pad, high + pad, false};
}

std::vector<double> ticks_of(const Axis& axis) {
  std::vector<double> ticks;
  if (axis.log) {
    for (double decade = axis.low; decade <= axis.high * 1.001; decade *= 10)
      for (const double step : {1.0, 2.0, 5.0})
        if (decade * step <= axis.high * 1.001) ticks.push_back(decade * step);
    return ticks;
  }
  constexpr double kWanted = 6;
  const double rough = (axis.high - axis.low) / kWanted;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double step = power * (rough / power < 2 ? 2 : rough / power < 5 ? 5 : 10);
  for (double tick = std::ceil(axis.low / step) * step; tick <= axis.high; tick += step)
    ticks.push_back(std::abs(tick) < step / 1e6 ? 0 : tick);
  return ticks;
}

/// Told apart by shape as well as by colour.
std::string mark(std::size_t which, double x, double y, const std::string& title) {
  const std::string label = "<title>" + escaped(title) + "</title>";
  const std::string kind = fmt::format("class=\"mark m{}\"", which % kMarks);
  switch (which % 3) {
    case 0:
      return fmt::format("<circle {} cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\">{}</circle>\n", kind, x, y,
                         label);
    case 1:
      return fmt::format("<rect {} x=\"{:.1f}\" y=\"{:.1f}\" width=\"9\" height=\"9\">{}</rect>\n",
                         kind, x - 4.5, y - 4.5, label);
    default:
      return fmt::format("<path {} d=\"M{:.1f} {:.1f}l5.5 9.5h-11z\">{}</path>\n", kind, x, y - 6,
                         label);
  }
}

std::string text_at(double x, double y, std::string_view anchor, const std::string& text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                     escaped(text));
}

std::string scale(const Axis& axis, double bottom) {
  std::string out;
  for (const double tick : ticks_of(axis)) {
    const double x = axis.at(tick);
    out += fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2:.1f}\"/>\n", x, kTop,
        bottom);
    out += text_at(x, bottom + 14, "middle", figure_text(tick));
  }
  return out;
}

std::string band(const TestResult& result, const Axis& axis, double bottom) {
  if (result.test.claim.empty()) return {};
  const ClaimedRange& claimed = result.test.claimed;
  const double from = axis.at(claimed.low),
               to = claimed.at_least ? kWidth - kRight : axis.at(claimed.high);
  return fmt::format(
      "<rect class=\"claim\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{:.1f}\"><title>"
      "claimed: {}</title></rect>\n",
      from - 1, kTop, std::max(2.0, to - from + 2), bottom - kTop,
      escaped(claim_text(result.test)));
}

std::string row_label(const TestedPoint& point, const ClaimTest& test) {
  constexpr std::size_t kMost = 34;
  std::vector<std::string> parts;
  for (std::size_t a = 0; a < point.labels.size(); ++a)
    parts.push_back(test.conditions.size() > 2 ? point.labels[a]
                                               : test.conditions[a].name + " " + point.labels[a]);
  std::string label = fmt::format("{}", fmt::join(parts, ", "));
  return label.size() > kMost ? label.substr(0, kMost - 1) + "…" : label;
}

std::string legend(const ClaimTest& test, double y) {
  std::string out;
  double x = kLeft;
  for (std::size_t t = 0; t < test.treatments.size(); ++t) {
    constexpr double kPerLetter = 7.2;
    out += mark(t, x + 5, y - 4, test.treatments[t].what);
    out += text_at(x + 15, y, "start", test.treatments[t].name);
    x += 34 + kPerLetter * static_cast<double>(test.treatments[t].name.size());
  }
  return out;
}
}  // namespace

std::string plot_svg(const TestResult& result) {
  const auto extent = extent_of(result);
  if (!extent) return {};
  const ClaimTest& test = result.test;
  const Axis axis = axis_for(result, *extent);
  const double bottom = kTop + kRow * static_cast<double>(result.points.size());
  std::string out = fmt::format(
      "<svg class=\"plot\" viewBox=\"0 0 {} {:.0f}\" role=\"img\" aria-label=\"{}\">\n", kWidth,
      bottom + kAxis,
      escaped(fmt::format(
          "{}: simulated {}, claimed {}; the table below has every figure.", test.title,
          range_text(result.overall.low, result.overall.high, unit_of(test)), claim_text(test))));
  out += band(result, axis, bottom) + scale(axis, bottom) + legend(test, kTop - 10);
  double y = kTop + kRow / 2;
  for (const TestedPoint& point : result.points) {
    const std::string label = row_label(point, test);
    out += text_at(kLeft - 8, y + 4, "end", label);
    for (std::size_t t = 0; t < point.treatments.size(); ++t)
      if (const auto& figure = point.treatments[t].figure)
        out += mark(t, axis.at(*figure), y,
                    fmt::format("{}, {}: {} {}", label, test.treatments[t].name,
                                figure_text(figure), unit_of(test)));
    y += kRow;
  }
  out += text_at(kWidth - kRight, bottom + 29, "end",
                 fmt::format("{} ({}{})", test.metric.title, unit_of(test),
                             test.form == Form::Figure ? "" : " against the baseline"));
  return out + "</svg>\n";
}

}  // namespace reticle
