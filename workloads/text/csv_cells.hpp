// SPDX-License-Identifier: Apache-2.0
// Values of a line between commas. No quotes, as the published files have none.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace reticle {

class CsvCells {
 public:
  explicit CsvCells(std::string_view line) : line_{line} {}

  /// The next value; nothing behind the last. An empty line has one, which is empty.
  std::optional<std::string_view> next() {
    if (offset_ > line_.size()) return std::nullopt;
    const std::string_view cell = line_.substr(offset_, line_.find(',', offset_) - offset_);
    offset_ += cell.size() + 1;
    return cell;
  }
  /// Where the next one begins, from 0.
  [[nodiscard]] std::size_t offset() const { return offset_; }

 private:
  std::string_view line_;
  std::size_t offset_ = 0;
};

}  // namespace reticle
