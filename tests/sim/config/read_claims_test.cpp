// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_claims.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "sim/config/read_run.hpp"
#include "tests/sim/config/config_fixture.hpp"

namespace reticle {
namespace {
using test::message_of;
using test::TempFile;

std::string text_of(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream{RETICLE_SOURCE_DIR "/configs/claims/" + file}.rdbuf();
  return text.str();
}

/// The message about a file in which `from` became `to`.
std::string message_after(const std::string& file, const std::string& from, const std::string& to) {
  std::string text = text_of(file);
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  const TempFile broken{text};
  std::string message = message_of([&] { (void)check_file(broken.path()); });
  if (message.starts_with(broken.path())) message.erase(0, broken.path().size());
  return message;
}
}  // namespace

TEST_CASE("read_paper_claims: the paper's tables, axes and kinds are there") {
  const PaperClaims claims = read_paper_claims();
  CHECK(claims.table1_llm == "llama-3-70b");
  REQUIRE(claims.table1.size() == 5);
  CHECK(claims.table1[0].cells.at("decode_single")->low == 28);
  CHECK_FALSE(claims.table1[3].cells.at("per_chip"));  // "not applicable" to a wafer
  CHECK(claims.table2.size() == 6);
  CHECK(claims.axes.size() == 6);
  CHECK_FALSE(claims.axes[5].ratio);
  CHECK(claims.find("sohu")->kind == ClaimKind::Claim);
  CHECK(claims.find("ref-asic-paper")->kind == ClaimKind::Projection);
  CHECK(claims.find("tpu-v5p") == nullptr);
  CHECK(claims.agent_density.at("asic").high == 12'000);
  CHECK(claims.examples.size() > 5);
}

TEST_CASE("read_paper_claims: a broken file is refused at its place") {
  const auto paper = [](const std::string& from, const std::string& to) {
    return message_after("paper.yaml", from, to);
  };
  CHECK(paper("{id: h100-8, label", "{id: h100-9, label") ==
        ":13:10: platforms[0].id: expected a platform of the catalogue (did you mean h100-8?), "
        "got h100-9");
  CHECK(paper("kind: shipping, source", "kind: shiping, source").find("shiping") !=
        std::string::npos);
  CHECK(paper("decode_single: {low: 28, high: 35", "decode_single: {low: 38, high: 35")
            .find("table1.rows[0].decode_single.high: must be at least low, got 35") !=
        std::string::npos);
  CHECK(paper("precision: fp8", "precision: fp9").find("number format") != std::string::npos);
  CHECK(paper("decode_single: {low: 28, high: 35", "decode_single: {low: .nan, high: 35")
            .find("table1.rows[0].decode_single.low") != std::string::npos);
  CHECK(paper("scores: null", "scores: 3").find("the paper has none") != std::string::npos);
  CHECK(paper("    - platform: b200-8\n      precision", "    - platfrm: b200-8\n      precision")
            .find("table1.rows[1].platform: required key is missing") != std::string::npos);
  CHECK(paper("- axis: decode_batch64", "- axis: decode_batch46")
            .find("table2.rows[1].axis: expected a figure that is compared (did you mean "
                  "decode_batch64?), got decode_batch46") != std::string::npos);
  CHECK(paper("- axis: decode_batch64", "- axis: decode_single")
            .find("table2.rows[1].axis: is listed twice") != std::string::npos);
  CHECK(paper("- axis: ttft\n      unit: ms", "- axis: ttft\n      unit: s")
            .find("table2.rows[3].unit: must be ms, as ours is, got s") != std::string::npos);
  CHECK(paper("energy: {low: 21, high: 25, unit: J/token", "energy: {low: 21, high: 25, unit: mJ")
            .find("table1.rows[0].energy.unit: must be J/token, as ours is, got mJ") !=
        std::string::npos);
  CHECK(paper("{id: context, title", "{id: contxt, title").find("did you mean context?") !=
        std::string::npos);
  CHECK(paper("nre:\n", "nrf:\n").find("nre: required section is missing") != std::string::npos);
}

TEST_CASE("check_file: figures of the seeds are claims too, with relations and verdicts by word") {
  const auto figures = [](const std::string& from, const std::string& to) {
    return message_after("figures.yaml", from, to);
  };
  CHECK(figures("relation: above", "relation: beyond").find("expected one of inside, above") !=
        std::string::npos);
  CHECK(figures("stated: [28, 35]", "stated: [35, 28]").find("the lower first") !=
        std::string::npos);
  CHECK(figures("verdict: contradicted", "verdikt: contradicted").find("verdict") !=
        std::string::npos);
}
}  // namespace reticle
