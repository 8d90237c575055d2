// SPDX-License-Identifier: Apache-2.0
// What a language model is: the architecture figures that decide bytes and operations.
//
// Models:     decoder-only models whose layers are a token mixer (attention, latent attention, a
//             recurrence with constant state, or none) and a feed-forward network (dense, mixture
//             of experts, or none), in any order; windows, sinks, sparse selection; token- and
//             expert-choice routing; prediction heads; a number format per kind of tensor.
// Leaves out: encoders, cross attention, caches shared between layers, position encodings and
//             activation functions (they change no byte and hardly an operation).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/base/precision.hpp"
#include "sim/base/units.hpp"
#include "workloads/llm/routing_spec.hpp"

namespace reticle {

/// Softmax attention that caches keys and values of every KV head: MHA, GQA [Ainslie et al., EMNLP
/// 2023], MQA [Shazeer, arXiv 1911.02150].
struct AttentionSpec {
  std::int64_t heads = 0;     ///< query heads
  std::int64_t kv_heads = 0;  ///< key/value heads; heads for MHA, 1 for MQA
  std::int64_t head_dim = 0;
  std::int64_t window = 0;       ///< positions a query sees, its own included; 0 = all before it
  bool chunked = false;          ///< windows lie on a fixed grid instead of sliding (Llama 4)
  std::int64_t sink_tokens = 0;  ///< first positions kept beside the window [Xiao+ ICLR'24]
  bool gated = false;            ///< Q projects an output gate too (Qwen3-Next)
  bool keys_are_values = false;  ///< one projection and one cache serve as both (Gemma 4)
  // Vectors, too small for any time or tier; they count towards the parameters.
  bool sink_logits = false;  ///< a learned logit per head (gpt-oss)
  bool qkv_bias = false;
  bool out_bias = false;
  bool qk_norm = false;       ///< a gain per element of a head, for Q and K
  bool qk_norm_wide = false;  ///< or per element of all heads (OLMoE, MiniMax)
};

/// Multi-head latent attention [DeepSeek-V2, arXiv 2405.04434]: the cache holds one compressed
/// vector and one rotary key per token for all heads.
struct LatentAttentionSpec {
  std::int64_t heads = 0;
  std::int64_t query_rank = 0;  ///< 0: queries are projected directly
  std::int64_t kv_rank = 0;
  std::int64_t rope_dim = 0;   ///< rotary part of a key, shared by all heads
  std::int64_t nope_dim = 0;   ///< the other part of a head's query and key
  std::int64_t value_dim = 0;  ///< of a head
  /// Sparse selection [DeepSeek-V3.2]: an indexer scores every cached token, attention reads the
  /// best `index_topk`. 0 heads: none.
  std::int64_t index_heads = 0;
  std::int64_t index_dim = 0;
  std::int64_t index_topk = 0;
};

enum class Recurrence : std::uint8_t {
  Mamba2,      ///< state-space duality [Dao and Gu, ICML 2024]
  GatedDelta,  ///< gated delta rule [Yang et al., ICLR 2025]
  Lightning,   ///< linear attention with decay [Qin et al., arXiv 2401.04658]
};

/// A recurrence over heads of key_dim x value_dim state: constant in the context.
struct RecurrentSpec {
  Recurrence kind = Recurrence::Mamba2;
  std::int64_t heads = 0;      ///< value heads, each with a state of its own
  std::int64_t key_heads = 0;  ///< heads (groups) of queries and keys (C and B), shared by `heads`
  std::int64_t key_dim = 0;    ///< state size N
  std::int64_t value_dim = 0;  ///< P
  std::int64_t conv = 0;       ///< taps of the short causal convolution; 0 = none
  std::int64_t chunk = 256;    ///< tokens a prefill takes as one block of matrix products

  /// Elements of a token's queries, keys and values, which the convolution runs over.
  [[nodiscard]] std::int64_t qkv_width() const {
    return 2 * key_heads * key_dim + heads * value_dim;
  }
};

struct Mixer {
  std::string name;
  std::variant<AttentionSpec, LatentAttentionSpec, RecurrentSpec> of;
};

struct MoeSpec {
  std::int64_t experts = 0;         ///< routed experts per MoE layer
  std::int64_t top_k = 0;           ///< routed experts per token; mean for expert choice
  std::int64_t expert_ffn = 0;      ///< intermediate size of one routed expert
  std::int64_t shared_experts = 0;  ///< always-active experts
  std::int64_t shared_ffn = 0;      ///< intermediate size of one shared expert
  bool shared_gate = false;         ///< a sigmoid gate on the shared experts' sum (Qwen)
  bool router_bias = false;
  bool expert_bias = false;
  RoutingSpec routing{};
};

enum class FfnKind : std::uint8_t { None, Dense, Moe };

inline constexpr std::int8_t kNoMixer = -1;

struct LayerSpec {
  std::int8_t mixer = 0;  ///< index into LlmSpec::mixers, or kNoMixer
  FfnKind ffn = FfnKind::Dense;
  bool operator==(const LayerSpec&) const = default;
};

/// `dense` layers, then `moe` ones, all with the first mixer.
std::vector<LayerSpec> dense_then_moe(std::int64_t dense, std::int64_t moe);

struct LlmSpec {
  std::string name{};
  std::int64_t hidden = 0;
  std::int64_t vocabulary = 0;
  std::vector<Mixer> mixers{};
  std::vector<LayerSpec> layers{};  ///< from the first to the last
  std::int64_t dense_ffn = 0;       ///< intermediate size of dense layers; 0 when none is dense
  std::optional<MoeSpec> moe{};
  bool gated_ffn = true;        ///< gate, up and down; else up and down
  std::int64_t mtp_layers = 0;  ///< multi-token-prediction heads behind the last layer
  bool joins_state = false;     ///< such a head: its input is another model's state as well
  bool tied_embeddings = false;
  std::int64_t max_context = 0;  ///< tokens
  Precision weights = Precision::Bf16;
  std::optional<Precision> attention_weights{};  ///< of the mixers; absent = weights
  Precision embedding = Precision::Bf16;         ///< token embedding and output head
  Precision activations = Precision::Bf16;
  /// What activations are quantised to on their way into a projection; absent = activations.
  std::optional<Precision> linear_inputs{};
  Precision kv = Precision::Bf16;
  Precision state = Precision::Bf16;  ///< of recurrences

  [[nodiscard]] std::int64_t layer_count() const {
    return static_cast<std::int64_t>(layers.size());
  }
  [[nodiscard]] const LayerSpec& layer(std::int64_t i) const {
    return layers[static_cast<std::size_t>(i)];
  }
  [[nodiscard]] bool layer_is_moe(std::int64_t i) const { return layer(i).ffn == FfnKind::Moe; }
  /// The layer's token mixer, or null.
  [[nodiscard]] const Mixer* mixer_of(std::int64_t i) const {
    const std::int8_t m = layer(i).mixer;
    return m == kNoMixer ? nullptr : &mixers[static_cast<std::size_t>(m)];
  }
  /// Layers that use mixer `m` / have such a feed-forward network.
  [[nodiscard]] std::int64_t layers_with(std::int64_t m) const;
  [[nodiscard]] std::int64_t layers_with(FfnKind ffn) const;
};

/// Parameter counts by part, each a whole number computed from the architecture.
struct ParameterCounts {
  std::int64_t attention = 0;       ///< matrices of all mixers, recurrences included
  std::int64_t dense_ffn = 0;       ///< all dense layers
  std::int64_t routed_experts = 0;  ///< all experts of all MoE layers
  std::int64_t shared_experts = 0;
  std::int64_t router = 0;
  std::int64_t norms = 0;      ///< norms, biases, convolutions, gates: everything but matrices
  std::int64_t embedding = 0;  ///< input table, plus the output head when not tied
  std::int64_t total = 0;
  std::int64_t active = 0;  ///< touched by one token (input embedding counted whole)
  /// The same without input table and output head, as some model cards count.
  std::int64_t active_inside = 0;
  std::int64_t mtp = 0;  ///< prediction heads; not in total, as model cards count
};

ParameterCounts count_parameters(const LlmSpec& llm);

/// Bytes one token leaves in the cache of `layer` / of all layers, as long as it is kept.
Bytes kv_bytes_per_token_layer(const LlmSpec& llm, std::int64_t layer);
Bytes kv_bytes_per_token(const LlmSpec& llm);
/// Bytes a sequence of `tokens` tokens holds in `layer` / in all layers: windows keep what a later
/// query can see, recurrences their state.
Bytes held_bytes_layer(const LlmSpec& llm, std::int64_t layer, std::int64_t tokens);
Bytes held_bytes(const LlmSpec& llm, std::int64_t tokens);

/// Bytes of all weights at their storage precision (norms and router in BF16).
Bytes weight_bytes(const LlmSpec& llm);
/// Bytes of the weights one token streams: active parameters, of the input embedding one row.
Bytes active_weight_bytes(const LlmSpec& llm);

/// Throws ConfigError (without position) naming the first rule `llm` breaks.
void check(const LlmSpec& llm);

}  // namespace reticle
