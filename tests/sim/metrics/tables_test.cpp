// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/tables.hpp"

#include <doctest/doctest.h>

#include <sstream>

#include "tests/sim/metrics/example_run.hpp"

using namespace reticle;
using namespace reticle::literals;

namespace {
std::string requests_csv(const RunResult& result, bool steady) {
  std::ostringstream out;
  write_requests_csv(out, result, steady);
  return out.str();
}
}  // namespace

TEST_CASE("requests.csv: one row each, empty where something has not come to pass") {
  CHECK(requests_csv(example_result(), false) ==
        "id,arrival_s,input_tokens,output_tokens,generated,admitted_s,ttft_ms,tpot_ms,e2e_ms,"
        "prefix_hit_tokens,preemptions,status,reason,priority,adapter\n"
        "0,0.001,100,5,5,0.0015,2,1,6,64,0,finished,,0,7\n"
        "1,0.002,200,9,3,0.002,3,,,0,2,running,,0,\n"
        "2,0.003,1000000,1,0,,,,,,,rejected,context,0,\n"
        "3,0.009,10,1,0,,,,,,,waiting,,0,\n");
}

TEST_CASE("requests.csv: streams of a steady decode do not arrive") {
  const std::string csv = requests_csv(steady_result(3), true);
  CHECK(csv.ends_with("\n0,,1024,3,3,,,1,,,,finished,,0,\n"));
}

TEST_CASE("requests.csv: picoseconds are written exactly") {
  RunResult result = steady_result(3);
  result.requests.front().arrival = Picoseconds{123'456'789'000'000'000'1};
  result.requests.front().first_token = result.requests.front().arrival + 1_ps;
  result.requests.front().finished.reset();
  CHECK(requests_csv(result, false).find("\n0,1234567.890000000001,") != std::string::npos);
  CHECK(requests_csv(result, false).find(",0.000000001,") != std::string::npos);
}

TEST_CASE("requests.csv: no request leaves the header") {
  CHECK(requests_csv({}, false).find('\n') == requests_csv({}, false).size() - 1);
}

TEST_CASE("residency.csv: a row per sample and tier, KV where it lives") {
  std::ostringstream out;
  write_residency_csv(out, example_result());
  CHECK(out.str() ==
        "time_s,instance,tier,weights_bytes,kv_bytes,kv_reserved_bytes,kv_cached_bytes,running,"
        "waiting,adapter_bytes\n"
        "0.003,0,sram,10000000000,0,0,0,2,0,0\n"
        "0.003,0,hbm,190000000000,5242880,8388608,1048576,2,0,2097152\n"
        "0.01,0,sram,10000000000,0,0,0,1,1,0\n"
        "0.01,0,hbm,190000000000,6291456,8388608,0,1,1,0\n");
}

TEST_CASE("residency.csv: places behind home have rows of their own") {
  RunResult result = example_result();
  result.residency.resize(1);
  result.residency[0].kv_used[KvPlace::Far] = Bytes{77};
  result.residency[0].kv_used[KvPlace::Flash] = Bytes{99};
  for (const Tier tier : {Tier::Far, Tier::Flash})
    result.placement.capacity[static_cast<std::size_t>(tier)] = Bytes{1'000};
  std::ostringstream out;
  write_residency_csv(out, result);
  CHECK(out.str().find("\n0.003,0,far,0,77,0,0,2,0,0\n0.003,0,flash,0,99,0,0,2,0,0\n") !=
        std::string::npos);
}

TEST_CASE("csv_field: quotes what would break a row") {
  CHECK(csv_field("plain") == "plain");
  CHECK(csv_field("a,b") == "\"a,b\"");
  CHECK(csv_field("say \"no\"") == "\"say \"\"no\"\"\"");
  CHECK(csv_field("two\nlines") == "\"two\nlines\"");
  CHECK(csv_field("") == "");
}
