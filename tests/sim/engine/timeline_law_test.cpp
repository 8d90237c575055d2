// SPDX-License-Identifier: Apache-2.0
// A timeline shows what the run counted, no more and no less, in slices that nest.
#include <sys/stat.h>

#include <cmath>
#include <fstream>
#include <map>
#include <thread>

#include "tests/sim/engine/run_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

struct Inside {
  json trace, report;
  std::size_t bytes = 0;
  std::string vcd;
};

/// Runs with both files; the report is of the whole run.
Inside look_inside(const Arguments& arguments, const Arguments& window) {
  ScratchDirectory scratch;
  const std::string file = scratch / "t.json", vcd = scratch / "t.vcd";
  const Outcome outcome =
      run_reticle(arguments + Arguments{"--json", "--timeline", file, "--vcd", vcd} + window);
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  const std::string text = read_file(file);
  return {json::parse(text), json::parse(outcome.out), text.size(), read_file(vcd)};
}

std::int64_t ns(const json& event, const char* key) {
  return std::llround(event[key].get<double>() * 1000);
}

/// Every event has what the format asks for, and slices of a track lie beside or within each other.
void check_schema_and_nesting(const json& trace) {
  std::map<std::pair<std::int64_t, std::int64_t>,
           std::vector<std::pair<std::int64_t, std::int64_t>>>
      tracks;
  std::map<std::pair<std::int64_t, std::int64_t>, std::string> names;
  std::map<std::int64_t, std::string> processes;
  std::map<std::string, std::int64_t> open;
  for (const json& e : trace["traceEvents"]) {
    const std::string phase = e.at("ph");
    const std::int64_t process = e.at("pid");
    REQUIRE(e.at("name").is_string());
    if (phase == "M") {
      if (e["name"] == "process_name") processes[process] = e["args"]["name"];
      if (e["name"] == "thread_name") names[{process, e.at("tid")}] = e["args"]["name"];
      continue;
    }
    REQUIRE(e.at("ts").get<double>() >= 0);
    if (phase == "X") {
      REQUIRE(ns(e, "dur") >= 0);
      tracks[{process, e.at("tid")}].emplace_back(ns(e, "ts"), ns(e, "ts") + ns(e, "dur"));
    } else if (phase == "C") {
      REQUIRE_FALSE(e.at("args").empty());
      for (const json& value : e["args"]) REQUIRE(value.is_number());
    } else {
      REQUIRE((phase == "b" || phase == "e"));
      open[e.at("id").get<std::string>() + e.at("name").get<std::string>()] +=
          phase == "b" ? 1 : -1;
    }
  }
  for (const auto& [id, count] : open) CHECK(count == 0);
  for (auto& [track, slices] : tracks) {
    CHECK(processes.contains(track.first));
    CAPTURE(names[track]);
    REQUIRE(names.contains(track));
    // Longer ones first where they begin together: what is inside comes after.
    std::ranges::sort(slices, [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first < b.first : a.second > b.second;
    });
    std::vector<std::int64_t> ends;
    for (const auto& [begin, end] : slices) {
      while (!ends.empty() && ends.back() <= begin) ends.pop_back();
      if (!ends.empty()) REQUIRE(end <= ends.back());
      ends.push_back(end);
    }
  }
}

/// Sums of an argument of all slices, by the track's name up to its first digit or bracket.
std::map<std::string, std::int64_t> sums(const json& trace, const char* argument,
                                         std::string_view process_begin) {
  std::map<std::pair<std::int64_t, std::int64_t>, std::string> names;
  std::map<std::int64_t, std::string> processes;
  std::map<std::string, std::int64_t> sum;
  for (const json& e : trace["traceEvents"]) {
    if (e["ph"] == "M" && e["name"] == "thread_name")
      names[{e["pid"], e["tid"]}] = e["args"]["name"];
    if (e["ph"] == "M" && e["name"] == "process_name") processes[e["pid"]] = e["args"]["name"];
  }
  for (const json& e : trace["traceEvents"]) {
    if (e["ph"] != "X" || !e.contains("args") || !e["args"].contains(argument)) continue;
    if (!processes[e["pid"]].starts_with(process_begin)) continue;
    const std::string& name = names[{e["pid"], e["tid"]}];
    sum[name.substr(0, name.find_first_of("0123456789(:"))] +=
        e["args"][argument].get<std::int64_t>();
  }
  return sum;
}

void check_conservation(const Inside& run) {
  const json& counts = run.report["counts"];
  const auto busy = sums(run.trace, "busy_ps", "");
  const auto of = [&](const char* name) {
    const auto found = busy.find(name);
    return found == busy.end() ? 0 : found->second;
  };
  CHECK(of("MAC array") == counts["mac_busy_ps"].get<std::int64_t>());
  CHECK(of("vector unit") == counts["vector_busy_ps"].get<std::int64_t>());
  const auto macs = sums(run.trace, "macs", "die");
  std::int64_t counted = 0;
  for (const json& n : counts["macs"]) counted += n.get<std::int64_t>();
  CHECK(macs.at("MAC array") == counted);

  std::map<std::string, std::int64_t> tiers;
  for (const json& e : run.trace["traceEvents"])
    if (e["ph"] == "X" && e.contains("args") && e["args"].contains("tier"))
      tiers[e["args"]["tier"].get<std::string>()] += e["args"]["bytes"].get<std::int64_t>();
  for (const char* tier : {"sram", "hbm", "far", "flash"})
    CHECK(tiers[tier] == counts["read_bytes"][tier].get<std::int64_t>() +
                             counts["written_bytes"][tier].get<std::int64_t>());

  // Links: those of dies and those of switches.
  std::int64_t links = 0, bytes = 0;
  for (const auto& [name, sum] : busy)
    if (name != "MAC array" && name != "vector unit") links += sum;
  for (const json& e : run.trace["traceEvents"])
    if (e["ph"] == "X" && e.contains("args") && e["args"].contains("messages"))
      bytes += e["args"]["bytes"].get<std::int64_t>();
  std::int64_t links_counted = 0, bytes_counted = 0;
  for (const json& level : counts["link_busy_ps"]) links_counted += level.get<std::int64_t>();
  for (const json& level : counts["link_bytes"]) bytes_counted += level.get<std::int64_t>();
  CHECK(links == links_counted);
  CHECK(bytes == bytes_counted);
}

const Sets kSteps{"workload.batch=4", "workload.context=1000", "workload.steps=3"};

}  // namespace

TEST_CASE("timeline: slices nest, and their work is what the run counted") {
  for (const auto& [platform, llm, all] : {std::tuple{"h100-8", "llama-3-70b", "0..7"},
                                           {"ref-asic", "claude-class-low", "0..47"},
                                           {"cerebras-wse3", "llama-3-8b", "0..9999"}}) {
    CAPTURE(platform);
    const Inside run =
        look_inside(steady(platform, llm,
                           Sets{"workload.batch=4", "workload.context=1000", "workload.steps=2"}),
                    {"--timeline-steps", "1..2", "--timeline-dies", all});
    check_schema_and_nesting(run.trace);
    check_conservation(run);
  }
}

TEST_CASE("timeline: watching changes nothing") {
  const Arguments run = steady("ref-asic", "claude-class-mid", kSteps);
  json watched = look_inside(run, {"--timeline-steps", "2..3"}).report, alone = report(run);
  watched.erase("simulator");
  alone.erase("simulator");
  CHECK(watched == alone);
}

TEST_CASE("timeline: power over a step adds up to what the step is priced at") {
  const Inside run = look_inside(
      steady("h100-8", "llama-3-70b", Sets{"workload.batch=4", "workload.steps=1"}), {});
  double joules = 0, last = 0, watts = 0;
  for (const json& e : run.trace["traceEvents"]) {
    if (e["ph"] != "C" || e["name"] != "power") continue;
    const double at = e["ts"].get<double>() * 1e-6;
    // Before the dies begin is the host's time, with constant power alone.
    joules += (last == 0 ? e["args"]["constant"].get<double>() : watts) * (at - last);
    last = at;
    watts = 0;
    for (const json& w : e["args"]) watts += w.get<double>();
  }
  joules += watts * (run.report["simulated_s"].get<double>() - last);
  CHECK(joules == doctest::Approx(run.report["energy"]["total_j"].get<double>()).epsilon(1e-4));
}

TEST_CASE("timeline: one step stays small, whatever the machine and the model") {
  for (const auto& [platform, llm, batch] : {std::tuple{"ref-asic", "claude-class-mid", 1},
                                             {"ref-asic", "claude-class-mid", 64},
                                             {"ref-asic", "claude-class-high", 1},
                                             {"ref-asic", "claude-class-high", 64},
                                             {"cerebras-wse3", "llama-3-70b", 1}}) {
    CAPTURE(platform);
    CAPTURE(llm);
    CAPTURE(batch);
    const Inside run = look_inside(
        steady(platform, llm, Sets{"workload.batch=" + std::to_string(batch), "workload.steps=1"}),
        {});
    CHECK(run.bytes < 20'000'000);
    CHECK(run.trace["otherData"]["dies"].get<std::string>().find(" dies shown") !=
          std::string::npos);
  }
}

TEST_CASE("timeline: steps that recall would answer are simulated in the window") {
  const Arguments trace{"run",         "--platform", "h100-8",     "--llm",
                        "llama-3-70b", "--workload", "sample-chat"};
  const Sets few{"workload.limit=20"};
  const json alone = report(trace + sets(few));
  REQUIRE(alone["recall"]["recalled_steps"].get<std::int64_t>() > 200);
  const Inside run = look_inside(trace + sets(few), {"--timeline-steps", "400..409"});
  check_schema_and_nesting(run.trace);
  std::int64_t steps = 0, passes = 0;
  for (const json& e : run.trace["traceEvents"]) {
    if (e["ph"] != "X") continue;
    steps += e["name"].get<std::string>().starts_with("step ");
    passes += e["name"].get<std::string>().starts_with("pass ");
  }
  CHECK(steps == 10);
  CHECK(passes == 10);
}

TEST_CASE("timeline: what cannot be shown is refused") {
  const Arguments run = steady("h100-8", "llama-3-70b", kSteps);
  const auto code = [&](const Arguments& more) { return run_reticle(run + more).code; };
  ScratchDirectory scratch;
  const std::string file = scratch / "t.json";
  CHECK(code({"--timeline", file, "--fidelity", "roofline"}) == 3);
  CHECK(code({"--timeline", file, "--timeline-steps", "5..4"}) == 3);
  CHECK(code({"--timeline", file, "--timeline-steps", "x"}) == 3);
  CHECK(code({"--timeline", file, "--timeline-steps", "9..10"}) == 3);  // it has three
  CHECK(code({"--timeline", file, "--timeline-dies", "8"}) == 3);
  CHECK(code({"--timeline", "/nowhere/t.json"}) == 3);
  CHECK(code({"--timeline", scratch.path().string()}) == 3);
  CHECK(code({"--timeline", file, "--vcd", file}) == 3);
  CHECK(code({"--timeline-steps", "2"}) == 2);  // of no file
  CHECK(code({"--timeline", file, "--pareto"}) == 2);
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK(std::filesystem::is_empty(scratch.path()));
}

TEST_CASE("timeline: a window that a trace does not reach costs nothing of the run's results") {
  ScratchDirectory scratch;
  const Outcome outcome =
      run_reticle({"run", "--platform", "h100-8", "--llm", "llama-3-8b", "--workload",
                   "sample-chat", "--set", "workload.limit=2", "--out", scratch / "run",
                   "--timeline", scratch / "t.json", "--timeline-steps", "100000"});
  CHECK(outcome.code == 3);
  CHECK(outcome.err.find("the run ended before the first of these steps") != std::string::npos);
  CHECK(json::parse(read_file(scratch / "run/report.json"))["output_tokens"] > 0);
  CHECK_FALSE(std::filesystem::exists(scratch.path() / "t.json"));
}

TEST_CASE("timeline: what is no file is written in place") {
  ScratchDirectory scratch;
  const std::string pipe = scratch / "pipe", copy = scratch / "copy";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::thread reader{[&] { std::ofstream{copy} << std::ifstream{pipe}.rdbuf(); }};
  const Outcome outcome = run_reticle(steady("h100-8", "llama-3-8b", Sets{"workload.steps=1"}) +
                                      Arguments{"--timeline", pipe});
  reader.join();
  CHECK(outcome.code == 0);
  CHECK(std::filesystem::is_fifo(pipe));
  check_schema_and_nesting(json::parse(read_file(copy)));
}

namespace {
struct Waves {
  struct Change {
    std::int64_t at = 0;
    std::string signal;
    std::int64_t value = 0;
  };
  std::vector<Change> changes;  ///< in order of time; text signals left out
  std::int64_t end = 0;
};

/// Scopes close, times do not fall, every change is of a declared signal.
Waves read_waves(const std::string& vcd) {
  Waves waves;
  std::map<std::string, std::string> names;
  std::vector<std::string> scope;
  std::istringstream lines{vcd};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line};
    std::string word, code, name;
    words >> word;
    if (word == "$scope") {
      words >> word >> name;
      scope.push_back(name);
    } else if (word == "$upscope") {
      scope.pop_back();
    } else if (word == "$var") {
      words >> word >> word >> code >> name;
      std::string path;
      for (const std::string& s : scope) path += s + ".";
      names[code] = path + name;
    } else if (word[0] == '#') {
      const std::int64_t at = std::stoll(word.substr(1));
      REQUIRE(at >= waves.end);
      waves.end = at;
    } else if (word[0] == '0' || word[0] == '1') {
      REQUIRE(names.contains(word.substr(1)));
      waves.changes.push_back({waves.end, names[word.substr(1)], word[0] - '0'});
    } else if (word[0] == 'b') {
      words >> code;
      REQUIRE(names.contains(code));
      if (!names[code].ends_with(".operator"))
        waves.changes.push_back({waves.end, names[code], std::stoll(word.substr(1), nullptr, 2)});
    }
  }
  CHECK(scope.empty());
  return waves;
}

/// Calls `during(state, picoseconds)` for each stretch without changes.
template <class During>
std::map<std::string, std::int64_t> play(const Waves& waves, During during) {
  std::map<std::string, std::int64_t> state;
  std::int64_t last = 0;
  for (const Waves::Change& change : waves.changes) {
    if (change.at > last) during(state, change.at - last);
    last = change.at;
    state[change.signal] = change.value;
  }
  return state;
}

/// In the order of enum Stall.
const std::vector<std::string> kStalls{"none",  "sram", "hbm",    "far",    "flash",
                                       "write", "mac",  "vector", "fabric", "launch"};
}  // namespace

TEST_CASE("waveform: units are as long busy as in the timeline, and nothing is left") {
  for (const auto& [platform, llm] : {std::pair{"h100-8", "llama-3-70b"},
                                      {"ref-asic", "claude-class-mid"},
                                      {"cerebras-wse3", "llama-3-8b"}}) {
    CAPTURE(platform);
    const Inside run =
        look_inside(steady(platform, llm,
                           Sets{"workload.batch=4", "workload.context=1000", "workload.steps=2"}),
                    {"--timeline-steps", "2", "--timeline-dies", "0"});
    const std::string die = "instance0.die0.";
    std::int64_t busy = 0;
    double work = 0;
    const auto left = play(read_waves(run.vcd), [&](auto& state, std::int64_t ps) {
      busy += state[die + "mac.busy"] * ps;
      work += static_cast<double>(state[die + "mac.work"] * ps) / 100;
    });
    for (const auto& [signal, value] : left)
      if (!signal.starts_with("instance0.scheduler.")) {
        CAPTURE(signal);
        CHECK(value == 0);
      }
    std::int64_t slices = 0, worked = 0;
    std::map<std::pair<std::int64_t, std::int64_t>, std::string> tracks;
    for (const json& e : run.trace["traceEvents"])
      if (e["ph"] == "M" && e["name"] == "thread_name")
        tracks[{e["pid"], e["tid"]}] = e["args"]["name"];
    for (const json& e : run.trace["traceEvents"])
      if (e["ph"] == "X" && tracks[{e["pid"], e["tid"]}] == "MAC array") {
        slices += ns(e, "dur");
        worked += e["args"]["busy_ps"].get<std::int64_t>();
      }
    CHECK(std::abs(busy / 1000 - slices) <= 2000);  // slices are cut to nanoseconds
    // Half a per cent of a slice is lost in rounding.
    CHECK(std::abs(work - static_cast<double>(worked)) <= 0.005 * static_cast<double>(busy));
  }
}

TEST_CASE("waveform: what a unit is said to wait for was under way meanwhile") {
  for (const auto& [platform, llm] : {std::pair{"h100-8", "llama-3-70b"},
                                      {"ref-asic", "claude-class-mid"},
                                      {"cerebras-wse3", "llama-3-8b"}}) {
    CAPTURE(platform);
    const Inside run =
        look_inside(steady(platform, llm, Sets{"workload.batch=64", "workload.steps=1"}),
                    {"--timeline-dies", "0"});
    const std::string die = "instance0.die0.";
    std::int64_t waited = 0, under_way = 0, both = 0;
    (void)play(read_waves(run.vcd), [&](auto& state, std::int64_t ps) {
      for (std::size_t unit = 1; unit < kStalls.size(); ++unit) {
        const auto stall = static_cast<std::size_t>(state[die + kStalls[unit] + ".stall"]);
        if (stall == 0 || stall >= kStalls.size()) continue;
        waited += ps;
        under_way += state[die + kStalls[stall] + ".busy"] * ps;
        both += state[die + kStalls[unit] + ".busy"] * ps;
      }
    });
    CHECK(waited > 0);
    CHECK(both == 0);
    // Latencies between a unit's end and the next one's begin count as its own.
    CHECK(static_cast<double>(under_way) >= 0.97 * static_cast<double>(waited));
  }
}
