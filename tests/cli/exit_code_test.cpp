// SPDX-License-Identifier: Apache-2.0
// Exit codes are a contract with scripts: 0 ok, 2 usage, 3 bad input, 4 does not fit.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <regex>

#include "tests/cli/process.hpp"

using namespace reticle::test;

namespace {

const Arguments kSmall = steady("h100-8", "llama-3-70b", {"workload.steps=1"});

const std::vector<Arguments> kSubcommands{{"run"},
                                          {"describe", "platform"},
                                          {"describe", "llm"},
                                          {"describe", "workload"},
                                          {"list"},
                                          {"check"},
                                          {"reprice"},
                                          {"manual"},
                                          {"workload", "describe"},
                                          {"workload", "generate"}};

}  // namespace

TEST_CASE("cli: a run that works ends with 0 and a summary on stdout") {
  const Outcome outcome = run_reticle(kSmall);
  CHECK(outcome.code == 0);
  CHECK(contains(outcome.out, "llama-3-70b"));
  CHECK(outcome.err.empty());
}

TEST_CASE("cli: help of every subcommand shows an example") {
  for (const Arguments& command : kSubcommands) {
    const Outcome outcome = run_reticle(command + Arguments{"--help"});
    CAPTURE(outcome.out);
    CHECK(outcome.code == 0);
    std::string example = "Example: reticle";
    for (const auto& word : command) example += " " + word;
    CHECK(contains(outcome.out, example));
  }
}

TEST_CASE("cli: the help names every subcommand") {
  const Outcome help = run_reticle({"--help"});
  CHECK(help.code == 0);
  for (const char* name :
       {"run", "describe", "list", "llm", "check", "capacity", "compare", "explain", "registry",
        "reprice", "sweep", "validate", "workload", "manual"})
    CHECK_MESSAGE(contains(help.out, "\n  " + std::string{name} + " "), name);
}

TEST_CASE("cli: an empty text is no place to write to, and not the absence of one") {
  const ScratchDirectory scratch;
  const std::string trace = RETICLE_SOURCE_DIR "/workloads/samples/chat-200.jsonl";
  const std::vector<std::pair<Arguments, std::string>> commands{
      {kSmall, "--out"},
      {kSmall, "--timeline"},
      {kSmall, "--vcd"},
      {{"sweep", "sram-fraction-x-dies"}, "--out"},
      {{"sweep", "report", scratch / "none"}, "--out"},
      {{"compare", "--llm", "llama-3-8b", "--workload", "sample-chat"}, "--out"},
      {{"registry", "site"}, "--out"},
      {{"registry", "validate", "B15"}, "--out"},
      {{"workload", "generate"}, "--out"},
      {{"workload", "import", trace}, "--out"},
      {{"workload", "describe", trace}, "--plot"},
      {{"workload", "routing", "--llm", "gpt-oss-20b"}, "--out"},
      {{"llm", "import", "config.json"}, "--out"},
      {{"validate", "components"}, "--csv"},
      {{"validate", "systems"}, "--csv"},
  };
  for (const auto& [command, option] : commands) {
    CAPTURE(command);
    for (const Arguments& empty : {Arguments{option, ""}, Arguments{option + "="}}) {
      const Outcome outcome = run_reticle(command + empty);
      CAPTURE(outcome.err);
      CHECK(outcome.code == 2);
      CHECK(outcome.out.empty());
      CHECK(contains(outcome.err, option + ": "));
    }
    CHECK(contains(run_reticle(command + Arguments{option, ""}).err,
                   option + ": expected a path, got ''"));
  }
}

TEST_CASE("cli: the version names the program and its revision") {
  const Outcome outcome = run_reticle({"--version"});
  CHECK(outcome.code == 0);
  CHECK(std::regex_match(outcome.out, std::regex{R"(reticle \d+\.\d+\.\d+ \(.+\)\n)"}));
}

TEST_CASE("cli: what the usage does not allow ends with 2 and leaves stdout alone") {
  const std::vector<Arguments> wrong{
      {},
      {"fly"},
      {"run"},
      {"run", "--platform", "h100-8"},
      kSmall + Arguments{"--colour", "red"},
      kSmall + Arguments{"--seed", "many"},
      kSmall + Arguments{"--seed"},
      {"describe"},
      {"describe", "planet", "mars"},
      {"list", "planets"},
      {"check"},
      {"reprice", "somewhere"},
      {"workload", "generate"},
  };
  for (const Arguments& arguments : wrong) {
    const Outcome outcome = run_reticle(arguments);
    CAPTURE(outcome.err);
    CHECK(outcome.code == 2);
    CHECK(outcome.out.empty());
    CHECK(!outcome.err.empty());
  }
}

TEST_CASE("cli: an unknown option is named") {
  const Outcome outcome = run_reticle(kSmall + Arguments{"--colour", "red"});
  CHECK(contains(outcome.err, "--colour"));
}

TEST_CASE("cli: an unknown name ends with 3 and offers the nearest") {
  struct Case {
    Arguments arguments;
    std::string nearest;
  };
  const std::vector<Case> cases{
      {steady("h100-9", "llama-3-70b"), "h100-8"},
      {steady("h100-8", "llama-3-70"), "llama-3-70b"},
      {{"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload", "steady-65"},
       "steady-64"},
      {{"describe", "platform", "ref-asik"}, "ref-asic"},
      {kSmall + Arguments{"--set", "platform.die.hbm.stack=4"}, "stacks"},
  };
  for (const Case& c : cases) {
    const Outcome outcome = run_reticle(c.arguments);
    CAPTURE(outcome.err);
    CHECK(outcome.code == 3);
    CHECK(outcome.out.empty());
    CHECK(contains(outcome.err, "did you mean"));
    CHECK(contains(outcome.err, c.nearest));
  }
}

TEST_CASE("cli: a malformed --set ends with 3 and says what it is about") {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"workload.batch", "workload.batch"},
      {"=4", "--set"},
      {"workload.batch=", "workload.batch"},
      {"workload.batch=many", "workload.batch"},
      {"workload.batch=0", "workload.batch"},
      {"workload.batch=-3", "workload.batch"},
      {"workload.batch=1.5", "workload.batch"},
      {"platform.die.sram.clock=5", "platform.die.sram.clock"},
      {"platform.die.sram.capacity=5 furlongs", "platform.die.sram.capacity"},
      {"placement.sram_fraction=1.01", "placement.sram_fraction"},
      {"placement.kv_share=0", "placement.kv_share"},
      {"engine.recall=perhaps", "engine.recall"},
      {"nonsense.key=1", "nonsense"},
      {"llm.name=", "llm.name"},
      {"platform.name=", "platform.name"},
  };
  for (const auto& [assignment, key] : wrong) {
    const Outcome outcome = run_reticle(kSmall + Arguments{"--set", assignment});
    CAPTURE(assignment);
    CAPTURE(outcome.err);
    CHECK(outcome.code == 3);
    CHECK(outcome.out.empty());
    CHECK(contains(outcome.err, key));
  }
}

TEST_CASE("cli: a word that an option does not know ends with 2 and lists those it does") {
  const Outcome outcome = run_reticle(kSmall + Arguments{"--fidelity", "exact"});
  CHECK(outcome.code == 2);
  CHECK(contains(outcome.err, "--fidelity"));
  CHECK(contains(outcome.err, "{roofline,transaction,cycle}"));
  CHECK(run_reticle(kSmall + Arguments{"--log", "loud"}).code == 2);
}

TEST_CASE("cli: arguments are texts, of which a report can tell") {
  const ScratchDirectory scratch;
  const std::string trace = scratch / "t\xff.jsonl";
  write_file(trace, read_file(RETICLE_SOURCE_DIR "/workloads/samples/chat-200.jsonl"));
  const std::string platform = scratch / "p\xff.yaml";
  write_file(platform, read_file(RETICLE_SOURCE_DIR "/configs/platforms/h100-8.yaml"));
  for (const Arguments& arguments :
       {steady(platform, "llama-3-8b") + Arguments{"--out", scratch / "out"},
        Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-8b", "--workload", trace,
                  "--out", scratch / "out"},
        Arguments{"workload", "describe", trace, "--json"}, Arguments{"fly\x01"}}) {
    const Outcome outcome = run_reticle(arguments);
    CAPTURE(outcome.err);
    CHECK(outcome.code == 3);
    CHECK(contains(outcome.err, "argument "));
    CHECK(contains(outcome.err, "is not allowed"));
  }
  CHECK_FALSE(std::filesystem::exists(scratch / "out"));
  CHECK(run_reticle({"describe", "platform", "h\xc3\xa9"}).code == 3);  // a text, but no name
}

TEST_CASE("cli: numbers are read in decimal, and what 64 bits do not hold is none") {
  const auto seed_of = [](const std::string& seed) {
    const Outcome outcome = run_reticle(kSmall + Arguments{"--seed", seed, "--json"});
    CAPTURE(outcome.err);
    REQUIRE(outcome.code == 0);
    return without_simulator(outcome.out);
  };
  CHECK(seed_of("010") == seed_of("10"));
  CHECK(seed_of("010") != seed_of("8"));
  const std::string trace = RETICLE_SOURCE_DIR "/workloads/samples/chat-200.jsonl";
  const Arguments describe{"workload", "describe", trace};
  for (const Arguments& arguments :
       {kSmall + Arguments{"--seed", "99999999999999999999"}, kSmall + Arguments{"--seed", "0x10"},
        kSmall + Arguments{"--seed", "-1"}, kSmall + Arguments{"--seed", "1.5"},
        Arguments{"workload", "routing", "--llm", "gpt-oss-20b", "--capacity", "nan"},
        describe + Arguments{"--from", "nan"}, describe + Arguments{"--sample", "inf"},
        describe + Arguments{"--limit", "9223372036854775808"},
        Arguments{"workload", "generate", "--out", "/dev/null", "--requests", "1e99"},
        Arguments{"sweep", "sram-fraction-x-dies", "--jobs", "0x2"}}) {
    const Outcome outcome = run_reticle(arguments);
    CAPTURE(outcome.err);
    CHECK(outcome.code == 2);
    CHECK(contains(outcome.err, *(arguments.end() - 2)));  // the option
    CHECK(contains(outcome.err, arguments.back()));
  }
}

TEST_CASE("cli: files without end, pipes and links in a circle are refused at once") {
  const ScratchDirectory scratch;
  write_file(scratch / "sparse.yaml", "");
  std::filesystem::resize_file(scratch / "sparse.yaml", std::uintmax_t{20} << 30);
  REQUIRE(run_reticle(kSmall + Arguments{"--out", scratch / "run"}).code == 0);
  std::filesystem::remove(scratch / "run/report.json");
  REQUIRE(::mkfifo((scratch / "run/report.json").c_str(), 0600) == 0);
  REQUIRE(::mkfifo((scratch / "pipe.jsonl").c_str(), 0600) == 0);
  write_file(scratch / "w.yaml", "kind: trace\npath: pipe.jsonl\n");
  std::filesystem::create_directory(scratch / "circle");
  std::filesystem::create_symlink("resolved.yaml", scratch / "circle/resolved.yaml");
  const std::vector<std::pair<Arguments, std::string>> refused{
      {{"sweep", scratch / "sparse.yaml", "--out", scratch / "s"}, "larger than 4 MiB"},
      {{"reprice", scratch / "run", "--prices", "optimistic-sram"}, "report.json"},
      {{"run", "--platform", "h100-8", "--llm", "llama-3-8b", "--workload", scratch / "w.yaml"},
       "is neither a file nor a folder"},
      {{"llm", "import", "/proc/self/mem"}, "/proc/self/mem: cannot be read"},
      {{"explain", scratch / "circle"}, "expected the resolved.yaml"}};
  for (const auto& [arguments, said] : refused) {
    CAPTURE(arguments.front());
    Process process{arguments};
    const auto outcome = process.wait_for(std::chrono::seconds{30 * RETICLE_PATIENCE});
    REQUIRE(outcome);
    CAPTURE(outcome->err);
    CHECK(outcome->code == 3);
    CHECK(contains(outcome->err, said));
  }
}

TEST_CASE("cli: a sweep's lock is no link that leads elsewhere") {
  const ScratchDirectory scratch;
  std::filesystem::create_directory(scratch / "s");
  std::filesystem::create_symlink("../mine", scratch / "s/sweep.sqlite.lock");
  const Outcome outcome = run_reticle({"sweep", "sram-fraction-x-dies", "--out", scratch / "s"});
  CAPTURE(outcome.err);
  CHECK(outcome.code == 3);
  CHECK(contains(outcome.err, "sweep.sqlite.lock: cannot open"));
  CHECK_FALSE(std::filesystem::exists(scratch / "mine"));
}

TEST_CASE("cli: a malformed trace ends with 3 and names file and line") {
  const ScratchDirectory scratch;
  const std::string trace = scratch / "broken.jsonl";
  write_file(trace,
             "{\"reticle_trace\": 1}\n"
             "{\"arrival_s\": 0, \"input_tokens\": 10, \"output_tokens\": 2}\n"
             "{\"arrival_s\": 1, \"input_tokens\": \"ten\", \"output_tokens\": 2}\n");
  for (const Arguments& arguments :
       {Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload", trace},
        Arguments{"workload", "describe", trace}}) {
    const Outcome outcome = run_reticle(arguments);
    CAPTURE(outcome.err);
    CHECK(outcome.code == 3);
    CHECK(contains(outcome.err, trace + ":3:"));
    CHECK(contains(outcome.err, "input_tokens"));
  }
}

TEST_CASE("cli: a trace cut short or empty or absent ends with 3") {
  const ScratchDirectory scratch;
  write_file(scratch / "cut.jsonl", "{\"arrival_s\": 0, \"input_tokens\": 10, \"outp");
  write_file(scratch / "empty.jsonl", "");
  for (const std::string name : {"cut.jsonl", "empty.jsonl", "absent.jsonl"}) {
    const Outcome outcome = run_reticle(
        {"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload", scratch / name});
    CAPTURE(outcome.err);
    CHECK(outcome.code == 3);
    CHECK(contains(outcome.err, name));
  }
}

TEST_CASE("cli: a malformed configuration ends with 3 and names file and line") {
  const ScratchDirectory scratch;
  std::string yaml = read_file(RETICLE_SOURCE_DIR "/configs/llms/llama-3-70b.yaml");
  const auto at = yaml.find("layers: 80");
  REQUIRE(at != std::string::npos);
  const auto line =
      1 + std::count(yaml.begin(), yaml.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  yaml.replace(at, 10, "layers: oops");
  const std::string file = scratch / "broken.yaml";
  write_file(file, yaml);
  for (const Arguments& arguments :
       {Arguments{"check", file}, steady("h100-8", file), Arguments{"describe", "llm", file}}) {
    const Outcome outcome = run_reticle(arguments);
    CAPTURE(outcome.err);
    CHECK(outcome.code == 3);
    CHECK(contains(outcome.err, "broken.yaml:" + std::to_string(line) + ":9:"));
    CHECK(contains(outcome.err, "layers"));
  }
}

TEST_CASE("cli: check goes on to the next file and fails for one wrong") {
  const ScratchDirectory scratch;
  const std::string bad = scratch / "bad.yaml";
  write_file(bad, "colour: red\n");
  const std::string good = RETICLE_SOURCE_DIR "/configs/llms/llama-3-70b.yaml";
  const Outcome outcome = run_reticle({"check", bad, good});
  CHECK(outcome.code == 3);
  CHECK(contains(outcome.err, "bad.yaml"));
  CHECK(contains(outcome.out, good));
}

TEST_CASE(
    "cli: what does not fit ends with 4 and names bytes and tier and the deployment that would") {
  const Outcome outcome = run_reticle(steady("ref-asic-paper", "claude-class-mid"));
  CAPTURE(outcome.err);
  CHECK(outcome.code == 4);
  CHECK(outcome.out.empty());
  std::smatch match;
  REQUIRE(std::regex_search(
      outcome.err, match,
      std::regex{
          R"(([\d.]+) GB of weights do not fit in (\w+); the smallest deployment of whole nodes that fits: )"
          R"((\d+) nodes, (\d+) dies \(--set platform\.nodes=(\d+)\))"}));
  CHECK(match[2] == "sram");
  const int nodes = std::stoi(match[3]);
  CHECK(std::stoi(match[4]) == nodes * 36);
  // Some 850 GB of weights on 288 GB.
  CHECK(std::stod(match[1]) > 450);
  CHECK(std::stod(match[1]) < 650);
  // The advice is right, and one node fewer would not do.
  const auto with_nodes = [&](int n) {
    return run_reticle(steady("ref-asic-paper", "claude-class-mid",
                              {"workload.steps=1", "platform.nodes=" + std::to_string(n)}))
        .code;
  };
  CHECK(with_nodes(nodes) == 0);
  CHECK(with_nodes(nodes - 1) == 4);
}

TEST_CASE("cli: a batch beyond the KV room ends with 4 and says how many bytes are missing") {
  const Outcome outcome = run_reticle(
      steady("h100-8", "llama-3-70b", {"workload.batch=64", "workload.context=131000"}));
  CAPTURE(outcome.err);
  CHECK(outcome.code == 4);
  CHECK(contains(outcome.err, "B do not fit"));
}

TEST_CASE("cli: a number format without a MAC path ends with 4") {
  const Outcome outcome = run_reticle(steady("ref-asic", "llama-3-70b", {"llm.weights=fp32"}));
  CAPTURE(outcome.err);
  CHECK(outcome.code == 4);
  CHECK(contains(outcome.err, "fp32"));
}

TEST_CASE(
    "exit code 3: a serving value that is none names its key, wherever it stands in the section") {
  for (const std::string key : {"max_batch", "fault_detection", "reload_rate", "ttft_limit",
                                "tpot_limit", "faults.a.at", "faults.a.kind"}) {
    CAPTURE(key);
    const Outcome refused = run_reticle(steady("h100-8", "llama-3-70b", {"serving." + key + "=x"}));
    CHECK(refused.code == 3);
    CHECK(refused.err.find("serving." + key.substr(0, key.find('.'))) != std::string::npos);
  }
}

TEST_CASE("exit code 5: a run stopped by engine.max_steps says so, and reports what was done") {
  const Outcome stopped =
      run_reticle(steady("h100-8", "llama-3-70b", {"workload.steps=4", "engine.max_steps=2"}) +
                  Arguments{"--json"});
  CHECK(stopped.code == 5);
  CHECK(stopped.err.find("stopped after engine.max_steps=2") != std::string::npos);
  CHECK(stopped.out.find("\"steps\": 2") != std::string::npos);
  CHECK(run_reticle(steady("h100-8", "llama-3-70b", {"workload.steps=2", "engine.max_steps=2"}))
            .code == 0);
}
