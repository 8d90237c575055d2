// SPDX-License-Identifier: Apache-2.0
// One JSON object on one line or inside a document, as members with their raw text and place.
//
// Why not a JSON library: an error has to name the column of the value it complains about, and a
// time has to be read exactly; a parsed tree of doubles has lost both.
// Leaves out: decoding of escapes in strings (no key or value of a trace format needs any).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "workloads/text/fields.hpp"
#include "workloads/text/line_source.hpp"

namespace reticle {

class JsonLine {
 public:
  explicit JsonLine(const TextPlace& place) : place_{place} {}

  /// Takes the members of `text`, which stands at `offset` of the place's text. Throws ConfigError
  /// if it is not one whole JSON object or a name stands twice.
  void parse(std::string_view text, std::size_t offset = 0);

  [[nodiscard]] const std::vector<Field>& members() const { return members_; }
  /// The member, or null.
  [[nodiscard]] const Field* find(std::string_view name) const;
  /// The member; throws ConfigError if it is missing.
  [[nodiscard]] const Field& at(std::string_view name) const;
  /// Throws ConfigError at the first member whose name is none of `known`.
  void reject_unknown(std::initializer_list<std::string_view> known) const;

  /// Elements of a member that is an array of block ids; the second form fills a vector of yours.
  [[nodiscard]] std::vector<std::uint64_t> ids(const Field& array) const;
  void ids(const Field& array, std::vector<std::uint64_t>& result) const;
  /// Elements of a member that is an array of anything, as raw text with its key and place.
  [[nodiscard]] std::vector<Field> elements(const Field& array) const;

 private:
  const TextPlace& place_;
  std::size_t offset_ = 0;
  std::vector<Field> members_;
};

}  // namespace reticle
