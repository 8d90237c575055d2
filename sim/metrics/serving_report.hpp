// SPDX-License-Identifier: Apache-2.0
// What reports say of instances, caches handed over, adapters and faults.
#pragma once

#include <string>
#include <vector>

#include "sim/config/run_spec.hpp"
#include "sim/metrics/priced_json.hpp"
#include "sim/metrics/run_result.hpp"

namespace reticle {

/// One entry per instance; empty where there is one alone.
Json instances_json(const RunResult& result);
/// Null where no instance hands caches over.
Json handover_json(const RunResult& result);
Json faults_json(const RunResult& result);
/// Null without speculation.
Json speculation_json(const RunResult& result);
/// Null without serving.lora.
Json adapters_json(const RunSpec& spec, const RunResult& result);

/// Keys and values in a tier, as far as attention reads them there.
struct KvInTier {
  Bytes peak{}, read{};
  double mean = 0;  ///< bytes, over time
};
KvInTier kv_in_tier(const InstanceResult& result, Tier tier);
/// What was taken and given back of each tier that keys and values can be in.
Json kv_tiers_json(const RunResult& result);

/// The same for people, a sentence each.
std::vector<std::string> serving_lines(const RunResult& result);

}  // namespace reticle
