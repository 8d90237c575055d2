// SPDX-License-Identifier: Apache-2.0
// A timeline shows what the run counted, no more and no less, in slices that nest.
#include <cmath>
#include <map>

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
  for (const auto& [platform, llm, all] :
       {std::tuple{"h100-8", "llama-3-70b", "0..7"}, {"ref-asic", "claude-class-low", "0..47"}}) {
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
  bool begun = false;
  for (const json& e : run.trace["traceEvents"]) {
    if (e["ph"] != "C" || e["name"] != "power") continue;
    const double at = e["ts"].get<double>() * 1e-6;
    if (begun) joules += watts * (at - last);
    begun = true;
    last = at;
    watts = 0;
    for (const json& w : e["args"]) watts += w.get<double>();
  }
  joules += watts * (run.report["simulated_s"].get<double>() - last);
  // The host's time before the dies begin has constant power alone, and is not in the counters.
  const double total = run.report["energy"]["total_j"];
  CHECK(joules < total * 1.0001);
  CHECK(joules > total * 0.9);
}

TEST_CASE("timeline: a step of the reference ASIC stays small") {
  const Inside run =
      look_inside(steady("ref-asic", "claude-class-mid",
                         Sets{"workload.batch=64", "workload.context=8192", "workload.steps=1"}),
                  {});
  CHECK(run.bytes < 20'000'000);
  CHECK(run.trace["otherData"]["dies"].get<std::string>().find("of 48 dies shown") !=
        std::string::npos);
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
  CHECK_FALSE(std::filesystem::exists(file));
}

TEST_CASE("waveform: units are as long busy as in the timeline, and nothing is left") {
  const Inside run = look_inside(steady("h100-8", "llama-3-70b", kSteps),
                                 {"--timeline-steps", "2", "--timeline-dies", "0"});
  // Signals by their names, then a walk through the changes.
  std::map<std::string, std::string> names;
  std::map<std::string, std::string> value;
  std::map<std::string, std::int64_t> busy_since, busy;
  std::vector<std::string> scope;
  std::istringstream lines{run.vcd};
  std::int64_t at = 0, last = -1;
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
      at = std::stoll(word.substr(1));
      REQUIRE(at >= last);
      last = at;
    } else if (word[0] == '0' || word[0] == '1') {
      code = word.substr(1);
      if (word[0] == '1')
        busy_since[code] = at;
      else if (value[code] == "1")
        busy[names.at(code)] += at - busy_since[code];
      value[code] = word.substr(0, 1);
    } else if (word[0] == 'b') {
      words >> code;
      REQUIRE(names.contains(code));
      value[code] = word.substr(1);
    }
  }
  CHECK(scope.empty());
  for (const auto& [code, name] : names)
    if (name.ends_with(".left")) CHECK(value[code] == "0");
  std::int64_t slices = 0;
  std::map<std::pair<std::int64_t, std::int64_t>, std::string> tracks;
  for (const json& e : run.trace["traceEvents"])
    if (e["ph"] == "M" && e["name"] == "thread_name")
      tracks[{e["pid"], e["tid"]}] = e["args"]["name"];
  for (const json& e : run.trace["traceEvents"])
    if (e["ph"] == "X" && tracks[{e["pid"], e["tid"]}] == "MAC array") slices += ns(e, "dur");
  const std::int64_t waves = busy.at("instance0.die0.mac.busy") / 1000;
  CHECK(std::abs(waves - slices) <= 2000);  // slices are cut to nanoseconds
}
