// SPDX-License-Identifier: Apache-2.0
#include "sim/compare/cell.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "sim/base/error.hpp"

using namespace reticle;
using Json = nlohmann::json;

namespace {
Json example_report() {
  return {{"inputs", {{"fidelity", "transaction"}, {"digest", "00ff"}}},
          {"reticle_version", "1.2"},
          {"git_revision", "abc"},
          {"deployment", {{"nodes", 2}, {"packages", 16}, {"dies", 32}}},
          {"feasible",
           {{"fits", true}, {"limits", Json::array({{{"limit", "power"}, {"text", "too hot"}}})}}},
          {"throughput", {{"output_tokens_per_s", 800.0}}},
          {"latency", {{"tpot_ms", {{"mean", 20.0}}}, {"ttft_ms", nullptr}}},
          {"roofline", {{"tokens_per_s", 1000.0}, {"bound_by", "hbm_bandwidth"}}},
          {"placement", {{"kv", {{"longest_context", 128'000}}}}},
          {"energy", {{"busy_power_w", 9000.0}, {"scopes", {{"node", {{"per_token_j", 12.0}}}}}}},
          {"cost", {{"capex_usd", 1e6}, {"planned", {{"usd_per_m_tokens", 3.5}}}}},
          {"limited_by", {{"category", "weights_hbm"}, {"share", 0.6}}}};
}
}  // namespace

TEST_CASE("read_cell: a report's figures, those that do not apply absent") {
  const CellFigures cell = read_cell(example_report().dump());
  CHECK(cell.fits);
  CHECK(cell.simulated);
  CHECK(cell.packages == 16);
  CHECK(*cell.tokens_per_s == 800);
  CHECK(*cell.tokens_per_s_user == 50);
  CHECK(*cell.context_ktokens == 128);
  CHECK(*cell.node_j == 12);
  CHECK(*cell.usd_per_m_tokens == 3.5);
  CHECK(cell.limited_by == "weights_hbm");
  CHECK_FALSE(cell.ttft_ms);
  CHECK_FALSE(cell.density);
  REQUIRE(cell.limits.size() == 1);
  CHECK(cell.limits[0].text == "too hot");
}

TEST_CASE("read_cell: a bound says so, and is limited by what bounds it") {
  Json report = example_report();
  report["inputs"]["fidelity"] = "roofline";
  report["limited_by"] = nullptr;
  const CellFigures cell = read_cell(report.dump());
  CHECK_FALSE(cell.simulated);
  CHECK(cell.limited_by == "hbm_bandwidth");
}

TEST_CASE("read_cell: what does not fit is limited by capacity and has no figure") {
  Json report = example_report();
  report["feasible"] = {{"fits", false}, {"limits", {{{"limit", "fit"}, {"text", "too small"}}}}};
  const CellFigures cell = read_cell(report.dump());
  CHECK_FALSE(cell.fits);
  CHECK(cell.problem == "too small");
  CHECK(cell.limited_by == "capacity");
  CHECK_FALSE(cell.tokens_per_s);
  CHECK_THROWS_AS((void)read_cell("[]"), ConfigError);
  CHECK_THROWS_AS((void)read_cell("half a rep"), ConfigError);
}

TEST_CASE("is_report_of: other inputs, another program or half a file are not taken") {
  const std::string text = example_report().dump();
  CHECK(is_report_of(text, "00ff", {"1.2", "abc"}));
  CHECK_FALSE(is_report_of(text, "00fe", {"1.2", "abc"}));
  CHECK_FALSE(is_report_of(text, "00ff", {"1.3", "abc"}));
  CHECK_FALSE(is_report_of(text, "00ff", {"1.2", "abd"}));
  CHECK_FALSE(is_report_of(text.substr(0, text.size() / 2), "00ff", {"1.2", "abc"}));
  CHECK_FALSE(is_report_of("", "00ff", {"1.2", "abc"}));
  std::string damaged = text;  // JSON, but no report
  damaged.replace(damaged.find("\"deployment\""), 12, "\"deploymant\"");
  CHECK_FALSE(is_report_of(damaged, "00ff", {"1.2", "abc"}));
}
