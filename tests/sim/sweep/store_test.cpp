// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/store.hpp"

#include <doctest/doctest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "sim/base/error.hpp"

using namespace reticle;

namespace {
const SweepIdentity kSweep{"s", "text", "base", "1", "rev"};

struct Directory {
  std::filesystem::path path;
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "sweep.XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Directory() { std::filesystem::remove_all(path); }
  [[nodiscard]] std::filesystem::path file() const { return path / "sweep.sqlite"; }
};

StoredPoint point(std::int64_t id, const std::string& value) {
  return {.id = id,
          .point = {{value}, "roofline", "", 0},
          .inputs = nlohmann::ordered_json{{"a.b", value}}.dump(),
          .answer = {}};
}
PointAnswer ok(const std::string& digest) {
  return {.status = PointStatus::Ok, .reason = "", .digest = digest, .outputs = "{\"x\":1}"};
}
std::string message_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return {};
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
}  // namespace

TEST_CASE("store: what was committed is there again, values with line ends and none included") {
  const Directory d;
  const std::string kOdd = "a,\"b\"=c\n-\nd \\ ";
  {
    SweepStore store{d.file(), kSweep, false};
    StoredPoint odd = point(0, kOdd);
    odd.point.values.push_back(std::nullopt);
    odd.inputs = nlohmann::ordered_json{{"a.b", kOdd}, {"a.c", nullptr}}.dump();
    store.put_points({odd, point(1, "2")});
    store.finish(0, ok("d0"));
    store.commit();
  }
  SweepStore store{d.file(), kSweep, false};
  const auto points = store.points();
  REQUIRE(points.size() == 2);
  CHECK(points[0].point.values == std::vector<std::optional<std::string>>{kOdd, std::nullopt});
  CHECK(points[0].answer.status == PointStatus::Ok);
  CHECK(points[0].answer.outputs == "{\"x\":1}");
  CHECK(points[1].answer.status == PointStatus::Open);
  CHECK(store.known().contains("d0"));
}

TEST_CASE("store: the same inputs have one result, whoever answers") {
  const Directory d;
  SweepStore store{d.file(), kSweep, false};
  store.put_points({point(0, "1"), point(1, "2"), point(2, "3")});
  store.finish(0, ok("same"));
  const PointAnswer answered = store.answer_from_store(1, "same", 0.5);
  CHECK(answered.status == PointStatus::Ok);
  CHECK(answered.outputs == "{\"x\":1}");
  CHECK(answered.wall_s == 0.5);
  store.finish(2, ok("same"));
  store.commit();
  for (const auto& p : store.points()) CHECK(p.answer.digest == "same");
  sqlite3* raw = nullptr;
  sqlite3_open(d.file().c_str(), &raw);
  int results = 0;
  sqlite3_exec(
      raw, "SELECT * FROM result",
      [](void* n, int, char**, char**) { return ++*static_cast<int*>(n), 0; }, &results, nullptr);
  sqlite3_close(raw);
  CHECK(results == 1);
}

TEST_CASE(
    "store: another sweep is refused unless asked for, other files or programs open it anew") {
  const Directory d;
  const auto fill = [&] {
    SweepStore store{d.file(), kSweep, false};
    store.put_points({point(0, "1")});
    store.finish(0, ok("d"));
  };
  fill();
  SweepIdentity other = kSweep;
  other.definition = "other";
  CHECK(has(message_of([&] { SweepStore{d.file(), other, false}; }), "another sweep, 's'"));
  CHECK(SweepStore{d.file(), kSweep, false}.outdated() == 0);
  SweepIdentity newer = kSweep;
  newer.revision = "rev2";
  {
    SweepStore store{d.file(), newer, false};
    CHECK(store.outdated() == 1);
    CHECK(store.points()[0].answer.status == PointStatus::Open);
    CHECK(store.known().empty());
  }
  SweepStore replaced{d.file(), other, true};
  CHECK(replaced.known().contains("d"));
}

TEST_CASE("store: what was set beside the file is kept as it was given, and makes another sweep") {
  const Directory d;
  SweepIdentity given = kSweep;
  given.sets = {"a.b=one\ntwo", "c.d=\"x\""};
  { const SweepStore store{d.file(), given, false}; }
  CHECK(SweepStore{d.file()}.identity().sets == given.sets);
  CHECK(message_of([&] { SweepStore{d.file(), given, false}; }).empty());
  CHECK(has(message_of([&] { SweepStore{d.file(), kSweep, false}; }), "another sweep, 's'"));
}

TEST_CASE("store: two processes cannot work on one, and the end of the first frees it") {
  const Directory d;
  std::array<int, 2> ready{};
  REQUIRE(::pipe(ready.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const SweepStore store{d.file(), kSweep, false};
    (void)!::write(ready[1], "x", 1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  const std::string why = message_of([&] { SweepStore{d.file(), kSweep, false}; });
  CHECK(has(why, "another sweep works on this store, process " + std::to_string(child)));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(message_of([&] { SweepStore{d.file(), kSweep, false}; }).empty());
}

TEST_CASE("store: damage is named, wherever it is") {
  const Directory d;
  {
    SweepStore store{d.file(), kSweep, false};
    std::vector<StoredPoint> points;
    for (int i = 0; i < 500; ++i) points.push_back(point(i, std::string(100, 'x')));
    store.put_points(points);
  }
  const auto size = std::filesystem::file_size(d.file());
  const auto damage = [&](std::uintmax_t from, std::size_t bytes) {
    std::fstream file{d.file(), std::ios::in | std::ios::out | std::ios::binary};
    file.seekp(static_cast<std::streamoff>(from));
    file << std::string(bytes, '\xa5');
  };
  SUBCASE("in the middle") { damage(size / 2, 4096); }
  SUBCASE("at the head") { damage(0, 64); }
  SUBCASE("cut short") { std::filesystem::resize_file(d.file(), size / 3); }
  const std::string why = message_of([&] { SweepStore{d.file(), kSweep, false}; });
  CHECK(has(why, "damaged"));
  CHECK(has(why, d.file().string()));
}

TEST_CASE("store: another database, a text and an absent file are refused by name") {
  const Directory d;
  sqlite3* raw = nullptr;
  sqlite3_open(d.file().c_str(), &raw);
  sqlite3_exec(raw, "CREATE TABLE t (x)", nullptr, nullptr, nullptr);
  sqlite3_close(raw);
  CHECK(has(message_of([&] { SweepStore{d.file(), kSweep, false}; }), "another database"));
  CHECK(has(message_of([&] { SweepStore{d.file()}; }), "another database"));
  std::ofstream{d.path / "text"} << std::string(5000, 'a');
  CHECK(has(message_of([&] { SweepStore{d.path / "text"}; }), "damaged"));
  CHECK(has(message_of([&] { SweepStore{d.path / "none"}; }), "no file"));
}

TEST_CASE("store: a shard of another program gives its results by their digests, and no answers") {
  const Directory d;
  const auto shard = [&](const SweepIdentity& identity, const std::string& digest) {
    std::filesystem::remove(d.path / "shard.sqlite");
    SweepStore store{d.path / "shard.sqlite", identity, true, StoreKind::Shared};
    store.put_points({point(0, "1")});
    store.finish(0, ok(digest));
    store.commit();
  };
  SweepStore store{d.file(), kSweep, false};
  store.put_points({point(0, "1")});
  SweepIdentity other = kSweep;
  other.definition = "another file";
  shard(other, "same program");
  CHECK_FALSE(store.merge(d.path / "shard.sqlite"));
  CHECK(store.known().contains("same program"));
  other.revision = "rev2";
  shard(other, "other program");
  CHECK_FALSE(store.merge(d.path / "shard.sqlite"));
  CHECK_FALSE(store.known().contains("other program"));
  CHECK(store.points()[0].answer.status == PointStatus::Open);
  shard(kSweep, "mine");
  CHECK(store.merge(d.path / "shard.sqlite"));
  CHECK(store.points()[0].answer.digest == "mine");
}

TEST_CASE("store: one that several machines share has no write-ahead log, and reading leaves it") {
  const Directory d;
  SweepStore store{d.file(), kSweep, false, StoreKind::Shared};
  store.put_points({point(0, "1")});
  store.finish(0, ok("d"));
  store.commit();
  CHECK(SweepStore{d.file(), StoreKind::Shared}.points().size() == 1);
  for (const auto& entry : std::filesystem::directory_iterator{d.path}) {
    const std::string name = entry.path().filename();
    CHECK_MESSAGE((name == "sweep.sqlite" || name == "sweep.sqlite.lock"), name);
  }
}
