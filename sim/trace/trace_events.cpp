// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/trace_events.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

namespace reticle {

namespace {
constexpr std::size_t kBuffer = 1 << 16;

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (static_cast<unsigned char>(c) < 0x20)
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    else
      out += c;
  }
  out += '"';
}

std::int64_t nanoseconds(Picoseconds t) { return t.count() / 1000; }

void append_microseconds(std::string& out, std::int64_t ns) {
  fmt::format_to(std::back_inserter(out), "{}.{:03}", ns / 1000, ns % 1000);
}
}  // namespace

TraceEventWriter::TraceEventWriter(std::ostream& out) : out_{out} {
  buffer_ = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n";
}

void TraceEventWriter::begin(char phase, std::int64_t process) {
  if (!first_) buffer_ += ",\n";
  first_ = false;
  if (buffer_.size() > kBuffer) {
    out_ << buffer_;
    buffer_.clear();
  }
  fmt::format_to(std::back_inserter(buffer_), "{{\"ph\":\"{}\",\"pid\":{}", phase, process);
}

void TraceEventWriter::arguments(Arguments all) {
  if (all.size() == 0) return;
  buffer_ += ",\"args\":{";
  bool first = true;
  for (const Argument& a : all) {
    if (!first) buffer_ += ',';
    first = false;
    append_quoted(buffer_, a.name);
    buffer_ += ':';
    if (const auto* whole = std::get_if<std::int64_t>(&a.value))
      fmt::format_to(std::back_inserter(buffer_), "{}", *whole);
    else if (const auto* real = std::get_if<double>(&a.value))
      fmt::format_to(std::back_inserter(buffer_), "{:.6g}", std::isfinite(*real) ? *real : 0.0);
    else
      append_quoted(buffer_, std::get<std::string_view>(a.value));
  }
  buffer_ += '}';
}

void TraceEventWriter::process(std::int64_t process, std::string_view name) {
  begin('M', process);
  buffer_ += ",\"name\":\"process_name\"";
  arguments({{"name", name}});
  buffer_ += '}';
  begin('M', process);
  buffer_ += ",\"name\":\"process_sort_index\"";
  arguments({{"sort_index", process}});
  buffer_ += '}';
}

void TraceEventWriter::thread(TrackId track, std::string_view name) {
  for (const bool order : {false, true}) {
    begin('M', track.process);
    fmt::format_to(std::back_inserter(buffer_), ",\"tid\":{},\"name\":\"{}\"", track.thread,
                   order ? "thread_sort_index" : "thread_name");
    order ? arguments({{"sort_index", track.thread}}) : arguments({{"name", name}});
    buffer_ += '}';
  }
}

void TraceEventWriter::slice(TrackId track, Picoseconds from, Picoseconds to, std::string_view name,
                             Arguments all) {
  begin('X', track.process);
  fmt::format_to(std::back_inserter(buffer_), ",\"tid\":{},\"ts\":", track.thread);
  append_microseconds(buffer_, nanoseconds(from));
  buffer_ += ",\"dur\":";
  append_microseconds(buffer_, nanoseconds(to) - nanoseconds(from));
  buffer_ += ",\"name\":";
  append_quoted(buffer_, name);
  arguments(all);
  buffer_ += '}';
}

void TraceEventWriter::counter(std::int64_t process, Picoseconds at, std::string_view name,
                               Arguments values) {
  begin('C', process);
  buffer_ += ",\"ts\":";
  append_microseconds(buffer_, nanoseconds(at));
  buffer_ += ",\"name\":";
  append_quoted(buffer_, name);
  arguments(values);
  buffer_ += '}';
}

void TraceEventWriter::span(std::int64_t process, std::uint64_t id, Picoseconds from,
                            Picoseconds to, std::string_view category, std::string_view name,
                            Arguments all) {
  for (const bool begins : {true, false}) {
    begin(begins ? 'b' : 'e', process);
    fmt::format_to(std::back_inserter(buffer_), ",\"tid\":0,\"id\":\"{:#x}\",\"ts\":", id);
    append_microseconds(buffer_, nanoseconds(begins ? from : to));
    buffer_ += ",\"cat\":";
    append_quoted(buffer_, category);
    buffer_ += ",\"name\":";
    append_quoted(buffer_, name);
    if (begins) arguments(all);
    buffer_ += '}';
  }
}

void TraceEventWriter::note(std::string_view key, std::string_view text) {
  if (!notes_.empty()) notes_ += ",\n";
  append_quoted(notes_, key);
  notes_ += ':';
  append_quoted(notes_, text);
}

void TraceEventWriter::finish() {
  buffer_ += "\n],\"otherData\":{\n" + notes_ + "\n}}\n";
  out_ << buffer_;
  buffer_.clear();
}

}  // namespace reticle
