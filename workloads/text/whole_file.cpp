// SPDX-License-Identifier: Apache-2.0
#include "workloads/text/whole_file.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "sim/base/error.hpp"

namespace reticle {

namespace fs = std::filesystem;

std::string json_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result.append(1, '\\').append(1, c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 7> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
      result.append(escape.data());
    } else {
      result += c;
    }
  }
  return result + "\"";
}

WholeFile::WholeFile(std::string path) : path_{std::move(path)} {
  std::error_code ignored;
  const fs::file_status status = fs::symlink_status(path_, ignored);
  if (!fs::exists(status) || fs::is_regular_file(status))
    beside_ = path_ + ".tmp-" + std::to_string(::getpid());
  file_.open(beside_.empty() ? path_ : beside_, std::ios::binary);
}

WholeFile::~WholeFile() {
  file_.close();
  std::error_code ignored;
  if (!beside_.empty()) fs::remove(beside_, ignored);
}

void WholeFile::done() {
  file_.close();
  std::error_code error;
  if (file_ && !beside_.empty()) fs::rename(beside_, path_, error);
  if (!file_ || error)
    throw ConfigError{{path_}, "", "expected a file that can be written, found an error"};
  beside_.clear();
}

}  // namespace reticle
