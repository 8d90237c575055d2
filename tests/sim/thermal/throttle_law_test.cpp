// SPDX-License-Identifier: Apache-2.0
// Whole runs with heat: what stays cool runs as without it, what does not slows down, stops, or
// keeps to its limit.
#include "tests/sim/engine/run_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {
// Arrays at work all the time: some 1.3 s of it.
const Sets kWarm{"engine.thermal=true",
                 "platform.cooling.leakage_share=1",
                 "platform.packages_per_node=1",
                 "platform.fabric.scale_out.ports=1",
                 "platform.die.kernels=none",
                 "platform.die.sequencer.launch_gap=0 us",
                 "platform.die.sequencer.step_overhead=0 us",
                 "serving.max_batch=1024",
                 "workload.batch=1024",
                 "workload.context=64",
                 "workload.steps=60"};
const Sets kNoLimits{"platform.cooling.package_power_limit_w=0", "platform.node_power_limit_w=0"};

json warm(const Sets& more) { return steady_report("h100-8", "llama-3-8b", kWarm + more); }
}  // namespace

TEST_CASE("heat: a run that stays within all limits is the run without heat") {
  const Sets cool = kNoLimits + Sets{"platform.cooling.coolant_c=10"};
  const json with = warm(cool);
  const json without = warm(cool + Sets{"engine.thermal=false"});
  CHECK(with["time_ps"] == without["time_ps"]);
  CHECK(with["counts"] == without["counts"]);
  CHECK(without["thermal"].is_null());
  CHECK(with["thermal"]["throttled_share"] == 0.0);
  CHECK(with["thermal"]["sustained"]["bound_by"] == "none");
  // Within steps all is busy: its energy is that of the prices, leakage apart, which is cooler
  // here.
  const json& e = with["thermal"]["energy"];
  double dynamic = 0;
  for (const auto& [name, joules] : with["energy"]["by_component"].items())
    if (!name.starts_with("static") && !name.starts_with("hbm") && !name.starts_with("fabric"))
      dynamic += joules.get<double>();
  const double ticks = std::floor(with["simulated_s"].get<double>() / 0.02) * 0.02;
  CHECK(e["dynamic_j"].get<double>() ==
        doctest::Approx(dynamic * ticks / with["simulated_s"].get<double>()).epsilon(0.06));
  CHECK(e["leakage_j"].get<double>() < with["energy"]["by_component"]["static_die"].get<double>());
}

TEST_CASE("heat: a package at its power limit lowers its clock until it keeps to it") {
  const json free = warm(kNoLimits + Sets{"platform.cooling.coolant_c=10"});
  const double watts = free["thermal"]["sustained"]["package_w"];
  const Sets quick{"platform.cooling.coolant_c=10", "platform.node_power_limit_w=0",
                   "platform.cooling.clock_step=0.02"};
  const json capped =
      warm(quick + Sets{"platform.cooling.package_power_limit_w=" + std::to_string(watts * 0.6)});
  const json& t = capped["thermal"];
  CHECK(t["sustained"]["bound_by"] == "package_power");
  CHECK(t["sustained"]["package_w"].get<double>() <= watts * 0.6);
  CHECK(t["clock"]["least"].get<double>() < 0.9);
  CHECK(t["throttled_share"].get<double>() > 0.9);
  CHECK(capped["throughput"]["output_tokens_per_s"].get<double>() <
        free["throughput"]["output_tokens_per_s"].get<double>());
  // The controller ends where the steady state says, within a step of the clock either way.
  CHECK(std::abs(t["clock"]["least"].get<double>() - t["sustained"]["clock"].get<double>()) <
        0.045);
}

TEST_CASE("heat: a node at its power limit likewise") {
  const json free = warm(kNoLimits + Sets{"platform.cooling.coolant_c=10"});
  const double limit = free["thermal"]["sustained"]["node_w"].get<double>() * 0.8;
  const json capped =
      warm(Sets{"platform.cooling.coolant_c=10", "platform.cooling.package_power_limit_w=0",
                "platform.cooling.clock_step=0.02",
                // Stated for eight packages.
                "platform.node_power_limit_w=" + std::to_string(limit * 8)});
  const json& t = capped["thermal"];
  CHECK(t["sustained"]["bound_by"] == "node_power");
  CHECK(t["sustained"]["node_w"].get<double>() <= limit);
  CHECK(t["sustained"]["clock"].get<double>() < 1);
  CHECK(t["throttled_share"].get<double>() > 0.5);
}

TEST_CASE("heat: a hot die throttles, holds its limit and comes back") {
  // A plate that holds little heat, so that it is warm within the run.
  const json hot = warm(kNoLimits + Sets{"platform.cooling.coolant_c=60",
                                         "platform.cooling.plate_j_per_k_mm2=0.002",
                                         "platform.cooling.clock_step=0.03"});
  const json& t = hot["thermal"];
  CHECK(t["throttled_share"].get<double>() > 0.3);
  CHECK_FALSE(t["first_throttled_s"].is_null());
  CHECK(t["sustained"]["bound_by"] == "temperature");
  CHECK(t["hottest_c"].get<double>() < 95);
  CHECK(t["hottest_c"].get<double>() > 87);
  CHECK(t["clock"]["mean"].get<double>() > t["clock"]["least"].get<double>());
  CHECK(t["seconds_to_throttling"].get<double>() > 0);
}

TEST_CASE("heat: runaway and a die too hot stop the run with what happened") {
  const auto outcome = [](const Sets& more) {
    return run_reticle(steady("h100-8", "llama-3-8b", kWarm + kNoLimits + more));
  };
  const Outcome idle = outcome({"platform.energy.die_static_w=2000"});
  CHECK(idle.code == 5);
  CHECK(idle.err.find("thermal runaway") != std::string::npos);
  CHECK(idle.err.find("even without work") != std::string::npos);
  const Outcome away =
      outcome({"platform.energy.die_static_w=300", "platform.cooling.coolant_c=45",
               "platform.cooling.plate_j_per_k_mm2=0.0005",
               "platform.cooling.lid_j_per_k_mm2=0.0005", "platform.cooling.clock_floor=0.9"});
  CAPTURE(away.err);
  CHECK(away.code == 5);
  CHECK(away.err.find("thermal runaway") != std::string::npos);
  CHECK(away.err.find("105 C") != std::string::npos);
  const Outcome hot =
      outcome({"platform.cooling.coolant_c=70", "platform.energy.die_static_w=5",
               "platform.cooling.plate_j_per_k_mm2=0.0005",
               "platform.cooling.lid_j_per_k_mm2=0.0005", "platform.cooling.clock_floor=0.98"});
  CAPTURE(hot.err);
  CHECK(hot.code == 5);
  CHECK(hot.err.find("too hot") != std::string::npos);
  const Outcome unknown =
      run_reticle(steady("tpu-v5p", "llama-3-8b", {"engine.thermal=true", "workload.steps=1"}));
  CHECK(unknown.code == 3);
  CHECK(unknown.err.find("platform.cooling") != std::string::npos);
}

TEST_CASE("heat: a lowered clock costs what the same clock set by hand costs") {
  // From the first period on at half the clock.
  const Sets half{"platform.cooling.clock_floor=0.5",
                  "platform.cooling.clock_step=0.5",
                  "platform.cooling.package_power_limit_w=1",
                  "platform.node_power_limit_w=0",
                  "platform.cooling.coolant_c=10",
                  "platform.cooling.period=1 us"};
  const json throttled = warm(half);
  CHECK(throttled["thermal"]["clock"]["least"] == 0.5);
  const PlatformSpec p = catalogue_platform("h100-8");
  const auto halved = [](Hertz clock) { return std::to_string(clock.count() / 2000000) + " MHz"; };
  const json by_hand =
      warm({"engine.thermal=false", "platform.die.mac.clock=" + halved(p.die.mac.clock),
            "platform.die.vector.clock=" + halved(p.die.vector.clock),
            "platform.die.sram.clock=" + halved(p.die.sram.clock)});
  const double a = throttled["simulated_s"], b = by_hand["simulated_s"];
  // Stretching the path is not simulating it anew: work beside it may come onto it.
  CHECK(std::abs(a / b - 1) < 0.01);
}

TEST_CASE("heat: after a fault nothing is told of it, and the report says so") {
  const json r = report(
      Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-8b", "--workload", "sample-chat"} +
      sets({"engine.thermal=true", "workload.limit=20", "serving.faults.a.at=100 ms",
            "serving.faults.a.kind=die"}));
  CHECK(r["faults"].size() == 1);
  CHECK(r["thermal"].is_null());
  CHECK(r["warnings"].dump().find("heat is not told") != std::string::npos);
}
