// SPDX-License-Identifier: Apache-2.0
// The dependency graph as text, JSON and Graphviz.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sim/registry/dependency_graph.hpp"

namespace reticle {

namespace {
using Json = nlohmann::ordered_json;

std::string chain_text(const std::vector<std::vector<std::string>>& chain) {
  std::vector<std::string> steps;
  for (const auto& group : chain) steps.push_back(fmt::format("{}", fmt::join(group, " + ")));
  return fmt::format("{}", fmt::join(steps, " > "));
}

std::vector<const GraphNode*> by_value(const DependencyGraph& graph) {
  std::vector<const GraphNode*> nodes;
  for (const GraphNode& node : graph.nodes()) nodes.push_back(&node);
  std::ranges::stable_sort(nodes, std::greater{}, &GraphNode::downstream_priority);
  return nodes;
}

std::string or_none(const std::vector<std::string>& ids) {
  return ids.empty() ? "-" : fmt::format("{}", fmt::join(ids, " "));
}

/// Graphviz knows two characters to escape in quotes.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out + "\"";
}
}  // namespace

std::string graph_json(const DependencyGraph& graph) {
  Json nodes = Json::array();
  for (const GraphNode& node : graph.nodes())
    nodes.push_back({{"id", node.id},
                     {"name", node.name},
                     {"type", name_of(node.type)},
                     {"priority", node.priority},
                     {"difficulty", node.difficulty},
                     {"depends_on", node.needs},
                     {"unlocks", node.unlocks},
                     {"downstream", node.downstream},
                     {"downstream_priority", node.downstream_priority},
                     {"root", node.root},
                     {"level", node.level}});
  Json edges = Json::array();
  for (const GraphNode& node : graph.nodes())
    for (const auto& id : node.needs) edges.push_back({{"from", node.id}, {"depends_on", id}});
  Json chains = Json::array();
  for (const auto& chain : graph.critical_chains()) chains.push_back(chain);
  const Json document{{"schema", "reticle-registry-graph-1"},
                      {"nodes", nodes},
                      {"edges", edges},
                      {"circles", graph.circles()},
                      {"critical_chains", chains},
                      {"order", graph.order()}};
  return document.dump(2) + "\n";
}

std::string graph_dot(const DependencyGraph& graph) {
  std::string out =
      "// An arrow points at what is depended on.\ndigraph registry {\n"
      "  rankdir=RL;\n  node [shape=box, fontname=\"sans-serif\"];\n";
  for (const GraphNode& node : graph.nodes())
    out += fmt::format("  {} [label={}];\n", node.id, quoted(node.id + "\n" + node.name));
  for (const GraphNode& node : graph.nodes())
    for (const auto& id : node.needs) out += fmt::format("  {} -> {};\n", node.id, id);
  for (std::size_t i = 0; i < graph.circles().size(); ++i)
    out += fmt::format("  subgraph cluster_{} {{ label=\"depend on each other\"; {}; }}\n", i,
                       fmt::join(graph.circles()[i], "; "));
  return out + "}\n";
}

std::string graph_text(const DependencyGraph& graph) {
  std::string out = fmt::format("{:5} {:14} {:14} {:>5}  {}\n", "id", "depends on", "unlocks",
                                "value", "reaches");
  for (const GraphNode* node : by_value(graph))
    out +=
        fmt::format("{:5} {:14} {:14} {:>5}  {}\n", node->id, or_none(node->needs),
                    or_none(node->unlocks), node->downstream_priority, or_none(node->downstream));
  std::vector<std::string> roots;
  for (const GraphNode& node : graph.nodes())
    if (node.root) roots.push_back(node.id);
  out += fmt::format("\nroots (depend on nobody else): {}\n", fmt::join(roots, " "));
  for (const auto& circle : graph.circles())
    out += fmt::format("depend on each other: {}\n", fmt::join(circle, ", "));
  for (const auto& chain : graph.critical_chains())
    out += fmt::format("critical chain: {}\n", chain_text(chain));
  return out +
         fmt::format("order (priority, difficulty, reach): {}\n", fmt::join(graph.order(), " "));
}

}  // namespace reticle
