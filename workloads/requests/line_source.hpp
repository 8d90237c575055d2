// SPDX-License-Identifier: Apache-2.0
// A text file line by line, from any file a user may point at: bounded memory, digest, positions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/error.hpp"

namespace reticle {

/// Text for an error message: quoted, cut to a readable length, bytes outside ASCII escaped.
std::string quoted(std::string_view text);

class LineSource {
 public:
  /// Far above any published row (1 MB of block ids), far below what would hurt: a file without
  /// line ends costs this much memory and no more.
  static constexpr std::size_t kMaxLine = std::size_t{16} << 20;

  /// Throws ConfigError if `path` is no readable file.
  explicit LineSource(std::string path);

  /// The next line that is not blank, without its end (LF or CRLF); nothing at the end of the
  /// file. Valid until the call after.
  std::optional<std::string_view> next();
  /// What next() will answer.
  std::optional<std::string_view> peek();

  /// Throws ConfigError at byte `offset` (from 0) of the line read last.
  [[noreturn]] void fail(std::size_t offset, std::string_view key, std::string_view problem) const;

  /// FNV-1a over the whole file; reads on to its end.
  std::uint64_t digest();

 private:
  bool read_line();  ///< into line_; false at the end of the file
  bool refill();

  std::string path_;
  std::ifstream file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  ///< unread bytes of buffer_
  std::size_t end_ = 0;
  std::string line_;
  std::int64_t number_ = 0;
  bool peeked_ = false;
  std::uint64_t digest_;
};

}  // namespace reticle
