// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/design.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "sim/base/error.hpp"
#include "sim/base/rng.hpp"
#include "sim/sweep/sobol_sequence.hpp"

namespace reticle {

namespace {
/// A value per axis, or where it lies along the axis.
using Indices = std::vector<std::size_t>;
using Unit = std::vector<double>;

/// Which value of an axis is reached in which round when each round halves the gaps: the ends, the
/// middle, the quarters, ... [van der Corput 1935]
std::vector<std::size_t> rounds(std::size_t values) {
  std::vector<std::size_t> round(values, 0);
  std::vector<std::pair<std::size_t, std::size_t>> gaps{{0, values - 1}};
  for (std::size_t depth = 1; !gaps.empty(); ++depth) {
    std::vector<std::pair<std::size_t, std::size_t>> smaller;
    for (const auto& [low, high] : gaps) {
      if (high - low < 2) continue;
      const std::size_t middle = low + (high - low) / 2;
      round[middle] = depth;
      smaller.emplace_back(low, middle);
      smaller.emplace_back(middle, high);
    }
    gaps = std::move(smaller);
  }
  return round;
}

class Designer {
 public:
  explicit Designer(const SweepSpec& sweep) : sweep_{sweep} {}

  /// Coarse grids first.
  [[nodiscard]] std::vector<DesignPoint> grid() const {
    std::vector<std::vector<std::size_t>> round_of;
    for (const SweepAxis& axis : sweep_.axes) round_of.push_back(rounds(axis.size()));
    struct Placed {
      std::size_t round;
      DesignPoint point;
    };
    std::vector<Placed> placed;
    std::set<std::vector<std::optional<std::string>>> seen;  // where `when` is false values agree
    Indices at(sweep_.axes.size());
    do {
      std::size_t round = 0;
      for (std::size_t a = 0; a < at.size(); ++a) round = std::max(round, round_of[a][at[a]]);
      DesignPoint point = at_indices(at);
      if (seen.insert(point.values).second) placed.push_back({round, std::move(point)});
    } while (advance(at));
    std::ranges::stable_sort(placed, {}, &Placed::round);
    std::vector<DesignPoint> points;
    for (Placed& p : placed) points.push_back(std::move(p.point));
    return points;
  }

  /// Every axis in as many layers as points, one point in each [McKay+ 1979].
  [[nodiscard]] std::vector<DesignPoint> latin_hypercube(std::int64_t count) const {
    std::vector<DesignPoint> points;
    for (const Unit& u : hypercube(count)) points.push_back(at_unit(u));
    return points;
  }

  [[nodiscard]] std::vector<DesignPoint> sobol(std::int64_t count) const {
    const SobolSequence sequence{sweep_.axes.size()};
    std::vector<DesignPoint> points;
    for (std::int64_t i = 0; i < count; ++i)
      points.push_back(at_unit(sequence.point(static_cast<std::uint64_t>(i))));
    return points;
  }

  /// Rows of two matrices A and B, and of A with one column of B [Saltelli+ CPC'10].
  [[nodiscard]] std::vector<DesignPoint> saltelli(std::int64_t rows) const {
    const std::size_t d = sweep_.axes.size();
    const SobolSequence sequence{2 * d};
    std::vector<DesignPoint> points;
    const auto add = [&](const Unit& u, std::string block, std::int64_t row) {
      points.push_back(at_unit(u));
      points.back().block = std::move(block);
      points.back().row = row;
    };
    for (std::int64_t row = 0; row < rows; ++row) {
      const Unit both = sequence.point(static_cast<std::uint64_t>(row));
      const Unit a(both.begin(), both.begin() + static_cast<std::ptrdiff_t>(d));
      const Unit b(both.begin() + static_cast<std::ptrdiff_t>(d), both.end());
      add(a, "A", row);
      add(b, "B", row);
      for (std::size_t i = 0; i < d; ++i) {
        Unit mixed = a;
        mixed[i] = b[i];
        add(mixed, "AB" + std::to_string(i), row);
      }
    }
    return points;
  }

  /// The next round of a search for the front within a budget: first a hypercube of a quarter of
  /// it, then untried neighbours of the front, or any points where there are none left.
  [[nodiscard]] std::vector<DesignPoint> search(const std::vector<DesignPoint>& done,
                                                const std::vector<PointResult>& results) const {
    const std::int64_t left = sweep_.design.points - std::ssize(done);
    if (left <= 0) return {};
    std::map<std::vector<std::optional<std::string>>, bool> tried;
    for (const DesignPoint& point : done) tried[point.values] = true;
    std::vector<DesignPoint> found;
    const auto take = [&](const Indices& at, std::int64_t most) {
      DesignPoint point = at_indices(at);
      if (std::ssize(found) < most && tried.emplace(point.values, true).second)
        found.push_back(std::move(point));
    };
    // Chosen: a quarter of the points first, an eighth a round, four at least.
    constexpr std::int64_t kParts = 4, kRoundParts = 8, kLeast = 4;
    if (done.empty()) {
      const std::int64_t first = std::min(left, std::max(kLeast, sweep_.design.points / kParts));
      for (const Unit& u : hypercube(first)) take(indices_of(u), first);
      return found;
    }
    const std::int64_t most = std::min(left, std::max(kLeast, sweep_.design.points / kRoundParts));
    RngStream rng{sweep_.design.seed, "sweep/search" + std::to_string(done.size())};
    std::vector<Indices> near = neighbours(done, results);
    shuffle(near, rng);
    for (const Indices& at : near) take(at, most);
    if (found.empty()) add_untried(rng, tried, most, found);
    return found;
  }

  /// The best of what roofline says, by the first objective.
  [[nodiscard]] std::vector<DesignPoint> survivors(const std::vector<DesignPoint>& done,
                                                   const std::vector<PointResult>& results) const {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < results.size(); ++i)
      if (results[i].usable) order.push_back(i);
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
      return results[a].objectives.front() > results[b].objectives.front();
    });
    order.resize(std::min(order.size(), static_cast<std::size_t>(sweep_.halving->keep)));
    std::vector<DesignPoint> points;
    for (const std::size_t i : order) {
      points.push_back(done[i]);
      points.back().fidelity = *sweep_.base.fidelity;
    }
    return points;
  }

 private:
  [[nodiscard]] bool advance(Indices& at) const {
    for (std::size_t a = at.size(); a-- > 0;) {
      if (++at[a] < sweep_.axes[a].size()) return true;
      at[a] = 0;
    }
    return false;
  }

  template <class T>
  static void shuffle(std::vector<T>& items, RngStream& rng) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[rng.below(i)]);
  }

  [[nodiscard]] std::vector<Unit> hypercube(std::int64_t count) const {
    const auto n = static_cast<std::size_t>(count);
    std::vector<Unit> points(n, Unit(sweep_.axes.size()));
    for (std::size_t a = 0; a < sweep_.axes.size(); ++a) {
      RngStream rng{sweep_.design.seed, "sweep/axis" + std::to_string(a)};
      std::vector<std::size_t> layer(n);
      std::iota(layer.begin(), layer.end(), std::size_t{0});
      shuffle(layer, rng);
      for (std::size_t i = 0; i < n; ++i)
        points[i][a] = (static_cast<double>(layer[i]) + rng.uniform()) / static_cast<double>(n);
    }
    return points;
  }

  [[nodiscard]] static std::size_t index_of(double u, std::size_t size) {
    return std::min(size - 1, static_cast<std::size_t>(u * static_cast<double>(size)));
  }
  [[nodiscard]] Indices indices_of(const Unit& u) const {
    Indices at;
    for (std::size_t a = 0; a < u.size(); ++a) at.push_back(index_of(u[a], sweep_.axes[a].size()));
    return at;
  }

  /// `value(axis, column)` where the axis applies.
  template <class Value>
  [[nodiscard]] DesignPoint point_with(Value value) const {
    DesignPoint point;
    point.fidelity = sweep_.halving ? "roofline" : *sweep_.base.fidelity;
    std::map<std::string, std::string> known;
    const NameLookup lookup = [&](const std::string& name) -> std::optional<ExpressionValue> {
      const auto found = known.find(name);
      if (found == known.end()) return std::nullopt;
      return value_of_text(found->second);
    };
    for (std::size_t a = 0; a < sweep_.axes.size(); ++a) {
      const SweepAxis& axis = sweep_.axes[a];
      const bool applies = !axis.when || axis.when->number(lookup).value_or(0) != 0;
      for (const SweepColumn& column : axis.columns) {
        point.values.push_back(applies ? std::optional{value(a, column)} : std::nullopt);
        if (applies) known[column.key] = *point.values.back();
      }
    }
    return point;
  }
  [[nodiscard]] DesignPoint at_indices(const Indices& at) const {
    return point_with(
        [&](std::size_t axis, const SweepColumn& column) { return column.values[at[axis]]; });
  }
  [[nodiscard]] DesignPoint at_unit(const Unit& u) const {
    return point_with([&](std::size_t a, const SweepColumn& column) {
      const SweepAxis& axis = sweep_.axes[a];
      return axis.span ? text_of(*axis.span, value_at(*axis.span, u[a]))
                       : column.values[index_of(u[a], axis.size())];
    });
  }

  /// One step along one axis from a point of the front.
  [[nodiscard]] std::vector<Indices> neighbours(const std::vector<DesignPoint>& done,
                                                const std::vector<PointResult>& results) const {
    std::set<Indices> near;
    for (const std::size_t best : pareto_front(results)) {
      const Indices at = where(done[best]);
      for (std::size_t a = 0; a < at.size(); ++a) {
        Indices beside = at;
        if (at[a] > 0) --beside[a], near.insert(beside);
        beside = at;
        if (at[a] + 1 < sweep_.axes[a].size()) ++beside[a], near.insert(beside);
      }
    }
    return {near.begin(), near.end()};
  }
  [[nodiscard]] Indices where(const DesignPoint& point) const {
    Indices at;
    std::size_t column = 0;
    for (const SweepAxis& axis : sweep_.axes) {
      const auto& values = axis.columns.front().values;
      const auto& mine = point.values[column];
      at.push_back(
          mine ? static_cast<std::size_t>(std::ranges::find(values, *mine) - values.begin()) : 0);
      column += axis.columns.size();
    }
    return at;
  }

  template <class Tried>
  void add_untried(RngStream& rng, Tried& tried, std::int64_t most,
                   std::vector<DesignPoint>& found) const {
    // What is left of a nearly complete grid is found by going through it.
    std::vector<DesignPoint> all = grid();
    shuffle(all, rng);
    for (DesignPoint& point : all)
      if (std::ssize(found) < most && tried.emplace(point.values, true).second)
        found.push_back(std::move(point));
  }

  const SweepSpec& sweep_;
};

bool dominates(const PointResult& a, const PointResult& b) {
  bool better = false;
  for (std::size_t o = 0; o < a.objectives.size(); ++o) {
    if (a.objectives[o] < b.objectives[o]) return false;
    better |= a.objectives[o] > b.objectives[o];
  }
  return better;
}
}  // namespace

std::vector<const SweepColumn*> columns_of(const SweepSpec& sweep) {
  std::vector<const SweepColumn*> columns;
  for (const SweepAxis& axis : sweep.axes)
    for (const SweepColumn& column : axis.columns) columns.push_back(&column);
  return columns;
}

std::vector<DesignPoint> next_points(const SweepSpec& sweep, const std::vector<DesignPoint>& done,
                                     const std::vector<PointResult>& results) {
  invariant(done.size() == results.size(), "a result for every point");
  const Designer designer{sweep};
  if (sweep.design.kind == DesignKind::Pareto) return designer.search(done, results);
  if (!done.empty()) {
    const bool again = sweep.halving && done.back().fidelity == "roofline";
    return again ? designer.survivors(done, results) : std::vector<DesignPoint>{};
  }
  switch (sweep.design.kind) {
    case DesignKind::LatinHypercube:
      return designer.latin_hypercube(sweep.design.points);
    case DesignKind::Sobol:
      return designer.sobol(sweep.design.points);
    case DesignKind::Saltelli:
      return designer.saltelli(sweep.design.points);
    default:
      return designer.grid();
  }
}

std::vector<std::size_t> pareto_front(const std::vector<PointResult>& results) {
  // In the order of the first objective, whoever is dominated is so by one of the front so far.
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < results.size(); ++i)
    if (results[i].usable) order.push_back(i);
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return results[a].objectives > results[b].objectives;
  });
  std::vector<std::size_t> front;
  for (const std::size_t i : order)
    if (std::ranges::none_of(front,
                             [&](std::size_t f) { return dominates(results[f], results[i]); }))
      front.push_back(i);
  std::ranges::sort(front);
  return front;
}

}  // namespace reticle
