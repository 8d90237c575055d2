// SPDX-License-Identifier: Apache-2.0
#include "workloads/graph/op_graph.hpp"

#include <algorithm>
#include <array>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/topological_sort.hpp>
#include <initializer_list>
#include <iterator>
#include <utility>

#include "sim/base/error.hpp"

namespace reticle {

namespace {

constexpr std::array<std::string_view, 17> kNames{"embed",          "norm",
                                                  "qkv_project",    "rope",
                                                  "kv_append",      "attend",
                                                  "out_project",    "residual",
                                                  "router",         "gate_up",
                                                  "activate",       "down",
                                                  "expert_gate_up", "expert_activate",
                                                  "expert_down",    "head",
                                                  "sample"};
static_assert(kNames.size() == static_cast<std::size_t>(OperatorKind::Sample) + 1);

constexpr std::int64_t kOutsideLayers = -1;

using OpIndex = std::int32_t;
using BoostGraph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;

BoostGraph to_boost(const OpGraph& graph) {
  const std::size_t count = graph.operators.size();
  BoostGraph result{count};
  for (const auto [from, to] : graph.edges) {
    const bool inside = from >= 0 && to >= 0 && static_cast<std::size_t>(from) < count &&
                        static_cast<std::size_t>(to) < count;
    invariant(inside, "an edge of the operator graph names an operator that is not there");
    boost::add_edge(static_cast<std::size_t>(from), static_cast<std::size_t>(to), result);
  }
  return result;
}

/// Operators with every one after those it depends on.
std::vector<std::size_t> topological_order(const BoostGraph& graph) {
  std::vector<std::size_t> order;
  order.reserve(boost::num_vertices(graph));
  try {
    boost::topological_sort(graph, std::back_inserter(order));
  } catch (const boost::not_a_dag&) {
    invariant(false, "the operator graph has a circle");
  }
  std::reverse(order.begin(), order.end());
  return order;
}

/// Appends operators in the order a person would write the layer down, which is a topological one.
class Builder {
 public:
  explicit Builder(const LlmSpec& llm) : llm_{llm} {}

  OpGraph build() && {
    OpIndex stream = add(OperatorKind::Embed, {});
    for (layer_ = 0; layer_ < llm_.layers; ++layer_) {
      stream = attention_block(stream);
      stream = llm_.layer_is_moe(layer_) ? moe_block(stream) : dense_block(stream);
    }
    layer_ = kOutsideLayers;
    const OpIndex norm = add(OperatorKind::Norm, {stream});
    const OpIndex head =
        add(OperatorKind::Head, {norm}, {llm_.hidden, llm_.vocabulary, 1, llm_.embedding});
    add(OperatorKind::Sample, {head});
    return std::move(graph_);
  }

 private:
  OpIndex add(OperatorKind kind, std::initializer_list<OpIndex> after, WeightShape weight = {}) {
    const auto self = static_cast<OpIndex>(graph_.operators.size());
    graph_.operators.push_back({kind, layer_, weight});
    for (const OpIndex from : after) graph_.edges.push_back({from, self});
    return self;
  }

  [[nodiscard]] WeightShape matrix(std::int64_t k, std::int64_t n, std::int64_t copies = 1) const {
    return {k, n, copies, llm_.weights};
  }

  OpIndex attention_block(OpIndex stream) {
    const auto& a = llm_.attention;
    const std::int64_t qkv = (a.heads + 2 * a.kv_heads) * a.head_dim;
    const OpIndex norm = add(OperatorKind::Norm, {stream});
    const OpIndex project = add(OperatorKind::QkvProject, {norm}, matrix(llm_.hidden, qkv));
    const OpIndex rope = add(OperatorKind::Rope, {project});
    // V goes into the cache as projected, K as rotated; Q waits for neither write but a token
    // attends to itself, so attention reads what was just appended.
    const OpIndex append = add(OperatorKind::KvAppend, {project, rope});
    const OpIndex attend = add(OperatorKind::Attend, {rope, append});
    const OpIndex out =
        add(OperatorKind::OutProject, {attend}, matrix(a.heads * a.head_dim, llm_.hidden));
    return add(OperatorKind::Residual, {stream, out});
  }

  OpIndex gated_ffn(OpIndex norm, std::int64_t ffn) {
    const OpIndex up = add(OperatorKind::GateUp, {norm}, matrix(llm_.hidden, 2 * ffn));
    const OpIndex activate = add(OperatorKind::Activate, {up});
    return add(OperatorKind::Down, {activate}, matrix(ffn, llm_.hidden));
  }

  OpIndex dense_block(OpIndex stream) {
    const OpIndex norm = add(OperatorKind::Norm, {stream});
    return add(OperatorKind::Residual, {stream, gated_ffn(norm, llm_.dense_ffn)});
  }

  OpIndex moe_block(OpIndex stream) {
    const MoeSpec& moe = *llm_.moe;
    const OpIndex norm = add(OperatorKind::Norm, {stream});
    const OpIndex router =
        add(OperatorKind::Router, {norm}, {llm_.hidden, moe.experts, 1, Precision::Bf16});
    std::vector<OpIndex> summands{stream};
    // Shared experts see every token: together they are one dense FFN, and wait for no routing.
    if (moe.shared_experts > 0)
      summands.push_back(gated_ffn(norm, moe.shared_experts * moe.shared_ffn));
    const OpIndex up = add(OperatorKind::ExpertGateUp, {norm, router},
                           matrix(llm_.hidden, 2 * moe.expert_ffn, moe.experts));
    const OpIndex activate = add(OperatorKind::ExpertActivate, {up});
    summands.push_back(add(OperatorKind::ExpertDown, {activate},
                           matrix(moe.expert_ffn, llm_.hidden, moe.experts)));
    const OpIndex sum = add(OperatorKind::Residual, {});
    for (const OpIndex summand : summands) graph_.edges.push_back({summand, sum});
    return sum;
  }

  const LlmSpec& llm_;
  std::int64_t layer_ = kOutsideLayers;
  OpGraph graph_;
};

}  // namespace

std::string_view name_of(OperatorKind kind) { return kNames.at(static_cast<std::size_t>(kind)); }

OpGraph build_op_graph(const LlmSpec& llm) {
  OpGraph graph = Builder{llm}.build();
  topological_order(to_boost(graph));
  const bool sorted = std::all_of(graph.edges.begin(), graph.edges.end(),
                                  [](const OpEdge& edge) { return edge.from < edge.to; });
  invariant(sorted, "operators must come out topologically sorted");
  return graph;
}

std::int64_t critical_depth(const OpGraph& graph) {
  const BoostGraph boost_graph = to_boost(graph);
  std::vector<std::int64_t> depth(graph.operators.size(), 1);  // longest chain that ends here
  std::int64_t longest = 0;
  for (const std::size_t op : topological_order(boost_graph)) {
    longest = std::max(longest, depth[op]);
    const auto [begin, end] = boost::adjacent_vertices(op, boost_graph);
    for (auto next = begin; next != end; ++next)
      depth[*next] = std::max(depth[*next], depth[op] + 1);
  }
  return longest;
}

}  // namespace reticle
