// SPDX-License-Identifier: Apache-2.0
// Where a burst of a pseudo-channel lies: the address map as a declared order of bits.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/hbm/hbm_spec.hpp"

namespace reticle {

/// A burst's place. `bank` counts all banks of the pseudo-channel: (stack id, group, bank).
struct HbmPlace {
  std::int32_t bank = 0;
  std::int32_t row = 0;
  std::int32_t column = 0;  ///< burst within the row
};

class HbmMap {
 public:
  enum class Field : std::uint8_t { Column, BankGroup, Bank, StackId, Row };
  /// One field of the map: `size` consecutive values of (part of) a coordinate.
  struct Part {
    Field field = Field::Column;
    std::int64_t size = 1;   ///< values
    std::int64_t scale = 1;  ///< values of the same field in parts below
  };

  /// Throws std::invalid_argument with the rule that is broken: see `fault`.
  explicit HbmMap(const HbmParams& params);
  /// What is wrong with `params.address_map`; nothing if it covers the organisation exactly.
  [[nodiscard]] static std::optional<std::string> fault(const HbmParams& params);

  [[nodiscard]] HbmPlace place(std::int64_t burst) const;
  [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }
  [[nodiscard]] std::int64_t rows() const { return rows_; }

 private:
  struct Parsed {
    std::vector<Part> parts;
    std::string error;
  };
  static Parsed parse(std::string_view text);

  std::vector<Part> parts_;
  std::int64_t groups_, banks_per_group_;
  std::int64_t rows_ = 1;
};

}  // namespace reticle
