// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace reticle {

/// A first-in-first-out buffer that grows to what it has held: deep buffers are mostly empty.
class FlitQueue {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::uint32_t front() const { return ring_[head_]; }
  void push(std::uint32_t flit) {
    if (size_ == ring_.size()) grow();
    ring_[(head_ + size_++) & (ring_.size() - 1)] = flit;
  }
  void pop() {
    head_ = (head_ + 1) & (ring_.size() - 1);
    --size_;
  }

 private:
  void grow() {
    std::vector<std::uint32_t> wider(ring_.empty() ? 4 : 2 * ring_.size());  // grows by doubling
    for (std::size_t i = 0; i < size_; ++i) wider[i] = ring_[(head_ + i) & (ring_.size() - 1)];
    ring_.swap(wider);
    head_ = 0;
  }
  std::vector<std::uint32_t> ring_;  ///< a power of two, or none
  std::size_t head_ = 0, size_ = 0;
};

}  // namespace reticle
