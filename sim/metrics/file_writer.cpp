// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/file_writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
namespace fs = std::filesystem;

/// A file of our own beside the target; gone at the end unless it became the target.
class TemporaryFile {
 public:
  explicit TemporaryFile(const fs::path& target)
      : target_{target}, name_{target.string() + ".XXXXXX"} {
    descriptor_ = ::mkostemp(name_.data(), O_CLOEXEC);
    if (descriptor_ < 0) fail("create a file beside it", errno);
    // mkstemp gives the owner alone access; the result is an ordinary file.
    const mode_t mask = ::umask(0);
    ::umask(mask);
    if (::fchmod(descriptor_, 0666 & ~mask) != 0) fail_and_clean("set its mode");
  }
  ~TemporaryFile() { clean(); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(std::string_view content) {
    while (!content.empty()) {
      const ssize_t written = ::write(descriptor_, content.data(), content.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("write", errno);
      content.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(descriptor_) != 0) fail("flush", errno);
  }

  void become_target() {
    const int closed = ::close(descriptor_);
    descriptor_ = -1;
    if (closed != 0) fail("close", errno);
    if (::rename(name_.c_str(), target_.c_str()) != 0) fail("replace", errno);
    name_.clear();
  }

 private:
  [[noreturn]] void fail(std::string_view what, int error) const {
    throw ConfigError(
        SourcePosition{target_.string(), 0, 0}, "",
        std::string{"cannot "}.append(what) + ": " + std::generic_category().message(error));
  }
  [[noreturn]] void fail_and_clean(std::string_view what) {
    const int error = errno;
    clean();  // a constructor that throws runs no destructor
    fail(what, error);
  }
  void clean() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!name_.empty()) ::unlink(name_.c_str());
    descriptor_ = -1;
    name_.clear();
  }

  const fs::path target_;
  std::string name_;  ///< empty once it is the target
  int descriptor_ = -1;
};

/// Makes the new name survive a crash; file systems that cannot are left as they are.
void flush_directory(const fs::path& path) {
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path{"."};
  const int descriptor = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  (void)::fsync(descriptor);
  ::close(descriptor);
}
}  // namespace

void write_file_atomically(const fs::path& path, std::string_view content) {
  TemporaryFile file{path};
  file.write(content);
  file.become_target();
  flush_directory(path);
}

}  // namespace reticle
