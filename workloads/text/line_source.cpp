// SPDX-License-Identifier: Apache-2.0
#include "workloads/text/line_source.hpp"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include "sim/base/rng.hpp"

namespace reticle {

namespace {
template <class File>
gzFile gz(File* file) {
  return reinterpret_cast<gzFile>(file);
}
}  // namespace

void LineSource::Close::operator()(File* file) const { gzclose(gz(file)); }

LineSource::~LineSource() = default;

std::string quoted(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string result = "'";
  for (const char c : text.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      result += c;
    } else {
      result.append("\\x").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
    }
  }
  return result + (text.size() > kLongest ? "...'" : "'");
}

LineSource::LineSource(std::string path)
    : path_{std::move(path)}, buffer_(std::size_t{64} << 10), digest_{fnv1a64("")} {
  std::error_code ignored;
  // Opening a directory succeeds, and reading from it looks like an empty file.
  if (std::filesystem::is_directory(path_, ignored))
    throw ConfigError{{path_}, "", "expected a readable file, found a directory"};
  errno = 0;
  file_.reset(reinterpret_cast<File*>(gzopen(path_.c_str(), "rb")));
  if (!file_) {
    const std::string reason = std::generic_category().message(errno != 0 ? errno : ENOMEM);
    throw ConfigError{{path_}, "", "expected a readable file, found none (" + reason + ")"};
  }
  gzbuffer(gz(file_.get()), static_cast<unsigned>(buffer_.size()));
}

bool LineSource::refill() {
  const int got = gzread(gz(file_.get()), buffer_.data(), static_cast<unsigned>(buffer_.size()));
  int error = Z_OK;
  const char* reason = gzerror(gz(file_.get()), &error);
  // zlib reports a file that ends inside a block only when asked.
  if (got < 0 || error == Z_BUF_ERROR)
    throw ConfigError{{path_, number_ + 1, 1},
                      "",
                      error == Z_BUF_ERROR
                          ? std::string{"expected the rest of a gzipped file, found its end"}
                          : "expected a readable file, found " + std::string{reason}};
  begin_ = 0;
  end_ = static_cast<std::size_t>(got);
  digest_ = fnv1a64({buffer_.data(), end_}, digest_);
  return end_ > 0;
}

bool LineSource::read_line() {
  line_.clear();
  if (begin_ == end_ && !refill()) return false;
  ++number_;
  do {
    const char* const first = buffer_.data() + begin_;
    const char* const last = buffer_.data() + end_;
    const char* const line_end = std::find(first, last, '\n');
    const auto length = static_cast<std::size_t>(line_end - first);
    if (length > kMaxLine - line_.size())
      fail(kMaxLine, "row",
           "expected a line of at most " + std::to_string(kMaxLine) + " bytes, found a longer one");
    line_.append(first, length);
    begin_ += length;
    if (line_end == last) continue;
    ++begin_;
    break;
  } while (refill());
  if (line_.ends_with('\r')) line_.pop_back();
  return true;
}

std::optional<std::string_view> LineSource::next() {
  if (!std::exchange(peeked_, false)) {
    do {
      if (!read_line()) return std::nullopt;
    } while (line_.find_first_not_of(" \t") == std::string::npos);
  }
  return line_;
}

std::optional<std::string_view> LineSource::peek() {
  const auto line = next();
  peeked_ = line.has_value();
  return line;
}

SourcePosition LineSource::position(std::size_t offset) const {
  return {path_, number_, static_cast<std::int64_t>(offset) + 1};
}

std::uint64_t LineSource::digest() {
  while (refill()) {
  }
  return digest_;
}

TextDocument::TextDocument(LineSource& lines) : path_{lines.path()} {
  while (const auto line = lines.next()) {
    if (line->size() >= kMaxText - text_.size())
      lines.fail(
          0, "document",
          "expected a text of at most " + std::to_string(kMaxText) + " bytes, found a longer one");
    starts_.push_back({text_.size(), lines.line_number()});
    text_.append(*line).append(1, '\n');
  }
}

SourcePosition TextDocument::position(std::size_t offset) const {
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), offset,
                                      [](std::size_t at, const Line& l) { return at < l.offset; });
  if (after == starts_.begin()) return {path_, 1, 1};
  const Line& line = *std::prev(after);
  return {path_, line.number, static_cast<std::int64_t>(offset - line.offset) + 1};
}

}  // namespace reticle
