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

constexpr std::array<std::string_view, 21> kNames{
    "embed",       "norm",    "qkv_project", "query_up", "key_up",         "rope",
    "kv_append",   "attend",  "value_up",    "recur",    "out_project",    "residual",
    "router",      "gate_up", "activate",    "down",     "expert_gate_up", "expert_activate",
    "expert_down", "head",    "sample"};
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
    for (layer_ = 0; layer_ < llm_.layer_count(); ++layer_) {
      matrices_ = matrices_of(llm_, layer_);
      if (llm_.joins_state && layer_ == 0) stream = join_block(stream);
      if (const Mixer* mixer = llm_.mixer_of(layer_)) stream = mixer_block(*mixer, stream);
      const FfnKind ffn = llm_.layer(layer_).ffn;
      if (ffn == FfnKind::Dense) stream = dense_block(stream);
      if (ffn == FfnKind::Moe) stream = moe_block(stream);
    }
    layer_ = kOutsideLayers;
    const OpIndex norm = add(OperatorKind::Norm, {stream});
    const OpIndex head = add(OperatorKind::Head, {norm});
    graph_.operators.back().weight = {.k = llm_.hidden,
                                      .n = llm_.vocabulary,
                                      .cut = MatrixCut::Columns,
                                      .precision = llm_.embedding};
    add(OperatorKind::Sample, {head});
    return std::move(graph_);
  }

 private:
  OpIndex add(OperatorKind kind, std::initializer_list<OpIndex> after) {
    const auto self = static_cast<OpIndex>(graph_.operators.size());
    graph_.operators.push_back({.kind = kind, .layer = layer_});
    for (const OpIndex from : after) graph_.edges.push_back({from, self});
    return self;
  }

  /// An operator that multiplies by the layer's matrix of that role.
  OpIndex multiply(OperatorKind kind, MatrixRole role, std::initializer_list<OpIndex> after) {
    const auto found = std::find_if(matrices_.begin(), matrices_.end(),
                                    [role](const Matrix& m) { return m.role == role; });
    invariant(found != matrices_.end(), "a layer has the matrices its operators multiply by");
    const OpIndex self = add(kind, after);
    graph_.operators.back().weight = *found;
    return self;
  }

  /// The sum stands for that of partial products: the projection replaces what it reads.
  OpIndex join_block(OpIndex stream) {
    const OpIndex norm = add(OperatorKind::Norm, {stream});
    const OpIndex joined = multiply(OperatorKind::OutProject, MatrixRole::Join, {norm});
    return add(OperatorKind::Residual, {stream, joined});
  }

  OpIndex mixer_block(const Mixer& mixer, OpIndex stream) {
    const OpIndex norm = add(OperatorKind::Norm, {stream});
    const OpIndex project = multiply(OperatorKind::QkvProject, MatrixRole::MixerIn, {norm});
    const OpIndex mixed =
        std::visit([&](const auto& spec) { return mix(spec, project); }, mixer.of);
    const OpIndex out = multiply(OperatorKind::OutProject, MatrixRole::MixerOut, {mixed});
    return add(OperatorKind::Residual, {stream, out});
  }

  OpIndex mix(const AttentionSpec&, OpIndex project) {
    const OpIndex rope = add(OperatorKind::Rope, {project});
    // V goes into the cache as projected, K as rotated; Q waits for neither write but a token
    // attends to itself, so attention reads what was just appended.
    const OpIndex append = add(OperatorKind::KvAppend, {project, rope});
    return add(OperatorKind::Attend, {rope, append});
  }

  OpIndex mix(const LatentAttentionSpec& spec, OpIndex project) {
    OpIndex queries = project;
    if (spec.query_rank > 0)
      queries = multiply(OperatorKind::QueryUp, MatrixRole::QueryUp, {project});
    const OpIndex keys = multiply(OperatorKind::KeyUp, MatrixRole::KeyUp, {queries});
    const OpIndex rope = add(OperatorKind::Rope, {queries});
    const OpIndex append = add(OperatorKind::KvAppend, {project, rope});
    const OpIndex attend = add(OperatorKind::Attend, {keys, rope, append});
    return multiply(OperatorKind::ValueUp, MatrixRole::ValueUp, {attend});
  }

  OpIndex mix(const RecurrentSpec&, OpIndex project) { return add(OperatorKind::Recur, {project}); }

  OpIndex ffn(OpIndex norm) {
    const OpIndex up = multiply(OperatorKind::GateUp, MatrixRole::GateUp, {norm});
    const OpIndex activate = add(OperatorKind::Activate, {up});
    return multiply(OperatorKind::Down, MatrixRole::Down, {activate});
  }

  OpIndex dense_block(OpIndex stream) {
    const OpIndex norm = add(OperatorKind::Norm, {stream});
    return add(OperatorKind::Residual, {stream, ffn(norm)});
  }

  OpIndex moe_block(OpIndex stream) {
    const OpIndex norm = add(OperatorKind::Norm, {stream});
    const OpIndex router = multiply(OperatorKind::Router, MatrixRole::Router, {norm});
    std::vector<OpIndex> summands{stream};
    // Shared experts wait for no routing.
    if (llm_.moe->shared_experts > 0) summands.push_back(ffn(norm));
    const OpIndex up =
        multiply(OperatorKind::ExpertGateUp, MatrixRole::ExpertGateUp, {norm, router});
    const OpIndex activate = add(OperatorKind::ExpertActivate, {up});
    summands.push_back(multiply(OperatorKind::ExpertDown, MatrixRole::ExpertDown, {activate}));
    const OpIndex sum = add(OperatorKind::Residual, {});
    for (const OpIndex summand : summands) graph_.edges.push_back({summand, sum});
    return sum;
  }

  const LlmSpec& llm_;
  std::int64_t layer_ = kOutsideLayers;
  std::vector<Matrix> matrices_;  ///< of layer_
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

OpGraph part_of(const OpGraph& graph, const std::function<bool(const Operator&)>& keep) {
  OpGraph part;
  std::ranges::copy_if(graph.operators, std::back_inserter(part.operators), keep);
  return part;
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
