// SPDX-License-Identifier: Apache-2.0
// What the fuzzers feed to the store of a sweep: a database, or what its columns hold.
#pragma once

#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/error.hpp"
#include "sim/config/read_sweep.hpp"
#include "sim/sweep/analysis.hpp"
#include "sim/sweep/store.hpp"

namespace reticle {

inline constexpr std::string_view kFuzzedSweep =
    "sweep: fuzz\n"
    "run: {platform: h100-8, llm: llama-3-8b, workload: steady-decode}\n"
    "axes:\n"
    "  - {key: platform.nodes, range: {from: 1, to: 4, steps: 4, whole: true}}\n"
    "  - {key: workload.batch, values: [1, 8], when: platform.nodes > 1}\n"
    "objectives: [throughput, less workload.batch]\n"
    "limits: [throughput > 0]\n";
/// Sampled along an axis that does not always apply.
inline constexpr std::string_view kSampledSweep =
    "sweep: fuzz\n"
    "run: {platform: h100-8, llm: llama-3-8b, workload: steady-decode}\n"
    "axes:\n"
    "  - {key: platform.nodes, values: [1, 2, 3, 4]}\n"
    "  - {key: workload.batch, range: {from: 1, to: 8, steps: 8}, when: platform.nodes > 1}\n"
    "design: {kind: sobol, points: 4}\n";

/// Lines: status, fidelity, block, row, inputs, outputs, values of the axes ('-': none).
inline StoredPoint stored_point(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  const auto line = [&](std::size_t i) { return i < lines.size() ? lines[i] : std::string{}; };
  StoredPoint point;
  point.answer.status = line(0) == "ok" ? PointStatus::Ok : PointStatus::Stuck;
  point.point.fidelity = line(1);
  point.point.block = line(2);
  (void)std::from_chars(line(3).data(), line(3).data() + line(3).size(), point.point.row);
  point.inputs = line(4);
  point.answer.outputs = line(5);
  for (std::size_t i = 6; i < lines.size(); ++i)
    point.point.values.push_back(lines[i] == "-" ? std::nullopt : std::optional{lines[i]});
  return point;
}

/// Points apart by lines of ==, as one sweep has them.
inline std::vector<StoredPoint> stored_points(std::string_view text) {
  std::vector<StoredPoint> points;
  while (!text.empty()) {
    const std::size_t end = text.find("\n==\n");
    points.push_back(stored_point(text.substr(0, end)));
    points.back().id = std::ssize(points);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 4);
  }
  return points;
}

/// SQLite follows links, so that a file without a name will not do; in memory where there is such a
/// folder.
class StoreFile {
 public:
  explicit StoreFile(std::string_view content) {
    std::ofstream{path_, std::ios::binary | std::ios::trunc} << content;
  }
  ~StoreFile() { std::filesystem::remove(path_); }
  StoreFile(const StoreFile&) = delete;
  StoreFile& operator=(const StoreFile&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_ =
      (std::filesystem::is_directory("/dev/shm") ? std::filesystem::path{"/dev/shm"}
                                                 : std::filesystem::temp_directory_path()) /
      ("reticle_fuzz_" + std::to_string(::getpid()) + ".sqlite");
};

/// Answers whether it was taken; anything but a ConfigError escapes.
inline bool read_any_store(std::string_view bytes) {
  static const SweepSpec grid = parse_sweep(kFuzzedSweep, "fuzz.yaml");
  static const SweepSpec sampled = parse_sweep(kSampledSweep, "fuzz.yaml");
  try {
    std::vector<StoredPoint> points;
    if (bytes.starts_with("SQLite format 3")) {
      const StoreFile file{bytes};
      points = SweepStore{file.path()}.points();
    } else {
      points = stored_points(bytes);
    }
    (void)analyse(sampled, points);
    (void)analyse(grid, points);
    (void)points_json(grid, points, {});
    (void)points_csv(grid, points, {});
    return true;
  } catch (const ConfigError&) {
    return false;
  }
}

}  // namespace reticle
