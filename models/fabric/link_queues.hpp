// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <queue>
#include <span>
#include <vector>

#include "models/fabric/routed_exchange.hpp"
#include "models/fabric/topology.hpp"

namespace reticle {

/// Works out an exchange whose messages get into each other's way.
///
/// Models:     messages cut into pieces; at the end of a link they queue in the order they came,
///             and the first of each queue takes turns with the first of the others for the next
///             link; a link that leads into a full buffer waits; cut-through.
/// Leaves out: virtual channels (a piece does not overtake another one of its link), the cycles of
///             arbitration; pieces of one message are alike (docs/models/fabric.md).
class LinkQueues {
 public:
  LinkQueues(const Topology& topology, std::span<const LinkRate> rates);

  /// `fronts`: when each participant may begin, and after the call when it holds everything;
  /// `injected`: when its own messages have left; `free`: per link, when it has sent what it was
  /// given, before and after.
  void run(const RoutedExchange& routed, std::span<ExchangeFront> fronts,
           std::span<Picoseconds> injected, std::span<Picoseconds> free);

 private:
  struct Piece {
    const RoutedMessage* message = nullptr;
    std::uint32_t hop = 0;  ///< index of the next link of its way
    Bytes bytes{};
    bool last = false;   ///< of its message
    Picoseconds tail{};  ///< when all of it has come
    std::size_t phase = 0;
    ExchangeFront sent;  ///< what its sender waited for
  };
  /// What waits in one order: at the end of a link, or at a source for its first link.
  struct Queue {
    std::deque<Piece> pieces;
    bool asking = false;  ///< its first piece is in line for a link
  };
  struct Room {
    Picoseconds at{};
    Bytes bytes{};
  };
  /// A class's part of the buffer at a link's end.
  struct Buffer {
    std::deque<Room> leaving;  ///< on its way out
    Bytes held{};
    bool awaited = false;  ///< the link waits for room of which nothing is known yet
  };
  struct Link {
    std::deque<std::uint32_t> line;  ///< queues whose first piece wants the link
    bool due = false;                ///< it will look at its line
  };
  enum class EventKind : std::uint8_t { Arrive, Serve, Hold };
  struct Event {
    Picoseconds at{};
    std::uint64_t order = 0;
    EventKind kind{};
    std::uint32_t subject = 0;  ///< queue, link or message held
    std::uint32_t piece = 0;    ///< Arrive: of `coming_`
    bool operator>(const Event& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };
  struct Delivery {
    std::int32_t slot = 0;
    std::size_t phase = 0;
    ExchangeFront front;
  };

  void post(Picoseconds at, EventKind kind, std::uint32_t subject, std::uint32_t piece = 0);
  void begin_phase(std::int32_t slot, Picoseconds at);
  void ask(std::uint32_t queue, Picoseconds at);
  void serve(std::uint32_t link, Picoseconds at);
  bool has_room(const Piece& piece, Picoseconds at);
  void wait_for_room(std::uint32_t link, Picoseconds at);
  [[nodiscard]] std::uint32_t buffer_of(const Piece& piece) const;
  void pass(std::uint32_t link, std::uint32_t queue, Picoseconds at);
  void deliver(const Piece& piece, Picoseconds at);
  void hold(const Delivery& delivery);
  [[nodiscard]] bool ends(const Piece& piece) const {
    return piece.hop + 1 == piece.message->hops_end;
  }

  const Topology& topology_;
  std::span<const LinkRate> rates_;
  std::vector<Link> links_;
  /// At the end of each link by channel, each with a buffer; then at the source of each link.
  std::vector<Queue> queues_;
  std::vector<Buffer> buffers_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::uint64_t order_ = 0;
  std::vector<std::uint32_t> used_;  ///< buffers that held something
  std::vector<Piece> coming_;        ///< under way to a queue
  std::vector<std::uint32_t> coming_free_;
  std::vector<Delivery> deliveries_;
  std::vector<ExchangeFront> ends_;  ///< per slot: by what the last phase sends it
  // of the exchange being worked out
  const RoutedExchange* routed_ = nullptr;
  std::span<ExchangeFront> fronts_;
  std::span<Picoseconds> injected_, free_;
  Bytes piece_{};
  std::vector<std::vector<std::vector<const RoutedMessage*>>> by_slot_;  ///< [phase][slot]
  std::vector<std::vector<std::int32_t>> awaited_;                       ///< likewise, not yet held
  std::vector<std::size_t> phase_;                                       ///< per slot: next to send
};

}  // namespace reticle
