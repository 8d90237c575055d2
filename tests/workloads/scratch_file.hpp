// SPDX-License-Identifier: Apache-2.0
// A file that lives as long as a test, and the complaint a reader has about it.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "sim/base/error.hpp"
#include "workloads/requests/trace_reader.hpp"

namespace reticle {

class ScratchFile {
 public:
  explicit ScratchFile(std::string_view content = "")
      : path_{std::filesystem::temp_directory_path() /
              ("reticle-test-" + std::to_string(::getpid()) + "-" + std::to_string(next_++))} {
    std::ofstream{path_, std::ios::binary} << content;
  }
  ~ScratchFile() { std::filesystem::remove(path_); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  static inline int next_ = 0;
  std::filesystem::path path_;
};

inline Trace read_text(std::string_view content, std::string_view format = "") {
  const ScratchFile file{content};
  return read_trace(file.path(), format);
}

/// What reading `content` complains about, the file's path replaced by "F"; "" if nothing.
inline std::string complaint(std::string_view content, std::string_view format = "") {
  const ScratchFile file{content};
  try {
    read_trace(file.path(), format);
  } catch (const ConfigError& error) {
    std::string text = error.what();
    if (text.starts_with(file.path())) text.replace(0, file.path().size(), "F");
    return text;
  }
  return "";
}

}  // namespace reticle
