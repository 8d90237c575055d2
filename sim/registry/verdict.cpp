// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/verdict.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace reticle {

namespace {
bool holds(const ConditionResult& result) { return result.standing != Standing::Worse; }

/// How a value, or a pair of values, decides: seen with success, seen with failure.
struct Seen {
  bool good = false, bad = false;
};
using Key = std::vector<std::string>;

/// By the labels of `axes`, in order of appearance.
std::vector<std::pair<Key, Seen>> seen_by(const std::vector<std::size_t>& axes,
                                          const std::vector<ConditionResult>& results) {
  std::vector<std::pair<Key, Seen>> seen;
  for (const ConditionResult& result : results) {
    Key key;
    for (const std::size_t axis : axes) key.push_back(result.labels[axis]);
    auto at = std::ranges::find(seen, key, &std::pair<Key, Seen>::first);
    if (at == seen.end()) at = seen.insert(seen.end(), {key, {}});
    (holds(result) ? at->second.good : at->second.bad) = true;
  }
  return seen;
}

bool decides(const std::vector<std::pair<Key, Seen>>& seen) {
  return std::ranges::none_of(seen, [](const auto& s) { return s.second.good && s.second.bad; });
}

std::string any_of_text(const std::vector<std::string>& values) {
  if (values.size() < 2) return fmt::format("{}", fmt::join(values, ""));
  const std::vector<std::string> front{values.begin(), values.end() - 1};
  return fmt::format("{} or {}", fmt::join(front, ", "), values.back());
}

/// "batch is 1 or 4" from the values of which `hold` is true.
std::string by_one(const std::string& axis, const std::vector<std::pair<Key, Seen>>& seen,
                   bool hold) {
  std::vector<std::string> values;
  for (const auto& [key, s] : seen)
    if (hold ? s.good : s.bad) values.push_back(key[0]);
  return axis + " is " + any_of_text(values);
}

/// "batch is 1; batch is 4 and context is 8192": the last axis is left out where all its values are
/// meant.
std::string by_several(const std::vector<std::string>& axes, const std::vector<std::size_t>& which,
                       const std::vector<std::pair<Key, Seen>>& seen, bool hold) {
  std::vector<std::pair<Key, std::vector<std::string>>> grouped;  // all but the last label
  std::set<std::string> all_last;
  for (const auto& [key, s] : seen) {
    all_last.insert(key.back());
    if (!(hold ? s.good : s.bad)) continue;
    const Key front{key.begin(), key.end() - 1};
    auto at = std::ranges::find(grouped, front, &std::pair<Key, std::vector<std::string>>::first);
    if (at == grouped.end()) at = grouped.insert(grouped.end(), {front, {}});
    at->second.push_back(key.back());
  }
  std::vector<std::string> parts;
  for (const auto& [front, last] : grouped) {
    std::vector<std::string> said;
    for (std::size_t i = 0; i < front.size(); ++i)
      said.push_back(axes[which[i]] + " is " + front[i]);
    if (last.size() < all_last.size() || said.empty())
      said.push_back(axes[which.back()] + " is " + any_of_text(last));
    parts.push_back(fmt::format("{}", fmt::join(said, " and ")));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

/// Where it holds, or where it does not if that is shorter to say.
std::string clause(const std::vector<std::string>& axes, const std::vector<std::size_t>& which,
                   const std::vector<std::pair<Key, Seen>>& seen) {
  const auto say = [&](bool hold) {
    return which.size() == 1 ? by_one(axes[which[0]], seen, hold)
                             : by_several(axes, which, seen, hold);
  };
  const std::string where = "where " + say(true), except = "except where " + say(false);
  return except.size() < where.size() ? except : where;
}
}  // namespace

std::string_view name_of(RegistryVerdict verdict) {
  return kRegistryVerdicts[static_cast<std::size_t>(verdict)];
}

Standing standing_of(double figure, const ClaimedRange& claimed) {
  const bool below = figure < claimed.low * (1 - claimed.tolerance);
  const bool above = !claimed.at_least && figure > claimed.high * (1 + claimed.tolerance);
  if (!below && !above) return Standing::Within;
  return below == claimed.is_price ? Standing::Better : Standing::Worse;
}

RegistryVerdict verdict_of(const std::vector<ConditionResult>& results) {
  if (results.empty()) return RegistryVerdict::NotSimulable;
  const auto all = [&](Standing standing) {
    return std::ranges::all_of(results, [&](const auto& r) { return r.standing == standing; });
  };
  if (all(Standing::Better)) return RegistryVerdict::Underclaimed;
  if (all(Standing::Worse)) return RegistryVerdict::Overclaimed;
  return std::ranges::all_of(results, holds) ? RegistryVerdict::Supported
                                             : RegistryVerdict::Conditional;
}

RegistryVerdict combined(const std::vector<RegistryVerdict>& verdicts) {
  using enum RegistryVerdict;
  std::set<RegistryVerdict> said{verdicts.begin(), verdicts.end()};
  said.erase(NotSimulable);
  if (said.empty()) return NotSimulable;
  if (said.size() == 1) return *said.begin();
  return said == std::set{Supported, Underclaimed} ? Supported : Conditional;
}

RegistryVerdict concluded(RegistryVerdict of_claims, bool refuted) {
  return refuted && of_claims != RegistryVerdict::NotSimulable ? RegistryVerdict::Overclaimed
                                                               : of_claims;
}

std::string condition_of(const std::vector<std::string>& axes,
                         const std::vector<ConditionResult>& results) {
  const auto good = std::ranges::count_if(results, holds);
  if (good == 0 || good == std::ssize(results)) return {};
  for (std::size_t a = 0; a < axes.size(); ++a)
    if (const auto seen = seen_by({a}, results); decides(seen)) return clause(axes, {a}, seen);
  for (std::size_t a = 0; a < axes.size(); ++a)
    for (std::size_t b = a + 1; b < axes.size(); ++b)
      if (const auto seen = seen_by({a, b}, results); decides(seen))
        return clause(axes, {a, b}, seen);
  std::vector<std::size_t> every(axes.size());
  for (std::size_t a = 0; a < axes.size(); ++a) every[a] = a;
  return clause(axes, every, seen_by(every, results));
}

}  // namespace reticle
