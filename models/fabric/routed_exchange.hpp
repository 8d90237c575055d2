// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "models/fabric/topology.hpp"
#include "models/program/program.hpp"

namespace reticle {

/// A link as messages see it: its rate as picoseconds per byte in 2^-22, credits included.
class LinkRate {
 public:
  /// A sender stops when the receiver's buffer is full; over a round trip it can send one buffer.
  explicit LinkRate(const LinkParams& link);
  /// Time `bytes` occupy the link, rounded up.
  [[nodiscard]] Picoseconds serialise(Bytes bytes) const;
  bool operator==(const LinkRate&) const = default;

 private:
  std::int64_t scaled_ps_per_byte_;
};

/// One link of a message's path, with what the message does to it.
struct Hop {
  std::uint32_t link = 0;
  /// Which of the classes of routes it belongs to that may not wait for each other in one buffer.
  std::int8_t channel = 0;
  bool overflows = false;  ///< the buffer at the link's end does not take all of the message
  Picoseconds busy{};      ///< serialisation
  Picoseconds forward{};   ///< to the next link's start, or into the receiving die
};

struct RoutedMessage {
  std::int32_t source = 0, target = 0;  ///< slots
  std::uint32_t hops_begin = 0, hops_end = 0;
  Picoseconds latency{};  ///< sum of the hops' forward
  Bytes bytes{};
  Bytes wire{};  ///< as the links carry them: whole flits
};

/// How far a participant is: when it may go on, and what that was bound by.
struct ExchangeFront {
  Picoseconds ready{};
  Picoseconds latency{};
  std::int32_t root = 0;
};

/// An exchange with its routes and occupancies worked out once; a step uses the same few exchanges
/// in every layer.
struct RoutedExchange {
  struct Phase {
    std::vector<RoutedMessage> messages;
    /// To the switch, by slot of the sender; and from there, by slot of the receiver.
    std::vector<RoutedMessage> to_switch, from_switch;
    /// Order of service when the participants are ready `ticks` after the first of them. Layers
    /// are alike, so the next use often finds it unchanged.
    std::vector<std::int64_t> ticks;
    std::vector<std::int32_t> order;
  };
  using Occupied = std::pair<std::uint32_t, Picoseconds>;  ///< a link, and until when
  /// How it ended when its participants began `ready` after the first of them and links had earlier
  /// work until `occupied`; times count from there. Layers are alike, so many uses begin as one
  /// before did.
  struct Memory {
    std::vector<Picoseconds> ready;
    std::vector<Occupied> occupied;
    std::vector<ExchangeFront> fronts;
    std::vector<Picoseconds> injected, free;  ///< `free`: as `links`
  };
  RoutedExchange(std::shared_ptr<const Exchange> exchange, const Topology& topology,
                 std::span<const LinkRate> rates);

  /// Per phase the time in which its busiest link can send all it has to, added up; `ready`: when
  /// each participant begins the first one. No order of messages is much faster.
  [[nodiscard]] Picoseconds ideal(std::span<const Picoseconds> ready) const;
  /// Adds what `times` runs of it put on each link; `stats` is indexed by link.
  void add_to_links(std::span<LinkStats> stats, std::int64_t times) const;

  std::shared_ptr<const Exchange> exchange;
  std::vector<Phase> phases;
  std::vector<Hop> hops;
  std::vector<std::uint32_t> links;  ///< all that its messages take, each once
  std::unordered_multimap<std::uint64_t, Memory> memories;  ///< by a hash of how it began
  std::int64_t runs = 0;
  std::vector<LinkStats> counts;  ///< of one run of the exchange, per level
  Bytes sent{}, received{};       ///< payload that leaves participants, and that reaches them

 private:
  void add_hops(RoutedMessage& message, std::span<const Topology::Hop> path,
                const Topology& topology, std::span<const LinkRate> rates);
  void add_switch(Phase& phase, std::span<const Message> messages, const Topology& topology,
                  std::span<const LinkRate> rates);

  std::vector<char> seen_;  ///< per link: it is in `links`
  /// When phase `p` can have ended whose senders are `ready`; unset: all at time zero.
  [[nodiscard]] Picoseconds busiest(const Phase& phase, std::span<const Picoseconds> ready) const;

  mutable std::optional<Picoseconds> later_;  ///< ideal of the phases after the first
};

}  // namespace reticle
