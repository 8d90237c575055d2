// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/error.hpp"

namespace reticle {

/// Malformed rows that are left out: how many, and what was wrong with the first of them.
class BadRows {
 public:
  explicit BadRows(bool wanted) : wanted_{wanted} {}

  /// Throws on unless malformed rows are to be left out.
  void take(const ConfigError& error) {
    constexpr std::size_t kMostMessages = 5;
    if (!wanted_) throw error;
    ++count_;
    if (messages_.size() < kMostMessages) messages_.emplace_back(error.what());
  }
  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] const std::vector<std::string>& messages() const { return messages_; }

 private:
  bool wanted_;
  std::int64_t count_ = 0;
  std::vector<std::string> messages_;
};

}  // namespace reticle
