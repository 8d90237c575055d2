// SPDX-License-Identifier: Apache-2.0
// An entry of the bottleneck registry, schema v0.2: what one file of configs/registry says.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/error.hpp"
#include "sim/registry/calendar.hpp"

namespace reticle {

enum class EntryType : std::uint8_t {
  Physics,
  Architecture,
  Algorithm,
  Stack,
  Supply,
  Ecosystem,
  Measurement,
  Economic
};
inline constexpr std::array<std::string_view, 8> kEntryTypes{
    "physics", "architecture", "algorithm",   "stack",
    "supply",  "ecosystem",    "measurement", "economic"};

enum class EntryStatus : std::uint8_t { Open, Partial, Resolved };
inline constexpr std::array<std::string_view, 3> kEntryStatuses{"open", "partial", "resolved"};

enum class Maturity : std::uint8_t { Research, Partial, Production, Shipping, Philosophical };
inline constexpr std::array<std::string_view, 5> kMaturities{"research", "partial", "production",
                                                             "shipping", "philosophical"};

inline constexpr std::array<std::string_view, 3> kContributions{"author", "edit", "review"};

template <class Enum, std::size_t n>
constexpr std::string_view word(Enum value, const std::array<std::string_view, n>& words) {
  return words[static_cast<std::size_t>(value)];
}
constexpr std::string_view name_of(EntryType type) { return word(type, kEntryTypes); }
constexpr std::string_view name_of(EntryStatus status) { return word(status, kEntryStatuses); }
constexpr std::string_view name_of(Maturity maturity) { return word(maturity, kMaturities); }

/// A figure of the estimated unlock value, so that an experiment can be held against it. With a
/// `basis` it is our reading of words without one; else both ends stand in the text itself.
struct UnlockClaim {
  std::string id;
  double low = 0, high = 0;
  std::string unit;
  bool at_least = false;  ///< "2 kW+": more is within it
  std::string basis;
  bool operator==(const UnlockClaim&) const = default;
};

struct KnownSolution {
  std::string title, citation;
  Maturity maturity{};
  std::string stated;  ///< the seed's own word where the scale has none
  bool operator==(const KnownSolution&) const = default;
};

struct Contributor {
  std::string name;
  std::optional<std::string> github_handle;
  std::string contribution;
  bool operator==(const Contributor&) const = default;
};

/// What happened to the entry, oldest first; a status stands where it was given or changed.
struct HistoryItem {
  Date date;
  std::string change;
  std::optional<EntryStatus> status;
  std::string evidence;
  bool operator==(const HistoryItem&) const = default;
};

struct Entry {
  std::string id;
  int number = 0;  ///< of the id
  std::string name;
  EntryType type{};
  std::int64_t priority = 0, difficulty = 0;
  EntryStatus status{};
  std::string unlock;
  std::vector<UnlockClaim> claims;
  std::vector<std::string> depends_on;
  std::vector<KnownSolution> solutions;
  std::vector<std::string> blockers;
  std::vector<Contributor> contributors;
  std::vector<std::string> tags;
  Date last_reviewed;
  std::int64_t cadence_days = 90;  ///< default: a quarter of a year
  std::vector<HistoryItem> history;
  std::string body;  ///< Markdown

  std::string file;  ///< label of messages
  SourcePosition id_at, name_at, depends_on_at, last_reviewed_at, history_at;

  [[nodiscard]] Date due() const { return plus_days(last_reviewed, cadence_days); }
  [[nodiscard]] bool stale(const Date& as_of) const { return due() < as_of; }
  [[nodiscard]] const UnlockClaim* claim(std::string_view claim_id) const;
};

/// Reads the text of a file, `label` in messages. Throws ConfigError at file:line:col.
Entry parse_entry(const std::string& text, const std::string& label);

/// All numbers of a text: "10-50x" has 10 and 50.
std::vector<double> numbers_in(std::string_view text);

/// Names a year, or where to find it.
bool is_citation(std::string_view text);

}  // namespace reticle
