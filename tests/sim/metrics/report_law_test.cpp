// SPDX-License-Identifier: Apache-2.0
// Laws of the report: parts add up to totals, equal runs give equal bytes, and a stored run can be
// priced again without loss.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "sim/base/error.hpp"
#include "sim/metrics/report.hpp"
#include "sim/metrics/stored_run.hpp"
#include "tests/sim/metrics/example_run.hpp"

using namespace reticle;
using namespace reticle::literals;
using Json = nlohmann::ordered_json;

namespace {
const BuildInfo kBuild{"0.1.0", "abc123"};

std::string example_report(const PlatformSpec& platform = example_platform()) {
  RunSpec spec = example_spec();
  spec.platform = platform;
  return report_json(spec, example_result(), {.wall_s = 1.5, .peak_rss_bytes = 1 << 20}, kBuild);
}

std::string complaint(const Json& report, const PlatformSpec& platform = example_platform()) {
  try {
    reprice_report_json(report.dump(), platform, "");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}
}  // namespace

TEST_CASE("components of energy, read back in order, sum to the total exactly") {
  const Json report = Json::parse(example_report());
  double sum = 0;
  for (const auto& part : report["energy"]["by_component"]) sum += part.get<double>();
  CHECK(sum == report["energy"]["total_j"].get<double>());
}

TEST_CASE("the time breakdown sums to one, and in picoseconds to the run") {
  const Json report = Json::parse(example_report());
  double fractions = 0;
  for (const auto& part : report["time_breakdown"]) fractions += part.get<double>();
  CHECK(fractions == doctest::Approx(1).epsilon(1e-14));
  std::int64_t picoseconds = 0;
  for (const auto& part : report["time_ps"]["breakdown"]) picoseconds += part.get<std::int64_t>();
  CHECK(picoseconds == report["time_ps"]["simulated"].get<std::int64_t>());
}

TEST_CASE("per chip times chips is the deployment") {
  const Json report = Json::parse(example_report());
  const Json& normalised = report["normalised"];
  for (const auto& item : normalised["deployment"].items()) {
    CAPTURE(item.key());
    CHECK(normalised["per_chip"][item.key()].get<double>() * 6 ==
          doctest::Approx(item.value().get<double>()));
    CHECK(normalised["per_die"][item.key()].get<double>() * 12 ==
          doctest::Approx(item.value().get<double>()));
  }
}

TEST_CASE("equal runs differ in nothing but the block about the simulator") {
  const auto report = [](SimulatorFacts facts) {
    return Json::parse(report_json(example_spec(), example_result(), facts, kBuild));
  };
  CHECK(example_report() == example_report());
  Json one = report({.wall_s = 1, .peak_rss_bytes = 1}),
       other = report({.wall_s = 9, .peak_rss_bytes = 2});
  CHECK(one != other);
  one.erase("simulator");
  other.erase("simulator");
  CHECK(one.dump() == other.dump());
}

TEST_CASE("pricing a stored run by its own prices changes no byte") {
  PlatformSpec hot = example_platform();
  hot.node_power_limit_w = 1;
  for (const auto& platform : {example_platform(), hot})
    CHECK(reprice_report_json(example_report(platform), platform, "") == example_report(platform));
}

TEST_CASE("pricing a stored run anew is as if it had been run under those prices") {
  PlatformSpec other = example_platform();
  other.energy.hbm.activate_nj *= 3;
  other.cost.node_price_usd = 12'000;
  other.node_power_limit_w = 1;  // limits appear,
  Json repriced = Json::parse(reprice_report_json(example_report(), other, "other prices"));
  CHECK(repriced["repriced"] == "other prices");
  repriced["repriced"] = nullptr;
  CHECK(repriced.dump(2) + "\n" == example_report(other));
  // and vanish again
  CHECK(reprice_report_json(repriced.dump(), example_platform(), "") == example_report());
}

TEST_CASE("repricing: refuses what is not the report of this deployment's finished run") {
  const Json good = Json::parse(example_report());
  CHECK(complaint(good).empty());
  Json bad = good;
  bad["schema"] = 2;
  CHECK(complaint(bad) == "report.json: schema: expected 1");
  bad = good;
  bad["counts"].erase("vector_ops");
  CHECK(complaint(bad) == "counts.vector_ops: missing");
  bad = good;
  bad["time_ps"]["busy"] = 1.5;
  CHECK(complaint(bad) == "report.json: /time_ps/busy: expected a whole number, got 1.5");
  bad = good;
  bad["time_ps"]["busy"] = 20'000'000'000'000;
  CHECK(complaint(bad).find("must lie between") != std::string::npos);
  bad = good;
  bad["feasible"]["limits"] = {"text"};
  CHECK(complaint(bad).find("expected objects") != std::string::npos);
  bad = good;
  bad["throughput"]["output_tokens_per_s"] = "fast";
  CHECK(complaint(bad).find("expected a number or null") != std::string::npos);
  for (const Json& wrong : {Json("text"), Json(1), Json::array({"sram"}), Json{{"sram", 1}}}) {
    bad = good;
    bad["provenance"]["prices"] = wrong;
    CHECK(complaint(bad) == "report.json: /provenance/prices: expected an object of texts");
  }
  PlatformSpec smaller = example_platform();
  smaller.nodes = 1;
  CHECK(complaint(good, smaller).find("another deployment") != std::string::npos);
  CHECK(complaint(Json::parse(infeasible_report_json(example_spec(), "no", kBuild))) ==
        "report.json: feasible: nothing ran, nothing to price");
  CHECK(complaint(Json::array()) == "report.json: expected a JSON object");
  CHECK_THROWS_AS(reprice_report_json("{", example_platform(), ""), ConfigError);
}

TEST_CASE("samples of a stored run: a damaged report is refused, as it is when repriced") {
  const Json good = Json::parse(example_report());
  const auto sampled = [](const Json& report, const PlatformSpec& platform) -> std::string {
    try {
      (void)StoredRun{report.dump()}.price(platform);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  };
  CHECK(sampled(good, example_platform()).empty());
  Json busy = good;
  busy["time_ps"]["busy"] = busy["time_ps"]["simulated"].get<std::int64_t>() + 1;
  constexpr auto kBusy = "report.json: /time_ps/busy: must lie between 0 and the simulated time";
  CHECK(sampled(busy, example_platform()) == kBusy);
  CHECK(complaint(busy) == kBusy);
  PlatformSpec flat = example_platform();
  while (!flat.fabric.levels.empty()) {
    flat.fabric.levels.pop_back();
    flat.energy.link_pj_per_bit.pop_back();
  }
  CHECK(sampled(good, flat).find("another deployment") != std::string::npos);
  // The JSON library takes a NUL for the end of the text.
  CHECK_THROWS_WITH_AS(StoredRun{good.dump() + "\n" + std::string(1, '\0') + "]"},
                       "report.json:2:1: not valid JSON", ConfigError);
}
