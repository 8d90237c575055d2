// SPDX-License-Identifier: Apache-2.0
#include "models/fabric/flit_network.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
constexpr int kSlotShift = 16;  // fixed point: 2^-16 of a cycle
/// Flits of a shared buffer that are each channel's own: classes of routes must not wait for each
/// other.
constexpr std::int64_t kReserved = 2;
/// A flit is its packet's number, then one bit each: first of the packet, last of the packet.
constexpr std::uint32_t kFirst = 2, kLast = 1;
std::uint32_t packet_of(std::uint32_t flit) { return flit >> 2; }

std::uint64_t bit(std::int32_t vc) { return std::uint64_t{1} << vc; }
/// Bits [begin, end).
std::uint64_t bits(std::int32_t begin, std::int32_t end) {
  return (end >= 64 ? ~std::uint64_t{0} : bit(end) - 1) & ~(bit(begin) - 1);
}
}  // namespace

FlitNetwork::FlitNetwork(FlitGraph graph, const RouterParams& params) : params_{params} {
  invariant(params.vcs > 0 && params.vcs <= 64, "virtual channels fit a word");
  std::int64_t longest = 0;
  for (const FlitNode& node : graph.nodes) nodes_.emplace_back().spec = node;
  for (const FlitLink& spec : graph.links) {
    invariant(spec.spacing >= 1 << kSlotShift, "at most one flit a cycle");
    Link& link = links_.emplace_back();
    link.spec = spec;
    if (link.spec.vc_buffer == 0) link.spec.vc_buffer = params.vc_buffer;
    link.used.assign(static_cast<std::size_t>(params.vcs), 0);
    link.spare = std::max<std::int64_t>(0, link.spec.vc_buffer - kReserved) * params.vcs;
    Node& from = nodes_[static_cast<std::size_t>(spec.from)];
    Node& to = nodes_[static_cast<std::size_t>(spec.to)];
    link.out_port = static_cast<std::int32_t>(from.out.size());
    link.in_port = static_cast<std::int32_t>(to.in.size());
    const auto id = static_cast<std::int32_t>(links_.size() - 1);
    from.out.push_back(id);
    to.in.push_back(id);
    longest = std::max({longest, spec.latency + spec.delay,
                        spec.credit_latency + params.credit_delay, spec.spacing >> kSlotShift});
  }
  inputs_.resize(links_.size() * static_cast<std::size_t>(params.vcs));
  calendar_.resize(std::bit_ceil(static_cast<std::size_t>(
      std::max<std::int64_t>(64, longest + 4))));  // slots ahead, whole words
  busy_.resize(calendar_.size() / 64);
  const auto v = static_cast<std::size_t>(params.vcs);
  const auto s = static_cast<std::size_t>(params.input_speedup);
  for (Node& node : nodes_) {
    const std::size_t in = node.in.size(), out = node.out.size();
    node.ready.resize(in);
    node.listed.resize(in);
    node.vc_first.resize(in * s);
    for (std::size_t i = 0; i < node.vc_first.size(); ++i)
      node.vc_first[i] = static_cast<std::int32_t>(i % s);
    vc_allocators_.emplace_back(in * v, out * v, params.allocator, params.iterations);
    switch_allocators_.emplace_back(in * s + out, out, params.allocator, params.iterations);
  }
}

std::int32_t FlitNetwork::add_route(std::span<const FlitHop> hops) {
  invariant(!hops.empty(), "a route has a link");
  const auto begin = static_cast<std::uint32_t>(hops_.size());
  hops_.insert(hops_.end(), hops.begin(), hops.end());
  routes_.push_back({begin, static_cast<std::uint32_t>(hops_.size())});
  return static_cast<std::int32_t>(routes_.size() - 1);
}

std::int32_t FlitNetwork::send(std::int32_t route, std::int64_t flits, std::int64_t packet,
                               std::int64_t cycle) {
  invariant(flits > 0 && packet > 0, "a message has flits");
  std::int32_t id = 0;
  if (free_messages_.empty()) {
    id = static_cast<std::int32_t>(messages_.size());
    messages_.emplace_back();
  } else {
    id = free_messages_.back();
    free_messages_.pop_back();
  }
  messages_[static_cast<std::size_t>(id)] = {route, flits, flits, packet, -1};
  const FlitHop& first = hops_[routes_[static_cast<std::size_t>(route)].begin];
  Link& link = links_[static_cast<std::size_t>(first.link)];
  Node& node = nodes_[static_cast<std::size_t>(link.spec.from)];
  if (link.source.empty() && link.left == 0) node.sources.push_back(first.link);
  link.source.push_back(id);
  cycle_ = std::max(cycle_, cycle - 1);
  wake(link.spec.from, cycle);
  return id;
}

void FlitNetwork::post(std::int64_t cycle, const Event& event) {
  const std::size_t slot = static_cast<std::size_t>(cycle) & (calendar_.size() - 1);
  calendar_[slot].push_back(event);
  busy_[slot / 64] |= std::uint64_t{1} << (slot % 64);
  ++events_;
}

void FlitNetwork::wake(std::int32_t node, std::int64_t cycle) {
  Node& n = nodes_[static_cast<std::size_t>(node)];
  if (n.due > cycle_ && n.due <= cycle) return;
  n.due = cycle;
  post(cycle, {EventKind::Wake, node, 0, 0});
}

std::int64_t FlitNetwork::next_active() const {
  if (events_ == 0) return kNever;
  const std::size_t mask = calendar_.size() - 1;
  for (std::int64_t cycle = cycle_ + 1;;) {
    const std::size_t slot = static_cast<std::size_t>(cycle) & mask;
    const std::uint64_t rest = busy_[slot / 64] >> (slot % 64);
    if (rest != 0) return cycle + std::countr_zero(rest);
    cycle += static_cast<std::int64_t>(64 - slot % 64);
  }
}

void FlitNetwork::step(std::int64_t cycle) {
  invariant(cycle > cycle_, "time goes forward");
  cycle_ = cycle;
  for (const std::int32_t id : ended_) free_messages_.push_back(id);
  ended_.clear();
  arrived_.clear();
  departed_.clear();
  const std::size_t slot = static_cast<std::size_t>(cycle) & (calendar_.size() - 1);
  due_.swap(calendar_[slot]);
  busy_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
  events_ -= static_cast<std::int64_t>(due_.size());
  if (!due_.empty()) ++stats_.active_cycles;
  active_.clear();
  for (const Event& event : due_) handle(event);
  due_.clear();
  for (const std::int32_t node : active_) work(node);
}

void FlitNetwork::handle(const Event& event) {
  std::int32_t node = event.link;
  if (event.kind != EventKind::Wake) {
    const Link& link = links_[static_cast<std::size_t>(event.link)];
    node = event.kind == EventKind::Credit ? link.spec.from : link.spec.to;
  }
  if (event.kind == EventKind::LastFlit) return consume(event);
  if (event.kind == EventKind::Flit) receive(event);
  if (event.kind == EventKind::Credit)
    use_credit(links_[static_cast<std::size_t>(event.link)], event.vc, true);
  Node& n = nodes_[static_cast<std::size_t>(node)];
  if (n.seen == cycle_) return;
  n.seen = cycle_;
  active_.push_back(node);
}

void FlitNetwork::receive(const Event& event) {
  InputVc& vc = input(event.link, event.vc);
  vc.flits.push(event.flit);
  const std::int64_t size = links_[static_cast<std::size_t>(event.link)].spec.vc_buffer *
                            (params_.shared_buffer ? params_.vcs : 1);
  invariant(static_cast<std::int64_t>(vc.flits.size()) <= size, "credits hold");
  if (vc.state == VcState::Idle) begin_packet(event.link, event.vc);
  if (vc.state == VcState::Active && vc.flits.size() == 1) set_ready(event.link, event.vc);
}

/// The packet at the front asks for a virtual channel of its next link.
void FlitNetwork::begin_packet(std::int32_t link, std::int32_t vc) {
  InputVc& in = input(link, vc);
  invariant((in.flits.front() & kFirst) != 0, "a packet begins with its first flit");
  const Packet& packet = packets_[packet_of(in.flits.front())];
  in.state = VcState::Waiting;
  in.out = hop(packet, 1).link;
  in.ends = ends_after(packet, 1);
  const Link& from = links_[static_cast<std::size_t>(link)];
  nodes_[static_cast<std::size_t>(from.spec.to)].waiting.push_back({link, vc});
}

void FlitNetwork::set_ready(std::int32_t link, std::int32_t vc) {
  const Link& l = links_[static_cast<std::size_t>(link)];
  Node& node = nodes_[static_cast<std::size_t>(l.spec.to)];
  std::uint64_t& ready = node.ready[static_cast<std::size_t>(l.in_port)];
  char& listed = node.listed[static_cast<std::size_t>(l.in_port)];
  if (listed == 0) node.inputs.push_back(l.in_port);
  listed = 1;
  ready |= bit(vc);
}

/// Takes a flit out of the network where its route ends; its buffer is free at once.
void FlitNetwork::consume(const Event& event) {
  ++stats_.flits_received;
  const std::uint32_t id = packet_of(event.flit);
  const std::int32_t number = packets_[id].message;
  Message& message = messages_[static_cast<std::size_t>(number)];
  --message.to_receive;
  if ((event.flit & kLast) != 0) {
    free_packets_.push_back(id);
    arrived_.push_back({number, message.to_receive == 0});
    if (message.to_receive == 0) ended_.push_back(number);
  }
  const Link& link = links_[static_cast<std::size_t>(event.link)];
  const bool router = !nodes_[static_cast<std::size_t>(link.spec.from)].spec.terminal;
  post(cycle_ + 1 + link.spec.credit_latency + (router ? params_.credit_delay : 0),
       {EventKind::Credit, event.link, event.vc, 0});
}

void FlitNetwork::work(std::int32_t id) {
  Node& node = nodes_[static_cast<std::size_t>(id)];
  retry_ = kNever;
  if (node.spec.terminal) {
    send_directly(node);
  } else {
    allocate_switch(id);
  }
  std::erase_if(node.sources, [&](std::int32_t link) {
    const Link& l = links_[static_cast<std::size_t>(link)];
    return l.source.empty() && l.left == 0;
  });
  if (retry_ != kNever) wake(id, retry_);
}

/// A terminal has nobody to arbitrate with: a flit leaves in the cycle in which there is room.
void FlitNetwork::send_directly(Node& node) {
  for (const std::int32_t id : node.sources) {
    Link& link = links_[static_cast<std::size_t>(id)];
    if (!next_packet(link)) continue;
    if (!free_slot(link, cycle_)) {
      retry_ = std::min(retry_, link.free_at >> kSlotShift);
      continue;
    }
    if (link.vc < 0 && !take_vc(link)) continue;
    if (!has_credit(link, link.vc)) continue;
    const std::int32_t vc = link.vc;
    const std::uint32_t flit = next_flit(id);
    forward(id, vc, flit, link.alone, cycle_);
    retry_ = cycle_ + 1;
  }
}

/// Cuts the next packet from the message at the front; false when there is none.
bool FlitNetwork::next_packet(Link& link) {
  if (link.left > 0) return true;
  if (link.source.empty()) return false;
  if (free_packets_.empty()) {
    link.packet = static_cast<std::uint32_t>(packets_.size());
    packets_.emplace_back();
  } else {
    link.packet = free_packets_.back();
    free_packets_.pop_back();
  }
  const Message& message = messages_[static_cast<std::size_t>(link.source.front())];
  packets_[link.packet] = {link.source.front(), 0};
  link.left = std::min(message.packet, message.to_send);
  link.vc = -1;
  link.fresh = true;
  link.alone = ends_after(packets_[link.packet], 0);
  return true;
}

std::uint64_t FlitNetwork::available(const Link& link, const FlitHop& hop) const {
  return bits(hop.vc_begin, hop.vc_end) & ~link.held;
}

/// Gives the packet at the source a virtual channel that has room, in turn.
bool FlitNetwork::take_vc(Link& link) {
  const FlitHop& first = hop(packets_[link.packet], 0);
  const std::uint64_t open = available(link, first);
  const std::int32_t count = first.vc_end - first.vc_begin;
  const std::int32_t last = std::clamp(link.last_vc, first.vc_begin - 1, first.vc_end - 1);
  for (std::int32_t i = 1; i <= count; ++i) {
    const std::int32_t vc = first.vc_begin + (last - first.vc_begin + i) % count;
    if ((open & bit(vc)) == 0 || !has_credit(link, vc)) continue;
    link.vc = link.last_vc = vc;
    link.held |= bit(vc);
    link.source_turn = false;
    return true;
  }
  return false;
}

/// Takes the next flit off the source; the packet's number and place in it.
std::uint32_t FlitNetwork::next_flit(std::int32_t id) {
  Link& link = links_[static_cast<std::size_t>(id)];
  const std::int32_t number = link.source.front();
  Message& message = messages_[static_cast<std::size_t>(number)];
  if (message.begun < 0) message.begun = cycle_;
  --message.to_send;
  --link.left;
  ++stats_.flits_sent;
  std::uint32_t flit = link.packet << 2;
  if (std::exchange(link.fresh, false)) flit |= kFirst;
  if (link.left == 0) {
    flit |= kLast;
    link.vc = -1;
  }
  if (message.to_send == 0) {
    departed_.push_back(number);
    link.source.pop_front();
  }
  return flit;
}

bool FlitNetwork::has_credit(const Link& link, std::int32_t vc) const {
  const std::int64_t used = link.used[static_cast<std::size_t>(vc)];
  if (!params_.shared_buffer) return used < link.spec.vc_buffer;
  return used < kReserved || used < link.spare;
}

/// A flit goes to the channel's buffer, or (`back`) has left it.
void FlitNetwork::use_credit(Link& link, std::int32_t vc, bool back) {
  std::int64_t& used = link.used[static_cast<std::size_t>(vc)];
  if (back) --used;
  if (used >= kReserved) link.spare += back ? 1 : -1;
  if (!back) ++used;
}

bool FlitNetwork::free_slot(const Link& link, std::int64_t cycle) const {
  return link.free_at >> kSlotShift <= cycle;
}

void FlitNetwork::occupy(Link& link, std::int64_t cycle) {
  link.free_at = std::max(link.free_at, cycle << kSlotShift) + link.spec.spacing;
}

const FlitHop& FlitNetwork::hop(const Packet& packet, std::int32_t ahead) const {
  const auto route =
      static_cast<std::size_t>(messages_[static_cast<std::size_t>(packet.message)].route);
  return hops_[routes_[route].begin + static_cast<std::uint32_t>(packet.hop + ahead)];
}

bool FlitNetwork::ends_after(const Packet& packet, std::int32_t ahead) const {
  const auto route =
      static_cast<std::size_t>(messages_[static_cast<std::size_t>(packet.message)].route);
  return routes_[route].begin + static_cast<std::uint32_t>(packet.hop + ahead) + 1 ==
         routes_[route].end;
}

/// Packets at the front of their buffers ask for every free virtual channel of their next link.
void FlitNetwork::allocate_vcs(std::int32_t id) {
  Node& node = nodes_[static_cast<std::size_t>(id)];
  FlitAllocator& allocator = vc_allocators_[static_cast<std::size_t>(id)];
  const auto v = static_cast<std::int32_t>(params_.vcs);
  for (std::size_t w = 0; w < node.waiting.size(); ++w) {
    const auto [in, vc] = node.waiting[w];
    const Packet& packet = packets_[packet_of(input(in, vc).flits.front())];
    const FlitHop& next = hop(packet, 1);
    const Link& out = links_[static_cast<std::size_t>(next.link)];
    const std::int32_t asks = links_[static_cast<std::size_t>(in)].in_port * v + vc;
    for (std::uint64_t open = available(out, next); open != 0; open &= open - 1)
      allocator.request({.in = asks,
                         .out = out.out_port * v + std::countr_zero(open),
                         .label = static_cast<std::int32_t>(w)});
  }
  if (!allocator.asked()) return;
  retry_ = cycle_ + 1;
  for (const auto& granted : allocator.allocate()) {
    Waiting& winner = node.waiting[static_cast<std::size_t>(granted.label)];
    InputVc& in = input(winner.link, winner.vc);
    in.state = VcState::Active;
    in.out_vc = granted.out % v;
    Link& out = links_[static_cast<std::size_t>(in.out)];
    out.held |= bit(in.out_vc);
    out.source_turn = true;
    set_ready(winner.link, winner.vc);
    winner.link = -1;
  }
  std::erase_if(node.waiting, [](const Waiting& w) { return w.link < 0; });
}

void FlitNetwork::ask_for_switch(std::int32_t id, std::int32_t in_link, std::int32_t vc,
                                 bool late) {
  const InputVc& in = input(in_link, vc);
  const Link& from = links_[static_cast<std::size_t>(in_link)];
  const Link& out = links_[static_cast<std::size_t>(in.out)];
  if (!late && !has_credit(out, in.out_vc)) return;
  if (!free_slot(out, cycle_ + 1)) {
    retry_ = std::min(retry_, (out.free_at >> kSlotShift) - 1);
    return;
  }
  const auto v = static_cast<std::int32_t>(params_.vcs);
  const auto s = static_cast<std::int32_t>(params_.input_speedup);
  const std::int32_t port = from.in_port * s + vc % s;
  const std::int32_t first =
      nodes_[static_cast<std::size_t>(id)].vc_first[static_cast<std::size_t>(port)];
  switch_allocators_[static_cast<std::size_t>(id)].request({.in = port,
                                                            .out = out.out_port,
                                                            .label = from.in_port * v + vc,
                                                            .rank = (vc - first + v) % v,
                                                            .late = late});
}

/// One cycle of a router. What virtual channel allocation gives is used from the next cycle on, or
/// in this one by those that speculated.
void FlitNetwork::allocate_switch(std::int32_t id) {
  Node& node = nodes_[static_cast<std::size_t>(id)];
  std::erase_if(node.inputs, [&](std::int32_t port) {
    const bool none = node.ready[static_cast<std::size_t>(port)] == 0;
    if (none) node.listed[static_cast<std::size_t>(port)] = 0;
    return none;
  });
  for (const std::int32_t port : node.inputs)
    for (std::uint64_t r = node.ready[static_cast<std::size_t>(port)]; r != 0; r &= r - 1)
      ask_for_switch(id, node.in[static_cast<std::size_t>(port)], std::countr_zero(r), false);
  if (params_.speculative)
    for (const Waiting& w : node.waiting) ask_for_switch(id, w.link, w.vc, true);

  const auto take = [&](bool before) {
    for (const std::int32_t source : node.sources) {
      Link& link = links_[static_cast<std::size_t>(source)];
      if (link.source_turn == before && next_packet(link) && link.vc < 0) take_vc(link);
    }
  };
  take(true);
  allocate_vcs(id);
  take(false);

  FlitAllocator& allocator = switch_allocators_[static_cast<std::size_t>(id)];
  const auto ports = static_cast<std::int32_t>(node.vc_first.size());
  for (const std::int32_t source : node.sources) {
    const Link& link = links_[static_cast<std::size_t>(source)];
    if (link.left == 0 || link.vc < 0) continue;
    if (!has_credit(link, link.vc)) continue;
    if (!free_slot(link, cycle_ + 1)) {
      retry_ = std::min(retry_, (link.free_at >> kSlotShift) - 1);
      continue;
    }
    allocator.request({.in = ports + link.out_port, .out = link.out_port, .label = -1});
  }
  if (!allocator.asked()) return;
  retry_ = cycle_ + 1;
  for (const auto& granted : allocator.allocate()) pass(id, granted);
}

/// A flit that was given the switch leaves in the next cycle.
void FlitNetwork::pass(std::int32_t id, const FlitAllocator::Request& granted) {
  Node& node = nodes_[static_cast<std::size_t>(id)];
  const std::int32_t out_id = node.out[static_cast<std::size_t>(granted.out)];
  Link& out = links_[static_cast<std::size_t>(out_id)];
  if (granted.label < 0) {
    const std::int32_t vc = out.vc;
    const std::uint32_t flit = next_flit(out_id);
    return forward(out_id, vc, flit, out.alone, cycle_ + 1);
  }
  const auto v = static_cast<std::int32_t>(params_.vcs);
  const std::int32_t port = granted.label / v, vc = granted.label % v;
  const std::int32_t in_id = node.in[static_cast<std::size_t>(port)];
  InputVc& in = input(in_id, vc);
  // A guess that was wrong: no virtual channel, or one without room.
  if (in.state != VcState::Active || !has_credit(out, in.out_vc)) return;
  const auto s = static_cast<std::int32_t>(params_.input_speedup);
  node.vc_first[static_cast<std::size_t>(granted.in)] = (vc + s) % v;

  const std::uint32_t flit = in.flits.front();
  in.flits.pop();
  if ((flit & kFirst) != 0) ++packets_[packet_of(flit)].hop;
  const FlitLink& upstream = links_[static_cast<std::size_t>(in_id)].spec;
  const bool router = !nodes_[static_cast<std::size_t>(upstream.from)].spec.terminal;
  post(cycle_ + 1 + upstream.credit_latency + (router ? params_.credit_delay : 0),
       {EventKind::Credit, in_id, vc, 0});
  forward(out_id, in.out_vc, flit, in.ends, cycle_ + 1);

  if (!in.flits.empty() && (flit & kLast) == 0) return;
  node.ready[static_cast<std::size_t>(port)] &= ~bit(vc);
  if ((flit & kLast) == 0) return;
  in.state = VcState::Idle;
  if (!in.flits.empty()) begin_packet(in_id, vc);
}

void FlitNetwork::forward(std::int32_t id, std::int32_t vc, std::uint32_t flit, bool ends,
                          std::int64_t leaves) {
  Link& link = links_[static_cast<std::size_t>(id)];
  use_credit(link, vc, false);
  if ((flit & kLast) != 0) link.held &= ~bit(vc);
  occupy(link, leaves);
  ++stats_.hops;
  const std::int64_t delay = ends ? 0 : link.spec.delay;
  post(leaves + 1 + link.spec.latency + delay,
       {ends ? EventKind::LastFlit : EventKind::Flit, id, vc, flit});
}

std::string FlitNetwork::pending() const {
  std::string text;
  for (std::size_t i = 0; i < links_.size(); ++i) {
    std::size_t flits = 0;
    for (std::int64_t vc = 0; vc < params_.vcs; ++vc)
      flits += inputs_[i * static_cast<std::size_t>(params_.vcs) + static_cast<std::size_t>(vc)]
                   .flits.size();
    if (flits == 0 && links_[i].source.empty()) continue;
    text += "flits: link " + std::to_string(i) + " holds " + std::to_string(flits) + ", " +
            std::to_string(links_[i].source.size()) + " messages wait at its source\n";
  }
  return text;
}

}  // namespace reticle
