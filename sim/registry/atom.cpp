// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/atom.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/html/html.hpp"
#include "sim/registry/graph_svg.hpp"

namespace reticle {

namespace {
std::string stamp(const Date& date) { return to_string(date) + "T00:00:00Z"; }

std::string feed_item(const FeedItem& item, const std::string& link_prefix) {
  const HistoryItem& what = item.item();
  std::string summary = what.change;
  if (what.status) summary += "; status: " + std::string{name_of(*what.status)};
  if (!what.evidence.empty()) summary += " (" + what.evidence + ")";
  return fmt::format(
      "  <entry>\n    <id>urn:reticle:registry:{0}:{1}</id>\n    <title>{0}: {2}</title>\n"
      "    <updated>{3}</updated>\n    <link href=\"{4}{5}\"/>\n    <summary>{6}</summary>\n"
      "  </entry>\n",
      item.entry->id, item.index, escaped(item.entry->name), stamp(what.date), link_prefix,
      entry_page_name(item.entry->id), escaped(summary));
}

std::string authors_of(const std::vector<FeedItem>& items) {
  std::vector<std::string> names;
  for (const FeedItem& item : items)
    for (const Contributor& person : item.entry->contributors)
      if (std::ranges::count(names, person.name) == 0) names.push_back(person.name);
  std::string out;
  for (const std::string& name : names)
    out += "  <author><name>" + escaped(name) + "</name></author>\n";
  return out;
}
}  // namespace

std::vector<FeedItem> history_of(const std::vector<const Entry*>& entries) {
  std::vector<FeedItem> items;
  for (const Entry* entry : entries)
    for (std::size_t i = 0; i < entry->history.size(); ++i) items.push_back({entry, i});
  std::ranges::stable_sort(items, [](const FeedItem& a, const FeedItem& b) {
    if (a.item().date != b.item().date) return a.item().date > b.item().date;
    if (a.entry != b.entry) return a.entry->number < b.entry->number;
    return a.index > b.index;
  });
  return items;
}

std::string atom_feed(const std::string& title, const std::string& name,
                      const std::vector<FeedItem>& items, const std::string& link_prefix) {
  const Date newest = items.empty() ? Date{} : items.front().item().date;
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
      "<feed xmlns=\"http://www.w3.org/2005/Atom\">\n  <id>urn:reticle:registry:feed:{}</id>\n"
      "  <title>{}</title>\n  <updated>{}</updated>\n",
      escaped(name), escaped(title), stamp(newest));
  out += authors_of(items);
  for (const FeedItem& item : items) out += feed_item(item, link_prefix);
  return out + "</feed>\n";
}

}  // namespace reticle
