// SPDX-License-Identifier: Apache-2.0
#include "sim/config/expression.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <utility>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
constexpr std::size_t kMostNodes = 256;  // bounds the recursion of those below

template <class Q>
std::optional<double> counted(std::string_view text, double per_unit) {
  const Parsed<Q> parsed = ValueText<Q>::parse(text);
  if (!parsed.value) return std::nullopt;
  return static_cast<double>(parsed.value->count()) / per_unit;
}

struct Amount {
  double number = 0;
  std::string_view unit;
};

/// A number with a unit, in base units.
std::optional<Amount> quantity(std::string_view text) {
  constexpr double kPicoseconds = 1e12;  // divided by, 100 ms are 0.1 s to the last bit
  if (const auto bytes = counted<Bytes>(text, 1)) return Amount{*bytes, "B"};
  if (const auto time = counted<Picoseconds>(text, kPicoseconds)) return Amount{*time, "s"};
  if (const auto rate = counted<BytesPerSecond>(text, 1)) return Amount{*rate, "B/s"};
  if (const auto clock = counted<Hertz>(text, 1)) return Amount{*clock, "Hz"};
  return std::nullopt;
}

/// Units that only figures of a run have, in which they are stated; longer names first.
struct FigureUnit {
  std::string_view text, unit;
  double factor = 1;
};
constexpr std::array<FigureUnit, 12> kFigureUnits{{{"tokens/s", "tokens/s"},
                                                   {"tokens", "tokens"},
                                                   {"W/mm2", "W/mm2"},
                                                   {"mm2", "mm2"},
                                                   {"USD", "USD"},
                                                   {"kW", "W", 1e3},
                                                   {"MW", "W", 1e6},
                                                   {"mW", "W", 1e-3},
                                                   {"kJ", "J", 1e3},
                                                   {"mJ", "J", 1e-3},
                                                   {"W", "W"},
                                                   {"J", "J"}}};

double truth(bool b) { return b ? 1.0 : 0.0; }
}  // namespace

ExpressionValue value_of_text(const std::string& text) {
  if (const auto number = ValueText<double>::parse(text); number.value) return *number.value;
  if (const auto amount = quantity(text)) return amount->number;
  return text;
}

std::string unit_of_text(const std::string& text) {
  if (ValueText<double>::parse(text).value) return {};
  const auto amount = quantity(text);
  return amount ? std::string{amount->unit} : std::string{};
}

/// Recursive descent, one function per level of binding.
class ExpressionParser {
 public:
  explicit ExpressionParser(std::string_view text) : rest_{text} { out_.text_ = text; }

  Parsed<Expression> parse() {
    const auto whole = either();
    skip();
    if (problem_.empty() && !rest_.empty())
      problem_ = "did not expect '" + std::string{rest_} + "'";
    if (!problem_.empty()) return {std::nullopt, problem_};
    invariant(whole + 1 == out_.nodes_.size(), "the whole comes last");
    return {std::move(out_), {}};
  }

 private:
  using Op = Expression::Op;
  struct Symbol {
    std::string_view text;
    Op op;
  };

  void skip() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
  }
  bool take(std::string_view symbol) {
    skip();
    if (!rest_.starts_with(symbol)) return false;
    const bool word = std::isalpha(static_cast<unsigned char>(symbol.front())) != 0;
    if (word && rest_.size() > symbol.size() && in_name(rest_[symbol.size()])) return false;
    rest_.remove_prefix(symbol.size());
    return true;
  }
  static bool in_name(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '[' ||
           c == ']';
  }
  std::size_t add(Op op, ExpressionValue value, std::size_t left = 0, std::size_t right = 0) {
    if (out_.nodes_.size() >= kMostNodes) fail("is too long");
    out_.nodes_.push_back({.op = op, .value = std::move(value), .left = left, .right = right});
    return out_.nodes_.size() - 1;
  }
  std::size_t fail(const std::string& problem) {
    if (problem_.empty()) problem_ = problem;
    rest_ = {};
    return 0;
  }
  template <std::size_t n>
  std::size_t chain(const std::array<Symbol, n>& symbols, std::size_t (ExpressionParser::*next)()) {
    std::size_t left = (this->*next)();
    while (const Symbol* found = first_of(symbols)) {
      const std::size_t right = (this->*next)();
      left = add(found->op, 0.0, left, right);
    }
    return left;
  }
  template <std::size_t n>
  const Symbol* first_of(const std::array<Symbol, n>& symbols) {
    for (const Symbol& symbol : symbols)
      if (take(symbol.text)) return &symbol;
    return nullptr;
  }

  std::size_t either() {
    static constexpr std::array<Symbol, 1> kOr{{{"or", Op::Or}}};
    return chain(kOr, &ExpressionParser::both);
  }
  std::size_t both() {
    static constexpr std::array<Symbol, 1> kAnd{{{"and", Op::And}}};
    return chain(kAnd, &ExpressionParser::comparison);
  }
  std::size_t comparison() {
    static constexpr std::array<Symbol, 6> kComparisons{{{"<=", Op::LessEqual},
                                                         {">=", Op::GreaterEqual},
                                                         {"==", Op::Equal},
                                                         {"!=", Op::NotEqual},
                                                         {"<", Op::Less},
                                                         {">", Op::Greater}}};
    const std::size_t left = sum();
    const Symbol* found = first_of(kComparisons);
    if (found == nullptr) return left;
    const std::size_t right = sum();
    return add(found->op, 0.0, left, right);
  }
  std::size_t sum() {
    static constexpr std::array<Symbol, 2> kSums{{{"+", Op::Add}, {"-", Op::Subtract}}};
    return chain(kSums, &ExpressionParser::product);
  }
  std::size_t product() {
    static constexpr std::array<Symbol, 2> kProducts{{{"*", Op::Multiply}, {"/", Op::Divide}}};
    return chain(kProducts, &ExpressionParser::signed_atom);
  }
  std::size_t signed_atom() {
    if (++depth_ > kMostNodes) return fail("is nested too deeply");
    std::size_t found = 0;
    if (take("-")) {
      const std::size_t operand = signed_atom();
      found = add(Op::Negate, 0.0, operand, operand);
    } else if (take("not")) {
      const std::size_t operand = comparison();
      found = add(Op::Not, 0.0, operand, operand);
    } else {
      found = atom();
    }
    --depth_;
    return found;
  }
  std::size_t atom() {
    skip();
    if (rest_.empty()) return fail("ends too early");
    if (take("(")) {
      const std::size_t inner = either();
      return take(")") ? inner : fail("expected a closing ')'");
    }
    for (const auto& [word, op] : {std::pair{"min", Op::Min}, std::pair{"max", Op::Max}})
      if (rest_.starts_with(word) && rest_.substr(3).starts_with('(')) return of_two(op);  // "min("
    const char c = rest_.front();
    if (c == '\'' || c == '"') return quoted(c);
    if (std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.') return number();
    if (std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_') return name();
    return fail("did not expect '" + std::string{rest_} + "'");
  }
  std::size_t of_two(Op op) {
    rest_.remove_prefix(4);  // "min(" or "max("
    const std::size_t left = either();
    if (!take(",")) return fail("expected two values with a ',' between");
    const std::size_t right = either();
    return take(")") ? add(op, 0.0, left, right) : fail("expected a closing ')'");
  }
  std::size_t quoted(char quote) {
    const std::size_t end = rest_.find(quote, 1);
    if (end == std::string_view::npos) return fail("a quote is not closed");
    const std::size_t node = add(Op::Word, std::string{rest_.substr(1, end - 1)});
    rest_.remove_prefix(end + 1);
    return node;
  }
  std::size_t number() {
    std::size_t end = 0;
    const auto exponent = [&] {
      return (rest_[end] == '+' || rest_[end] == '-') && end > 0 &&
             (rest_[end - 1] == 'e' || rest_[end - 1] == 'E');
    };
    const auto digits = [&] {
      return std::isdigit(static_cast<unsigned char>(rest_[end])) != 0 || rest_[end] == '.' ||
             ((rest_[end] == 'e' || rest_[end] == 'E') && end + 1 < rest_.size() &&
              (std::isdigit(static_cast<unsigned char>(rest_[end + 1])) != 0 ||
               rest_[end + 1] == '-' || rest_[end + 1] == '+')) ||
             exponent();
    };
    while (end < rest_.size() && digits()) ++end;
    const std::string figure{rest_.substr(0, end)};
    rest_.remove_prefix(end);
    const Parsed<double> plain = ValueText<double>::parse(figure);
    if (!plain.value) return fail("'" + figure + "' is no number");
    if (const auto with_unit = unit_after(figure)) {
      const std::size_t node = add(Op::Number, with_unit->number);
      out_.nodes_[node].unit = with_unit->unit;
      return node;
    }
    return add(Op::Number, *plain.value);
  }
  /// "1.6" before " GB".
  std::optional<Amount> unit_after(const std::string& figure) {
    std::string_view after = rest_;
    while (!after.empty() && after.front() == ' ') after.remove_prefix(1);
    std::size_t end = 0;
    while (end < after.size() && std::isalpha(static_cast<unsigned char>(after[end])) != 0) ++end;
    if (end == 0) return std::nullopt;
    for (const FigureUnit& known : kFigureUnits)
      if (after.starts_with(known.text) &&
          (after.size() == known.text.size() || !in_name(after[known.text.size()]))) {
        rest_ = after.substr(known.text.size());
        return Amount{ValueText<double>::parse(figure).value.value_or(0) * known.factor,
                      known.unit};
      }
    if (after.substr(end).starts_with("/s")) end += 2;
    const auto number = quantity(figure + " " + std::string{after.substr(0, end)});
    if (number) rest_ = after.substr(end);
    return number;
  }
  std::size_t name() {
    std::size_t end = 0;
    while (end < rest_.size() && in_name(rest_[end])) ++end;
    std::string found{rest_.substr(0, end)};
    rest_.remove_prefix(end);
    auto& names = out_.names_;
    if (std::ranges::find(names, found) == names.end()) names.push_back(found);
    return add(Op::Name, std::move(found));
  }

  std::string_view rest_;
  Expression out_;
  std::string problem_;
  std::size_t depth_ = 0;
};

Parsed<Expression> Expression::parse(std::string_view text) {
  return ExpressionParser{text}.parse();
}

double Expression::calculated(Op op, const ExpressionValue& a, const ExpressionValue& b) const {
  if (op == Op::Equal) return truth(a == b);
  if (op == Op::NotEqual) return truth(a != b);
  if (!std::holds_alternative<double>(a) || !std::holds_alternative<double>(b))
    throw ConfigError({}, "",
                      "'" + text_ + "' calculates with a word, '" +
                          std::get<std::string>(std::holds_alternative<double>(a) ? b : a) + "'");
  const double x = std::get<double>(a), y = std::get<double>(b);
  switch (op) {
    case Op::Negate:
      return -x;
    case Op::Not:
      return truth(x == 0);
    case Op::Add:
      return x + y;
    case Op::Subtract:
      return x - y;
    case Op::Multiply:
      return x * y;
    case Op::Divide:
      return x / y;
    case Op::Less:
      return truth(x < y);
    case Op::LessEqual:
      return truth(x <= y);
    case Op::Greater:
      return truth(x > y);
    case Op::GreaterEqual:
      return truth(x >= y);
    case Op::And:
      return truth(x != 0 && y != 0);
    case Op::Or:
      return truth(x != 0 || y != 0);
    case Op::Min:
      return std::min(x, y);
    case Op::Max:
      return std::max(x, y);
    default:
      break;
  }
  fail_invariant("an operator that calculates", std::source_location::current());
}

std::optional<ExpressionValue> Expression::value_of(std::size_t at,
                                                    const NameLookup& lookup) const {
  const Node& node = nodes_[at];
  auto found = unscaled(node, lookup);
  if (node.scale != 1 && found)
    if (auto* number = std::get_if<double>(&*found)) *number *= node.scale;
  return found;
}

std::optional<ExpressionValue> Expression::unscaled(const Node& node,
                                                    const NameLookup& lookup) const {
  if (node.op == Op::Number || node.op == Op::Word) return node.value;
  if (node.op == Op::Name) return lookup(std::get<std::string>(node.value));
  const auto left = value_of(node.left, lookup);
  // What is decided needs no second value: `platform == 'x' and key of x > 1`.
  if (left && node.op == Op::And && *left == ExpressionValue{0.0}) return 0.0;
  if (left && node.op == Op::Or && *left == ExpressionValue{1.0}) return 1.0;
  const auto right = node.left == node.right ? left : value_of(node.right, lookup);
  if (!left || !right) return std::nullopt;
  return calculated(node.op, *left, *right);
}

std::optional<ExpressionValue> Expression::value(const NameLookup& lookup) const {
  return value_of(nodes_.size() - 1, lookup);
}

std::optional<double> Expression::number(const NameLookup& lookup) const {
  const auto found = value(lookup);
  if (!found) return std::nullopt;
  if (const auto* word = std::get_if<std::string>(&*found))
    throw ConfigError({}, "", "'" + text_ + "' is a word, '" + *word + "', where a number is due");
  const double number = std::get<double>(*found);
  return std::isfinite(number) ? std::optional{number} : std::nullopt;
}

}  // namespace reticle
