// SPDX-License-Identifier: Apache-2.0
#include "sim/html/html.hpp"

#include <doctest/doctest.h>

using namespace reticle;

TEST_CASE("html: text stays text") {
  CHECK(escaped("a<b & \"c\"") == "a&lt;b &amp; &quot;c&quot;");
  CHECK(html_of_markdown("<script>alert(1)</script>") ==
        "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n");
}

TEST_CASE("html: headings, paragraphs and lists of Markdown") {
  CHECK(html_of_markdown("## A\n\none\ntwo\n\n- x\n- y\n  z\n", 3) ==
        "<h3>A</h3>\n<p>one two</p>\n<ul>\n<li>x</li>\n<li>y z</li>\n</ul>\n");
}

TEST_CASE("html: links lead to the web or stay below, never to a script") {
  CHECK(html_of_markdown("[a](https://x.org/?b=1&c)") ==
        "<p><a href=\"https://x.org/?b=1&amp;c\">a</a></p>\n");
  CHECK(html_of_markdown("[a](b.html)").find("href=\"b.html\"") != std::string::npos);
  CHECK(html_of_markdown("[a](javascript:alert(1))").find("href") == std::string::npos);
  CHECK(html_of_markdown("[a](//evil.org)").find("href") == std::string::npos);
}

TEST_CASE("html: marks that do not close are text") {
  CHECK(html_of_markdown("2 * 3 and `b") == "<p>2 * 3 and `b</p>\n");
  CHECK(html_of_markdown("**a** *b* `c<d`") ==
        "<p><strong>a</strong> <em>b</em> <code>c&lt;d</code></p>\n");
}
