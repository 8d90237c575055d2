// SPDX-License-Identifier: Apache-2.0
// Bits of HTML: escaped text, pages, tables, and the Markdown that entries are written in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reticle {

/// Safe as text and between double quotes.
std::string escaped(std::string_view text);

/// Headings from `##` on, lists, paragraphs, **strong**, *emphasised*, `code` and [links](to) that
/// lead to http(s) or stay below. Anything else is text. `level` is the rank of `##`.
std::string html_of_markdown(std::string_view markdown, int level = 2);

/// A table with a caption and headings; cells are HTML already.
std::string html_table(const std::string& caption, const std::vector<std::string>& headings,
                       const std::vector<std::vector<std::string>>& rows);

struct Page {
  std::string title;
  std::string root;    ///< from the page to the top of the site: "" or "../"
  std::string style;   ///< name of the sheet below root, or CSS itself where it holds a brace
  std::string script;  ///< name of the script below root; empty: none
  std::string navigation, body;                            ///< HTML
  std::vector<std::pair<std::string, std::string>> feeds;  ///< title, address
};
std::string html_page(const Page& page);

}  // namespace reticle
