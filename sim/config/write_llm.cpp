// SPDX-License-Identifier: Apache-2.0
#include "sim/config/write_llm.hpp"

#include <algorithm>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/config/value_text.hpp"
#include "workloads/llm/layer_order.hpp"
#include "workloads/llm/recurrence_facts.hpp"

namespace reticle {

namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' || c == '\r' || c == '\t' ? ' ' : c;
  }
  return out + "\"";
}

/// "key: value" lines at one indentation; values equal to their default are left out.
class Section {
 public:
  Section(std::ostringstream& out, int indent) : out_{out}, indent_(indent, ' ') {}

  void put(std::string_view key, std::string_view value) {
    out_ << indent_ << key << ": " << value << '\n';
  }
  void put(std::string_view key, std::int64_t value) { put(key, std::to_string(value)); }
  void put(std::string_view key, std::int64_t value, std::int64_t fallback) {
    if (value != fallback) put(key, value);
  }
  void flag(std::string_view key, bool value, bool fallback = false) {
    if (value != fallback) put(key, value ? "true" : "false");
  }
  void number(std::string_view key, double value) { put(key, ValueText<double>::format(value)); }
  void open(std::string_view key) { out_ << indent_ << key << ":\n"; }

 private:
  std::ostringstream& out_;
  const std::string indent_;
};

struct MixerWriter {
  Section& s;
  bool kind;  ///< whether the kind is written

  void operator()(const AttentionSpec& a) const {
    if (kind) s.put("kind", "attention");
    s.put("heads", a.heads);
    s.put("kv_heads", a.kv_heads);
    s.put("head_dim", a.head_dim);
    s.put("window", a.window, 0);
    s.flag("chunked", a.chunked);
    s.put("sink_tokens", a.sink_tokens, 0);
    s.flag("gated", a.gated);
    s.flag("keys_are_values", a.keys_are_values);
    s.flag("sink_logits", a.sink_logits);
    s.flag("qkv_bias", a.qkv_bias);
    s.flag("out_bias", a.out_bias);
    s.flag("qk_norm", a.qk_norm);
    s.flag("qk_norm_wide", a.qk_norm_wide);
  }
  void operator()(const LatentAttentionSpec& a) const {
    s.put("kind", "latent_attention");
    s.put("heads", a.heads);
    s.put("query_rank", a.query_rank, 0);
    s.put("kv_rank", a.kv_rank);
    s.put("rope_dim", a.rope_dim);
    s.put("nope_dim", a.nope_dim);
    s.put("value_dim", a.value_dim);
    s.put("index_heads", a.index_heads, 0);
    s.put("index_dim", a.index_dim, 0);
    s.put("index_topk", a.index_topk, 0);
  }
  void operator()(const RecurrentSpec& r) const {
    s.put("kind", fact_of(r.kind).name);
    s.put("heads", r.heads);
    s.put("key_heads", r.key_heads);
    s.put("key_dim", r.key_dim);
    s.put("value_dim", r.value_dim);
    s.put("conv", r.conv, 0);
    s.put("chunk", r.chunk, RecurrentSpec{}.chunk);
  }
};

void write_mixers(const LlmSpec& llm, Section& top, std::ostringstream& out) {
  const bool plain = llm.mixers.size() == 1 && llm.mixers.front().name == "attention" &&
                     std::holds_alternative<AttentionSpec>(llm.mixers.front().of);
  if (plain) {
    top.open("attention");
    Section inner{out, 2};
    std::visit(MixerWriter{inner, false}, llm.mixers.front().of);
  } else {
    top.open("mixers");
    for (const Mixer& mixer : llm.mixers) {
      Section{out, 2}.open(mixer.name);
      Section inner{out, 4};  // letters in
      std::visit(MixerWriter{inner, true}, mixer.of);
    }
  }
}

void write_layers(const LlmSpec& llm, Section& top) {
  std::vector<std::string> mixers, ffns;
  for (const LayerSpec& layer : llm.layers) {
    mixers.push_back(
        layer.mixer == kNoMixer ? "none" : llm.mixers[static_cast<std::size_t>(layer.mixer)].name);
    ffns.push_back(layer.ffn == FfnKind::None    ? "none"
                   : layer.ffn == FfnKind::Dense ? "dense"
                                                 : "moe");
  }
  const bool one_mixer = std::all_of(llm.layers.begin(), llm.layers.end(),
                                     [](const LayerSpec& l) { return l.mixer == 0; });
  if (!one_mixer) top.put("mixer_order", quoted(write_order(mixers)));
  const std::int64_t dense = llm.layers_with(FfnKind::Dense);
  std::vector<FfnKind> expected(llm.layers.size(), FfnKind::Moe);
  std::fill_n(expected.begin(), dense, FfnKind::Dense);
  const bool dense_first =
      std::equal(expected.begin(), expected.end(), llm.layers.begin(),
                 [](FfnKind kind, const LayerSpec& l) { return kind == l.ffn; });
  if (dense_first)
    top.put("dense_layers", dense);
  else
    top.put("ffn_order", quoted(write_order(ffns)));
  top.put("dense_ffn", llm.dense_ffn, 0);
  top.flag("gated_ffn", llm.gated_ffn, true);
}

void write_choice(const RoutingSpec& r, Section& s) {
  if (r.choice == ExpertChoice::ByExpert) s.put("choice", "expert");
  if (r.capacity_factor != 0) s.number("capacity_factor", r.capacity_factor);
  if (!r.recording.empty()) s.put("recording", quoted(r.recording));
}

/// The numbers of a preset by its name, others in full.
void write_routing(const RoutingSpec& r, Section s) {
  for (std::size_t i = 0; i < kRoutingPresets.size(); ++i) {
    RoutingSpec preset = routing_of(static_cast<RoutingPresetName>(i));
    preset.choice = r.choice;
    preset.capacity_factor = r.capacity_factor;
    preset.recording = r.recording;
    if (preset != r) continue;
    s.put("preset", kRoutingPresets[i].text);
    return write_choice(r, s);
  }
  s.put("preset", kRoutingPresets.front().text);
  s.number("popularity_sigma", r.popularity_sigma);
  if (r.popularity_shape != RoutingSpec{}.popularity_shape)
    s.put("popularity_shape", kPopularityShapes[static_cast<std::size_t>(r.popularity_shape)]);
  s.put("topics", r.topics);
  s.number("topic_sigma", r.topic_sigma);
  s.number("stickiness", r.stickiness);
  s.number("layer_correlation", r.layer_correlation);
  write_choice(r, s);
}

void write_moe(const MoeSpec& moe, Section& top, std::ostringstream& out) {
  top.open("moe");
  Section s{out, 2};
  s.put("experts", moe.experts);
  s.put("top_k", moe.top_k);
  s.put("expert_ffn", moe.expert_ffn);
  s.put("shared_experts", moe.shared_experts, 0);
  s.put("shared_ffn", moe.shared_ffn, 0);
  s.flag("shared_gate", moe.shared_gate);
  s.flag("router_bias", moe.router_bias);
  s.flag("expert_bias", moe.expert_bias);
  s.open("routing");
  write_routing(moe.routing, Section{out, 4});
}

}  // namespace

std::string write_llm(const LlmSpec& llm, const LlmProvenance& provenance) {
  std::ostringstream out;
  std::istringstream comment{provenance.comment};
  for (std::string line; std::getline(comment, line);) out << "# " << line << '\n';
  Section top{out, 0};
  top.put("name", quoted(llm.name));
  top.put("title", quoted(provenance.title));
  top.open("provenance");
  Section inner{out, 2};
  inner.put("source", quoted(provenance.source));
  inner.put("confidence", provenance.confidence);
  out << '\n';
  top.put("layers", llm.layer_count());
  top.put("hidden", llm.hidden);
  top.put("vocabulary", llm.vocabulary);
  write_mixers(llm, top, out);
  write_layers(llm, top);
  if (llm.moe) write_moe(*llm.moe, top, out);
  top.put("mtp_layers", llm.mtp_layers, 0);
  top.put("tied_embeddings", llm.tied_embeddings ? "true" : "false");
  top.put("max_context", llm.max_context);
  out << '\n';
  top.put("weights", name_of(llm.weights));
  if (llm.attention_weights) top.put("attention_weights", name_of(*llm.attention_weights));
  top.put("embedding", name_of(llm.embedding));
  top.put("activations", name_of(llm.activations));
  if (llm.linear_inputs) top.put("linear_inputs", name_of(*llm.linear_inputs));
  top.put("kv", name_of(llm.kv));
  if (llm.state != LlmSpec{}.state) top.put("state", name_of(llm.state));
  return out.str();
}

}  // namespace reticle
