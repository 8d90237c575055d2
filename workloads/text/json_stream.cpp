// SPDX-License-Identifier: Apache-2.0
#include "workloads/text/json_stream.hpp"

#include <algorithm>

namespace reticle {

namespace {

constexpr std::string_view kBlank = " \t";
constexpr std::string_view kPunctuation = "{}[]:,";

bool is_scalar(std::string_view token) {
  return !token.empty() && kPunctuation.find(token.front()) == std::string_view::npos;
}

}  // namespace

void JsonStream::fail_at(std::string_view expected, std::string_view found) const {
  fail("json", "expected " + std::string{expected} + ", found " +
                   (found.empty() ? "the end of the file" : quoted(found)));
}

std::string_view JsonStream::token() {
  for (;;) {
    at_ = std::min(line_.find_first_not_of(kBlank, at_), line_.size());
    if (at_ < line_.size()) break;
    const auto line = lines_.next();
    if (!line) return {};
    line_ = *line;
    at_ = 0;
  }
  offset_ = at_;
  const char first = line_[at_];
  std::size_t end = at_ + 1;
  if (first == '"') {
    while (end < line_.size() && line_[end] != '"') end += line_[end] == '\\' ? 2 : 1;
    if (end >= line_.size()) fail("json", "expected a closing quote before the line ends");
    ++end;
  } else if (kPunctuation.find(first) == std::string_view::npos) {
    end = std::min(line_.find_first_of(" \t\"{}[]:,", at_), line_.size());
  }
  const std::string_view found = line_.substr(at_, end - at_);
  at_ = end;
  return found;
}

std::string_view JsonStream::peek_token() {
  if (!peeked_) peeked_ = token();
  return *peeked_;
}

std::string_view JsonStream::next_token() {
  const std::string_view found = peek_token();
  peeked_.reset();
  return found;
}

void JsonStream::enter(char bracket) {
  const std::string_view found = next_token();
  if (found.empty() || found.front() != bracket) fail_at(std::string{"'"} + bracket + "'", found);
  if (inside_.size() == kDeepest) fail("json", "expected at most 32 nested brackets");
  inside_.push_back({bracket == '{', true});
}

bool JsonStream::another(char closing) {
  const bool fresh = inside_.back().fresh;
  inside_.back().fresh = false;
  const std::string_view found = peek_token();
  if (!found.empty() && found.front() == closing) {
    (void)next_token();
    inside_.pop_back();
    return false;
  }
  if (fresh) return true;
  if (found != ",") fail_at(std::string{"a comma or '"} + closing + "'", found);
  (void)next_token();
  return true;
}

std::optional<std::string> JsonStream::key() {
  if (!another('}')) return std::nullopt;
  const std::string_view found = next_token();
  if (found.empty() || found.front() != '"') fail_at("a name in quotes", found);
  std::string name{found.substr(1, found.size() - 2)};
  if (const std::string_view colon = next_token(); colon != ":") fail_at("':'", colon);
  return name;
}

bool JsonStream::element() { return another(']'); }

std::string_view JsonStream::scalar() {
  const std::string_view found = next_token();
  if (!is_scalar(found)) fail_at("a string, a number or a word", found);
  return found;
}

void JsonStream::skip() {
  const std::size_t outside = inside_.size();
  do {
    if (inside_.size() > outside) {
      // In an object a name comes first; which of the two it is the bracket said.
      const bool more = inside_.back().object ? key().has_value() : element();
      if (!more) continue;
    }
    const std::string_view found = peek_token();
    if (found == "{" || found == "[")
      enter(found.front());
    else
      (void)scalar();
  } while (inside_.size() > outside);
}

void JsonStream::end() {
  if (const std::string_view found = next_token(); !found.empty())
    fail_at("the end of the file", found);
}

}  // namespace reticle
