// SPDX-License-Identifier: Apache-2.0
// What writers of JSON files share.
#pragma once

#include <fstream>
#include <string>
#include <string_view>

namespace reticle {

/// In quotes, with what JSON does not take as it is escaped.
std::string json_string(std::string_view text);

/// A file that is there whole or not at all: written beside its place and moved there by done().
/// A pipe, a device or a link is written as it is.
class WholeFile {
 public:
  explicit WholeFile(std::string path);
  ~WholeFile();
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  [[nodiscard]] std::ostream& text() { return file_; }
  /// Throws ConfigError when anything could not be written.
  void done();

 private:
  std::string path_;
  std::string beside_;  ///< empty when written in place
  std::ofstream file_;
};

}  // namespace reticle
