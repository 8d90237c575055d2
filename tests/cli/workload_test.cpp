// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "tests/cli/process.hpp"

using namespace reticle::test;

namespace {

const std::filesystem::path kShared = RETICLE_SOURCE_DIR "/../shared/traces";

/// The report of a run of `workload`, without what it was called and how long it took.
std::string report_of(const std::string& workload, const Arguments& more = {}) {
  const Outcome run = run_reticle(Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-70b",
                                            "--workload", workload, "--json"} +
                                  more);
  REQUIRE(run.code == 0);
  auto report = nlohmann::ordered_json::parse(run.out);
  for (const char* key : {"workload", "trace_digest", "digest"}) report["inputs"].erase(key);
  report.erase("simulator");
  return report.dump();
}

}  // namespace

TEST_CASE("workload: what is generated can be described and run") {
  const ScratchDirectory scratch;
  const std::string trace = scratch / "t.jsonl";
  const Outcome made = run_reticle({"workload", "generate", "--like", "chat-200", "--requests", "7",
                                    "--seed", "3", "--out", trace});
  CHECK(made.code == 0);
  CHECK(contains(made.out, "7 requests"));
  const Outcome described = run_reticle({"workload", "describe", trace});
  CHECK(described.code == 0);
  CHECK(std::regex_search(described.out, std::regex{R"(requests +7 )"}));
  CHECK(contains(described.out, "reticle"));
  CHECK(run_reticle({"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload",
                     trace + ":reticle"})
            .code == 0);
}

TEST_CASE("workload: the same seed writes the same bytes and another one others") {
  const ScratchDirectory scratch;
  const auto trace = [&](const std::string& seed, const std::string& name) {
    REQUIRE(run_reticle({"workload", "generate", "--requests", "20", "--seed", seed, "--out",
                         scratch / name})
                .code == 0);
    return read_file(scratch / name);
  };
  const std::string a = trace("1", "a");
  CHECK(a == trace("1", "b"));
  CHECK(a != trace("2", "c"));
}

TEST_CASE("workload: an unknown sample or an impossible path ends with 3") {
  const ScratchDirectory scratch;
  const Outcome sample =
      run_reticle({"workload", "generate", "--like", "poetry", "--out", scratch / "t"});
  CHECK(sample.code == 3);
  CHECK(contains(sample.err, "chat-200"));
  const Outcome path = run_reticle({"workload", "generate", "--out", scratch / "no/such/t"});
  CHECK(path.code == 3);
  CHECK(contains(path.err, "no/such/t"));
  const Outcome none =
      run_reticle({"workload", "generate", "--requests", "0", "--out", scratch / "t"});
  CHECK(none.code == 3);
}

TEST_CASE("workload: the figures of a trace are those of its rows") {
  const ScratchDirectory scratch;
  const std::string trace = scratch / "t.jsonl";
  write_file(trace,
             "{\"reticle_trace\": 1}\n"
             "{\"arrival_s\": 0, \"input_tokens\": 10, \"output_tokens\": 1}\n"
             "{\"arrival_s\": 4, \"input_tokens\": 20, \"output_tokens\": 3}\n"
             "{\"arrival_s\": 6, \"input_tokens\": 30, \"output_tokens\": 3}\n"
             "{\"arrival_s\": 8, \"input_tokens\": 60, \"output_tokens\": 5}\n");
  const Outcome outcome = run_reticle({"workload", "describe", trace});
  CAPTURE(outcome.out);
  CHECK(std::regex_search(outcome.out, std::regex{R"(span +8\.0 s)"}));
  CHECK(std::regex_search(outcome.out, std::regex{R"(input +30\.0 +20 +60 +60 +60)"}));
  CHECK(std::regex_search(outcome.out, std::regex{R"(output +3\.0 +3 +5 +5 +5)"}));
}

TEST_CASE("workload: --json has every figure, with null for what the trace does not tell") {
  const ScratchDirectory scratch;
  const std::string trace = scratch / "t.jsonl";
  write_file(trace,
             "{\"reticle_trace\": 1, \"block_tokens\": 8}\n"
             "{\"arrival_s\": 0, \"input_tokens\": 20, \"output_tokens\": 1, "
             "\"prefix_blocks\": [1,2], \"session\": 4}\n"
             "{\"arrival_s\": 4, \"input_tokens\": 20, \"output_tokens\": 0}\n"
             "{\"arrival_s\": 4, \"input_tokens\": 40, \"output_tokens\": 3, "
             "\"prefix_blocks\": [1,2,3], \"session\": 4, \"turn\": 1}\n");
  const Outcome outcome = run_reticle({"workload", "describe", trace, "--json"});
  CHECK(outcome.code == 0);
  const auto json = nlohmann::json::parse(outcome.out);
  CHECK(json["requests"] == 2);
  CHECK(json["skipped_rows"] == 1);
  CHECK(json["span_s"] == 4.0);
  CHECK(json["rate_per_s"] == 0.5);
  CHECK(json["input_tokens"]["p50"] == 20);
  CHECK(json["prefix"]["hit_token_fraction"] == doctest::Approx(16.0 / 60));
  CHECK(json["prefix"]["distinct_blocks"] == 3);
  CHECK(json["sessions"]["count"] == 1);
  const Outcome plain = run_reticle({"workload", "describe", trace, "--json", "--no-prefix"});
  CHECK(nlohmann::json::parse(plain.out)["prefix"].is_null());
}

TEST_CASE("workload: describe takes slices, and malformed rows where asked to") {
  const ScratchDirectory scratch;
  const std::string trace = scratch / "t.csv";
  std::string text = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
  for (int second = 10; second < 60; ++second)
    text += "2023-11-16 18:15:" + std::to_string(second) + ",7,9\n";
  write_file(trace, text + "2023-11-16 18:15:59,7,x\n");
  const Outcome refused = run_reticle({"workload", "describe", trace});
  CHECK(refused.code == 3);
  CHECK(contains(refused.err, "t.csv:52:23: GeneratedTokens: expected a whole number"));
  const Outcome skipped = run_reticle({"workload", "describe", trace, "--skip-bad-rows"});
  CHECK(skipped.code == 0);
  CHECK(contains(skipped.out, "1 malformed rows left out"));
  CHECK(contains(skipped.out, "t.csv:52:23"));
  write_file(scratch / "bad.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\nnever,1,1\n");
  const Outcome empty =
      run_reticle({"workload", "describe", scratch / "bad.csv", "--skip-bad-rows"});
  CHECK(empty.code == 3);
  CHECK(contains(empty.err, "malformed rows left out: 1"));
  const Outcome slice = run_reticle(
      {"workload", "describe", trace, "--from", "10", "--to", "30", "--limit", "15", "--json"});
  CHECK(nlohmann::json::parse(slice.out)["requests"] == 15);
  CHECK(run_reticle({"workload", "describe", trace, "--from", "-1"}).code == 3);
}

TEST_CASE("workload: a plot is an SVG, or an error that names the programs that make a PNG") {
  const ScratchDirectory scratch;
  const std::string trace = RETICLE_SOURCE_DIR "/workloads/samples/chat-200.jsonl";
  CHECK(run_reticle({"workload", "describe", trace, "--plot", scratch / "p.svg"}).code == 0);
  CHECK(contains(read_file(scratch / "p.svg"), "prompt length (tokens)"));
  const Outcome png = run_reticle({"workload", "describe", trace, "--plot", scratch / "p.png"});
  CHECK((png.code == 0 || contains(png.err, "rsvg-convert")));
  CHECK_FALSE(std::filesystem::exists(scratch / "p.png.tmp.svg"));
  CHECK(run_reticle({"workload", "describe", trace, "--plot", scratch / "p.pdf"}).code == 3);
}

TEST_CASE("workload: the memory of describe does not grow with the rows") {
  const ScratchDirectory scratch;
  // AddressSanitizer would keep what is freed until there are 256 MiB of it.
  ::setenv("ASAN_OPTIONS", "detect_leaks=0:quarantine_size_mb=0:thread_local_quarantine_size_kb=0",
           1);
  const auto peak_kib = [&](int rows) {
    {
      // Row by row: what the test itself holds when it starts the program counts as the program's.
      std::ofstream file{scratch / "t.csv"};
      file << "TIMESTAMP,ContextTokens,GeneratedTokens\n";
      for (int i = 0; i < rows; ++i) {
        const int s = i / 50;
        const auto two = [](int n) { return std::to_string(100 + n).substr(1); };
        file << "2023-11-" << two(1 + s / 86'400) << ' ' << two(s / 3'600 % 24) << ':'
             << two(s / 60 % 60) << ':' << two(s % 60) << ',' << 1 + i * 7919LL % 8'009 << ','
             << 1 + i % 997 << '\n';
      }
    }
    const auto [outcome, peak] =
        Process{{"workload", "describe", scratch / "t.csv"}}.wait_and_peak();
    CHECK(outcome.code == 0);
    return peak;
  };
  const long small = peak_kib(20'000);
  const long large = peak_kib(1'000'000);
  CHECK(large < small + 2'048);
}

TEST_CASE("workload: a generator lists its presets, suggests names, and can be fitted") {
  const ScratchDirectory scratch;
  const Outcome list = run_reticle({"workload", "generate", "--list"});
  CHECK(list.code == 0);
  for (const char* name : {"coding-agent", "coding-agent-measured", "reasoning", "long-context",
                           "lora", "rl-rollout", "chat-diurnal", "chat-closed-loop"})
    CHECK(contains(list.out, name));
  const Outcome misspelt =
      run_reticle({"workload", "generate", "--preset", "coding-agnet", "--out", scratch / "t"});
  CHECK(misspelt.code == 3);
  CHECK(contains(misspelt.err, "did you mean coding-agent?"));
  CHECK(run_reticle({"workload", "generate"}).code == 2);
  const std::string trace = RETICLE_SOURCE_DIR "/workloads/samples/chat-200.jsonl";
  const Outcome fitted =
      run_reticle({"workload", "generate", "--fit", trace, "--out", scratch / "f.jsonl"});
  CHECK(fitted.code == 0);
  CHECK(contains(fitted.out, "output p99"));
  CHECK(contains(read_file(scratch / "f.jsonl"), "fitted to chat-200.jsonl"));
}

TEST_CASE("workload: an option that would do nothing is refused by name") {
  const ScratchDirectory scratch;
  write_file(scratch / "counts.csv", "layer,expert,count\n0,0,3\n0,1,1\n");
  const std::string out = scratch / "o";
  const auto refused = [](const Arguments& arguments, const char* why) {
    const Outcome outcome = run_reticle(arguments);
    CHECK(outcome.code == 3);
    CHECK(contains(outcome.err, why));
  };
  const std::string counts = scratch / "counts.csv";
  refused({"workload", "describe", counts, "--limit", "3"}, "--limit: belongs to request traces");
  refused({"workload", "describe", counts, "--plot", out + ".svg"}, "--plot: belongs to request");
  refused({"workload", "routing", counts, "--out", out}, "--out: needs picks of single tokens");
  refused({"workload", "routing", counts, "--capacity", "2"}, "--capacity: needs picks");
  refused({"workload", "routing", "--llm", "mixtral-8x7b", "--top-k", "2"}, "--top-k: belongs to");
  refused({"workload", "generate", "--preset", "chat", "--fit", counts, "--out", out},
          "give one of the two");
  refused({"workload", "generate", "--preset", "coding-agent", "--users", "5", "--out", out},
          "--users: coding-agent is not a closed loop");
  refused({"workload", "generate", "--lengths", "mixture", "--out", out}, "without --fit");
  CHECK(run_reticle({"workload", "describe", counts, "--json"}).code == 0);
}

TEST_CASE("workload: a report counts the rows that are no requests") {
  const ScratchDirectory scratch;
  write_file(scratch / "t.csv",
             "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,20,3\n"
             "2023-11-16 18:15:47,0,3\n2023-11-16 18:15:48,x,3\n");
  const Outcome outcome =
      run_reticle({"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload",
                   scratch / "t.csv", "--set", "workload.skip_bad_rows=true", "--json"});
  REQUIRE(outcome.code == 0);
  const auto rows = nlohmann::json::parse(outcome.out)["inputs"]["rows_left_out"];
  CHECK(rows["without_tokens"] == 1);
  CHECK(rows["malformed"] == 1);
}

TEST_CASE("workload: a generated trace and the same one gzipped give the same simulation") {
  const ScratchDirectory scratch;
  REQUIRE(run_reticle({"workload", "generate", "--preset", "chat", "--requests", "12", "--out",
                       scratch / "t.jsonl"})
              .code == 0);
  const auto report = [&](const std::string& file, const Arguments& more = {}) {
    const Outcome outcome = run_reticle(Arguments{"run", "--platform", "h100-8", "--llm",
                                                  "llama-3-70b", "--workload", file, "--json"} +
                                        more);
    CHECK(outcome.code == 0);
    return without_simulator(outcome.out);
  };
  const std::string first = report(scratch / "t.jsonl");
  CHECK(first == report(scratch / "t.jsonl"));
  REQUIRE(std::system(("gzip -k " + (scratch / "t.jsonl")).c_str()) == 0);
  std::string packed = report(scratch / "t.jsonl.gz");
  for (std::size_t at; (at = packed.find("t.jsonl.gz")) != std::string::npos;)
    packed.replace(at, 10, "t.jsonl");
  CHECK(first == packed);
  CHECK(nlohmann::json::parse(
            run_reticle({"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload",
                         scratch / "t.jsonl", "--json", "--set", "workload.skip=2", "--set",
                         "workload.limit=3", "--set", "workload.max_output=5"})
                .out)["output_tokens"] == 15);
}

TEST_CASE("workload: an imported trace describes and runs as its original does") {
  const ScratchDirectory scratch;
  std::string text = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
  for (int second = 10; second < 30; ++second)
    text +=
        "2023-11-16 18:15:" + std::to_string(second) + "," + std::to_string(9 * second) + ",7\n";
  write_file(scratch / "t.csv", text);
  REQUIRE(run_reticle({"workload", "import", scratch / "t.csv", "--skip", "4", "--out",
                       scratch / "t.jsonl"})
              .code == 0);
  const auto figures = [&](const Arguments& arguments) {
    auto json = nlohmann::json::parse(
        run_reticle(Arguments{"workload", "describe", "--json"} + arguments).out);
    for (const char* key : {"path", "format", "digest"}) json.erase(key);
    return json;
  };
  CHECK(figures({scratch / "t.jsonl"}) == figures({scratch / "t.csv", "--skip", "4"}));
  const auto requests = [&](const std::string& file, const Arguments& more) {
    REQUIRE(run_reticle(Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-70b",
                                  "--workload", file, "--out", scratch / "out"} +
                        more)
                .code == 0);
    return read_file(scratch / "out/requests.csv");
  };
  CHECK(requests(scratch / "t.jsonl", {}) ==
        requests(scratch / "t.csv", {"--set", "workload.skip=4"}));
}

TEST_CASE("workload: coding agents written, read and written again give the same report") {
  const ScratchDirectory scratch;
  const std::string made = scratch / "made", copied = scratch / "copied";
  REQUIRE(run_reticle({"workload", "generate", "--preset", "coding-agent", "--requests", "25",
                       "--seed", "5", "--out", made})
              .code == 0);
  REQUIRE(run_reticle({"workload", "import", made, "--out", copied}).code == 0);
  CHECK(report_of(made) == report_of(copied));
  // Half as many calls: the comparison can tell traces apart.
  REQUIRE(run_reticle({"workload", "import", made, "--limit", "12", "--out", copied}).code == 0);
  CHECK(report_of(made) != report_of(copied));
}

TEST_CASE("workload: recorded coding agents replay alike from their files and as our format") {
  const auto folder = kShared / "agent/weka_claude_code";
  if (!std::filesystem::is_directory(folder)) {
    MESSAGE("SKIPPED: ../shared/traces is not here");
    return;
  }
  const ScratchDirectory scratch;
  // A handful of the sessions; prompts are cut so that the run takes a second.
  int sessions = 0;
  std::filesystem::create_directory(scratch / "sessions");
  for (const char* name : {"trace_0081", "trace_0111", "trace_0114"}) {
    const std::string file = std::string{name} + ".json.gz";
    std::filesystem::copy(folder / file, std::filesystem::path{scratch / "sessions"} / file);
    ++sessions;
  }
  CHECK(sessions == 3);
  const std::string copied = scratch / "copied";
  REQUIRE(run_reticle({"workload", "import", scratch / "sessions", "--limit", "20", "--max-input",
                       "20000", "--out", copied})
              .code == 0);
  CHECK(report_of(std::string{scratch / "sessions"} + ":coding-agent",
                  {"--set", "workload.limit=20", "--set", "workload.max_input=20000"}) ==
        report_of(copied));
}

TEST_CASE("workload: counts by expert and recordings are described, fitted and read leniently") {
  const ScratchDirectory scratch;
  const std::string counts = scratch / "counts.csv";
  write_file(counts,
             "text,layer,expert,count\nweb,0,0,30\nweb,0,1,10\nweb,0,2,20\nweb,0,3,20\ncode,0,0,1\n"
             "code,0,1,x\n");
  const Outcome refused = run_reticle({"workload", "describe", counts});
  CHECK(refused.code == 3);
  CHECK(contains(refused.err, "counts.csv:7:10: count: expected a whole number"));
  const Outcome described =
      run_reticle({"workload", "describe", counts, "--skip-bad-rows", "--json"});
  REQUIRE(described.code == 0);
  const auto json = nlohmann::json::parse(described.out);
  CHECK(json["bad_rows"] == 1);
  CHECK(json["reuse_1"].is_null());
  CHECK(json["recordings"][0]["name"] == "web");
  CHECK(json["recordings"][0]["layers"][0]["load_max_over_mean"] == 1.5);
  const Outcome fit = run_reticle(
      {"workload", "routing", counts, "--skip-bad-rows", "--only", "web", "--fit", "--top-k", "1"});
  CHECK(fit.code == 0);
  CHECK(contains(fit.out, "popularity_sigma"));
  CHECK(run_reticle({"workload", "routing", counts, "--skip-bad-rows", "--fit"}).code == 3);
  CHECK(run_reticle({"workload", "routing", counts, "--skip-bad-rows", "--only", "wed"}).code == 3);

  const std::string picks = scratch / "picks.csv";
  write_file(picks, "session,token_pos,layer,e0\n1,0,0,1\n1,1,0,y\n1,2,0,1\n");
  CHECK(run_reticle({"workload", "describe", picks}).code == 3);
  const Outcome lenient = run_reticle({"workload", "describe", picks, "--skip-bad-rows"});
  CHECK(lenient.code == 0);
  CHECK(contains(lenient.out, "1 malformed rows left out"));
  CHECK(contains(lenient.out, "1 sessions, 2 tokens"));
}

TEST_CASE("workload routing: what full experts drop is counted") {
  const Arguments drawn{"workload", "routing",  "--llm", "gpt-oss-120b", "--sessions",
                        "64",       "--tokens", "4",     "--json"};
  const Outcome none = run_reticle(drawn);
  REQUIRE(none.code == 0);
  CHECK_FALSE(nlohmann::json::parse(none.out).contains("dropped"));
  const Outcome limited =
      run_reticle(drawn + Arguments{"--set", "llm.moe.routing.capacity_factor=1.25"});
  REQUIRE(limited.code == 0);
  const auto dropped = nlohmann::json::parse(limited.out)["dropped"];
  CHECK(dropped["steps"] == 4);
  CHECK(dropped["picks"] == 64 * 4 * 36 * 4);
  CHECK(dropped["dropped"] > 0);
  const Outcome roomy = run_reticle(drawn + Arguments{"--capacity", "128"});
  CHECK(nlohmann::json::parse(roomy.out)["dropped"]["dropped"] == 0);
}

TEST_CASE("describe llm: a batch touches the experts that the model's own routing touches") {
  const auto intensity = [](const char* preset) {
    const Outcome described = run_reticle({"describe", "llm", "gpt-oss-120b", "--json", "--set",
                                           std::string{"llm.moe.routing.preset="} + preset});
    REQUIRE(described.code == 0);
    return nlohmann::json::parse(described.out)["intensity"];
  };
  // Even routing: each of 128 experts is left out by 64 tokens with 4 picks each.
  const auto even = intensity("uniform");
  const double touched = even["experts_touched"]["batch_64"];
  CHECK(touched == doctest::Approx(128 * (1 - std::pow(1 - 4.0 / 128, 64))).epsilon(0.005));
  // 64 tokens do 64 times the products, on so many times the bytes of one.
  const auto& down = even["expert_down"];
  CHECK(down["batch_64"].get<double>() / down["batch_1"].get<double>() ==
        doctest::Approx(64 * 4 / touched));
  CHECK(intensity("typical")["experts_touched"]["batch_64"] < 0.9 * touched);
}

TEST_CASE("describe llm: the formats of mixers and states, and recurrences beside attention") {
  const auto json = [](const char* name) {
    const Outcome described = run_reticle({"describe", "llm", name, "--json"});
    REQUIRE(described.code == 0);
    return nlohmann::json::parse(described.out);
  };
  const auto hybrid = json("nemotron-3-nano-30b-a3b");
  CHECK(hybrid["model"]["precision"]["state"] == "fp32");
  // 32 query heads over 2 cached ones, two multiply-accumulates per element of two bytes; the new
  // token sees itself beside the 50,000 that are read.
  CHECK(hybrid["intensity"]["attend_at_50k"]["batch_1"] == doctest::Approx(16 * 50'001.0 / 50'000));
  // 23 layers: 5 operations on each of 64 x 64 x 128, and 4 taps over 6,144; states go both ways.
  const double state = 64 * 64 * 128, wide = 2 * 8 * 128 + 64 * 64;
  CHECK(hybrid["intensity"]["recur"]["batch_1"] ==
        doctest::Approx((5 * state + 2 * 4 * wide) / (2 * 4 * (state + 3 * wide))));
  const auto mixed = json("gpt-oss-120b");
  CHECK(mixed["model"]["precision"]["weights"] == "mxfp4");
  CHECK(mixed["model"]["precision"]["attention_weights"] == "bf16");
  CHECK_FALSE(mixed["model"]["precision"].contains("state"));
  CHECK_FALSE(mixed["intensity"].contains("recur"));
  // Latent attention decodes on 512 + 64 cached elements: 128 heads x (2 x 512 + 64) products each.
  CHECK(json("deepseek-v3")["intensity"]["attend_at_50k"]["batch_1"] ==
        doctest::Approx(128 * (2 * 512 + 64) / (512 + 64.0) * 50'001 / 50'000));
}
