// SPDX-License-Identifier: Apache-2.0
// HbmController beside Ramulator 2.1, DRAMsim3 and DRAMSys on identical timing and traffic.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "tests/reference/hbm_presets.hpp"
#include "tests/reference/hbm_traffic.hpp"

namespace reticle {
namespace {

const std::filesystem::path kFile = RETICLE_SOURCE_DIR "/../shared/reference/hbm_reference.csv";

using Row = std::map<std::string, std::string>;

std::vector<Row> read_rows() {
  std::ifstream in{kFile};
  std::vector<Row> rows;
  std::vector<std::string> head;
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    std::vector<std::string> cells;
    std::istringstream text{line};
    for (std::string cell; std::getline(text, cell, ',');) cells.push_back(cell);
    if (head.empty()) {
      head = cells;
      continue;
    }
    Row row;
    for (std::size_t i = 0; i < head.size(); ++i) row[head[i]] = i < cells.size() ? cells[i] : "";
    rows.push_back(row);
  }
  return rows;
}

HbmParams params_of(const Row& row) {
  const std::string& config = row.at("config");
  HbmParams p = config.starts_with("HBM2") ? hbm2_preset() : hbm3_preset();
  const bool sid0 = config.find("SID0only") != std::string::npos;
  if (sid0) p.stack_ids = 1;
  const bool column = row.at("address_map") == "COL";
  if (config.starts_with("HBM3"))
    p.address_map =
        std::string{column ? "co5 bg2 ba2 " : "co1 bg2 co4 ba2 "} + (sid0 ? "ro14" : "si1 ro14");
  else if (column)
    p.address_map = "co5 bg2 ba2 ro16";
  p.refresh = row.at("refresh") == "ab" ? RefreshMode::AllBank : RefreshMode::Off;
  p.controller.scheduling =
      row.at("scheduler") == "frfcfs" ? HbmScheduling::FrFcfs : HbmScheduling::RowHit;
  const std::string& notes = row.at("notes");
  if (notes.starts_with("rb=")) p.controller.read_queue = std::stoll(notes.substr(3));
  return p;
}

HbmTraffic traffic_of(const Row& row) {
  const std::string& pattern = row.at("pattern");
  HbmTraffic t;
  t.order = pattern.starts_with("seq")    ? HbmTraffic::Order::Sequential
            : pattern.starts_with("rand") ? HbmTraffic::Order::Random
                                          : HbmTraffic::Order::SameRow;
  const auto bar = pattern.find('_');
  t.chunk = bar == std::string::npos ? 64 : std::stoll(pattern.substr(bar + 1));
  const bool open = row.at("queue_depth") == "open";
  t.depth = open ? 0 : std::stoll(row.at("queue_depth"));
  t.load = std::stod(row.at("load_of_peak"));
  t.read_fraction = std::stod(row.at("read_frac"));
  if (t.read_fraction == 0.667) t.read_fraction = 2.0 / 3;
  if (t.chunk > 64) {
    t.warm_up = 200;
    t.measured = std::max<std::int64_t>(400, 8'000'000 / t.chunk);
  }
  return t;
}

TEST_CASE("HbmController beside the reference simulators: every row with its error") {
  if (!std::filesystem::exists(kFile)) {
    MESSAGE("SKIPPED: ../shared/reference is not here");
    return;
  }
  std::FILE* csv = nullptr;
  if (const char* folder = std::getenv("RETICLE_VALIDATION"))
    csv = std::fopen((std::string{folder} + "/hbm_cycle.csv").c_str(), "w");
  std::map<std::string, std::pair<int, int>> score;
  for (const Row& row : read_rows()) {
    const bool anchor = row.at("tool") == "ramulator2.1";
    if (!anchor && !std::getenv("ALL")) continue;
    HbmTrafficRun run{params_of(row), traffic_of(row)};
    const HbmMeasured m = run.run();
    const double gbps = std::stod(row.at("achieved_GBps"));
    const double ns = std::stod(row.at("avg_latency_ns"));
    const double off_gbps = 100 * (m.gbps / gbps - 1);
    const double off_ns = 100 * (m.read_latency_ns / ns - 1);
    const bool good = std::abs(off_gbps) <= 3 && std::abs(off_ns) <= 8;
    auto& [hits, all] = score[row.at("tool") + " " + row.at("config").substr(0, 4)];
    hits += good;
    ++all;
    std::printf(
        "%s %-12s %-28s %s %-3s %-11s %4s %5s %5s %-6s %-6s %8.3f %8.3f %+6.1f %% %9.2f %9.2f "
        "%+6.1f %% min %6.1f/%6.1f\n",
        good ? " " : "*", row.at("tool").c_str(), row.at("config").c_str(),
        row.at("address_map").c_str(), row.at("refresh").c_str(), row.at("pattern").c_str(),
        row.at("queue_depth").c_str(), row.at("load_of_peak").c_str(), row.at("read_frac").c_str(),
        row.at("scheduler").c_str(), row.at("notes").c_str(), m.gbps, gbps, off_gbps,
        m.read_latency_ns, ns, off_ns, m.least_ns, std::stod(row.at("min_ns")));
  }
  if (csv) std::fclose(csv);
  for (const auto& [name, s] : score)
    std::printf("%s: %d of %d rows within 3 %% of bandwidth and 8 %% of latency\n", name.c_str(),
                s.first, s.second);
}

}  // namespace
}  // namespace reticle
