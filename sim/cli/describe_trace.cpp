// SPDX-License-Identifier: Apache-2.0
// reticle workload describe
#include "sim/cli/describe_trace.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <vector>

#include "sim/base/error.hpp"
#include "sim/base/file_writer.hpp"
#include "workloads/requests/trace_plot.hpp"
#include "workloads/requests/trace_reader.hpp"
#include "workloads/requests/trace_statistics.hpp"
#include "workloads/requests/trace_stream.hpp"

namespace reticle {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<const char*, double>, 4> kPercentiles{
    {{"p50", 50}, {"p90", 90}, {"p95", 95}, {"p99", 99}}};

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

Json lengths_json(const LengthHistogram& lengths) {
  Json json{{"mean", lengths.mean()}};
  for (const auto& [name, percent] : kPercentiles) json[name] = lengths.percentile(percent);
  json["max"] = lengths.max();
  return json;
}

Json prefix_json(const TraceStream& stream, const TraceStatistics& figures) {
  const auto prefix = figures.prefix();
  if (!prefix) return nullptr;
  return {{"block_tokens", stream.block_tokens()},
          {"blocks", prefix->blocks},
          {"distinct_blocks", prefix->distinct_blocks},
          {"hit_token_fraction", share(prefix->hit_tokens, prefix->tokens)},
          {"hit_block_fraction", share(prefix->hit_blocks, prefix->blocks)},
          {"complete", prefix->complete}};
}

Json to_json(TraceStream& stream, const TraceStatistics& figures) {
  Json json{{"path", stream.path()},
            {"format", stream.format()},
            {"digest", fmt::format("{:016x}", stream.digest())},
            {"requests", figures.requests()},
            {"skipped_rows", stream.skipped()},
            {"bad_rows", stream.bad_rows()},
            {"span_s", seconds(figures.span())},
            {"rate_per_s", or_null(figures.rate())},
            {"gap_cv", or_null(figures.gap_cv())},
            {"dispersion_per_s", or_null(figures.dispersion())},
            {"peak_per_s", figures.peak_per_second()},
            {"input_tokens", lengths_json(figures.input())},
            {"output_tokens", lengths_json(figures.output())},
            {"thinking_tokens", figures.thinking_tokens()},
            {"prefix", prefix_json(stream, figures)},
            {"sessions", nullptr},
            {"adapters", figures.adapters()}};
  if (figures.sessions() > 0)
    json["sessions"] = {
        {"count", figures.sessions()},
        {"requests_mean", share(figures.requests_of_sessions(), figures.sessions())},
        {"sub_agent_requests", figures.requests_of_sub_agents()},
        {"complete", figures.sessions_complete()}};
  return json;
}

std::string text_or_dash(const std::optional<double>& value, int digits) {
  return value ? fmt::format("{:.{}f}", *value, digits) : "-";
}

void print_text(const TraceStream& stream, const TraceStatistics& figures) {
  fmt::print("{}\n  format    {}\n  requests  {} ({} rows skipped: no tokens", stream.path(),
             stream.format(), figures.requests(), stream.skipped());
  if (stream.bad_rows() > 0) fmt::print("; {} malformed rows left out", stream.bad_rows());
  fmt::print(")\n");
  for (const std::string& message : stream.bad_row_messages())
    fmt::print("            {}\n", message);
  fmt::print("  span      {:.1f} s, {} per second\n", seconds(figures.span()),
             text_or_dash(figures.rate(), 3));  // three digits
  fmt::print("  bursts    CV of gaps {}, dispersion per second {}, peak {} per second\n",
             text_or_dash(figures.gap_cv(), 2), text_or_dash(figures.dispersion(), 2),
             figures.peak_per_second());
  fmt::print("  {:<8}{:>12}{:>10}{:>10}{:>10}{:>10}\n", "tokens", "mean", "p50", "p95", "p99",
             "max");
  const auto row = [](const char* name, const LengthHistogram& lengths) {
    fmt::print("  {:<8}{:>12.1f}{:>10}{:>10}{:>10}{:>10}\n", name, lengths.mean(),
               lengths.percentile(50), lengths.percentile(95), lengths.percentile(99),  // as headed
               lengths.max());
  };
  row("input", figures.input());
  row("output", figures.output());
  if (figures.thinking_tokens() > 0)
    fmt::print("  thinking  {} of the output tokens\n", figures.thinking_tokens());
  if (const auto prefix = figures.prefix()) {
    fmt::print("  prefix    {:.2f} % of prompt tokens hit in an endless cache{}\n",
               100 * share(prefix->hit_tokens, prefix->tokens),
               prefix->complete ? "" : " (of the requests until the set of ids was full)");
    fmt::print("            {:.2f} % of {} blocks of {} tokens, {} distinct\n",
               100 * share(prefix->hit_blocks, prefix->blocks), prefix->blocks,
               stream.block_tokens(), prefix->distinct_blocks);
  }
  if (figures.sessions() > 0)
    fmt::print("  sessions  {}{}, {:.1f} requests each, {} requests by sub-agents\n",
               figures.sessions_complete() ? "" : "more than ", figures.sessions(),
               share(figures.requests_of_sessions(), figures.sessions()),
               figures.requests_of_sub_agents());
  if (figures.adapters() > 0) fmt::print("  adapters  {}\n", figures.adapters());
}

/// Sees to it that a descriptor is closed.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_{descriptor} {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return descriptor_; }
  void close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }

 private:
  int descriptor_;
};

/// What a converter makes of `svg`, which it reads and writes as its standard streams: no shell, no
/// file's name that could be an option, no file in between. Empty where it is not there or fails.
std::string converted(const std::vector<const char*>& command, const std::string& svg) {
  const auto refuse = [&](const char* what) {
    throw ConfigError({command.front(), 0, 0}, "--plot",
                      std::string{what} + ": " + std::generic_category().message(errno));
  };
  const Descriptor in{::memfd_create("plot.svg", MFD_CLOEXEC)};
  std::array<int, 2> ends{};
  if (in.get() < 0) refuse("cannot hold the drawing");
  for (std::string_view rest{svg}; !rest.empty();) {
    const ssize_t n = ::write(in.get(), rest.data(), rest.size());
    if (n < 0) refuse("cannot hold the drawing");
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  ::lseek(in.get(), 0, SEEK_SET);
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) refuse("cannot open a pipe");
  const Descriptor out{ends[0]};
  Descriptor its_end{ends[1]};
  const pid_t child = ::fork();
  if (child < 0) refuse("cannot start a process");
  if (child == 0) {
    ::dup2(in.get(), STDIN_FILENO);
    ::dup2(its_end.get(), STDOUT_FILENO);
    ::execvp(command.front(), const_cast<char* const*>(command.data()));
    ::_exit(127);  // as a shell: cannot be run
  }
  its_end.close();
  std::string picture;
  std::vector<char> part(std::size_t{64} << 10U);  // a pipe's buffer
  while (const ssize_t n = ::read(out.get(), part.data(), part.size())) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    picture.append(part.data(), static_cast<std::size_t>(n));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  const bool done = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return done && picture.starts_with("\x89PNG") ? picture : std::string{};
}

void write_plot(const std::string& path, const std::string& svg) {
  if (path.ends_with(".svg")) {
    write_file_atomically(path, svg);
    return;
  }
  std::string picture = converted({"rsvg-convert", nullptr}, svg);
  if (picture.empty()) picture = converted({"convert", "svg:-", "png:-", nullptr}, svg);
  if (picture.empty())
    throw ConfigError{{path},
                      "--plot",
                      "expected rsvg-convert or ImageMagick's convert, which make a PNG of an "
                      "SVG, found neither at work; name a file .svg"};
  write_file_atomically(path, picture);
}

}  // namespace

void describe_trace(const DescribeTrace& request) {
  if (!request.plot.empty() && !request.plot.ends_with(".svg") && !request.plot.ends_with(".png"))
    throw ConfigError{"--plot: expected a file .svg or .png, got '" + request.plot + "'"};
  const auto [path, format] = split_trace_argument(request.trace);
  TraceStream stream{path, format, request.options};
  std::optional<TraceStatistics> figures;
  Request row;
  while (stream.next(row)) {
    // Our own format says its block size in the header, which has been read by now.
    if (!figures)
      figures.emplace(stream.block_tokens(), request.prefix ? TraceStatistics::kMostIds : 0);
    figures->add(row);
  }
  if (!figures) throw stream.none_found();
  if (!request.plot.empty())
    write_plot(request.plot, trace_svg(*figures, std::filesystem::path{path}.filename().string()));
  if (request.json) {
    fmt::print("{}\n", to_json(stream, *figures).dump(2));
  } else {
    print_text(stream, *figures);
  }
}

}  // namespace reticle
