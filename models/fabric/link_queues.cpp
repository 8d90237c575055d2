// SPDX-License-Identifier: Apache-2.0
#include "models/fabric/link_queues.hpp"

#include <algorithm>
#include <utility>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
/// Pieces times links that one exchange may take: small exchanges are cut finely, large ones need
/// not be, as each participant's many messages are pieces of what it sends.
constexpr std::int64_t kMostPieceHops = 16'384;
constexpr Bytes kLeastPiece{1024};
}  // namespace

LinkQueues::LinkQueues(const Topology& topology, std::span<const LinkRate> rates)
    : topology_{topology},
      rates_{rates},
      links_(topology.links().size()),
      queues_((kMostChannels + 1) * topology.links().size()),
      buffers_(kMostChannels * topology.links().size()) {}

void LinkQueues::post(Picoseconds at, EventKind kind, std::uint32_t subject, std::uint32_t piece) {
  events_.push({at, order_++, kind, subject, piece});
}

void LinkQueues::run(const RoutedExchange& routed, std::span<ExchangeFront> fronts,
                     std::span<Picoseconds> injected, std::span<Picoseconds> free) {
  routed_ = &routed;
  fronts_ = fronts;
  injected_ = injected;
  free_ = free;
  std::int64_t bytes_hops = 0;
  by_slot_.assign(routed.phases.size(), {});
  awaited_.assign(routed.phases.size(), {});
  for (std::size_t p = 0; p < routed.phases.size(); ++p) {
    by_slot_[p].resize(fronts.size());
    awaited_[p].resize(fronts.size());
    for (const RoutedMessage& m : routed.phases[p].messages) {
      by_slot_[p][static_cast<std::size_t>(m.source)].push_back(&m);
      ++awaited_[p][static_cast<std::size_t>(m.target)];
      bytes_hops += m.bytes.count() * (m.hops_end - m.hops_begin);
    }
  }
  piece_ = max(kLeastPiece, Bytes{bytes_hops / kMostPieceHops});
  phase_.assign(fronts.size(), 0);
  ends_.assign(fronts.size(), {});
  deliveries_.clear();
  for (std::size_t s = 0; s < fronts.size(); ++s) {
    deliveries_.push_back({static_cast<std::int32_t>(s), 0, {}});
    post(fronts[s].ready, EventKind::Hold, static_cast<std::uint32_t>(s));
  }
  while (!events_.empty()) {
    const Event event = events_.top();
    events_.pop();
    if (event.kind == EventKind::Serve) {
      links_[event.subject].due = false;
      serve(event.subject, event.at);
    } else if (event.kind == EventKind::Arrive) {
      queues_[event.subject].pieces.push_back(coming_[event.piece]);
      coming_free_.push_back(event.piece);
      ask(event.subject, event.at);
    } else if (event.subject < fronts.size()) {
      begin_phase(static_cast<std::int32_t>(event.subject), event.at);
    } else {
      hold(Delivery{deliveries_[event.subject]});
    }
  }
  for (std::size_t s = 0; s < fronts.size(); ++s)
    if (ends_[s].ready > fronts[s].ready) fronts[s] = ends_[s];
  for (const Link& link : links_) invariant(link.line.empty(), "every piece is sent");
  for (const std::uint32_t buffer : used_) buffers_[buffer] = {};
  used_.clear();
}

/// Sends every phase whose predecessor the participant holds.
void LinkQueues::begin_phase(std::int32_t slot, Picoseconds at) {
  const auto s = static_cast<std::size_t>(slot);
  while (phase_[s] < by_slot_.size()) {
    const std::size_t p = phase_[s];
    if (p > 0 && awaited_[p - 1][s] > 0) return;
    ++phase_[s];
    for (const RoutedMessage* m : by_slot_[p][s]) {
      Piece piece{.message = m, .hop = m->hops_begin, .tail = at, .phase = p, .sent = fronts_[s]};
      if (m->hops_begin == m->hops_end) {
        piece.last = true;
        deliver(piece, at);
        continue;
      }
      const auto queue =
          static_cast<std::uint32_t>(buffers_.size()) + routed_->hops[piece.hop].link;
      const std::int64_t parts = std::max<std::int64_t>(1, m->bytes.count() / piece_.count());
      for (std::int64_t i = 0; i < parts; ++i) {
        piece.bytes = Bytes{m->bytes.count() * (i + 1) / parts - m->bytes.count() * i / parts};
        piece.last = i + 1 == parts;
        queues_[queue].pieces.push_back(piece);
      }
      ask(queue, at);
    }
  }
}

/// The first piece of a queue gets in line for its link.
void LinkQueues::ask(std::uint32_t queue, Picoseconds at) {
  Queue& q = queues_[queue];
  if (q.asking || q.pieces.empty()) return;
  q.asking = true;
  const std::uint32_t link = routed_->hops[q.pieces.front().hop].link;
  Link& l = links_[link];
  l.line.push_back(queue);
  if (l.due) return;
  l.due = true;
  post(max(at, free_[link]), EventKind::Serve, link);
}

/// Gives the link to the first in line whose way on has room.
void LinkQueues::serve(std::uint32_t link, Picoseconds at) {
  Link& l = links_[link];
  for (std::size_t i = 0; i < l.line.size(); ++i) {
    const std::uint32_t queue = l.line[i];
    if (!has_room(queues_[queue].pieces.front(), at)) continue;
    l.line.erase(l.line.begin() + static_cast<std::ptrdiff_t>(i));
    pass(link, queue, at);
    break;
  }
  if (l.line.empty() || l.due) return;
  if (free_[link] <= at) return wait_for_room(link, at);
  l.due = true;
  post(free_[link], EventKind::Serve, link);
}

/// None in line can go: the link looks again when the first of their buffers gets room.
void LinkQueues::wait_for_room(std::uint32_t link, Picoseconds at) {
  Link& l = links_[link];
  const Room* first = nullptr;
  for (const std::uint32_t queue : l.line) {
    Buffer& buffer = buffers_[buffer_of(queues_[queue].pieces.front())];
    if (buffer.leaving.empty()) buffer.awaited = true;
    if (!buffer.leaving.empty() && (first == nullptr || buffer.leaving.front().at < first->at))
      first = &buffer.leaving.front();
  }
  if (first == nullptr) return;
  l.due = true;
  post(max(at, first->at), EventKind::Serve, link);
}

std::uint32_t LinkQueues::buffer_of(const Piece& piece) const {
  const Hop& hop = routed_->hops[piece.hop];
  return hop.link * kMostChannels + static_cast<std::uint32_t>(hop.channel);
}

bool LinkQueues::has_room(const Piece& piece, Picoseconds at) {
  if (ends(piece)) return true;
  Buffer& buffer = buffers_[buffer_of(piece)];
  while (!buffer.leaving.empty() && buffer.leaving.front().at <= at) {
    buffer.held -= buffer.leaving.front().bytes;
    buffer.leaving.pop_front();
  }
  const Hop& hop = routed_->hops[piece.hop];
  const Bytes size{topology_.links()[hop.link].params.buffer.count() / hop.channels};
  return buffer.held.count() == 0 || buffer.held + piece.bytes <= size;
}

void LinkQueues::pass(std::uint32_t link, std::uint32_t queue, Picoseconds at) {
  Queue& q = queues_[queue];
  Piece piece = q.pieces.front();
  q.pieces.pop_front();
  q.asking = false;
  const Hop& hop = routed_->hops[piece.hop];
  // A piece cannot leave faster than it comes.
  const Picoseconds end = max(at + rates_[link].serialise(piece.bytes), piece.tail);
  free_[link] = end;
  if (queue < buffers_.size()) {
    Buffer& before = buffers_[queue];
    before.leaving.push_back({end, piece.bytes});
    Link& into = links_[queue / kMostChannels];
    if (std::exchange(before.awaited, false) && !into.due) {
      into.due = true;
      post(end, EventKind::Serve, queue / kMostChannels);
    }
  } else if (piece.last) {
    Picoseconds& left = injected_[static_cast<std::size_t>(piece.message->source)];
    left = max(left, end);
  }
  ask(queue, at);
  piece.tail = end + hop.forward;
  if (ends(piece)) return piece.last ? deliver(piece, piece.tail) : void();
  const std::uint32_t buffer = buffer_of(piece);
  buffers_[buffer].held += piece.bytes;
  used_.push_back(buffer);
  ++piece.hop;
  std::uint32_t slot = static_cast<std::uint32_t>(coming_.size());
  if (coming_free_.empty()) {
    coming_.push_back(piece);
  } else {
    slot = coming_free_.back();
    coming_free_.pop_back();
    coming_[slot] = piece;
  }
  post(at + hop.forward, EventKind::Arrive, buffer, slot);
}

void LinkQueues::deliver(const Piece& piece, Picoseconds at) {
  const ExchangeFront front{at, piece.sent.latency + piece.message->latency, piece.sent.root};
  const Delivery delivery{piece.message->target, piece.phase, front};
  if (piece.phase + 1 == by_slot_.size()) {  // nobody waits for it: no event is needed
    ExchangeFront& end = ends_[static_cast<std::size_t>(delivery.slot)];
    if (front.ready > end.ready) end = front;
    return;
  }
  deliveries_.push_back(delivery);
  post(at, EventKind::Hold, static_cast<std::uint32_t>(deliveries_.size() - 1));
}

void LinkQueues::hold(const Delivery& delivery) {
  const auto s = static_cast<std::size_t>(delivery.slot);
  ExchangeFront& front = fronts_[s];
  if (delivery.front.ready > front.ready) front = delivery.front;
  --awaited_[delivery.phase][s];
  if (phase_[s] > 0) begin_phase(delivery.slot, delivery.front.ready);
}

}  // namespace reticle
