// SPDX-License-Identifier: Apache-2.0
// What a mixer asks of the cache for one sequence of a step: which cached tokens it reads, how many
// query-key pairs it scores. Pure arithmetic, the same for lowering, roofline and recall.
#pragma once

#include <cstdint>

#include "workloads/llm/llm_spec.hpp"

namespace reticle {

struct Attended {
  std::int64_t read = 0;           ///< cached tokens whose keys and values are read
  std::int64_t pairs = 0;          ///< (query, key) pairs that enter the softmax
  std::int64_t scanned = 0;        ///< cached tokens whose index keys are read (sparse selection)
  std::int64_t scanned_pairs = 0;  ///< pairs the indexer scores
};

/// Whether every query selects the tokens it attends to.
bool selects(const Mixer& mixer);

/// `new_tokens` tokens behind `context` cached ones. A recurrence attends to nothing.
Attended attended(const Mixer& mixer, std::int64_t context, std::int64_t new_tokens);

/// Of what is read and scanned the part in SRAM, where `near` of the `context` cached tokens of
/// layers that keep all are: tokens that are selected lie anywhere among them.
Attended near_of(const LlmSpec& llm, const Mixer& mixer, const Attended& asked,
                 std::int64_t context, std::int64_t near);

/// Tokens of a sequence of `tokens` that a later query can still see.
std::int64_t held_tokens(const Mixer& mixer, std::int64_t tokens);

/// Whether that is all of them up to the longest context: its keys and values are in pages.
bool keeps_all(const LlmSpec& llm, const Mixer& mixer);

/// Elements one cached token has / elements of state, in one layer. An index key is counted as
/// elements of the cache's format.
std::int64_t cache_elements(const Mixer& mixer);
std::int64_t state_elements(const Mixer& mixer);

/// Of one layer: bytes read from the cache (state included) for one sequence of a step.
Bytes cache_read_bytes(const LlmSpec& llm, const Mixer& mixer, std::int64_t context,
                       std::int64_t new_tokens);

/// Over all layers: bytes read from the cache (states included) and multiply-accumulates of
/// attention for one sequence of a step.
Bytes cache_read_bytes(const LlmSpec& llm, std::int64_t context, std::int64_t new_tokens);
/// Of these bytes those in SRAM (near_of).
Bytes near_read_bytes(const LlmSpec& llm, std::int64_t context, std::int64_t near,
                      std::int64_t new_tokens);
std::int64_t attention_macs(const LlmSpec& llm, std::int64_t context, std::int64_t new_tokens);

}  // namespace reticle
