// SPDX-License-Identifier: Apache-2.0
// Units of an expression: what is compared and added has to count the same.
#include <map>

#include "sim/config/expression.hpp"

namespace reticle {

namespace {
using Kind = NumberUnit::Kind;

/// Seconds of a unit of time; nullopt: it is none.
std::optional<double> seconds_of(const NumberUnit& unit) {
  static const std::map<std::string_view, double> kTimes{
      {"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9}, {"ps", 1e-12}};
  const auto found = kTimes.find(unit.unit);
  return found == kTimes.end() ? std::nullopt : std::optional{found->second};
}

bool has_unit(const NumberUnit& unit) {
  return unit.kind == Kind::Figure || unit.kind == Kind::Written;
}

std::string words_of(const NumberUnit& unit) {
  if (unit.kind == Kind::Word) return "a word";
  if (unit.kind == Kind::Compound) return "a figure of several units";
  return unit.unit.empty() ? "a number without a unit" : unit.unit;
}
}  // namespace

struct Expression::Settled {
  Expression& whole;
  const UnitLookup& lookup;
  std::string problem{};

  NumberUnit unit_of(std::size_t at) {
    const Node& node = whole.nodes_[at];
    switch (node.op) {
      case Op::Number:
        return node.unit.empty() ? NumberUnit{.kind = Kind::Plain}
                                 : NumberUnit{.kind = Kind::Written, .unit = node.unit};
      case Op::Word:
        return {.kind = Kind::Word};
      case Op::Name:
        return lookup(std::get<std::string>(node.value));
      case Op::Negate:
        return number(unit_of(node.left));
      case Op::Not:
        (void)number(unit_of(node.left));
        return {.kind = Kind::Plain};
      default:
        return of_two(at);
    }
  }

  NumberUnit of_two(std::size_t at) {
    const Op op = whole.nodes_[at].op;
    const std::size_t right_node = whole.nodes_[at].right;
    const NumberUnit left = unit_of(whole.nodes_[at].left), right = unit_of(right_node);
    switch (op) {
      case Op::Equal:
      case Op::NotEqual:
        (void)same(left, right, right_node, "compares");
        return {.kind = Kind::Plain};
      case Op::And:
      case Op::Or:
        (void)number(left);
        (void)number(right);
        return {.kind = Kind::Plain};
      case Op::Multiply:
      case Op::Divide:
        return product(number(left), number(right), right_node, op == Op::Divide);
      case Op::Add:
      case Op::Subtract:
      case Op::Min:
      case Op::Max:
        return same(number(left), number(right), right_node, "adds");
      default:
        (void)same(number(left), number(right), right_node, "compares");
        return {.kind = Kind::Plain};
    }
  }

  NumberUnit number(const NumberUnit& unit) {
    if (unit.kind == Kind::Word && problem.empty()) problem = "takes a word for a number";
    return unit;
  }

  /// What both are in; the one to the right is turned into the other's unit of time.
  NumberUnit same(const NumberUnit& left, const NumberUnit& right, std::size_t right_node,
                  const char* what) {
    const auto refuse = [&] {
      if (problem.empty())
        problem = std::string{what} + " " + words_of(left) + " with " + words_of(right);
      return NumberUnit{};
    };
    if (left.kind == Kind::Open || right.kind == Kind::Open) return {};
    if (left.kind == Kind::Word || right.kind == Kind::Word)
      return left.kind == right.kind ? left : refuse();
    if (has_unit(left) && has_unit(right)) {
      if (left.unit == right.unit) return left;
      const auto a = seconds_of(left), b = seconds_of(right);
      if (!a || !b) return refuse();
      whole.nodes_[right_node].scale *= *b / *a;
      return left;
    }
    if (left.kind == Kind::Plain && right.kind == Kind::Plain)
      return left.only_plain ? left : right;
    const NumberUnit& known = has_unit(left) ? left : right;
    const NumberUnit& other = has_unit(left) ? right : left;
    // Numbers with a unit are in base units, and nothing else here is sure to be.
    if (known.kind == Kind::Written && (other.kind == Kind::Compound || other.only_plain))
      return refuse();
    return known.kind == Kind::Plain ? other : known;
  }

  NumberUnit product(const NumberUnit& left, const NumberUnit& right, std::size_t right_node,
                     bool divided) {
    if (left.kind == Kind::Open || right.kind == Kind::Open) return {};
    const auto a = seconds_of(left), b = seconds_of(right);
    if (divided && has_unit(left) && has_unit(right) && (left.unit == right.unit || (a && b))) {
      if (left.unit != right.unit) whole.nodes_[right_node].scale *= *b / *a;
      return {.kind = Kind::Plain, .only_plain = true};
    }
    if (left.kind == Kind::Plain && right.kind == Kind::Plain)
      return left.only_plain ? left : right;
    if (right.kind == Kind::Plain) return left;
    if (left.kind == Kind::Plain && !divided) return right;
    return {.kind = Kind::Compound};
  }
};

std::string Expression::settle_units(const UnitLookup& lookup, NumberUnit* unit) {
  Settled settled{*this, lookup};
  const NumberUnit found = settled.unit_of(nodes_.size() - 1);
  if (unit != nullptr) *unit = found;
  return settled.problem;
}

}  // namespace reticle
