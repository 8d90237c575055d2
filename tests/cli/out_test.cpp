// SPDX-License-Identifier: Apache-2.0
// --out: a directory is written as a whole or left as it was.
#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/cli/process.hpp"

using namespace reticle::test;
namespace fs = std::filesystem;

namespace {

const Arguments kSmall = steady("h100-8", "llama-3-70b", {"workload.steps=1"});
/// Hours, if nobody stops it.
const Arguments kEndless = steady("ref-asic", "claude-class-mid", {"workload.steps=150000"});

std::map<std::string, std::string> contents(const fs::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator{directory})
    files[entry.path().filename().string()] = read_file(entry.path());
  return files;
}

using Row = std::map<std::string, std::string>;

/// A CSV file without quotes, by column.
std::vector<Row> read_table(const fs::path& path) {
  std::istringstream text{read_file(path)};
  const auto fields = [](const std::string& line) {
    std::vector<std::string> all{""};
    for (const char c : line) c == ',' ? all.emplace_back() : all.back() += c;
    return all;
  };
  std::string line;
  std::getline(text, line);
  const std::vector<std::string> names = fields(line);
  std::vector<Row> rows;
  while (std::getline(text, line)) {
    const std::vector<std::string> values = fields(line);
    REQUIRE(values.size() == names.size());
    for (Row& row = rows.emplace_back(); const std::string& name : names)
      row.emplace(name, values[static_cast<std::size_t>(&name - names.data())]);
  }
  return rows;
}

}  // namespace

TEST_CASE("out: a run leaves its report and its inputs and its tables and nothing else") {
  const ScratchDirectory scratch;
  REQUIRE(run_reticle(kSmall + Arguments{"--out", scratch / "a"}).code == 0);
  const auto files = contents(scratch / "a");
  CHECK(files.size() == 8);
  for (const char* name : {"report.json", "report.html", "requests.csv", "residency.csv",
                           "activity.csv", "power.csv", "operators.csv", "resolved.yaml"}) {
    CAPTURE(name);
    REQUIRE(files.count(name) == 1);
    CHECK(!files.at(name).empty());
  }
}

TEST_CASE("out: what happened over time adds up to what happened") {
  const ScratchDirectory scratch;
  for (const Arguments& more : {Arguments{}, Arguments{"--set", "serving.instances=2"}}) {
    const Outcome outcome = run_reticle(
        Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload",
                  "sample-chat", "--set", "workload.limit=40", "--out", scratch / "a", "--json"} +
        more);
    REQUIRE(outcome.code == 0);
    const auto report = nlohmann::json::parse(outcome.out);
    std::map<std::string, double> sums;
    double hbm_s = 0;
    for (const auto& row : read_table(scratch / "a/activity.csv")) {
      for (const auto& [column, text] : row) sums[column] += std::stod(text.empty() ? "0" : text);
      const double took = std::stod(row.at("ended_s")) - std::stod(row.at("begun_s"));
      hbm_s += took * std::stod(row.at("hbm_share"));
    }
    CHECK(sums["steps"] == report["steps"]);
    CHECK(sums["output_tokens"] == report["output_tokens"]);
    CHECK(sums["prefill_tokens"] == report["prefill_tokens"]);
    CHECK(sums["finished"] == report["requests"]["finished"]);
    CHECK(sums["preemptions"] == report["residency"]["preemptions"]);
    // Of time within steps there, of all time here; several instances share the units.
    const double instances = std::max(1.0, double(report["instances"].size()));
    const double share = report["utilisation"]["hbm"]["busy_share"];
    const double busy_s = report["time_ps"]["busy"].get<double>() * 1e-12;
    CHECK(std::abs(hbm_s / instances / (share * busy_s) - 1) < 1e-4);
  }
}

TEST_CASE("out: operators add up to their step, and power over time to energy") {
  const ScratchDirectory scratch;
  for (const char* platform : {"h100-8", "ref-asic"}) {
    const Outcome outcome = run_reticle(steady(platform, "llama-3-70b", {"workload.steps=1"}) +
                                        Arguments{"--out", scratch / platform, "--json"});
    REQUIRE(outcome.code == 0);
    const auto report = nlohmann::json::parse(outcome.out);
    double path_us = 0, joules = 0;
    std::int64_t macs = 0, loaded = 0, macs_counted = 0, loaded_counted = 0;
    for (const auto& row : read_table(scratch / platform + "/operators.csv")) {
      path_us += std::stod(row.at("path_us"));
      macs += std::stoll(row.at("macs"));
      for (const auto& [column, text] : row)
        if (column.ends_with("_loaded_bytes")) loaded += std::stoll(text);
      double parts = 0;
      for (const auto& [category, share] : report["time_breakdown"].items())
        parts += std::stod(row.at(category + "_us"));
      CHECK(std::abs(parts - std::stod(row.at("path_us"))) < 1e-6);
    }
    CHECK(std::abs(path_us * 1e6 - report["time_ps"]["simulated"].get<double>()) < 1);
    for (const auto& n : report["counts"]["macs"]) macs_counted += n.get<std::int64_t>();
    for (const auto& n : report["counts"]["loaded_bytes"]) loaded_counted += n.get<std::int64_t>();
    CHECK(macs == macs_counted);
    CHECK(loaded == loaded_counted);
    for (const auto& row : read_table(scratch / platform + "/power.csv"))
      for (const auto& [column, watts] : row)
        if (column.ends_with("_w"))
          joules +=
              std::stod(watts) * (std::stod(row.at("ended_s")) - std::stod(row.at("begun_s")));
    CHECK(std::abs(joules / report["energy"]["total_j"].get<double>() - 1) < 1e-4);
  }
}

TEST_CASE("out: where the weights are, before a fault, while it lasts and after it") {
  const ScratchDirectory scratch;
  const Outcome outcome = run_reticle(
      Arguments{"run", "--platform", "h100-8", "--llm", "llama-3-70b", "--workload", "sample-chat",
                "--set", "workload.limit=20", "--set", "serving.faults.a.at=2 s", "--set",
                "serving.faults.a.kind=die", "--set", "serving.fault_detection=10 ms", "--set",
                "serving.reload_rate=1 TB/s", "--out", scratch / "a"});
  REQUIRE(outcome.code == 0);
  std::map<std::int64_t, int> samples;  // by bytes of weights in HBM
  std::vector<std::int64_t> seen;
  for (const auto& row : read_table(scratch / "a/residency.csv")) {
    if (row.at("tier") != "hbm") continue;
    seen.push_back(std::stoll(row.at("weights_bytes")));
    ++samples[seen.back()];
    if (seen.back() == 0) CHECK(row.at("kv_bytes") == "0");
  }
  REQUIRE(samples.size() == 3);
  CHECK(samples.at(0) == 1);
  // Eight dies, then seven, with what each has alone.
  CHECK(seen.front() != seen.back());
  CHECK(std::abs(double(seen.front()) / double(seen.back()) - 1) < 0.1);
}

TEST_CASE("out: missing parents are made") {
  const ScratchDirectory scratch;
  CHECK(run_reticle(kSmall + Arguments{"--out", scratch / "a/b/c"}).code == 0);
  CHECK(fs::exists(scratch / "a/b/c/report.json"));
}

TEST_CASE("out: a file in the way ends with 3 and stays as it was") {
  const ScratchDirectory scratch;
  write_file(scratch / "taken", "mine");
  for (const char* path : {"taken", "taken/below"}) {
    const Outcome outcome = run_reticle(kSmall + Arguments{"--out", scratch / path});
    CAPTURE(outcome.err);
    CHECK(outcome.code == 3);
    CHECK(contains(outcome.err, "--out"));
    CHECK(contains(outcome.err, scratch / path));
    CHECK(read_file(scratch / "taken") == "mine");
  }
}

TEST_CASE("out: a directory that cannot be written is told before the run and not after") {
  // The kernel's own: no user may make files there.
  Process process{kEndless + Arguments{"--out", "/proc"}};
  const auto outcome = process.wait_for(std::chrono::seconds{20 * RETICLE_PATIENCE});
  REQUIRE(outcome.has_value());
  CHECK(outcome->code == 3);
  CHECK(contains(outcome->err, "/proc"));
}

TEST_CASE("out: a run that fails leaves the files of an earlier one as they were") {
  const ScratchDirectory scratch;
  REQUIRE(run_reticle(kSmall + Arguments{"--out", scratch / "a"}).code == 0);
  const auto before = contents(scratch / "a");
  const Outcome outcome =
      run_reticle(kSmall + Arguments{"--set", "workload.batch=zero", "--out", scratch / "a"});
  CHECK(outcome.code == 3);
  CHECK(contents(scratch / "a") == before);
}

TEST_CASE("out: a run that is killed leaves the files of an earlier one as they were") {
  for (const int signal : {SIGKILL, SIGQUIT}) {  // SIGINT, SIGTERM: output_fault_test.cpp
    CAPTURE(signal);
    const ScratchDirectory scratch;
    REQUIRE(run_reticle(kSmall + Arguments{"--out", scratch / "a"}).code == 0);
    const auto before = contents(scratch / "a");
    Process process{kEndless + Arguments{"--out", scratch / "a"}};
    std::this_thread::sleep_for(std::chrono::milliseconds{300});
    // Ended by the signal, not by itself.
    CHECK(process.interrupt(signal).code == -1);
    CHECK(contents(scratch / "a") == before);
  }
}

TEST_CASE("out: what does not fit leaves a report that its resolved file belongs to") {
  const ScratchDirectory scratch;
  REQUIRE(run_reticle(kSmall + Arguments{"--out", scratch / "a"}).code == 0);
  REQUIRE(
      run_reticle(steady("ref-asic-paper", "claude-class-mid") + Arguments{"--out", scratch / "a"})
          .code == 4);
  const auto report = nlohmann::json::parse(read_file(scratch / "a/report.json"));
  CHECK(report["feasible"]["fits"] == false);
  const Outcome again = run_reticle({"run", "--resolved", scratch / "a/resolved.yaml", "--json"});
  CHECK(again.code == 4);
  CHECK(nlohmann::json::parse(again.out) == report);
}

TEST_CASE("reprice: the run's own prices give the same report") {
  const ScratchDirectory scratch;
  REQUIRE(run_reticle(steady("h100-8", "llama-3-70b", {"workload.steps=3", "workload.batch=4"}) +
                      Arguments{"--out", scratch / "a"})
              .code == 0);
  write_file(
      scratch / "same.yaml",
      "title: what h100-8 pays already\n"
      "energy:\n  hbm:\n    io_pj_per_bit: {value: 0.755, source: HBM3, confidence: derived}\n");
  const Outcome outcome =
      run_reticle({"reprice", scratch / "a", "--prices", scratch / "same.yaml"});
  REQUIRE(outcome.code == 0);
  auto repriced = nlohmann::json::parse(outcome.out);
  auto report = nlohmann::json::parse(read_file(scratch / "a/report.json"));
  CHECK(repriced["energy"] == report["energy"]);
  CHECK(repriced["cost"] == report["cost"]);
  repriced["repriced"] = report["repriced"];
  CHECK(repriced == report);
}

TEST_CASE("reprice: a price changes what it prices and no count") {
  const ScratchDirectory scratch;
  REQUIRE(run_reticle(steady("h100-8", "llama-3-70b", {"workload.steps=1"}) +
                      Arguments{"--out", scratch / "a"})
              .code == 0);
  write_file(
      scratch / "dear.yaml",
      "title: HBM I/O at twice the price\n"
      "energy:\n  hbm:\n    io_pj_per_bit: {value: 1.51, source: a test, confidence: estimate}\n");
  const Outcome outcome =
      run_reticle({"reprice", scratch / "a", "--prices", scratch / "dear.yaml"});
  REQUIRE(outcome.code == 0);
  const auto repriced = nlohmann::json::parse(outcome.out);
  const auto report = nlohmann::json::parse(read_file(scratch / "a/report.json"));
  CHECK(repriced["counts"] == report["counts"]);
  const auto hbm = [](const nlohmann::json& r) {
    return r["energy"]["by_component"]["hbm_io"].get<double>();
  };
  CHECK(hbm(repriced) == doctest::Approx(2 * hbm(report)));
  CHECK(repriced["energy"]["total_j"].get<double>() - report["energy"]["total_j"].get<double>() ==
        doctest::Approx(hbm(report)));
}

TEST_CASE("reprice: without a finished run it ends with 3") {
  const ScratchDirectory scratch;
  const Outcome outcome = run_reticle({"reprice", scratch / "none", "--prices", "optimistic-sram"});
  CHECK(outcome.code == 3);
  CHECK(contains(outcome.err, "none"));
}
