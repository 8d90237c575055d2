// SPDX-License-Identifier: Apache-2.0
#include "workloads/llm/hf_import.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "sim/base/error.hpp"
#include "workloads/llm/hf_config.hpp"

namespace reticle {

namespace {

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
  std::array<std::string_view, 6> keys;
};

constexpr std::array<FactRow, 16> kFacts{{
    {Fact::Layers, {"num_hidden_layers", "n_layers", "n_layer", "num_layers"}},
    {Fact::Hidden, {"hidden_size", "d_model", "n_embd"}},
    {Fact::Vocabulary, {"vocab_size"}},
    {Fact::MaxContext, {"max_position_embeddings", "max_seq_len", "n_positions"}},
    {Fact::Heads, {"num_attention_heads", "n_heads", "n_head"}},
    {Fact::KvHeads, {"num_key_value_heads", "attn_config.kv_n_heads"}},
    {Fact::HeadDim, {"head_dim"}},
    {Fact::Ffn, {"intermediate_size"}},
    {Fact::Experts,
     {"num_local_experts", "num_experts", "n_routed_experts", "num_routed_experts",
      "ffn_config.moe_num_experts"}},
    {Fact::TopK,
     {"num_experts_per_tok", "experts_per_token", "top_k_experts", "moe_top_k",
      "ffn_config.moe_top_k"}},
    {Fact::ExpertFfn, {"moe_intermediate_size", "ffn_config.ffn_hidden_size"}},
    {Fact::SharedExperts, {"n_shared_experts", "num_shared_experts"}},
    {Fact::SharedFfn,
     {"moe_shared_expert_intermediate_size", "shared_expert_intermediate_size",
      "shared_intermediate_size"}},
    {Fact::FirstDense, {"first_k_dense_replace"}},
    {Fact::SparseStep, {"interleave_moe_layer_step", "decoder_sparse_step", "moe_layer_freq"}},
    {Fact::MtpLayers, {"num_nextn_predict_layers"}},
}};

// ---- one row per architecture ---------------------------------------------------------------

enum class Mixing : std::uint8_t { Heads, Latent, Hybrid };
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
};

struct Architecture {
  std::string_view model_type;
  Mixing mixing;
  Routing routing;
  unsigned traits;
};

// Sources: the modelling code of each architecture in Hugging Face transformers, and the papers
// docs/workloads.md lists.
constexpr std::array kArchitectures{
    Architecture{"dbrx", Mixing::Heads, Routing::Sized, kPlain},
    Architecture{"deepseek_v2", Mixing::Latent, Routing::Sized, kPlain},
    Architecture{"deepseek_v3", Mixing::Latent, Routing::Sized, kPlain},
    Architecture{"deepseek_v32", Mixing::Latent, Routing::Sized, kPlain},
    Architecture{"gemma4_text", Mixing::Heads, Routing::Sized, kQkNorm | kDenseBeside | kTied},
    Architecture{"glm4_moe", Mixing::Heads, Routing::Sized, kPlain},
    Architecture{"glm_moe_dsa", Mixing::Latent, Routing::Sized, kPlain},
    Architecture{"gpt_oss", Mixing::Heads, Routing::Uniform, kOutBias | kSinkLogits | kExpertBias},
    Architecture{"kimi_k2", Mixing::Latent, Routing::Sized, kPlain},
    Architecture{"llama", Mixing::Heads, Routing::None, kOutBias},
    Architecture{"llama4_text", Mixing::Heads, Routing::Uniform, kOneShared | kPairwise},
    Architecture{"minimax_m1", Mixing::Hybrid, Routing::Uniform, kPlain},
    Architecture{"minimax_m2", Mixing::Heads, Routing::Uniform, kQkNormWide},
    Architecture{"mistral", Mixing::Heads, Routing::None, kPlain},
    Architecture{"mixtral", Mixing::Heads, Routing::Uniform, kPlain},
    Architecture{"nemotron_h", Mixing::Hybrid, Routing::Sized, kSquaredRelu},
    Architecture{"olmoe", Mixing::Heads, Routing::Uniform, kQkNormWide},
    Architecture{"phimoe", Mixing::Heads, Routing::Uniform, kOutBias},
    Architecture{"qwen2", Mixing::Heads, Routing::None, kQkvBias},
    Architecture{"qwen2_moe", Mixing::Heads, Routing::Sized, kQkvBias | kSharedGate},
    Architecture{"qwen3", Mixing::Heads, Routing::None, kQkNorm},
    Architecture{"qwen3_moe", Mixing::Heads, Routing::Sized, kQkNorm},
    Architecture{"qwen3_next", Mixing::Hybrid, Routing::Sized, kQkNorm | kGatedQuery | kSharedGate},
};

struct Unmodelled {
  std::string_view model_type;
  std::string_view missing;
};
constexpr std::array kUnmodelled{
    Unmodelled{"deepseek_v4",
               "caches compressed over tokens (compress_ratios), several residual "
               "streams (hc_mult) and low-rank output projections (o_lora_rank)"},
    Unmodelled{"jamba", "layers of the first Mamba"},
    Unmodelled{"nllb_moe", "an encoder and cross attention"},
    Unmodelled{"switch_transformers", "an encoder and cross attention"},
    Unmodelled{"t5", "an encoder and cross attention"},
};

/// Keys that change bytes or operations. One that says something and that the architecture's row
/// did not ask for stands for a feature nobody has read.
constexpr std::array<std::string_view, 45> kTelltales{"attn_output_gate",
                                                      "block_configs",
                                                      "linear_attn_config",
                                                      "mlp_bias",
                                                      "moe_latent_size",
                                                      "num_mtp_layers",
                                                      "expert_layer_period",
                                                      "attention_chunk_size",
                                                      "attention_k_eq_v",
                                                      "attn_type_list",
                                                      "compress_ratios",
                                                      "cla_share_factor",
                                                      "conv_kernel",
                                                      "cross_attention_layers",
                                                      "full_attention_interval",
                                                      "enable_moe_block",
                                                      "encoder_layers",
                                                      "expert_capacity",
                                                      "hc_mult",
                                                      "hidden_size_per_layer_input",
                                                      "hybrid_override_pattern",
                                                      "index_n_heads",
                                                      "index_topk",
                                                      "is_encoder_decoder",
                                                      "kv_lora_rank",
                                                      "layer_types",
                                                      "linear_num_value_heads",
                                                      "mamba_num_heads",
                                                      "mlp_only_layers",
                                                      "moe_intermediate_size",
                                                      "n_routed_experts",
                                                      "num_experts",
                                                      "num_global_key_value_heads",
                                                      "num_kv_shared_layers",
                                                      "num_local_experts",
                                                      "num_encoder_layers",
                                                      "o_lora_rank",
                                                      "q_lora_rank",
                                                      "qk_rope_head_dim",
                                                      "sliding_window",
                                                      "ssm_state_size",
                                                      "use_double_wide_mlp",
                                                      "use_sliding_window",
                                                      "n_shared_experts",
                                                      "shared_expert_intermediate_size"};

// ---- formats --------------------------------------------------------------------------------

struct DtypeRow {
  std::string_view name;
  Precision precision;
};
constexpr std::array kDtypes{
    DtypeRow{"bfloat16", Precision::Bf16}, DtypeRow{"float16", Precision::Fp16},
    DtypeRow{"float32", Precision::Fp32}, DtypeRow{"float8_e4m3fn", Precision::Fp8}};

struct QuantRow {
  std::string_view method;
  Precision weights;
};
constexpr std::array kQuants{QuantRow{"fp8", Precision::Fp8}, QuantRow{"mxfp4", Precision::Mxfp4},
                             QuantRow{"nvfp4", Precision::Nvfp4}};

// ---- the reading ----------------------------------------------------------------------------

class Importer {
 public:
  Importer(const HfConfig& config, const Architecture& architecture)
      : c_{config}, a_{architecture} {}

  ImportedLlm read(std::string name) {
    LlmSpec& llm = out_.llm;
    llm.name = std::move(name);
    llm.hidden = need(Fact::Hidden);
    llm.vocabulary = need(Fact::Vocabulary);
    llm.max_context = need(Fact::MaxContext);
    llm.gated_ffn = !is(kSquaredRelu);
    llm.mtp_layers = mtp_layers();
    llm.tied_embeddings = c_.flag("tie_word_embeddings").value_or(is(kTied));
    layers_ = need(Fact::Layers);
    if (layers_ < 1 || layers_ > 4096) c_.fail("num_hidden_layers", "must be between 1 and 4096");
    llm.layers.resize(static_cast<std::size_t>(layers_));
    read_mixers();
    read_ffn();
    read_formats();
    if (const auto key = c_.unasked(kTelltales))
      c_.fail(*key, "not known to belong to model_type " + std::string{a_.model_type} +
                        "; it would change bytes or operations");
    check_spec();
    out_.model_type = a_.model_type;
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool is(unsigned trait) const { return (a_.traits & trait) != 0; }
  [[nodiscard]] static const FactRow& row(Fact fact) {
    return kFacts[static_cast<std::size_t>(fact)];
  }
  [[nodiscard]] std::optional<std::int64_t> find(Fact fact) const {
    return c_.whole(row(fact).keys);
  }
  [[nodiscard]] std::int64_t need(Fact fact) const {
    if (const auto value = find(fact)) return *value;
    std::string names;
    for (const std::string_view key : row(fact).keys)
      if (!key.empty()) names += (names.empty() ? "" : " or ") + std::string{key};
    c_.fail(row(fact).keys.front(), "missing (" + names + ")");
  }
  [[nodiscard]] std::int64_t need(std::string_view key) const {
    if (const auto value = c_.whole(key)) return *value;
    c_.fail(key, "missing");
  }
  void note(std::string text) { out_.notes.push_back(std::move(text)); }
  LayerSpec& layer(std::int64_t i) { return out_.llm.layers[static_cast<std::size_t>(i)]; }

  std::int64_t mtp_layers() {
    if (const auto n = find(Fact::MtpLayers)) return *n;
    return c_.flag("use_mtp").value_or(false) ? c_.whole("num_mtp_modules").value_or(0) : 0;
  }

  // ---- mixers
  void read_mixers() {
    if (a_.mixing == Mixing::Latent) return one_mixer({"latent", latent()});
    if (a_.model_type == "nemotron_h") return read_pattern();
    if (a_.model_type == "qwen3_next") return read_interval();
    if (a_.model_type == "minimax_m1") return read_type_list();
    read_heads();
  }
  void one_mixer(Mixer mixer) { out_.llm.mixers = {std::move(mixer)}; }

  [[nodiscard]] AttentionSpec heads() const {
    AttentionSpec a;
    a.heads = need(Fact::Heads);
    a.kv_heads = find(Fact::KvHeads).value_or(a.heads);  // multi-head where the key is null
    if (a.heads < 1) c_.fail("num_attention_heads", "must be at least 1");
    a.head_dim = find(Fact::HeadDim).value_or(out_.llm.hidden / a.heads);
    const bool bias = c_.flag("attention_bias").value_or(false);
    a.qkv_bias = bias || is(kQkvBias);
    a.out_bias = bias && is(kOutBias);
    a.qk_norm =
        is(kQkNorm) || (a_.model_type == "glm4_moe" && c_.flag("use_qk_norm").value_or(false));
    a.qk_norm_wide = is(kQkNormWide);
    a.gated = is(kGatedQuery);
    a.sink_logits = is(kSinkLogits);
    return a;
  }

  [[nodiscard]] LatentAttentionSpec latent() const {
    LatentAttentionSpec a;
    a.heads = need(Fact::Heads);
    (void)find(Fact::KvHeads);  // equals heads, and says nothing: the cache is latent
    (void)find(Fact::HeadDim);
    a.query_rank = c_.whole("q_lora_rank").value_or(0);
    a.kv_rank = need("kv_lora_rank");
    a.rope_dim = need("qk_rope_head_dim");
    a.nope_dim = need("qk_nope_head_dim");
    a.value_dim = need("v_head_dim");
    if (const auto n = c_.whole("index_n_heads")) {
      a.index_heads = *n;
      a.index_dim = need("index_head_dim");
      a.index_topk = need("index_topk");
    }
    return a;
  }

  /// Heads in every layer, some of them behind a window.
  void read_heads() {
    const AttentionSpec base = heads();
    if (a_.model_type == "llama4_text") return read_chunks(base);
    AttentionSpec windowed = base;
    windowed.window = window();
    const std::vector<std::string> types = c_.texts("layer_types");
    if (types.empty()) {
      const bool used = c_.flag("use_sliding_window").value_or(true);
      if (windowed.window > 0 && used && c_.has("max_window_layers"))
        c_.fail("max_window_layers", "windows in some layers need layer_types");
      return one_mixer({"attention", used ? windowed : base});
    }
    const bool some_slide =
        std::find(types.begin(), types.end(), "sliding_attention") != types.end();
    if (some_slide && c_.whole("sliding_window").value_or(0) < 1)
      c_.fail("sliding_window", "missing, though layer_types names sliding_attention");
    by_type(types, {{"full_attention", {"full", global(base)}},
                    {"sliding_attention", {"sliding", windowed}}});
  }

  /// Gemma 4: layers without a window have heads of their own.
  [[nodiscard]] AttentionSpec global(AttentionSpec a) const {
    if (const auto n = c_.whole("num_global_key_value_heads")) a.kv_heads = *n;
    if (const auto n = c_.whole("global_head_dim")) a.head_dim = *n;
    a.keys_are_values = c_.flag("attention_k_eq_v").value_or(false);
    return a;
  }

  /// 0 where no window is set or the context does not pass it.
  [[nodiscard]] std::int64_t window() const {
    const std::int64_t w = c_.whole("sliding_window").value_or(0);
    return w >= out_.llm.max_context ? 0 : w;
  }

  /// Llama 4: three of four layers attend within chunks, the fourth to everything.
  void read_chunks(const AttentionSpec& base) {
    AttentionSpec chunked = base;
    chunked.window = need("attention_chunk_size");
    chunked.chunked = true;
    const std::int64_t interval = c_.whole("no_rope_layer_interval").value_or(4);
    if (interval < 1) c_.fail("no_rope_layer_interval", "must be at least 1");
    const std::vector<std::int64_t> listed = c_.wholes("no_rope_layers");
    if (!listed.empty() && static_cast<std::int64_t>(listed.size()) != layers_)
      c_.fail("no_rope_layers", "expected one entry per layer");
    if (listed.empty() && !c_.has("no_rope_layer_interval"))
      note("every 4th layer attends to the whole context, as the architecture does by default");
    out_.llm.mixers = {{"chunked", chunked}, {"full", base}};
    for (std::int64_t i = 0; i < layers_; ++i) {
      const bool full =
          listed.empty() ? (i + 1) % interval == 0 : listed[static_cast<std::size_t>(i)] == 0;
      layer(i).mixer = full ? 1 : 0;
    }
    drop_unused();
  }

  void by_type(const std::vector<std::string>& types,
               std::vector<std::pair<std::string, Mixer>> known) {
    if (static_cast<std::int64_t>(types.size()) != layers_)
      c_.fail("layer_types", "expected one entry per layer (" + std::to_string(layers_) + ")");
    for (auto& [name, mixer] : known) out_.llm.mixers.push_back(mixer);
    for (std::int64_t i = 0; i < layers_; ++i) {
      const std::string& type = types[static_cast<std::size_t>(i)];
      const auto found =
          std::find_if(known.begin(), known.end(), [&](const auto& k) { return k.first == type; });
      if (found == known.end()) c_.fail("layer_types", "'" + type + "' is not modelled");
      layer(i).mixer = static_cast<std::int8_t>(found - known.begin());
    }
    drop_unused();
  }

  /// Mixers that no layer uses go; what they were called says nothing.
  void drop_unused() {
    auto& mixers = out_.llm.mixers;
    for (std::size_t m = mixers.size(); m-- > 0;) {
      const auto at = static_cast<std::int8_t>(m);
      if (out_.llm.layers_with(at) > 0) continue;
      mixers.erase(mixers.begin() + at);
      for (LayerSpec& l : out_.llm.layers)
        if (l.mixer > at) --l.mixer;
    }
    if (mixers.size() == 1 && std::holds_alternative<AttentionSpec>(mixers.front().of))
      mixers.front().name = "attention";
  }

  /// Qwen3-Next: every so many layers attends, the others follow the gated delta rule.
  void read_interval() {
    RecurrentSpec r;
    r.kind = Recurrence::GatedDelta;
    r.heads = need("linear_num_value_heads");
    r.key_heads = need("linear_num_key_heads");
    r.key_dim = need("linear_key_head_dim");
    r.value_dim = need("linear_value_head_dim");
    r.conv = need("linear_conv_kernel_dim");
    r.chunk = 64;  // of the published kernels [Yang et al., ICLR 2025]
    const std::vector<std::string> types = c_.texts("layer_types");
    if (!types.empty())
      return by_type(types,
                     {{"linear_attention", {"delta", r}}, {"full_attention", {"full", heads()}}});
    const std::int64_t interval = need("full_attention_interval");
    if (interval < 1) c_.fail("full_attention_interval", "must be at least 1");
    out_.llm.mixers = {{"delta", r}, {"full", heads()}};
    for (std::int64_t i = 0; i < layers_; ++i) layer(i).mixer = (i + 1) % interval == 0 ? 1 : 0;
    drop_unused();
  }

  /// MiniMax-M1: 0 is lightning attention, 1 softmax attention.
  void read_type_list() {
    const AttentionSpec full = heads();
    RecurrentSpec r;
    r.kind = Recurrence::Lightning;
    r.heads = r.key_heads = full.heads;
    r.key_dim = r.value_dim = full.head_dim;
    const std::vector<std::int64_t> types = c_.wholes("attn_type_list");
    if (static_cast<std::int64_t>(types.size()) != layers_)
      c_.fail("attn_type_list", "expected one entry per layer (" + std::to_string(layers_) + ")");
    out_.llm.mixers = {{"lightning", r}, {"full", full}};
    for (std::int64_t i = 0; i < layers_; ++i) {
      const std::int64_t type = types[static_cast<std::size_t>(i)];
      if (type > 1) c_.fail("attn_type_list", "expected 0 or 1");
      layer(i).mixer = static_cast<std::int8_t>(type);
    }
    drop_unused();
  }

  /// Nemotron-H: a letter per block. M: Mamba-2, *: attention, E: experts, -: dense.
  void read_pattern() {
    RecurrentSpec r;
    r.heads = need("mamba_num_heads");
    r.value_dim = need("mamba_head_dim");
    r.key_heads = need("n_groups");
    r.key_dim = need("ssm_state_size");
    r.conv = need("conv_kernel");
    r.chunk = c_.whole("chunk_size").value_or(r.chunk);
    out_.llm.mixers = {{"mamba", r}, {"attention", heads()}};
    (void)c_.whole("sliding_window");
    const auto pattern = c_.text("hybrid_override_pattern");
    if (!pattern) c_.fail("hybrid_override_pattern", "missing");
    if (static_cast<std::int64_t>(pattern->size()) != layers_)
      c_.fail("hybrid_override_pattern",
              "expected one letter per layer (" + std::to_string(layers_) + ")");
    for (std::int64_t i = 0; i < layers_; ++i) {
      LayerSpec& l = layer(i);
      l = {kNoMixer, FfnKind::None};
      switch ((*pattern)[static_cast<std::size_t>(i)]) {
        case 'M':
          l.mixer = 0;
          break;
        case '*':
          l.mixer = 1;
          break;
        case 'E':
          l.ffn = FfnKind::Moe;
          break;
        case '-':
          l.ffn = FfnKind::Dense;
          break;
        default:
          c_.fail("hybrid_override_pattern", "expected letters M, *, E and -");
      }
    }
    drop_unused();
    if (c_.text("mamba_ssm_cache_dtype").value_or("") == "float32")
      out_.llm.state = Precision::Fp32;
  }

  // ---- feed-forward networks
  void read_ffn() {
    const bool routed = a_.routing != Routing::None;
    if (routed) read_experts();
    if (a_.model_type != "nemotron_h")
      for (std::int64_t i = 0; i < layers_; ++i)
        layer(i).ffn = routed && layer_routes(i) ? FfnKind::Moe : FfnKind::Dense;
    const bool some_dense = out_.llm.layers_with(FfnKind::Dense) > 0;
    // Llama 4 gives its dense layers a size of their own.
    if (some_dense)
      out_.llm.dense_ffn =
          c_.has("intermediate_size_mlp") ? need("intermediate_size_mlp") : need(Fact::Ffn);
    if (routed && out_.llm.layers_with(FfnKind::Moe) == 0)
      c_.fail("model_type", "needs at least one layer with experts; the config leaves none");
  }

  void read_experts() {
    MoeSpec moe;
    moe.experts = need(Fact::Experts);
    moe.top_k = need(Fact::TopK);
    moe.expert_ffn = a_.routing == Routing::Uniform ? need(Fact::Ffn) : need(Fact::ExpertFfn);
    if (is(kOneShared)) {
      moe.shared_experts = 1;
      moe.shared_ffn = moe.expert_ffn;
    } else if (is(kDenseBeside)) {
      if (!c_.flag("enable_moe_block").value_or(false))
        c_.fail("enable_moe_block", "expected true: dense layers of this family are not modelled");
      (void)c_.flag("use_double_wide_mlp");
      moe.shared_experts = 1;
      moe.shared_ffn = need(Fact::Ffn);
    } else {
      const auto ffn = find(Fact::SharedFfn);
      moe.shared_experts = find(Fact::SharedExperts).value_or(ffn.value_or(0) > 0 ? 1 : 0);
      moe.shared_ffn = moe.shared_experts > 0 ? ffn.value_or(moe.expert_ffn) : 0;
    }
    moe.shared_gate = is(kSharedGate) && moe.shared_experts > 0;
    moe.expert_bias = is(kExpertBias);
    // Balancing without an auxiliary loss corrects the scores by a bias per expert.
    moe.router_bias = is(kExpertBias) || c_.text("topk_method").value_or("") == "noaux_tc";
    moe.routing = routing_of(RoutingPresetName::Typical);
    out_.llm.moe = moe;
    note("how tokens spread over experts is not in a config: routing preset typical");
  }

  [[nodiscard]] bool layer_routes(std::int64_t i) const {
    const std::vector<std::int64_t> dense = c_.wholes("mlp_only_layers");
    if (std::find(dense.begin(), dense.end(), i) != dense.end()) return false;
    const std::vector<std::int64_t> listed = c_.wholes("moe_layers");
    if (!listed.empty()) return std::find(listed.begin(), listed.end(), i) != listed.end();
    const std::int64_t first = find(Fact::FirstDense).value_or(0);
    const std::int64_t step = find(Fact::SparseStep).value_or(1);
    if (step < 1) c_.fail("model_type", "needs a step between layers with experts of at least 1");
    // Steps count layers from 1, but for DeepSeek's moe_layer_freq, which divides the index.
    const bool from_one = is(kPairwise) || c_.has("decoder_sparse_step");
    return i >= first && (from_one ? (i + 1) % step == 0 : i % step == 0);
  }

  // ---- formats
  void read_formats() {
    LlmSpec& llm = out_.llm;
    const auto dtype = c_.has("torch_dtype") ? c_.text("torch_dtype") : c_.text("dtype");
    Precision base = Precision::Bf16;
    if (dtype) {
      const auto found = std::find_if(kDtypes.begin(), kDtypes.end(),
                                      [&](const DtypeRow& r) { return r.name == *dtype; });
      if (found == kDtypes.end())
        c_.fail(c_.has("torch_dtype") ? "torch_dtype" : "dtype",
                "'" + *dtype + "' is not modelled");
      base = found->precision;
    } else {
      note("no torch_dtype: weights taken as bf16");
    }
    llm.weights = llm.embedding = base;
    // Caches and products of published serving run in 16 bit whatever the checkpoint's format.
    llm.activations = llm.kv = base == Precision::Fp16 ? Precision::Fp16 : Precision::Bf16;
    if (!c_.has("quantization_config")) return;
    const std::string method = c_.text("quantization_config.quant_method").value_or("");
    const auto quant = std::find_if(kQuants.begin(), kQuants.end(),
                                    [&](const QuantRow& r) { return r.method == method; });
    if (quant == kQuants.end())
      c_.fail("quantization_config.quant_method", "'" + method + "' is not modelled");
    llm.weights = quant->weights;
    const std::vector<std::string> kept = c_.texts("quantization_config.modules_to_not_convert");
    const bool attention = std::any_of(kept.begin(), kept.end(), [](const std::string& module) {
      return module.find("self_attn") != std::string::npos;
    });
    if (attention) llm.attention_weights = base;
  }

  void check_spec() const {
    try {
      check(out_.llm);
    } catch (const ConfigError& error) {
      c_.fail("model_type", std::string{"the model this config describes: "} + error.what());
    }
  }

  const HfConfig& c_;
  const Architecture& a_;
  std::int64_t layers_ = 0;
  ImportedLlm out_;
};

std::string known_text() {
  std::string all;
  for (const std::string_view type : known_model_types())
    all += (all.empty() ? "" : ", ") + std::string{type};
  return all;
}

}  // namespace

std::vector<std::string_view> known_model_types() {
  std::vector<std::string_view> all;
  for (const Architecture& a : kArchitectures) all.push_back(a.model_type);
  return all;
}

ImportedLlm import_hf_config(const std::string& path, std::string text, std::string name) {
  const HfConfig config{path, std::move(text)};
  const auto type = config.text("model_type");
  if (!type) config.fail("model_type", "missing; it names the architecture");
  for (const Unmodelled& u : kUnmodelled)
    if (u.model_type == *type)
      config.fail("model_type",
                  "'" + *type + "' needs " + std::string{u.missing} + ", which is not modelled");
  const auto found = std::find_if(kArchitectures.begin(), kArchitectures.end(),
                                  [&](const Architecture& a) { return a.model_type == *type; });
  if (found == kArchitectures.end())
    config.fail("model_type", "'" + *type + "' is not one of " + known_text());
  return Importer{config, *found}.read(std::move(name));
}

}  // namespace reticle
