// SPDX-License-Identifier: Apache-2.0
// Several copies of a model on one deployment: parts, caches handed over, faults, closed loops.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "sim/base/rng.hpp"
#include "tests/sim/engine/run_fixture.hpp"

using namespace reticle::test;

namespace {

struct Row {
  double at = 0;
  std::int64_t input = 1, output = 1;
  std::int64_t session = -1;
  double pause = -1;
};

std::string trace_of(const std::vector<Row>& rows) {
  std::string text = "{\"reticle_trace\": 1}\n";
  for (const Row& row : rows) {
    json line{{"arrival_s", row.at}, {"input_tokens", row.input}, {"output_tokens", row.output}};
    if (row.session >= 0) line["session"] = row.session;
    if (row.pause >= 0) line["pause_s"] = row.pause;
    text += line.dump() + "\n";
  }
  return text;
}

Outcome run(const std::vector<Row>& rows, const Sets& more) {
  const ScratchDirectory scratch;
  write_file(scratch / "t.jsonl", trace_of(rows));
  return run_reticle(Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload",
                               scratch / "t.jsonl", "--json"} +
                     sets(more));
}

json served(const std::vector<Row>& rows, const Sets& more) {
  const Outcome outcome = run(rows, more);
  CAPTURE(outcome.err);
  REQUIRE((outcome.code == 0 || outcome.code == 5));
  return json::parse(outcome.out);
}

const Sets kTwo{"serving.instances=2"};
const Sets kApart{"serving.instances=2", "serving.prefill_instances=1"};

/// Twenty requests, a tenth of a second apart.
std::vector<Row> twenty() {
  std::vector<Row> rows;
  for (int i = 0; i < 20; ++i) rows.push_back({0.1 * i, 2500 + 10 * i, 40});
  return rows;
}

double mean(const json& r, const std::string& what) { return r["latency"][what]["mean"]; }

}  // namespace

TEST_CASE("instances: two halves serve a request each as one half alone would") {
  const json half = served({{0, 500, 20}}, {"platform.packages_per_node=4", "engine.recall=off"});
  const json both = served({{0, 500, 20}, {0, 500, 20}}, kTwo + Sets{"engine.recall=off"});
  CHECK(simulated_ps(both) == simulated_ps(half));
  CHECK(both["output_tokens"] == 40);
  for (const json& instance : both["instances"]) {
    CHECK(instance["output_tokens"] == 20);
    CHECK(instance["prefill_tokens"] == 500);
  }
  CHECK(both["counts"]["macs"] == [&] {
    json macs = half["counts"]["macs"];
    for (auto& n : macs) n = 2 * n.get<std::int64_t>();
    return macs;
  }());
}

TEST_CASE("instances: a steady batch is dealt evenly and takes as long as its half on half") {
  const Sets sizes{"workload.batch=8", "workload.steps=4", "workload.context=1000"};
  const json whole = steady_report("h100-8", "llama-3-70b", sizes + kTwo);
  const json half = steady_report("h100-8", "llama-3-70b",
                                  sizes + Sets{"workload.batch=4", "platform.packages_per_node=4"});
  CHECK(simulated_ps(whole) == simulated_ps(half));
  CHECK(whole["output_tokens"] == 2 * half["output_tokens"].get<int>());
}

TEST_CASE("instances: what is said of time still adds up to the run's duration") {
  for (const Sets& how : {kTwo, kApart}) {
    const json r = served(twenty(), how);
    std::int64_t sum = 0;
    for (const auto& [key, value] : r["time_ps"]["breakdown"].items())
      sum += value.get<std::int64_t>();
    CHECK(sum == simulated_ps(r));
    CHECK(r["requests"]["finished"] == 20);
    CHECK(r["output_tokens"] == 20 * 40);
  }
}

TEST_CASE("instances: a deployment that cannot be cut evenly says so") {
  const Outcome refused = run({{0, 10, 1}}, {"serving.instances=3"});
  CHECK(refused.code == 4);
  CHECK(refused.err.find("cannot be cut into 3 equal parts") != std::string::npos);
}

TEST_CASE("instances: requests of one session stay together where prefixes decide") {
  std::vector<Row> rows;
  for (int i = 0; i < 24; ++i) rows.push_back({2.0 * i, 200, 2, i % 3});
  const json r = served(rows, kTwo + Sets{"serving.routing=prefix-affine"});
  // Three sessions of eight requests each: every instance has a multiple of eight.
  std::int64_t sum = 0;
  for (const json& instance : r["instances"]) {
    CHECK(instance["prefill_tokens"].get<std::int64_t>() % (8 * 200) == 0);
    sum += instance["prefill_tokens"].get<std::int64_t>();
  }
  CHECK(sum == 24 * 200);
}

TEST_CASE("handover: the cache of 2,000 tokens takes 13 ms over one link of 50 GB/s") {
  // One port per node carries everything; latencies of the link and the switch come on top.
  const json r = served(
      {{0, 2000, 2}},
      kApart + Sets{"platform.nodes=2", "platform.fabric.scale_out.ports=1", "engine.recall=off"});
  CHECK(r["handover"]["transfers"] == 1);
  CHECK(r["handover"]["bytes"] == 327'680LL * 2000);
  const double ms = r["handover"]["mean_ms"];
  CHECK(ms > 13.1072);
  CHECK(ms < 13.1072 * 1.002);
  // The second token waits for it, and for its own step.
  CHECK(mean(r, "tpot_ms") > ms);
}

TEST_CASE("faults: over half a link a cache takes twice as long, and nothing is interrupted") {
  const json r = served(
      {{0, 2000, 2}, {1, 2000, 2}},
      kApart + Sets{"platform.nodes=2", "platform.fabric.scale_out.ports=1", "engine.recall=off",
                    "serving.faults.a.at=900 ms", "serving.faults.a.kind=link",
                    "serving.faults.a.level=scale_out", "serving.faults.a.link_left=0.5"});
  // One in 13.107 ms and one in twice the time.
  const double ms = r["handover"]["mean_ms"];
  CHECK(ms > 1.5 * 13.1072);
  CHECK(ms < 1.5 * 13.1072 * 1.002);
  CHECK(r["faults"][0]["interrupted_requests"] == 0);
  CHECK(r["faults"][0]["decode_speed_left"] == 1.0);
  CHECK(r["requests"]["finished"] == 2);
}

TEST_CASE("handover: two caches at a time share the link") {
  const Sets one_port =
      kApart + Sets{"platform.nodes=2", "platform.fabric.scale_out.ports=1", "engine.recall=off"};
  const json one = served({{0, 800, 2}}, one_port);
  const json two = served({{0, 800, 2}, {0, 800, 2}}, one_port);
  const double alone = one["handover"]["mean_ms"];
  // Both prompts end with one step: the second cache comes after the first, 1 and 2 times as late.
  CHECK(two["handover"]["mean_ms"].get<double>() / alone > 1.49);
  CHECK(two["handover"]["mean_ms"].get<double>() / alone < 1.51);
}

TEST_CASE(
    "handover: every request is served, its tokens computed once, and nobody who decodes waits "
    "for a prompt") {
  const json together = served(twenty(), kTwo + Sets{"engine.recall=off"});
  const json apart = served(twenty(), kApart + Sets{"engine.recall=off"});
  CHECK(apart["prefill_tokens"] == together["prefill_tokens"]);
  CHECK(apart["instances"][0]["output_tokens"] == 20);
  CHECK(apart["instances"][1]["output_tokens"] == 20 * 39);
  CHECK(apart["instances"][1]["prefill_tokens"] == 0);
  // A prompt stalls the answers beside it: 19 of 20 gaps are short only where it is elsewhere.
  CHECK(apart["latency"]["itl_ms"]["p95"].get<double>() <
        0.8 * together["latency"]["itl_ms"]["p95"].get<double>());
}

TEST_CASE("faults: a die is lost, its requests are computed again, and every one is served") {
  for (const std::string kind : {"die", "hbm-channel", "link"}) {
    CAPTURE(kind);
    const Sets fault{"serving.faults.a.at=520 ms", "serving.faults.a.kind=" + kind,
                     "serving.fault_detection=10 ms", "serving.reload_rate=1 TB/s"};
    for (const Sets& how : {Sets{}, kTwo, kApart}) {
      CAPTURE(how.size());
      const json r = served(twenty(), how + fault);
      CHECK(r["requests"]["finished"] == 20);
      CHECK(r["output_tokens"] == 20 * 40);
      const json& f = r["faults"][0];
      CHECK(f["interrupted_requests"] > 0);
      CHECK(f["back_s"].get<double>() > 0.53);
      CHECK(f["decode_speed_left"].get<double>() < 1.0);
      const json whole = served(twenty(), how);
      CHECK(simulated_ps(r) > simulated_ps(whole));
    }
  }
}

TEST_CASE("faults: other instances take over, and what is left of the one comes back") {
  const Sets fault{"serving.faults.a.at=500 ms", "serving.faults.a.kind=die",
                   "serving.fault_detection=10 ms", "serving.reload_rate=1 TB/s"};
  const json r = served(twenty(), kTwo + fault);
  CHECK(r["faults"][0]["dies_left"] == 3);
  // 141 GB of weights on three dies at 1 TB/s each, 47 ms after the detection.
  CHECK(r["faults"][0]["back_s"].get<double>() > 0.555);
  CHECK(r["faults"][0]["back_s"].get<double>() < 0.560);
}

TEST_CASE("faults: sizes that were fixed and do not divide what is left are fixed no more") {
  for (const Sets& fixed : {Sets{"placement.tensor_parallel=8"},
                            Sets{"placement.pipeline_parallel=2", "placement.microbatches=4"}}) {
    const json r = served(
        twenty(), fixed + Sets{"serving.faults.a.at=520 ms", "serving.faults.a.kind=die",
                               "serving.fault_detection=10 ms", "serving.reload_rate=1 TB/s"});
    CHECK(r["requests"]["finished"] == 20);
    CHECK(r["faults"][0]["dies_left"] == 7);
  }
}

TEST_CASE("faults: when what is left cannot hold the model the run ends and says so") {
  const Sets small{"platform.packages_per_node=2", "serving.faults.a.at=500 ms",
                   "serving.faults.a.kind=die", "serving.fault_detection=10 ms"};
  const Outcome ended = run(twenty(), small);
  CHECK(ended.code == 5);
  CHECK(ended.err.find("what is left cannot hold the model") != std::string::npos);
  const json r = json::parse(ended.out);
  CHECK(r["requests"]["unfinished"].get<int>() > 0);
  CHECK(r["faults"][0]["back_s"].is_null());
}

TEST_CASE(
    "faults: a decoder fails, then who prefills, while caches wait between them: all are served") {
  const json r = served(
      twenty(), kApart + Sets{"serving.faults.a.at=520 ms", "serving.faults.a.kind=hbm-channel",
                              "serving.faults.a.instance=1", "serving.faults.b.at=700 ms",
                              "serving.faults.b.kind=hbm-channel", "serving.fault_detection=10 ms",
                              "serving.reload_rate=100 GB/s"});
  CHECK(r["requests"]["finished"] == 20);
  CHECK(r["output_tokens"] == 20 * 40);
  CHECK(r["faults"].size() == 2);
}

TEST_CASE("faults: a second one before the first is noticed is one interruption") {
  const json r = served(
      twenty(), kTwo + Sets{"serving.faults.a.at=520 ms", "serving.faults.a.kind=die",
                            "serving.faults.b.at=525 ms", "serving.faults.b.kind=hbm-channel",
                            "serving.fault_detection=10 ms", "serving.reload_rate=1 TB/s"});
  CHECK(r["requests"]["finished"] == 20);
  CHECK(r["faults"][0]["back_s"].is_null());
  CHECK(r["faults"][0]["interrupted_requests"] == 0);
  CHECK(r["faults"][1]["interrupted_requests"] > 0);
  CHECK(r["faults"][1]["dies_left"] == 3);
}

TEST_CASE("faults: who waits for an instance that then is gone for good is served elsewhere") {
  // Both halves are down when requests come; the first will not come back, the second will.
  const json r =
      served(twenty(), kTwo + Sets{"platform.packages_per_node=4", "serving.faults.a.at=520 ms",
                                   "serving.faults.a.kind=link", "serving.faults.b.at=530 ms",
                                   "serving.faults.b.kind=link", "serving.faults.b.instance=1",
                                   "serving.faults.c.at=800 ms", "serving.faults.c.kind=die",
                                   "serving.fault_detection=10 ms", "serving.reload_rate=70 GB/s"});
  CHECK(r["requests"]["finished"] == 20);
  CHECK(r["faults"][2]["back_s"].is_null());
}

TEST_CASE("faults: a decoder too small for one request refuses it and serves the others") {
  std::vector<Row> rows = twenty();
  rows.push_back({2.5, 100'000, 2});
  const json r =
      served(rows, kApart + Sets{"serving.faults.a.at=100 ms", "serving.faults.a.kind=hbm-channel",
                                 "serving.faults.a.instance=1", "serving.faults.a.channels=75",
                                 "serving.fault_detection=10 ms", "serving.reload_rate=1 TB/s"});
  CHECK(r["requests"]["finished"] == 20);
  CHECK(r["requests"]["rejected"] == 1);
}

TEST_CASE("faults, and prefill apart from decoding, are refused of a steady decode") {
  for (const Sets& how : {kApart, Sets{"serving.faults.a.at=1 s", "serving.faults.a.kind=die"}}) {
    const Outcome refused = run_reticle(steady("h100-8", "llama-3-70b", how));
    CHECK(refused.code == 3);
    CHECK(refused.err.find("expected a trace") != std::string::npos);
  }
}

TEST_CASE("faults: one after the end of the run changes nothing") {
  const json with = served(twenty(), {"serving.faults.a.at=1000 s", "serving.faults.a.kind=die"});
  CHECK(simulated_ps(with) == simulated_ps(served(twenty(), {})));
  CHECK(with["faults"].empty());
  REQUIRE(with["warnings"].size() == 1);
  CHECK(with["warnings"][0]["warning"] == "faults");
}

TEST_CASE("closed loop: a lone user's turns come a pause apart, whatever they take") {
  std::vector<Row> rows;
  for (int i = 0; i < 5; ++i) rows.push_back({0.001 * i, 200, 4, 7, i == 0 ? -1 : 2.0});
  const json r = served(rows, {"workload.closed_loop=true", "engine.recall=off"});
  const double served_s = 5 * mean(r, "e2e_ms") * 1e-3;
  const double error = r["simulated_s"].get<double>() - (served_s + 4 * 2.0);
  CHECK(std::abs(error) < 1e-9);
}

TEST_CASE("closed loop: users who think share a server as Takacs says") {
  const Sets one_at_a_time{"serving.max_batch=1", "engine.recall=on"};
  const double service = mean(served({{0, 1, 1}}, one_at_a_time), "e2e_ms") * 1e-3;
  for (const int users : {2, 5}) {
    CAPTURE(users);
    constexpr int kTurns = 20'000;
    const double think = 4 * service;
    reticle::RngStream rng{11, "think"};
    std::vector<Row> rows;
    for (int turn = 0; turn < kTurns; ++turn)
      for (int user = 0; user < users; ++user)
        rows.push_back({turn * 1e-9, 1, 1, user, turn == 0 ? -1 : rng.exponential(think)});
    const json r = served(rows, one_at_a_time + Sets{"workload.closed_loop=true"});
    const double busy = users * kTurns * service / r["simulated_s"].get<double>();
    // M/D/1//N [Takacs, Introduction to the Theory of Queues, 1962]: C = sum over n < N of
    // binomial(N - 1, n) x product over i <= n of (exp(i D / Z) - 1).
    double c = 0, term = 1;
    for (int n = 0; n < users; ++n) {
      c += term;
      term *= (users - 1 - n) / (n + 1.0) * (std::exp((n + 1) * service / think) - 1);
    }
    const double load = users * service / think * c;
    MESSAGE(users, " users: busy ", busy, ", theory ", load / (1 + load));
    CHECK(busy / (load / (1 + load)) > 0.98);
    CHECK(busy / (load / (1 + load)) < 1.02);
  }
}

TEST_CASE("closed loop: a trace without sessions of several turns is refused") {
  const Outcome refused = run({{0, 10, 1}, {1, 10, 1}}, {"workload.closed_loop=true"});
  CHECK(refused.code == 3);
  CHECK(refused.err.find("sessions of several turns") != std::string::npos);
}
