// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "models/fabric/flit_allocator.hpp"
#include "models/fabric/flit_queue.hpp"
#include "models/fabric/flit_spec.hpp"

namespace reticle {

/// Input-queued routers with virtual channels, one flit at a time. No clock of its own: whoever
/// drives it steps to the cycles that `next_active` names.
///
/// Models:     per packet a virtual channel of each link, per flit the switch and a credit of the
///             next buffer; a cycle each for virtual channel, switch allocation and traversal;
///             links slower than the fastest one; sources that send packet by packet.
/// Leaves out: adaptive routes, link errors and retries, several traffic classes, clocks that
///             differ by router (docs/models/fabric.md).
class FlitNetwork {
 public:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  /// A packet whose last flit has been taken in.
  struct Arrival {
    std::int32_t message = 0;
    bool last = false;  ///< all of the message is there; its number is free after this cycle
  };

  FlitNetwork(FlitGraph graph, const RouterParams& params);

  /// Keeps a route for use by any number of messages.
  std::int32_t add_route(std::span<const FlitHop> hops);
  /// Queues `flits` at the route's source, in packets of at most `packet`; returns its number.
  /// `cycle` is now: at or after the last step, and what it wakes is seen by the next step there.
  std::int32_t send(std::int32_t route, std::int64_t flits, std::int64_t packet,
                    std::int64_t cycle);

  /// The next cycle at which something can happen; kNever when nothing is under way.
  [[nodiscard]] std::int64_t next_active() const;
  /// Works out cycle `cycle`, which no earlier active one may precede.
  void step(std::int64_t cycle);
  /// Of the last step: packets taken in, and messages whose last flit has left the source.
  [[nodiscard]] std::span<const Arrival> arrived() const { return arrived_; }
  [[nodiscard]] std::span<const std::int32_t> departed() const { return departed_; }
  /// When the first flit of a message that is under way has left.
  [[nodiscard]] std::int64_t begun(std::int32_t message) const {
    return messages_[static_cast<std::size_t>(message)].begun;
  }
  /// Messages that wait at the source of `link`, the one being sent included.
  [[nodiscard]] std::size_t waiting(std::int32_t link) const {
    return links_[static_cast<std::size_t>(link)].source.size();
  }
  /// Flits under way, by link buffer: what a stuck network holds.
  [[nodiscard]] std::string pending() const;

  [[nodiscard]] const FlitStats& stats() const { return stats_; }

 private:
  enum class VcState : std::uint8_t { Idle, Waiting, Active };
  /// A virtual channel where it arrives.
  struct InputVc {
    FlitQueue flits;
    VcState state = VcState::Idle;
    bool ends = false;  ///< the packet's route ends with its next link
    std::int32_t out = 0, out_vc = 0;
  };
  struct Link {
    FlitLink spec;
    std::int32_t in_port = 0, out_port = 0;  ///< among those of its nodes
    // where it begins
    std::uint64_t held = 0;           ///< virtual channels that a packet has
    std::vector<std::int64_t> used;   ///< per virtual channel: flits in its buffer, or bound there
    std::int64_t spare = 0;           ///< shared_buffer: flits of room beyond the reserved
    std::int64_t free_at = 0;         ///< 2^-16 cycles
    std::deque<std::int32_t> source;  ///< messages to send
    std::uint32_t packet = 0;         ///< being sent, `left` flits of it
    std::int64_t left = 0;
    bool fresh = false, alone = false;  ///< nothing of it sent yet; this is its only link
    std::int32_t vc = -1, last_vc = -1;
    bool source_turn = false;  ///< the source comes first at the next free virtual channel
  };
  struct Waiting {
    std::int32_t link = 0, vc = 0;
  };
  struct Node {
    FlitNode spec;
    std::vector<std::int32_t> in, out;   ///< links
    std::vector<std::uint64_t> ready;    ///< per input: virtual channels with a flit for the switch
    std::vector<std::int32_t> inputs;    ///< whose `ready` may be other than zero
    std::vector<char> listed;            ///< per input: it is in `inputs`
    std::vector<Waiting> waiting;        ///< packets without a virtual channel
    std::vector<std::int32_t> sources;   ///< out links with something to send
    std::vector<std::int32_t> vc_first;  ///< per input port of the switch: first in turn
    std::int64_t seen = -1, due = -1;    ///< cycle last worked out, cycle next to be
  };
  struct Message {
    std::int32_t route = 0;
    std::int64_t to_send = 0, to_receive = 0, packet = 0, begun = -1;
  };
  struct Packet {
    std::int32_t message = 0;
    std::int32_t hop = 0;  ///< of its route: the link that its first flit is on
  };
  struct Route {
    std::uint32_t begin = 0, end = 0;
  };
  enum class EventKind : std::uint8_t { Flit, LastFlit, Credit, Wake };
  struct Event {
    EventKind kind{};
    std::int32_t link = 0;  ///< Wake: the node
    std::int32_t vc = 0;
    std::uint32_t flit = 0;
  };

  void post(std::int64_t cycle, const Event& event);
  void wake(std::int32_t node, std::int64_t cycle);
  void handle(const Event& event);
  void receive(const Event& event);
  void consume(const Event& event);
  void begin_packet(std::int32_t link, std::int32_t vc);
  void set_ready(std::int32_t link, std::int32_t vc);
  void work(std::int32_t node);
  void send_directly(Node& node);
  bool next_packet(Link& link);
  bool take_vc(Link& link);
  std::uint32_t next_flit(std::int32_t link);
  [[nodiscard]] bool has_credit(const Link& link, std::int32_t vc) const;
  void use_credit(Link& link, std::int32_t vc, bool back);
  bool free_slot(const Link& link, std::int64_t cycle) const;
  void occupy(Link& link, std::int64_t cycle);
  void allocate_vcs(std::int32_t node);
  void allocate_switch(std::int32_t node);
  void ask_for_switch(std::int32_t node, std::int32_t in_link, std::int32_t vc, bool late);
  void pass(std::int32_t node, const FlitAllocator::Request& granted);
  void forward(std::int32_t link, std::int32_t vc, std::uint32_t flit, bool ends,
               std::int64_t leaves);
  [[nodiscard]] std::uint64_t available(const Link& link, const FlitHop& hop) const;
  [[nodiscard]] const FlitHop& hop(const Packet& packet, std::int32_t ahead) const;
  [[nodiscard]] bool ends_after(const Packet& packet, std::int32_t ahead) const;
  InputVc& input(std::int32_t link, std::int32_t vc) {
    return inputs_[static_cast<std::size_t>(link) * static_cast<std::size_t>(params_.vcs) +
                   static_cast<std::size_t>(vc)];
  }

  const RouterParams params_;
  std::vector<Node> nodes_;
  std::vector<Link> links_;
  std::vector<InputVc> inputs_;
  std::vector<FlitAllocator> vc_allocators_, switch_allocators_;  ///< per node
  std::vector<Route> routes_;
  std::vector<FlitHop> hops_;
  std::vector<Message> messages_;
  std::vector<Packet> packets_;
  std::vector<std::int32_t> free_messages_, ended_;
  std::vector<std::uint32_t> free_packets_;
  std::vector<std::vector<Event>> calendar_;  ///< by cycle, a ring
  std::vector<std::uint64_t> busy_;           ///< a bit per slot of the ring that holds events
  std::vector<Event> due_;
  std::vector<std::int32_t> active_;
  std::int64_t events_ = 0;
  std::int64_t cycle_ = -1;
  std::int64_t retry_ = 0;  ///< of the node being worked out: when to look again
  std::vector<Arrival> arrived_;
  std::vector<std::int32_t> departed_;
  FlitStats stats_;
};

}  // namespace reticle
