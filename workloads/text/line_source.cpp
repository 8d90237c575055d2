// SPDX-License-Identifier: Apache-2.0
#include "workloads/text/line_source.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include "sim/base/rng.hpp"

namespace reticle {

/// Bytes of a file, unpacked where it begins as gzip does: member after member, to its end.
/// zlib's own gzread leaves out whatever follows a member and is none, a damaged one included.
struct LineSource::File {
  explicit File(const std::string& path) : descriptor{::open(path.c_str(), O_RDONLY | O_CLOEXEC)} {}
  ~File() {
    if (zipped) inflateEnd(&stream);
    if (descriptor >= 0) ::close(descriptor);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  /// How many came; 0 at the end of the file, or where there is a problem.
  std::size_t read(char* out, std::size_t size) {
    if (!begun) begin();
    return zipped ? unpack(out, size) : copy(out, size);
  }

  int descriptor;
  std::string problem{};

 private:
  /// Until two bytes are there: ID1 and ID2 of gzip [RFC 1952 section 2.3.1].
  void begin() {
    begun = true;
    while (stream.avail_in < 2 && fill()) {
    }
    if (stream.avail_in < 2 || stream.next_in[0] != 0x1f || stream.next_in[1] != 0x8b) return;
    constexpr int kGzipOnly = 16 + MAX_WBITS;  // [zlib.h, inflateInit2]
    zipped = inflateInit2(&stream, kGzipOnly) == Z_OK;
    if (!zipped) problem = "expected room in memory to unpack, found none";
  }

  /// More of the file behind what is left of it.
  bool fill() {
    if (stream.avail_in > 0) std::copy_n(stream.next_in, stream.avail_in, packed.data());
    stream.next_in = packed.data();
    ssize_t n = 0;
    do {
      n = ::read(descriptor, packed.data() + stream.avail_in, packed.size() - stream.avail_in);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
      problem = "expected a readable file, found " + std::generic_category().message(errno);
    if (n > 0) stream.avail_in += static_cast<unsigned>(n);
    return n > 0;
  }

  std::size_t copy(char* out, std::size_t size) {
    if (stream.avail_in == 0 && !fill()) return 0;
    const std::size_t n = std::min<std::size_t>(size, stream.avail_in);
    std::copy_n(stream.next_in, n, out);
    stream.next_in += n;
    stream.avail_in -= static_cast<unsigned>(n);
    return n;
  }

  std::size_t unpack(char* out, std::size_t size) {
    stream.next_out = reinterpret_cast<Bytef*>(out);
    stream.avail_out = static_cast<unsigned>(size);
    while (stream.avail_out == size && problem.empty()) {
      if (stream.avail_in == 0 && !fill()) {
        if (in_member && problem.empty())
          problem = "expected the rest of a gzipped file, found its end";
        return 0;
      }
      if (!in_member) next_member();
      if (!in_member) continue;
      const int state = inflate(&stream, Z_NO_FLUSH);
      in_member = state != Z_STREAM_END;
      if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR)
        problem = std::string{"expected a gzipped file, found "} +
                  (stream.msg == nullptr ? "damage" : stream.msg);
    }
    return size - stream.avail_out;
  }

  /// Zeros may fill the last block of a tape [gzip(1)].
  void next_member() {
    if (*stream.next_in == 0) {
      padded = true;
      ++stream.next_in;
      --stream.avail_in;
    } else if (padded || *stream.next_in != 0x1f) {
      problem = "expected another gzipped part or the end of the file, found other bytes";
    } else {
      in_member = inflateReset(&stream) == Z_OK;
    }
  }

  bool begun = false, zipped = false, in_member = false, padded = false;
  z_stream stream{};
  std::vector<Bytef> packed = std::vector<Bytef>(std::size_t{64} << 10);
};

void LineSource::Close::operator()(File* file) const { delete file; }

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
  file_.reset(new File{path_});
  if (file_->descriptor < 0)
    throw ConfigError{
        {path_},
        "",
        "expected a readable file, found none (" + std::generic_category().message(errno) + ")"};
}

bool LineSource::refill() {
  begin_ = 0;
  end_ = file_->read(buffer_.data(), buffer_.size());
  // What came before it is read first.
  if (end_ == 0 && !file_->problem.empty())
    throw ConfigError{{path_, number_ + 1, 1}, "", file_->problem};
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
