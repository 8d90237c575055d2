// SPDX-License-Identifier: Apache-2.0
#include "workloads/llm/layer_order.hpp"

#include <algorithm>
#include <cctype>

#include "sim/base/error.hpp"

namespace reticle {

namespace {

class OrderParser {
 public:
  OrderParser(std::string_view text, std::size_t most) : text_{text}, most_{most} {}

  std::vector<std::string> parse() {
    std::vector<std::string> names = list(0);
    if (at_ < text_.size()) fail("')' without '('");
    if (names.empty()) fail("a name");
    return names;
  }

 private:
  static constexpr int kDeepest = 8;

  std::vector<std::string> list(int depth) {
    std::vector<std::string> names;
    for (skip_spaces(); at_ < text_.size() && text_[at_] != ')'; skip_spaces()) {
      const std::size_t times = count();
      const std::vector<std::string> one = item(depth);
      if (one.size() * times > most_ - std::min(most_, names.size()))
        throw ConfigError{{}, "", "expected at most " + std::to_string(most_) + " layers"};
      for (std::size_t i = 0; i < times; ++i) names.insert(names.end(), one.begin(), one.end());
    }
    return names;
  }

  std::vector<std::string> item(int depth) {
    if (at_ < text_.size() && text_[at_] == '(') {
      if (depth == kDeepest) fail("fewer brackets");
      ++at_;
      std::vector<std::string> inner = list(depth + 1);
      if (at_ == text_.size()) fail("')'");
      ++at_;
      return inner;
    }
    const std::size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 ||
                                  text_[at_] == '_' || text_[at_] == '-'))
      ++at_;
    if (at_ == begin) fail("a name, a count or '('");
    return {std::string{text_.substr(begin, at_ - begin)}};
  }

  /// N of "N*", else 1.
  std::size_t count() {
    const std::size_t begin = at_;
    std::size_t value = 0;
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0)
      value = std::min(most_ + 1, value * 10 + static_cast<std::size_t>(text_[at_++] - '0'));
    if (at_ > begin && at_ < text_.size() && text_[at_] == '*') {
      ++at_;
      if (value == 0) fail("a count of at least 1");
      return value;
    }
    at_ = begin;  // a name may begin with a digit
    return 1;
  }

  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }

  [[noreturn]] void fail(const std::string& expected) const {
    const std::string found =
        at_ < text_.size() ? "'" + std::string{text_.substr(at_, 12)} + "'" : "the end";
    throw ConfigError{{}, "", "expected " + expected + ", found " + found};
  }

  const std::string_view text_;
  const std::size_t most_;
  std::size_t at_ = 0;
};

/// How often the `period` names at `at` stand there one after another.
std::size_t repeats(std::span<const std::string> names, std::size_t at, std::size_t period) {
  std::size_t times = 1;
  while (at + (times + 1) * period <= names.size() &&
         std::equal(names.begin() + static_cast<std::ptrdiff_t>(at),
                    names.begin() + static_cast<std::ptrdiff_t>(at + period),
                    names.begin() + static_cast<std::ptrdiff_t>(at + times * period)))
    ++times;
  return times;
}

}  // namespace

std::vector<std::string> expand_order(std::string_view text, std::size_t most) {
  return OrderParser{text, most}.parse();
}

std::string write_order(std::span<const std::string> names) {
  constexpr std::size_t kLongestPeriod = 16;
  std::string text;
  for (std::size_t at = 0; at < names.size();) {
    std::size_t period = 1, times = repeats(names, at, 1);
    for (std::size_t p = 2; p <= kLongestPeriod && at + 2 * p <= names.size(); ++p)
      if (const std::size_t r = repeats(names, at, p); r > 1 && r * p > times * period)
        period = p, times = r;
    if (!text.empty()) text += ' ';
    if (times > 1) text += std::to_string(times) + "*";
    if (period == 1)
      text += names[at];
    else
      text += "(" + write_order(names.subspan(at, period)) + ")";
    at += times * period;
  }
  return text;
}

}  // namespace reticle
