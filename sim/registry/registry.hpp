// SPDX-License-Identifier: Apache-2.0
// All entries of a directory, and what is wrong with them: `bNN-*.md`, one entry each, and
// `ledger.yaml`, which keeps every id ever given so that none is given twice.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/registry/entry.hpp"

namespace reticle {

enum class Severity : std::uint8_t { Error, Warning };

/// Something a contributor must, or should, know.
struct LintFinding {
  Severity severity{};
  SourcePosition at{};
  std::string rule;  ///< schema | file | id | reference | cycle | stale | date | ledger | rewritten
  std::string text;  ///< file:line:col: key: rule, got value
};

/// An id as it was first given, a line of ledger.yaml.
struct LedgerItem {
  std::string name, given;
  bool retired = false;
  SourcePosition at{};
};

using Ledger = std::map<std::string, LedgerItem>;  ///< by id

struct Registry {
  std::vector<Entry> entries;  ///< by number; those that could be read
  std::vector<LintFinding> findings;
  Ledger ledger;  ///< empty where it could not be read
  std::string ledger_file;

  [[nodiscard]] const Entry* find(const std::string& id) const;
  [[nodiscard]] std::size_t errors() const;
};

/// The text of a ledger.yaml. Throws ConfigError at file:line:col.
Ledger parse_ledger(std::string_view text, const std::string& label);

/// Reads every file of the directory; what cannot be read is a finding. Messages call a file
/// `label`/name. Throws ConfigError when there is no such directory, or no entry in it.
Registry read_registry(const std::filesystem::path& directory, const std::string& label);

/// Adds what only all entries together, or the date, can tell: dangling and cyclic dependencies,
/// stale entries, dates to come.
void lint_registry(Registry& registry, const Date& as_of);

/// Adds what an edit since `before` broke: history rewritten, entries gone without being retired,
/// lines of the ledger gone or changed, edits without review.
void lint_change(Registry& registry, const Registry& before);

/// One JSON document: entries, errors, warnings.
std::string lint_json(const Registry& registry, const Date& as_of);
/// An entry, or all, as JSON.
std::string entry_json(const Entry& entry, const Date& as_of);
std::string registry_json(const Registry& registry, const Date& as_of);

/// Throws ConfigError naming the nearest ids.
const Entry& require_entry(const Registry& registry, const std::string& id);

}  // namespace reticle
