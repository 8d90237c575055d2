// SPDX-License-Identifier: Apache-2.0
#include "workloads/requests/trace_stream.hpp"

#include <algorithm>
#include <utility>

#include "sim/base/error.hpp"
#include "sim/base/rng.hpp"
#include "workloads/requests/request_source.hpp"

namespace reticle {

namespace {

void require(bool ok, std::string_view key, const std::string& problem) {
  if (!ok) throw ConfigError{{}, key, problem};
}

void check(const TraceOptions& o) {
  const auto at_least_1 = [](std::string_view key, const std::optional<std::int64_t>& value) {
    require(!value || *value >= 1, key,
            "expected at least 1, found " + std::to_string(value.value_or(0)));
  };
  at_least_1("limit", o.limit);
  at_least_1("max_input", o.max_input);
  at_least_1("max_output", o.max_output);
  require(o.skip >= 0, "skip", "expected at least 0, found " + std::to_string(o.skip));
  require(o.from >= Picoseconds{0}, "from", "expected a time from 0 on");
  require(!o.to || *o.to > o.from, "to", "expected a time after `from`");
  require(o.sample > 0.0 && o.sample <= 1.0, "sample", "expected a share above 0 and up to 1");
  require(o.rate_scale >= 1e-6 && o.rate_scale <= 1e6, "rate_scale",
          "expected a factor from 1e-6 to 1e6");
}

}  // namespace

Picoseconds scaled_arrival(const std::string& trace, Picoseconds arrival, double rate_scale) {
  if (rate_scale == 1.0) return arrival;
  const double at = static_cast<double>(arrival.count()) / rate_scale;
  constexpr double kMost = 9.2e18;  // of picoseconds in 64 bits
  if (at > kMost)
    throw ConfigError({trace}, "rate_scale",
                      "expected a factor that leaves arrivals within 106 days, got one that puts "
                      "the arrival at " +
                          std::to_string(seconds(arrival)) + " s at " + std::to_string(at * 1e-12) +
                          " s");
  return Picoseconds{static_cast<std::int64_t>(at)};
}

TraceStream::TraceStream(const std::string& path, std::string_view format,
                         const TraceOptions& options)
    : path_{path}, format_{format}, options_{options} {
  check(options);
  source_ = open_requests(path, format_, options.skip_bad_rows);
}

TraceStream::~TraceStream() = default;

std::int64_t TraceStream::block_tokens() const { return source_->block_tokens(); }
std::int64_t TraceStream::skipped() const { return source_->skipped(); }
std::int64_t TraceStream::bad_rows() const { return source_->bad_rows().count(); }
const std::vector<std::string>& TraceStream::bad_row_messages() const {
  return source_->bad_rows().messages();
}
std::uint64_t TraceStream::digest() { return source_->digest(); }

/// Of two late rows at once the first of the file is the earlier.
bool TraceStream::later(const Late& a, const Late& b) {
  return std::pair{a.request.arrival, a.row} > std::pair{b.request.arrival, b.row};
}

void TraceStream::hold(Request&& request) {
  held_ids_ += request.prefix_blocks.size();
  if (ahead_.empty() || request.arrival >= ahead_.back().arrival) {
    ahead_.push_back(std::move(request));
    return;
  }
  late_.push_back({late_rows_++, std::move(request)});
  std::push_heap(late_.begin(), late_.end(), later);
}

/// A late row stands in the file behind all of `ahead_` that are not later than it.
const Request& TraceStream::first_held() const {
  if (late_.empty() || (!ahead_.empty() && ahead_.front().arrival <= late_.front().request.arrival))
    return ahead_.front();
  return late_.front().request;
}

void TraceStream::take_first(Request& request) {
  if (&first_held() == (ahead_.empty() ? nullptr : &ahead_.front())) {
    std::swap(request, ahead_.front());
    spare_.push_back(std::move(ahead_.front()));
    ahead_.pop_front();
  } else {
    std::pop_heap(late_.begin(), late_.end(), later);
    std::swap(request, late_.back().request);
    spare_.push_back(std::move(late_.back().request));
    late_.pop_back();
  }
  held_ids_ -= request.prefix_blocks.size();
  source_->give(request.arrival);
}

/// Reads until the first request held cannot be preceded by one still to come, or enough are held.
void TraceStream::read_ahead() {
  const auto held = [&] { return ahead_.size() + late_.size(); };
  while (!at_end_ && (held() == 0 || (latest_ - first_held().arrival <= kDisorder &&
                                      held() < kMostHeld && held_ids_ < kMostHeldIds))) {
    Request request;
    if (!spare_.empty()) {
      request = std::move(spare_.back());
      spare_.pop_back();
    }
    try {
      at_end_ = !source_->next(request);
    } catch (const ConfigError&) {
      // What precedes the bad row is still good: a limit may end before it.
      failure_ = std::current_exception();
      at_end_ = true;
    }
    if (at_end_) break;
    latest_ = held() == 0 && row_ == 0 ? request.arrival : max(latest_, request.arrival);
    hold(std::move(request));
  }
}

bool TraceStream::next_in_order(Request& request) {
  read_ahead();
  if (ahead_.empty() && late_.empty()) {
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    return false;
  }
  take_first(request);
  // A row may precede the first one, from which some formats count.
  if (!origin_) origin_ = min(request.arrival, Picoseconds{0});
  request.arrival -= *origin_;
  ++row_;
  return true;
}

ConfigError TraceStream::none_found() const {
  std::string problem =
      "expected at least one, found none (rows without tokens: " + std::to_string(skipped());
  if (bad_rows() > 0) problem += ", malformed rows left out: " + std::to_string(bad_rows());
  if (row_ > 0)
    problem += ", left out by skip " + std::to_string(options_.skip) +
               ", from, to and sample: " + std::to_string(row_);
  return {{path_}, "requests", problem + ")"};
}

bool TraceStream::kept(const Request& request) {
  if (request.arrival < options_.from || (options_.to && request.arrival >= *options_.to))
    return false;
  if (options_.sample < 1.0) {
    // A session is kept or left out whole: its prefixes belong together.
    const auto key = request.session.value_or(static_cast<std::uint64_t>(row_));
    const auto draw = combine64(combine64(options_.seed, fnv1a64("trace/sample")), key);
    if (unit_interval(draw) >= options_.sample) return false;
  }
  return passed_++ >= options_.skip;
}

void TraceStream::shape(Request& request) {
  if (!start_) start_ = options_.skip > 0 ? request.arrival : options_.from;
  request.arrival -= *start_;
  request.arrival = scaled_arrival(path_, request.arrival, options_.rate_scale);
  if (options_.max_input && request.input_tokens > *options_.max_input) {
    request.input_tokens = *options_.max_input;
    if (block_tokens() > 0) {
      const auto blocks = static_cast<std::size_t>(div_up(request.input_tokens, block_tokens()));
      if (request.prefix_blocks.size() > blocks) request.prefix_blocks.resize(blocks);
    }
  }
  if (options_.max_output) {
    request.output_tokens = std::min(request.output_tokens, *options_.max_output);
    request.thinking_tokens = std::min(request.thinking_tokens, request.output_tokens);
  }
  request.id = RequestId{next_id_++};
}

bool TraceStream::next(Request& request) {
  if (options_.limit && next_id_ >= static_cast<std::uint64_t>(*options_.limit)) return false;
  while (next_in_order(request)) {
    // Nothing after `to` will be kept: in order, the rest need not be read.
    if (options_.to && request.arrival >= *options_.to) return false;
    if (!kept(request)) continue;
    shape(request);
    return true;
  }
  return false;
}

std::optional<Request> TraceStream::next() {
  Request request;
  if (!next(request)) return std::nullopt;
  return request;
}

}  // namespace reticle
