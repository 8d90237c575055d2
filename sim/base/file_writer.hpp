// SPDX-License-Identifier: Apache-2.0
// The one way the program writes files: whole, or not at all.
#pragma once

#include <filesystem>
#include <list>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace reticle {

/// A file that is there whole or not at all: written to a temporary file beside its place, flushed
/// to the device and renamed over it by done(). Until then, and without done(), what was there
/// stays. A link stays a link: what it points to is replaced, or made where it leads nowhere yet. A
/// pipe or a device is written as it is.
///
/// Every failure is a ConfigError of the path and the system's reason.
class WholeFile {
 public:
  /// Throws when nothing can be written beside `path`.
  explicit WholeFile(std::filesystem::path path);
  ~WholeFile();
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  /// Buffered. Bad from the first write that failed on: writers of much may look, done() tells.
  [[nodiscard]] std::ostream& text();
  /// flush() and put().
  void done();
  /// Brings all of the text to the device; nothing is to follow. Throws when some of it could not
  /// be written.
  void flush();
  /// After flush(): takes its place. Throws when it cannot.
  void put();

 private:
  class Descriptor;
  std::unique_ptr<Descriptor> file_;
  std::ostream text_;
};

/// Files of one directory that are replaced together, or all left as they were: none takes its
/// place before all are on the device.
class WholeFiles {
 public:
  explicit WholeFiles(std::filesystem::path directory) : directory_{std::move(directory)} {}

  /// The text of another file; valid until done().
  std::ostream& add(const std::string& name) {
    return files_.emplace_back(directory_ / name).text();
  }
  /// Throws when one could not be written, and then none is replaced.
  void done();

 private:
  const std::filesystem::path directory_;
  std::list<WholeFile> files_;
};

/// Removes the temporary files of all that are under way; nothing in a process that was forked from
/// the one that writes. For a signal's handler that ends the program.
void remove_temporary_files();

/// Puts `content` at `path` as a WholeFile.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

}  // namespace reticle
