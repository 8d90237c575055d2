// SPDX-License-Identifier: Apache-2.0
// Recordings as the router was dumped: a JSON document of one session with
// router_data[].token_N.layer_L.selected_experts.
#pragma once

#include "workloads/moe/routing_record.hpp"
#include "workloads/text/line_source.hpp"

namespace reticle {

/// Whether the document has a member router_data. Reads up to it.
bool is_router_data(LineSource& lines);
/// Throws ConfigError with file:line:col at what breaks a rule of recordings. The session is named
/// by row_index, 0 without it.
RoutingRecord read_router_data(LineSource& lines);

}  // namespace reticle
