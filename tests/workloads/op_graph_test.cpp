// SPDX-License-Identifier: Apache-2.0
#include "workloads/graph/op_graph.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <utility>

#include "sim/base/error.hpp"
#include "tests/workloads/example_llms.hpp"

using namespace reticle;
using Kind = OperatorKind;

namespace {

LlmSpec moe_with_shared() {
  LlmSpec llm = mixtral_8x7b();
  llm.layers = dense_then_moe(1, 31);
  llm.dense_ffn = 16384;
  llm.moe->shared_experts = 2;
  llm.moe->shared_ffn = 1024;
  llm.weights = Precision::Mxfp4;
  llm.embedding = Precision::Fp8;
  return llm;
}

std::vector<Kind> kinds_of_layer(const OpGraph& graph, std::int64_t layer) {
  std::vector<Kind> kinds;
  for (const Operator& op : graph.operators)
    if (op.layer == layer) kinds.push_back(op.kind);
  return kinds;
}

/// Index of the first operator of that kind in the layer.
std::int32_t find(const OpGraph& graph, std::int64_t layer, Kind kind) {
  const auto& ops = graph.operators;
  const auto found = std::find_if(ops.begin(), ops.end(), [&](const Operator& op) {
    return op.layer == layer && op.kind == kind;
  });
  REQUIRE(found != ops.end());
  return static_cast<std::int32_t>(found - ops.begin());
}

bool depends(const OpGraph& graph, std::int64_t layer, Kind later, Kind earlier) {
  const std::int32_t to = find(graph, layer, later);
  const std::int32_t from = find(graph, layer, earlier);
  return std::any_of(graph.edges.begin(), graph.edges.end(),
                     [&](const OpEdge& e) { return e.from == from && e.to == to; });
}

const Matrix& weight(const OpGraph& graph, std::int64_t layer, Kind kind) {
  return graph.operators[static_cast<std::size_t>(find(graph, layer, kind))].weight;
}

std::int64_t matrix_elements(const OpGraph& graph) {
  std::int64_t elements = 0;
  for (const Operator& op : graph.operators)
    elements += op.weight.k * op.weight.n * op.weight.copies;
  return elements;
}

const std::vector<Kind> kAttention{Kind::Norm,   Kind::QkvProject, Kind::Rope,    Kind::KvAppend,
                                   Kind::Attend, Kind::OutProject, Kind::Residual};

std::vector<Kind> after_attention(std::initializer_list<Kind> kinds) {
  std::vector<Kind> all = kAttention;
  all.insert(all.end(), kinds);
  return all;
}

}  // namespace

TEST_CASE("op graph: a dense layer is attention, then one gated feed-forward network") {
  const OpGraph graph = build_op_graph(llama_3_70b());
  const auto expected =
      after_attention({Kind::Norm, Kind::GateUp, Kind::Activate, Kind::Down, Kind::Residual});
  for (std::int64_t layer = 0; layer < 80; ++layer) CHECK(kinds_of_layer(graph, layer) == expected);
}

TEST_CASE("op graph: an MoE layer routes, and adds shared experts only where there are some") {
  CHECK(kinds_of_layer(build_op_graph(mixtral_8x7b()), 5) ==
        after_attention({Kind::Norm, Kind::Router, Kind::ExpertGateUp, Kind::ExpertActivate,
                         Kind::ExpertDown, Kind::Residual}));
  const OpGraph graph = build_op_graph(moe_with_shared());
  CHECK(kinds_of_layer(graph, 5) ==
        after_attention({Kind::Norm, Kind::Router, Kind::GateUp, Kind::Activate, Kind::Down,
                         Kind::ExpertGateUp, Kind::ExpertActivate, Kind::ExpertDown,
                         Kind::Residual}));
  CHECK(kinds_of_layer(graph, 0).size() == kinds_of_layer(build_op_graph(llama_3_70b()), 0).size());
}

TEST_CASE("op graph: begins with the embedding and ends with a sampled token") {
  const OpGraph graph = build_op_graph(mixtral_8x7b());
  CHECK(kinds_of_layer(graph, -1) ==
        std::vector<Kind>{Kind::Embed, Kind::Norm, Kind::Head, Kind::Sample});
  CHECK(graph.operators.front().kind == Kind::Embed);
  CHECK(graph.operators.back().kind == Kind::Sample);
}

TEST_CASE("op graph: every operator stands after all it depends on") {
  for (const LlmSpec& llm : {llama_3_70b(), mixtral_8x7b(), moe_with_shared()})
    for (const OpEdge& edge : build_op_graph(llm).edges) CHECK(edge.from < edge.to);
}

TEST_CASE("op graph: nothing but the embedding starts and nothing but the sampling ends") {
  const OpGraph graph = build_op_graph(moe_with_shared());
  std::set<std::int32_t> waits;
  std::set<std::int32_t> is_awaited;
  std::set<std::pair<std::int32_t, std::int32_t>> distinct;
  for (const OpEdge& edge : graph.edges) {
    waits.insert(edge.to);
    is_awaited.insert(edge.from);
    distinct.insert({edge.from, edge.to});
  }
  CHECK(waits.size() == graph.operators.size() - 1);
  CHECK(is_awaited.size() == graph.operators.size() - 1);
  CHECK(distinct.size() == graph.edges.size());
}

TEST_CASE("op graph: data dependencies of a layer are those of the transformer") {
  const OpGraph graph = build_op_graph(moe_with_shared());
  CHECK(depends(graph, 5, Kind::Attend, Kind::KvAppend));
  CHECK(depends(graph, 5, Kind::Attend, Kind::Rope));
  CHECK(depends(graph, 5, Kind::ExpertGateUp, Kind::Router));
  CHECK_FALSE(depends(graph, 5, Kind::GateUp, Kind::Router));  // shared experts see every token
  CHECK_FALSE(depends(graph, 5, Kind::ExpertGateUp, Kind::Down));
}

TEST_CASE("op graph: matrices hold all parameters but norms and the input table") {
  for (const LlmSpec& llm : {llama_3_70b(), mixtral_8x7b(), moe_with_shared()}) {
    const ParameterCounts counts = count_parameters(llm);
    const std::int64_t input_table = llm.vocabulary * llm.hidden;
    CHECK(matrix_elements(build_op_graph(llm)) == counts.total - counts.norms - input_table);
  }
}

TEST_CASE("op graph: shapes follow the architecture, precisions the kind of matrix") {
  const LlmSpec llm = moe_with_shared();
  const OpGraph graph = build_op_graph(llm);
  CHECK(weight(graph, 5, Kind::QkvProject).n == (32 + 2 * 8) * 128);
  CHECK(weight(graph, 5, Kind::ExpertGateUp).n == 2 * llm.moe->expert_ffn);
  CHECK(weight(graph, 5, Kind::ExpertDown).copies == llm.moe->experts);
  CHECK(weight(graph, 5, Kind::GateUp).n == 2 * 2 * 1024);  // gate and up of two shared experts
  CHECK(weight(graph, 0, Kind::Down).k == llm.dense_ffn);
  CHECK(weight(graph, 5, Kind::Attend).copies == 0);
  CHECK(weight(graph, 5, Kind::ExpertDown).precision == Precision::Mxfp4);
  CHECK(weight(graph, 5, Kind::Router).precision == Precision::Bf16);
  CHECK(weight(graph, -1, Kind::Head).precision == Precision::Fp8);
}

TEST_CASE("critical_depth: a dense model is one chain") {
  const OpGraph graph = build_op_graph(llama_3_70b());
  CHECK(critical_depth(graph) == static_cast<std::int64_t>(graph.operators.size()));
}

TEST_CASE("critical_depth: shared experts run beside the routed ones and cost no depth") {
  CHECK(critical_depth(build_op_graph(mixtral_8x7b())) == 4 + 32 * (7 + 6));
  LlmSpec shared = mixtral_8x7b();
  shared.moe->shared_experts = 1;
  shared.moe->shared_ffn = 1024;
  CHECK(critical_depth(build_op_graph(shared)) == critical_depth(build_op_graph(mixtral_8x7b())));
}

TEST_CASE("critical_depth: of nothing is nothing, and a circle or a loose edge is our mistake") {
  CHECK(critical_depth({}) == 0);
  const Operator op{};
  CHECK_THROWS_AS(critical_depth({{op, op}, {{0, 1}, {1, 0}}}), InvariantError);
  CHECK_THROWS_AS(critical_depth({{op, op}, {{0, 2}}}), InvariantError);
  CHECK_THROWS_AS(critical_depth({{op, op}, {{-1, 1}}}), InvariantError);
}

TEST_CASE("name_of: every kind has its own name") {
  std::set<std::string_view> names;
  for (int kind = 0; kind <= static_cast<int>(Kind::Sample); ++kind)
    names.insert(name_of(static_cast<Kind>(kind)));
  CHECK(names.size() == static_cast<std::size_t>(Kind::Sample) + 1);
  CHECK(name_of(Kind::Embed) == "embed");
  CHECK(name_of(Kind::ExpertDown) == "expert_down");
  CHECK(name_of(Kind::Sample) == "sample");
}
