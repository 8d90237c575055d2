// SPDX-License-Identifier: Apache-2.0
// Arithmetic and comparisons over named figures, as a sweep file writes them:
// "dies * platform.die.area_mm2 <= 41000 and platform != 'h100-8'".
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/config/value_text.hpp"

namespace reticle {

/// A number in base units (bytes, seconds, hertz, bytes/s; true is 1), or a word.
using ExpressionValue = std::variant<double, std::string>;

/// The value of a name; nullopt where it has none.
using NameLookup = std::function<std::optional<ExpressionValue>(const std::string&)>;

/// What the number of an expression, or of a name in one, counts.
struct NumberUnit {
  enum class Kind : std::uint8_t {
    Open,      ///< not known before a run: a key of the configuration
    Plain,     ///< a number without a unit, which is in that of whatever it meets
    Word,      ///< no number
    Figure,    ///< in the unit that figures are stated in
    Written,   ///< of a number with its unit: base units
    Compound,  ///< of several
  };
  Kind kind = Kind::Open;
  std::string unit{};       ///< of Figure and Written; empty: none
  bool only_plain = false;  ///< of Plain: by a name, which no written unit fits
};

/// The unit of a name.
using UnitLookup = std::function<NumberUnit(const std::string&)>;

/// Numbers with or without a unit ("1.6 GB", and of figures "25 kW", "858 mm2"), words in quotes,
/// names with dots, + - * /,
/// == != < <= > >=, and, or, not, min(a, b), max(a, b), parentheses.
class Expression {
 public:
  static Parsed<Expression> parse(std::string_view text);

  /// Makes units agree: times in ms meet times in seconds as they should ("tpot <= 50 ms"). Returns
  /// what cannot agree, in words ("compares B with ms"), else nothing; `unit` is the whole's then.
  std::string settle_units(const UnitLookup& lookup, NumberUnit* unit = nullptr);

  /// The names it asks for, each once.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] const std::string& text() const { return text_; }
  /// nullopt where a name it needs has no value. Throws ConfigError when words are calculated with.
  [[nodiscard]] std::optional<ExpressionValue> value(const NameLookup& lookup) const;
  /// Of a number; a word is refused.
  [[nodiscard]] std::optional<double> number(const NameLookup& lookup) const;

 private:
  friend class ExpressionParser;
  enum class Op {
    Number,
    Word,
    Name,
    Negate,
    Not,
    Add,
    Subtract,
    Multiply,
    Divide,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    And,
    Or,
    Min,
    Max
  };
  struct Node {
    Op op;
    ExpressionValue value;  ///< of Number and Word; the name
    std::size_t left = 0, right = 0;
    std::string unit{};  ///< as a Number is written; base units
    double scale = 1;    ///< of the number it comes to
  };
  struct Settled;  ///< how units agree (expression_units.cpp)
  [[nodiscard]] std::optional<ExpressionValue> value_of(std::size_t node,
                                                        const NameLookup& lookup) const;
  [[nodiscard]] std::optional<ExpressionValue> unscaled(const Node& node,
                                                        const NameLookup& lookup) const;
  [[nodiscard]] double calculated(Op op, const ExpressionValue& a, const ExpressionValue& b) const;

  std::string text_;
  std::vector<Node> nodes_;  ///< operands before what uses them; the last is the whole
  std::vector<std::string> names_;
};

/// What a configuration's text counts in base units: "1.6 GB" is 1.6e9, "5 us" 5e-6; a word else.
ExpressionValue value_of_text(const std::string& text);
/// What it counts: "B", "s", "B/s" or "Hz"; empty: no unit, or a word.
std::string unit_of_text(const std::string& text);

}  // namespace reticle
