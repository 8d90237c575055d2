// SPDX-License-Identifier: Apache-2.0
// Who depends on whom. An edge B1 -> B4 says that B1 depends on B4: resolving B4 conditions or
// hastens B1. "Downstream" of an entry is what depends on it, directly or through others.
//
// Models:     the edges as the entries state them; entries that depend on each other stand as a
//             group, and what is downstream of one is downstream of all.
// Leaves out: edges to ids that no entry has (lint reports them), and whether an edge helps or
//             hinders: the seed has one kind.
#pragma once

#include <string>
#include <vector>

#include "sim/registry/entry.hpp"

namespace reticle {

struct GraphNode {
  std::string id, name;
  EntryType type{};
  std::int64_t priority = 0, difficulty = 0;
  std::vector<std::string> needs;        ///< direct, in order of number
  std::vector<std::string> unlocks;      ///< who depends on it directly
  std::vector<std::string> downstream;   ///< all whom its resolution reaches, itself left out
  std::int64_t downstream_priority = 0;  ///< sum of the priorities of these: its value to others
  bool root = false;                     ///< depends on nobody outside its group
  int level = 0;                         ///< longest way from a root, in groups
};

class DependencyGraph {
 public:
  explicit DependencyGraph(const std::vector<Entry>& entries);

  [[nodiscard]] const std::vector<GraphNode>& nodes() const { return nodes_; }
  /// Groups of more than one that depend on each other, by number.
  [[nodiscard]] const std::vector<std::vector<std::string>>& circles() const { return circles_; }
  /// The longest ways from a root to an entry that unlocks nobody, through groups, a member of a
  /// group beside the others: B5, B8 + B15, B17. All of the greatest length.
  [[nodiscard]] const std::vector<std::vector<std::vector<std::string>>>& critical_chains() const {
    return chains_;
  }
  /// By priority, then ease (low difficulty), then reach (how much hangs on it), then number.
  [[nodiscard]] std::vector<std::string> order() const;

 private:
  std::vector<GraphNode> nodes_;
  std::vector<std::vector<std::string>> circles_;
  std::vector<std::vector<std::vector<std::string>>> chains_;
};

std::string graph_json(const DependencyGraph& graph);
std::string graph_dot(const DependencyGraph& graph);
std::string graph_text(const DependencyGraph& graph);

}  // namespace reticle
