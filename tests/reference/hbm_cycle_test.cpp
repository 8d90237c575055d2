// SPDX-License-Identifier: Apache-2.0
// HbmController beside Ramulator 2.1, DRAMsim3 and DRAMSys on identical timing and traffic.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "tests/reference/hbm_presets.hpp"
#include "tests/reference/hbm_traffic.hpp"
#include "tests/reference/validation_csv.hpp"

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

struct Score {
  int rows = 0, bandwidth = 0, latency = 0, both = 0;
};

/// Prints one row, files it and scores it: bandwidth within 3 %, mean latency within 8 %.
void compare(const Row& row, ValidationCsv& csv, Score& score) {
  const HbmMeasured m = HbmTrafficRun{params_of(row), traffic_of(row)}.run();
  const double gbps = std::stod(row.at("achieved_GBps"));
  const double ns = std::stod(row.at("avg_latency_ns"));
  const double off_gbps = 100 * (m.gbps / gbps - 1);
  const double off_ns = 100 * (m.read_latency_ns / ns - 1);
  const bool rate = std::abs(off_gbps) <= 3;
  const bool latency = std::abs(off_ns) <= 8;
  ++score.rows;
  score.bandwidth += rate;
  score.latency += latency;
  score.both += rate && latency;
  std::printf(
      "%s %-12s %-30.30s %s %-3s %-11s %4s %4s %5s %-8s %-8.8s %7.3f %7.3f %+6.1f %% %9.2f %9.2f "
      "%+6.1f %%\n",
      rate && latency ? " " : "*", row.at("tool").c_str(), row.at("config").c_str(),
      row.at("address_map").c_str(), row.at("refresh").c_str(), row.at("pattern").c_str(),
      row.at("queue_depth").c_str(), row.at("load_of_peak").c_str(), row.at("read_frac").c_str(),
      row.at("scheduler").c_str(), row.at("notes").c_str(), m.gbps, gbps, off_gbps,
      m.read_latency_ns, ns, off_ns);
  csv.row(row.at("tool"), row.at("config"), row.at("address_map"), row.at("refresh"),
          row.at("pattern"), row.at("queue_depth"), row.at("load_of_peak"), row.at("read_frac"),
          row.at("scheduler"), row.at("notes"), gbps, m.gbps, off_gbps, ns, m.read_latency_ns,
          off_ns);
}

// We follow Ramulator 2.1: its scheduler and drain are stated in its source, and its rows cover
// both standards. DRAMsim3 and DRAMSys drain writes and see ahead otherwise; their rows are printed
// with the same settings of ours, to show how far the tools lie from each other.
TEST_CASE("HbmController beside the reference simulators: every row with its error") {
  if (!std::filesystem::exists(kFile)) {
    MESSAGE("SKIPPED: ../shared/reference is not here");
    return;
  }
  ValidationCsv csv{"hbm_cycle.csv",
                    "tool,config,address_map,refresh,pattern,queue_depth,load_of_peak,read_frac,"
                    "scheduler,notes,reference_GBps,ours_GBps,error_percent,reference_ns,ours_ns,"
                    "latency_error_percent"};
  std::map<std::string, Score> scores;
  for (const Row& row : read_rows())
    compare(row, csv, scores[row.at("tool") + " " + row.at("config").substr(0, 4)]);
  for (const auto& [name, s] : scores)
    std::printf(
        "%-18s %3d rows: bandwidth within 3 %% on %3d, mean latency within 8 %% on %3d, "
        "both on %3d (%.0f %%)\n",
        name.c_str(), s.rows, s.bandwidth, s.latency, s.both, 100.0 * s.both / s.rows);
  for (const char* standard : {"ramulator2.1 HBM2", "ramulator2.1 HBM3"}) {
    const Score& s = scores[standard];
    CAPTURE(standard);
    CHECK(s.rows > 0);
    CHECK(s.both * 100 >= s.rows * 95);
  }
}

}  // namespace
}  // namespace reticle
