// SPDX-License-Identifier: Apache-2.0
#include "sim/base/file_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <vector>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
class Descriptor {
 public:
  // Opening a pipe that nobody writes would wait for somebody who does [open(2)].
  explicit Descriptor(const std::filesystem::path& path)
      : file_{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)} {}
  ~Descriptor() {
    if (file_ >= 0) ::close(file_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return file_; }

 private:
  const int file_;
};
}  // namespace

std::string read_whole_file(const std::filesystem::path& path, const std::string& label,
                            std::uint64_t most_bytes) {
  const auto fail = [&](const std::string& problem) {
    throw ConfigError(SourcePosition{label, 0, 0}, "", problem);
  };
  const auto reason = [] { return ": " + std::generic_category().message(errno); };
  const Descriptor file{path};
  if (file.get() < 0)
    fail(errno == ENOENT ? "no such file" : "cannot be opened for reading" + reason());
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) fail("cannot be read" + reason());
  if (S_ISDIR(facts.st_mode)) fail("expected a file, found a directory");
  if (!S_ISREG(facts.st_mode)) fail("expected a regular file");
  // Bytes in MiB.
  const auto too_large = [&] { fail("larger than " + std::to_string(most_bytes >> 20U) + " MiB"); };
  if (static_cast<std::uint64_t>(facts.st_size) > most_bytes) too_large();
  // Of files in /proc no size is known, and others may grow: what can be read counts.
  std::string text;
  text.reserve(static_cast<std::size_t>(facts.st_size));
  std::vector<char> part(std::size_t{64} << 10U);  // a pipe's buffer
  while (const ssize_t n = ::read(file.get(), part.data(), part.size())) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("cannot be read" + reason());
    text.append(part.data(), static_cast<std::size_t>(n));
    if (text.size() > most_bytes) too_large();
  }
  return text;
}

}  // namespace reticle
