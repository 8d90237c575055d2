// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/fabric/event_wheel.hpp"
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

  /// The rates have changed, between two runs.
  void rates_changed();
  /// `fronts`: when each participant may begin, and after the call when it holds everything;
  /// `injected`: when its own messages have left; `free`: per link, when it has sent what it was
  /// given, before and after.
  void run(const RoutedExchange& routed, std::span<ExchangeFront> fronts,
           std::span<Picoseconds> injected, std::span<Picoseconds> free);

 private:
  static constexpr std::uint32_t kNone = 0xffff'ffff;

  struct Piece {
    std::uint32_t sending = 0;   ///< of `sendings_`: what it belongs to
    std::uint32_t hop = 0;       ///< index of the next link of its way
    std::uint32_t hops_end = 0;  ///< of its way
    std::uint32_t next = 0;      ///< in its queue
    /// It will wait in at the end of its next link; kNone: its way ends there.
    std::uint32_t queue = kNone;
    bool last = false;      ///< of its message
    Picoseconds forward{};  ///< over its next link
    Bytes bytes{};
    Picoseconds tail{};  ///< when all of it has come
  };
  /// Pieces at the end of a link that wait for another one, or sendings that wait for the first
  /// link of their way (a source).
  struct Queue {
    std::uint32_t head = kNone, tail = kNone;
    std::uint32_t in_line = kNone;    ///< the next in the line for the link
    std::uint32_t before = 0;         ///< link at whose end it is
    std::uint32_t onward = 0;         ///< link it wants
    std::uint32_t turn = 0;           ///< run, and whether of its two pieces the first is gone
    std::uint32_t short_of_room = 0;  ///< run in which what came over links was last refused
    Bytes held{};                     ///< or on its way here
  };
  struct Room {
    Picoseconds at{};
    std::uint32_t queue = 0;
    Bytes bytes{};
  };
  /// A message that its source sends, or has sent.
  struct Sending {
    const RoutedMessage* message = nullptr;
    std::uint32_t phase = 0;
    std::uint32_t next = kNone;  ///< of the same source
    ExchangeFront front;
    std::int64_t parts = 1, made = 0;  ///< pieces in all, and so far
    Bytes cut{};                       ///< bytes of the latter
  };
  struct Link {
    std::uint32_t queues = kNone;  ///< first of those at its end; none before their first use
    std::uint32_t to = 0;          ///< node
    std::int8_t classes = 1;       ///< of routes, each with its own queues
    bool due = false;              ///< it will look at its line
    bool awaited = false;          ///< it waits for room of which nothing is known
    bool used = false;
    std::uint32_t first = kNone, last = kNone;  ///< in line: queues that want the link
    std::uint32_t cut = kNone;                  ///< the next piece of the source
    std::uint32_t left = 0;                     ///< of `leaving`: those before have left
    Bytes held{};                               ///< in the buffer at its end
    Bytes buffer{};
    std::vector<Room> leaving;  ///< of that buffer, by time
  };
  /// What happens, with a piece, link, slot or sending.
  enum class EventKind : std::uint8_t { Arrive, Serve, Begin, Hold };
  void prepare(const RoutedExchange& routed);
  void post(Picoseconds at, EventKind kind, std::uint32_t subject);
  void handle(const EventWheel::Event& event);
  void hold(std::uint32_t sending, Picoseconds at);
  void begin_phase(std::size_t slot, Picoseconds at);
  void send(const RoutedMessage& message, std::size_t phase, std::size_t slot, Picoseconds at);
  void arrive(std::uint32_t piece, Picoseconds at);
  void ask(std::uint32_t link, std::uint32_t queue, Picoseconds at, bool first = false);
  void serve(std::uint32_t link, Picoseconds at);
  [[nodiscard]] bool is_source(std::uint32_t queue) const { return queue < links_.size(); }
  [[nodiscard]] std::uint32_t first_of(std::uint32_t link, std::uint32_t queue);
  [[nodiscard]] std::uint32_t cut_piece(std::uint32_t sending);
  void look_ahead(Piece& piece);
  void make_queues(std::uint32_t link);
  bool may_pass(std::uint32_t link, std::uint32_t queue, Picoseconds at);
  bool yields(std::uint32_t link, std::uint32_t onward);
  bool has_room(std::uint32_t link, std::uint32_t onward, Bytes bytes, Picoseconds at);
  void pass(std::uint32_t link, std::uint32_t queue, Picoseconds at);
  void leave(std::uint32_t queue, const Piece& piece, Picoseconds at, Picoseconds end);
  void deliver(const Piece& piece);
  std::uint32_t make_piece(const Piece& piece);

  std::span<const LinkRate> rates_;
  Bytes smallest_buffer_{std::int64_t{1} << 40};  ///< none yet
  Picoseconds longest_{};                         ///< from a link's start to the next one's
  std::uint32_t slowest_ = 0;                     ///< link
  std::vector<Link> links_;
  std::vector<std::uint32_t> place_;             ///< per link: among those of the node it leaves
  std::vector<std::vector<std::uint32_t>> out_;  ///< per node: links
  std::vector<Queue> queues_;        ///< every link's source, then those at the ends of links
  std::vector<std::uint32_t> used_;  ///< links
  EventWheel events_;
  std::uint32_t run_ = 0;
  std::vector<Piece> pieces_;
  std::vector<std::uint32_t> free_pieces_;
  std::vector<Sending> sendings_;
  std::vector<ExchangeFront> ends_;  ///< per slot: by what the last phase sends it
  // of the exchange being worked out
  const RoutedExchange* routed_ = nullptr;
  std::span<ExchangeFront> fronts_;
  std::span<Picoseconds> injected_, free_;
  Bytes piece_{};
  /// Of each phase and slot in turn: where its messages end in `by_slot_`, and those not yet held.
  std::vector<std::uint32_t> listed_;
  std::vector<std::int32_t> awaited_;
  std::vector<const RoutedMessage*> by_slot_;
  std::vector<std::size_t> phase_;  ///< per slot: next to send
};

}  // namespace reticle
