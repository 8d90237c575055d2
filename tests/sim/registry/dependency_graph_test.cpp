// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/dependency_graph.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/sim/registry/example_entry.hpp"

using namespace reticle;
using test::example_entry;
using Ids = std::vector<std::string>;

TEST_CASE("dependency graph: in a chain each is downstream of those before it") {
  // B3 -> B2 -> B1, with priorities 1, 2, 4.
  const DependencyGraph graph{
      {example_entry(1, {}, 1), example_entry(2, {"B1"}, 2), example_entry(3, {"B2"}, 4)}};
  const auto& nodes = graph.nodes();
  CHECK(nodes[0].downstream == Ids{"B2", "B3"});
  CHECK(nodes[0].downstream_priority == 6);
  CHECK(nodes[0].unlocks == Ids{"B2"});
  CHECK(nodes[2].downstream.empty());
  CHECK((nodes[0].root && !nodes[1].root && !nodes[2].root));
  CHECK(nodes[2].level == 2);
  CHECK(graph.circles().empty());
  REQUIRE(graph.critical_chains().size() == 1);
  CHECK(graph.critical_chains()[0] == std::vector<Ids>{{"B1"}, {"B2"}, {"B3"}});
}

TEST_CASE("dependency graph: who depend on each other are a group with one level and one reach") {
  // B1 <-> B2, B3 on B1.
  const DependencyGraph graph{
      {example_entry(1, {"B2"}, 3), example_entry(2, {"B1"}, 4), example_entry(3, {"B1"}, 5)}};
  CHECK(graph.circles() == std::vector<Ids>{{"B1", "B2"}});
  CHECK(graph.nodes()[0].downstream == Ids{"B2", "B3"});
  CHECK(graph.nodes()[1].downstream == Ids{"B1", "B3"});
  CHECK(graph.nodes()[1].downstream_priority == 8);
  CHECK((graph.nodes()[0].root && graph.nodes()[1].root));
  REQUIRE(graph.critical_chains().size() == 1);
  CHECK(graph.critical_chains()[0] == std::vector<Ids>{{"B1", "B2"}, {"B3"}});
}

TEST_CASE("dependency graph: a diamond has two critical chains, and reaches its end once") {
  const DependencyGraph graph{{example_entry(1), example_entry(2, {"B1"}), example_entry(3, {"B1"}),
                               example_entry(4, {"B2", "B3"}, 5)}};
  CHECK(graph.nodes()[0].downstream == Ids{"B2", "B3", "B4"});
  CHECK(graph.nodes()[0].downstream_priority == 7);
  CHECK(graph.critical_chains().size() == 2);
}

TEST_CASE("dependency graph: the order is by priority, then ease, then reach, then number") {
  const DependencyGraph graph{{example_entry(1, {}, 3, 2), example_entry(2, {}, 5, 4),
                               example_entry(3, {}, 5, 2), example_entry(4, {}, 3, 2),
                               example_entry(5, {"B4"}, 1, 1)}};
  CHECK(graph.order() == Ids{"B3", "B2", "B4", "B1", "B5"});
}

TEST_CASE("dependency graph: numbers of entries do not matter to its shape") {
  const DependencyGraph there{
      {example_entry(1), example_entry(2, {"B1"}), example_entry(9, {"B2"})}};
  const DependencyGraph back{
      {example_entry(1, {"B2"}), example_entry(2, {"B9"}), example_entry(9)}};
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(there.nodes()[i].level == back.nodes()[2 - i].level);
    CHECK(there.nodes()[i].downstream_priority == back.nodes()[2 - i].downstream_priority);
  }
}

TEST_CASE("dependency graph: an edge to an id that no entry has is left to lint") {
  const DependencyGraph graph{{example_entry(1, {"B9"})}};
  CHECK(graph.nodes()[0].needs.empty());
  CHECK(graph.nodes()[0].root);
  CHECK(graph.critical_chains().empty());
}

TEST_CASE("dependency graph: JSON has every edge once, Graphviz escapes quotes") {
  std::vector<Entry> entries{example_entry(1), example_entry(2, {"B1"})};
  entries[0].name = "the \"wall\"";
  const DependencyGraph graph{entries};
  const auto json = nlohmann::json::parse(graph_json(graph));
  REQUIRE(json["edges"].size() == 1);
  CHECK(json["edges"][0]["from"] == "B2");
  CHECK(json["edges"][0]["depends_on"] == "B1");
  CHECK(graph_dot(graph).find("the \\\"wall\\\"") != std::string::npos);
  CHECK(graph_dot(graph).find("B2 -> B1;") != std::string::npos);
  CHECK(graph_dot(graph).find("label=\"B1\\n") != std::string::npos);  // one backslash
}
