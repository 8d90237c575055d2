// SPDX-License-Identifier: Apache-2.0
// Recorded picks of a real router, or drawn ones in the same shape.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workloads/moe/expert_router.hpp"
#include "workloads/text/bad_rows.hpp"

namespace reticle {

/// The tokens of one sequence, one after another.
struct RoutedSession {
  std::uint64_t id = 0;
  std::int64_t first_position = 0;
  std::vector<std::uint16_t> picks;  ///< [token][layer][rank], by router weight
};

struct RoutingRecord {
  std::int64_t experts = 0;
  std::int64_t layers = 0;  ///< MoE layers
  std::int64_t top_k = 0;
  std::vector<RoutedSession> sessions;
  BadRows bad_rows{false};  ///< of the file, left out

  [[nodiscard]] std::int64_t tokens(const RoutedSession& s) const {
    return static_cast<std::int64_t>(s.picks.size()) / (layers * top_k);
  }
  /// The top_k picks of one token at one MoE layer.
  [[nodiscard]] const std::uint16_t* at(const RoutedSession& s, std::int64_t token,
                                        std::int64_t layer) const {
    return s.picks.data() + (token * layers + layer) * top_k;
  }
};

/// Reads JSONL ({"reticle_routing": 1, ...}, then a token a line), CSV (session, token_pos, layer,
/// e0, e1, ...) or a document with router_data, which is refused whole or not at all; gzipped or
/// not; docs/workloads.md has all three. Throws ConfigError with
/// file:line:col for rows that are malformed, out of order, or of another shape than the first, or
/// leaves them out: with them goes their token, and the tokens around it become neighbours.
RoutingRecord read_routing(const std::string& path, bool skip_bad_rows = false);
/// Whether the file begins as one of the three does.
bool is_routing(const std::string& path);

/// The file is there whole or not at all. Throws ConfigError.
void write_routing(const RoutingRecord& record, const std::string& path, std::string_view note);

/// What `router` picks for sessions of these lengths, from position 0.
RoutingRecord draw_routing(const ExpertRouter& router, const std::vector<std::int64_t>& lengths);

}  // namespace reticle
