// SPDX-License-Identifier: Apache-2.0
#include "sim/base/file_writer.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include "sim/base/error.hpp"

using namespace reticle;
namespace fs = std::filesystem;

namespace {
class ScratchDirectory {
 public:
  ScratchDirectory()
      : path_{fs::temp_directory_path() / ("reticle-writer-" + std::to_string(::getpid()))} {
    fs::create_directory(path_);
  }
  ~ScratchDirectory() {
    fs::permissions(path_, fs::perms::owner_all);
    fs::remove_all(path_);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }
  [[nodiscard]] std::ptrdiff_t entries() const {
    return std::distance(fs::directory_iterator{path_}, fs::directory_iterator{});
  }

 private:
  fs::path path_;
};

std::string content_of(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::string complaint(const fs::path& path) {
  try {
    write_file_atomically(path, "text");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}
}  // namespace

TEST_CASE("write_file_atomically: writes, replaces, and leaves no temporary file") {
  const ScratchDirectory directory;
  const fs::path path = directory.path() / "report.json";
  const std::string large(3'000'000, 'x');
  write_file_atomically(path, "first, and longer");
  write_file_atomically(path, std::string_view{"a\0b", 3});
  CHECK(content_of(path) == std::string{"a\0b", 3});
  write_file_atomically(path, large);
  CHECK(content_of(path) == large);
  write_file_atomically(path, "");
  CHECK(content_of(path).empty());
  CHECK(directory.entries() == 1);
}

TEST_CASE("write_file_atomically: gives the mode an ordinary new file has") {
  const ScratchDirectory directory;
  const mode_t old = ::umask(027);
  write_file_atomically(directory.path() / "a", "text");
  ::umask(old);
  CHECK(fs::status(directory.path() / "a").permissions() == fs::perms{0640});
}

TEST_CASE("write_file_atomically: a directory that is not there is named with the reason") {
  const ScratchDirectory directory;
  const fs::path path = directory.path() / "none" / "report.json";
  CHECK(complaint(path) ==
        path.string() + ": cannot create a file beside it: No such file or directory");
}

TEST_CASE("write_file_atomically: failing to replace leaves the target and no temporary file") {
  const ScratchDirectory directory;
  fs::create_directories(directory.path() / "taken" / "inside");
  CHECK(complaint(directory.path() / "taken").find(": cannot replace: ") != std::string::npos);
  CHECK(fs::exists(directory.path() / "taken" / "inside"));
  CHECK(directory.entries() == 1);
}

TEST_CASE("write_file_atomically: a link stays a link, whether or not what it points to is there") {
  const ScratchDirectory directory;
  fs::create_directory(directory.path() / "elsewhere");
  fs::create_symlink("elsewhere/a", directory.path() / "link");  // from where it lies
  fs::create_symlink(directory.path() / "link", directory.path() / "second");
  for (const char* text : {"made", "replaced"}) {
    write_file_atomically(directory.path() / "second", text);
    CHECK(fs::is_symlink(directory.path() / "second"));
    CHECK(fs::is_symlink(directory.path() / "link"));
    CHECK(!fs::is_symlink(directory.path() / "elsewhere/a"));
    CHECK(content_of(directory.path() / "elsewhere/a") == text);
  }
  fs::create_symlink("there", directory.path() / "here");
  fs::create_symlink("here", directory.path() / "there");
  CHECK(complaint(directory.path() / "here").find(": cannot follow its links: ") !=
        std::string::npos);
  CHECK(fs::is_symlink(directory.path() / "here"));
  CHECK(directory.entries() == 5);
}

TEST_CASE("remove_temporary_files: those under way and no others, and not from a child") {
  const ScratchDirectory directory;
  WholeFile done{directory.path() / "done"};
  done.text() << "text";
  done.done();
  { WholeFile dropped{directory.path() / "dropped"}; }
  WholeFile one{directory.path() / "one"}, two{directory.path() / "two"};
  CHECK(directory.entries() == 3);
  if (const pid_t child = ::fork(); child == 0) {
    remove_temporary_files();
    ::_exit(0);
  } else {
    ::waitpid(child, nullptr, 0);
  }
  CHECK(directory.entries() == 3);
  remove_temporary_files();
  CHECK(directory.entries() == 1);
  CHECK(content_of(directory.path() / "done") == "text");
}

TEST_CASE("write_file_atomically: refuses a directory nothing may be written to") {
  const std::string told = complaint("/proc/reticle-report.json");  // read-only even to root
  CHECK(told.starts_with("/proc/reticle-report.json: cannot create a file beside it: "));
  if (::geteuid() == 0) return;  // root may write anywhere else
  const ScratchDirectory directory;
  fs::permissions(directory.path(), fs::perms::owner_read | fs::perms::owner_exec);
  CHECK(complaint(directory.path() / "a").ends_with("Permission denied"));
}
