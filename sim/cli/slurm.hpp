// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace reticle {

/// A job array on an existing Slurm cluster, whose tasks each work on a store of their own in a
/// directory all nodes see. What was submitted is written down there, so that another start finds
/// it again.
class SlurmArray {
 public:
  SlurmArray(std::filesystem::path directory, std::vector<std::string> options);

  [[nodiscard]] std::filesystem::path shard(std::size_t task) const;
  /// Those there are.
  [[nodiscard]] std::vector<std::filesystem::path> shards() const;
  /// Removes shards, logs and what was written down.
  void clear() const;
  /// The same, and makes the directory for the next.
  void renew() const;

  /// Throws ConfigError with what sbatch says.
  void submit(std::size_t tasks, std::size_t jobs) const;
  /// Some task of what was submitted last waits or runs. Throws ConfigError where squeue fails,
  /// which on a busy controller it does now and then.
  [[nodiscard]] bool running() const;
  /// A line per task that waits or runs, as squeue has it; empty where nothing was submitted.
  [[nodiscard]] std::string state() const;

 private:
  [[nodiscard]] std::string job() const;  ///< its number; empty: none

  const std::filesystem::path directory_;
  const std::vector<std::string> options_;
};

}  // namespace reticle
