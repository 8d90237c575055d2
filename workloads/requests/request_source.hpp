// SPDX-License-Identifier: Apache-2.0
// Where a TraceStream's requests come from: the rows of a file, or the sessions of a folder.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/error.hpp"
#include "workloads/requests/request.hpp"
#include "workloads/text/bad_rows.hpp"
#include "workloads/text/line_source.hpp"

namespace reticle {

class RequestSource {
 public:
  explicit RequestSource(bool skip_bad_rows) : bad_rows_{skip_bad_rows} {}
  virtual ~RequestSource() = default;

  /// The next request of the file, nearly in order of arrival; false at its end.
  virtual bool next(Request& request) = 0;
  [[nodiscard]] virtual std::int64_t block_tokens() const = 0;
  virtual std::uint64_t digest() = 0;

  /// A request of this arrival has been given out: none before it is wanted any more.
  void give(Picoseconds arrival) { given_ = arrival; }

  [[nodiscard]] std::int64_t skipped() const { return skipped_; }
  [[nodiscard]] const BadRows& bad_rows() const { return bad_rows_; }

 protected:
  /// Whether it was served at all; rows without input or output are counted, not kept.
  bool served(const Request& request) {
    if (request.input_tokens > 0 && request.output_tokens > 0) return true;
    ++skipped_;
    return false;
  }
  BadRows bad_rows_;
  std::optional<Picoseconds> given_;

 private:
  std::int64_t skipped_ = 0;
};

/// Understands the rows of one format.
class RowParser {
 public:
  explicit RowParser(const TextPlace& place) : place_{place} {}
  virtual ~RowParser() = default;

  /// Formats with a header read it here; a wrong one is never skipped.
  virtual void begin(LineSource&) {}
  /// `line` as a request; `request` comes with its fields at their defaults. Throws ConfigError.
  virtual void parse(std::string_view line, Request& request) = 0;
  [[nodiscard]] virtual std::int64_t block_tokens() const { return 0; }
  [[nodiscard]] virtual std::string_view time_key() const = 0;

 protected:
  const TextPlace& place_;
};

/// Opens `path` with the named format, or with the one its content shows. Answers the format's
/// name in `format`. Throws ConfigError.
std::unique_ptr<RequestSource> open_requests(const std::string& path, std::string_view& format,
                                             bool skip_bad_rows);

}  // namespace reticle
