// SPDX-License-Identifier: Apache-2.0
#include "workloads/llm/layer_matrices.hpp"

#include "workloads/llm/recurrence_facts.hpp"

namespace reticle {

namespace {

class Lister {
 public:
  Lister(const LlmSpec& llm, std::vector<Matrix>& out) : llm_{llm}, out_{out} {}

  void operator()(const AttentionSpec& a) {
    const std::int64_t queries = a.heads * a.head_dim * (a.gated ? 2 : 1);
    const std::int64_t keys = a.kv_heads * a.head_dim * (a.keys_are_values ? 1 : 2);
    mixer({MatrixRole::MixerIn, llm_.hidden, queries + keys, 1, MatrixCut::Columns});
    mixer({MatrixRole::MixerOut, a.heads * a.head_dim, llm_.hidden, 1, MatrixCut::Rows});
  }

  void operator()(const LatentAttentionSpec& a) {
    const std::int64_t cached = a.kv_rank + a.rope_dim;
    const std::int64_t queries = a.heads * (a.nope_dim + a.rope_dim) + a.index_heads * a.index_dim;
    // An indexer also projects one key per token and a weight per head of its own.
    const std::int64_t index_in = a.index_heads > 0 ? a.index_dim + a.index_heads : 0;
    const std::int64_t in = (a.query_rank > 0 ? a.query_rank : queries) + cached + index_in;
    mixer({MatrixRole::MixerIn, llm_.hidden, in, 1, MatrixCut::Columns});
    if (a.query_rank > 0)
      mixer({MatrixRole::QueryUp, a.query_rank, queries, 1, MatrixCut::Columns});
    mixer({MatrixRole::KeyUp, a.nope_dim, a.kv_rank, a.heads, MatrixCut::Copies});
    mixer({MatrixRole::ValueUp, a.kv_rank, a.value_dim, a.heads, MatrixCut::Copies});
    mixer({MatrixRole::MixerOut, a.heads * a.value_dim, llm_.hidden, 1, MatrixCut::Rows});
  }

  void operator()(const RecurrentSpec& r) {
    const RecurrenceFact& fact = fact_of(r.kind);
    const std::int64_t values = r.heads * r.value_dim;
    const std::int64_t in =
        r.qkv_width() + (fact.gated ? values : 0) + fact.projected_scalars * r.heads;
    mixer({MatrixRole::MixerIn, llm_.hidden, in, 1, MatrixCut::Columns});
    mixer({MatrixRole::MixerOut, values, llm_.hidden, 1, MatrixCut::Rows});
  }

  void join() { mixer({MatrixRole::Join, 2 * llm_.hidden, llm_.hidden, 1, MatrixCut::Rows}); }

  void ffn(FfnKind kind) {
    if (kind == FfnKind::Dense) gated(llm_.dense_ffn);
    if (kind != FfnKind::Moe) return;
    const MoeSpec& moe = *llm_.moe;
    // Router logits steer the result out of proportion to their size: published low-precision
    // checkpoints keep them in BF16.
    out_.push_back(
        {MatrixRole::Router, llm_.hidden, moe.experts, 1, MatrixCut::Whole, Precision::Bf16});
    // Shared experts see every token: together they are one dense network.
    if (moe.shared_experts > 0) gated(moe.shared_experts * moe.shared_ffn);
    weight({MatrixRole::ExpertGateUp,
            llm_.hidden,
            ups() * moe.expert_ffn,
            moe.experts,
            MatrixCut::Columns,
            {},
            ups()});
    weight({MatrixRole::ExpertDown, moe.expert_ffn, llm_.hidden, moe.experts, MatrixCut::Rows});
  }

 private:
  [[nodiscard]] std::int64_t ups() const { return llm_.gated_ffn ? 2 : 1; }
  void mixer(Matrix m) {
    m.precision = llm_.attention_weights.value_or(llm_.weights);
    out_.push_back(m);
  }
  void weight(Matrix m) {
    m.precision = llm_.weights;
    out_.push_back(m);
  }
  void gated(std::int64_t size) {
    weight({MatrixRole::GateUp, llm_.hidden, ups() * size, 1, MatrixCut::Columns, {}, ups()});
    weight({MatrixRole::Down, size, llm_.hidden, 1, MatrixCut::Rows});
  }

  const LlmSpec& llm_;
  std::vector<Matrix>& out_;
};

}  // namespace

std::vector<Matrix> matrices_of(const LlmSpec& llm, std::int64_t layer) {
  std::vector<Matrix> out;
  Lister lister{llm, out};
  if (llm.joins_state && layer == 0) lister.join();
  if (const Mixer* mixer = llm.mixer_of(layer)) std::visit(lister, mixer->of);
  lister.ffn(llm.layer(layer).ffn);
  return out;
}

}  // namespace reticle
