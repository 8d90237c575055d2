// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "sim/serving/serving_spec.hpp"
#include "workloads/requests/popularity.hpp"
#include "workloads/requests/request.hpp"

namespace reticle {

/// Which adapter a request runs with: the one it names, else the one it is dealt, the same for all
/// requests of a session. A pure function of the request and the seed.
class AdapterDealer {
 public:
  explicit AdapterDealer(const LoraSpec& spec);
  [[nodiscard]] std::optional<std::uint32_t> of(const Request& request) const;
  /// Of stream `i` of a steady decode.
  [[nodiscard]] std::uint32_t of_stream(std::uint64_t i) const;

 private:
  [[nodiscard]] std::uint32_t dealt(std::uint64_t key) const;

  const std::int64_t adapters_;
  const std::uint64_t seed_;
  std::optional<Popularity> popularity_;
};

/// Adapters in the slots of an instance's home tier. Those nobody runs with stay, and the one asked
/// for longest ago goes when a slot is wanted. All are behind the host link too: what goes is
/// forgotten.
///
/// Models:     a slot each, LRU, loads that take until the end of the step they begin in.
/// Leaves out: slots of the size of what is in them (S-LoRA pages adapters and caches out of one
///             pool); adapters on some replicas of an instance alone.
class AdapterPool {
 public:
  /// `bytes`: of an adapter of each rank, all dies together.
  AdapterPool(const AdapterSpec& spec, std::vector<Bytes> bytes);

  /// It is there for those who want to begin with the next step.
  [[nodiscard]] bool there(std::uint32_t adapter) const;
  /// It is there or on its way.
  [[nodiscard]] bool holds(std::uint32_t adapter) const { return slots_.contains(adapter); }
  /// A request asks for its adapter. Where it is absent its load begins, if there is a slot: free,
  /// or with an adapter that nobody runs with and that is none of `wanted`. False: there is none,
  /// and nothing has changed.
  bool ask(std::uint32_t adapter, std::span<const std::uint32_t> wanted);
  /// It is there from the beginning. False: no slot is free.
  bool place(std::uint32_t adapter);
  /// Somebody runs with it from now on / no more. It must be there.
  void hold(std::uint32_t adapter);
  void release(std::uint32_t adapter);
  /// A request has waited for nothing but its adapter.
  void waited(Picoseconds time);

  /// Loads that begin with the coming step, since this was last asked.
  std::vector<std::uint32_t> take_loads() { return std::exchange(loads_, {}); }
  /// That step has ended.
  void arrive();
  [[nodiscard]] bool arriving() const { return !arriving_.empty(); }

  [[nodiscard]] const AdapterStats& stats() const { return stats_; }
  [[nodiscard]] std::int64_t resident() const { return std::ssize(slots_); }

 private:
  struct Slot {
    std::int64_t holders = 0;
    std::int64_t last_asked = 0;
    bool arriving = false;
  };
  [[nodiscard]] bool make_room(std::span<const std::uint32_t> wanted);
  void put(std::uint32_t adapter, bool arriving);
  [[nodiscard]] Bytes bytes_of(std::uint32_t adapter) const {
    return bytes_[spec_.rank_index(adapter)];
  }

  const AdapterSpec spec_;
  const std::vector<Bytes> bytes_;
  std::map<std::uint32_t, Slot> slots_;
  std::vector<std::uint32_t> loads_, arriving_;
  std::int64_t clock_ = 0;
  AdapterStats stats_;
};

}  // namespace reticle
