// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <span>
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

/// A request that left the waiting line.
struct Admitted {
  RequestId id{};
  std::int64_t found = 0;  ///< prompt tokens that were in the cache
  bool again = false;      ///< it had been preempted
};

/// Continuous batching: passive, asked "what now?" before a step and told "done" after it.
///
/// Policy:     first come, first served. A request is admitted when a place in the batch and KV
///             pages are free: for its whole length, or for its prompt. In the latter case a
///             sequence that finds no page to grow preempts the youngest one of its replica, which
///             computes its tokens again when it is next admitted, ahead of all others. Prompt
///             blocks in the cache are not computed. Every step decodes one token of each running
///             request and carries up to `prefill_tokens` prompt tokens of those still prefilling,
///             oldest first; the chunk that completes a prompt yields its first output token.
/// Leaves out: preemption by swapping, priorities, speculation.
class Scheduler {
 public:
  /// `block_tokens`: of the requests' prefix blocks; 0 = they have none.
  Scheduler(const ServingSpec& spec, const KvCapacity& kv, std::int64_t block_tokens = 0);

  /// False: the request can never fit and is not taken. `request` must outlive the scheduler.
  bool arrive(const Request& request);
  /// Takes a request whose context is in the cache already (steady decode). False: no room.
  bool resume(RequestId id, std::int64_t context, std::int64_t output_tokens);

  /// The coming step; `admitted` lists requests that left the waiting line for it. Empty: idle.
  const StepLoad& plan(std::vector<Admitted>& admitted);
  /// The step planned last has ended.
  const std::vector<Progress>& complete();

  [[nodiscard]] const KvManager& kv() const { return kv_; }
  [[nodiscard]] const PreemptionStats& preemption_stats() const { return preempted_; }
  [[nodiscard]] std::int64_t running() const { return static_cast<std::int64_t>(running_.size()); }
  [[nodiscard]] std::int64_t waiting() const { return static_cast<std::int64_t>(waiting_.size()); }

 private:
  struct Waiting {
    RequestId id;
    std::int64_t input, output;
    std::span<const std::uint64_t> blocks{};
    std::int64_t generated = 0;  ///< before it was preempted
    std::int64_t lost = 0;       ///< cached tokens it gave up then
    [[nodiscard]] std::int64_t length() const { return input + output; }
  };
  struct Running {
    Waiting request;
    std::int64_t prompt = 0;     ///< tokens to compute before the next output token: input, or more
    std::int64_t generated = 0;  ///< output tokens so far; the newest is not in the cache yet
    KvLease lease{};
    std::int64_t chunk = 0;  ///< tokens of the step under way
  };

  void admit(std::vector<Admitted>& admitted);
  /// False: it was preempted itself.
  bool make_room(std::size_t at, std::int64_t tokens);
  void preempt(std::size_t at);

  const ServingSpec spec_;
  KvManager kv_;
  std::deque<Waiting> waiting_;
  std::vector<Running> running_;  ///< in order of admission
  PreemptionStats preempted_;
  StepLoad load_;
  std::vector<Progress> progress_;
};

}  // namespace reticle
