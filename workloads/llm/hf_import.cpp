// SPDX-License-Identifier: Apache-2.0
#include "workloads/llm/hf_import.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "sim/base/error.hpp"
#include "workloads/llm/hf_config.hpp"
#include "workloads/llm/hf_tables.hpp"
#include "workloads/llm/llm_bounds.hpp"

namespace reticle {

using namespace hf;

namespace {

// ---- the reading ----------------------------------------------------------------------------

class Importer {
 public:
  Importer(const HfConfig& config, const Architecture& architecture, bool strict)
      : c_{config}, a_{architecture}, strict_{strict} {}

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
    if (layers_ < 1 || layers_ > llm_bounds::kLayers)
      c_.fail(key_of("layers").value_or("model_type"), "must be between 1 and " +
                                                           std::to_string(llm_bounds::kLayers) +
                                                           ", got " + std::to_string(layers_));
    llm.layers.resize(static_cast<std::size_t>(layers_));
    read_mixers();
    read_ffn();
    read_formats();
    read_the_rest();
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
    if (!c_.flag("use_mtp").value_or(false)) return 0;
    return c_.whole("num_mtp_modules").value_or(0) * c_.whole("mtp_transformer_layers").value_or(1);
  }

  /// Keys that no row asked for: refused where they decide something, named where nobody knows.
  void read_the_rest() {
    for (const std::string& key : c_.unread()) {
      const std::string_view leaf = std::string_view{key}.substr(key.rfind('.') + 1);
      if (lists(kDecisive, leaf))
        c_.fail(key, "not known to belong to model_type " + std::string{a_.model_type} +
                         "; it would change bytes or operations");
      if (lists(kBeside, key)) note(key + ": left out, only the language model is imported");
      if (lists(kBeside, key) || lists(kHarmless, leaf) ||
          (key.starts_with("quantization_config.") && lists(kQuantHarmless, leaf)))
        continue;
      if (strict_) c_.fail(key, "not known here, so it might change bytes or operations");
      out_.unread.push_back(key);
    }
  }

  // ---- mixers
  void read_mixers() {
    switch (a_.mixing) {
      case Mixing::Heads:
        return read_heads();
      case Mixing::Latent:
        return one_mixer({"latent", latent()});
      case Mixing::Chunks:
        return read_chunks(heads());
      case Mixing::Interval:
        return read_interval();
      case Mixing::TypeList:
        return read_type_list();
      case Mixing::Pattern:
        return read_pattern();
    }
  }
  void one_mixer(Mixer mixer) { out_.llm.mixers = {std::move(mixer)}; }

  [[nodiscard]] AttentionSpec heads() const {
    AttentionSpec a;
    a.heads = need(Fact::Heads);
    a.kv_heads = find(Fact::KvHeads).value_or(a.heads);  // multi-head where the key is null
    if (a.heads < 1) c_.fail("num_attention_heads", "must be at least 1");
    const auto head_dim = find(Fact::HeadDim);
    if (!head_dim && out_.llm.hidden % a.heads != 0)
      c_.fail(key_of("hidden").value_or("hidden_size"),
              "must be a multiple of the " + std::to_string(a.heads) +
                  " heads where head_dim does not say their size, got " +
                  std::to_string(out_.llm.hidden));
    a.head_dim = head_dim.value_or(out_.llm.hidden / a.heads);
    const bool qkv = c_.flag("qkv_bias").value_or(false);
    const bool bias = c_.flag("attention_bias").value_or(false) || qkv;
    a.qkv_bias = bias || is(kQkvBias);
    a.out_bias = bias && is(kOutBias);
    const bool asks = is(kQkNorm | kQkNormWide | kQkNormFlag | kQkNormFree);
    const bool said = asks && c_.flag("use_qk_norm").value_or(false);
    a.qk_norm = is(kQkNorm) || (is(kQkNormFlag) && said);
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
    const std::vector<std::string> types = c_.texts("layer_types");
    const bool some_slide =
        std::find(types.begin(), types.end(), "sliding_attention") != types.end();
    if (some_slide && c_.whole("sliding_window").value_or(0) < 1)
      c_.fail("sliding_window", "missing, though layer_types names sliding_attention");
    AttentionSpec windowed = base;
    windowed.window = window(some_slide);
    if (!types.empty())
      return by_type(types, {{"full_attention", {"full", global(base)}},
                             {"sliding_attention", {"sliding", windowed}}});
    const auto from = c_.whole("max_window_layers");
    if (windowed.window == 0 || !from) return one_mixer({"attention", windowed});
    if (!is(kLateWindow)) c_.fail("max_window_layers", "windows in some layers need layer_types");
    out_.llm.mixers = {{"full", base}, {"sliding", windowed}};
    for (std::int64_t i = 0; i < layers_; ++i) layer(i).mixer = i >= *from ? 1 : 0;
    drop_unused();
  }

  /// Gemma 4: layers without a window have heads of their own.
  [[nodiscard]] AttentionSpec global(AttentionSpec a) const {
    if (const auto n = c_.whole("num_global_key_value_heads")) a.kv_heads = *n;
    if (const auto n = c_.whole("global_head_dim")) a.head_dim = *n;
    a.keys_are_values = c_.flag("attention_k_eq_v").value_or(false);
    return a;
  }

  /// 0 where no window is set, none is used, or the context does not pass it. Lists of layers that
  /// name a window use it, whatever the architecture.
  [[nodiscard]] std::int64_t window(bool listed) const {
    const bool reads = is(kWindow | kWindowFlag);
    const bool used = reads && c_.flag("use_sliding_window").value_or(is(kWindow));
    const std::int64_t w =
        reads || listed ? c_.whole("sliding_window").value_or(0) : std::int64_t{0};
    return (used || listed) && w < out_.llm.max_context ? w : 0;
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
    if (listed.empty() && !c_.has("no_rope_layer_interval") && !c_.has("layer_types"))
      note("every 4th layer attends to the whole context, as the architecture does by default");
    if (const auto types = c_.texts("layer_types"); !types.empty())
      return by_type(
          types, {{"chunked_attention", {"chunked", chunked}}, {"full_attention", {"full", base}}});
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
  }

  // ---- feed-forward networks
  void read_ffn() {
    const bool routed = a_.routing != Routing::None;
    if (routed) read_experts();
    if (a_.mixing != Mixing::Pattern)
      for (std::int64_t i = 0; i < layers_; ++i)
        layer(i).ffn = routed && layer_routes(i) ? FfnKind::Moe : FfnKind::Dense;
    // Said also where no layer is dense; Llama 4 gives its dense layers a size of their own.
    const auto dense = is(kPairwise) && c_.has("intermediate_size_mlp")
                           ? c_.whole("intermediate_size_mlp")
                           : find(Fact::Ffn);
    if (out_.llm.layers_with(FfnKind::Dense) > 0)
      out_.llm.dense_ffn = dense ? *dense : need(Fact::Ffn);
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
    moe.router_bias = is(kExpertBias) || c_.text("topk_method").value_or("") == "noaux_tc" ||
                      c_.flag("use_routing_bias").value_or(false);
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
  [[nodiscard]] std::optional<Precision> dtype(std::string_view key) const {
    const auto name = c_.text(key);
    if (!name) return std::nullopt;
    for (const DtypeRow& row : kDtypes)
      if (row.name == *name) return row.precision;
    c_.fail(key, "'" + *name + "' is not modelled");
  }

  void read_formats() {
    LlmSpec& llm = out_.llm;
    const auto torch = dtype("torch_dtype"), plain = dtype("dtype");
    const Precision base = torch.value_or(plain.value_or(Precision::Bf16));
    if (!torch && !plain) note("no torch_dtype: weights taken as bf16");
    if (base == Precision::Fp32)
      note(
          "weights are fp32, 4 bytes each, as the checkpoint has them; where they are served in 16 "
          "bit set weights and embedding to bf16");
    llm.weights = llm.embedding = base;
    // Caches and products of published serving run in 16 bit whatever the checkpoint's format.
    llm.activations = llm.kv = base == Precision::Fp16 ? Precision::Fp16 : Precision::Bf16;
    read_state_format();
    if (c_.has("quantization_config")) read_quantisation(base);
  }

  void read_state_format() {
    LlmSpec& llm = out_.llm;
    const bool recurs = std::any_of(llm.mixers.begin(), llm.mixers.end(), [](const Mixer& m) {
      return std::holds_alternative<RecurrentSpec>(m.of);
    });
    if (!recurs) return;
    const auto cache = dtype("mamba_ssm_cache_dtype"), ssm = dtype("mamba_ssm_dtype");
    if (!cache && !ssm)
      note("the format of recurrent states is not in the config: bf16; set state to change it");
    llm.state = cache.value_or(ssm.value_or(Precision::Bf16));
  }

  void read_quantisation(Precision base) {
    const std::string method = c_.text("quantization_config.quant_method").value_or("");
    const QuantRow* row = nullptr;
    std::string said = "'" + method + "'";
    for (const QuantRow& r : kQuants) {
      if (r.method != method) continue;
      const std::string key = "quantization_config." + std::string{r.key};
      const std::string value = r.key.empty() ? "" : c_.text(key).value_or("");
      if (!r.key.empty()) said = "'" + method + "' with " + std::string{r.key} + " '" + value + "'";
      if (value == r.value) row = &r;
    }
    if (row == nullptr) c_.fail("quantization_config.quant_method", said + " is not modelled");
    out_.llm.weights = row->weights;
    if (row->inputs && inputs_quantised()) out_.llm.linear_inputs = row->weights;
    if (!read_groups(*row)) out_.llm.attention_weights = base;
    for (const char* key : {"modules_to_not_convert", "ignore", "exclude_modules"})
      read_kept("quantization_config." + std::string{key}, base);
    if (const auto bits = c_.whole("quantization_config.kv_cache_scheme.num_bits")) {
      const bool real =
          c_.text("quantization_config.kv_cache_scheme.type").value_or("float") == "float";
      if (*bits != 8)
        c_.fail("quantization_config.kv_cache_scheme.num_bits", "only 8 bits are modelled");
      out_.llm.kv = real ? Precision::Fp8 : Precision::Int8;
    }
  }

  /// compressed-tensors says of every group whether activations are quantised, others by format.
  [[nodiscard]] bool inputs_quantised() const {
    const std::string groups = "quantization_config.config_groups";
    const std::vector<std::string> names = c_.names(groups);
    return names.empty() || c_.has(groups + "." + names.front() + ".input_activations");
  }

  /// Groups of modules with a format each: one group, of the row's width. Whether it takes in the
  /// mixers' matrices.
  bool read_groups(const QuantRow& row) {
    const std::string groups = "quantization_config.config_groups";
    const std::vector<std::string> names = c_.names(groups);
    if (names.size() > 1) c_.fail(groups, "several formats in one checkpoint are not modelled");
    if (names.empty()) return true;
    const std::string group = groups + "." + names.front();
    const std::int64_t bits = c_.whole(group + ".weights.num_bits").value_or(0);
    const std::int64_t expected = bits_of(row.weights);
    if (bits != expected)
      c_.fail(group + ".weights.num_bits", "expected " + std::to_string(expected) + " as " +
                                               std::string{row.value} + " has, got " +
                                               std::to_string(bits));
    const std::vector<std::string> targets = c_.texts(group + ".targets");
    return targets.empty() || std::any_of(targets.begin(), targets.end(), [](const std::string& t) {
             return t == "Linear" || t.find("attn") != t.npos;
           });
  }
  /// Bits of a number without its scales.
  [[nodiscard]] static std::int64_t bits_of(Precision p) {
    return p == Precision::Mxfp4 || p == Precision::Nvfp4 ? 4 : 8;
  }

  /// Modules left in the checkpoint's own format. LlmSpec tells mixers from the rest, no more.
  void read_kept(const std::string& key, Precision base) {
    // Kept by everything published, and counted at 16 bit here as well.
    constexpr std::string_view kSmall[] = {"lm_head", "embed",  "norm",   "gate", "router",
                                           "score",   "vision", "visual", "mtp",  "multi_modal"};
    std::set<std::string> layers;
    bool all = false;
    std::string others;
    for (const std::string& module : c_.texts(key)) {
      if (module.find("attn") != module.npos || module.find("mixer") != module.npos) {
        const std::size_t at = module.find("layers.");
        const std::string layer =
            at == module.npos
                ? ""
                : module.substr(at + 7, module.find_first_not_of("0123456789", at + 7) - at - 7);
        all |= layer.empty();
        layers.insert(layer);
      } else if (std::none_of(std::begin(kSmall), std::end(kSmall),
                              [&](std::string_view s) { return module.find(s) != module.npos; }) &&
                 module.find("up_proj") == module.npos) {
        others += (others.empty() ? "" : ", ") + module;
      }
    }
    if (all || static_cast<std::int64_t>(layers.size()) >= layers_)
      out_.llm.attention_weights = base;
    else if (!layers.empty())
      note("attention is kept in " + std::string{name_of(base)} + " in " +
           std::to_string(layers.size()) + " of " + std::to_string(layers_) +
           " layers; counted in the checkpoint's format in all");
    if (!others.empty()) note("kept out of the quantisation but counted in it: " + others);
  }

  /// The key of the config that gave the figure LlmSpec calls `ours`.
  [[nodiscard]] std::optional<std::string_view> key_of(std::string_view ours) const {
    for (const FactRow& f : kFacts)
      if (f.ours == ours)
        for (const std::string_view key : f.keys)
          if (!key.empty() && c_.has(key)) return key;
    for (const OriginRow& o : kOrigins)
      if (o.ours == ours && c_.has(o.key)) return o.key;
    return std::nullopt;
  }

  void check_spec() const {
    try {
      check(out_.llm);
    } catch (const ConfigError& error) {
      const std::string_view what = error.what();
      const std::size_t colon = what.find(": ");
      const std::string_view path = what.substr(0, colon == what.npos ? 0 : colon);
      const auto key = key_of(path.substr(path.rfind('.') + 1));
      if (!key) c_.fail("model_type", "the model this config describes: " + std::string{what});
      c_.fail(*key, std::string{what.substr(colon + 2)});
    }
  }

  const HfConfig& c_;
  const Architecture& a_;
  const bool strict_;
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

ImportedLlm import_hf_config(const std::string& path, std::string text, std::string name,
                             bool strict) {
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
  return Importer{config, *found, strict}.read(std::move(name));
}

}  // namespace reticle
