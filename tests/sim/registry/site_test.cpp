// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "sim/registry/atom.hpp"
#include "sim/registry/graph_svg.hpp"
#include "sim/registry/pages.hpp"
#include "tests/sim/registry/example_entry.hpp"

using namespace reticle;

namespace {
Registry example_registry() {
  Registry registry;
  registry.entries = {test::example_entry(1), test::example_entry(2, {"B1"})};
  registry.entries[0].name = "<script>alert(1)</script>";
  registry.entries[0].tags = {"memory"};
  registry.entries[0].body = "## What it is\n\n<img src=x onerror=alert(1)>\n";
  registry.entries[0].history = {{{2026, 4, 22}, "entered", EntryStatus::Open, ""}};
  registry.entries[1].history = {{{2026, 4, 22}, "entered", EntryStatus::Open, ""},
                                 {{2026, 5, 1}, "done", EntryStatus::Resolved, "A 2026"}};
  return registry;
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
}  // namespace

TEST_CASE("site: a page for every entry, a feed for every tag and type, in the same bytes again") {
  const auto files = site_files(example_registry(), {}, {2026, 8, 1});
  for (const auto* name : {"index.html", "graph.html", "dashboards.html", "changes.html",
                           "style.css", "site.js", "entries/b01.html", "entries/b02.html",
                           "feeds/all.xml", "feeds/tag-memory.xml", "feeds/tag-physics.xml"})
    CHECK_MESSAGE(files.contains(name), name);
  CHECK(files.size() == 11);
  CHECK(files == site_files(example_registry(), {}, {2026, 8, 1}));
}

TEST_CASE("site: what an entry says stays text on every page") {
  for (const auto& [name, content] : site_files(example_registry(), {}, {2026, 8, 1})) {
    CHECK_FALSE_MESSAGE(has(content, "<script>alert"), name);
    CHECK_FALSE_MESSAGE(has(content, "<img"), name);
  }
}

TEST_CASE("site: entries past their review are flagged as of the day, not before") {
  const auto late = site_files(example_registry(), {}, {2026, 8, 1});
  const auto early = site_files(example_registry(), {}, {2026, 5, 1});
  CHECK(has(late.at("index.html"), "class=\"stale\""));
  CHECK_FALSE(has(early.at("index.html"), "class=\"stale\""));
}

TEST_CASE("site: what was resolved is on the dashboards with its evidence") {
  const auto files = site_files(example_registry(), {}, {2026, 8, 1});
  CHECK(has(files.at("dashboards.html"), "2026-05-01"));
  CHECK(has(files.at("dashboards.html"), "A 2026"));
}

TEST_CASE("feed: the newest first, every item with an id of its own") {
  const Registry registry = example_registry();
  const auto items = history_of({&registry.entries[0], &registry.entries[1]});
  REQUIRE(items.size() == 3);
  CHECK(items[0].item().change == "done");
  const std::string feed = atom_feed("All", "all", items, "../entries/");
  CHECK(has(feed, "<updated>2026-05-01T00:00:00Z</updated>"));
  CHECK(has(feed, "urn:reticle:registry:B2:1"));
  CHECK(has(feed, "href=\"../entries/b02.html\""));
}

TEST_CASE("graph: every entry is a link, every dependency an edge to what depends") {
  const std::string svg = graph_svg(DependencyGraph{example_registry().entries}, "entries/");
  CHECK(has(svg, "href=\"entries/b01.html\""));
  CHECK(has(svg, "data-from=\"B1\" data-to=\"B2\""));
  CHECK_FALSE(has(svg, "data-from=\"B2\""));
}
