// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/adapter_spec.hpp"
#include "sim/base/units.hpp"
#include "workloads/requests/step_load.hpp"

namespace reticle {

/// What becomes of prompt blocks that no sequence uses any more, and which goes first. Ties go by
/// age; no block goes before those that continue it.
enum class PrefixCachePolicy : std::uint8_t {
  Off,      ///< nothing is shared or kept
  Lru,      ///< kept; the one used longest ago goes first
  Lfu,      ///< kept; the one used least often since it came goes first
  SizeAge,  ///< kept; the end of the longest context goes first, the older it is the sooner
  Session,  ///< kept; a block of the session that has been silent longest goes first
  Refuse    ///< kept for good: who needs the room waits
};

/// Where idle prompt blocks go when their room is wanted.
enum class KvSpill : std::uint8_t {
  Off,   ///< nowhere: they are lost
  Far,   ///< behind the host link, as far as there is room
  Flash  ///< likewise, and from there on to the flash
};

/// What becomes of the cache of a sequence that is preempted.
enum class Preemption : std::uint8_t {
  Recompute,  ///< it is lost, and computed again
  Swap        ///< it goes to the far tier and comes back; where that is full, as Recompute
};

/// When a request is admitted.
enum class Admission : std::uint8_t {
  WholeLife,  ///< pages for prompt and answer are free: nothing is ever taken back
  OnDemand    ///< pages for the prompt are free; a sequence that cannot grow preempts the youngest
};

/// When a batch takes new requests.
enum class Batching : std::uint8_t {
  Continuous,  ///< before any step
  Static       ///< when all of those before have their answers: formed once, run to its end
};

/// Who is next of those that wait. What was preempted comes before all others.
enum class QueueOrder : std::uint8_t {
  Fcfs,           ///< who came first
  ShortestFirst,  ///< who has the shortest prompt
  Slo             ///< whose first token is due first; those too late for theirs come last
};

/// Which instance a request goes to.
enum class RoutingPolicy : std::uint8_t {
  RoundRobin,   ///< each in turn
  LeastLoaded,  ///< the one with the fewest requests not yet finished
  PrefixAffine  ///< consistent hashing of session or first prefix block, loads bounded
};

/// What breaks.
enum class FaultKind : std::uint8_t {
  Die,         ///< a die, and with it the node, package or mesh row whose links it shares
  HbmChannel,  ///< a pseudo-channel of a die's HBM; shards are even, so every die uses one less
  Link         ///< a part of a die's links of one fabric level; the slowest sets the pace of all
};

/// A part of an instance fails and stays so. What its caches held is lost; its requests are
/// computed again, there or elsewhere.
struct FaultSpec {
  std::string name;
  Picoseconds at{};
  FaultKind kind = FaultKind::Die;
  std::int64_t instance = 0;
  std::int64_t channels = 1;   ///< HbmChannel: how many
  double link_left = 0.5;      ///< Link: share of the rate left, by default
  std::string level = "node";  ///< Link: package | node | scale_out
};

/// Speculative decoding [Leviathan+ 2023]: a draft proposes tokens one after another, one step of
/// the model verifies them all, and keeps those before the first it disagrees with, and one of its
/// own.
struct SpeculationSpec {
  std::int64_t tokens = 0;  ///< drafts per step; 0: none
  /// Chance that the model accepts draft i, given that it accepted those before; the last entry
  /// holds for all further ones.
  std::vector<double> acceptance{0.8};  ///< default, chosen
  std::uint64_t seed = 0;
};

/// How much of the hidden thinking before an answer (Request::thinking_tokens) is generated.
struct ThinkingSpec {
  std::optional<std::int64_t> budget{};  ///< tokens at most
  double share = 1;                      ///< of what the trace has; a model that stops early
};

/// Early exit [Schuster+ 2022, CALM]: after a share of the layers every decoding token's confidence
/// is looked at through the output head, and those that are sure enough go no further.
struct EarlyExitSpec {
  double share = 0;     ///< of tokens that exit; 0: none
  double layers = 0.5;  ///< of the layers, after which they may; default
  std::uint64_t seed = 0;
};

/// Low-rank adapters that requests ask for.
struct LoraSpec {
  AdapterSpec family{};
  /// Requests that name none are dealt one, the i-th in proportion to i^-popularity; nullopt: they
  /// run without, and streams of a steady decode have theirs in turn.
  std::optional<double> popularity{};
  std::uint64_t seed = 0;
};

/// Continuous batching with chunked prefill, unless `batching` says otherwise.
struct ServingSpec {
  /// Host time of the serving stack per layer and step, beyond the platform's own.
  Picoseconds layer_overhead{0};
  /// Likewise per step and sequence in it: sampling, block tables, detokenising.
  Picoseconds stream_overhead{0};
  std::int64_t max_batch = 256;        ///< requests decoding or prefilling at once
  std::int64_t prefill_tokens = 2048;  ///< prompt tokens a step may carry beside the decodes
  std::int64_t kv_page_tokens = 16;    ///< tokens per KV page
  PrefixCachePolicy prefix_cache = PrefixCachePolicy::Lru;
  Batching batching = Batching::Continuous;
  Admission admission = Admission::WholeLife;
  double headroom = 0.01;  ///< on demand: share of the KV room an admission leaves free
  KvSpill kv_spill = KvSpill::Off;
  bool kv_prefetch = true;  ///< far blocks of the next request come home while it waits
  Preemption preemption = Preemption::Recompute;
  /// Streaming [Xiao+ 2024]: a sequence keeps its first `kv_sink_tokens` and last
  /// `kv_window_tokens` tokens and drops those between. 0 and 0: it keeps all.
  std::int64_t kv_sink_tokens = 0, kv_window_tokens = 0;
  /// Turns of a session whose requests carry no prefix blocks are taken to begin with the turn
  /// before and its answer.
  bool session_prefixes = false;
  QueueOrder queue = QueueOrder::Fcfs;
  bool slo_admission = false;  ///< whose turn comes after its `ttft_limit` is refused
  /// Equal parts of the deployment, each with a copy of the model and a scheduler of its own.
  std::int64_t instances = 1;
  /// Of these, so many only prefill; the rest only decode, with caches sent to them over the
  /// fabric. 0: all do both.
  std::int64_t prefill_instances = 0;
  RoutingPolicy routing = RoutingPolicy::LeastLoaded;
  SpeculationSpec speculation{};
  ThinkingSpec thinking{};
  EarlyExitSpec early_exit{};
  std::optional<LoraSpec> lora{};
  std::vector<FaultSpec> faults{};                     ///< by time
  Picoseconds fault_detection{kPicosecondsPerSecond};  ///< until a fault is noticed and acted on
  /// At which a die gets its weights again from the host, after a fault.
  BytesPerSecond reload_rate{20'000'000'000};
  /// What a request must keep to count as goodput: arrival to first token, and the mean time per
  /// token after it.
  std::optional<Picoseconds> ttft_limit{}, tpot_limit{};

  /// Of `tokens` tokens those that a sequence keeps.
  [[nodiscard]] std::int64_t kept(std::int64_t tokens) const {
    return kv_window_tokens > 0 ? std::min(tokens, kv_sink_tokens + kv_window_tokens) : tokens;
  }
};

struct PrefixStats {
  std::int64_t blocks = 0;          ///< full prompt blocks of admitted sequences
  std::int64_t hit_blocks = 0;      ///< of these, found in the cache
  std::int64_t hit_tokens = 0;      ///< prompt tokens that need no computing
  ByPlace<std::int64_t> found{};    ///< of the hits, where
  ByPlace<std::int64_t> evicted{};  ///< blocks that had to leave a place, downwards or for good
  std::int64_t spilled = 0;         ///< of those that left home, kept behind it
  std::int64_t prefetched = 0;      ///< blocks that came home before their request was admitted
  /// States copied into blocks, and from there for a sequence that continues one.
  Bytes copied{};
};

/// Room of one tier, taken and given back: what was allocated was freed by who had it, or evicted,
/// or is resident.
struct KvTierStats {
  Bytes allocated{}, freed{}, evicted{};
  Bytes resident{};         ///< at the end, from the books of who has it
  Bytes moved_in{};         ///< of what was allocated, filled from other tiers
  Bytes moved_out{};        ///< read for other tiers
  Bytes peak{};             ///< allocated at a time
  double byte_seconds = 0;  ///< of what is allocated, over time
};

/// Adapters in the home tier. A request asks for its adapter once, when its turn comes near; again
/// only if it had to go before it ran.
struct AdapterStats {
  std::int64_t asked = 0;
  std::int64_t hits = 0;   ///< of these, found there or on its way for another
  std::int64_t loads = 0;  ///< the others
  std::int64_t evicted = 0;
  Bytes evicted_bytes{};     ///< all dies together
  Bytes resident{}, peak{};  ///< likewise
  std::int64_t waits = 0;    ///< requests that nothing but their adapter kept waiting
  Picoseconds waited{};      ///< by them, in all
};

struct SpeculationStats {
  std::int64_t verifications = 0;  ///< of a sequence, with drafts
  std::int64_t drafts = 0;
  std::int64_t accepted = 0;  ///< of these
};

/// Requests whose cache was given up before they had finished.
struct PreemptionStats {
  std::int64_t preemptions = 0;
  std::int64_t lost_tokens = 0;        ///< cached, given up
  std::int64_t recomputed_tokens = 0;  ///< computed once more, so far as no prefix had them
  std::int64_t swaps = 0;              ///< of the preemptions, those whose cache was kept far
  std::int64_t swapped_tokens = 0;     ///< cached, so kept
};

}  // namespace reticle
