// SPDX-License-Identifier: Apache-2.0
// The points of a sweep and what came of them, in an SQLite file that survives whatever happens to
// the processes around it (docs/sweeps.md, "The store").
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "sim/sweep/design.hpp"

namespace reticle {

enum class PointStatus : std::uint8_t {
  Open,  ///< not worked out yet
  Ok,
  Infeasible,  ///< valid, and does not fit
  Skipped,     ///< a constraint of the sweep
  Refused,     ///< no such configuration: a value is wrong beside another one
  Stuck,       ///< over a limit of the run, or without progress
  TimedOut,    ///< over the sweep's time_limit
  Crashed      ///< ended by a signal, or by a mistake of the program's own
};
std::string_view name_of(PointStatus status);

/// What a point came to.
struct PointAnswer {
  PointStatus status = PointStatus::Open;
  std::string reason{};
  std::string digest{};   ///< of the inputs, once they are known
  std::string outputs{};  ///< a JSON object, of what ran
  double wall_s = 0;
  std::int64_t peak_rss_bytes = 0;
};

struct StoredPoint {
  std::int64_t id = 0;
  DesignPoint point;
  std::string inputs;  ///< its values once more, a JSON object of the columns' keys in order
  PointAnswer answer;
};

/// What a store is of. Another definition is another sweep; other files beneath it make every
/// point be looked up anew.
struct SweepIdentity {
  std::string name;
  std::string definition;  ///< text of the sweep's file
  std::string base;        ///< digest of what the points rest on
  std::string version, revision;
  std::vector<std::string> sets{};  ///< key=value for every point, beside the file
};

/// Where the processes that use a store are.
enum class StoreKind : std::uint8_t {
  Local,  ///< on this machine: a write-ahead log, so that readers and the writer do not wait
  Shared  ///< on several, by way of the file system: a log would need shared memory
          ///< [SQLite, "Write-Ahead Logging", 1]; a rollback journal does not
};

class SweepStore {
 public:
  /// Makes it when absent. One process at a time: throws ConfigError naming the one that has it,
  /// and when the file is damaged, of another kind, or holds another sweep and not `replace`.
  SweepStore(const std::filesystem::path& path, const SweepIdentity& identity, bool replace,
             StoreKind kind = StoreKind::Local);
  /// To read what is there, whoever else works on it, and whether or not one may write there. A
  /// store that others on other machines write to is opened for reading alone, and refused while
  /// what a kill left half written is in it; so is one where nothing may be written.
  explicit SweepStore(const std::filesystem::path& path, StoreKind kind = StoreKind::Local);
  ~SweepStore();
  SweepStore(const SweepStore&) = delete;
  SweepStore& operator=(const SweepStore&) = delete;

  [[nodiscard]] const SweepIdentity& identity() const { return identity_; }
  /// Inputs this program has worked out: digests.
  [[nodiscard]] const std::unordered_set<std::string>& known() const { return known_; }
  /// Points that were worked out under other files or by another program, and will be again.
  [[nodiscard]] std::int64_t outdated() const { return outdated_; }

  /// Makes these points, unless they are there already as they are; open ones, answers apart.
  void put_points(const std::vector<StoredPoint>& points);
  /// Removes points from `count` on, which another design left.
  void end_at(std::int64_t count);
  [[nodiscard]] std::vector<StoredPoint> points(std::int64_t first = 0) const;

  /// Writes down an answer. Safe from a kill once `commit` has returned.
  void finish(std::int64_t point, const PointAnswer& answer);
  /// The result of the same inputs that is there is this point's, and returned.
  PointAnswer answer_from_store(std::int64_t point, const std::string& digest, double wall_s);
  void commit();
  /// Points that crashed, were stuck or ran out of time are open again.
  std::int64_t reopen_failed();

  /// Takes over every answer of another store, on which nobody works. Where it is of another sweep,
  /// other files or another program, its results by their digests, and false.
  bool merge(const std::filesystem::path& other);

  class Database;  ///< an SQLite connection

 private:
  static std::unique_ptr<Database> open_to_read(const std::filesystem::path& path, StoreKind kind);
  void create();
  void check_schema();
  void lock(const std::filesystem::path& path);
  void read_identity();
  void adopt(const SweepIdentity& identity, bool replace);
  void keep_results_of(const SweepStore& part);

  std::unique_ptr<Database> db_;
  SweepIdentity identity_;
  std::unordered_set<std::string> known_;
  std::int64_t outdated_ = 0;
  bool open_transaction_ = false;
  int lock_ = -1;
};

/// Where the store of a sweep's directory is.
std::filesystem::path store_of(const std::filesystem::path& directory_or_file);

}  // namespace reticle
