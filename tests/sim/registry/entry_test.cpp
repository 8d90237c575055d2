// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/entry.hpp"

#include <doctest/doctest.h>

#include <set>

#include "tests/sim/registry/corpus.hpp"

using namespace reticle;
namespace fs = std::filesystem;

namespace {
const fs::path kBroken{RETICLE_SOURCE_DIR "/tests/sim/registry/broken"};

std::string problem_of(const fs::path& file) {
  try {
    (void)parse_entry(test::read_all(file), file.filename().string());
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "none";
}
}  // namespace

TEST_CASE("entry: every broken file is refused where it is wrong, with what was expected") {
  const auto table = test::read_table(kBroken / "expected.tsv");
  CHECK(table.size() >= 80);
  std::set<std::string> listed{"sound.md"};
  for (const auto& row : table) {
    REQUIRE(row.size() == 2);
    listed.insert(row[0]);
    CHECK_MESSAGE(problem_of(kBroken / row[0]) == row[0] + ":" + row[1], row[0]);
  }
  for (const auto& item : fs::directory_iterator{kBroken})
    if (item.path().extension() == ".md")
      CHECK_MESSAGE(listed.contains(item.path().filename().string()), item.path().string());
}

TEST_CASE("entry: a byte order mark and lines ended by CR LF are taken as they are meant") {
  const std::string text = test::read_all(kBroken / "sound.md");
  std::string foreign = "\xEF\xBB\xBF";
  for (const char c : text) foreign += c == '\n' ? "\r\n" : std::string(1, c);
  const Entry plain = parse_entry(text, "sound.md"), read = parse_entry(foreign, "sound.md");
  CHECK(read.name == plain.name);
  CHECK(read.blockers == plain.blockers);
  CHECK(read.body == plain.body);
}

TEST_CASE("entry: a sound file is read whole") {
  const Entry entry = parse_entry(test::read_all(kBroken / "sound.md"), "sound.md");
  CHECK(entry.id == "B7");
  CHECK(entry.type == EntryType::Architecture);
  CHECK(entry.status == EntryStatus::Partial);
  REQUIRE(entry.claims.size() == 1);
  CHECK(entry.claims[0].high == 4);
  CHECK(entry.solutions.at(0).maturity == Maturity::Shipping);
  CHECK(entry.body.find("## Who works on it") != std::string::npos);
  CHECK(entry.due() == Date{2026, 8, 20});
  CHECK_FALSE(entry.stale({2026, 8, 20}));
  CHECK(entry.stale({2026, 8, 21}));
}

TEST_CASE("entry: an error carries its position") {
  try {
    (void)parse_entry(test::read_all(kBroken / "type-unknown.md"), "f.md");
    FAIL("not refused");
  } catch (const ConfigError& error) {
    CHECK(error.position().file == "f.md");
    CHECK(error.position().line == 4);
    CHECK(error.position().column == 7);
  }
}

TEST_CASE("entry: numbers of a text are those that stand in it") {
  CHECK(numbers_in("10-50x decode") == std::vector<double>{10, 50});
  CHECK(numbers_in("~30% on rollouts, 1.5 TB") == std::vector<double>{30, 1.5});
  CHECK(numbers_in("none").empty());
}

TEST_CASE("entry: a citation names a year or an address") {
  for (const auto* text :
       {"Kwon et al. 2023", "https://example.org/a", "arXiv:2501.00001", "(1999)"})
    CHECK_MESSAGE(is_citation(text), text);
  for (const auto* text : {"various", "ongoing", "report 120245", "20255", "page 2100 of"})
    CHECK_FALSE_MESSAGE(is_citation(text), text);
}
