// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/registry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "sim/base/file_reader.hpp"
#include "sim/config/config_node.hpp"
#include "sim/config/nearest.hpp"
#include "sim/config/yaml_reader.hpp"
#include "sim/registry/dependency_graph.hpp"
#include "sim/registry/entry_id.hpp"

namespace reticle {

namespace {
namespace fs = std::filesystem;
constexpr std::string_view kLedger = "ledger.yaml";
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 20;  // entries have some ten KB

void add(Registry& registry, Severity severity, SourcePosition at, std::string rule,
         const std::string& key, const std::string& problem) {
  std::string text = ConfigError(at, key, problem).what();
  registry.findings.push_back({severity, std::move(at), std::move(rule), std::move(text)});
}

void add_error(Registry& registry, const SourcePosition& at, const std::string& rule,
               const std::string& key, const std::string& problem) {
  add(registry, Severity::Error, at, rule, key, problem);
}

bool is_entry_file(const fs::path& path) {
  const std::string name = path.filename().string();
  return path.extension() == ".md" && name != "README.md" && !name.starts_with(".");
}

/// The file of B7 is called b07-*.md, so that a listing is in order.
void check_file_name(Registry& registry, const Entry& entry, const fs::path& path) {
  const std::string begins = fmt::format("b{:02}-", entry.number);
  if (!path.filename().string().starts_with(begins))
    add_error(registry, entry.id_at, "file", "id",
              fmt::format("the file of {} begins with {}", entry.id, begins));
}

void read_one(Registry& registry, const fs::path& path, const std::string& label) {
  Entry entry = parse_entry(read_whole_file(path, label, kMostBytes), label);
  check_file_name(registry, entry, path);
  if (const Entry* twin = registry.find(entry.id)) {
    add_error(registry, entry.id_at, "id", "id",
              fmt::format("{} is taken by {}: an id is given once", entry.id, twin->file));
    return;
  }
  registry.entries.push_back(std::move(entry));
}

Ledger ledger_of(ConfigTree tree) {
  ResolvedValues log;
  const ConfigNode root{std::make_shared<const ConfigTree>(std::move(tree)), log};
  Ledger ledger;
  for (const ConfigNode& node : root.sections("ids")) {
    const auto id = node.get<std::string>("id");
    node.check("id", id_number(id).has_value(), "expected an id such as B7");
    node.check("id", !ledger.contains(id), "an id is given once");
    const auto given = node.get<std::string>("given");
    node.check("given", parse_date(given).has_value(), "expected a date such as 2026-04-22");
    LedgerItem item{node.get<std::string>("name"), given, node.has("retired"),
                    node.position_of("id")};
    if (item.retired)
      node.check("retired", parse_date(node.get<std::string>("retired")).has_value(),
                 "expected a date such as 2026-04-22");
    node.reject_unknown_keys();
    ledger.emplace(id, std::move(item));
  }
  root.reject_unknown_keys();
  return ledger;
}

void check_ledger(Registry& registry) {
  const Ledger& ledger = registry.ledger;
  const std::string& label = registry.ledger_file;
  for (const Entry& entry : registry.entries) {
    const auto item = ledger.find(entry.id);
    if (item == ledger.end())
      add_error(registry, entry.id_at, "ledger", "id",
                fmt::format("{} is not in {}: a new id is written down there", entry.id, label));
    else if (item->second.retired)
      add_error(registry, entry.id_at, "ledger", "id",
                fmt::format("{} was retired: an id is never given again", entry.id));
    else if (item->second.name != entry.name)
      add_error(registry, entry.name_at, "ledger", "name",
                fmt::format("{} was given to '{}': an id is never given again", entry.id,
                            item->second.name));
  }
  // An entry that could not be read has been reported; it is not missing.
  if (registry.errors() > 0) return;
  for (const auto& [id, item] : ledger)
    if (!item.retired && registry.find(id) == nullptr)
      add_error(registry, item.at, "ledger", id, "has no entry, and was not retired");
}

template <class Work>
void collecting(Registry& registry, const Work& work) {
  try {
    work();
  } catch (const ConfigError& error) {
    registry.findings.push_back({Severity::Error, error.position(), "schema", error.what()});
  }
}

void lint_dates(Registry& registry, const Entry& entry, const Date& as_of) {
  if (as_of < entry.last_reviewed)
    add_error(registry, entry.last_reviewed_at, "date", "last_reviewed",
              fmt::format("is after {}", to_string(as_of)));
  else if (entry.stale(as_of))
    add(registry, Severity::Warning, entry.last_reviewed_at, "stale", "last_reviewed",
        fmt::format("{} is stale: its review was due on {}, {} days ago", entry.id,
                    to_string(entry.due()), days_from(entry.due(), as_of)));
}

void lint_references(Registry& registry, const Entry& entry) {
  for (const std::string& id : entry.depends_on)
    if (registry.find(id) == nullptr)
      add_error(registry, entry.depends_on_at, "reference", "depends_on",
                fmt::format("{} depends on {}, which there is not", entry.id, id));
}

/// The front of the newer history is the older one.
bool continues(const Entry& entry, const Entry& before) {
  return entry.history.size() >= before.history.size() &&
         std::equal(before.history.begin(), before.history.end(), entry.history.begin());
}

bool same_content(const Entry& a, const Entry& b) {
  return a.name == b.name && a.type == b.type && a.priority == b.priority &&
         a.difficulty == b.difficulty && a.status == b.status && a.unlock == b.unlock &&
         a.claims == b.claims && a.depends_on == b.depends_on && a.solutions == b.solutions &&
         a.blockers == b.blockers && a.contributors == b.contributors && a.tags == b.tags &&
         a.cadence_days == b.cadence_days && a.history == b.history && a.body == b.body;
}

void lint_edit(Registry& registry, const Entry& entry, const Entry& before) {
  if (!continues(entry, before))
    add_error(registry, entry.history_at, "rewritten", "history",
              "what was written stays, and is continued");
  if (entry.last_reviewed < before.last_reviewed)
    add_error(registry, entry.last_reviewed_at, "rewritten", "last_reviewed",
              fmt::format("goes back from {}", to_string(before.last_reviewed)));
  else if (entry.last_reviewed == before.last_reviewed && !same_content(entry, before))
    add_error(registry, entry.last_reviewed_at, "rewritten", "last_reviewed",
              "an edit is a review: the date moves with it");
}
}  // namespace

Ledger parse_ledger(std::string_view text, const std::string& label) {
  return ledger_of(parse_yaml(text, label));
}

const Entry* Registry::find(const std::string& id) const {
  const auto found = std::ranges::find(entries, id, &Entry::id);
  return found == entries.end() ? nullptr : &*found;
}

std::size_t Registry::errors() const {
  return static_cast<std::size_t>(
      std::ranges::count(findings, Severity::Error, &LintFinding::severity));
}

Registry read_registry(const fs::path& directory, const std::string& label) {
  std::error_code error;
  if (!fs::is_directory(directory, error))
    throw ConfigError({label, 0, 0}, "", "expected a directory of entries");
  std::vector<fs::path> files;
  for (const auto& item : fs::directory_iterator{directory})
    if (is_entry_file(item.path())) files.push_back(item.path());
  if (files.empty()) throw ConfigError({label, 0, 0}, "", "no entry (bNN-*.md) in it");
  std::ranges::sort(files);
  Registry registry;
  for (const fs::path& file : files)
    collecting(registry, [&] { read_one(registry, file, label + "/" + file.filename().string()); });
  std::ranges::sort(registry.entries, {}, &Entry::number);
  registry.ledger_file = label + "/" + std::string{kLedger};
  collecting(registry, [&] {
    registry.ledger = ledger_of(read_yaml(directory / kLedger, registry.ledger_file));
    check_ledger(registry);
  });
  return registry;
}

void lint_registry(Registry& registry, const Date& as_of) {
  // An entry that could not be read may well be the one depended on.
  const bool all_read = std::ranges::count(registry.findings, "schema", &LintFinding::rule) == 0;
  for (const Entry& entry : registry.entries) {
    lint_dates(registry, entry, as_of);
    if (all_read) lint_references(registry, entry);
  }
  const DependencyGraph graph{registry.entries};
  for (const auto& group : graph.circles())
    add(registry, Severity::Warning, registry.find(group.front())->depends_on_at, "cycle",
        "depends_on", fmt::format("{} depend on each other", fmt::join(group, ", ")));
}

void lint_change(Registry& registry, const Registry& before) {
  // A file that could not be read has been reported; what it holds is not gone.
  const bool all_read = std::ranges::count(registry.findings, "schema", &LintFinding::rule) == 0;
  for (const Entry& old : before.entries)
    if (const Entry* entry = registry.find(old.id)) lint_edit(registry, *entry, old);
  if (!all_read) return;
  for (const auto& [id, old] : before.ledger) {
    const auto now = registry.ledger.find(id);
    if (now == registry.ledger.end())
      add_error(registry, {registry.ledger_file, 1, 1}, "ledger", id,
                "was given on " + old.given + ", and is gone: an id stays written down");
    else if (now->second.name != old.name || now->second.given != old.given)
      add_error(registry, now->second.at, "rewritten", id,
                fmt::format("was given to '{}' on {}: that stays", old.name, old.given));
    else if (old.retired && !now->second.retired)
      add_error(registry, now->second.at, "rewritten", id, "was retired: that stays");
  }
  for (const Entry& old : before.entries)
    if (registry.find(old.id) == nullptr && !before.ledger.contains(old.id))
      add_error(registry, {registry.ledger_file, 1, 1}, "ledger", old.id,
                "has no entry any more, and was not retired");
}

const Entry& require_entry(const Registry& registry, const std::string& id) {
  if (const Entry* entry = registry.find(id)) return *entry;
  std::vector<std::string> ids;
  for (const Entry& entry : registry.entries) ids.push_back(entry.id);
  throw ConfigError({}, "", "no entry '" + id + "'" + did_you_mean(id, ids));
}

}  // namespace reticle
