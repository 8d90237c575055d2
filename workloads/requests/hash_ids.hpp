// SPDX-License-Identifier: Apache-2.0
// The member hash_ids of Mooncake's and Qwen's rows: one id per started block.
#pragma once

#include "workloads/requests/request.hpp"
#include "workloads/text/json_line.hpp"

namespace reticle {

/// Into request.prefix_blocks; request.input_tokens must be known. Throws ConfigError at a count
/// that is not ceil(input / block).
inline void read_hash_ids(const TextPlace& place, const JsonLine& row, std::int64_t block_tokens,
                          Request& request) {
  const Field& field = row.at("hash_ids");
  row.ids(field, request.prefix_blocks);
  const std::int64_t expected = div_up(request.input_tokens, block_tokens);
  if (static_cast<std::int64_t>(request.prefix_blocks.size()) == expected) return;
  place.fail(field.offset, field.key,
             "expected " + std::to_string(expected) + " ids (one per " +
                 std::to_string(block_tokens) + " input tokens), found " +
                 std::to_string(request.prefix_blocks.size()));
}

}  // namespace reticle
