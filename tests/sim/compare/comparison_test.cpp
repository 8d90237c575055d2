// SPDX-License-Identifier: Apache-2.0
#include "sim/compare/comparison.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

using namespace reticle;
using Json = nlohmann::json;

namespace {
ClaimRange range(double low, double high) { return {low, high, ""}; }

CellFigures cell(double tokens_per_s, double joules, double usd) {
  CellFigures c;
  c.nodes = 1;
  c.packages = c.dies = 2;
  c.tokens_per_s = tokens_per_s;
  c.bound_tokens_per_s = 2 * tokens_per_s;
  c.node_j = joules;
  c.usd_per_m_tokens = usd;
  c.capex_usd = 80'000;
  c.busy_power_w = tokens_per_s * joules;
  c.limited_by = "weights_hbm";
  return c;
}

PlatformRow row(const std::string& name, double scale) {
  PlatformRow r;
  r.name = name;
  r.kind = name == "asic" ? ClaimKind::Projection : ClaimKind::Shipping;
  r.cells[0] = cell(10 * scale, 40 / scale, 20 / scale);
  r.cells[1] = cell(100 * scale, 4 / scale, 2 / scale);
  r.cells[2] = cell(50 * scale, 8 / scale, 4 / scale);
  return r;
}

/// One chip of "gpu" is stated to do 30 tokens/s with 700 W; Table 2 sets "asic" beside it.
PaperClaims claims() {
  PaperClaims c;
  c.platforms = {{"gpu", "GPU", range(1, 1), ClaimKind::Shipping},
                 {"asic", "ASIC", range(1, 1), ClaimKind::Projection}};
  c.radar_reference = "gpu";
  c.axes = {{"decode_single", "Decode", "tokens/s"},
            {"energy_efficiency", "Energy", "tokens/J"},
            {"software", "Software", "points", false, 0, 10}};
  c.table1_llm = "small";
  c.table2_llm = "big";
  Table1Row one;
  one.platform = "gpu";
  one.precision = "bf16";
  one.cells = {{"price", range(30'000, 30'000)},
               {"decode_single", range(28, 35)},
               {"per_chip", range(28, 35)},
               {"power", range(700, 700)},
               {"energy", range(20, 25)}};
  c.table1 = {one};
  c.table2_h100 = "gpu";
  c.table2_asic = "asic";
  c.table2 = {{"decode_single", "tokens/s", range(15, 25), range(300, 800), range(15, 50)},
              {"energy", "J/token", range(30, 60), range(0.3, 1.5), range(40, 150)}};
  c.reference_asic = {{"power", range(1000, 2000)}};
  c.software = {{"gpu", range(10, 10)}, {"asic", range(4, 7)}};
  return c;
}

Comparison compared() {
  Comparison c;
  c.llm = "big";
  c.utilisation = 0.8;
  c.rows = {row("gpu", 1), row("asic", 20)};
  c.rows[0].cells[static_cast<std::size_t>(Load::Table1)] = cell(36, 25, 30);
  complete(c, claims());
  return c;
}

const TableCell& find(const std::vector<TableCell>& table, const std::string& figure,
                      const std::string& column = "") {
  const auto found = std::ranges::find_if(
      table, [&](const TableCell& c) { return c.figure == figure && c.column == column; });
  REQUIRE(found != table.end());
  return *found;
}

bool has(const Comparison& c, const std::string& platform, const std::string& kind) {
  return std::ranges::any_of(c.contradictions, [&](const Contradiction& x) {
    return x.platform == platform && x.kind == kind;
  });
}
}  // namespace

TEST_CASE("verdict_of: inside a range widened by 5 %, below or above it, or without either") {
  const auto verdict = [](double ours) { return verdict_of(ours, range(100, 200)); };
  CHECK(verdict(94.9) == Verdict::Below);
  CHECK(verdict(95) == Verdict::Inside);
  CHECK(verdict(150) == Verdict::Inside);
  CHECK(verdict(210) == Verdict::Inside);
  CHECK(verdict(210.1) == Verdict::Above);
  CHECK(verdict_of(std::nullopt, range(1, 2)) == Verdict::None);
  CHECK(verdict_of(1, std::nullopt) == Verdict::None);
}

TEST_CASE(
    "Table 1: each stated figure has ours of the deployment that ran, and per chip its share") {
  const Comparison c = compared();
  REQUIRE(c.table1.size() == 6);
  CHECK(*find(c.table1, "decode_single").ours == 36);
  // Two packages ran for the one that is stated: the verdict is of its share.
  CHECK(find(c.table1, "decode_single").share == 0.5);
  CHECK(find(c.table1, "decode_single").verdict == Verdict::Below);
  CHECK(*find(c.table1, "per_chip").ours == 18);
  CHECK(find(c.table1, "per_chip").verdict == Verdict::Below);
  CHECK(*find(c.table1, "power").ours == 900);
  CHECK(find(c.table1, "power").verdict == Verdict::Below);  // 450 W each, 700 stated
  CHECK(find(c.table1, "energy").verdict == Verdict::Inside);
  CHECK(find(c.table1, "power").limited_by == "weights_hbm");
  CHECK(find(c.table1, "price").limited_by == "stated_price");  // no part of the time sets it
  CHECK(find(c.table1, "energy").note == "bf16; of 2 packages, stated of 1");
  CHECK(find(c.table1, "energy").share == 1);
}

TEST_CASE("Table 2: energy is answered at both batches, and a gain is the better over the worse") {
  const Comparison c = compared();
  CHECK(find(c.table2, "decode_single", "h100").verdict == Verdict::Below);
  CHECK(*find(c.table2, "decode_single", "ratio").ours == doctest::Approx(20));
  CHECK(find(c.table2, "decode_single", "ratio").verdict == Verdict::Inside);
  CHECK(*find(c.table2, "energy_single", "ratio").ours == doctest::Approx(20));  // lower is better
  CHECK(find(c.table2, "energy_single", "asic").verdict == Verdict::Above);
  CHECK(find(c.table2, "energy_batch64", "asic").verdict == Verdict::Below);
  CHECK(*find(c.table2, "energy_batch64", "asic").ours == doctest::Approx(0.2));
}

TEST_CASE("Table 2: a baseline in the paper's format has a column and gains of its own") {
  Comparison c = compared();
  Comparison with = compared();
  with.baselines = {row("gpu@bf16", 0.5)};
  with.table2.clear();
  complete(with, claims());
  CHECK(with.table2.size() > c.table2.size());
  const auto ratio = std::ranges::find(with.table2, "asic over gpu@bf16", &TableCell::platform);
  REQUIRE(ratio != with.table2.end());
  CHECK(*ratio->ours == doctest::Approx(40));
  CHECK(*find(with.table2, "decode_single", "h100").ours == doctest::Approx(5));  // it comes first
}

TEST_CASE("Table 2: is of its own model, unchanged, and empty for another") {
  Comparison changed;
  changed.llm = "big";
  changed.llm_changed = "llm.layers is set";
  changed.rows = {row("gpu", 1), row("asic", 20)};
  complete(changed, claims());
  CHECK(changed.table2.empty());
  CHECK(std::ranges::count(changed.remarks,
                           "Table 2 is of big as it is shipped: llm.layers is set") == 1);
  CHECK_FALSE(has(changed, "gpu", "accounting"));  // one chip is not said to hold this one

  Comparison c;
  c.llm = "other";
  c.rows = {row("gpu", 1), row("asic", 20)};
  complete(c, claims());
  CHECK(c.table2.empty());
  CHECK(std::ranges::count(c.remarks, "Table 2 is of big, not of other") == 1);
}

TEST_CASE(
    "contradictions: one chip for two, a rate above the memory's, power that its product denies") {
  const Comparison c = compared();
  CHECK(has(c, "gpu", "fit"));                 // 1 stated, 2 needed
  CHECK(has(c, "gpu", "accounting"));          // and its rate is said to be one chip's
  CHECK_FALSE(has(c, "gpu", "bandwidth"));     // 35 stated, 72 / 2 = 36 at most
  CHECK_FALSE(has(c, "gpu", "power_stated"));  // 28 x 20 to 35 x 25 around 700

  Comparison tight = compared();
  tight.rows[0].cells[static_cast<std::size_t>(Load::Table1)]->bound_tokens_per_s =
      68;  // 34 for one chip
  PaperClaims stated = claims();
  stated.table1[0].cells["power"] = range(300, 400);  // 560 to 875 W by its rate and energy
  tight.contradictions = contradictions_of(tight, stated);
  CHECK(has(tight, "gpu", "bandwidth"));
  CHECK(has(tight, "gpu", "power_stated"));
}

TEST_CASE("contradictions: limits that cells break are listed once per platform and kind") {
  Comparison only;
  only.rows = {row("gpu", 1)};
  std::vector<PlatformRow>& rows = only.rows;
  for (auto& c : rows[0].cells)
    if (c) c->limits = {{"die_area", "too large"}, {"power", "too hot"}};
  const auto found = contradictions_of(only, claims());
  for (const char* kind : {"die_area", "power"})
    CHECK(std::ranges::count(found, kind, &Contradiction::kind) == 1);
  rows[0].cells[0]->limits.push_back({"die_area", "too small"});  // another of the kind
  CHECK(contradictions_of(only, claims()).size() == found.size() + 1);
}

TEST_CASE("a platform without a report: its row has the reason and no figure") {
  Comparison c = compared();
  CellFigures none;
  none.fits = false;
  none.problem = "4096 chips, \"too few\"";
  none.limited_by = "capacity";
  c.rows[1].cells = {none, none, none, std::nullopt};
  c.table2.clear();
  c.radar.clear();
  complete(c, claims());
  CHECK_FALSE(value_of(c.rows[1], figure_named("decode_single")));
  CHECK(find(c.table2, "decode_single", "asic").limited_by == "capacity");
  CHECK(find(c.table2, "decode_single", "asic").verdict == Verdict::None);
  CHECK_FALSE(find(c.table2, "decode_single", "ratio").ours);
  CHECK(projections_csv(c).find("\"4096 chips, \"\"too few\"\"\"\n") != std::string::npos);
  CHECK(comparison_summary(c).find("4096 chips") != std::string::npos);
  c.rows[1].cells[0] = c.rows[1].cells[1] = cell(1, 1, 1);  // where others fit, which one does not
  CHECK(projections_csv(c).find("\"trace: 4096 chips, \"\"too few\"\"\"\n") != std::string::npos);
  CHECK(comparison_markdown(c).find("; trace: 4096 chips") != std::string::npos);
}

TEST_CASE("projections_csv: every row has a field per column, units stand in the head") {
  const std::string csv = projections_csv(compared());
  const std::string head = csv.substr(0, csv.find('\n'));
  CHECK(head.find("decode_single per chip [tokens/s]") != std::string::npos);
  const auto commas = [](const std::string& line) { return std::ranges::count(line, ','); };
  std::size_t at = head.size() + 1;
  for (int i = 0; i < 2; ++i) {
    const std::string line = csv.substr(at, csv.find('\n', at) - at);
    CHECK(commas(line) == commas(head));
    at += line.size() + 1;
  }
  CHECK(at == csv.size());
}

TEST_CASE("compare.json: the radar is by platform, an efficiency the inverse of its figure") {
  const Comparison c = compared();
  const Json json = Json::parse(comparison_json(c, claims(), {"1", "r"}));
  CHECK(json["platforms"].size() == 2);
  CHECK(json["platforms"][0]["figures"]["decode_batch64"]["per_chip"] == 50);
  // No word for a platform says that its figures were measured: they are simulated.
  CHECK(json["platforms"][0]["kind"] == "shipping");
  CHECK(json["platforms"][1]["kind"] == "projection");
  for (const std::string& text :
       {comparison_markdown(c), comparison_summary(c), projections_csv(c)}) {
    CHECK(text.find("shipping") != std::string::npos);
    CHECK(text.find("easured") == std::string::npos);
  }
  CHECK(json["radar"]["axes"][1]["values"]["gpu"]["low"] == 0.25);
  CHECK(json["radar"]["axes"][2]["values"]["asic"] == Json{{"low", 4.0}, {"high", 7.0}});
  CHECK(json["table1"].size() == c.table1.size());
  CHECK(json["contradictions"].size() == c.contradictions.size());
}
