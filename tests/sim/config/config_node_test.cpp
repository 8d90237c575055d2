// SPDX-License-Identifier: Apache-2.0
#include "sim/config/config_node.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "sim/config/enum_tables.hpp"
#include "tests/sim/config/config_fixture.hpp"

namespace reticle {
namespace {
using namespace literals;
using test::message_of;
using test::Section;

template <class T>
std::string error_of(std::string_view yaml, std::string_view key) {
  Section section{yaml};
  return message_of([&] { (void)section.node.get<T>(key); });
}
}  // namespace

TEST_CASE("ConfigNode: reads short and long leaves of each type") {
  Section s{
      "banks: 16\nrow: 1 KiB\nt_rp: {value: 14 ns, source: s, confidence: measured}\n"
      "t_cl: {value: 15, unit: ns}\nsram_read_pj_per_bit: 0.118 pJ/bit\n"
      "hbm_pj_per_bit: {value: 2.6, unit: pJ/bit}\nname: two words\non: off\nkv: fp8\n"};
  CHECK(s.node.get<std::int64_t>("banks") == 16);
  CHECK(s.node.get<Bytes>("row") == 1_KiB);
  CHECK(s.node.get<Picoseconds>("t_rp") == 14_ns);
  CHECK(s.node.get<Picoseconds>("t_cl") == 15_ns);
  CHECK(s.node.get<double>("sram_read_pj_per_bit") == 0.118);
  CHECK(s.node.get<double>("hbm_pj_per_bit") == 2.6);
  CHECK(s.node.get<std::string>("name") == "two words");
  CHECK(s.node.get<bool>("on") == false);
  CHECK(s.node.get<Precision>("kv") == Precision::Fp8);
  s.node.reject_unknown_keys();
}

TEST_CASE("ConfigNode: wrong values say where, what was expected and what was found") {
  CHECK(error_of<Picoseconds>("a: 1\nt_cl: 15\n", "t_cl") ==
        "t.yaml:2:7: t_cl: expected a time such as '14.2 ns', got '15'");
  CHECK(error_of<std::int64_t>("banks: many", "banks") ==
        "t.yaml:1:8: banks: expected a whole number, got 'many'");
  CHECK(error_of<std::int64_t>("banks: 2.5", "banks") ==
        "t.yaml:1:8: banks: must be a whole number, got '2.5'");
  CHECK(error_of<double>("x: .inf", "x") == "t.yaml:1:4: x: expected a number, got '.inf'");
  CHECK(error_of<Bytes>("row: {a: 1}", "row") ==
        "t.yaml:1:6: row: expected a size such as '64 MiB' or '1.6 GB', got a section");
  CHECK(error_of<Bytes>("row: [1]", "row") ==
        "t.yaml:1:6: row: expected a size such as '64 MiB' or '1.6 GB', got a list");
  CHECK(error_of<bool>("on:\n", "on") == "t.yaml:1:1: on: expected true or false, got nothing");
  CHECK(
      error_of<Precision>("kv: fp7", "kv") ==
      "t.yaml:1:5: kv: expected one of fp32, bf16, fp16, fp8, int8, mxfp4, nvfp4, int2, got 'fp7'");
  CHECK(error_of<Hertz>("a: 1", "clock") ==
        "t.yaml:1:1: clock: required key is missing, expected a frequency such as '1.2 GHz'");
}

TEST_CASE("ConfigNode: a unit that is not the key's own is refused") {
  CHECK(error_of<double>("hbm_pj_per_bit: {value: 2600, unit: fJ/bit}", "hbm_pj_per_bit") ==
        "t.yaml:1:25: hbm_pj_per_bit: expected the unit 'pJ/bit', got 'fJ/bit'");
  CHECK(error_of<double>("hbm_pj_per_bit: 2600 fJ/bit", "hbm_pj_per_bit") ==
        "t.yaml:1:17: hbm_pj_per_bit: expected a number, got '2600 fJ/bit'");
  CHECK(error_of<std::int64_t>("banks: {value: 4, unit: MB}", "banks") ==
        "t.yaml:1:16: banks: expected the unit 'count', got 'MB'");
}

TEST_CASE("ConfigNode: keys nobody asked for are errors, with the near one named") {
  Section s{"t_rp: 14 ns\nt_rpp: 14 ns\n"};
  (void)s.node.get<Picoseconds>("t_rp");
  CHECK(message_of([&] { s.node.reject_unknown_keys(); }) ==
        "t.yaml:2:1: t_rpp: unknown key (did you mean t_rp?)");
}

TEST_CASE("ConfigNode: sections carry their dotted path") {
  Section s{"die:\n  hbm:\n    stakcs: 4\n"};
  const ConfigNode hbm = s.node.child("die").child("hbm");
  (void)hbm.has("stacks");
  CHECK(hbm.path() == "die.hbm");
  CHECK(message_of([&] { hbm.reject_unknown_keys(); }) ==
        "t.yaml:3:5: die.hbm.stakcs: unknown key (did you mean stacks?)");
  CHECK(message_of([&] { (void)hbm.get<std::int64_t>("stacks"); }) ==
        "t.yaml:3:5: die.hbm.stacks: required key is missing, expected a whole number");
  CHECK(message_of([&] { (void)s.node.child("far"); }) ==
        "t.yaml:1:1: far: required section is missing");
}

TEST_CASE("ConfigNode: absent sections and the word none are no section") {
  Section s{"far: none\nhbm: {x: 1}\nlink: 4\n"};
  CHECK_FALSE(s.node.find_child("far").has_value());
  CHECK_FALSE(s.node.find_child("near").has_value());
  CHECK(s.node.find_child("hbm").has_value());
  CHECK(message_of([&] { (void)s.node.find_child("link"); }) ==
        "t.yaml:3:7: link: expected a section, got '4'");
}

TEST_CASE("ConfigNode: ranges and rules name the value") {
  Section s{"banks: 0\nshare: 1.5\n"};
  CHECK(message_of([&] {
          (void)s.node.get<std::int64_t>("banks", {1, 64});
        }) == "t.yaml:1:8: banks: must be between 1 and 64, got 0");
  (void)s.node.get<double>("share");
  CHECK(message_of([&] { s.node.check("share", false, "must be at most 1"); }) ==
        "t.yaml:2:8: share: must be at most 1, got 1.5");
  CHECK_NOTHROW(s.node.check("share", true, "must be at most 1"));
}

TEST_CASE("ConfigNode: every value read is written down with its origin") {
  Section s{"a: {value: 1600 MB, source: s, confidence: claim}\nlimit: none\nnames: [x, y]\n"};
  (void)s.node.get<Bytes>("a");
  (void)s.node.get<bool>("b", true);
  (void)s.node.find<std::int64_t>("limit");
  (void)s.node.find<double>("share");
  CHECK(s.node.texts("names") == std::vector<std::string>{"x", "y"});
  REQUIRE(s.log.size() == 6);
  const auto line = [&](std::size_t i) {
    const auto& v = s.log[i];
    return v.path + "|" + v.value + "|" + v.origin + "|" + v.source + "|" + v.confidence;
  };
  CHECK(line(0) == "a|1.6 GB|t.yaml:1:12|s|claim");
  CHECK(line(1) == "b|true|default||");
  CHECK(line(2) == "limit|none|t.yaml:2:8||");
  CHECK(line(3) == "share|none|default||");
  CHECK(line(4) == "names[0]|x|t.yaml:3:9||");
  CHECK(line(5) == "names[1]|y|t.yaml:3:12||");
}

TEST_CASE("ConfigNode: lists of texts hold texts") {
  Section s{"names: [x, [y]]\nword: z\n"};
  CHECK(message_of([&] { (void)s.node.texts("names"); }) ==
        "t.yaml:1:12: names[1]: expected a text, got a list");
  CHECK(message_of([&] { (void)s.node.texts("word"); }) ==
        "t.yaml:2:7: word: expected a list, got 'z'");
}
}  // namespace reticle
