// SPDX-License-Identifier: Apache-2.0
#include "workloads/text/json_line.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace reticle {

namespace {

/// Walks over the text of a line; every complaint points at where it stands.
class Cursor {
 public:
  /// `text` stands at `base` of the place's text.
  Cursor(const TextPlace& place, std::string_view text, std::size_t base)
      : place_{place}, text_{text}, base_{base} {}

  [[nodiscard]] std::size_t at() const { return at_; }
  void set_key(std::string_view key) { key_ = key; }

  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] bool sees(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool take(char c) {
    skip_space();
    if (!sees(c)) return false;
    ++at_;
    return true;
  }
  void expect(char c, std::string_view what) {
    if (!take(c)) fail(what);
  }

  /// What stands between two quotes.
  std::string_view string(std::string_view what) {
    expect('"', what);
    const std::size_t begin = at_;
    while (!sees('"')) {
      if (sees('\\')) ++at_;
      if (at_ >= text_.size()) fail("expected '\"' at the end of a string");
      ++at_;
    }
    return text_.substr(begin, at_++ - begin);
  }

  /// Steps over any JSON value and answers its text.
  std::string_view value(int depth = 0) {
    skip_space();
    const std::size_t begin = at_;
    if (sees('"')) {
      string("");
    } else if (sees('[') || sees('{')) {
      container(depth);
    } else {
      scalar();
    }
    return text_.substr(begin, at_ - begin);
  }

  [[noreturn]] void fail(std::string_view expected) const {
    const std::string found = at_end() ? "the end of the line" : quoted(text_.substr(at_, 1));
    place_.fail(base_ + at_, key_, std::string{expected} + ", found " + found);
  }

 private:
  void container(int depth) {
    constexpr int kDeepest = 32;  // of nested brackets: garbage must not exhaust the stack
    if (depth == kDeepest) fail("expected at most 32 nested brackets");
    const bool object = text_[at_++] == '{';
    const char close = object ? '}' : ']';
    if (take(close)) return;
    do {
      if (object) {
        skip_space();
        string("expected a name in quotes");
        expect(':', "expected ':'");
      }
      value(depth + 1);
    } while (take(','));
    expect(close, object ? "expected ',' or '}'" : "expected ',' or ']'");
  }

  void scalar() {
    // Most values are ids: digits up to a comma or bracket.
    std::size_t digits_end = at_;
    while (digits_end < text_.size() && text_[digits_end] >= '0' && text_[digits_end] <= '9')
      ++digits_end;
    if (digits_end > at_ && digits_end < text_.size() &&
        (text_[digits_end] == ',' || text_[digits_end] == ']')) {
      at_ = digits_end;
      return;
    }
    const std::string_view rest = text_.substr(at_);
    const auto end = rest.find_first_of(" \t\n\r,]}:[{\"");
    const std::string_view word = rest.substr(0, end);
    const std::string_view digits = word.starts_with('-') ? word.substr(1) : word;
    const bool number = !digits.empty() && digits.front() >= '0' && digits.front() <= '9';
    if (!number && word != "true" && word != "false" && word != "null") {
      const std::string found =
          word.empty() && rest.empty() ? "the end of the line" : quoted(word.empty() ? rest : word);
      place_.fail(base_ + at_, key_, "expected a JSON value, found " + found);
    }
    at_ += word.size();
  }

  const TextPlace& place_;
  std::string_view text_;
  std::size_t base_;
  std::size_t at_ = 0;
  std::string_view key_ = "row";
};

}  // namespace

void JsonLine::parse(std::string_view text, std::size_t offset) {
  members_.clear();
  offset_ = offset;
  Cursor cursor{place_, text, offset};
  cursor.expect('{', "expected '{'");
  if (!cursor.take('}')) {
    do {
      cursor.set_key("row");
      cursor.skip_space();
      const std::size_t name_at = cursor.at();
      const std::string_view name = cursor.string("expected a name in quotes");
      if (find(name) != nullptr) place_.fail(offset + name_at, name, "expected once, found twice");
      cursor.expect(':', "expected ':'");
      cursor.set_key(name);
      cursor.skip_space();
      const std::size_t value_at = offset + cursor.at();
      members_.push_back({name, cursor.value(), value_at});
    } while (cursor.take(','));
    cursor.set_key("row");
    cursor.expect('}', "expected ',' or '}'");
  }
  cursor.skip_space();
  if (!cursor.at_end()) cursor.fail("expected the end of the line");
}

const Field* JsonLine::find(std::string_view name) const {
  const auto found = std::find_if(members_.begin(), members_.end(),
                                  [name](const Field& member) { return member.key == name; });
  return found == members_.end() ? nullptr : &*found;
}

const Field& JsonLine::at(std::string_view name) const {
  if (const Field* member = find(name)) return *member;
  place_.fail(offset_, name, "expected a value, found none");
}

void JsonLine::reject_unknown(std::initializer_list<std::string_view> known) const {
  for (const Field& member : members_) {
    if (std::find(known.begin(), known.end(), member.key) != known.end()) continue;
    std::string names;
    for (const std::string_view name : known) names.append(names.empty() ? "" : ", ").append(name);
    place_.fail(member.offset, quoted(member.key),
                "expected one of " + names + ", found another key");
  }
}

std::vector<std::uint64_t> JsonLine::ids(const Field& array) const {
  std::vector<std::uint64_t> result;
  ids(array, result);
  return result;
}

void JsonLine::ids(const Field& array, std::vector<std::uint64_t>& result) const {
  result.clear();
  Cursor cursor{place_, array.text, array.offset};
  if (!cursor.take('['))
    place_.fail(array.offset, array.key, "expected an array of ids, found " + quoted(array.text));
  if (cursor.take(']')) return;
  do {
    cursor.skip_space();
    const std::size_t at = cursor.at();
    const std::string_view text = cursor.value();
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc{} || end != text.data() + text.size())
      place_.fail(array.offset + at, array.key,
                  "expected an id from 0 to 2^64 - 1, found " + quoted(text));
    result.push_back(id);
  } while (cursor.take(','));
  // parse() has seen the closing bracket
}

std::vector<Field> JsonLine::elements(const Field& array) const {
  std::vector<Field> result;
  Cursor cursor{place_, array.text, array.offset};
  if (!cursor.take('['))
    place_.fail(array.offset, array.key, "expected an array, found " + quoted(array.text));
  if (cursor.take(']')) return result;
  do {
    cursor.skip_space();
    const std::size_t at = array.offset + cursor.at();
    result.push_back({array.key, cursor.value(), at});
  } while (cursor.take(','));
  return result;
}

}  // namespace reticle
