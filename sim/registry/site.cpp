// SPDX-License-Identifier: Apache-2.0
// The registry's static site: relative links, no request beyond its own files.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "sim/html/html.hpp"
#include "sim/html/style.hpp"
#include "sim/registry/atom.hpp"
#include "sim/registry/graph_svg.hpp"
#include "sim/registry/pages.hpp"

namespace reticle {

namespace {
using Files = std::map<std::string, std::string>;
constexpr int kScaleEnd = 5;  // of priority and difficulty, from one

std::string option(const std::string& value, const std::string& text) {
  return fmt::format("<option value=\"{}\">{}</option>", escaped(value), escaped(text));
}

std::string select(const std::string& name, const std::string& label,
                   const std::vector<std::string>& values) {
  std::string out = fmt::format("<label>{}<select name=\"{}\">{}", label, name, option("", "all"));
  for (const std::string& value : values) out += option(value, value);
  return out + "</select></label>\n";
}

template <std::size_t n>
std::vector<std::string> words_of(const std::array<std::string_view, n>& words) {
  return {words.begin(), words.end()};
}

std::string feed_name(const std::string& tag) { return "feeds/tag-" + tag + ".xml"; }

class Site {
 public:
  Site(const Registry& registry, const Validation& validation, const Date& as_of)
      : registry_{registry}, validation_{validation}, as_of_{as_of}, graph_{registry.entries} {}

  Files files() {
    files_["style.css"] = style_sheet();
    files_["site.js"] = site_script();
    files_["index.html"] = page("Bottleneck registry", "", index());
    files_["graph.html"] = page("Dependency graph", "", graph());
    files_["dashboards.html"] = page("Dashboards", "", dashboards());
    files_["changes.html"] = page("Change log", "", changes());
    for (const Entry& entry : registry_.entries)
      files_["entries/" + entry_page_name(entry.id)] =
          page(entry.id + ": " + entry.name, "../", entry_body(entry));
    add_feeds();
    return std::move(files_);
  }

 private:
  [[nodiscard]] std::string page(const std::string& title, const std::string& root,
                                 const std::string& body) const {
    Page page;
    page.title = title == "Bottleneck registry" ? title : title + " - Bottleneck registry";
    page.root = root;
    page.style = "style.css";
    page.script = "site.js";
    for (const auto& [text, to] :
         {std::pair{"Entries", "index.html"}, std::pair{"Graph", "graph.html"},
          std::pair{"Dashboards", "dashboards.html"}, std::pair{"Changes", "changes.html"}})
      page.navigation += fmt::format("<a href=\"{}{}\">{}</a>\n", root, to, text);
    page.body = body;
    page.feeds = {{"All changes", "feeds/all.xml"}};
    return html_page(page);
  }

  [[nodiscard]] const EntryResult* result_of(const Entry& entry) const {
    const auto found = std::ranges::find_if(
        validation_.entries, [&](const auto& result) { return result.entry.id == entry.id; });
    return found == validation_.entries.end() ? nullptr : &*found;
  }
  [[nodiscard]] std::string verdict_of(const Entry& entry) const {
    const EntryResult* result = result_of(entry);
    return result ? std::string{name_of(result->verdict)} : "not tested";
  }
  [[nodiscard]] static std::string link(const Entry& entry, const std::string& root,
                                        const std::string& text) {
    return fmt::format("<a href=\"{}entries/{}\">{}</a>", root, entry_page_name(entry.id),
                       escaped(text));
  }
  [[nodiscard]] std::string links(const std::vector<std::string>& ids,
                                  const std::string& root) const {
    std::vector<std::string> all;
    for (const std::string& id : ids)
      if (const Entry* entry = registry_.find(id)) all.push_back(link(*entry, root, id));
    return all.empty() ? "nothing" : fmt::format("{}", fmt::join(all, ", "));
  }

  // --- index ------------------------------------------------------------------------------------
  struct Column {
    const char* key;
    const char* label;
  };
  static constexpr std::array<Column, 8> kColumns{{{"number", "ID"},
                                                   {"name", "Name"},
                                                   {"type", "Type"},
                                                   {"status", "Status"},
                                                   {"priority", "Priority"},
                                                   {"difficulty", "Difficulty"},
                                                   {"unlock", "Unlock value"},
                                                   {"verdict", "Simulated verdict"}}};

  [[nodiscard]] std::string row(const Entry& entry) const {
    const std::array<std::string, 8> cells{
        link(entry, "", entry.id),
        link(entry, "", entry.name) +
            (entry.stale(as_of_) ? " <span class=\"stale\">stale</span>" : ""),
        std::string{name_of(entry.type)},
        std::string{name_of(entry.status)},
        std::to_string(entry.priority),
        std::to_string(entry.difficulty),
        escaped(entry.unlock),
        escaped(verdict_of(entry))};
    std::string out = fmt::format(
        "<tr data-number=\"{}\" data-name=\"{}\" data-type=\"{}\" data-status=\"{}\" "
        "data-priority=\"{}\" data-difficulty=\"{}\" data-unlock=\"{}\" data-verdict=\"{}\">",
        entry.number, escaped(entry.name), name_of(entry.type), name_of(entry.status),
        entry.priority, entry.difficulty, escaped(entry.unlock), escaped(verdict_of(entry)));
    for (std::size_t c = 0; c < cells.size(); ++c)
      out += fmt::format("<td data-label=\"{}\">{}</td>", kColumns[c].label, cells[c]);
    return out + "</tr>\n";
  }

  [[nodiscard]] std::string filters() const {
    const std::vector<std::string> scale{"5", "4", "3", "2", "1"};
    std::vector<std::string> verdicts = words_of(kRegistryVerdicts);
    verdicts.emplace_back("not tested");
    return "<form id=\"filters\" class=\"filters\" aria-label=\"Filter the entries\" hidden "
           "onsubmit=\"return false\">\n" +
           select("type", "Type", words_of(kEntryTypes)) +
           select("status", "Status", words_of(kEntryStatuses)) +
           select("priority", "Priority", scale) + select("difficulty", "Difficulty", scale) +
           select("verdict", "Verdict", verdicts) +
           "<label>Words<input id=\"search\" name=\"words\" type=\"search\"></label>\n"
           "<button id=\"reset\" type=\"button\">Show all</button>\n</form>\n"
           "<p id=\"count\" role=\"status\"></p>\n";
  }

  [[nodiscard]] std::string index() const {
    const auto stale = std::ranges::count_if(
        registry_.entries, [&](const Entry& entry) { return entry.stale(as_of_); });
    std::string out = fmt::format(
        "<h1>Bottleneck registry of LLM inference</h1>\n<p>{} entries, schema v0.2, as of {}; {} "
        "are past their review. What each would unlock is an estimate of its authors; the last "
        "column says what simulated silicon makes of it.</p>\n",
        registry_.entries.size(), to_string(as_of_), stale);
    out += filters();
    out +=
        "<div class=\"wide\"><table id=\"entries\" class=\"stack\">\n<caption>All entries; the "
        "headings sort</caption>\n<thead><tr>";
    for (const Column& column : kColumns)
      out +=
          fmt::format("<th scope=\"col\"><button type=\"button\" data-key=\"{}\">{}</button></th>",
                      column.key, column.label);
    out += "</tr></thead>\n<tbody>\n";
    for (const Entry& entry : registry_.entries) out += row(entry);
    return out + "</tbody></table></div>\n";
  }

  // --- graph ------------------------------------------------------------------------------------
  [[nodiscard]] std::string graph() const {
    std::string out =
        "<h1>Dependency graph</h1>\n<p>An arrow leads from an entry to those that depend on it; a "
        "dashed pair depend on each other. Entries below the columns stand alone. Each one is a "
        "link.</p>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Graph\">\n" +
        graph_svg(graph_, "entries/") + "</div>\n";
    std::vector<std::vector<std::string>> rows;
    std::vector<const GraphNode*> nodes;
    for (const GraphNode& node : graph_.nodes()) nodes.push_back(&node);
    std::ranges::stable_sort(nodes, std::greater{}, &GraphNode::downstream_priority);
    for (const GraphNode* node : nodes)
      rows.push_back({link(*registry_.find(node->id), "", node->id), links(node->needs, ""),
                      links(node->unlocks, ""), std::to_string(node->downstream.size()),
                      std::to_string(node->downstream_priority)});
    out += html_table("What unlocks most: entries reached, and the sum of their priorities",
                      {"Entry", "Depends on", "Unlocks", "Reaches", "Value"}, rows);
    for (const auto& circle : graph_.circles())
      out += fmt::format("<p>Depend on each other: {}.</p>\n", links(circle, ""));
    out += "<h2>Critical chains</h2>\n<ul>\n";
    for (const auto& chain : graph_.critical_chains()) {
      std::vector<std::string> steps;
      for (const auto& group : chain) steps.push_back(links(group, ""));
      out += fmt::format("<li>{}</li>\n", fmt::join(steps, " → "));
    }
    return out + "</ul>\n<h2>Order</h2>\n<p>By priority, then ease, then what is downstream: " +
           links(graph_.order(), "") + ".</p>\n";
  }

  // --- dashboards -------------------------------------------------------------------------------
  template <class Of>
  [[nodiscard]] std::vector<std::vector<std::string>> counted(const std::vector<std::string>& words,
                                                              Of of) const {
    std::vector<std::vector<std::string>> rows;
    for (const std::string& word : words) {
      std::vector<std::string> ids;
      for (const Entry& entry : registry_.entries)
        if (of(entry) == word) ids.push_back(entry.id);
      if (!ids.empty()) rows.push_back({escaped(word), std::to_string(ids.size()), links(ids, "")});
    }
    return rows;
  }

  [[nodiscard]] std::string heat_map() const {
    std::string out =
        "<div class=\"wide\"><table class=\"heat\">\n<caption>Priority against difficulty</caption>"
        "\n<thead><tr><th scope=\"col\">priority</th>";
    for (int difficulty = 1; difficulty <= kScaleEnd; ++difficulty)
      out += fmt::format("<th scope=\"col\">difficulty {}</th>", difficulty);
    out += "</tr></thead>\n<tbody>\n";
    for (int priority = kScaleEnd; priority >= 1; --priority) {
      out += fmt::format("<tr><th scope=\"row\">{}</th>", priority);
      for (int difficulty = 1; difficulty <= kScaleEnd; ++difficulty) {
        std::vector<std::string> ids;
        for (const Entry& entry : registry_.entries)
          if (entry.priority == priority && entry.difficulty == difficulty) ids.push_back(entry.id);
        // three shades
        out += fmt::format("<td class=\"h{}\">{}</td>", std::min<std::size_t>(ids.size(), 3),
                           ids.empty() ? "" : links(ids, ""));
      }
      out += "</tr>\n";
    }
    return out + "</tbody></table></div>\n";
  }

  [[nodiscard]] std::string resolved() const {
    std::string out = "<h2>Resolved</h2>\n";
    std::string items;
    for (const FeedItem& item : history())
      if (item.item().status == EntryStatus::Resolved)
        items += fmt::format("<li>{}: {} ({})</li>\n", to_string(item.item().date),
                             link(*item.entry, "", item.entry->id + ", " + item.entry->name),
                             escaped(item.item().evidence));
    return out + (items.empty() ? "<p>None so far.</p>\n" : "<ul>\n" + items + "</ul>\n");
  }

  [[nodiscard]] std::string dashboards() const {
    std::vector<std::string> verdicts = words_of(kRegistryVerdicts);
    verdicts.emplace_back("not tested");
    std::vector<std::string> stale;
    for (const Entry& entry : registry_.entries)
      if (entry.stale(as_of_)) stale.push_back(entry.id);
    return "<h1>Dashboards</h1>\n<h2>By type</h2>\n" +
           html_table("Entries by type", {"Type", "Entries", "Which"},
                      counted(words_of(kEntryTypes),
                              [](const Entry& e) { return std::string{name_of(e.type)}; })) +
           "<h2>By status</h2>\n" +
           html_table("Entries by status", {"Status", "Entries", "Which"},
                      counted(words_of(kEntryStatuses),
                              [](const Entry& e) { return std::string{name_of(e.status)}; })) +
           "<h2>By simulated verdict</h2>\n" +
           html_table("Entries by verdict", {"Verdict", "Entries", "Which"},
                      counted(verdicts, [this](const Entry& e) { return verdict_of(e); })) +
           "<h2>Priorities</h2>\n" + heat_map() + "<h2>Past their review</h2>\n<p>" +
           fmt::format("As of {}: {}.", to_string(as_of_), links(stale, "")) + "</p>\n" +
           resolved();
  }

  // --- changes, feeds ---------------------------------------------------------------------------
  [[nodiscard]] std::vector<FeedItem> history() const {
    std::vector<const Entry*> all;
    for (const Entry& entry : registry_.entries) all.push_back(&entry);
    return history_of(all);
  }

  [[nodiscard]] std::string changes() const {
    std::vector<std::vector<std::string>> rows;
    for (const FeedItem& item : history())
      rows.push_back({to_string(item.item().date), link(*item.entry, "", item.entry->id),
                      escaped(item.item().change),
                      item.item().status ? std::string{name_of(*item.item().status)} : "",
                      escaped(item.item().evidence)});
    std::string out = "<h1>Change log</h1>\n" +
                      html_table("What happened, the newest first",
                                 {"Date", "Entry", "Change", "Status", "Evidence"}, rows) +
                      "<h2>Feeds</h2>\n<ul>\n<li><a href=\"feeds/all.xml\">all changes</a></li>\n";
    for (const std::string& tag : tags())
      out += fmt::format("<li><a href=\"{}\">{}</a></li>\n", feed_name(tag), escaped(tag));
    return out + "</ul>\n";
  }

  /// An entry's own, and its type.
  [[nodiscard]] static std::vector<std::string> tags_of(const Entry& entry) {
    std::vector<std::string> tags = entry.tags;
    const std::string type{name_of(entry.type)};
    if (std::ranges::count(tags, type) == 0) tags.push_back(type);
    return tags;
  }
  [[nodiscard]] std::set<std::string> tags() const {
    std::set<std::string> all;
    for (const Entry& entry : registry_.entries)
      for (const std::string& tag : tags_of(entry)) all.insert(tag);
    return all;
  }

  void add_feeds() {
    files_["feeds/all.xml"] =
        atom_feed("Bottleneck registry: all changes", "all", history(), "../entries/");
    for (const std::string& tag : tags()) {
      std::vector<const Entry*> tagged;
      for (const Entry& entry : registry_.entries)
        if (std::ranges::count(tags_of(entry), tag) > 0) tagged.push_back(&entry);
      files_[feed_name(tag)] =
          atom_feed("Bottleneck registry: " + tag, "tag-" + tag, history_of(tagged), "../entries/");
    }
  }

  // --- entries ----------------------------------------------------------------------------------
  [[nodiscard]] std::string facts(const Entry& entry) const {
    const auto& nodes = graph_.nodes();
    const auto node = std::ranges::find(nodes, entry.id, &GraphNode::id);
    std::vector<std::string> feeds;
    for (const std::string& tag : tags_of(entry))
      feeds.push_back(fmt::format("<a href=\"../{}\">{}</a>", feed_name(tag), escaped(tag)));
    std::vector<std::string> people;
    for (const Contributor& person : entry.contributors)
      people.push_back(escaped(person.name + " (" + person.contribution + ")"));
    std::string out = "<dl class=\"facts\">\n";
    for (const auto& [term, what] : std::vector<std::pair<std::string, std::string>>{
             {"Type", std::string{name_of(entry.type)}},
             {"Status", std::string{name_of(entry.status)}},
             {"Priority", fmt::format("{} of 5", entry.priority)},
             {"Difficulty", fmt::format("{} of 5", entry.difficulty)},
             {"Unlock value", escaped(entry.unlock)},
             {"Depends on", links(entry.depends_on, "../")},
             {"Unlocks", links(node->unlocks, "../")},
             {"Reviewed", to_string(entry.last_reviewed)},
             {"Review due", to_string(entry.due()) +
                                (entry.stale(as_of_) ? " <span class=\"stale\">stale</span>" : "")},
             {"Contributors", fmt::format("{}", fmt::join(people, ", "))},
             {"Feeds", fmt::format("{}", fmt::join(feeds, ", "))}})
      out += fmt::format("<dt>{}</dt><dd>{}</dd>\n", term, what);
    return out + "</dl>\n";
  }

  [[nodiscard]] static std::string solutions(const Entry& entry) {
    std::vector<std::vector<std::string>> rows;
    for (const KnownSolution& solution : entry.solutions)
      rows.push_back({escaped(solution.title), std::string{name_of(solution.maturity)},
                      escaped(solution.citation)});
    std::string out = html_table("Known solutions", {"Solution", "Maturity", "Citation"}, rows) +
                      "<h2>Blockers</h2>\n<ul>\n";
    for (const std::string& blocker : entry.blockers) out += "<li>" + escaped(blocker) + "</li>\n";
    return out + "</ul>\n";
  }

  [[nodiscard]] static std::string history_html(const Entry& entry) {
    std::vector<std::vector<std::string>> rows;
    for (const HistoryItem& item : entry.history)
      rows.push_back({to_string(item.date), escaped(item.change),
                      item.status ? std::string{name_of(*item.status)} : "",
                      escaped(item.evidence)});
    return html_table("Versions", {"Date", "Change", "Status", "Evidence"}, rows);
  }

  [[nodiscard]] std::string entry_body(const Entry& entry) const {
    std::string out = fmt::format("<h1>{}: {}</h1>\n", entry.id, escaped(entry.name)) +
                      facts(entry) + html_of_markdown(entry.body) + "<h2>Known solutions</h2>\n" +
                      solutions(entry) + "<h2>Put to the test</h2>\n";
    if (const EntryResult* result = result_of(entry))
      out += "<p>Runs of program " +
             escaped(program_text(validation_.version, validation_.revision)) + ".</p>\n" +
             result_html(*result, validation_, 3) + runs_html(validation_, result);  // below its h2
    else
      out += "<p>No results at hand.</p>\n";
    return out + "<h2>Change log</h2>\n" + history_html(entry);
  }

  const Registry& registry_;
  const Validation& validation_;
  const Date as_of_;
  const DependencyGraph graph_;
  Files files_;
};
}  // namespace

std::map<std::string, std::string> site_files(const Registry& registry,
                                              const Validation& validation, const Date& as_of) {
  return Site{registry, validation, as_of}.files();
}

}  // namespace reticle
