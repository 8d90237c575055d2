// SPDX-License-Identifier: Apache-2.0
#include "sim/validate/table.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <string_view>

#include "tests/workloads/scratch_file.hpp"

using namespace reticle;

namespace {
/// What `use` of a table of this content complains about, the file's path replaced by "F".
std::string table_complaint(std::string_view content,
                            const std::function<void(const Table&)>& use = {}) {
  const ScratchFile file{content};
  try {
    const Table table{file.path()};
    if (use) use(table);
  } catch (const ConfigError& error) {
    std::string text = error.what();
    if (text.starts_with(file.path())) text.replace(0, file.path().size(), "F");
    return text;
  }
  return "";
}
}  // namespace

TEST_CASE("table: values are found by the name of their column") {
  const ScratchFile file{"op,us,note\ngemm,12.5,\n\"a,b\",,\"say \"\"hi\"\"\"\r\n"};
  const Table table{file.path()};
  REQUIRE(table.rows().size() == 2);
  CHECK(table.columns().size() == 3);
  CHECK(table.rows()[0].text("op") == "gemm");
  CHECK(table.rows()[0].number("us") == 12.5);
  CHECK(table.rows()[0].text("note").empty());
  CHECK(table.rows()[1].text("op") == "a,b");
  CHECK_FALSE(table.rows()[1].number("us"));
  CHECK(table.rows()[1].text("note") == "say \"hi\"");
}

TEST_CASE("table: what is no table names file, line and column") {
  CHECK(table_complaint("") == "F: table: expected column names, found nothing");
  CHECK(table_complaint("a,b\n1,2,3\n") ==
        "F:2:1: table: expected 2 values as in the header, got 3");
  CHECK(table_complaint("a,b\n\n1\n") == "F:3:1: table: expected 2 values as in the header, got 1");
  CHECK(table_complaint("a,b\n1,\"2\n") == "F:2:3: table: expected a closing quote on this line");
  CHECK(table_complaint("a,b\n\"1\"x,2\n") ==
        "F:2:4: table: expected a comma behind the closing quote");
  CHECK(table_complaint("a,b,a\n") == "F:1:5: table: expected each column once, found 'a'");
}

TEST_CASE("table: a number is a finite one, and a missing column is not an empty value") {
  const auto number = [](const Table& t) { (void)t.rows()[0].number("us"); };
  CHECK(table_complaint("op,us\n\"a,b\",twelve\n", number) ==
        "F:2:7: us: expected a number, got 'twelve'");
  for (const std::string_view text : {"nan", "inf", "1e999", "12.5us", " 1", "0x10"})
    CHECK_FALSE(table_complaint("us\n" + std::string{text} + "\n", number).empty());
  CHECK(table_complaint("uss\n1\n", number) ==
        "F:1: us: expected a column of this name (did you mean uss?)");
}
