// SPDX-License-Identifier: Apache-2.0
#include "sim/base/file_reader.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "sim/base/error.hpp"

using namespace reticle;
namespace fs = std::filesystem;

namespace {
constexpr std::uint64_t kMost = std::uint64_t{1} << 20;

class Folder {
 public:
  Folder() { fs::create_directory(path_); }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] fs::path operator/(const char* name) const { return path_ / name; }

 private:
  fs::path path_ = fs::temp_directory_path() / ("reticle-reader-" + std::to_string(::getpid()));
};

std::string complaint(const fs::path& path) {
  try {
    (void)read_whole_file(path, "label", kMost);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "none";
}
}  // namespace

TEST_CASE("read_whole_file: every byte of a file, through links, up to the limit and no further") {
  const Folder folder;
  std::string text(kMost, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7 >> 3);
  std::ofstream{folder / "a", std::ios::binary} << text;
  fs::create_symlink(folder / "a", folder / "link");
  CHECK(read_whole_file(folder / "a", "label", kMost) == text);
  CHECK(read_whole_file(folder / "link", "label", kMost) == text);
  std::ofstream{folder / "empty"};
  CHECK(read_whole_file(folder / "empty", "label", kMost).empty());
  std::ofstream{folder / "a", std::ios::binary | std::ios::app} << 'x';
  CHECK(complaint(folder / "a") == "label: larger than 1 MiB");
}

TEST_CASE("read_whole_file: refuses at once what has no end, is no file or cannot be read") {
  const Folder folder;
  std::ofstream{folder / "huge"};
  fs::resize_file(folder / "huge", std::uintmax_t{1} << 40);  // sparse
  CHECK(complaint(folder / "huge") == "label: larger than 1 MiB");
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);  // nobody writes it
  CHECK(complaint(folder / "pipe") == "label: expected a regular file");
  CHECK(complaint("/dev/zero") == "label: expected a regular file");
  CHECK(complaint(folder / "none") == "label: no such file");
  CHECK(complaint(folder / "") == "label: expected a file, found a directory");
  CHECK(complaint("/proc/self/mem") == "label: cannot be read: Input/output error");
  fs::create_symlink("round", folder / "round");
  CHECK(complaint(folder / "round").starts_with("label: cannot be opened for reading: "));
  // A size of nought says nothing in /proc.
  CHECK(read_whole_file("/proc/self/status", "label", kMost).starts_with("Name:"));
}
