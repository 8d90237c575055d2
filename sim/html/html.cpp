// SPDX-License-Identifier: Apache-2.0
#include "sim/html/html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <sstream>

namespace reticle {

namespace {
bool is_safe_address(std::string_view to) {
  if (to.starts_with("http://") || to.starts_with("https://")) return true;
  return to.find(':') == std::string_view::npos && !to.starts_with("//");
}

/// What a mark at `at` makes, and where it ends; absent where it is no mark.
struct Marked {
  std::string html;
  std::size_t end = 0;
};

std::optional<Marked> between(std::string_view text, std::size_t at, std::string_view mark,
                              std::string_view element) {
  if (!text.substr(at).starts_with(mark)) return std::nullopt;
  const std::size_t from = at + mark.size(), to = text.find(mark, from);
  if (to == std::string_view::npos || to == from || text[from] == ' ') return std::nullopt;
  return Marked{fmt::format("<{0}>{1}</{0}>", element, escaped(text.substr(from, to - from))),
                to + mark.size()};
}

std::optional<Marked> link_at(std::string_view text, std::size_t at) {
  if (text[at] != '[') return std::nullopt;
  const std::size_t middle = text.find("](", at), end = text.find(')', at);
  if (middle == std::string_view::npos || end == std::string_view::npos || end < middle)
    return std::nullopt;
  const std::string_view to = text.substr(middle + 2, end - middle - 2);
  if (!is_safe_address(to)) return std::nullopt;
  return Marked{fmt::format("<a href=\"{}\">{}</a>", escaped(to),
                            escaped(text.substr(at + 1, middle - at - 1))),
                end + 1};
}

std::string inline_html(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::optional<Marked> marked = between(text, at, "`", "code");
    if (!marked) marked = between(text, at, "**", "strong");
    if (!marked) marked = between(text, at, "*", "em");
    if (!marked) marked = link_at(text, at);
    out += marked ? marked->html : escaped(text.substr(at, 1));
    at = marked ? marked->end : at + 1;
  }
  return out;
}

/// Blocks of lines, one after another.
class Blocks {
 public:
  explicit Blocks(int level) : level_{level} {}

  void line(const std::string& text) {
    const auto hashes = text.find_first_not_of('#');
    // Headings of two to five, one level lower: HTML has six.
    if (hashes >= 2 && hashes < 6 && text.size() > hashes && text[hashes] == ' ') {
      close();
      const int rank = level_ + static_cast<int>(hashes) - 2;
      out_ += fmt::format("<h{0}>{1}</h{0}>\n", rank, inline_html(text.substr(hashes + 1)));
    } else if (text.starts_with("- ")) {
      end_item();
      if (!in_list_) {
        close();
        out_ += "<ul>\n";
        in_list_ = true;
      }
      open_ = text.substr(2);
    } else if (text.find_first_not_of(' ') == std::string::npos) {
      close();
    } else {
      open_ += (open_.empty() ? "" : " ") + text.substr(text.find_first_not_of(' '));
    }
  }
  std::string take() {
    close();
    return std::move(out_);
  }

 private:
  void end_item() {
    if (in_list_ && !open_.empty()) {
      out_ += "<li>" + inline_html(open_) + "</li>\n";
      open_.clear();
    }
  }
  void close() {
    if (in_list_) {
      end_item();
      out_ += "</ul>\n";
      in_list_ = false;
    } else if (!open_.empty()) {
      out_ += "<p>" + inline_html(open_) + "</p>\n";
      open_.clear();
    }
  }

  int level_;
  bool in_list_ = false;
  std::string open_;  ///< text of the paragraph or item so far
  std::string out_;
};
}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

std::string html_of_markdown(std::string_view markdown, int level) {
  Blocks blocks{level};
  std::istringstream lines{std::string{markdown}};
  for (std::string line; std::getline(lines, line);) blocks.line(line);
  return blocks.take();
}

std::string html_table(const std::string& caption, const std::vector<std::string>& headings,
                       const std::vector<std::vector<std::string>>& rows) {
  std::string out = "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"" +
                    escaped(caption) + "\"><table>\n<caption>" + escaped(caption) +
                    "</caption>\n<thead><tr>";
  for (const std::string& heading : headings)
    out += "<th scope=\"col\">" + escaped(heading) + "</th>";
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& cells : rows) {
    out += "<tr>";
    for (const std::string& cell : cells) out += "<td>" + cell + "</td>";
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string html_page(const Page& page) {
  const bool own_style = page.style.find('{') != std::string::npos;
  std::string head = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n",
      escaped(page.title));
  head += own_style
              ? "<style>\n" + page.style + "</style>\n"
              : fmt::format("<link rel=\"stylesheet\" href=\"{}{}\">\n", page.root, page.style);
  for (const auto& [title, address] : page.feeds)
    head += fmt::format(
        "<link rel=\"alternate\" type=\"application/atom+xml\" title=\"{}\" href=\"{}\">\n",
        escaped(title), escaped(page.root + address));
  const std::string script =
      page.script.empty() ? ""
                          : fmt::format("<script src=\"{}{}\"></script>\n", page.root, page.script);
  const std::string navigation =
      page.navigation.empty()
          ? ""
          : "<header><nav aria-label=\"Site\">\n" + page.navigation + "</nav></header>\n";
  return fmt::format(
      "{}</head>\n<body>\n<a class=\"skip\" href=\"#content\">Skip to content</a>\n{}"
      "<main id=\"content\">\n{}</main>\n{}</body>\n</html>\n",
      head, navigation, page.body, script);
}

}  // namespace reticle
