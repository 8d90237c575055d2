// SPDX-License-Identifier: Apache-2.0
// What the configuration tests share: files that vanish, messages as text, sections from YAML.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "sim/base/error.hpp"
#include "sim/config/config_node.hpp"
#include "sim/config/yaml_reader.hpp"

namespace reticle::test {

/// A file of its own in the temporary directory, removed with the object.
class TempFile {
 public:
  explicit TempFile(std::string_view content, const std::string& suffix = ".yaml")
      : path_{std::filesystem::temp_directory_path() / ("reticle_" + std::to_string(::getpid()) +
                                                        "_" + std::to_string(++count()) + suffix)} {
    std::ofstream{path_, std::ios::binary} << content;
  }
  ~TempFile() { std::filesystem::remove(path_); }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;

  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  static int& count() {
    static int files = 0;
    return files;
  }
  std::filesystem::path path_;
};

/// What ConfigError says when `act` throws it; "no error" otherwise.
template <class Act>
std::string message_of(Act act) {
  try {
    act();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

/// A section read from YAML text called "t.yaml".
struct Section {
  ResolvedValues log;
  ConfigNode node;

  explicit Section(std::string_view yaml)
      : node{std::make_shared<const ConfigTree>(parse_yaml(yaml, "t.yaml")), log} {}
};

}  // namespace reticle::test
