// SPDX-License-Identifier: Apache-2.0
// What holds for every format: finding it, limits, and files that are no traces at all.
#include "workloads/requests/trace_reader.hpp"

#include <doctest/doctest.h>

#include <string>

#include "sim/base/rng.hpp"
#include "tests/workloads/scratch_file.hpp"
#include "workloads/text/line_source.hpp"

using namespace reticle;

namespace {

const std::string kAzure =
    "TIMESTAMP,ContextTokens,GeneratedTokens\n"
    "2023-11-16 18:15:46,374,44\n"
    "2023-11-16 18:15:47,0,44\n"
    "2023-11-16 18:15:48,396,109\n"
    "2023-11-16 18:15:49,what,ever\n";

const std::vector<std::string_view> kAnyFormat{"",         "azure", "burstgpt", "coding-agent",
                                               "mooncake", "qwen",  "reticle"};

std::string failure(const std::string& path, std::string_view format = "") {
  try {
    read_trace(path, format);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("read_trace: a limit stops reading, and the digest still covers the file") {
  const ScratchFile file{kAzure};
  const Trace trace = read_trace(file.path(), "azure", 2);
  CHECK(trace.requests.size() == 2);
  CHECK(trace.skipped == 1);
  CHECK(trace.path == file.path());
  CHECK(trace.digest == fnv1a64(kAzure));
  CHECK_THROWS_WITH_AS(read_trace(file.path(), "azure", 0), "limit: expected at least 1, found 0",
                       ConfigError);
}

TEST_CASE("read_trace: an unknown format is refused with the known ones") {
  const ScratchFile file{kAzure};
  CHECK(failure(file.path(), "csv") ==
        file.path() +
            ": format: expected one of azure, burstgpt, coding-agent, mooncake, qwen, "
            "reticle, found 'csv'");
}

TEST_CASE("read_trace: content that is of no format is refused at its first line") {
  CHECK(complaint("a,b,c\n1,2,3\n") ==
        "F:1:1: format: expected the first line of a trace (azure, burstgpt, coding-agent, "
        "mooncake, qwen, reticle), found 'a,b,c'");
  CHECK(complaint("{\"timestamp\": 0}\n").starts_with("F:1:1: format: "));
}

TEST_CASE("read_trace: an empty file holds no request, in any format") {
  for (const std::string_view format : kAnyFormat) {
    CAPTURE(format);
    CHECK(complaint("", format).starts_with("F: requests: expected at least one, found none"));
    CHECK(complaint("\n\r\n \n", format).starts_with("F: requests: expected at least one"));
  }
}

TEST_CASE("read_trace: a missing file and a directory are named") {
  CHECK(failure("/no/such/file.csv") ==
        "/no/such/file.csv: expected a readable file, found none (No such file or directory)");
  const std::string directory = std::filesystem::temp_directory_path().string();
  CHECK(failure(directory, "azure") == directory + ": expected a readable file, found a directory");
}

TEST_CASE("read_trace: binary garbage is refused with a readable message, in any format") {
  RngStream rng{1, "garbage"};
  std::string garbage;
  for (int i = 0; i < 100'000; ++i) garbage += static_cast<char>(rng.below(256));
  for (const std::string_view format : kAnyFormat) {
    CAPTURE(format);
    const std::string text = complaint(garbage, format);
    CHECK(text.starts_with("F:1:1: "));
    CHECK(text.size() < 300);
    for (const char c : text) CHECK((c >= ' ' && c <= '~'));
  }
}

TEST_CASE("read_trace: damaging any byte of a trace gives a trace or a ConfigError") {
  const std::string good =
      "{\"timestamp\": 10, \"input_length\": 600, \"output_length\": 5, \"hash_ids\": [7, 8]}\n";
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char c : {'\0', '"', '}', '-', '9', '\n', '\\', '['}) {
      std::string damaged = good;
      damaged[at] = c;
      const std::string text = complaint(damaged, "mooncake");
      CHECK((text.empty() || text.starts_with("F:")));
    }
  }
}

TEST_CASE("read_trace: a line without end is refused before it fills the memory") {
  const std::string column = std::to_string(LineSource::kMaxLine + 1);
  const std::string header = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
  CHECK(complaint(header + std::string(LineSource::kMaxLine + 1, '7')) ==
        "F:2:" + column + ": row: expected a line of at most 16777216 bytes, found a longer one");
  CHECK(complaint(header + std::string(LineSource::kMaxLine, '7') + "\n")
            .starts_with("F:2:1: TIMESTAMP: ") == false);
  CHECK(complaint(header + std::string(LineSource::kMaxLine, '7') + "\n")
            .starts_with("F:2:16777217: ContextTokens: "));
}

TEST_CASE("split_trace_argument: only a known format is one") {
  using Pair = std::pair<std::string, std::string>;
  CHECK(split_trace_argument("a/b.csv:azure") == Pair{"a/b.csv", "azure"});
  CHECK(split_trace_argument("a/b.csv") == Pair{"a/b.csv", ""});
  CHECK(split_trace_argument("C:/b.csv") == Pair{"C:/b.csv", ""});
  CHECK(split_trace_argument("a:b:mooncake") == Pair{"a:b", "mooncake"});
  CHECK(split_trace_argument("a.csv:") == Pair{"a.csv:", ""});
  CHECK(split_trace_argument("") == Pair{"", ""});
}

TEST_CASE("trace_formats: lists every format once") {
  CHECK(trace_formats() == std::vector<std::string_view>{"azure", "burstgpt", "coding-agent",
                                                         "mooncake", "qwen", "reticle"});
}
