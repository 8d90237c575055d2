// SPDX-License-Identifier: Apache-2.0
// Rows per second of the trace readers, and of `describe`, on one core. Files are made here, with
// rows as long as those of the published traces.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "sim/base/rng.hpp"
#include "workloads/requests/trace_statistics.hpp"
#include "workloads/requests/trace_stream.hpp"

namespace {

using namespace reticle;

class BenchFile {
 public:
  explicit BenchFile(const std::string& text)
      : path_{std::filesystem::temp_directory_path() /
              ("reticle-bench-" + std::to_string(::getpid()))} {
    std::ofstream{path_, std::ios::binary} << text;
  }
  ~BenchFile() { std::filesystem::remove(path_); }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

std::string azure_rows(int rows) {
  RngStream rng{1, "bench"};
  std::string text = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
  std::int64_t hundred_ns = 0;
  std::array<char, 64> time{};
  for (int i = 0; i < rows; ++i) {
    hundred_ns += static_cast<std::int64_t>(rng.exponential(1.8e6));
    const std::int64_t s = hundred_ns / 10'000'000;
    std::snprintf(time.data(), time.size(), "2023-11-%02d %02d:%02d:%02d.%07d",
                  static_cast<int>(1 + s / 86'400), static_cast<int>(s / 3'600 % 24),
                  static_cast<int>(s / 60 % 60), static_cast<int>(s % 60),
                  static_cast<int>(hundred_ns % 10'000'000));
    text.append(time.data())
        .append(",")
        .append(std::to_string(1 + rng.below(4'000)))
        .append(",")
        .append(std::to_string(1 + rng.below(500)))
        .append("\n");
  }
  return text;
}

/// 27 ids a row, as the published conversation trace has in the mean.
std::string mooncake_rows(int rows) {
  RngStream rng{1, "bench"};
  std::string text;
  std::uint64_t id = 0;
  for (int i = 0; i < rows; ++i) {
    text += "{\"timestamp\": " + std::to_string(i / 10 * 3'000) +
            ", \"input_length\": " + std::to_string(27 * 512 - rng.below(512)) +
            ", \"output_length\": " + std::to_string(1 + rng.below(700)) + ", \"hash_ids\": [0";
    for (int b = 1; b < 27; ++b) text += ", " + std::to_string(b < 9 ? b + i % 50 * 9 : ++id + 500);
    text += "]}\n";
  }
  return text;
}

void read_all(benchmark::State& state, const std::string& text, bool describe) {
  const BenchFile file{text};
  std::int64_t rows = 0;
  for (auto _ : state) {
    TraceStream stream{file.path(), ""};
    TraceStatistics figures{stream.block_tokens()};
    Request request;
    while (stream.next(request)) {
      if (describe) figures.add(request);
      ++rows;
    }
    benchmark::DoNotOptimize(figures);
  }
  state.SetItemsProcessed(rows);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

BENCHMARK_CAPTURE(read_all, azure_read, azure_rows(200'000), false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(read_all, azure_describe, azure_rows(200'000), true)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(read_all, mooncake_read, mooncake_rows(20'000), false)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(read_all, mooncake_describe, mooncake_rows(20'000), true)
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
