// SPDX-License-Identifier: Apache-2.0
// A JSON document of any size, value by value: a line of it is held, and no more.
//
// Leaves out: decoding of escapes in strings, and what a number or a word looks like (whoever asks
// for one judges it).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/text/line_source.hpp"

namespace reticle {

class JsonStream {
 public:
  explicit JsonStream(LineSource& lines) : lines_{lines} {}

  /// Steps into the object ('{') or array ('[') that comes next. All throw ConfigError at what is
  /// not JSON or not what was asked for.
  void enter(char bracket);
  /// The next name in the object stepped into; at its end steps out and answers nothing.
  std::optional<std::string> key();
  /// Whether the array stepped into has another element; at its end steps out.
  bool element();
  /// A string with its quotes, a number or a word. Valid until the next call.
  std::string_view scalar();
  /// Leaves out a value of any kind.
  void skip();
  /// Nothing may follow.
  void end();

  /// Of the value read last, in its line.
  [[nodiscard]] std::size_t offset() const { return offset_; }
  /// Throws ConfigError at the value read last.
  [[noreturn]] void fail(std::string_view key, std::string_view problem) const {
    lines_.fail(offset_, key, problem);
  }

 private:
  static constexpr std::size_t kDeepest = 32;

  std::string_view token();       ///< empty at the end of the file
  std::string_view next_token();  ///< the one looked at, or another
  std::string_view peek_token();
  bool another(char closing);  ///< steps over a comma, or out of the bracket
  [[noreturn]] void fail_at(std::string_view expected, std::string_view found) const;

  LineSource& lines_;
  std::string_view line_;
  std::size_t at_ = 0;
  std::size_t offset_ = 0;  ///< of the token read last
  std::optional<std::string_view> peeked_;
  struct Inside {
    bool object;
    bool fresh;  ///< nothing read of it yet
  };
  std::vector<Inside> inside_;
};

}  // namespace reticle
