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
}  // namespace

LinkQueues::LinkQueues(const Topology& topology, std::span<const LinkRate> rates)
    : topology_{topology}, rates_{rates}, links_(topology.links().size()) {
  std::vector<std::uint32_t> out(static_cast<std::size_t>(topology.nodes()));
  const auto links = topology.links();
  for (std::size_t i = 0; i < links.size(); ++i)
    links_[i].out = out[static_cast<std::size_t>(links[i].from)]++;
  for (const auto& link : links)
    if (link.params.buffer.count() > 0)
      smallest_buffer_ = min(smallest_buffer_, link.params.buffer);
  std::uint32_t queues = 0;
  for (std::size_t i = 0; i < links.size(); ++i) {
    links_[i].queues = queues;
    links_[i].classes = topology.channel({LinkId{static_cast<std::uint32_t>(i)}}).of;
    queues +=
        out[static_cast<std::size_t>(links[i].to)] * static_cast<std::uint32_t>(links_[i].classes);
    link_of_.resize(queues, static_cast<std::uint32_t>(i));
  }
  queues_.resize(queues);
}

void LinkQueues::post(Picoseconds at, EventKind kind, std::uint32_t subject) {
  events_.push({at, order_++, kind, subject});
}

void LinkQueues::prepare(const RoutedExchange& routed) {
  std::int64_t bytes_hops = 0;
  by_slot_.assign(routed.phases.size(), {});
  awaited_.assign(routed.phases.size(), {});
  for (std::size_t p = 0; p < routed.phases.size(); ++p) {
    by_slot_[p].resize(fronts_.size());
    awaited_[p].resize(fronts_.size());
    for (const RoutedMessage& m : routed.phases[p].messages) {
      by_slot_[p][static_cast<std::size_t>(m.source)].push_back(&m);
      ++awaited_[p][static_cast<std::size_t>(m.target)];
      bytes_hops += m.bytes.count() * (m.hops_end - m.hops_begin);
    }
  }
  piece_ = max(kLeastPiece, Bytes{bytes_hops / kMostPieceHops});
  phase_.assign(fronts_.size(), 0);
  ends_.assign(fronts_.size(), {});
  sendings_.clear();
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
  while (!events_.empty()) {
    const Event event = events_.top();
    events_.pop();
    handle(event);
  }
  for (std::size_t s = 0; s < fronts.size(); ++s)
    if (ends_[s].ready > fronts[s].ready) fronts[s] = ends_[s];
  for (const std::uint32_t id : used_) {
    Link& link = links_[id];
    invariant(link.line.empty(), "every piece is sent");
    for (const Room& room : link.leaving) queues_[room.queue].held -= room.bytes;
    link.leaving.clear();
    link.held = Bytes{};
    link.awaited = link.used = false;
  }
  used_.clear();
}

void LinkQueues::handle(const Event& event) {
  switch (event.kind) {
    case EventKind::Begin:
      return begin_phase(event.subject, event.at);
    case EventKind::Serve:
      links_[event.subject].due = false;
      return serve(event.subject, event.at);
    case EventKind::Arrive:
      return arrive(event.subject, event.at);
    case EventKind::Hold: {
      const Sending& sending = sendings_[event.subject];
      const auto slot = static_cast<std::size_t>(sending.message->target);
      if (event.at > fronts_[slot].ready)
        fronts_[slot] = {event.at, sending.front.latency + sending.message->latency,
                         sending.front.root};
      --awaited_[sending.phase][slot];
      if (phase_[slot] > 0) begin_phase(slot, event.at);
    }
  }
}

/// Sends every phase whose predecessor the participant holds.
void LinkQueues::begin_phase(std::size_t slot, Picoseconds at) {
  while (phase_[slot] < by_slot_.size()) {
    const std::size_t p = phase_[slot];
    if (p > 0 && awaited_[p - 1][slot] > 0) return;
    ++phase_[slot];
    for (const RoutedMessage* m : by_slot_[p][slot]) {
      const auto id = static_cast<std::uint32_t>(sendings_.size());
      // Pieces are small beside the message, and beside the buffers they share.
      const std::int64_t finest =
          std::max(kMostPieces, m->bytes.count() * kPiecesPerBuffer / smallest_buffer_.count());
      const std::int64_t parts =
          std::clamp<std::int64_t>(m->bytes.count() / piece_.count(), 1, finest);
      sendings_.push_back({m, p, fronts_[slot], parts});
      if (m->hops_begin == m->hops_end) {
        --awaited_[p][slot];
        continue;
      }
      const std::uint32_t link = routed_->hops[m->hops_begin].link;
      links_[link].source.push_back(id);
      if (links_[link].source.size() == 1) ask(link, kNone, at);
    }
  }
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

/// The queue at the end of its next link that it will wait in there.
std::uint32_t LinkQueues::queue_after(const Piece& piece) const {
  const Hop& hop = routed_->hops[piece.hop];
  const Link& link = links_[hop.link];
  const std::uint32_t onward = links_[routed_->hops[piece.hop + 1].link].out;
  return link.queues + onward * static_cast<std::uint32_t>(link.classes) +
         static_cast<std::uint32_t>(hop.channel);
}

void LinkQueues::arrive(std::uint32_t id, Picoseconds at) {
  Piece& piece = pieces_[id];
  const std::uint32_t queue = queue_after(piece);
  ++piece.hop;
  piece.next = kNone;
  Queue& q = queues_[queue];
  const bool first = q.head == kNone;
  (first ? q.head : pieces_[q.tail].next) = id;
  q.tail = id;
  if (first) ask(routed_->hops[piece.hop].link, queue, at);
}

void LinkQueues::ask(std::uint32_t link, std::uint32_t queue, Picoseconds at, bool first) {
  Link& l = links_[link];
  first ? l.line.push_front(queue) : l.line.push_back(queue);
  if (!std::exchange(l.used, true)) used_.push_back(link);
  if (l.due) return;
  l.due = true;
  post(max(at, free_[link]), EventKind::Serve, link);
}

/// The first piece of a queue; of a source, cut from the message it is at.
std::uint32_t LinkQueues::first_of(std::uint32_t link, std::uint32_t queue) {
  if (queue != kNone) return queues_[queue].head;
  Link& l = links_[link];
  if (l.cut != kNone) return l.cut;
  const std::uint32_t id = l.source.front();
  Sending& sending = sendings_[id];
  const std::int64_t bytes = sending.message->bytes.count();
  const std::int64_t i = sending.cut++;
  const std::int64_t parts = sending.parts;
  l.cut = make_piece({.message = sending.message,
                      .sending = id,
                      .hop = sending.message->hops_begin,
                      .bytes = Bytes{bytes * (i + 1) / parts - bytes * i / parts},
                      .last = i + 1 == parts});
  return l.cut;
}

/// A queue may hold as much as its link's buffer has left over [Choudhury and Hahne, ToN 1998], and
/// always one piece.
bool LinkQueues::has_room(std::uint32_t link, const Piece& piece, Picoseconds at) {
  if (ends(piece)) return true;
  Link& l = links_[link];
  while (!l.leaving.empty() && l.leaving.front().at <= at) {
    const Room& room = l.leaving.front();
    queues_[room.queue].held -= room.bytes;
    l.held -= room.bytes;
    l.leaving.pop_front();
  }
  const Bytes held = queues_[queue_after(piece)].held;
  return held.count() == 0 || held + piece.bytes <= topology_.links()[link].params.buffer - l.held;
}

/// Gives the link to the first in line whose way on has room.
void LinkQueues::serve(std::uint32_t link, Picoseconds at) {
  Link& l = links_[link];
  for (std::size_t i = 0; i < l.line.size(); ++i) {
    const std::uint32_t queue = l.line[i];
    if (!has_room(link, pieces_[first_of(link, queue)], at)) continue;
    l.line.erase(l.line.begin() + static_cast<std::ptrdiff_t>(i));
    pass(link, queue, at);
    break;
  }
  if (l.line.empty() || l.due) return;
  Picoseconds next = free_[link];
  if (next <= at && l.leaving.empty()) {
    l.awaited = true;
    return;
  }
  if (next <= at) next = max(at, l.leaving.front().at);
  l.due = true;
  post(next, EventKind::Serve, link);
}

void LinkQueues::pass(std::uint32_t link, std::uint32_t queue, Picoseconds at) {
  const std::uint32_t id = first_of(link, queue);
  Piece& piece = pieces_[id];
  const Hop& hop = routed_->hops[piece.hop];
  // A piece cannot leave faster than it comes.
  const Picoseconds end = max(at + rates_[link].serialise(piece.bytes), piece.tail);
  free_[link] = end;
  Link& l = links_[link];
  if (queue == kNone) {
    l.cut = kNone;
    if (piece.last) {
      Picoseconds& left = injected_[static_cast<std::size_t>(piece.message->source)];
      left = max(left, end);
      l.source.pop_front();
    }
    if (!l.source.empty()) ask(link, kNone, at);
  } else {
    queues_[queue].head = piece.next;
    leave(queue, piece, at, end);
  }
  piece.tail = end + hop.forward;
  if (ends(piece)) {
    if (piece.last) deliver(piece);
    free_pieces_.push_back(id);
    return;
  }
  queues_[queue_after(piece)].held += piece.bytes;
  l.held += piece.bytes;
  post(at + hop.forward, EventKind::Arrive, id);
}

/// A piece goes from a queue until `end`; the link before it learns of the room.
void LinkQueues::leave(std::uint32_t queue, const Piece& piece, Picoseconds at, Picoseconds end) {
  const std::uint32_t id = link_of_[queue];
  Link& before = links_[id];
  auto place = before.leaving.end();
  while (place != before.leaving.begin() && std::prev(place)->at > end) --place;
  before.leaving.insert(place, {end, queue, piece.bytes});
  if (queues_[queue].head != kNone) {
    // Two virtual channels make a queue, a source is one.
    bool& again = queues_[queue].again;
    again = !again;
    ask(routed_->hops[pieces_[queues_[queue].head].hop].link, queue, at, again);
  }
  if (!std::exchange(before.awaited, false) || before.due) return;
  before.due = true;
  post(end, EventKind::Serve, id);
}

void LinkQueues::deliver(const Piece& piece) {
  const Sending& sending = sendings_[piece.sending];
  if (sending.phase + 1 < by_slot_.size()) return post(piece.tail, EventKind::Hold, piece.sending);
  // Nobody waits for the last phase: no event is needed.
  ExchangeFront& end = ends_[static_cast<std::size_t>(piece.message->target)];
  if (piece.tail > end.ready)
    end = {piece.tail, sending.front.latency + piece.message->latency, sending.front.root};
}

}  // namespace reticle
