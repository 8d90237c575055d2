// SPDX-License-Identifier: Apache-2.0
// How often each expert was picked, without which token picked what: loads can be told from it,
// reuse cannot.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "workloads/moe/routing_figures.hpp"

namespace reticle {

/// Rows that agree in everything but layer, expert and count: a model on one kind of text.
struct CountedLoads {
  std::string name;                                      ///< what they agree in, "olmoe, github"
  std::map<std::int64_t, std::vector<double>> layers{};  ///< picks by expert
};

struct ExpertCounts {
  std::int64_t experts = 0;  ///< the highest named and those below; others are not known of
  std::vector<CountedLoads> recordings{};
  BadRows bad_rows{false};
};

/// Whether the file begins with CSV columns that name layer, expert and count.
bool is_expert_counts(const std::string& path);
/// Reads CSV with the columns layer, expert, count, and any others, in any order. Throws
/// ConfigError with file:line:col for a row that is malformed or names an expert again, or leaves
/// it out.
ExpertCounts read_expert_counts(const std::string& path, bool skip_bad_rows = false);

/// Mean over the layers; reuse is 0, for it is not known.
LayerLoads mean_of(const CountedLoads& counts);

struct FittedLoads {
  RoutingSpec spec;
  LayerLoads measured, generated;
};

/// The law of popularity alone whose loads come closest: the width and shape with the least
/// furthest miss in max/mean, CV and Gini, drawn over many layers that pick `top_k`.
FittedLoads fit_loads(const CountedLoads& counts, std::int64_t experts, std::int64_t top_k);

}  // namespace reticle
