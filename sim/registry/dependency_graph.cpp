// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/dependency_graph.hpp"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/strong_components.hpp>
#include <boost/graph/topological_sort.hpp>
#include <boost/graph/transitive_closure.hpp>
#include <map>
#include <set>
#include <tuple>

namespace reticle {

namespace {
using Graph = boost::adjacency_list<boost::setS, boost::vecS, boost::bidirectionalS>;
using Groups = std::vector<std::vector<std::size_t>>;  ///< members by component, ascending

Graph edges_of(const std::vector<Entry>& entries) {
  std::map<std::string, std::size_t> at;
  for (std::size_t i = 0; i < entries.size(); ++i) at.emplace(entries[i].id, i);
  Graph graph(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i)
    for (const std::string& id : entries[i].depends_on)
      if (const auto target = at.find(id); target != at.end())
        boost::add_edge(i, target->second, graph);
  return graph;
}

/// Component of each entry, and the members of each component.
std::pair<std::vector<std::size_t>, Groups> components_of(const Graph& graph) {
  std::vector<std::size_t> component(boost::num_vertices(graph));
  const std::size_t n = boost::strong_components(
      graph,
      boost::make_iterator_property_map(component.begin(), boost::get(boost::vertex_index, graph)));
  Groups groups(n);
  for (std::size_t i = 0; i < component.size(); ++i) groups[component[i]].push_back(i);
  return {component, groups};
}

Graph condensed(const Graph& graph, const std::vector<std::size_t>& component, std::size_t n) {
  Graph groups(n);
  for (const auto edge : boost::make_iterator_range(boost::edges(graph))) {
    const std::size_t from = component[source(edge, graph)], to = component[target(edge, graph)];
    if (from != to) boost::add_edge(from, to, groups);
  }
  return groups;
}

/// Longest way to a root, by group: what a group needs comes before it in the sort.
std::vector<int> levels_of(const Graph& groups) {
  std::vector<std::size_t> order;
  boost::topological_sort(groups, std::back_inserter(order));
  std::vector<int> level(boost::num_vertices(groups), 0);
  for (const std::size_t g : order)
    for (const auto edge : boost::make_iterator_range(boost::out_edges(g, groups)))
      level[g] = std::max(level[g], level[target(edge, groups)] + 1);
  return level;
}

/// Every way down from a group of the greatest level, each step to a group one level lower.
void walk(const Graph& groups, const std::vector<int>& level, std::vector<std::size_t>& way,
          std::vector<std::vector<std::size_t>>& ways) {
  const std::size_t here = way.back();
  if (level[here] == 0) {
    ways.emplace_back(way.rbegin(), way.rend());
    return;
  }
  for (const auto edge : boost::make_iterator_range(boost::out_edges(here, groups))) {
    const std::size_t next = target(edge, groups);
    if (level[next] + 1 != level[here]) continue;
    way.push_back(next);
    walk(groups, level, way, ways);
    way.pop_back();
  }
}

std::vector<std::vector<std::size_t>> longest_ways(const Graph& groups,
                                                   const std::vector<int>& level) {
  std::vector<std::vector<std::size_t>> ways;
  if (level.empty()) return ways;
  const int most = *std::ranges::max_element(level);
  for (std::size_t g = 0; most > 0 && g < level.size(); ++g) {
    std::vector<std::size_t> way{g};
    if (level[g] == most) walk(groups, level, way, ways);
  }
  std::ranges::sort(ways);
  return ways;
}
}  // namespace

DependencyGraph::DependencyGraph(const std::vector<Entry>& entries) {
  const Graph graph = edges_of(entries);
  // Not a structured binding: clang before 16 lets no lambda have one.
  const auto parts = components_of(graph);
  const auto& component = parts.first;
  const Groups& members = parts.second;
  const Graph groups = condensed(graph, component, members.size());
  const std::vector<int> level = levels_of(groups);
  Graph reach;
  boost::transitive_closure(graph, reach);

  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    GraphNode node{
        entry.id, entry.name, entry.type, entry.priority,           entry.difficulty,   {},
        {},       {},         0,          level[component[i]] == 0, level[component[i]]};
    for (std::size_t j = 0; j < entries.size(); ++j) {
      if (j == i) continue;
      if (boost::edge(i, j, graph).second) node.needs.push_back(entries[j].id);
      if (boost::edge(j, i, graph).second) node.unlocks.push_back(entries[j].id);
      if (!boost::edge(j, i, reach).second) continue;
      node.downstream.push_back(entries[j].id);
      node.downstream_priority += entries[j].priority;
    }
    nodes_.push_back(std::move(node));
  }
  const auto ids = [&](std::size_t group) {
    std::vector<std::string> found;
    for (const std::size_t i : members[group]) found.push_back(entries[i].id);
    return found;
  };
  std::vector<std::pair<std::size_t, std::size_t>> found;  // first member, group
  for (std::size_t g = 0; g < members.size(); ++g)
    if (members[g].size() > 1) found.emplace_back(members[g].front(), g);
  std::ranges::sort(found);
  for (const auto& [first, group] : found) circles_.push_back(ids(group));
  for (const auto& way : longest_ways(groups, level)) {
    auto& chain = chains_.emplace_back();
    for (const std::size_t group : way) chain.push_back(ids(group));
  }
}

std::vector<std::string> DependencyGraph::order() const {
  std::vector<std::size_t> at(nodes_.size());
  for (std::size_t i = 0; i < at.size(); ++i) at[i] = i;
  std::ranges::sort(at, {}, [&](std::size_t i) {
    const GraphNode& node = nodes_[i];
    return std::tuple{-node.priority, node.difficulty, -node.downstream_priority, i};
  });
  std::vector<std::string> ids;
  for (const std::size_t i : at) ids.push_back(nodes_[i].id);
  return ids;
}

}  // namespace reticle
