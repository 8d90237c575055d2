// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/entry.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <memory>
#include <set>
#include <sstream>

#include "sim/config/text_check.hpp"
#include "sim/config/word_of.hpp"
#include "sim/config/yaml_reader.hpp"
#include "sim/registry/entry_id.hpp"

namespace reticle {

namespace {
constexpr std::string_view kFence = "---";
/// Words of an entry's body [docs/registry.md].
constexpr std::size_t kLeastWords = 200, kMostWords = 600;
constexpr std::int64_t kLongestCadence = 3650;  // ten years
constexpr double kLargestClaim = 1e12;
// What a body must answer, each under a heading of its own.
constexpr std::array<std::string_view, 4> kHeadings{"## What it is", "## Why it binds now",
                                                    "## What would lift it", "## Who works on it"};
// Blockers that block nothing in particular.
constexpr std::array<std::string_view, 4> kEmptyBlockers{
    "more research needed", "more research is needed", "needs more work", "tbd"};

struct Parts {
  std::string front;  ///< lines keep their numbers
  std::string body;
  std::int64_t body_line;  ///< where it begins
};

/// As editors of other systems save it: without a byte order mark, lines ended by LF alone.
std::string plain(std::string text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.erase(0, kMark.size());
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') out += text[i];
  return out;
}

Parts split(const std::string& text, const std::string& label) {
  std::istringstream lines{plain(text)};
  std::string line;
  if (!std::getline(lines, line) || line != kFence)
    throw ConfigError({label, 1, 1}, "", "expected '---', the front matter of the entry");
  Parts parts{"\n", {}, 2};
  for (bool closed = false; std::getline(lines, line); ++parts.body_line) {
    if (line == kFence) {
      closed = true;
      ++parts.body_line;
    } else {
      parts.front += line + "\n";
    }
    if (!closed) continue;
    std::ostringstream rest;
    rest << lines.rdbuf();
    parts.body = rest.str();
    return parts;
  }
  throw ConfigError({label, parts.body_line, 1}, "",
                    "expected '---' at the end of the front matter, found the end of the file");
}

Date read_date(const ConfigNode& node, std::string_view key) {
  const auto date = parse_date(node.get<std::string>(key));
  node.check(key, date.has_value(), "expected a date such as 2026-04-22");
  return *date;
}

std::string read_sentence(const ConfigNode& node, std::string_view key) {
  auto text = node.get<std::string>(key);
  const bool blank = std::ranges::all_of(text, [](unsigned char c) { return std::isspace(c); });
  node.check(key, !blank, "must say something");
  return text;
}

std::string read_id(const ConfigNode& node, int& number) {
  const auto text = node.get<std::string>("id");
  const auto parsed = id_number(text);
  node.check("id", parsed.has_value(), "expected an id such as B7");
  number = *parsed;
  return text;
}

/// Lower-case words joined by dashes.
bool is_slug(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, [](unsigned char c) {
           return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '-' || c == '_';
         });
}

UnlockClaim read_claim(const ConfigNode& node, const std::string& unlock) {
  UnlockClaim claim;
  claim.id = node.get<std::string>("id");
  node.check("id", is_slug(claim.id), "expected lower-case words joined by '_' or '-'");
  claim.low = node.get<double>("low", Range<double>{0, kLargestClaim});
  claim.high = node.get<double>("high", Range<double>{0, kLargestClaim});
  node.check("high", claim.low <= claim.high, "must be at least low");
  claim.unit = read_sentence(node, "unit");
  claim.at_least = node.get<bool>("at_least", false);
  if (node.has("basis")) claim.basis = read_sentence(node, "basis");
  if (claim.basis.empty()) {
    const std::vector<double> stated = numbers_in(unlock);
    for (const auto& [key, figure] : {std::pair{"low", claim.low}, std::pair{"high", claim.high}})
      node.check(key, std::ranges::count(stated, figure) > 0,
                 "must stand in estimated_unlock_value, or have a basis");
  }
  node.reject_unknown_keys();
  return claim;
}

void read_claims(const ConfigNode& root, Entry& entry) {
  if (!root.has("claims")) return;
  for (const ConfigNode& node : root.sections("claims")) {
    UnlockClaim claim = read_claim(node, entry.unlock);
    node.check("id", entry.claim(claim.id) == nullptr, "is claimed twice");
    entry.claims.push_back(std::move(claim));
  }
}

void read_depends_on(const ConfigNode& root, Entry& entry) {
  if (!root.has("depends_on")) root.fail("depends_on", "required list is missing");
  entry.depends_on_at = root.position_of("depends_on");
  entry.depends_on = root.texts("depends_on");
  std::set<std::string> seen;
  for (const std::string& id : entry.depends_on) {
    if (!id_number(id)) root.fail("depends_on", "expected an id such as B7, got " + id);
    if (id == entry.id) root.fail("depends_on", id + " depends on itself");
    if (!seen.insert(id).second) root.fail("depends_on", id + " is named twice");
  }
}

void read_solutions(const ConfigNode& root, Entry& entry) {
  for (const ConfigNode& node : root.sections("known_solutions")) {
    KnownSolution solution;
    solution.title = read_sentence(node, "title");
    solution.citation = read_sentence(node, "citation");
    node.check("citation", is_citation(solution.citation),
               "a citation names its year, or an address");
    solution.maturity = static_cast<Maturity>(word_of(node, "maturity", kMaturities));
    if (node.has("stated")) solution.stated = read_sentence(node, "stated");
    node.reject_unknown_keys();
    const bool twin = std::ranges::any_of(
        entry.solutions, [&](const auto& other) { return other.title == solution.title; });
    node.check("title", !twin, "is listed twice");
    entry.solutions.push_back(std::move(solution));
  }
  if (entry.solutions.empty()) root.fail("known_solutions", "expected at least one");
}

void read_blockers(const ConfigNode& root, Entry& entry) {
  entry.blockers = root.texts("blockers");
  if (entry.blockers.empty()) root.fail("blockers", "expected at least one");
  for (const std::string& blocker : entry.blockers) {
    std::string low;
    for (const char c : blocker)
      low += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    while (!low.empty() && (low.back() == '.' || low.back() == ' ')) low.pop_back();
    if (low.empty() || std::ranges::count(kEmptyBlockers, low) > 0)
      root.fail("blockers", "a blocker is specific, got '" + blocker + "'");
  }
}

void read_contributors(const ConfigNode& root, Entry& entry) {
  for (const ConfigNode& node : root.sections("contributors")) {
    Contributor person;
    person.name = read_sentence(node, "name");
    if (node.has("github_handle")) {
      person.github_handle = node.get<std::string>("github_handle");
      const bool fine = std::ranges::all_of(
          *person.github_handle, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-'; });
      node.check("github_handle", fine && !person.github_handle->empty(),
                 "expected letters, digits and dashes");
    }
    person.contribution = kContributions[word_of(node, "contribution", kContributions)];
    node.reject_unknown_keys();
    entry.contributors.push_back(std::move(person));
  }
  if (std::ranges::none_of(entry.contributors,
                           [](const auto& person) { return person.contribution == "author"; }))
    root.fail("contributors", "expected an author");
}

void read_tags(const ConfigNode& root, Entry& entry) {
  entry.tags = root.texts("tags");
  std::set<std::string> seen;
  for (const std::string& tag : entry.tags) {
    if (!is_slug(tag)) root.fail("tags", "expected lower-case words joined by '-', got " + tag);
    if (!seen.insert(tag).second) root.fail("tags", tag + " is named twice");
  }
}

HistoryItem read_history_item(const ConfigNode& node, const std::vector<HistoryItem>& before) {
  HistoryItem item;
  item.date = read_date(node, "date");
  node.check("date", before.empty() || before.back().date <= item.date,
             "history runs from old to new");
  item.change = read_sentence(node, "change");
  if (node.has("status"))
    item.status = static_cast<EntryStatus>(word_of(node, "status", kEntryStatuses));
  if (node.has("evidence")) {
    item.evidence = read_sentence(node, "evidence");
    node.check("evidence", is_citation(item.evidence), "evidence names its year, or an address");
  }
  if (before.empty() && !item.status) node.fail("status", "the first item gives the status");
  if (!before.empty() && item.status && item.evidence.empty())
    node.fail("evidence", "a change of status needs evidence");
  if (item.status == EntryStatus::Resolved && item.evidence.empty())
    node.fail("evidence", "what is resolved needs evidence, from its first day on");
  node.reject_unknown_keys();
  return item;
}

void read_history(const ConfigNode& root, Entry& entry) {
  entry.history_at = root.position_of("history");
  for (const ConfigNode& node : root.sections("history"))
    entry.history.push_back(read_history_item(node, entry.history));
  if (entry.history.empty()) root.fail("history", "expected at least one item");
  EntryStatus last{};
  for (const HistoryItem& item : entry.history) last = item.status.value_or(last);
  root.check("status", entry.status == last,
             "must be the last of its history, which is " + std::string{name_of(last)});
  root.check("last_reviewed", entry.history.back().date <= entry.last_reviewed,
             "must not be before the last of its history");
}

std::size_t words_in(const std::string& body) {
  std::istringstream words{body};
  std::size_t count = 0;
  for (std::string word; words >> word;) ++count;
  return count;
}

void check_body(const Parts& parts, const std::string& label) {
  const SourcePosition at{label, parts.body_line, 1};
  const std::string framed = "\n" + parts.body;
  std::size_t from = 0;
  for (const auto heading : kHeadings) {
    const std::size_t found = framed.find("\n" + std::string{heading} + "\n", from);
    if (found == std::string::npos)
      throw ConfigError(
          at, "body",
          "expected the heading '" + std::string{heading} + "', in the order of the schema");
    from = found;
  }
  const std::size_t words = words_in(parts.body);
  if (words < kLeastWords || words > kMostWords)
    throw ConfigError(at, "body", "expected 200 to 600 words, got " + std::to_string(words));
}

Entry read_front(const ConfigNode& root) {
  Entry entry;
  entry.id = read_id(root, entry.number);
  entry.id_at = root.position_of("id");
  entry.name = read_sentence(root, "name");
  entry.name_at = root.position_of("name");
  entry.type = static_cast<EntryType>(word_of(root, "type", kEntryTypes));
  constexpr Range<std::int64_t> kScale{1, 5};
  entry.priority = root.get<std::int64_t>("priority", kScale);
  entry.difficulty = root.get<std::int64_t>("difficulty", kScale);
  entry.status = static_cast<EntryStatus>(word_of(root, "status", kEntryStatuses));
  entry.unlock = read_sentence(root, "estimated_unlock_value");
  read_claims(root, entry);
  read_depends_on(root, entry);
  read_solutions(root, entry);
  read_blockers(root, entry);
  read_contributors(root, entry);
  read_tags(root, entry);
  entry.last_reviewed = read_date(root, "last_reviewed");
  entry.last_reviewed_at = root.position_of("last_reviewed");
  entry.cadence_days = root.get<std::int64_t>("review_cadence_days", entry.cadence_days,
                                              Range<std::int64_t>{1, kLongestCadence});
  read_history(root, entry);
  const bool used = std::ranges::any_of(entry.solutions, [](const auto& solution) {
    return solution.maturity == Maturity::Production || solution.maturity == Maturity::Shipping;
  });
  root.check("status", entry.status != EntryStatus::Resolved || used,
             "what is resolved has a solution in production or shipping");
  root.reject_unknown_keys();
  return entry;
}
}  // namespace

const UnlockClaim* Entry::claim(std::string_view claim_id) const {
  const auto found = std::ranges::find(claims, claim_id, &UnlockClaim::id);
  return found == claims.end() ? nullptr : &*found;
}

Entry parse_entry(const std::string& text, const std::string& label) {
  const Parts parts = split(text, label);
  ResolvedValues log;
  const ConfigNode root{std::make_shared<const ConfigTree>(parse_yaml(parts.front, label)), log};
  Entry entry = read_front(root);
  if (const auto problem = text_problem(parts.body))
    throw ConfigError({label, parts.body_line + problem->line - 1, problem->column}, "body",
                      problem->what);
  check_body(parts, label);
  entry.body = parts.body;
  entry.file = label;
  return entry;
}

std::vector<double> numbers_in(std::string_view text) {
  std::vector<double> found;
  for (std::size_t at = 0; at < text.size();) {
    if (std::isdigit(static_cast<unsigned char>(text[at])) == 0) {
      ++at;
      continue;
    }
    double value = 0;
    const char* const begin = text.data() + at;
    const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
    if (error == std::errc{}) found.push_back(value);
    const auto used = static_cast<std::size_t>(end - begin);
    at += used;
  }
  return found;
}

bool is_citation(std::string_view text) {
  for (const auto* address : {"http://", "https://", "arXiv:", "doi:"})
    if (text.find(address) != std::string_view::npos) return true;
  // A year of this or the last century that stands alone.
  for (std::size_t at = 0; at + 4 <= text.size(); ++at) {
    const auto digit = [&](std::size_t i) {
      return i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0;
    };
    const std::string_view four = text.substr(at, 4);  // a year has four digits
    const bool century = four.starts_with("19") || four.starts_with("20");
    // Four digits in all, and none before or behind.
    if (century && digit(at + 2) && digit(at + 3) && !digit(at + 4) && (at == 0 || !digit(at - 1)))
      return true;
  }
  return false;
}

}  // namespace reticle
