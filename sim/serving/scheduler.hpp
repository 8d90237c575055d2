// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "sim/base/units.hpp"
#include "sim/serving/adapter_pool.hpp"
#include "sim/serving/kv_manager.hpp"
#include "sim/serving/serving_spec.hpp"
#include "workloads/requests/request.hpp"
#include "workloads/requests/step_load.hpp"

namespace reticle {

/// What a step meant for one request.
struct Progress {
  RequestId request{};
  std::int64_t tokens = 0;  ///< output tokens it yielded; more than 1 where drafts were accepted
  bool finished = false;    ///< here
  bool goes_on = false;     ///< finished here, for its cache to be handed over
};

/// A request that left the waiting line.
struct Admitted {
  RequestId id{};
  std::int64_t found = 0;     ///< prompt tokens that were in the cache
  bool again = false;         ///< it had been given up before
  bool awaits_cache = false;  ///< the rest of its prompt was computed elsewhere and must be sent
};

/// Which part of a request's life an instance serves.
enum class ServingRole : std::uint8_t { Both, Prefill, Decode };

/// A request as it waits: anew, or with what it generated before it was given up.
struct Ticket {
  RequestId id{};
  std::int64_t input = 0, output = 0;
  std::span<const std::uint64_t> blocks{};
  std::int64_t generated = 0;  ///< output tokens it has already
  std::int64_t lost = 0;       ///< cached tokens it gave up
  bool computed = false;       ///< its prompt's cache is elsewhere, and will be sent
  std::optional<std::uint64_t> session{};
  Picoseconds arrival{};
  std::int64_t priority = 0;   ///< class: lower ones go first
  KvImage image{};             ///< its cache, where it was swapped out
  std::int64_t prompt = 0;     ///< swapped out: tokens to compute before the next output token
  std::int64_t processed = 0;  ///< of these and of the answer, computed
  /// Made for it where blocks are known by session alone.
  std::shared_ptr<const std::vector<std::uint64_t>> session_blocks{};
  std::optional<std::uint32_t> adapter{};
  bool asked_for_adapter = false;
  std::optional<Picoseconds> adapter_awaited{};  ///< since when nothing else keeps it waiting
  /// Made for it where it has an adapter: its blocks as nobody else's.
  std::shared_ptr<const std::vector<std::uint64_t>> adapter_blocks{};
  [[nodiscard]] std::int64_t length() const { return input + output; }
};
Ticket ticket_of(const Request& request);

/// What the last steps were like: means whose weights fall by 1/e in kSteps steps.
class RecentSteps {
 public:
  /// A step of `took` that computed `prompt_tokens` and decoded, or did not.
  void add(Picoseconds took, std::int64_t prompt_tokens, bool decoded);
  /// Seconds between tokens, the mean or the last, whichever is longer; 0: there was no decode.
  [[nodiscard]] double token_seconds() const { return std::max(last_decode_, mean_decode_); }
  /// Seconds for so many prompt tokens, among what else there is to do; 0: there were none.
  [[nodiscard]] double seconds_for(std::int64_t prompt_tokens) const;

 private:
  static constexpr double kSteps = 16;  ///< the means forget within them
  double last_decode_ = 0, mean_decode_ = 0;
  double prompt_seconds_ = 0, prompt_tokens_ = 0;
};

/// Continuous batching: passive, asked "what now?" before a step and told "done" after it.
///
/// Policy:     lower classes before higher ones, within a class first come, first served, or as
///             `queue` says. A request is admitted when there is room in the batch and pages are
///             free: for its whole length, or for its prompt. Then a sequence that finds no page to
///             grow preempts the youngest one of the highest class on its replica, and a request
///             that finds no room those of higher classes. Who was preempted is next admitted ahead
///             of its class, and then computes its tokens again or has them fetched from the far
///             tier. Prompt blocks in the cache are not computed;
///             those in the far tier are fetched while the steps before go on: a sequence runs from
///             the step after its last block has come. Every step decodes one token of each running
///             request and carries up to `prefill_tokens` prompt tokens of those still prefilling,
///             oldest first; the chunk that completes a prompt yields its first output token.
///             In the role Prefill a request ends with its first token, its cache stays until it
///             has been handed over; in the role Decode it is admitted before its cache comes.
///             With slo_admission a request is refused whose first token will come too late, by
///             the prompts before it and the rate at which prompts were computed of late; and
///             nobody is admitted while tokens take longer than `tpot_limit`.
///             With static batching requests are admitted together, when nobody runs any more.
///             With speculation a decode carries drafts, and keeps those accepted. With a window a
///             sequence keeps its first and last tokens alone and attends to no others.
///             With adapters who is next waits until its own is there; those of the requests
///             behind it are loaded meanwhile, as far as there are slots.
/// Leaves out: moves that take longer than the step they began in (the step waits); a bound on what
///             tokens of one prompt chunk see of each other where there is a window.
class Scheduler {
 public:
  /// `block_tokens`: of the requests' prefix blocks; 0 = they have none. `adapter_bytes`: of an
  /// adapter of each rank, all dies together.
  Scheduler(const ServingSpec& spec, const KvCapacity& kv, std::int64_t block_tokens = 0,
            ServingRole role = ServingRole::Both, const std::vector<Bytes>& adapter_bytes = {});

  /// False: the request can never fit and is not taken. `request` must outlive the scheduler.
  bool arrive(const Request& request) { return arrive(ticket_of(request)); }
  bool arrive(const Ticket& ticket);
  /// The cache of an admitted request that awaited it has come.
  void delivered(RequestId id);
  /// That cache will not come: its prompt is computed here.
  void cache_lost(RequestId id);
  /// The replica whose cache a request has pages in; it must have some.
  [[nodiscard]] std::int32_t replica_of(RequestId id) const;
  /// Role Prefill: the cache of a finished request has been sent, its pages are free.
  void handed_over(RequestId id);
  /// Everything here is lost, the cache too: what was running and waiting, in order of arrival.
  std::vector<Ticket> abandon();
  /// Takes a request whose context is in the cache already (steady decode). False: no room.
  bool resume(RequestId id, std::int64_t context, std::int64_t output_tokens,
              std::optional<std::uint32_t> adapter = std::nullopt);

  /// The coming step, which begins `now`; `admitted` lists requests that left the waiting line for
  /// it. Empty: idle.
  const StepLoad& plan(std::vector<Admitted>& admitted, Picoseconds now = {});
  /// Requests that left the waiting line in that plan without being served.
  [[nodiscard]] const std::vector<RequestId>& refused() const { return refused_; }
  /// Of these the one that nothing will make room for; the others came or would come too late.
  [[nodiscard]] std::optional<RequestId> stuck() const { return stuck_; }
  /// Tokens of prompts in the step planned last; generated ones that are computed again are none.
  [[nodiscard]] std::int64_t prompt_tokens() const { return prompt_tokens_; }
  /// In the step planned last the cache had no room for a request that it could have served, or for
  /// the tokens of one that runs.
  [[nodiscard]] bool short_of_room() const { return short_of_room_; }
  /// The step planned last has ended, `now`.
  const std::vector<Progress>& complete(Picoseconds now = {});

  [[nodiscard]] const KvManager& kv() const { return kv_; }
  [[nodiscard]] const std::optional<AdapterPool>& adapters() const { return adapters_; }
  [[nodiscard]] const PreemptionStats& preemption_stats() const { return preempted_; }
  [[nodiscard]] std::int64_t longest_context() const { return longest_context_; }
  /// Tokens that left a sequence's cache for its window to move on.
  [[nodiscard]] std::int64_t dropped_tokens() const { return dropped_tokens_; }
  [[nodiscard]] const SpeculationStats& speculation_stats() const { return speculated_; }
  [[nodiscard]] std::int64_t running() const { return static_cast<std::int64_t>(running_.size()); }
  [[nodiscard]] std::int64_t waiting() const { return static_cast<std::int64_t>(waiting_.size()); }

 private:
  struct Running {
    Ticket request;
    std::int64_t prompt = 0;     ///< tokens to compute before the next output token: input, or more
    std::int64_t generated = 0;  ///< output tokens so far; the newest is not in the cache yet
    std::int64_t processed = 0;  ///< tokens computed or found; those kept of them are in the cache
    KvLease lease{};
    std::int64_t chunk = 0;     ///< tokens of the step under way
    std::int64_t drafts = 0;    ///< of these, proposed by a draft
    bool awaits_cache = false;  ///< it cannot run yet
    [[nodiscard]] bool waits() const { return awaits_cache || lease.arriving; }
  };

  /// Class, new or preempted, what `queue` says (length of the prompt; whether it is late), order
  /// of coming.
  using Rank = std::tuple<std::int64_t, bool, std::int64_t, std::int64_t>;
  using Waiting = std::map<Rank, Ticket>;

  [[nodiscard]] KvAsk ask_of(const Ticket& ticket) const;
  void identify(Ticket& ticket) const;
  Waiting::iterator wait_in_line(Ticket ticket);
  [[nodiscard]] Waiting::iterator next(Picoseconds now);
  [[nodiscard]] bool too_late(const Ticket& ticket, Picoseconds now) const;
  void refuse_hopeless(Picoseconds now);
  Waiting::iterator next_to_serve(Picoseconds now);
  [[nodiscard]] bool closed(const std::vector<Admitted>& admitted) const;
  bool admit_one(Waiting::iterator at, std::vector<Admitted>& admitted);
  void refuse(Waiting::iterator at);
  [[nodiscard]] std::optional<std::size_t> victim(std::optional<std::int32_t> replica) const;
  void sort_by_class();
  void admit_urgent(std::vector<Admitted>& admitted, Picoseconds now);
  void prefetch(Picoseconds now);
  void refuse_stuck(Picoseconds now);
  [[nodiscard]] bool adapter_there(Ticket& ticket, Picoseconds now);
  void ask_for_adapters(Picoseconds now);
  void release_adapter(const Running& r);
  void arrive_all();
  void admit(std::vector<Admitted>& admitted, Picoseconds now);
  void promote();
  /// False: it was preempted itself.
  bool make_room(std::size_t at, std::int64_t tokens);
  Ticket give_up(const Running& r, bool keep = false);
  void lose_image(Ticket& ticket);
  void preempt(std::size_t at);
  [[nodiscard]] std::int64_t last_output(const Running& r) const;
  [[nodiscard]] bool goes_on(const Running& r) const;
  std::int64_t yielded(Running& r);

  const ServingSpec spec_;
  const ServingRole role_;
  const std::int64_t block_tokens_;  ///< 0: requests carry no blocks
  KvManager kv_;
  std::optional<AdapterPool> adapters_;  ///< nullopt: requests have none
  Waiting waiting_;
  std::vector<Rank> newcomers_;                    ///< in line since the last step
  std::int64_t last_place_ = 0, first_place_ = 0;  ///< in the order of coming, given so far
  RecentSteps recent_;
  std::vector<Running> running_;       ///< by class, then in order of admission
  std::vector<Running> handing_over_;  ///< role Prefill: done, but for their cache
  std::vector<KvLease> prefetched_;    ///< on their way home for those who wait
  std::vector<RequestId> refused_;
  std::optional<RequestId> stuck_;
  PreemptionStats preempted_;
  SpeculationStats speculated_;
  StepLoad load_;
  Picoseconds begun_{};  ///< of the step planned last
  std::int64_t prompt_tokens_ = 0;
  bool short_of_room_ = false;
  std::int64_t longest_context_ = 0, dropped_tokens_ = 0;
  std::vector<Progress> progress_;
};

}  // namespace reticle
