// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_llm.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "sim/config/enum_tables.hpp"
#include "workloads/llm/layer_order.hpp"
#include "workloads/llm/llm_bounds.hpp"
#include "workloads/llm/recurrence_facts.hpp"

namespace reticle {

namespace {
/// The word `kind` of a mixer; recurrences have one each.
enum class MixerKind : std::uint8_t { Attention, LatentAttention, Mamba2, GatedDelta, Lightning };
}  // namespace

template <>
struct EnumTable<MixerKind> {
  static constexpr std::array<EnumName<MixerKind>, 5> names{{
      {"attention", MixerKind::Attention},
      {"latent_attention", MixerKind::LatentAttention},
      {fact_of(Recurrence::Mamba2).name, MixerKind::Mamba2},
      {fact_of(Recurrence::GatedDelta).name, MixerKind::GatedDelta},
      {fact_of(Recurrence::Lightning).name, MixerKind::Lightning},
  }};
};

template <>
struct EnumTable<ExpertChoice> {
  static constexpr std::array<EnumName<ExpertChoice>, 2> names{{
      {"token", ExpertChoice::ByToken},
      {"expert", ExpertChoice::ByExpert},
  }};
};

template <>
struct EnumTable<PopularityShape> {
  static constexpr std::array<EnumName<PopularityShape>, kPopularityShapes.size()> names = [] {
    std::array<EnumName<PopularityShape>, kPopularityShapes.size()> all{};
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i] = {kPopularityShapes[i], static_cast<PopularityShape>(i)};
    return all;
  }();
};

template <>
struct EnumTable<RoutingPresetName> {
  static constexpr std::array<EnumName<RoutingPresetName>, kRoutingPresets.size()> names = [] {
    std::array<EnumName<RoutingPresetName>, kRoutingPresets.size()> all{};
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i] = {kRoutingPresets[i].text, static_cast<RoutingPresetName>(i)};
    return all;
  }();
};

namespace {
constexpr Range<std::int64_t> kWidth{1, llm_bounds::kWidth};
constexpr Range<std::int64_t> kWidthOrNone{0, llm_bounds::kWidth};
constexpr Range<std::int64_t> kTokensOrNone{0, llm_bounds::kTokens};
constexpr Range<std::int64_t> kExperts{1, llm_bounds::kExperts};
constexpr std::string_view kNone = "none";
constexpr std::array<std::pair<std::string_view, FfnKind>, 3> kFfnNames{{
    {kNone, FfnKind::None},
    {"dense", FfnKind::Dense},
    {"moe", FfnKind::Moe},
}};

AttentionSpec read_attention(const ConfigNode& node) {
  const AttentionSpec defaults;
  return {
      .heads = node.get<std::int64_t>("heads", kWidth),
      .kv_heads = node.get<std::int64_t>("kv_heads", kWidth),
      .head_dim = node.get<std::int64_t>("head_dim", kWidth),
      .window = node.get<std::int64_t>("window", defaults.window, kTokensOrNone),
      .chunked = node.get<bool>("chunked", defaults.chunked),
      .sink_tokens = node.get<std::int64_t>("sink_tokens", defaults.sink_tokens, kTokensOrNone),
      .gated = node.get<bool>("gated", defaults.gated),
      .keys_are_values = node.get<bool>("keys_are_values", defaults.keys_are_values),
      .sink_logits = node.get<bool>("sink_logits", defaults.sink_logits),
      .qkv_bias = node.get<bool>("qkv_bias", defaults.qkv_bias),
      .out_bias = node.get<bool>("out_bias", defaults.out_bias),
      .qk_norm = node.get<bool>("qk_norm", defaults.qk_norm),
      .qk_norm_wide = node.get<bool>("qk_norm_wide", defaults.qk_norm_wide),
  };
}

LatentAttentionSpec read_latent(const ConfigNode& node) {
  const LatentAttentionSpec defaults;
  return {
      .heads = node.get<std::int64_t>("heads", kWidth),
      .query_rank = node.get<std::int64_t>("query_rank", defaults.query_rank, kWidthOrNone),
      .kv_rank = node.get<std::int64_t>("kv_rank", kWidth),
      .rope_dim = node.get<std::int64_t>("rope_dim", kWidthOrNone),
      .nope_dim = node.get<std::int64_t>("nope_dim", kWidth),
      .value_dim = node.get<std::int64_t>("value_dim", kWidth),
      .index_heads = node.get<std::int64_t>("index_heads", defaults.index_heads, kWidthOrNone),
      .index_dim = node.get<std::int64_t>("index_dim", defaults.index_dim, kWidthOrNone),
      .index_topk = node.get<std::int64_t>("index_topk", defaults.index_topk, kTokensOrNone),
  };
}

RecurrentSpec read_recurrent(const ConfigNode& node, Recurrence kind) {
  const RecurrentSpec defaults;
  return {
      .kind = kind,
      .heads = node.get<std::int64_t>("heads", kWidth),
      .key_heads = node.get<std::int64_t>("key_heads", kWidth),
      .key_dim = node.get<std::int64_t>("key_dim", kWidth),
      .value_dim = node.get<std::int64_t>("value_dim", kWidth),
      .conv = node.get<std::int64_t>("conv", defaults.conv, {0, llm_bounds::kConv}),
      .chunk = node.get<std::int64_t>("chunk", defaults.chunk, {1, llm_bounds::kChunk}),
  };
}

Mixer read_mixer(const ConfigNode& node, std::string name) {
  Mixer mixer{std::move(name), {}};
  switch (node.get<MixerKind>("kind")) {
    case MixerKind::Attention:
      mixer.of = read_attention(node);
      break;
    case MixerKind::LatentAttention:
      mixer.of = read_latent(node);
      break;
    case MixerKind::Mamba2:
      mixer.of = read_recurrent(node, Recurrence::Mamba2);
      break;
    case MixerKind::GatedDelta:
      mixer.of = read_recurrent(node, Recurrence::GatedDelta);
      break;
    case MixerKind::Lightning:
      mixer.of = read_recurrent(node, Recurrence::Lightning);
      break;
  }
  node.reject_unknown_keys();
  return mixer;
}

/// `attention`, the one mixer of all layers, or `mixers` by name.
std::vector<Mixer> read_mixers(const ConfigNode& node) {
  if (const auto named = node.find_child("mixers")) {
    if (node.find_child("attention"))
      node.fail("attention", "expected attention or mixers, found both");
    std::vector<Mixer> mixers;
    for (const std::string& name : named->keys()) {
      if (name == "provenance") continue;
      if (name == kNone) named->fail(name, "expected another name: it stands for no mixer");
      mixers.push_back(read_mixer(named->child(name), name));
    }
    return mixers;
  }
  const ConfigNode attention = node.child("attention");
  std::vector<Mixer> mixers{{"attention", read_attention(attention)}};
  attention.reject_unknown_keys();
  return mixers;
}

/// The names an order stands for, one per layer.
std::vector<std::string> expand(const ConfigNode& node, std::string_view key,
                                const std::string& text, std::size_t layers) {
  std::vector<std::string> names;
  try {
    names = expand_order(text, llm_bounds::kLayers);
  } catch (const ConfigError& error) {
    node.fail(key, error.what());
  }
  if (names.size() != layers)
    node.fail(key, "expected " + std::to_string(layers) + " layers, found " +
                       std::to_string(names.size()));
  return names;
}

/// "2*dense 58*moe" of `dense_layers`, where no order is given.
std::string read_dense_layers(const ConfigNode& node, std::int64_t layers, bool moe) {
  const auto dense =
      node.get<std::int64_t>("dense_layers", moe ? 0 : layers, {0, llm_bounds::kLayers});
  node.check("dense_layers", moe ? dense < layers : dense == layers,
             (moe ? "must be less than layers (" : "must equal layers (") + std::to_string(layers) +
                 (moe ? ")" : ") in a model without moe"));
  std::string order;
  if (dense > 0) order = std::to_string(dense) + "*dense ";
  if (layers > dense) order += std::to_string(layers - dense) + "*moe";
  return order;
}

std::vector<LayerSpec> read_layers(const ConfigNode& node, const std::vector<Mixer>& mixers,
                                   bool moe) {
  const auto count = node.get<std::int64_t>("layers", {1, llm_bounds::kLayers});
  const auto mixer_order = node.find<std::string>("mixer_order");
  const auto ffn_order = node.find<std::string>("ffn_order");
  if (ffn_order && node.has("dense_layers"))
    node.fail("dense_layers", "expected dense_layers or ffn_order, found both");
  const auto layers = static_cast<std::size_t>(count);
  const auto mixer_names =
      expand(node, "mixer_order",
             mixer_order.value_or(std::to_string(count) + "*" + mixers.front().name), layers);
  const auto ffn_names = expand(
      node, "ffn_order", ffn_order ? *ffn_order : read_dense_layers(node, count, moe), layers);
  std::vector<LayerSpec> order(layers);
  for (std::size_t i = 0; i < layers; ++i) {
    const auto mixer = std::find_if(mixers.begin(), mixers.end(),
                                    [&](const Mixer& m) { return m.name == mixer_names[i]; });
    if (mixer == mixers.end() && mixer_names[i] != kNone)
      node.fail("mixer_order", "expected names of mixers or none, found '" + mixer_names[i] + "'");
    order[i].mixer =
        mixer == mixers.end() ? kNoMixer : static_cast<std::int8_t>(mixer - mixers.begin());
    const auto ffn = std::find_if(kFfnNames.begin(), kFfnNames.end(),
                                  [&](const auto& f) { return f.first == ffn_names[i]; });
    if (ffn == kFfnNames.end())
      node.fail("ffn_order", "expected dense, moe or none, found '" + ffn_names[i] + "'");
    order[i].ffn = ffn->second;
  }
  return order;
}

/// The section `routing`: a preset, of which keys may change numbers. Absent: the typical one.
RoutingSpec read_routing(const ConfigNode& moe) {
  const auto section = moe.find_child("routing");
  if (!section) return routing_of(RoutingPresetName::Typical);
  const ConfigNode& node = *section;
  RoutingSpec r = routing_of(node.get<RoutingPresetName>("preset", RoutingPresetName::Typical));
  r.choice = node.get<ExpertChoice>("choice", r.choice);
  r.capacity_factor =
      node.get<double>("capacity_factor", r.capacity_factor, {0.0, llm_bounds::kExperts});
  r.popularity_sigma =
      node.get<double>("popularity_sigma", r.popularity_sigma, {0.0, llm_bounds::kSigma});
  r.popularity_shape = node.get<PopularityShape>("popularity_shape", r.popularity_shape);
  r.topics = node.get<std::int64_t>("topics", r.topics, {1, llm_bounds::kTopics});
  r.topic_sigma = node.get<double>("topic_sigma", r.topic_sigma, {0.0, llm_bounds::kSigma});
  r.stickiness = node.get<double>("stickiness", r.stickiness, {0.0, llm_bounds::kLink});
  r.layer_correlation =
      node.get<double>("layer_correlation", r.layer_correlation, {0.0, llm_bounds::kLink});
  r.recording = node.find<std::string>("recording").value_or("");
  node.reject_unknown_keys();
  return r;
}

MoeSpec read_moe(const ConfigNode& node) {
  const MoeSpec defaults;
  const MoeSpec moe{
      .experts = node.get<std::int64_t>("experts", kExperts),
      .top_k = node.get<std::int64_t>("top_k", kExperts),
      .expert_ffn = node.get<std::int64_t>("expert_ffn", kWidth),
      .shared_experts = node.get<std::int64_t>("shared_experts", defaults.shared_experts,
                                               {0, llm_bounds::kSharedExperts}),
      .shared_ffn = node.get<std::int64_t>("shared_ffn", defaults.shared_ffn, kWidthOrNone),
      .shared_gate = node.get<bool>("shared_gate", defaults.shared_gate),
      .router_bias = node.get<bool>("router_bias", defaults.router_bias),
      .expert_bias = node.get<bool>("expert_bias", defaults.expert_bias),
      .routing = read_routing(node),
  };
  node.check("top_k", moe.top_k <= moe.experts, "must not exceed experts");
  node.reject_unknown_keys();
  return moe;
}

/// Published totals, kept for comparison with the count from the architecture.
void read_stated(const ConfigNode& node) {
  (void)node.find<double>("total_parameters");
  (void)node.find<double>("active_parameters");
  node.reject_unknown_keys();
}

/// The rules of the architecture live with LlmSpec ("key: rule, got value"); here they get a place
/// in a file.
void check_at(const ConfigNode& node, const LlmSpec& llm) {
  try {
    check(llm);
  } catch (const ConfigError& error) {
    const std::string what = error.what();
    const auto colon = what.find(": ");
    if (colon == std::string::npos) throw ConfigError(node.position_of(""), node.path(), what);
    node.fail(what.substr(0, colon), what.substr(colon + 2));
  }
}
}  // namespace

LlmSpec read_llm(const ConfigNode& node) {
  const LlmSpec defaults;
  (void)node.get<std::string>("title", "");
  LlmSpec llm{
      .name = node.get<std::string>("name"),
      .hidden = node.get<std::int64_t>("hidden", kWidth),
      .vocabulary = node.get<std::int64_t>("vocabulary", {1, llm_bounds::kVocabulary}),
      .mixers = read_mixers(node),
      .dense_ffn = node.get<std::int64_t>("dense_ffn", defaults.dense_ffn, kWidthOrNone),
      .gated_ffn = node.get<bool>("gated_ffn", defaults.gated_ffn),
      .mtp_layers =
          node.get<std::int64_t>("mtp_layers", defaults.mtp_layers, {0, llm_bounds::kMtpLayers}),
      .tied_embeddings = node.get<bool>("tied_embeddings", defaults.tied_embeddings),
      .max_context = node.get<std::int64_t>("max_context", {1, llm_bounds::kTokens}),
      .weights = node.get<Precision>("weights", defaults.weights),
      .attention_weights = node.find<Precision>("attention_weights"),
      .embedding = node.get<Precision>("embedding", defaults.embedding),
      .activations = node.get<Precision>("activations", defaults.activations),
      .linear_inputs = node.find<Precision>("linear_inputs"),
      .kv = node.get<Precision>("kv", defaults.kv),
      .state = node.get<Precision>("state", defaults.state),
  };
  if (const auto moe = node.find_child("moe")) llm.moe = read_moe(*moe);
  llm.layers = read_layers(node, llm.mixers, llm.moe.has_value());
  if (const auto stated = node.find_child("stated")) read_stated(*stated);
  node.reject_unknown_keys();
  node.check("name", !llm.name.empty(), "must not be empty");
  check_at(node, llm);
  return llm;
}

}  // namespace reticle
