// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "sim/base/units.hpp"
#include "sim/serving/kv_manager.hpp"
#include "sim/serving/serving_spec.hpp"
#include "workloads/requests/request.hpp"
#include "workloads/requests/step_load.hpp"

namespace reticle {

/// What a step meant for one request.
struct Progress {
  RequestId request{};
  std::int64_t tokens = 0;  ///< output tokens it yielded: 0 or 1
  bool finished = false;
};

/// Continuous batching: passive, asked "what now?" before a step and told "done" after it.
///
/// Policy:     first come, first served. A request is admitted when a place in the batch and KV
///             pages for its whole length are free. Every step decodes one token of each running
///             request and carries up to `prefill_tokens` prompt tokens of those still prefilling,
///             oldest first; the chunk that completes a prompt yields its first output token.
/// Leaves out: preemption, priorities, prefix reuse, speculation.
class Scheduler {
 public:
  Scheduler(const ServingSpec& spec, const KvCapacity& kv);

  /// False: the request can never fit and is not taken.
  bool arrive(const Request& request);
  /// Takes a request whose context is in the cache already (steady decode). False: no room.
  bool resume(RequestId id, std::int64_t context, std::int64_t output_tokens);

  /// The coming step; `admitted` lists requests that left the waiting line for it. Empty: idle.
  const StepLoad& plan(std::vector<RequestId>& admitted);
  /// The step planned last has ended.
  const std::vector<Progress>& complete();

  [[nodiscard]] const KvManager& kv() const { return kv_; }
  [[nodiscard]] std::int64_t running() const { return static_cast<std::int64_t>(running_.size()); }
  [[nodiscard]] std::int64_t waiting() const { return static_cast<std::int64_t>(waiting_.size()); }

 private:
  struct Waiting {
    RequestId id;
    std::int64_t input, output;
  };
  struct Running {
    RequestId id;
    std::int64_t input, output;
    std::int64_t cached = 0;     ///< tokens in the cache
    std::int64_t generated = 0;  ///< output tokens so far; the newest is not in the cache yet
    std::int32_t replica = 0;
    std::int64_t chunk = 0;  ///< tokens of the step under way
    [[nodiscard]] std::int64_t length() const { return input + output; }
  };

  const ServingSpec spec_;
  KvManager kv_;
  std::deque<Waiting> waiting_;
  std::vector<Running> running_;  ///< in order of admission
  StepLoad load_;
  std::vector<Progress> progress_;
};

}  // namespace reticle
