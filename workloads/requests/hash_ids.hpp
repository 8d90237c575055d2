// SPDX-License-Identifier: Apache-2.0
// Block ids of a row: one per started block of the prompt, or at most one.
#pragma once

#include <string>

#include "workloads/requests/request.hpp"
#include "workloads/text/json_line.hpp"

namespace reticle {

enum class BlockIds { OnePerStarted, AtMostOne };

/// The ids of `field` into request.prefix_blocks; request.input_tokens must be known. Throws
/// ConfigError at a count that is not, or is above, ceil(input / block); without blocks it is 0.
inline void read_block_ids(const TextPlace& place, const JsonLine& row, const Field& field,
                           std::int64_t block_tokens, BlockIds rule, Request& request) {
  row.ids(field, request.prefix_blocks);
  const std::int64_t started = block_tokens > 0 ? div_up(request.input_tokens, block_tokens) : 0;
  const auto found = static_cast<std::int64_t>(request.prefix_blocks.size());
  if (found == started || (rule == BlockIds::AtMostOne && found < started)) return;
  place.fail(field.offset, field.key,
             std::string{"expected "} + (rule == BlockIds::AtMostOne ? "at most " : "") +
                 std::to_string(started) + " ids (one per " + std::to_string(block_tokens) +
                 " input tokens), found " + std::to_string(request.prefix_blocks.size()));
}

}  // namespace reticle
