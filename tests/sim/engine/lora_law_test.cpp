// SPDX-License-Identifier: Apache-2.0
// Adapters in whole runs: what they cost against closed forms, and what their slots hold.
#include <map>

#include "tests/sim/engine/run_fixture.hpp"
#include "workloads/llm/adapter_matrices.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

/// One die on which bandwidth alone binds.
const Sets kStreaming =
    kOneDie + Sets{"platform.die.sequencer.static_prefetch=true", "workload.batch=64",
                   "workload.context=64", "workload.steps=2"};

Sets lora(int adapters, int slots, const Sets& more = {}) {
  return Sets{"serving.lora.adapters=" + std::to_string(adapters),
              "serving.lora.slots=" + std::to_string(slots)} +
         more;
}

double loaded(const json& report, const char* what) {
  return report["counts"]["loaded_bytes"][what].get<double>();
}

/// A host of DDR5 behind PCIe 5, as such servers have.
const Sets kHost{"platform.die.far.capacity=500 GB", "platform.die.far.queue_depth=64",
                 "platform.die.far.device.standard=ddr5", "platform.die.far.device.channels=4",
                 "platform.die.far.link.standard=pcie5-x16"};

struct Row {
  int ms = 0, input = 0, output = 0;
  int adapter = -1;  ///< none
};
std::string trace_of(const std::vector<Row>& rows) {
  std::string text = "{\"reticle_trace\": 1}\n";
  for (const Row& r : rows) {
    text += "{\"arrival_s\": " + std::to_string(r.ms * 1e-3) +
            ", \"input_tokens\": " + std::to_string(r.input) +
            ", \"output_tokens\": " + std::to_string(r.output);
    if (r.adapter >= 0) text += ", \"adapter\": " + std::to_string(r.adapter);
    text += "}\n";
  }
  return text;
}

Arguments serving(const std::string& trace, const Sets& more) {
  return Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload", trace} +
         sets(kHost + more);
}
json served(const std::vector<Row>& rows, const Sets& more) {
  const ScratchDirectory scratch;
  write_file(scratch / "t.jsonl", trace_of(rows));
  return report(serving(scratch / "t.jsonl", more));
}
/// Code and complaint of a run that is refused.
Outcome refused(const std::vector<Row>& rows, const Sets& more) {
  const ScratchDirectory scratch;
  write_file(scratch / "t.jsonl", trace_of(rows));
  return run_reticle(Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload",
                               scratch / "t.jsonl"} +
                     sets(more));
}

/// `n` requests, each while the one before runs, the i-th with adapter `of(i)`.
template <class F>
std::vector<Row> in_a_row(int n, F of) {
  std::vector<Row> rows;
  for (int i = 0; i < n; ++i) rows.push_back({i, 64, 8, of(i)});
  return rows;
}

std::int64_t adapter_bytes_on(int dies) {
  const LlmSpec llm = catalogue_llm("llama-3-70b");
  // A of columns that are dealt and B of rows that are dealt stand on every die.
  const std::int64_t once = adapter_elements(llm, {.adapters = 1}, 16);
  const std::int64_t repeated = 16 * (3 + 2 + 2) * llm.hidden * llm.layer_count();
  return 2 * (once + (dies - 1) * repeated);
}

}  // namespace

TEST_CASE("lora: where bandwidth binds, distinct adapters add the time of their bytes") {
  const json base = one_die(kStreaming);
  const json r = one_die(kStreaming + lora(64, 64));
  const double steps = 2;
  const double more = loaded(r, "weights_hbm") - loaded(base, "weights_hbm");
  CHECK(more == 64 * steps * static_cast<double>(adapter_bytes_on(1)));
  const double rate =
      (loaded(base, "weights_hbm") + loaded(base, "kv")) / base["simulated_s"].get<double>();
  const double extra = r["simulated_s"].get<double>() - base["simulated_s"].get<double>();
  MESSAGE("extra time over bytes / bandwidth: " << extra / (more / rate));
  CHECK(extra > 0.99 * more / rate);
  CHECK(extra < 1.05 * more / rate);
}

TEST_CASE("lora: an adapter that all streams share costs far less than one for each") {
  const double none = seconds_per_step(one_die(kStreaming));
  const double shared = seconds_per_step(one_die(kStreaming + lora(1, 1))) - none;
  const double distinct = seconds_per_step(one_die(kStreaming + lora(64, 64))) - none;
  MESSAGE("shared over distinct: " << shared / distinct);
  CHECK(shared > 0);
  CHECK(shared < distinct / 20);
}

TEST_CASE("lora: a smaller rank costs less, and the smallest next to nothing") {
  const double none = seconds_per_step(one_die(kStreaming));
  double before = none;
  for (const int rank : {1, 4, 16, 64}) {
    const double t = seconds_per_step(
        one_die(kStreaming + lora(4, 4, {"serving.lora.rank=" + std::to_string(rank)})));
    CHECK(t > before);
    if (rank == 1) CHECK(t < 1.005 * none);
    before = t;
  }
}

TEST_CASE("lora: slots take room from keys and values") {
  const auto streams = [](const json& r) -> std::int64_t {
    return r["placement"]["kv"]["pages_per_replica"];
  };
  const json base = one_die(kStreaming), r = one_die(kStreaming + lora(8, 8));
  const double taken = 0.95 * 8 * static_cast<double>(adapter_bytes_on(1));
  const double page = base["placement"]["kv"]["page_bytes"];
  CHECK(std::abs(static_cast<double>(streams(base) - streams(r)) - taken / page) <= 1);
}

TEST_CASE("lora: one slot serves one adapter after another and loads it for every request") {
  const auto rows = in_a_row(12, [](int i) { return i % 3; });
  const json r = served(rows, lora(3, 1));
  CHECK(r["requests"]["finished"] == 12);
  CHECK(r["requests"]["batch_peak"] == 1);
  CHECK(r["adapters"]["loads"] == 12);
  CHECK(r["adapters"]["hits"] == 0);
  CHECK(r["adapters"]["evicted"] == 11);
}

TEST_CASE("lora: slots for all load each once, and every byte is read there and written here") {
  const auto rows = in_a_row(30, [](int i) { return i * i % 7; });
  const json all = served(rows, lora(7, 7)), one = served(rows, lora(7, 1));
  const std::int64_t bytes = adapter_bytes_on(8);
  for (const json& r : {all, one}) {
    const json& a = r["adapters"];
    CHECK(a["loaded_bytes"] == a["loads"].get<std::int64_t>() * bytes);
    CHECK(r["counts"]["loaded_bytes"]["adapter_move"] == a["loaded_bytes"]);
    CHECK(r["counts"]["read_bytes"]["far"] == a["loaded_bytes"]);
    CHECK(a["loads"].get<std::int64_t>() + a["hits"].get<std::int64_t>() == 30);
    CHECK(a["loaded_bytes"].get<std::int64_t>() ==
          a["evicted_bytes"].get<std::int64_t>() + a["resident_bytes"].get<std::int64_t>());
    CHECK(r["requests"]["finished"] == 30);
  }
  CHECK(all["adapters"]["loads"] == 4);  // squares modulo 7: 0, 1, 2, 4
  CHECK(one["adapters"]["loads"].get<int>() > 15);
  CHECK(all["output_tokens"] == one["output_tokens"]);
  CHECK(all["simulated_s"].get<double>() < one["simulated_s"].get<double>());
}

TEST_CASE("lora: a lone request waits for its adapter as long as the link takes") {
  const json fast = served({{0, 64, 2}, {2000, 64, 2, 0}}, lora(1, 1));
  const json slow = served({{0, 64, 2}, {2000, 64, 2, 0}},
                           lora(1, 1) + Sets{"platform.die.far.link.rate=1 GB/s"});
  const double per_die = static_cast<double>(adapter_bytes_on(8)) / 8;
  for (const auto& [rate, r] : std::map<double, const json*>{{64e9, &fast}, {1e9, &slow}}) {
    const double wait = (*r)["adapters"]["mean_wait_ms"].get<double>() * 1e-3;
    CHECK((*r)["adapters"]["waits"] == 1);
    CHECK(wait > per_die / rate);
    CHECK(wait < 1.15 * per_die / rate + 200e-6);  // headers; the host's round trip before the step
  }
}

TEST_CASE("lora: requests without an adapter take no longer beside idle adapters") {
  const auto rows = in_a_row(6, [](int) { return -1; });
  auto last_names_one = rows;
  last_names_one.push_back({60'000, 64, 1, 0});  // without a gap of its own
  auto base_alone = rows;
  base_alone.push_back({60'000, 64, 1, -1});
  const json base = served(base_alone, {"engine.recall=off"});
  const json r = served(last_names_one, lora(4, 2, {"engine.recall=off"}));
  CHECK(r["latency"]["itl_ms"] == base["latency"]["itl_ms"]);
  CHECK(r["adapters"]["asked"] == 1);
}

TEST_CASE("lora: recalled steps agree with steps simulated one by one") {
  const Sets chat = lora(24, 12, {"serving.lora.popularity=1", "workload.limit=60"});
  const auto run = [&](const Arguments& more) {
    return report(serving("sample-chat", chat) + more);
  };
  const json on = run({}), off = run({"--exact"});
  const auto error = [&](const std::string& path) {
    const json::json_pointer at{path};
    return on[at].get<double>() / off[at].get<double>() - 1;
  };
  for (const std::string path : {"/simulated_s", "/latency/tpot_ms/mean", "/latency/e2e_ms/mean",
                                 "/energy/total_j", "/counts/hbm_activates"}) {
    MESSAGE(path << ": " << error(path) * 100 << " %");
    CHECK(std::abs(error(path)) < 0.005);
  }
  CHECK(std::abs(error("/counts/loaded_bytes/weights_hbm")) < 0.005);
  CHECK(on["adapters"]["asked"] == 60);
  CHECK(on["adapters"]["loads"] == off["adapters"]["loads"]);
  CHECK(5 * on["recall"]["simulated_steps"].get<std::int64_t>() < on["steps"].get<std::int64_t>());
}

TEST_CASE("lora: beside instances, drafts, early exits and faults every request is served") {
  const auto rows = in_a_row(16, [](int i) { return i % 5; });
  for (const Sets& more :
       {Sets{"serving.instances=2"}, Sets{"serving.instances=2", "serving.prefill_instances=1"},
        Sets{"serving.speculation.draft=llama-3.2-1b", "serving.speculation.tokens=2"},
        Sets{"serving.early_exit_share=0.5"},
        Sets{"serving.instances=2", "serving.faults.a.at=100ms", "serving.faults.a.kind=die"},
        Sets{"placement.pipeline_parallel=2"}, Sets{"engine.fidelity=roofline"},
        Sets{"serving.lora.ranks=[8,64]"},
        Sets{"serving.queue=shortest-first", "serving.admission=on-demand"}}) {
    CAPTURE(more.back());
    const json r = served(rows, lora(5, 3) + more);
    CHECK(r["requests"]["finished"] == 16);
    CHECK(r["adapters"]["loads"].get<int>() >= 5);
    CHECK(r["counts"]["loaded_bytes"]["adapter_move"].get<std::int64_t>() > 0);
  }
}

TEST_CASE("lora: what would have no effect, or cannot be served, is refused by name") {
  const std::vector<Row> plain{{0, 10, 2}}, names{{0, 10, 2, 3}};
  struct Case {
    std::vector<Row> rows;
    Sets sets;
    int code;
    std::string says;
  };
  for (const Case& c : std::vector<Case>{
           {plain, kHost + lora(4, 2), 3, "serving.lora.popularity: expected a number"},
           {names, kHost + lora(4, 2, {"serving.lora.popularity=1"}), 3,
            "serving.lora.popularity: expected none"},
           {names, kHost + lora(3, 2), 3, "serving.lora.adapters: expected as many as the trace"},
           {names, lora(4, 2), 3, "serving.lora: expected a platform with a far tier"},
           {names, kHost + lora(4, 5), 3, "serving.lora.slots: must be at most"},
           {names, kHost + lora(4, 2, {"serving.lora.format=int2"}), 3, "serving.lora.format"},
           {names, kHost + lora(4, 2, {"serving.lora.rank=nan"}), 3, "serving.lora.rank"},
           {names, kHost + lora(4, 2, {"serving.lora.rank=0"}), 3, "serving.lora.rank"},
           {names, kHost + lora(4, 2, {"serving.lora.ranks=[8,0]"}), 3, "serving.lora.ranks"},
           {names, kHost + lora(4, 2, {"serving.lora.rank=8", "serving.lora.ranks=[8,16]"}), 3,
            "serving.lora.rank"},
           {names, kHost + lora(4, 2, {"serving.lora.popularity=-1"}), 3,
            "serving.lora.popularity"},
           {names, kHost + lora(2000, 2000), 4, "adapters"}}) {
    CAPTURE(c.says);
    const Outcome outcome = refused(c.rows, c.sets);
    CAPTURE(outcome.err);
    CHECK(outcome.code == c.code);
    CHECK(contains(outcome.err, c.says));
  }
  const Outcome steady_batch =
      run_reticle(steady("h100-8", "llama-3-70b", lora(64, 8, {"workload.batch=64"})));
  CHECK(steady_batch.code == 4);
  CHECK(contains(steady_batch.err, "serving.lora.slots"));
}

TEST_CASE("lora: while an adapter comes the steps of others go on, no longer than its transfer") {
  // The second request comes, with an adapter, while the first one decodes.
  const std::vector<Row> rows{{0, 64, 40}, {100, 64, 2, 0}};
  const json r = served(rows, lora(1, 1, {"engine.recall=off"}));
  const json& itl = r["latency"]["itl_ms"];
  CHECK(r["adapters"]["loads"] == 1);
  // A step takes 7 ms, the transfer 3: beside it, not behind it.
  CHECK(r["time_breakdown"]["adapter_move"].get<double>() < 0.005);
  CHECK(itl["count"] == 39 + 1);
  CHECK(r["requests"]["finished"] == 2);
}
