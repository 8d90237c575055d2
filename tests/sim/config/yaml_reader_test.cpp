// SPDX-License-Identifier: Apache-2.0
#include "sim/config/yaml_reader.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "tests/sim/config/config_fixture.hpp"

namespace reticle {
namespace {
using test::message_of;
using test::TempFile;

std::string parse_error(std::string_view text) {
  return message_of([&] { (void)parse_yaml(text, "t.yaml"); });
}
}  // namespace

TEST_CASE("parse_yaml: values know their line and column") {
  const ConfigTree tree =
      parse_yaml("a: 1\nb:\n  c:   two words  # comment\n  d: \"x\"\n", "t.yaml");
  const ConfigTree* c = tree.find("b")->find("c");
  CHECK(c->text == "two words");
  CHECK(to_string(c->position) == "t.yaml:3:8");
  CHECK(c->origin == "t.yaml:3:8");
  CHECK(to_string(tree.find("b")->entries[1].position) == "t.yaml:4:3");
}

TEST_CASE("parse_yaml: a long-form leaf is one value with its source") {
  const ConfigTree tree = parse_yaml(
      "t_rp: {value: 14, unit: ns, source: a paper, confidence: measured, year: 2024,\n"
      "       range: [12, 16], note: why, basis: paper}\n",
      "t.yaml");
  const ConfigTree* leaf = tree.find("t_rp");
  REQUIRE(leaf->kind == ConfigTree::Kind::Leaf);
  CHECK(leaf->text == "14");
  CHECK(leaf->unit == "ns");
  CHECK(leaf->source == "a paper");
  CHECK(leaf->confidence == "measured");
  CHECK(leaf->own_provenance);
  CHECK(to_string(leaf->position) == "t.yaml:1:15");
}

TEST_CASE("parse_yaml: a range is two numbers, the lower first") {
  const ConfigTree tree = parse_yaml("a: {value: 14 ns, range: [12, 16.5]}\nb: 3\n", "t.yaml");
  CHECK(tree.find("a")->range == std::pair{12.0, 16.5});
  CHECK_FALSE(tree.find("b")->range);
  for (const auto* wrong : {"[16, 12]", "[12]", "[12, 14, 16]", "12", "[12, x]", "[.nan, 16]"}) {
    const auto text = std::string{"a: {value: 14, range: "} + wrong + "}";
    CHECK(parse_error(text) == "t.yaml:1:23: range: expected [low, high], two numbers");
  }
}

TEST_CASE("parse_yaml: the file's provenance serves leaves without their own, and no labels") {
  const ConfigTree tree = parse_yaml(
      "provenance: {source: a choice, confidence: estimate}\nname: x\nclaims: [big]\n"
      "banks: 4\nrow: {value: 1 KiB, source: s, confidence: datasheet}\n",
      "t.yaml");
  CHECK(tree.find("provenance") == nullptr);
  CHECK(tree.find("banks")->confidence == "estimate");
  CHECK_FALSE(tree.find("banks")->own_provenance);
  CHECK(tree.find("row")->confidence == "datasheet");
  CHECK(tree.find("name")->confidence.empty());
  CHECK(tree.find("claims")->items[0].source.empty());
}

TEST_CASE("parse_yaml: long-form leaves are checked") {
  CHECK(parse_error("a: {value: 1, sorce: x}") ==
        "t.yaml:1:15: sorce: unknown key (did you mean source?)");
  CHECK(parse_error("a: {value: 1, confidence: datashet}") ==
        "t.yaml:1:27: confidence: expected a word such as datasheet or estimate, got 'datashet' "
        "(did you mean datasheet?)");
  CHECK(parse_error("a: {value: [1]}") == "t.yaml:1:12: value: expected a single value");
}

TEST_CASE("parse_yaml: duplicate keys are refused") {
  CHECK(parse_error("a: 1\nb: 2\na: 3\n") == "t.yaml:3:1: a: duplicate key, first at line 1");
}

TEST_CASE("parse_yaml: syntax errors say where") {
  CHECK(parse_error("a: [1, 2\nb: 3\n").starts_with("t.yaml:2:2: not valid YAML: "));
  CHECK(parse_error("a: 1\n\tb: 2\n").starts_with("t.yaml:"));
  CHECK(parse_error("a: \"unterminated").starts_with("t.yaml:"));
}

TEST_CASE("parse_yaml: only one map of words is a configuration") {
  CHECK(parse_error("") == "t.yaml:1:1: expected a map of keys, found nothing");
  CHECK(parse_error("# nothing\n") == "t.yaml:1:1: expected a map of keys, found nothing");
  CHECK(parse_error("- 1\n- 2\n") == "t.yaml:1:1: expected a map of keys");
  CHECK(parse_error("a: 1\n---\nb: 2\n") ==
        "t.yaml:3:1: expected one YAML document, found a second");
  CHECK(parse_error("? [a, b]\n: 1\n") == "t.yaml:1:3: a key must be a single word");
}

TEST_CASE("parse_yaml: anchors, aliases and tags are refused before they expand") {
  CHECK(parse_error("a: &x 1\nb: *x\n") == "t.yaml:1:4: anchors are not allowed");
  CHECK(parse_error("a: &x [1]\nb: [*x, *x]\n").ends_with("anchors are not allowed"));
  CHECK(parse_error("a: !!binary QUJD\n") == "t.yaml:1:4: tags are not allowed");
  std::string bomb = "a: &a [x, x, x]\n";
  for (char c = 'b'; c < 'z'; ++c)
    bomb += std::string{c} + ": &" + c + " [*" + char(c - 1) + ", *" + char(c - 1) + "]\n";
  CHECK(parse_error(bomb) == "t.yaml:1:4: anchors are not allowed");
}

TEST_CASE("parse_yaml: depth, breadth and size are limited") {
  const std::string deep = "a: " + std::string(100, '[') + "x" + std::string(100, ']');
  CHECK(parse_error(deep) == "t.yaml:1:67: nested deeper than 64 levels");
  std::string dashes;
  for (int i = 0; i < 200; ++i) dashes += "- ";
  CHECK(parse_error(dashes + "x").ends_with("nested deeper than 64 levels"));
  std::string wide;
  for (int i = 0; i < 1100; ++i) wide += "k" + std::to_string(i) + ": 1\n";
  CHECK(parse_error(wide) == "t.yaml:1025:8: more than 1024 entries in one place");
  CHECK(parse_error(std::string((4 << 20) + 1, 'x')) == "t.yaml: larger than 4 MiB");
}

TEST_CASE("parse_yaml: what is not text is refused where it begins") {
  CHECK(parse_error(std::string{"a: 1\nb: \0", 9}) ==
        "t.yaml:2:4: not a text: byte 0x00 is not allowed");
  CHECK(parse_error("a: \x1b[31m").ends_with("byte 0x1b is not allowed"));
  CHECK(parse_error("a: \xff\xfe").ends_with("byte 0xff is not allowed"));
  CHECK(parse_error("a: \xc0\xaf").ends_with("byte 0xc0 is not allowed"));      // overlong
  CHECK(parse_error("a: \xed\xa0\x80").ends_with("byte 0xed is not allowed"));  // surrogate
  CHECK(parse_error("a: \xe2\x82").ends_with("byte 0xe2 is not allowed"));      // cut short
  CHECK(parse_error("a: Gr\xc3\xb6\xc3\x9f"
                    "e \xe2\x82\xac \xf0\x9f\x99\x82") == "no error");
}

TEST_CASE("read_yaml: missing files, directories and devices have clear messages") {
  const auto error = [](const std::string& path) {
    return message_of([&] { (void)read_yaml(path, path); });
  };
  CHECK(error("/nowhere/x.yaml") == "/nowhere/x.yaml: no such file");
  CHECK(error("/tmp") == "/tmp: expected a file, found a directory");
  CHECK(error("/dev/zero") == "/dev/zero: expected a regular file");
  const TempFile huge{std::string(5 << 20, ' ')};
  CHECK(error(huge.path()) == huge.path() + ": larger than 4 MiB");
  const TempFile plain{"a: 1\n"};
  CHECK(read_yaml(plain.path(), "p.yaml").find("a")->text == "1");
}
}  // namespace reticle
