// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/trace_events.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

using namespace reticle;
using namespace reticle::literals;

TEST_CASE("trace events: the document is JSON with what was written, whatever the names") {
  std::ostringstream out;
  TraceEventWriter trace{out};
  trace.process(7, "die \"7\"\\\n");
  trace.thread({7, 2}, "MAC array");
  trace.slice({7, 2}, 1500_ps, 4999_ps, "gate_up L3",
              {{"macs", std::int64_t{123}}, {"format", std::string_view{"fp8"}}, {"share", 0.5}});
  trace.counter(7, 2_us, "queue", {{"running", std::int64_t{4}}});
  trace.span(1, 9, 1_us, 2_us, "request", "waits");
  trace.note("platform", "x");
  trace.finish();
  const auto document = nlohmann::json::parse(out.str());
  const auto& events = document["traceEvents"];
  REQUIRE(events.size() == 8);
  CHECK(events[0]["args"]["name"] == "die \"7\"\\\n");
  const auto& slice = events[4];
  CHECK(slice["ph"] == "X");
  CHECK(slice["ts"] == 0.001);
  CHECK(slice["dur"] == 0.003);  // 1 to 4 ns: both ends are cut
  CHECK(slice["args"]["macs"] == 123);
  CHECK(slice["args"]["format"] == "fp8");
  CHECK(slice["args"]["share"] == 0.5);
  CHECK(events[5]["ph"] == "C");
  CHECK(events[6]["ph"] == "b");
  CHECK(events[7]["ph"] == "e");
  CHECK(events[7]["id"] == events[6]["id"]);
  CHECK(document["otherData"]["platform"] == "x");
}

TEST_CASE("trace events: slices that touch go on touching in nanoseconds") {
  std::ostringstream out;
  TraceEventWriter trace{out};
  Picoseconds at{};
  for (int i = 0; i < 100; ++i) {
    const Picoseconds next = at + Picoseconds{1237 + 611 * i};
    trace.slice({1, 1}, at, next, "x");
    at = next;
  }
  trace.finish();
  std::int64_t end = 0;
  const auto document = nlohmann::json::parse(out.str());
  REQUIRE(document["traceEvents"].size() >= 100);
  for (const auto& e : document["traceEvents"]) {
    const auto ns = [&](const char* key) {
      return static_cast<std::int64_t>(e[key].get<double>() * 1000 + 0.5);
    };
    CHECK(ns("ts") == end);
    end = ns("ts") + ns("dur");
  }
}
