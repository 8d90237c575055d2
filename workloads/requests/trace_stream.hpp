// SPDX-License-Identifier: Apache-2.0
// A request trace, request by request, in order of arrival: a file of any length in bounded memory.
//
// Rows may run back in time by kDisorder; so much of the file is held to put them in order, but
// never more than kMostHeld rows or kMostHeldIds block ids. A trace of agent sessions (format
// coding-agent) is one JSON document a session and held whole.
#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/error.hpp"
#include "workloads/requests/request.hpp"
#include "workloads/requests/trace_options.hpp"

namespace reticle {

class RequestSource;

/// How far a row may lie before the latest one above it. [Azure 2024 has slight disorder]
inline constexpr Picoseconds kDisorder{10 * kPicosecondsPerSecond};
/// How many rows lie in wait for an earlier one. [6,500 rows/s for 10 s: ten times any published
/// trace]
inline constexpr std::size_t kMostHeld = std::size_t{1} << 16;
/// And how many block ids they may have together (32 MB).
inline constexpr std::size_t kMostHeldIds = std::size_t{1} << 22;

/// When a request of `trace` arrives that comes so many times sooner. Throws ConfigError beyond
/// what picoseconds in 64 bits hold.
Picoseconds scaled_arrival(const std::string& trace, Picoseconds arrival, double rate_scale);

class TraceStream {
 public:
  /// `format` empty: told from the content. Throws ConfigError as read_trace does.
  TraceStream(const std::string& path, std::string_view format, const TraceOptions& options = {});
  ~TraceStream();
  TraceStream(const TraceStream&) = delete;
  TraceStream& operator=(const TraceStream&) = delete;

  /// The next request, ids counting from 0; false at the end. `request` may hold an earlier one,
  /// whose memory is used again. Throws ConfigError at a malformed row, when it is its turn.
  bool next(Request& request);
  [[nodiscard]] std::optional<Request> next();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string_view format() const { return format_; }
  /// Tokens per prefix block; 0 = the format has none.
  [[nodiscard]] std::int64_t block_tokens() const;
  /// Rows without input or output tokens, so far.
  [[nodiscard]] std::int64_t skipped() const;
  /// Malformed rows left out so far, and what was wrong with the first few.
  [[nodiscard]] std::int64_t bad_rows() const;
  [[nodiscard]] const std::vector<std::string>& bad_row_messages() const;
  /// Why a stream that has ended gave no request: what the file held and what the options left out.
  [[nodiscard]] ConfigError none_found() const;
  /// FNV-1a over the file's text; reads on to its end.
  [[nodiscard]] std::uint64_t digest();

 private:
  bool next_in_order(Request& request);
  void read_ahead();
  void hold(Request&& request);
  [[nodiscard]] const Request& first_held() const;
  void take_first(Request& request);
  [[nodiscard]] bool kept(const Request& request);
  void shape(Request& request);

  std::string path_;
  std::string_view format_;
  TraceOptions options_;
  std::unique_ptr<RequestSource> source_;

  struct Late {
    std::uint64_t row;  ///< of the late ones, from 0
    Request request;
  };
  static bool later(const Late& a, const Late& b);

  std::deque<Request> ahead_;  ///< each no earlier than the one before
  std::vector<Late> late_;     ///< a heap of those that were, the earliest first
  std::uint64_t late_rows_ = 0;
  std::size_t held_ids_ = 0;
  std::vector<Request> spare_;  ///< emptied, their memory kept
  Picoseconds latest_{};        ///< of the rows read
  bool at_end_ = false;
  std::exception_ptr failure_;  ///< of the row behind `ahead_`

  std::int64_t row_ = 0;  ///< requests seen in order
  std::optional<Picoseconds> origin_;
  std::optional<Picoseconds> start_;  ///< arrival of the first request kept
  std::int64_t passed_ = 0;           ///< requests that passed the slice in time and the sample
  std::uint64_t next_id_ = 0;
};

}  // namespace reticle
