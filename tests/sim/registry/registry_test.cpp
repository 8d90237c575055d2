// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/registry.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/sim/registry/corpus.hpp"

using namespace reticle;
namespace fs = std::filesystem;

namespace {
const fs::path kSets{RETICLE_SOURCE_DIR "/tests/sim/registry/broken_sets"};
const fs::path kShipped{RETICLE_SOURCE_DIR "/configs/registry"};
constexpr Date kAsOf{2026, 8, 1};

/// Linted against the sound state that the edits of some sets began from.
Registry linted(const std::string& set) {
  Registry registry = read_registry(kSets / set, "@");
  lint_registry(registry, kAsOf);
  lint_change(registry, read_registry(kSets / "before", "before"));
  return registry;
}

bool has(const Registry& registry, Severity severity, const std::string& text) {
  return std::ranges::any_of(registry.findings, [&](const LintFinding& finding) {
    return finding.severity == severity && finding.text == text;
  });
}
}  // namespace

TEST_CASE("registry: every broken directory has its finding, at its place") {
  for (const auto& row : test::read_table(kSets / "expected.tsv")) {
    REQUIRE(row.size() == 3);
    const Severity severity = row[1] == "error" ? Severity::Error : Severity::Warning;
    CHECK_MESSAGE(has(linted(row[0]), severity, "@/" + row[2]), row[0]);
  }
}

TEST_CASE("registry: what nobody changed has no finding") {
  CHECK(linted("before").findings.empty());
}

TEST_CASE("registry: what the ledger once said it says for ever") {
  Registry before;
  before.ledger_file = "before";
  before.ledger = {{"B1", {.name = "one", .given = "2026-04-22"}},
                   {"B2", {.name = "two", .given = "2026-04-22", .retired = true}}};
  const auto finding = [&](const std::string& id, const LedgerItem& item) {
    Registry now = before;
    now.ledger_file = "@/ledger.yaml";
    now.ledger[id] = item;
    lint_change(now, before);
    return now.findings.empty() ? "none" : now.findings[0].text;
  };
  CHECK(finding("B1", before.ledger.at("B1")) == "none");
  CHECK(finding("B1", {.name = "one", .given = "2026-04-22", .retired = true}) == "none");
  CHECK(finding("B3", {.name = "three", .given = "2026-05-01"}) == "none");
  CHECK(finding("B1", {.name = "other", .given = "2026-04-22"}) ==
        "B1: was given to 'one' on 2026-04-22: that stays");
  CHECK(finding("B1", {.name = "one", .given = "2026-04-23"}) ==
        "B1: was given to 'one' on 2026-04-22: that stays");
  CHECK(finding("B2", {.name = "two", .given = "2026-04-22"}) == "B2: was retired: that stays");
}

TEST_CASE("registry: the eighteen shipped entries lint clean on the day of their review") {
  Registry registry = read_registry(kShipped, "configs/registry");
  lint_registry(registry, {2026, 4, 22});
  CHECK(registry.entries.size() == 18);
  CHECK(registry.errors() == 0);
  REQUIRE(registry.findings.size() == 2);  // the two circles, which are not hidden
  CHECK(registry.findings[0].text.find("B6, B16 depend on each other") != std::string::npos);
  CHECK(registry.findings[1].text.find("B8, B15 depend on each other") != std::string::npos);
}

TEST_CASE("registry: entries go stale as their cadences pass, the shortest first") {
  const auto stale = [](const Date& as_of) {
    const Registry registry = read_registry(kShipped, "configs/registry");
    std::vector<std::string> ids;
    for (const Entry& entry : registry.entries)
      if (entry.stale(as_of)) ids.push_back(entry.id);
    return ids;
  };
  CHECK(stale({2026, 6, 21}).empty());
  CHECK(stale({2026, 6, 22}) == std::vector<std::string>{"B6", "B16"});
  CHECK(stale({2026, 7, 22}).size() == 8);
  CHECK(stale({2026, 10, 20}).size() == 18);
}

TEST_CASE("registry: JSON of a lint has file, line and column of every finding") {
  Registry registry = read_registry(kSets / "dangling", "@");
  lint_registry(registry, kAsOf);
  const auto json = nlohmann::json::parse(lint_json(registry, kAsOf));
  CHECK(json["errors"] == 1);
  const auto& finding = json["findings"][0];
  CHECK(finding["rule"] == "reference");
  CHECK(finding["file"] == "@/b07-a.md");
  CHECK(finding["line"] == 11);
  CHECK(finding["column"] == 13);
}

TEST_CASE("registry: a near id is offered for one that is not there") {
  const Registry registry = read_registry(kShipped, "configs/registry");
  CHECK_THROWS_WITH_AS((void)require_entry(registry, "B77"), doctest::Contains("no entry 'B77'"),
                       ConfigError);
}
