// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <queue>
#include <vector>

#include "sim/base/units.hpp"

namespace reticle {

/// Events in the order of their times, those of one time in the order of posting.
///
/// Models:     a ring of short lists, each of a slice of time, for what is due soon; a heap for the
///             rest. Nothing may be posted before the event taken last.
class EventWheel {
 public:
  struct Event {
    Picoseconds at{};
    std::uint64_t what = 0;  ///< order of posting, then the subject
    bool operator>(const Event& other) const {
      return at != other.at ? at > other.at : what > other.what;
    }
    [[nodiscard]] std::uint32_t subject() const { return static_cast<std::uint32_t>(what); }
  };

  EventWheel() {
    first_.fill(kNone);
    last_.fill(kNone);
  }

  /// Begins anew at time `at`; what is posted is mostly due within `horizon`.
  void reset(Picoseconds at, Picoseconds horizon) {
    shift_ = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(horizon.count() / kSlots)));
    slice_ = at.count() >> shift_;
    order_ = 0;
  }

  void post(Picoseconds at, std::uint32_t subject) {
    const Event event{at, order_++ << 32 | subject};
    const std::int64_t slice = at.count() >> shift_;
    if (slice - slice_ >= kSlots) return far_.push(event);
    insert(static_cast<std::size_t>(slice) & (kSlots - 1), event);
  }

  [[nodiscard]] bool empty() const { return near_ == 0 && far_.empty(); }

  Event take() {
    if (near_ > 0) {
      const std::size_t slot = next_slot();
      const std::uint32_t id = first_[slot];
      const Node& node = nodes_[id];
      if (far_.empty() || far_.top() > node.event) {
        first_[slot] = node.next;
        if (node.next == kNone) {
          last_[slot] = kNone;
          used_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
        }
        --near_;
        free_.push_back(id);
        slice_ = node.event.at.count() >> shift_;
        return node.event;
      }
    }
    const Event event = far_.top();
    far_.pop();
    slice_ = event.at.count() >> shift_;
    return event;
  }

 private:
  static constexpr std::int64_t kSlots = 4096;  ///< ahead; later events wait in a heap
  static constexpr std::uint32_t kNone = 0xffff'ffff;
  struct Node {
    Event event;
    std::uint32_t next = kNone;
  };

  /// In its slot after all that are due at the same time or before.
  void insert(std::size_t slot, const Event& event) {
    std::uint32_t id = static_cast<std::uint32_t>(nodes_.size());
    if (free_.empty()) {
      nodes_.emplace_back();
    } else {
      id = free_.back();
      free_.pop_back();
    }
    std::uint32_t before = last_[slot];
    if (before != kNone && nodes_[before].event.at > event.at) {
      before = kNone;
      for (std::uint32_t n = first_[slot]; nodes_[n].event.at <= event.at; n = nodes_[n].next)
        before = n;
    }
    std::uint32_t& link = before == kNone ? first_[slot] : nodes_[before].next;
    nodes_[id] = {event, link};
    if (link == kNone) last_[slot] = id;
    link = id;
    used_[slot / 64] |= std::uint64_t{1} << (slot % 64);
    ++near_;
  }

  /// The first slot with events, from that of the present on.
  [[nodiscard]] std::size_t next_slot() const {
    const std::size_t now = static_cast<std::size_t>(slice_) & (kSlots - 1);
    std::size_t word = now / 64;
    std::uint64_t bits = used_[word] & (~std::uint64_t{0} << (now % 64));
    while (bits == 0) {
      word = (word + 1) % used_.size();
      bits = used_[word];
    }
    return word * 64 + static_cast<std::size_t>(std::countr_zero(bits));  // bits of a word
  }

  int shift_ = 0;
  std::int64_t slice_ = 0;  ///< of the event taken last
  std::uint64_t order_ = 0;
  std::size_t near_ = 0;  ///< events in slots
  std::array<std::uint32_t, kSlots> first_{}, last_{};
  std::array<std::uint64_t, kSlots / 64> used_{};
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> free_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> far_;
};

}  // namespace reticle
