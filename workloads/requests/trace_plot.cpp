// SPDX-License-Identifier: Apache-2.0
#include "workloads/requests/trace_plot.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

namespace reticle {

namespace {

constexpr double kWidth = 760;
constexpr double kPanelHeight = 220;
constexpr double kLeft = 70;
constexpr double kRight = 20;
constexpr double kTop = 34;     // of a panel, above its plot
constexpr double kBottom = 46;  // of a panel, below its plot
constexpr double kTitle = 30;
constexpr double kBinsPerDecade = 20;

std::string number(double value) {
  std::array<char, 32> digits{};
  const auto [end, error] =
      std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed,
                    value == std::floor(value) ? 0 : 2);
  return {digits.data(), end};
}

/// 1500 -> "1.5 k"; three digits at most.
std::string short_number(double value) {
  std::array<char, 32> digits{};
  std::string_view unit;
  if (value >= 1e6) {
    value /= 1e6;
    unit = " M";
  } else if (value >= 1e3) {
    value /= 1e3;
    unit = " k";
  }
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value,
                                          std::chars_format::general, 3);
  return std::string{digits.data(), end}.append(unit);
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '<') {
      result += "&lt;";
    } else if (c == '>') {
      result += "&gt;";
    } else if (c == '&') {
      result += "&amp;";
    } else if (static_cast<unsigned char>(c) >= 0x20) {
      result += c;
    }
  }
  return result;
}

struct Bar {
  double from;  ///< along the axis, 0 to 1
  double to;
  double height;
};

struct Tick {
  double at;  ///< along the axis, 0 to 1
  std::string label;
};

struct Panel {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<Bar> bars;
  std::vector<Tick> ticks;
};

/// A round step that makes three to six of `most`.
double round_step(double most) {
  const double power = std::pow(10.0, std::floor(std::log10(std::max(most, 1e-9))));
  for (const double step : {0.2, 0.5, 1.0, 2.0})
    if (most / (step * power) <= 6.0) return step * power;
  return 5.0 * power;
}

class Svg {
 public:
  void text(double x, double y, std::string_view anchor, double size, std::string_view content) {
    out_ += "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" +
            std::string{anchor} + "\" font-size=\"" + number(size) + "\">" + escaped(content) +
            "</text>\n";
  }
  void line(double x1, double y1, double x2, double y2, std::string_view colour) {
    out_ += "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) +
            "\" y2=\"" + number(y2) + "\" stroke=\"" + std::string{colour} + "\"/>\n";
  }
  void rect(double x, double y, double width, double height, std::string_view colour) {
    out_ += "<rect x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" + number(width) +
            "\" height=\"" + number(height) + "\" fill=\"" + std::string{colour} + "\"/>\n";
  }
  void panel(const Panel& panel, double top);
  [[nodiscard]] std::string finish(double height) const {
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(kWidth) + "\" height=\"" +
           number(height) + "\" viewBox=\"0 0 " + number(kWidth) + " " + number(height) +
           "\" font-family=\"sans-serif\" fill=\"#222\">\n<rect width=\"100%\" height=\"100%\" "
           "fill=\"#fff\"/>\n" +
           out_ + "</svg>\n";
  }

 private:
  std::string out_;
};

void Svg::panel(const Panel& panel, double top) {
  const double width = kWidth - kLeft - kRight;
  const double height = kPanelHeight - kTop - kBottom;
  const double base = top + kTop + height;
  double most = 0.0;
  for (const Bar& bar : panel.bars) most = std::max(most, bar.height);
  if (most <= 0.0) most = 1.0;
  const double step = round_step(most);
  text(kLeft, top + kTop - 14, "start", 13, panel.title);
  text(kWidth - kRight, top + kTop - 14, "end", 11, panel.y_label);
  for (double value = 0.0; value <= most * 1.0001; value += step) {
    const double y = base - value / most * height;
    line(kLeft, y, kWidth - kRight, y, "#ddd");
    text(kLeft - 6, y + 4, "end", 11, short_number(value));
  }
  for (const Bar& bar : panel.bars) {
    if (bar.height <= 0.0) continue;
    const double tall = std::max(bar.height / most * height, 0.5);  // one request stays visible
    rect(kLeft + bar.from * width, base - tall, std::max((bar.to - bar.from) * width, 0.6), tall,
         "#3b6ea5");
  }
  line(kLeft, base, kWidth - kRight, base, "#222");
  for (const Tick& tick : panel.ticks) {
    const double x = kLeft + tick.at * width;
    line(x, base, x, base + 4, "#222");
    text(x, base + 17, "middle", 11, tick.label);
  }
  text(kLeft + width / 2, base + 35, "middle", 12, panel.x_label);
}

Panel lengths_panel(const LengthHistogram& lengths, std::string title, std::string x_label) {
  const double decades =
      std::max(1.0, std::ceil(std::log10(static_cast<double>(lengths.max()) + 1.0) - 1e-9));
  std::vector<double> bins(static_cast<std::size_t>(decades * kBinsPerDecade));
  lengths.each([&](std::int64_t length, std::int64_t count) {
    const double at = std::log10(static_cast<double>(length)) * kBinsPerDecade;
    bins[std::min(static_cast<std::size_t>(at), bins.size() - 1)] += static_cast<double>(count);
  });
  Panel panel{std::move(title), std::move(x_label), "share of requests (%)", {}, {}};
  const double all = static_cast<double>(std::max<std::int64_t>(lengths.count(), 1));
  const double size = static_cast<double>(bins.size());
  for (std::size_t i = 0; i < bins.size(); ++i)
    panel.bars.push_back(
        {static_cast<double>(i) / size, static_cast<double>(i + 1) / size, 100.0 * bins[i] / all});
  for (int decade = 0; decade <= static_cast<int>(decades); ++decade)
    panel.ticks.push_back({decade / decades, short_number(std::pow(10.0, decade))});
  return panel;
}

Panel arrivals_panel(const ArrivalProfile& arrivals) {
  const auto& counts = arrivals.counts();
  const double width_s = seconds(arrivals.width());
  // Few bars are read more easily than a thousand.
  const std::size_t group = (counts.size() + 199) / 200;
  const double span_s = width_s * static_cast<double>(counts.size());
  Panel panel{"Arrivals",
              "time (s)",
              "requests/s, mean over " + short_number(width_s * static_cast<double>(group)) + " s",
              {},
              {}};
  for (std::size_t i = 0; i < counts.size(); i += group) {
    const std::size_t end = std::min(i + group, counts.size());
    double sum = 0.0;
    for (std::size_t j = i; j < end; ++j) sum += static_cast<double>(counts[j]);
    const double size = static_cast<double>(counts.size());
    panel.bars.push_back({static_cast<double>(i) / size, static_cast<double>(end) / size,
                          sum / (width_s * static_cast<double>(end - i))});
  }
  const double step = round_step(span_s);
  for (double at = 0.0; at <= span_s * 1.0001; at += step)
    panel.ticks.push_back({at / span_s, short_number(at)});
  return panel;
}

}  // namespace

std::string trace_svg(const TraceStatistics& trace, std::string_view title) {
  Svg svg;
  svg.text(kLeft, 22, "start", 15, title);
  svg.panel(lengths_panel(trace.input(), "Prompts", "prompt length (tokens)"), kTitle);
  svg.panel(lengths_panel(trace.output(), "Answers", "answer length (tokens)"),
            kTitle + kPanelHeight);
  svg.panel(arrivals_panel(trace.arrivals()), kTitle + 2 * kPanelHeight);
  return svg.finish(kTitle + 3 * kPanelHeight);
}

}  // namespace reticle
