// SPDX-License-Identifier: Apache-2.0
// What a language model is and asks for, before any silicon.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "sim/cli/describe.hpp"
#include "sim/metrics/text_format.hpp"
#include "workloads/llm/attended.hpp"
#include "workloads/llm/layer_matrices.hpp"
#include "workloads/llm/recurrence_facts.hpp"
#include "workloads/moe/routed_batch.hpp"

namespace reticle {

namespace {

/// Lengths of context at which a model is described: a chat, a long document, an agent, a book.
constexpr std::array<std::pair<std::int64_t, const char*>, 4> kContexts{
    {{4'096, "4k"}, {50'000, "50k"}, {200'000, "200k"}, {1'000'000, "1m"}}};

std::string mixer_text(const AttentionSpec& a) {
  std::string text =
      fmt::format("{} heads, {} KV heads, head size {}", a.heads, a.kv_heads, a.head_dim);
  if (a.window > 0) text += fmt::format(", {} of {}", a.chunked ? "chunks" : "window", a.window);
  if (a.sink_tokens > 0) text += fmt::format(", {} sinks", a.sink_tokens);
  return text;
}

std::string mixer_text(const LatentAttentionSpec& a) {
  std::string text =
      fmt::format("latent, {} heads, cache of {} + {} per token", a.heads, a.kv_rank, a.rope_dim);
  if (a.index_heads > 0) text += fmt::format(", best {} by an indexer", a.index_topk);
  return text;
}

std::string mixer_text(const RecurrentSpec& r) {
  return fmt::format("{}, {} heads with a state of {} x {}", fact_of(r.kind).name, r.heads,
                     r.key_dim, r.value_dim);
}

Fact describe_mixer(const LlmSpec& llm, std::size_t m) {
  const Mixer& mixer = llm.mixers[m];
  const std::int64_t layers = llm.layers_with(static_cast<std::int64_t>(m));
  std::string text = std::visit([](const auto& spec) { return mixer_text(spec); }, mixer.of);
  if (layers < llm.layer_count()) text += fmt::format("; {} layers", layers);
  nlohmann::ordered_json value{{"layers", layers}};
  if (const auto* a = std::get_if<AttentionSpec>(&mixer.of)) {
    value["heads"] = a->heads;
    value["kv_heads"] = a->kv_heads;
    value["head_dim"] = a->head_dim;
    if (a->window > 0) value["window"] = a->window;
  }
  return {"model", mixer.name, mixer.name, text, value};
}

struct Part {
  std::string key;
  std::string label;
  Precision precision{};
  Bytes bytes{};
};

/// Weights by what they serve and the format they are stored in.
std::vector<Part> parts_of(const LlmSpec& llm) {
  const ParameterCounts n = count_parameters(llm);
  const Precision mixers = llm.attention_weights.value_or(llm.weights);
  std::vector<Part> all{
      {"attention_weights", "- mixers", mixers, bytes_of(n.attention, mixers)},
      {"ffn_weights", "- dense and shared FFN", llm.weights,
       bytes_of(n.dense_ffn + n.shared_experts, llm.weights)},
      {"expert_weights", "- routed experts", llm.weights, bytes_of(n.routed_experts, llm.weights)},
      {"small_weights", "- router and norms", Precision::Bf16,
       bytes_of(n.router + n.norms, Precision::Bf16)},
      {"embedding_weights", "- embedding and head", llm.embedding,
       bytes_of(n.embedding, llm.embedding)}};
  std::erase_if(all, [](const Part& p) { return p.bytes.count() == 0; });
  return all;
}

/// Multiply-accumulates of one token in matrices, head included.
std::int64_t matrix_macs(const LlmSpec& llm) {
  std::int64_t sum = llm.vocabulary * llm.hidden;
  for (std::int64_t layer = 0; layer < llm.layer_count(); ++layer)
    for (const Matrix& m : matrices_of(llm, layer))
      sum += is_expert(m.role) ? m.k * m.n * llm.moe->top_k : m.elements();
  return sum;
}

std::string flops_text(double flops) { return with_unit(flops, "FLOP"); }

/// A multiply-accumulate is two operations; matrices and attention, no vector work.
void add_flops(const LlmSpec& llm, std::vector<Fact>& facts) {
  const auto matrices = static_cast<double>(matrix_macs(llm));
  const auto add = [&](const std::string& key, const std::string& label, double macs) {
    facts.push_back({"operations", key, label, flops_text(2 * macs), 2 * macs});
  };
  add("matrices", "matrices, per token", matrices);
  for (const auto& [context, name] : kContexts) {
    const auto one = static_cast<double>(attention_macs(llm, context, 1));
    add(fmt::format("decode_at_{}", name), fmt::format("decode at {}, per token", name),
        matrices + one);
  }
  for (const auto& [context, name] : kContexts) {
    const double all =
        static_cast<double>(attention_macs(llm, 0, context)) / static_cast<double>(context);
    add(fmt::format("prefill_of_{}", name), fmt::format("prefill of {}, per token", name),
        matrices + all);
  }
}

/// What recurrences hold of one sequence, and their operations for one token of decoding.
struct Recurred {
  Bytes held{};
  double ops = 0;
};
Recurred recurred(const LlmSpec& llm) {
  Recurred sum;
  for (std::size_t m = 0; m < llm.mixers.size(); ++m) {
    const auto* r = std::get_if<RecurrentSpec>(&llm.mixers[m].of);
    if (r == nullptr) continue;
    const std::int64_t layers = llm.layers_with(static_cast<std::int64_t>(m));
    sum.held += layers * bytes_of(state_elements(llm.mixers[m]), llm.state);
    // The convolution multiplies and adds once per tap.
    sum.ops += static_cast<double>(
        layers * (fact_of(r->kind).ops_per_state * r->heads * r->key_dim * r->value_dim +
                  2 * r->conv * r->qkv_width()));
  }
  return sum;
}

/// Experts of a layer that a token of each of `batch` requests touches, in the mean of the layers:
/// drawn by the model's own law, over so many steps that the mean stands to 1 %.
double experts_touched(const LlmSpec& llm, std::int64_t batch) {
  const MoeSpec& moe = *llm.moe;
  if (moe.routing.choice == ExpertChoice::ByExpert)  // each takes its share, one token at least
    return static_cast<double>(std::min(moe.experts, batch * moe.top_k));
  // Chosen: drawn steps whose mean is told.
  constexpr std::int64_t kSteps = 16;
  const ExpertRouter router{llm, 0};
  std::vector<std::int32_t> loads(static_cast<std::size_t>(moe.experts));
  double touched = 0;
  RoutedBatch tokens{router};
  for (std::int64_t step = 0; step < kSteps; ++step) {
    tokens.clear();
    for (std::int64_t b = 0; b < batch; ++b)
      tokens.add(RequestId{static_cast<std::uint64_t>(step * batch + b)}, step, 1);
    for (const std::int64_t layer : router.moe_layers()) {
      std::fill(loads.begin(), loads.end(), 0);
      tokens.add_loads(layer, loads);
      touched += static_cast<double>(moe.experts - std::count(loads.begin(), loads.end(), 0));
    }
  }
  return touched / static_cast<double>(std::ssize(router.moe_layers()) * kSteps);
}

/// Operations per byte of weights or cache, by kind of operator, at batch 1 and 64: what a
/// machine's ratio of the two is to be held against.
void add_operators(const LlmSpec& llm, std::vector<Fact>& facts) {
  // A batch as servers run it and the second of kContexts.
  constexpr std::int64_t kStreams = 64;
  constexpr double kBatch = kStreams, kContext = 50'000;
  const double of_batch = llm.moe ? experts_touched(llm, kStreams) : 0;
  struct Sum {
    double macs = 0, bytes = 0, bytes_of_batch = 0;
  };
  std::array<Sum, kMatrixRoleCount> roles{};
  for (std::int64_t layer = 0; layer < llm.layer_count(); ++layer)
    for (const Matrix& m : matrices_of(llm, layer)) {
      Sum& sum = roles[static_cast<std::size_t>(m.role)];
      const auto one = static_cast<double>(m.k) * static_cast<double>(m.n);
      const double byte = static_cast<double>(bytes_of(1'000'000, m.precision).count()) * 1e-6;
      auto used = static_cast<double>(m.copies), touched = used;
      if (is_expert(m.role)) {
        touched = of_batch;
        used = static_cast<double>(llm.moe->top_k);
      }
      sum.macs += one * used;
      sum.bytes += one * used * byte;
      sum.bytes_of_batch += one * touched * byte;
    }
  constexpr std::array<std::pair<const char*, const char*>, kMatrixRoleCount> kNames{
      {{"mixer_in", "mixer input"},
       {"query_up", "query expansion"},
       {"key_up", "key expansion"},
       {"value_up", "value expansion"},
       {"mixer_out", "mixer output"},
       {"router", "router"},
       {"gate_up", "gate and up"},
       {"down", "down"},
       {"expert_gate_up", "experts' gate and up"},
       {"expert_down", "experts' down"},
       {"join", "state and embedding"}}};
  const auto add = [&](const char* key, const char* label, const Sum& s) {
    if (s.macs <= 0 || s.bytes <= 0) return;
    const double one = 2 * s.macs / s.bytes, many = 2 * s.macs * kBatch / s.bytes_of_batch;
    facts.push_back({"intensity",
                     key,
                     label,
                     fmt::format("{:.3g} FLOP/B, {:.3g} at batch 64 ({} per token)", one, many,
                                 flops_text(2 * s.macs)),
                     {{"batch_1", one}, {"batch_64", many}, {"flop_per_token", 2 * s.macs}}});
  };
  for (std::size_t i = 0; i < roles.size(); ++i) add(kNames[i].first, kNames[i].second, roles[i]);
  if (llm.moe)
    facts.push_back({"intensity",
                     "experts_touched",
                     "experts touched",
                     fmt::format("{:.1f} of {} at batch 64, by the model's own routing", of_batch,
                                 llm.moe->experts),
                     {{"batch_1", llm.moe->top_k}, {"batch_64", of_batch}}});
  // Every sequence reads a cache of its own: a batch shares nothing.
  const auto own = [&](const char* key, const char* label, double macs, Bytes bytes) {
    const auto one = static_cast<double>(bytes.count());
    add(key, label, {macs, one, kBatch * one});
  };
  const auto context = static_cast<std::int64_t>(kContext);
  const Recurred state = recurred(llm);
  own("attend_at_50k", "attention at 50k", static_cast<double>(attention_macs(llm, context, 1)),
      cache_read_bytes(llm, context, 1) - state.held);
  own("recur", "recurrence", state.ops / 2, 2 * state.held);  // states are read and written
}

}  // namespace

std::vector<Fact> describe(const LlmSpec& llm) {
  const ParameterCounts n = count_parameters(llm);
  std::vector<Fact> facts{{"model", "name", "name", llm.name, llm.name}};
  const auto count = [&](const char* section, const char* key, const char* label,
                         std::int64_t value) {
    facts.push_back({section, key, label, count_text(value), value});
  };
  const auto bytes = [&](const std::string& key, const std::string& label, Bytes value) {
    facts.push_back({"bytes", key, label,
                     with_unit(static_cast<double>(value.count()), "B") + " (" +
                         count_text(value.count()) + " B)",
                     value.count()});
  };
  facts.push_back({"model", "layers", "layers",
                   fmt::format("{} of width {}", llm.layer_count(), llm.hidden),
                   llm.layer_count()});
  for (std::size_t m = 0; m < llm.mixers.size(); ++m) facts.push_back(describe_mixer(llm, m));
  if (llm.moe)
    facts.push_back({"model",
                     "experts",
                     "experts",
                     fmt::format("{} routed, {} per token, {} shared; in {} of {} layers",
                                 llm.moe->experts, llm.moe->top_k, llm.moe->shared_experts,
                                 llm.layers_with(FfnKind::Moe), llm.layer_count()),
                     {{"routed", llm.moe->experts},
                      {"top_k", llm.moe->top_k},
                      {"shared", llm.moe->shared_experts}}});
  const Precision mixers = llm.attention_weights.value_or(llm.weights);
  const bool recurs = recurred(llm).held.count() > 0;
  nlohmann::ordered_json precision{{"weights", name_of(llm.weights)},
                                   {"attention_weights", name_of(mixers)},
                                   {"embedding", name_of(llm.embedding)},
                                   {"activations", name_of(llm.activations)},
                                   {"kv", name_of(llm.kv)}};
  if (recurs) precision["state"] = name_of(llm.state);
  facts.push_back(
      {"model", "precision", "precision",
       fmt::format(
           "{}weights {}, embedding {}, activations {}, KV {}{}",
           llm.attention_weights ? fmt::format("attention {}, other ", name_of(mixers)) : "",
           name_of(llm.weights), name_of(llm.embedding), name_of(llm.activations), name_of(llm.kv),
           recurs ? fmt::format(", state {}", name_of(llm.state)) : ""),
       precision});
  count("parameters", "total", "total", n.total);
  count("parameters", "active", "active per token", n.active);
  count("parameters", "active_inside", "- without embedding and head", n.active_inside);
  count("parameters", "attention", "attention", n.attention);
  count("parameters", "dense_ffn", "dense FFN", n.dense_ffn);
  count("parameters", "routed_experts", "routed experts", n.routed_experts);
  count("parameters", "shared_experts", "shared experts", n.shared_experts);
  count("parameters", "router", "router", n.router);
  count("parameters", "norms", "norms", n.norms);
  count("parameters", "embedding", "embedding and head", n.embedding);
  if (n.mtp > 0) count("parameters", "mtp", "prediction heads", n.mtp);
  bytes("weights", "all weights", weight_bytes(llm));
  for (const Part& part : parts_of(llm))
    bytes(part.key, fmt::format("{}, {}", part.label, name_of(part.precision)), part.bytes);
  bytes("active_weights", "weights of one token", active_weight_bytes(llm));
  bytes("kv_per_token", "KV per token", kv_bytes_per_token(llm));
  for (const auto& [tokens, name] : kContexts) {
    bytes(fmt::format("kv_at_{}", name), fmt::format("KV at {} tokens", name),
          held_bytes(llm, tokens));
    if (tokens > llm.max_context) facts.back().text += ", beyond its context";
  }
  bytes("kv_at_max_context", "KV at full context", held_bytes(llm, llm.max_context));
  add_flops(llm, facts);
  add_operators(llm, facts);
  return facts;
}

}  // namespace reticle
