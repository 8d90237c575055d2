// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/graph_svg.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "sim/html/html.hpp"
#include "sim/registry/entry_id.hpp"

namespace reticle {

namespace {
constexpr double kNodeWidth = 190, kNodeHeight = 58, kColumnGap = 110, kRowGap = 26, kMargin = 24;
constexpr std::size_t kLineLetters = 26, kLines = 2;

struct Point {
  double x = 0, y = 0;
};

bool alone(const GraphNode& node) { return node.needs.empty() && node.unlocks.empty(); }

/// Columns by level, in order of number; what stands alone in rows below.
class Layout {
 public:
  explicit Layout(const DependencyGraph& graph) {
    std::map<int, int> rows;
    int columns = 1;
    for (const GraphNode& node : graph.nodes()) {
      if (alone(node)) continue;
      place(node.id, node.level, rows[node.level]++);
      columns = std::max(columns, node.level + 1);
    }
    int deepest = 0;
    for (const auto& [level, count] : rows) deepest = std::max(deepest, count);
    int left = 0;
    for (const GraphNode& node : graph.nodes()) {
      if (!alone(node)) continue;
      place(node.id, left % columns, deepest + left / columns, deepest > 0 ? kRowGap : 0);
      ++left;
    }
    width_ = 2 * kMargin + columns * kNodeWidth + (columns - 1) * kColumnGap;
    for (const auto& [id, point] : at_)
      height_ = std::max(height_, point.y + kNodeHeight + kMargin);
  }
  [[nodiscard]] const Point& at(const std::string& id) const { return at_.at(id); }
  [[nodiscard]] double width() const { return width_; }
  [[nodiscard]] double height() const { return height_; }

 private:
  void place(const std::string& id, int column, int row, double down = 0) {
    at_[id] = {kMargin + column * (kNodeWidth + kColumnGap),
               kMargin + row * (kNodeHeight + kRowGap) + down};
  }
  std::map<std::string, Point> at_;
  double width_ = 0, height_ = 0;
};

/// Words on as many lines as a node has; the last one is cut.
std::vector<std::string> wrapped(const std::string& text) {
  std::vector<std::string> lines{""};
  std::istringstream words{text};
  for (std::string word; words >> word;) {
    if (!lines.back().empty() && lines.back().size() + 1 + word.size() > kLineLetters) {
      if (lines.size() == kLines) {
        lines.back() += " …";
        return lines;
      }
      lines.emplace_back();
    }
    lines.back() += (lines.back().empty() ? "" : " ") + word;
  }
  return lines;
}

std::string node_svg(const GraphNode& node, const Point& at, const std::string& link_prefix) {
  const std::string said = fmt::format(
      "{}: {}. Depends on {}. Unlocks {}.", node.id, node.name,
      node.needs.empty() ? "nothing" : fmt::format("{}", fmt::join(node.needs, ", ")),
      node.unlocks.empty() ? "nothing" : fmt::format("{}", fmt::join(node.unlocks, ", ")));
  std::string out = fmt::format(
      "<a href=\"{}{}\" id=\"node-{}\" data-needs=\"{}\" data-unlocks=\"{}\" aria-label=\"{}\">"
      "<rect x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.0f}\" height=\"{:.0f}\" rx=\"6\"/>"
      "<text x=\"{:.0f}\" y=\"{:.0f}\" font-weight=\"bold\">{} · priority {}</text>",
      link_prefix, entry_page_name(node.id), node.id, fmt::join(node.needs, " "),
      fmt::join(node.unlocks, " "), escaped(said), at.x, at.y, kNodeWidth, kNodeHeight, at.x + 9,
      at.y + 18, node.id, node.priority);
  double y = at.y + 34;
  for (const std::string& line : wrapped(node.name)) {
    out += fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\">{}</text>", at.x + 9, y, escaped(line));
    y += 15;
  }
  return out + "</a>\n";
}

/// From what is depended on to what depends on it.
std::string edge_svg(const std::string& from, const std::string& to, const Layout& layout,
                     bool circle) {
  const Point a = layout.at(from), b = layout.at(to);
  std::string path;
  if (circle) {
    // Two entries of one column: an arc on the left for one way, on the right for the other.
    const bool down = a.y < b.y;
    const double x = down ? a.x + kNodeWidth : a.x, bend = down ? 42 : -20;
    path = fmt::format("M{:.0f} {:.0f}C{:.0f} {:.0f} {:.0f} {:.0f} {:.0f} {:.0f}", x,
                       a.y + kNodeHeight / 2, x + bend, a.y + kNodeHeight / 2, x + bend,
                       b.y + kNodeHeight / 2, x + (down ? 5 : -5), b.y + kNodeHeight / 2);
  } else {
    const double x = a.x + kNodeWidth, middle = (x + b.x) / 2;
    path = fmt::format("M{:.0f} {:.0f}C{:.0f} {:.0f} {:.0f} {:.0f} {:.0f} {:.0f}", x,
                       a.y + kNodeHeight / 2, middle, a.y + kNodeHeight / 2, middle,
                       b.y + kNodeHeight / 2, b.x - 5, b.y + kNodeHeight / 2);
  }
  return fmt::format(
      "<path class=\"edge{}\" data-from=\"{}\" data-to=\"{}\" marker-end=\"url(#arrow)\" "
      "d=\"{}\"/>\n",
      circle ? " circle" : "", from, to, path);
}

bool in_one_circle(const DependencyGraph& graph, const std::string& a, const std::string& b) {
  return std::ranges::any_of(graph.circles(), [&](const auto& circle) {
    return std::ranges::count(circle, a) > 0 && std::ranges::count(circle, b) > 0;
  });
}
}  // namespace

std::string entry_page_name(const std::string& id) {
  return fmt::format("b{:02}.html", id_number(id).value_or(0));
}

std::string graph_svg(const DependencyGraph& graph, const std::string& link_prefix) {
  const Layout layout{graph};
  std::string out = fmt::format(
      "<svg class=\"graph\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"group\" aria-label=\"Dependency "
      "graph: an arrow leads from an entry to those that depend on it\">\n"
      "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" "
      "markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n",
      layout.width(), layout.height());
  for (const GraphNode& node : graph.nodes())
    for (const std::string& need : node.needs)
      out += edge_svg(need, node.id, layout, in_one_circle(graph, need, node.id));
  for (const GraphNode& node : graph.nodes())
    out += node_svg(node, layout.at(node.id), link_prefix);
  return out + "</svg>\n";
}

}  // namespace reticle
