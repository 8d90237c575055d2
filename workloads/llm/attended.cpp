// SPDX-License-Identifier: Apache-2.0
#include "workloads/llm/attended.hpp"

#include <algorithm>

namespace reticle {

namespace {

/// 1 + 2 + ... + n.
constexpr std::int64_t triangle(std::int64_t n) { return n * (n + 1) / 2; }

/// Sum over positions first .. first + count - 1 of min(position + 1, most).
std::int64_t sum_of_smaller(std::int64_t first, std::int64_t count, std::int64_t most) {
  const std::int64_t growing = std::clamp<std::int64_t>(most - first, 0, count);
  return triangle(first + growing) - triangle(first) + (count - growing) * most;
}

Attended full(std::int64_t context, std::int64_t n) {
  return {.read = context, .pairs = n * context + triangle(n)};
}

Attended sliding(const AttentionSpec& a, std::int64_t context, std::int64_t n) {
  const std::int64_t most = a.window + a.sink_tokens;
  return {.read = std::min(context, most - 1), .pairs = sum_of_smaller(context, n, most)};
}

/// A query sees its own chunk of the grid, up to itself, and the sinks before that chunk.
Attended chunked(const AttentionSpec& a, std::int64_t context, std::int64_t n) {
  const std::int64_t phase = context % a.window;
  const auto sinks_before = [&](std::int64_t chunk_first) {
    return std::min(chunk_first, a.sink_tokens);
  };
  Attended sum{.read = std::min(context, phase + sinks_before(context - phase))};
  for (std::int64_t at = context; at < context + n;) {
    const std::int64_t in_chunk = at % a.window;
    const std::int64_t take = std::min(a.window - in_chunk, context + n - at);
    sum.pairs +=
        triangle(in_chunk + take) - triangle(in_chunk) + take * sinks_before(at - in_chunk);
    at += take;
  }
  return sum;
}

struct Asked {
  std::int64_t context, new_tokens;

  Attended operator()(const AttentionSpec& a) const {
    if (a.window == 0) return full(context, new_tokens);
    return a.chunked ? chunked(a, context, new_tokens) : sliding(a, context, new_tokens);
  }
  Attended operator()(const LatentAttentionSpec& a) const {
    const Attended all = full(context, new_tokens);
    if (a.index_heads == 0) return all;
    // A prefill chunk's queries pick different tokens: together they read nearly all of them.
    const std::int64_t picked = std::min(context, new_tokens * a.index_topk);
    return {.read = picked,
            .pairs = sum_of_smaller(context, new_tokens, a.index_topk),
            .scanned = context,
            .scanned_pairs = all.pairs};
  }
  Attended operator()(const RecurrentSpec&) const { return {}; }
};

struct CacheElements {
  std::int64_t operator()(const AttentionSpec& a) const {
    return (a.keys_are_values ? 1 : 2) * a.kv_heads * a.head_dim;
  }
  std::int64_t operator()(const LatentAttentionSpec& a) const {
    return a.kv_rank + a.rope_dim + (a.index_heads > 0 ? a.index_dim : 0);
  }
  std::int64_t operator()(const RecurrentSpec&) const { return 0; }
};

struct AttentionMacs {
  Attended asked;
  std::int64_t new_tokens;

  std::int64_t operator()(const AttentionSpec& a) const {
    return 2 * a.heads * a.head_dim * asked.pairs;
  }
  std::int64_t operator()(const LatentAttentionSpec& a) const {
    const std::int64_t index = a.index_heads * a.index_dim * asked.scanned_pairs;
    // Decoding works on the compressed vectors, and so do queries that share no keys; other
    // prefills on the heads' keys and values.
    const bool compressed = new_tokens == 1 || a.index_heads > 0;
    const std::int64_t width =
        compressed ? 2 * a.kv_rank + a.rope_dim : a.nope_dim + a.rope_dim + a.value_dim;
    return a.heads * width * asked.pairs + index;
  }
  std::int64_t operator()(const RecurrentSpec&) const { return 0; }
};

}  // namespace

bool selects(const Mixer& mixer) {
  const auto* latent = std::get_if<LatentAttentionSpec>(&mixer.of);
  return latent != nullptr && latent->index_heads > 0;
}

Attended attended(const Mixer& mixer, std::int64_t context, std::int64_t new_tokens) {
  return std::visit(Asked{context, new_tokens}, mixer.of);
}

std::int64_t held_tokens(const Mixer& mixer, std::int64_t tokens) {
  if (std::holds_alternative<RecurrentSpec>(mixer.of)) return 0;
  const auto* a = std::get_if<AttentionSpec>(&mixer.of);
  return a != nullptr && a->window > 0 ? std::min(tokens, a->window + a->sink_tokens) : tokens;
}

bool keeps_all(const LlmSpec& llm, const Mixer& mixer) {
  return held_tokens(mixer, llm.max_context) == llm.max_context;
}

std::int64_t cache_elements(const Mixer& mixer) { return std::visit(CacheElements{}, mixer.of); }

std::int64_t state_elements(const Mixer& mixer) {
  const auto* r = std::get_if<RecurrentSpec>(&mixer.of);
  if (r == nullptr) return 0;
  return r->heads * r->key_dim * r->value_dim +
         std::max<std::int64_t>(0, r->conv - 1) * r->qkv_width();
}

namespace {
std::int64_t read_elements(const Mixer& mixer, const Attended& asked) {
  if (!selects(mixer)) return asked.read * cache_elements(mixer);
  const auto& latent = std::get<LatentAttentionSpec>(mixer.of);
  return asked.read * (latent.kv_rank + latent.rope_dim) + asked.scanned * latent.index_dim;
}
}  // namespace

Attended near_of(const LlmSpec& llm, const Mixer& mixer, const Attended& asked,
                 std::int64_t context, std::int64_t near) {
  if (near == 0 || !keeps_all(llm, mixer)) return {};
  const auto part = [&](std::int64_t tokens) {
    return tokens - mul_div_up(tokens, context - near, context);
  };
  return {.read = part(asked.read), .scanned = part(asked.scanned)};
}

Bytes cache_read_bytes(const LlmSpec& llm, const Mixer& mixer, std::int64_t context,
                       std::int64_t new_tokens) {
  const std::int64_t elements = read_elements(mixer, attended(mixer, context, new_tokens));
  return bytes_of(elements, llm.kv) + bytes_of(state_elements(mixer), llm.state);
}

Bytes near_read_bytes(const LlmSpec& llm, std::int64_t context, std::int64_t near,
                      std::int64_t new_tokens) {
  if (near == 0) return Bytes{};
  Bytes sum{};
  for (std::size_t m = 0; m < llm.mixers.size(); ++m) {
    const Mixer& mixer = llm.mixers[m];
    const Attended of_all = attended(mixer, context, new_tokens);
    const std::int64_t elements = read_elements(mixer, near_of(llm, mixer, of_all, context, near));
    sum += llm.layers_with(static_cast<std::int64_t>(m)) * bytes_of(elements, llm.kv);
  }
  return sum;
}

Bytes cache_read_bytes(const LlmSpec& llm, std::int64_t context, std::int64_t new_tokens) {
  Bytes sum{};
  for (std::size_t m = 0; m < llm.mixers.size(); ++m)
    sum += llm.layers_with(static_cast<std::int64_t>(m)) *
           cache_read_bytes(llm, llm.mixers[m], context, new_tokens);
  return sum;
}

std::int64_t attention_macs(const LlmSpec& llm, std::int64_t context, std::int64_t new_tokens) {
  std::int64_t sum = 0;
  for (std::size_t m = 0; m < llm.mixers.size(); ++m) {
    const Attended asked = attended(llm.mixers[m], context, new_tokens);
    sum += llm.layers_with(static_cast<std::int64_t>(m)) *
           std::visit(AttentionMacs{asked, new_tokens}, llm.mixers[m].of);
  }
  return sum;
}

}  // namespace reticle
