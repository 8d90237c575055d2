// SPDX-License-Identifier: Apache-2.0
// What the importer knows, in rows: facts and the keys they go by, architectures, keys that are
// refused, keys that change neither bytes nor operations, number formats.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "sim/base/precision.hpp"

namespace reticle::hf {

// ---- one row per fact: the names it goes by -------------------------------------------------

enum class Fact : std::uint8_t {
  Layers,
  Hidden,
  Vocabulary,
  MaxContext,
  Heads,
  KvHeads,
  HeadDim,
  Ffn,
  Experts,
  TopK,
  ExpertFfn,
  SharedExperts,
  SharedFfn,
  FirstDense,
  SparseStep,
  MtpLayers,
};

struct FactRow {
  Fact fact;
  std::string_view ours;  ///< what LlmSpec's rules call it
  std::array<std::string_view, 6> keys;
};

inline constexpr std::array<FactRow, 16> kFacts{{
    {Fact::Layers, "layers", {"num_hidden_layers", "n_layers", "n_layer", "num_layers"}},
    {Fact::Hidden, "hidden", {"hidden_size", "d_model", "n_embd"}},
    {Fact::Vocabulary, "vocabulary", {"vocab_size"}},
    {Fact::MaxContext, "max_context", {"max_position_embeddings", "max_seq_len", "n_positions"}},
    {Fact::Heads, "heads", {"num_attention_heads", "n_heads", "n_head"}},
    {Fact::KvHeads, "kv_heads", {"num_key_value_heads", "attn_config.kv_n_heads"}},
    {Fact::HeadDim, "head_dim", {"head_dim"}},
    {Fact::Ffn, "dense_ffn", {"intermediate_size"}},
    {Fact::Experts,
     "experts",
     {"num_local_experts", "num_experts", "n_routed_experts", "num_routed_experts",
      "ffn_config.moe_num_experts"}},
    {Fact::TopK,
     "top_k",
     {"num_experts_per_tok", "experts_per_token", "top_k_experts", "moe_top_k",
      "ffn_config.moe_top_k"}},
    {Fact::ExpertFfn, "expert_ffn", {"moe_intermediate_size", "ffn_config.ffn_hidden_size"}},
    {Fact::SharedExperts, "shared_experts", {"n_shared_experts", "num_shared_experts"}},
    {Fact::SharedFfn,
     "shared_ffn",
     {"moe_shared_expert_intermediate_size", "shared_expert_intermediate_size",
      "shared_intermediate_size"}},
    {Fact::FirstDense, "", {"first_k_dense_replace"}},
    {Fact::SparseStep, "", {"interleave_moe_layer_step", "decoder_sparse_step", "moe_layer_freq"}},
    {Fact::MtpLayers, "mtp_layers", {"num_nextn_predict_layers"}},
}};

// ---- one row per architecture ---------------------------------------------------------------

enum class Mixing : std::uint8_t {
  Heads,     ///< attention, some of it behind a window
  Latent,    ///< multi-head latent attention
  Chunks,    ///< attention within chunks, and to everything (Llama 4)
  Interval,  ///< every so many layers attends, the others follow the gated delta rule (Qwen3-Next)
  TypeList,  ///< lightning attention where a list has 0, softmax where it has 1 (MiniMax-M1)
  Pattern,   ///< a letter per block (Nemotron-H)
};
enum class Routing : std::uint8_t {
  None,     ///< dense
  Uniform,  ///< experts in every layer, `intermediate_size` is an expert's
  Sized,    ///< experts of moe_intermediate_size, dense layers of intermediate_size
};

/// What an architecture is known to do without its config saying so.
enum Trait : unsigned {
  kPlain = 0,
  kQkNorm = 1U << 0U,        ///< a norm on each head of Q and K
  kQkNormWide = 1U << 1U,    ///< a norm on all heads of Q, of K
  kQkvBias = 1U << 2U,       ///< biases on Q, K, V whatever attention_bias says
  kOutBias = 1U << 3U,       ///< attention_bias means the output too
  kSinkLogits = 1U << 4U,    ///< a logit per head in the softmax
  kExpertBias = 1U << 5U,    ///< biases in router and experts
  kGatedQuery = 1U << 6U,    ///< Q projects an output gate
  kSharedGate = 1U << 7U,    ///< a gate on the shared expert
  kOneShared = 1U << 8U,     ///< a shared expert of an expert's size
  kDenseBeside = 1U << 9U,   ///< the dense network runs beside the experts (intermediate_size)
  kSquaredRelu = 1U << 10U,  ///< feed-forward networks are not gated
  kTied = 1U << 11U,         ///< embeddings are tied unless the config says no
  kPairwise = 1U << 12U,     ///< interleave_moe_layer_step counts from the step's last layer
  kQkNormFlag = 1U << 13U,   ///< use_qk_norm decides
  kQkNormFree = 1U << 14U,   ///< use_qk_norm is a norm without gains
  kWindow = 1U << 15U,       ///< sliding_window holds unless use_sliding_window is false
  kWindowFlag = 1U << 16U,   ///< sliding_window holds where use_sliding_window is true
  kLateWindow = 1U << 17U,   ///< then only from layer max_window_layers on
};

struct Architecture {
  std::string_view model_type;
  Mixing mixing;
  Routing routing;
  unsigned traits;
};

// Sources: the modelling code of each architecture in Hugging Face transformers, and the papers
// docs/workloads.md lists.
inline constexpr std::array kArchitectures{
    Architecture{"dbrx", Mixing::Heads, Routing::Sized, kPlain},
    Architecture{"deepseek_v2", Mixing::Latent, Routing::Sized, kPlain},
    Architecture{"deepseek_v3", Mixing::Latent, Routing::Sized, kPlain},
    Architecture{"deepseek_v32", Mixing::Latent, Routing::Sized, kPlain},
    Architecture{"gemma4_text", Mixing::Heads, Routing::Sized,
                 kQkNorm | kDenseBeside | kTied | kWindow},
    Architecture{"glm4_moe", Mixing::Heads, Routing::Sized, kQkNormFlag},
    Architecture{"glm_moe_dsa", Mixing::Latent, Routing::Sized, kPlain},
    Architecture{"gpt_oss", Mixing::Heads, Routing::Uniform,
                 kOutBias | kSinkLogits | kExpertBias | kWindow},
    Architecture{"kimi_k2", Mixing::Latent, Routing::Sized, kPlain},
    Architecture{"llama", Mixing::Heads, Routing::None, kOutBias},
    Architecture{"llama4_text", Mixing::Chunks, Routing::Uniform,
                 kOneShared | kPairwise | kQkNormFree},
    Architecture{"minimax_m1", Mixing::TypeList, Routing::Uniform, kPlain},
    Architecture{"minimax_m2", Mixing::Heads, Routing::Uniform, kQkNormWide},
    Architecture{"mistral", Mixing::Heads, Routing::None, kWindow},
    Architecture{"mixtral", Mixing::Heads, Routing::Uniform, kWindow},
    Architecture{"nemotron_h", Mixing::Pattern, Routing::Sized, kSquaredRelu},
    Architecture{"olmoe", Mixing::Heads, Routing::Uniform, kQkNormWide},
    Architecture{"phimoe", Mixing::Heads, Routing::Uniform, kOutBias | kWindow},
    Architecture{"qwen2", Mixing::Heads, Routing::None, kQkvBias | kWindowFlag | kLateWindow},
    Architecture{"qwen2_moe", Mixing::Heads, Routing::Sized, kQkvBias | kSharedGate | kWindowFlag},
    Architecture{"qwen3", Mixing::Heads, Routing::None, kQkNorm | kWindowFlag | kLateWindow},
    Architecture{"qwen3_moe", Mixing::Heads, Routing::Sized, kQkNorm | kWindowFlag},
    Architecture{"qwen3_next", Mixing::Interval, Routing::Sized,
                 kQkNorm | kGatedQuery | kSharedGate},
};

struct Unmodelled {
  std::string_view model_type;
  std::string_view missing;
};
inline constexpr std::array kUnmodelled{
    Unmodelled{"deepseek_v4",
               "caches compressed over tokens (compress_ratios), several residual "
               "streams (hc_mult) and low-rank output projections (o_lora_rank)"},
    Unmodelled{"jamba", "layers of the first Mamba"},
    Unmodelled{"nllb_moe", "an encoder and cross attention"},
    Unmodelled{"switch_transformers", "an encoder and cross attention"},
    Unmodelled{"t5", "an encoder and cross attention"},
};

/// Keys that change bytes or operations. One that says something and that the architecture's row
/// did not ask for is a feature that is not modelled for it: refused.
inline constexpr std::string_view kDecisive = R"(
  attention_chunk_size attention_k_eq_v attn_output_gate attn_type_list block_configs
  cla_share_factor compress_ratios conv_kernel cross_attention_layers enable_moe_block encoder_layers
  expert_capacity expert_dtype expert_layer_period full_attention_interval global_head_dim hc_mult
  hidden_size_per_layer_input hybrid_override_pattern index_n_heads index_topk is_encoder_decoder
  kv_lora_rank layer_types linear_attn_config linear_num_value_heads mamba_num_heads mamba_proj_bias
  mlp_bias mlp_only_layers moe_intermediate_size moe_latent_size moe_layers n_routed_experts
  n_shared_experts no_rope_layers num_encoder_layers num_experts num_global_key_value_heads
  num_kv_shared_layers num_local_experts num_mtp_layers num_mtp_modules o_lora_rank q_lora_rank
  qk_rope_head_dim shared_expert_intermediate_size sliding_window ssm_state_size use_bias
  use_double_wide_mlp use_sliding_window v_head_dim
)";

/// Keys that change neither bytes nor operations that this program counts.
inline constexpr std::string_view kHarmless = R"(
  _attn_implementation _attn_implementation_autoset _commit_hash _name_or_path architectures auto_map
  custom_pipelines for_llm_compressor id2label label2id model_max_length problem_type
  tokenizer_class transformers_version unsloth_fixed unsloth_version

  add_bos_token add_eos_token audio_token_id begin_suppress_tokens boa_token_id boi_token_id
  boi_token_index bos_token_id decoder_start_token_id eoa_token_id eoa_token_index eoi_token_id
  eoi_token_index eos_token_id forced_bos_token_id forced_eos_token_id image_token_id
  image_token_index pad_token_id sep_token_id suppress_tokens video_token_id vision_end_token_id
  vision_soft_tokens_per_image vision_start_token_id

  bad_words_ids cache_implementation chunk_size_feed_forward diversity_penalty do_sample
  early_stopping encoder_no_repeat_ngram_size exponential_decay_length_penalty length_penalty
  max_length max_new_tokens min_length no_repeat_ngram_size num_beam_groups num_beams
  num_logits_to_keep num_return_sequences output_attentions output_hidden_states output_scores
  remove_invalid_values repetition_penalty return_dict return_dict_in_generate temperature
  torchscript typical_p use_cache

  attention_dropout attn_pdrop aux_loss_alpha classifier_dropout embd_pdrop ep_size
  gradient_checkpointing hidden_dropout initializer_factor initializer_range input_jitter_noise
  output_router_logits pretraining_tp rescale_prenorm_residual resid_pdrop router_aux_loss_coef
  router_jitter_noise router_z_loss_coef seq_aux

  attn_scale attn_temperature_tuning beta_fast beta_slow floor_scale indexer_rope_interleave
  initial_context_length mrope_section no_rope_layer_interval original_max_position_embeddings
  partial_rotary_factor rope_interleave rope_local_base_freq rope_parameters rope_ratio rope_scaling
  rope_theta rope_traditional rotary_dim rotary_pct

  activation_function clip_qkv final_logit_softcapping hidden_act hidden_activation layer_norm_eps
  layer_norm_epsilon layernorm_full_attention_alpha layernorm_full_attention_beta
  layernorm_linear_attention_alpha layernorm_linear_attention_beta layernorm_mlp_alpha
  layernorm_mlp_beta logit_scale mamba_hidden_act mlp_hidden_act norm_eps postnorm query_pre_attn_scalar
  residual_in_fp32 rms_norm_eps swiglu_limit time_step_floor time_step_limit time_step_max
  time_step_min time_step_rank use_bidirectional_attention use_mamba_kernels

  expand moe_router_use_sigmoid n_group norm_topk_prob qk_head_dim qk_norm_type router_dtype
  routed_scaling_factor scoring_func shared_moe_mode topk_group vocab_size_per_layer_input

  lm_head_bias use_conv_bias
)";
// Of the last three groups: norms, activations and scales are a pass over what is there anyway; how
// scores are scaled and grouped is left to the routing law; sizes that follow from others; vectors.

/// A nested model's encoders: not the language model's, left out and said so.
inline constexpr std::string_view kBeside = "audio_config vision_config";

/// Whether `key` is one of the names in `list`.
[[nodiscard]] constexpr bool lists(std::string_view list, std::string_view key) {
  constexpr std::string_view kSpace = " \n";
  for (std::size_t at = list.find(key); !key.empty() && at != list.npos;
       at = list.find(key, at + 1)) {
    const std::size_t end = at + key.size();
    if ((at == 0 || kSpace.find(list[at - 1]) != kSpace.npos) &&
        (end == list.size() || kSpace.find(list[end]) != kSpace.npos))
      return true;
  }
  return false;
}

/// Where a figure that breaks a rule of LlmSpec came from, beside the facts above.
struct OriginRow {
  std::string_view ours, key;
};
inline constexpr std::array kOrigins{
    OriginRow{"heads", "linear_num_value_heads"},
    OriginRow{"heads", "mamba_num_heads"},
    OriginRow{"key_heads", "linear_num_key_heads"},
    OriginRow{"key_heads", "n_groups"},
    OriginRow{"key_dim", "linear_key_head_dim"},
    OriginRow{"key_dim", "ssm_state_size"},
    OriginRow{"value_dim", "linear_value_head_dim"},
    OriginRow{"value_dim", "mamba_head_dim"},
    OriginRow{"value_dim", "v_head_dim"},
    OriginRow{"conv", "linear_conv_kernel_dim"},
    OriginRow{"conv", "conv_kernel"},
    OriginRow{"chunk", "chunk_size"},
    OriginRow{"query_rank", "q_lora_rank"},
    OriginRow{"kv_rank", "kv_lora_rank"},
    OriginRow{"rope_dim", "qk_rope_head_dim"},
    OriginRow{"nope_dim", "qk_nope_head_dim"},
    OriginRow{"index_heads", "index_n_heads"},
    OriginRow{"index_dim", "index_head_dim"},
    OriginRow{"index_topk", "index_topk"},
    OriginRow{"window", "sliding_window"},
    OriginRow{"window", "attention_chunk_size"},
    OriginRow{"dense_ffn", "intermediate_size_mlp"},
    OriginRow{"expert_ffn", "intermediate_size"},
    OriginRow{"shared_ffn", "moe_intermediate_size"},
    OriginRow{"shared_ffn", "intermediate_size"},
    OriginRow{"head_dim", "num_attention_heads"},
    OriginRow{"mtp_layers", "num_mtp_modules"},
};

// ---- formats --------------------------------------------------------------------------------

struct DtypeRow {
  std::string_view name;
  Precision precision;
};
inline constexpr std::array kDtypes{
    DtypeRow{"bfloat16", Precision::Bf16}, DtypeRow{"float16", Precision::Fp16},
    DtypeRow{"float32", Precision::Fp32}, DtypeRow{"float8_e4m3fn", Precision::Fp8}};

/// What `quantization_config` says of the weights: its method, and the value of the key that tells
/// formats of one method apart.
struct QuantRow {
  std::string_view method, key, value;
  Precision weights;
  bool inputs;  ///< activations too, on their way into a projection
};
// Sources: compressed-tensors' `format`, Model Optimizer's `quant_algo`, as vLLM reads them. Packed
// 4-bit integers (AWQ, GPTQ, pack-quantized) have no format here.
inline constexpr std::array kQuants{
    QuantRow{"fp8", "", "", Precision::Fp8, true},
    QuantRow{"mxfp4", "", "", Precision::Mxfp4, false},
    QuantRow{"modelopt", "quant_algo", "FP8", Precision::Fp8, true},
    QuantRow{"modelopt", "quant_algo", "FP8_PB_WO", Precision::Fp8, false},
    QuantRow{"modelopt", "quant_algo", "FP8_PER_CHANNEL_PER_TOKEN", Precision::Fp8, true},
    QuantRow{"modelopt", "quant_algo", "NVFP4", Precision::Nvfp4, true},
    QuantRow{"modelopt", "quant_algo", "W4A16_NVFP4", Precision::Nvfp4, false},
    QuantRow{"compressed-tensors", "format", "float-quantized", Precision::Fp8, true},
    QuantRow{"compressed-tensors", "format", "int-quantized", Precision::Int8, true},
    QuantRow{"compressed-tensors", "format", "nvfp4-pack-quantized", Precision::Nvfp4, true},
    QuantRow{"compressed-tensors", "format", "mxfp4-pack-quantized", Precision::Mxfp4, true},
};
/// Keys of quantization_config that say how numbers are scaled and packed, not how many bytes.
inline constexpr std::string_view kQuantHarmless = R"(
  activation_scheme actorder block_structure dynamic fmt format global_compression_ratio group_size
  input_activations observer observer_kwargs output_activations producer provider
  quantization_status scale_dtype scale_fmt sparsity_config strategy symmetric transform_config type
  version weight_block_size zp_dtype
)";

}  // namespace reticle::hf
