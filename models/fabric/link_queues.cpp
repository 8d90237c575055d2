// SPDX-License-Identifier: Apache-2.0
#include "models/fabric/link_queues.hpp"

#include <algorithm>
#include <utility>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
/// Pieces times links that one exchange may take: small exchanges are cut finely, large ones need
/// not be, as each participant's many messages are pieces of what it sends.
constexpr std::int64_t kMostPieceHops = 32'768;
constexpr Bytes kLeastPiece{512};
/// Of one message, and of a buffer when messages are larger than that.
constexpr std::int64_t kMostPieces = 8, kPiecesPerBuffer = 32;
/// Of what an event says in one word: its subject, then two bits of its kind.
constexpr int kSubjectBits = 30;
constexpr std::uint32_t kSubjects = (1U << kSubjectBits) - 1;
}  // namespace

LinkQueues::LinkQueues(const Topology& topology, std::span<const LinkRate> rates)
    : rates_{rates},
      links_(topology.links().size()),
      out_(static_cast<std::size_t>(topology.nodes())),
      queues_(links_.size()) {
  const auto links = topology.links();
  for (std::uint32_t i = 0; i < links.size(); ++i) {
    auto& others = out_[static_cast<std::size_t>(links[i].from)];
    place_.push_back(static_cast<std::uint32_t>(others.size()));
    others.push_back(i);
    Link& link = links_[i];
    link.to = static_cast<std::uint32_t>(links[i].to);
    link.buffer = links[i].params.buffer;
    link.classes = static_cast<std::int8_t>(topology.channel({LinkId{i}}).of);
    queues_[i].onward = i;
    if (link.buffer.count() > 0) smallest_buffer_ = min(smallest_buffer_, link.buffer);
    longest_ = max(longest_, links[i].forward);
  }
  rates_changed();
}

void LinkQueues::rates_changed() {
  const auto takes = [this](std::uint32_t link) {
    return rates_[link].serialise(Bytes{1 << 20});  // a size to compare by
  };
  for (std::uint32_t i = 0; i < links_.size(); ++i)
    if (takes(i) > takes(slowest_)) slowest_ = i;
}

/// Nobody has more of them than the messages that go that way need.
void LinkQueues::make_queues(std::uint32_t link) {
  links_[link].queues = static_cast<std::uint32_t>(queues_.size());
  for (const std::uint32_t onward : out_[links_[link].to])
    for (std::int8_t c = 0; c < links_[link].classes; ++c)
      queues_.push_back({.before = link, .onward = onward});
}

void LinkQueues::post(Picoseconds at, EventKind kind, std::uint32_t subject) {
  events_.post(at, static_cast<std::uint32_t>(kind) << kSubjectBits | subject);
}

void LinkQueues::prepare(const RoutedExchange& routed) {
  std::int64_t bytes_hops = 0;
  Bytes largest{};
  const std::size_t slots = fronts_.size();
  listed_.assign(routed.phases.size() * slots + 1, 0);
  awaited_.assign(routed.phases.size() * slots, 0);
  std::size_t messages = 0;
  for (std::size_t p = 0; p < routed.phases.size(); ++p) {
    for (const RoutedMessage& m : routed.phases[p].messages) {
      ++listed_[p * slots + static_cast<std::size_t>(m.source) + 1];
      ++awaited_[p * slots + static_cast<std::size_t>(m.target)];
      largest = max(largest, m.wire);
      bytes_hops += m.wire.count() * (m.hops_end - m.hops_begin);
    }
    messages += routed.phases[p].messages.size();
  }
  // Where each one's begin, which moves on to where they end.
  std::uint32_t before = 0;
  for (std::uint32_t& place : listed_) before = place += before;
  by_slot_.resize(messages);
  for (std::size_t p = 0; p < routed.phases.size(); ++p)
    for (const RoutedMessage& m : routed.phases[p].messages)
      by_slot_[listed_[p * slots + static_cast<std::size_t>(m.source)]++] = &m;
  piece_ = max(kLeastPiece, Bytes{bytes_hops / kMostPieceHops});
  phase_.assign(slots, 0);
  ends_.assign(slots, {});
  sendings_.clear();
  sendings_.reserve(messages);
  Picoseconds first = fronts_.front().ready;
  for (const ExchangeFront& front : fronts_) first = min(first, front.ready);
  events_.reset(first, longest_ + rates_[slowest_].serialise(2 * min(piece_, largest)));
  run_ = (run_ + 1) & 0x7fff'ffffU;
}

void LinkQueues::run(const RoutedExchange& routed, std::span<ExchangeFront> fronts,
                     std::span<Picoseconds> injected, std::span<Picoseconds> free) {
  routed_ = &routed;
  fronts_ = fronts;
  injected_ = injected;
  free_ = free;
  prepare(routed);
  for (std::size_t s = 0; s < fronts.size(); ++s)
    post(fronts[s].ready, EventKind::Begin, static_cast<std::uint32_t>(s));
  while (!events_.empty()) handle(events_.take());
  for (std::size_t s = 0; s < fronts.size(); ++s)
    if (ends_[s].ready > fronts[s].ready) fronts[s] = ends_[s];
  for (const std::uint32_t id : used_) {
    Link& link = links_[id];
    invariant(link.first == kNone, "every piece is sent");
    for (; link.left < link.leaving.size(); ++link.left)
      queues_[link.leaving[link.left].queue].held -= link.leaving[link.left].bytes;
    link.leaving.clear();
    link.left = 0;
    link.held = Bytes{};
    link.awaited = link.used = false;
  }
  used_.clear();
}

void LinkQueues::handle(const EventWheel::Event& event) {
  const std::uint32_t subject = event.subject() & kSubjects;
  switch (static_cast<EventKind>(event.subject() >> kSubjectBits)) {
    case EventKind::Begin:
      return begin_phase(subject, event.at);
    case EventKind::Serve:
      links_[subject].due = false;
      return serve(subject, event.at);
    case EventKind::Arrive:
      return arrive(subject, event.at);
    case EventKind::Hold:
      return hold(subject, event.at);
  }
}

void LinkQueues::hold(std::uint32_t id, Picoseconds at) {
  const Sending& sending = sendings_[id];
  const auto slot = static_cast<std::size_t>(sending.message->target);
  if (at > fronts_[slot].ready)
    fronts_[slot] = {at, sending.front.latency + sending.message->latency, sending.front.root};
  --awaited_[sending.phase * fronts_.size() + slot];
  if (phase_[slot] > 0) begin_phase(slot, at);
}

/// Sends every phase whose predecessor the participant holds.
void LinkQueues::begin_phase(std::size_t slot, Picoseconds at) {
  while (phase_[slot] < routed_->phases.size()) {
    const std::size_t p = phase_[slot];
    const std::size_t here = p * fronts_.size() + slot;
    if (p > 0 && awaited_[here - fronts_.size()] > 0) return;
    ++phase_[slot];
    for (std::uint32_t i = here == 0 ? 0 : listed_[here - 1]; i < listed_[here]; ++i)
      send(*by_slot_[i], p, slot, at);
  }
}

void LinkQueues::send(const RoutedMessage& message, std::size_t phase, std::size_t slot,
                      Picoseconds at) {
  if (message.hops_begin == message.hops_end) {
    --awaited_[phase * fronts_.size() + slot];
    return;
  }
  // Pieces are small beside the message, and beside the buffers they share.
  const std::int64_t bytes = message.wire.count();
  const std::int64_t finest =
      std::max(kMostPieces, bytes * kPiecesPerBuffer / smallest_buffer_.count());
  const std::int64_t parts = std::clamp<std::int64_t>(bytes / piece_.count(), 1, finest);
  const auto id = static_cast<std::uint32_t>(sendings_.size());
  sendings_.push_back({.message = &message,
                       .phase = static_cast<std::uint32_t>(phase),
                       .front = fronts_[slot],
                       .parts = parts});
  const std::uint32_t link = routed_->hops[message.hops_begin].link;
  Queue& source = queues_[link];
  const bool first = source.head == kNone;
  (first ? source.head : sendings_[source.tail].next) = id;
  source.tail = id;
  if (first) ask(link, link, at);
}

std::uint32_t LinkQueues::make_piece(const Piece& piece) {
  if (free_pieces_.empty()) {
    pieces_.push_back(piece);
    return static_cast<std::uint32_t>(pieces_.size() - 1);
  }
  const std::uint32_t id = free_pieces_.back();
  free_pieces_.pop_back();
  pieces_[id] = piece;
  return id;
}

/// What it meets at the end of its next link.
void LinkQueues::look_ahead(Piece& piece) {
  const Hop& hop = routed_->hops[piece.hop];
  piece.forward = hop.forward;
  piece.queue = kNone;
  if (piece.hop + 1 == piece.hops_end) return;
  const Link& link = links_[hop.link];
  if (link.queues == kNone) make_queues(hop.link);
  const std::uint32_t onward = place_[routed_->hops[piece.hop + 1].link];
  piece.queue = link.queues + onward * static_cast<std::uint32_t>(link.classes) +
                static_cast<std::uint32_t>(hop.channel);
}

void LinkQueues::arrive(std::uint32_t id, Picoseconds at) {
  Piece& piece = pieces_[id];
  const std::uint32_t queue = piece.queue;
  ++piece.hop;
  look_ahead(piece);
  piece.next = kNone;
  Queue& q = queues_[queue];
  const bool first = q.head == kNone;
  (first ? q.head : pieces_[q.tail].next) = id;
  q.tail = id;
  if (first) ask(q.onward, queue, at);
}

void LinkQueues::ask(std::uint32_t link, std::uint32_t queue, Picoseconds at, bool first) {
  Link& l = links_[link];
  Queue& q = queues_[queue];
  q.in_line = first ? l.first : kNone;
  if (l.first == kNone) {
    l.first = l.last = queue;
  } else if (first) {
    l.first = queue;
  } else {
    queues_[l.last].in_line = queue;
    l.last = queue;
  }
  if (!std::exchange(l.used, true)) used_.push_back(link);
  if (l.due) return;
  l.due = true;
  post(max(at, free_[link]), EventKind::Serve, link);
}

/// The first piece of a queue; of a source, cut from the message it is at.
std::uint32_t LinkQueues::first_of(std::uint32_t link, std::uint32_t queue) {
  if (!is_source(queue)) return queues_[queue].head;
  Link& l = links_[link];
  if (l.cut == kNone) l.cut = cut_piece(queues_[queue].head);
  return l.cut;
}

std::uint32_t LinkQueues::cut_piece(std::uint32_t id) {
  Sending& sending = sendings_[id];
  const RoutedMessage& message = *sending.message;
  ++sending.made;
  const Bytes before = sending.cut;
  sending.cut = sending.made == sending.parts
                    ? message.wire
                    : Bytes{message.wire.count() * sending.made / sending.parts};
  Piece piece{.sending = id,
              .hop = message.hops_begin,
              .hops_end = message.hops_end,
              .last = sending.made == sending.parts,
              .bytes = sending.cut - before};
  look_ahead(piece);
  return make_piece(piece);
}

/// Each of a queue's two virtual channels may hold as much as its link's buffer has left over
/// [Choudhury and Hahne, ToN 1998]; and a queue always one piece.
bool LinkQueues::has_room(std::uint32_t link, std::uint32_t onward, Bytes bytes, Picoseconds at) {
  Link& l = links_[link];
  while (l.left < l.leaving.size() && l.leaving[l.left].at <= at) {
    const Room& room = l.leaving[l.left];
    queues_[room.queue].held -= room.bytes;
    l.held -= room.bytes;
    ++l.left;
  }
  if (2 * l.left >= l.leaving.size()) {
    l.leaving.erase(l.leaving.begin(), l.leaving.begin() + l.left);
    l.left = 0;
  }
  const Bytes held = queues_[onward].held;
  return held.count() == 0 || held + bytes <= 2 * (l.buffer - l.held);
}

/// Packets on their way have a virtual channel and wait for credits; a source takes a channel only
/// with a credit at hand. So where room is short it goes to what comes over links.
bool LinkQueues::yields(std::uint32_t link, std::uint32_t onward) {
  Queue& next = queues_[onward];
  if (next.short_of_room != run_) return false;
  for (std::uint32_t q = links_[link].first; q != kNone; q = queues_[q].in_line)
    if (!is_source(q) && pieces_[queues_[q].head].queue == onward) return true;
  next.short_of_room = 0;
  return false;
}

/// Whether the first piece of a queue may take the link.
bool LinkQueues::may_pass(std::uint32_t link, std::uint32_t queue, Picoseconds at) {
  const Piece& piece = pieces_[first_of(link, queue)];
  if (piece.queue == kNone) return true;
  const bool room = has_room(link, piece.queue, piece.bytes, at);
  if (is_source(queue)) return room && !yields(link, piece.queue);
  Queue& next = queues_[piece.queue];
  if (!room)
    next.short_of_room = run_;
  else if (next.short_of_room == run_ && has_room(link, piece.queue, 2 * piece.bytes, at))
    next.short_of_room = 0;
  return room;
}

/// Gives the link to the first in line whose way on has room.
void LinkQueues::serve(std::uint32_t link, Picoseconds at) {
  Link& l = links_[link];
  std::uint32_t before = kNone;
  for (std::uint32_t queue = l.first; queue != kNone; queue = queues_[queue].in_line) {
    if (!may_pass(link, queue, at)) {
      before = queue;
      continue;
    }
    const std::uint32_t after = queues_[queue].in_line;
    (before == kNone ? l.first : queues_[before].in_line) = after;
    if (after == kNone) l.last = before;
    pass(link, queue, at);
    break;
  }
  if (l.first == kNone || l.due) return;
  Picoseconds next = free_[link];
  if (next <= at && l.leaving.empty()) {
    l.awaited = true;
    return;
  }
  if (next <= at) next = max(at, l.leaving[l.left].at);
  l.due = true;
  post(next, EventKind::Serve, link);
}

void LinkQueues::pass(std::uint32_t link, std::uint32_t queue, Picoseconds at) {
  const std::uint32_t id = first_of(link, queue);
  Piece& piece = pieces_[id];
  // A piece cannot leave faster than it comes.
  const Picoseconds end = max(at + rates_[link].serialise(piece.bytes), piece.tail);
  free_[link] = end;
  Link& l = links_[link];
  if (is_source(queue)) {
    l.cut = kNone;
    if (piece.last) {
      const Sending& sending = sendings_[piece.sending];
      Picoseconds& left = injected_[static_cast<std::size_t>(sending.message->source)];
      left = max(left, end);
      queues_[queue].head = sending.next;
    }
    if (queues_[queue].head != kNone) ask(link, queue, at);
  } else {
    queues_[queue].head = piece.next;
    leave(queue, piece, at, end);
  }
  piece.tail = end + piece.forward;
  if (piece.queue == kNone) {
    if (piece.last) deliver(piece);
    free_pieces_.push_back(id);
    return;
  }
  queues_[piece.queue].held += piece.bytes;
  l.held += piece.bytes;
  post(at + piece.forward, EventKind::Arrive, id);
}

/// A piece goes from a queue until `end`; the link before it learns of the room.
void LinkQueues::leave(std::uint32_t queue, const Piece& piece, Picoseconds at, Picoseconds end) {
  Queue& q = queues_[queue];
  Link& before = links_[q.before];
  auto place = before.leaving.end();
  const auto first = before.leaving.begin() + before.left;
  while (place != first && std::prev(place)->at > end) --place;
  before.leaving.insert(place, {end, queue, piece.bytes});
  if (q.head != kNone) {
    // Two virtual channels make a queue, a source is one.
    if (q.turn >> 1 != run_) q.turn = run_ << 1;
    q.turn ^= 1U;
    const bool beside_source = queues_[q.onward].head != kNone;
    ask(q.onward, queue, at, beside_source && (q.turn & 1U) != 0);
  }
  if (!std::exchange(before.awaited, false) || before.due) return;
  before.due = true;
  post(end, EventKind::Serve, q.before);
}

void LinkQueues::deliver(const Piece& piece) {
  const Sending& sending = sendings_[piece.sending];
  if (sending.phase + 1 < routed_->phases.size())
    return post(piece.tail, EventKind::Hold, piece.sending);
  // Nobody waits for the last phase: no event is needed.
  const RoutedMessage& message = *sending.message;
  ExchangeFront& end = ends_[static_cast<std::size_t>(message.target)];
  if (piece.tail > end.ready)
    end = {piece.tail, sending.front.latency + message.latency, sending.front.root};
}

}  // namespace reticle
