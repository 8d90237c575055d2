// SPDX-License-Identifier: Apache-2.0
#include "workloads/llm/llm_spec.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "sim/base/error.hpp"
#include "workloads/llm/attended.hpp"
#include "workloads/llm/layer_matrices.hpp"
#include "workloads/llm/llm_bounds.hpp"
#include "workloads/llm/recurrence_facts.hpp"

namespace reticle {

namespace {

/// Everything of a layer that is no matrix: norms, biases, convolutions, gates.
struct VectorParameters {
  std::int64_t hidden;

  std::int64_t operator()(const AttentionSpec& a) const {
    const std::int64_t queries = a.heads * a.head_dim;
    const std::int64_t keys = a.kv_heads * a.head_dim;
    std::int64_t sum = 0;
    if (a.sink_logits) sum += a.heads;
    if (a.qkv_bias) sum += queries + 2 * keys;
    if (a.out_bias) sum += hidden;
    if (a.qk_norm) sum += 2 * a.head_dim;
    if (a.qk_norm_wide) sum += queries + keys;
    return sum;
  }
  std::int64_t operator()(const LatentAttentionSpec& a) const {
    return a.query_rank + a.kv_rank + (a.index_heads > 0 ? 2 * a.index_dim : 0);
  }
  std::int64_t operator()(const RecurrentSpec& r) const {
    const RecurrenceFact& fact = fact_of(r.kind);
    const std::int64_t values = r.heads * r.value_dim;
    const std::int64_t taps = r.conv > 0 ? r.conv + (fact.conv_bias ? 1 : 0) : 0;
    return taps * r.qkv_width() + fact.scalars * r.heads +
           (fact.norm_per_head ? r.value_dim : values);
  }
};

std::int64_t vector_parameters(const LlmSpec& llm, std::int64_t layer) {
  const Mixer* mixer = llm.mixer_of(layer);
  const FfnKind ffn = llm.layer(layer).ffn;
  std::int64_t sum = 0;
  if (mixer != nullptr) sum += llm.hidden + std::visit(VectorParameters{llm.hidden}, mixer->of);
  if (ffn != FfnKind::None) sum += llm.hidden;
  if (ffn == FfnKind::Moe)
    sum += (llm.moe->shared_gate ? llm.hidden : 0) + (llm.moe->router_bias ? llm.moe->experts : 0);
  return sum;
}

/// Biases of one routed expert; its matrices are in matrices_of.
std::int64_t expert_bias(const LlmSpec& llm) {
  if (!llm.moe->expert_bias) return 0;
  return (llm.gated_ffn ? 2 : 1) * llm.moe->expert_ffn + llm.hidden;
}

void count_layer(const LlmSpec& llm, std::int64_t layer, ParameterCounts& counts) {
  const bool moe = llm.layer_is_moe(layer);
  for (const Matrix& m : matrices_of(llm, layer)) switch (m.role) {
      case MatrixRole::MixerIn:
      case MatrixRole::QueryUp:
      case MatrixRole::KeyUp:
      case MatrixRole::ValueUp:
      case MatrixRole::MixerOut:
      case MatrixRole::Join:
        counts.attention += m.elements();
        break;
      case MatrixRole::Router:
        counts.router += m.elements();
        break;
      case MatrixRole::GateUp:
      case MatrixRole::Down:
        (moe ? counts.shared_experts : counts.dense_ffn) += m.elements();
        break;
      case MatrixRole::ExpertGateUp:
      case MatrixRole::ExpertDown:
        counts.routed_experts += m.elements();
        break;
    }
  if (moe) counts.routed_experts += llm.moe->experts * expert_bias(llm);
  counts.norms += vector_parameters(llm, layer);
}

std::int64_t sum_of_parts(const ParameterCounts& c) {
  return c.attention + c.dense_ffn + c.routed_experts + c.shared_experts + c.router + c.norms +
         c.embedding;
}

/// Of `routed` parameters in routed experts, those of top_k of them.
std::int64_t active_of(const LlmSpec& llm, std::int64_t routed) {
  return llm.moe ? routed / llm.moe->experts * llm.moe->top_k : 0;
}

std::int64_t embedding_table(const LlmSpec& llm) { return llm.vocabulary * llm.hidden; }

/// All weights but embedding and head, of which `routed` parameters in routed experts. Norm gains
/// and router are kept in BF16 (layer_matrices.cpp).
Bytes body_bytes(const LlmSpec& llm, const ParameterCounts& counts, std::int64_t routed) {
  return bytes_of(counts.attention, llm.attention_weights.value_or(llm.weights)) +
         bytes_of(counts.dense_ffn + routed + counts.shared_experts, llm.weights) +
         bytes_of(counts.norms + counts.router, Precision::Bf16);
}

void require(bool ok, std::string_view key, std::string_view rule, std::int64_t found) {
  if (!ok) throw ConfigError{{}, key, std::string{rule} + ", got " + std::to_string(found)};
}

/// Upper limits far above any model: they keep every product of this file inside 64 bits together
/// with llm_bounds::kParameters, and catch a slipped unit.

void require_between(std::string_view key, std::int64_t value, std::int64_t low,
                     std::int64_t high) {
  require(low <= value && value <= high, key,
          "must be between " + std::to_string(low) + " and " + std::to_string(high), value);
}

/// A size of something that is there (1 to `most`) or not (0), as `of` says.
void require_size_of(bool there, std::string_view of, std::string_view key, std::int64_t value,
                     std::int64_t most) {
  if (there) return require_between(key, value, 1, most);
  require(value == 0, key, "must be 0 without " + std::string{of}, value);
}

/// The rules of one mixer; keys begin with its path.
class MixerCheck {
 public:
  explicit MixerCheck(std::string path) : path_{std::move(path)} {}

  void operator()(const AttentionSpec& a) const {
    between("heads", a.heads, 1, llm_bounds::kWidth);
    between("kv_heads", a.kv_heads, 1, a.heads);
    require(a.heads % a.kv_heads == 0, key("kv_heads"),
            "must divide " + key("heads") + " (" + std::to_string(a.heads) + ")", a.kv_heads);
    between("head_dim", a.head_dim, 1, llm_bounds::kWidth);
    between("window", a.window, 0, llm_bounds::kTokens);
    require(a.sink_tokens == 0 || a.window > 0, key("sink_tokens"),
            "must be 0 without " + key("window"), a.sink_tokens);
    between("sink_tokens", a.sink_tokens, 0, llm_bounds::kTokens);
    require(!a.chunked || a.window > 0, key("window"), "must be set where chunked is", a.window);
  }
  void operator()(const LatentAttentionSpec& a) const {
    between("heads", a.heads, 1, llm_bounds::kWidth);
    between("query_rank", a.query_rank, 0, llm_bounds::kWidth);
    between("kv_rank", a.kv_rank, 1, llm_bounds::kWidth);
    between("rope_dim", a.rope_dim, 0, llm_bounds::kWidth);
    between("nope_dim", a.nope_dim, 1, llm_bounds::kWidth);
    between("value_dim", a.value_dim, 1, llm_bounds::kWidth);
    between("index_heads", a.index_heads, 0, llm_bounds::kWidth);
    const bool indexed = a.index_heads > 0;
    const std::string heads = key("index_heads");
    require_size_of(indexed, heads, key("index_dim"), a.index_dim, llm_bounds::kWidth);
    require_size_of(indexed, heads, key("index_topk"), a.index_topk, llm_bounds::kTokens);
  }
  void operator()(const RecurrentSpec& r) const {
    between("heads", r.heads, 1, llm_bounds::kWidth);
    between("key_heads", r.key_heads, 1, r.heads);
    require(r.heads % r.key_heads == 0, key("key_heads"),
            "must divide " + key("heads") + " (" + std::to_string(r.heads) + ")", r.key_heads);
    between("key_dim", r.key_dim, 1, llm_bounds::kWidth);
    between("value_dim", r.value_dim, 1, llm_bounds::kWidth);
    between("conv", r.conv, 0, llm_bounds::kConv);
    between("chunk", r.chunk, 1, llm_bounds::kChunk);
  }

 private:
  [[nodiscard]] std::string key(std::string_view name) const {
    return path_ + "." + std::string{name};
  }
  void between(std::string_view name, std::int64_t value, std::int64_t low,
               std::int64_t high) const {
    require_between(key(name), value, low, high);
  }
  std::string path_;
};

void check_moe(const MoeSpec& moe) {
  require_between("moe.experts", moe.experts, 1, llm_bounds::kExperts);
  require_between("moe.top_k", moe.top_k, 1, moe.experts);
  require_between("moe.expert_ffn", moe.expert_ffn, 1, llm_bounds::kWidth);
  require_between("moe.shared_experts", moe.shared_experts, 0, llm_bounds::kSharedExperts);
  require_size_of(moe.shared_experts > 0, "moe.shared_experts", "moe.shared_ffn", moe.shared_ffn,
                  llm_bounds::kWidth);
  const auto number_between = [](const char* key, double value, double low, double high) {
    if (low <= value && value <= high) return;
    throw ConfigError{{},
                      key,
                      "must be between " + std::to_string(low) + " and " + std::to_string(high) +
                          ", got " + std::to_string(value)};
  };
  const RoutingSpec& r = moe.routing;
  if (!r.recording.empty() && r.choice == ExpertChoice::ByExpert)
    throw ConfigError{{}, "moe.routing.recording", "holds picks of tokens, but choice is expert"};
  number_between("moe.routing.capacity_factor", r.capacity_factor, 0, llm_bounds::kExperts);
  number_between("moe.routing.popularity_sigma", r.popularity_sigma, 0, llm_bounds::kSigma);
  number_between("moe.routing.topic_sigma", r.topic_sigma, 0, llm_bounds::kSigma);
  number_between("moe.routing.stickiness", r.stickiness, 0, llm_bounds::kLink);
  number_between("moe.routing.layer_correlation", r.layer_correlation, 0, llm_bounds::kLink);
  require_between("moe.routing.topics", r.topics, 1, llm_bounds::kTopics);
}

void check_layers(const LlmSpec& llm) {
  require_between("layers", llm.layer_count(), 1, llm_bounds::kLayers);
  const auto mixers = static_cast<std::int64_t>(llm.mixers.size());
  require_between("mixers", mixers, 1, llm_bounds::kMixers);
  bool dense = false, moe = false;
  for (const LayerSpec& layer : llm.layers) {
    require_between("mixer_order", layer.mixer, kNoMixer, mixers - 1);
    require(layer.mixer != kNoMixer || layer.ffn != FfnKind::None, "mixer_order",
            "must leave every layer a mixer or a feed-forward network", kNoMixer);
    dense |= layer.ffn == FfnKind::Dense;
    moe |= layer.ffn == FfnKind::Moe;
  }
  require(!moe || llm.moe.has_value(), "moe", "must be there where layers are mixtures", 0);
  require(moe || !llm.moe, "dense_layers", "must be less than layers in a model with moe",
          llm.layer_count());
  for (std::int64_t m = 0; m < mixers; ++m) {
    require(llm.layers_with(m) > 0, "mixer_order", "must use every mixer, unused is number", m + 1);
    const Mixer& mixer = llm.mixers[static_cast<std::size_t>(m)];
    const bool only = mixers == 1 && mixer.name == "attention";
    std::visit(MixerCheck{only ? mixer.name : "mixers." + mixer.name}, mixer.of);
  }
  require_size_of(dense, "dense layers (dense_layers, ffn_order)", "dense_ffn", llm.dense_ffn,
                  llm_bounds::kWidth);
  require_between("mtp_layers", llm.mtp_layers, 0, llm_bounds::kMtpLayers);
}

/// Parameters in floating point: shows that the exact integer count will not overflow.
double approximate_parameters(const LlmSpec& llm) {
  const auto number = [](std::int64_t n) { return static_cast<double>(n); };
  const auto sum_of = [&](std::int64_t layer) {
    double sum = 4 * number(llm.hidden);
    for (const Matrix& m : matrices_of(llm, layer))
      sum += number(m.k) * number(m.n) * number(m.copies);
    return sum;
  };
  double sum = 2 * number(llm.hidden) * number(llm.vocabulary);
  for (std::int64_t i = 0; i < llm.layer_count(); ++i) sum += sum_of(i);
  return sum + number(llm.mtp_layers) *
                   (sum_of(llm.layer_count() - 1) + 2 * number(llm.hidden) * number(llm.hidden));
}

}  // namespace

std::vector<LayerSpec> dense_then_moe(std::int64_t dense, std::int64_t moe) {
  std::vector<LayerSpec> layers(static_cast<std::size_t>(dense + moe));
  for (auto i = static_cast<std::size_t>(dense); i < layers.size(); ++i)
    layers[i].ffn = FfnKind::Moe;
  return layers;
}

std::int64_t LlmSpec::layers_with(std::int64_t m) const {
  return std::count_if(layers.begin(), layers.end(),
                       [m](const LayerSpec& layer) { return layer.mixer == m; });
}

std::int64_t LlmSpec::layers_with(FfnKind ffn) const {
  return std::count_if(layers.begin(), layers.end(),
                       [ffn](const LayerSpec& layer) { return layer.ffn == ffn; });
}

ParameterCounts count_parameters(const LlmSpec& llm) {
  ParameterCounts counts;
  for (std::int64_t layer = 0; layer < llm.layer_count(); ++layer) count_layer(llm, layer, counts);
  counts.norms += llm.hidden;
  counts.embedding = (llm.tied_embeddings ? 1 : 2) * embedding_table(llm);
  counts.total = sum_of_parts(counts);
  counts.active = counts.total - counts.routed_experts + active_of(llm, counts.routed_experts);
  counts.active_inside = counts.active - counts.embedding;
  if (llm.mtp_layers > 0) {
    // A head is one more layer, behind a projection of its two inputs [DeepSeek-V3, arXiv
    // 2412.19437]; embedding and head are shared with the model.
    ParameterCounts one;
    count_layer(llm, llm.layer_count() - 1, one);
    counts.mtp =
        llm.mtp_layers * (sum_of_parts(one) + 2 * llm.hidden * llm.hidden + 3 * llm.hidden);
  }
  return counts;
}

Bytes kv_bytes_per_token_layer(const LlmSpec& llm, std::int64_t layer) {
  const Mixer* mixer = llm.mixer_of(layer);
  return mixer == nullptr ? Bytes{} : bytes_of(cache_elements(*mixer), llm.kv);
}

Bytes kv_bytes_per_token(const LlmSpec& llm) {
  Bytes sum{};
  for (std::int64_t i = 0; i < llm.layer_count(); ++i) sum += kv_bytes_per_token_layer(llm, i);
  return sum;
}

Bytes held_bytes_layer(const LlmSpec& llm, std::int64_t layer, std::int64_t tokens) {
  const Mixer* mixer = llm.mixer_of(layer);
  if (mixer == nullptr) return Bytes{};
  return held_tokens(*mixer, tokens) * kv_bytes_per_token_layer(llm, layer) +
         bytes_of(state_elements(*mixer), llm.state);
}

Bytes held_bytes(const LlmSpec& llm, std::int64_t tokens) {
  Bytes sum{};
  for (std::int64_t i = 0; i < llm.layer_count(); ++i) sum += held_bytes_layer(llm, i, tokens);
  return sum;
}

Bytes weight_bytes(const LlmSpec& llm) {
  const ParameterCounts counts = count_parameters(llm);
  return body_bytes(llm, counts, counts.routed_experts) + bytes_of(counts.embedding, llm.embedding);
}

Bytes active_weight_bytes(const LlmSpec& llm) {
  const ParameterCounts counts = count_parameters(llm);
  // Tied or not, the head streams a whole table; the input side gathers one row.
  return body_bytes(llm, counts, active_of(llm, counts.routed_experts)) +
         bytes_of(embedding_table(llm) + llm.hidden, llm.embedding);
}

void check(const LlmSpec& llm) {
  require_between("hidden", llm.hidden, 1, llm_bounds::kWidth);
  require_between("vocabulary", llm.vocabulary, 1, llm_bounds::kVocabulary);
  require_between("max_context", llm.max_context, 1, llm_bounds::kTokens);
  if (llm.moe) check_moe(*llm.moe);
  check_layers(llm);
  if (approximate_parameters(llm) > llm_bounds::kParameters)
    throw ConfigError{{}, "", "must have at most 10^16 parameters"};
}

}  // namespace reticle
