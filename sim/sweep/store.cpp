// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "sim/base/error.hpp"
#include "sim/config/json_document.hpp"

namespace reticle {

namespace fs = std::filesystem;

namespace {
constexpr std::array<std::pair<PointStatus, std::string_view>, 8> kStatusNames{
    {{PointStatus::Open, "open"},
     {PointStatus::Ok, "ok"},
     {PointStatus::Infeasible, "infeasible"},
     {PointStatus::Skipped, "skipped"},
     {PointStatus::Refused, "refused"},
     {PointStatus::Stuck, "stuck"},
     {PointStatus::TimedOut, "timed-out"},
     {PointStatus::Crashed, "crashed"}}};

PointStatus status_of(std::string_view name) {
  for (const auto& [status, text] : kStatusNames)
    if (text == name) return status;
  return PointStatus::Open;
}

constexpr int kBusyMs = 5000;  // another's transaction is over by then
constexpr std::string_view kSchemaVersion = "2";

/// docs/sweeps.md says what each column means.
constexpr const char* kSchema = R"(
CREATE TABLE sweep (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE result (
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL, version TEXT NOT NULL, revision TEXT NOT NULL,
  status TEXT NOT NULL, reason TEXT NOT NULL, outputs TEXT,
  wall_s REAL NOT NULL, peak_rss_bytes INTEGER NOT NULL,
  UNIQUE (digest, version, revision));
CREATE TABLE point (
  id INTEGER PRIMARY KEY,
  inputs TEXT NOT NULL, fidelity TEXT NOT NULL,
  block TEXT NOT NULL, row INTEGER NOT NULL,
  status TEXT NOT NULL DEFAULT 'open', reason TEXT NOT NULL DEFAULT '',
  result INTEGER REFERENCES result (id),
  wall_s REAL, peak_rss_bytes INTEGER);
CREATE VIEW points AS
  SELECT point.id, point.inputs, point.fidelity, point.block, point.row, point.status,
         point.reason, result.digest, result.outputs, result.version, result.revision,
         point.wall_s, point.peak_rss_bytes
  FROM point LEFT JOIN result ON result.id = point.result;
)";

/// What sqlite_master says of these tables. A file of another schema may hold views and triggers
/// that run for ever, so nothing else is asked before.
constexpr const char* kObjects =
    "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' "
    "ORDER BY name LIMIT 8";

/// What a user can do about an error of SQLite's.
std::string advice(int code) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "; the file is damaged: move it away to begin anew, or save what is left with "
             "`sqlite3 STORE .recover`";
    case SQLITE_FULL:
    case SQLITE_IOERR:
      return "; what was committed is kept: make room, then start the sweep again to go on";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "; another program is writing to it";
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      return "; what a stopped sweep left in its log can be read only where files may be written "
             "beside the store: copy the directory to such a place";
    default:
      return "";
  }
}

/// The values of a point, in the order of the sweep's columns.
std::vector<std::optional<std::string>> values_of(const std::string& inputs) {
  const std::string label = "inputs of a point";
  std::vector<std::optional<std::string>> values;
  const auto json = parse_json<nlohmann::ordered_json>(inputs, label);
  for (const auto& value : json) {
    if (!json.is_object() || !(value.is_null() || value.is_string()))
      throw ConfigError({label, 1, 1}, "", "expected a JSON object of texts");
    values.push_back(value.is_null() ? std::nullopt : std::optional{value.get<std::string>()});
  }
  return values;
}

/// Of a row of `sweep`; there is none before the store is adopted.
std::vector<std::string> sets_of(const std::string& text) {
  const std::string label = "row 'sets' of a sweep's store";
  std::vector<std::string> sets;
  const auto json = text.empty() ? nlohmann::json::array() : parse_json(text, label);
  for (const auto& set : json) {
    if (!json.is_array() || !set.is_string())
      throw ConfigError({label, 1, 1}, "", "expected a JSON array of texts");
    sets.push_back(set.get<std::string>());
  }
  return sets;
}
}  // namespace

std::string_view name_of(PointStatus status) {
  return kStatusNames[static_cast<std::size_t>(status)].second;
}

fs::path store_of(const fs::path& directory_or_file) {
  std::error_code error;
  return fs::is_directory(directory_or_file, error) ? directory_or_file / "sweep.sqlite"
                                                    : directory_or_file;
}

namespace {
fs::path log_of(const fs::path& store) { return store.string() + "-wal"; }

/// In the mode of a write-ahead log [SQLite, "Database File Format", 1.3.3: read version 2].
bool has_log_mode(const fs::path& store) {
  constexpr std::streamoff kReadVersion = 19;
  constexpr char kWriteAheadLog = 2;
  std::ifstream file{store, std::ios::binary};
  char version = 0;
  return file.seekg(kReadVersion) && file.get(version) && version == kWriteAheadLog;
}

bool may_write(const fs::path& path) {
  return ::access(path.empty() ? "." : path.c_str(), W_OK) == 0;
}

/// As a URI [SQLite, "URI Filenames", 3.1]: of a file that nobody changes, without locks or log.
std::string immutable_uri(const fs::path& path) {
  std::string uri = "file://";
  for (const char letter : fs::absolute(path).string())
    if (letter == '%' || letter == '?' || letter == '#')
      uri += fmt::format("%{:02X}", static_cast<unsigned char>(letter));
    else
      uri += letter;
  return uri + "?immutable=1";
}
}  // namespace

/// A connection, its statements, and errors as ConfigError.
class SweepStore::Database {
 public:
  Database(fs::path path, int flags, bool immutable = false)
      : path_{std::move(path)}, immutable_{immutable} {
    const std::string name = immutable ? immutable_uri(path_) : path_.string();
    const int code = sqlite3_open_v2(name.c_str(), &handle_, flags, nullptr);
    if (code != SQLITE_OK) {
      const std::string why = sqlite3_errstr(code);
      sqlite3_close(handle_);
      throw ConfigError({path_.string(), 0, 0}, "", "cannot open the store: " + why + advice(code));
    }
    sqlite3_busy_timeout(handle_, kBusyMs);
  }
  ~Database() {
    for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
    sqlite3_close(handle_);
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void run(const char* sql) { check(sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr)); }

  /// A statement with its parameters bound, run row by row.
  class Rows {
   public:
    Rows(Database& db, sqlite3_stmt* statement) : db_{db}, statement_{statement} {}
    ~Rows() { sqlite3_reset(statement_); }
    Rows(const Rows&) = delete;
    Rows& operator=(const Rows&) = delete;
    bool next() {
      const int code = sqlite3_step(statement_);
      if (code != SQLITE_ROW && code != SQLITE_DONE) db_.check(code);
      return code == SQLITE_ROW;
    }
    [[nodiscard]] std::string text(int column) const {
      const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
      return bytes == nullptr ? std::string{} : std::string{bytes};
    }
    [[nodiscard]] std::int64_t whole(int column) const {
      return sqlite3_column_int64(statement_, column);
    }
    [[nodiscard]] double real(int column) const {
      return sqlite3_column_double(statement_, column);
    }

   private:
    Database& db_;
    sqlite3_stmt* statement_;
  };

  template <class... Values>
  Rows ask(const char* sql, const Values&... values) {
    sqlite3_stmt*& statement = statements_[sql];
    if (statement == nullptr) check(sqlite3_prepare_v2(handle_, sql, -1, &statement, nullptr));
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    [[maybe_unused]] int place = 0;
    (bind(statement, ++place, values), ...);
    return {*this, statement};
  }
  template <class... Values>
  void tell(const char* sql, const Values&... values) {
    Rows rows = ask(sql, values...);
    while (rows.next()) {
    }
  }
  /// Tables and views by their text; the same of two stores of one schema.
  [[nodiscard]] std::string schema() {
    std::string text;
    for (Rows rows = ask(kObjects); rows.next();)
      text += rows.text(0) + " " + rows.text(1) + ": " + rows.text(2) + "\n";
    return text;
  }
  [[nodiscard]] std::int64_t changed() const { return sqlite3_changes(handle_); }
  /// What was read from an immutable file is nothing once a writer has come.
  void check_unchanged() const {
    std::error_code error;
    if (immutable_ && fs::exists(log_of(path_), error))
      fail("a sweep began to write to the store while it was read: try again");
  }

  [[noreturn]] void fail(const std::string& why) const {
    throw ConfigError({path_.string(), 0, 0}, "", why);
  }

 private:
  void check(int code) {
    if (code == SQLITE_OK) return;
    fail("the store cannot be used: " + std::string{sqlite3_errmsg(handle_)} + advice(code));
  }
  void bind(sqlite3_stmt* s, int place, const std::string& text) {
    check(
        sqlite3_bind_text(s, place, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT));
  }
  void bind(sqlite3_stmt* s, int place, std::int64_t number) {
    check(sqlite3_bind_int64(s, place, number));
  }
  void bind(sqlite3_stmt* s, int place, double number) {
    check(sqlite3_bind_double(s, place, number));
  }

  const fs::path path_;
  const bool immutable_;
  sqlite3* handle_ = nullptr;
  std::map<std::string, sqlite3_stmt*> statements_;
};

SweepStore::SweepStore(const fs::path& path, const SweepIdentity& identity, bool replace,
                       StoreKind kind) {
  lock(path);
  try {
    db_ = std::make_unique<Database>(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (auto whole = db_->ask("PRAGMA quick_check(1)"); whole.next() && whole.text(0) != "ok")
      db_->fail("the store is damaged: " + whole.text(0) + advice(SQLITE_CORRUPT));
    db_->run(kind == StoreKind::Local ? "PRAGMA journal_mode = WAL"
                                      : "PRAGMA journal_mode = DELETE");
    db_->run("PRAGMA synchronous = FULL");  // a commit survives a power cut, not only a kill
    create();
    read_identity();
    adopt(identity, replace);
  } catch (...) {
    ::close(lock_);
    throw;
  }
}

SweepStore::SweepStore(const fs::path& path, StoreKind kind) {
  std::error_code error;
  if (!fs::is_regular_file(path, error))
    throw ConfigError({path.string(), 0, 0}, "", "expected the store of a sweep, got no file");
  db_ = open_to_read(path, kind);
  check_schema();
  read_identity();
}

/// A write-ahead log cannot be read without writing to its index, or finding one that another keeps
/// [SQLite, "Write-Ahead Logging", 5]. Where nothing may be written, and there is no log, nobody
/// has the store open to write, and all of it is in its file.
std::unique_ptr<SweepStore::Database> SweepStore::open_to_read(const fs::path& path,
                                                               StoreKind kind) {
  std::error_code error;
  if (kind == StoreKind::Local && may_write(path) && may_write(path.parent_path()))
    return std::make_unique<Database>(path, SQLITE_OPEN_READWRITE);
  if (has_log_mode(path) && !fs::exists(log_of(path), error))
    return std::make_unique<Database>(path, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, true);
  return std::make_unique<Database>(path, SQLITE_OPEN_READONLY);
}

SweepStore::~SweepStore() {
  try {
    if (db_) commit();
  } catch (const ConfigError&) {  // who cares for the answers commits before
  }
  db_.reset();
  if (lock_ >= 0) ::close(lock_);
}

/// A lock of the process, which no child inherits and its end gives back, a kill included.
void SweepStore::lock(const fs::path& path) {
  const std::string name = path.string() + ".lock";
  lock_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (lock_ < 0)
    throw ConfigError({name, 0, 0}, "", "cannot open: " + std::generic_category().message(errno));
  struct flock wanted {};
  wanted.l_type = F_WRLCK;
  wanted.l_whence = SEEK_SET;
  if (::fcntl(lock_, F_SETLK, &wanted) == 0) return;
  struct flock held = wanted;
  const bool known = ::fcntl(lock_, F_GETLK, &held) == 0 && held.l_type != F_UNLCK;
  ::close(std::exchange(lock_, -1));
  throw ConfigError({path.string(), 0, 0}, "",
                    "another sweep works on this store" +
                        (known ? ", process " + std::to_string(held.l_pid) : std::string{}) +
                        ": wait for it, or give this one another --out");
}

void SweepStore::create() {
  db_->run("BEGIN IMMEDIATE");
  if (!db_->ask("SELECT 1 FROM sqlite_master WHERE name = 'sweep'").next()) {
    if (db_->ask("SELECT 1 FROM sqlite_master").next())
      db_->fail("expected the store of a sweep, got another database");
    db_->run(kSchema);
    db_->tell("INSERT INTO sweep VALUES ('schema', ?)", std::string{kSchemaVersion});
  }
  check_schema();
  db_->run("COMMIT");
}

void SweepStore::check_schema() {
  static const std::string ours = [] {
    Database empty{":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE};
    empty.run(kSchema);
    return empty.schema();
  }();
  if (db_->schema() != ours)
    db_->fail("expected the store of a sweep, schema " + std::string{kSchemaVersion} +
              ", got another database, or a store that another version wrote: give another --out");
}

void SweepStore::read_identity() {
  std::map<std::string, std::string> values;
  for (auto rows = db_->ask("SELECT key, value FROM sweep"); rows.next();)
    values[rows.text(0)] = rows.text(1);
  if (values["schema"] != kSchemaVersion)
    db_->fail("expected a store of schema " + std::string{kSchemaVersion} + ", got '" +
              values["schema"] + "'");
  identity_ = {values["name"],    values["definition"], values["base"],
               values["version"], values["revision"],   sets_of(values["sets"])};
}

void SweepStore::adopt(const SweepIdentity& identity, bool replace) {
  const bool fresh = identity_.definition.empty();
  const bool same = identity_.definition == identity.definition && identity_.sets == identity.sets;
  if (!fresh && !same && !replace)
    db_->fail("the store holds another sweep, '" + identity_.name +
              "' as it was then: give another --out, or --replace to keep its results and make its "
              "points those of this one");
  db_->run("BEGIN IMMEDIATE");
  if (identity_.base != identity.base || identity_.version != identity.version ||
      identity_.revision != identity.revision) {
    db_->tell(
        "UPDATE point SET status = 'open', reason = '', result = NULL, wall_s = NULL, "
        "peak_rss_bytes = NULL WHERE status != 'open'");
    outdated_ = db_->changed();
  }
  for (const auto& [key, value] :
       {std::pair{"name", identity.name}, std::pair{"definition", identity.definition},
        std::pair{"sets", nlohmann::json(identity.sets).dump()}, std::pair{"base", identity.base},
        std::pair{"version", identity.version}, std::pair{"revision", identity.revision}})
    db_->tell("INSERT OR REPLACE INTO sweep VALUES (?, ?)", std::string{key}, value);
  db_->run("COMMIT");
  identity_ = identity;
  for (auto rows = db_->ask("SELECT digest FROM result WHERE version = ? AND revision = ?",
                            identity_.version, identity_.revision);
       rows.next();)
    known_.insert(rows.text(0));
}

void SweepStore::put_points(const std::vector<StoredPoint>& points) {
  commit();
  db_->run("BEGIN IMMEDIATE");
  open_transaction_ = true;
  for (const StoredPoint& stored : points) {
    const DesignPoint& p = stored.point;
    if (db_->ask("SELECT 1 FROM point WHERE id = ? AND inputs = ? AND fidelity = ? AND block = ? "
                 "AND row = ?",
                 stored.id, stored.inputs, p.fidelity, p.block, p.row)
            .next())
      continue;
    db_->tell(
        "INSERT OR REPLACE INTO point (id, inputs, fidelity, block, row) "
        "VALUES (?, ?, ?, ?, ?)",
        stored.id, stored.inputs, p.fidelity, p.block, p.row);
  }
  commit();
}

void SweepStore::end_at(std::int64_t count) { db_->tell("DELETE FROM point WHERE id >= ?", count); }

std::vector<StoredPoint> SweepStore::points(std::int64_t first) const {
  std::vector<StoredPoint> all;
  auto rows = db_->ask(
      "SELECT point.id, inputs, fidelity, block, row, point.status, point.reason, digest, "
      "outputs, point.wall_s, point.peak_rss_bytes FROM point LEFT JOIN result ON result.id = "
      "point.result WHERE point.id >= ? ORDER BY point.id",
      first);
  while (rows.next())
    all.push_back({.id = rows.whole(0),
                   .point = {values_of(rows.text(1)), rows.text(2), rows.text(3), rows.whole(4)},
                   .inputs = rows.text(1),
                   .answer = {.status = status_of(rows.text(5)),
                              .reason = rows.text(6),
                              .digest = rows.text(7),
                              .outputs = rows.text(8),
                              .wall_s = rows.real(9),
                              .peak_rss_bytes = rows.whole(10)}});
  db_->check_unchanged();
  return all;
}

void SweepStore::finish(std::int64_t point, const PointAnswer& answer) {
  if (!std::exchange(open_transaction_, true)) db_->run("BEGIN IMMEDIATE");
  const bool lasting = answer.status == PointStatus::Ok || answer.status == PointStatus::Infeasible;
  if (lasting) {
    db_->tell(
        "INSERT OR IGNORE INTO result (digest, version, revision, status, reason, outputs, "
        "wall_s, peak_rss_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        answer.digest, identity_.version, identity_.revision, std::string{name_of(answer.status)},
        answer.reason, answer.outputs, answer.wall_s, answer.peak_rss_bytes);
    known_.insert(answer.digest);
  }
  db_->tell(
      "UPDATE point SET status = ?, reason = ?, wall_s = ?, peak_rss_bytes = ?, result = "
      "(SELECT id FROM result WHERE digest = ? AND version = ? AND revision = ?) "
      "WHERE id = ?",
      std::string{name_of(answer.status)}, answer.reason, answer.wall_s, answer.peak_rss_bytes,
      lasting ? answer.digest : std::string{}, identity_.version, identity_.revision, point);
}

PointAnswer SweepStore::answer_from_store(std::int64_t point, const std::string& digest,
                                          double wall_s) {
  PointAnswer answer;
  {
    auto rows = db_->ask(
        "SELECT status, reason, outputs, peak_rss_bytes FROM result WHERE digest "
        "= ? AND version = ? AND revision = ?",
        digest, identity_.version, identity_.revision);
    invariant(rows.next(), "only what is known is answered from the store");
    answer = {.status = status_of(rows.text(0)),
              .reason = rows.text(1),
              .digest = digest,
              .outputs = rows.text(2),
              .wall_s = wall_s,
              .peak_rss_bytes = rows.whole(3)};
  }
  finish(point, answer);
  return answer;
}

void SweepStore::commit() {
  if (!open_transaction_) return;
  db_->run("COMMIT");
  open_transaction_ = false;
}

std::int64_t SweepStore::reopen_failed() {
  commit();
  db_->tell(
      "UPDATE point SET status = 'open', reason = '' WHERE status IN ('crashed', "
      "'timed-out', 'stuck')");
  return db_->changed();
}

bool SweepStore::merge(const fs::path& other) {
  commit();
  const SweepStore part{other};
  const bool same =
      part.identity_.definition == identity_.definition && part.identity_.sets == identity_.sets &&
      part.identity_.base == identity_.base && part.identity_.version == identity_.version &&
      part.identity_.revision == identity_.revision;
  if (same) {
    for (const StoredPoint& p : part.points())
      if (p.answer.status != PointStatus::Open) finish(p.id, p.answer);
  } else {
    keep_results_of(part);
  }
  commit();
  return same;
}

/// A result is of its inputs' digest and its program, whatever the sweep.
void SweepStore::keep_results_of(const SweepStore& part) {
  db_->run("BEGIN IMMEDIATE");
  open_transaction_ = true;
  auto rows = part.db_->ask(
      "SELECT digest, version, revision, status, reason, outputs, wall_s, peak_rss_bytes FROM "
      "result");
  while (rows.next()) {
    db_->tell(
        "INSERT OR IGNORE INTO result (digest, version, revision, status, reason, outputs, "
        "wall_s, peak_rss_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        rows.text(0), rows.text(1), rows.text(2), rows.text(3), rows.text(4), rows.text(5),
        rows.real(6), rows.whole(7));
    if (rows.text(1) == identity_.version && rows.text(2) == identity_.revision)
      known_.insert(rows.text(0));
  }
}

}  // namespace reticle
