// SPDX-License-Identifier: Apache-2.0
// Gzipped traces read as plain ones do; damaged ones are refused by name and line.
#include <doctest/doctest.h>
#include <zlib.h>

#include <string>

#include "tests/workloads/scratch_file.hpp"
#include "workloads/requests/trace_stream.hpp"

using namespace reticle;

namespace {

std::string zipped(const std::string& text) {
  const ScratchFile file;
  gzFile out = gzopen(file.path().c_str(), "wb");
  gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
  gzclose(out);
  std::ifstream in{file.path(), std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::string rows(int count) {
  std::string text = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
  for (int i = 0; i < count; ++i)
    text += "2023-11-16 18:15:46," + std::to_string(1 + i * 7919 % 9973) + "," +
            std::to_string(1 + i * 104'729 % 997) + "\n";
  return text;
}

}  // namespace

TEST_CASE("gzip: a packed trace gives the requests and the digest of the plain one") {
  const std::string text = rows(20'000);  // several buffers
  const Trace plain = read_text(text);
  const Trace packed = read_text(zipped(text));
  CHECK(packed.format == "azure");
  CHECK(packed.digest == plain.digest);
  CHECK(packed.requests == plain.requests);
}

TEST_CASE("gzip: a file cut short is refused wherever the cut is, also when rows may be skipped") {
  const std::string whole = zipped(rows(20'000));
  for (const double share : {0.1, 0.5, 0.9, 0.999}) {
    CAPTURE(share);
    const std::string cut =
        whole.substr(0, static_cast<std::size_t>(share * static_cast<double>(whole.size())));
    CHECK(complaint(cut, "azure").find("expected the rest of a gzipped file, found its end") !=
          std::string::npos);
    const ScratchFile file{cut};
    CHECK_THROWS_AS(read_trace(file.path(), "azure", {.skip_bad_rows = true}), ConfigError);
  }
}

TEST_CASE("gzip: members follow one another, zeros may fill the end, and nothing else may") {
  const std::string text = rows(20'000);
  const std::size_t half = text.find('\n', text.size() / 2) + 1;
  const std::string two = zipped(text.substr(0, half)) + zipped(text.substr(half));
  const Trace plain = read_text(text);
  for (const std::string& packed : {two, two + std::string(1024, '\0')}) {
    const Trace trace = read_text(packed);
    CHECK(trace.requests == plain.requests);
    CHECK(trace.digest == plain.digest);
  }
  // The rows of the second half are not to go missing.
  std::string damaged = two;
  damaged[zipped(text.substr(0, half)).size()] = '\0';
  for (const std::string& packed :
       {two + "more", two + std::string(8, '\0') + "more", damaged, two + "\x1f"})
    CHECK(complaint(packed, "azure").starts_with("F:"));
  CHECK(complaint(two + "more", "azure")
            .find("expected another gzipped part or the end of the file, found other bytes") !=
        std::string::npos);
}

TEST_CASE("gzip: a file damaged in the middle is refused with the line it reached") {
  std::string damaged = zipped(rows(20'000));
  for (std::size_t at = damaged.size() / 2; at < damaged.size() / 2 + 64; ++at)
    damaged[at] = '\xff';
  const std::string text = complaint(damaged, "azure");
  CAPTURE(text);
  CHECK(text.starts_with("F:"));
  CHECK(text.find("azure") == std::string::npos);
}
