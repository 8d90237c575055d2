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
/// Models:     messages cut into pieces; at the end of a link they queue by the link they go on
///             over (virtual output queues), and the queues that want a link take turns; a buffer
///             per link that its queues share, none more than what is left over; cut-through.
/// Leaves out: the cycles of arbitration and what they lose; pieces of one message are alike
///             (docs/models/fabric.md).
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
    std::uint32_t sending = 0;  ///< of `sendings_`: what it belongs to
    std::uint32_t hop = 0;      ///< index of the next link of its way
    std::uint32_t next = 0;     ///< in its queue
    Bytes bytes{};
    bool last = false;   ///< of its message
    Picoseconds tail{};  ///< when all of it has come
  };
  /// What waits at the end of a link for another one.
  struct Queue {
    std::uint32_t head = kNone, tail = kNone;
    Bytes held{};        ///< or on its way here
    bool again = false;  ///< of its turn's two pieces the first is gone
  };
  struct Room {
    Picoseconds at{};
    std::uint32_t queue = 0;
    Bytes bytes{};
  };
  /// A message that its source sends, or has sent.
  struct Sending {
    const RoutedMessage* message = nullptr;
    std::size_t phase = 0;
    ExchangeFront front;
    std::int64_t parts = 1, cut = 0;  ///< pieces in all, and made so far
  };
  struct Link {
    std::uint32_t queues = 0;          ///< first of those at its end
    std::int32_t classes = 1;          ///< of routes, each with its own queues
    std::uint32_t out = 0;             ///< place among the links of the node it leaves
    std::deque<std::uint32_t> line;    ///< queues that want the link; its source is number kNone
    std::deque<std::uint32_t> source;  ///< sendings
    std::uint32_t cut = 0xffff'ffff;   ///< the next piece of the source
    std::deque<Room> leaving;          ///< of the buffer at its end, by time
    Bytes held{};                      ///< in that buffer
    bool due = false;                  ///< it will look at its line
    bool awaited = false;              ///< it waits for room of which nothing is known yet
    bool used = false;
  };
  enum class EventKind : std::uint8_t { Arrive, Serve, Begin, Hold };
  struct Event {
    Picoseconds at{};
    std::uint64_t order = 0;
    EventKind kind{};
    std::uint32_t subject = 0;  ///< piece, link, slot or sending
    bool operator>(const Event& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };
  static constexpr std::uint32_t kNone = 0xffff'ffff;

  void prepare(const RoutedExchange& routed);
  void post(Picoseconds at, EventKind kind, std::uint32_t subject);
  void handle(const Event& event);
  void begin_phase(std::size_t slot, Picoseconds at);
  void arrive(std::uint32_t piece, Picoseconds at);
  void ask(std::uint32_t link, std::uint32_t queue, Picoseconds at, bool first = false);
  void serve(std::uint32_t link, Picoseconds at);
  [[nodiscard]] std::uint32_t first_of(std::uint32_t link, std::uint32_t queue);
  [[nodiscard]] std::uint32_t queue_after(const Piece& piece) const;
  bool has_room(std::uint32_t link, const Piece& piece, Picoseconds at);
  void pass(std::uint32_t link, std::uint32_t queue, Picoseconds at);
  void leave(std::uint32_t queue, const Piece& piece, Picoseconds at, Picoseconds end);
  void deliver(const Piece& piece);
  std::uint32_t make_piece(const Piece& piece);
  [[nodiscard]] bool ends(const Piece& piece) const {
    return piece.hop + 1 == piece.message->hops_end;
  }

  const Topology& topology_;
  std::span<const LinkRate> rates_;
  Bytes smallest_buffer_{std::int64_t{1} << 40};
  std::vector<Link> links_;
  std::vector<Queue> queues_;
  std::vector<std::uint32_t> link_of_;  ///< per queue: at whose end it is
  std::vector<std::uint32_t> used_;     ///< links
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::uint64_t order_ = 0;
  std::vector<Piece> pieces_;
  std::vector<std::uint32_t> free_pieces_;
  std::vector<Sending> sendings_;
  std::vector<ExchangeFront> ends_;  ///< per slot: by what the last phase sends it
  // of the exchange being worked out
  const RoutedExchange* routed_ = nullptr;
  std::span<ExchangeFront> fronts_;
  std::span<Picoseconds> injected_, free_;
  Bytes piece_{};
  std::vector<std::vector<std::vector<const RoutedMessage*>>> by_slot_;  ///< [phase][slot]
  std::vector<std::vector<std::int32_t>> awaited_;  ///< likewise: messages not yet held
  std::vector<std::size_t> phase_;                  ///< per slot: next to send
};

}  // namespace reticle
