// SPDX-License-Identifier: Apache-2.0
// A text file line by line, from any file a user may point at, gzipped or not: bounded memory,
// digest, positions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/error.hpp"

namespace reticle {

/// Text for an error message: quoted, cut to a readable length, bytes outside ASCII escaped.
std::string quoted(std::string_view text);

/// Whoever can say where in a file an offset stands: a line, or a whole document.
class TextPlace {
 public:
  virtual ~TextPlace() = default;
  /// Throws ConfigError at byte `offset` (from 0) of the text at hand.
  [[noreturn]] void fail(std::size_t offset, std::string_view key, std::string_view problem) const {
    throw ConfigError{position(offset), key, problem};
  }

 private:
  [[nodiscard]] virtual SourcePosition position(std::size_t offset) const = 0;
};

/// Its place is the line read last.
class LineSource final : public TextPlace {
 public:
  /// Far above any published row (1 MB of block ids), far below what would hurt: a file without
  /// line ends costs this much memory and no more.
  static constexpr std::size_t kMaxLine = std::size_t{16} << 20;

  /// Throws ConfigError if `path` is no readable file. Later calls throw when a gzipped file turns
  /// out damaged or cut short.
  explicit LineSource(std::string path);
  ~LineSource() override;
  LineSource(const LineSource&) = delete;
  LineSource& operator=(const LineSource&) = delete;

  /// The next line that is not blank, without its end (LF or CRLF); nothing at the end of the
  /// file. Valid until the call after.
  std::optional<std::string_view> next();
  /// What next() will answer.
  std::optional<std::string_view> peek();

  /// Of the line read last, from 1.
  [[nodiscard]] std::int64_t line_number() const { return number_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  /// FNV-1a over the whole text, unpacked where the file is gzipped; reads on to its end.
  std::uint64_t digest();

 private:
  [[nodiscard]] SourcePosition position(std::size_t offset) const override;
  bool read_line();  ///< into line_; false at the end of the file
  bool refill();

  std::string path_;
  struct File;
  struct Close {
    void operator()(File* file) const;
  };
  std::unique_ptr<File, Close> file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  ///< unread bytes of buffer_
  std::size_t end_ = 0;
  std::string line_;
  std::int64_t number_ = 0;
  bool peeked_ = false;
  std::uint64_t digest_;
};

/// A file as one text, for formats that are one JSON document: blank lines left out, places kept.
class TextDocument final : public TextPlace {
 public:
  /// One agent session of 140 million prompt tokens; the file is held whole.
  static constexpr std::size_t kMaxText = std::size_t{256} << 20;

  /// Reads `lines` to the end. Throws ConfigError beyond kMaxText bytes.
  explicit TextDocument(LineSource& lines);

  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  [[nodiscard]] SourcePosition position(std::size_t offset) const override;

  struct Line {
    std::size_t offset;  ///< of its first byte in the text
    std::int64_t number;
  };
  std::string path_;
  std::string text_;
  std::vector<Line> starts_;
};

}  // namespace reticle
