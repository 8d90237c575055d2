// SPDX-License-Identifier: Apache-2.0
#include "sim/base/file_writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <streambuf>
#include <string>
#include <system_error>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
namespace fs = std::filesystem;

/// Makes the new name survive a crash; file systems that cannot are left as they are.
void flush_directory(const fs::path& path) {
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path{"."};
  const int descriptor = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  (void)::fsync(descriptor);
  ::close(descriptor);
}

/// What `path` stands for, links followed, whether or not it is there; empty where they go round.
fs::path behind_links(fs::path path) {
  constexpr int kMostLinks = 40;  // as the kernel follows [path_resolution(7)]
  for (int links = 0; links <= kMostLinks; ++links) {
    std::error_code error;
    if (!fs::is_symlink(path, error)) return path;
    path = path.parent_path() / fs::read_symlink(path, error);  // an absolute one takes its place
  }
  return {};
}

/// Names of temporary files, for remove_temporary_files: read from a signal's handler, at any
/// moment. Who finds no room is not removed then.
constexpr std::size_t kMostNamed = 256;
std::array<std::atomic<const char*>, kMostNamed> temporary_files{};
std::atomic<pid_t> writing_process = 0;
static_assert(std::atomic<const char*>::is_always_lock_free &&
              std::atomic<pid_t>::is_always_lock_free);

void name_temporary(const char* name) {
  if (writing_process.exchange(::getpid()) != ::getpid())  // forked: those are its parent's
    for (auto& slot : temporary_files) slot = nullptr;
  for (auto& slot : temporary_files) {
    const char* free = nullptr;
    if (slot.compare_exchange_strong(free, name)) return;
  }
}

void forget_temporary(const char* name) {
  for (auto& slot : temporary_files) {
    const char* held = name;
    if (slot.compare_exchange_strong(held, nullptr)) return;
  }
}

/// Pipes, devices and what is open already (/dev/stdout) cannot be put in place by a new name.
bool written_in_place(const fs::path& path) {
  for (const char* open : {"/dev/", "/proc/self/fd/"})
    if (path.string().starts_with(open)) return true;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}
}  // namespace

/// A stream's buffer over a file of our own, which is gone at the end unless it became the target.
class WholeFile::Descriptor final : public std::streambuf {
 public:
  explicit Descriptor(fs::path path) : path_{std::move(path)} {
    if (written_in_place(path_)) {
      file_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
      if (file_ < 0) fail("open", errno);
    } else {
      target_ = behind_links(path_);
      if (target_.empty()) fail("follow its links", ELOOP);
      beside_ = target_.string() + ".XXXXXX";
      name_temporary(beside_.c_str());
      file_ = ::mkostemp(beside_.data(), O_CLOEXEC);
      if (file_ < 0) {
        const int error = errno;
        forget_temporary(beside_.c_str());
        fail("create a file beside it", error);
      }
      // mkstemp gives the owner alone access; the result is an ordinary file.
      const mode_t mask = ::umask(0);
      ::umask(mask);
      if (::fchmod(file_, 0666 & ~mask) != 0) {
        const int error = errno;
        clean();  // a constructor that throws runs no destructor
        fail("set its mode", error);
      }
    }
    setp(buffer_.data(), buffer_.data() + buffer_.size());
  }
  ~Descriptor() override { clean(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  void flush() {
    (void)flushed();
    if (error_ != 0) fail("write", error_);
    if (!beside_.empty() && ::fsync(file_) != 0) fail("flush", errno);
    const int closed = ::close(file_);
    file_ = -1;
    if (closed != 0) fail("close", errno);
  }

  void put() {
    if (beside_.empty()) return;
    if (::rename(beside_.c_str(), target_.c_str()) != 0) fail("replace", errno);
    forget_temporary(beside_.c_str());
    beside_.clear();
    flush_directory(target_);
  }

 protected:
  int_type overflow(int_type c) override {
    if (!flushed()) return traits_type::eof();
    if (!traits_type::eq_int_type(c, traits_type::eof())) sputc(traits_type::to_char_type(c));
    return traits_type::not_eof(c);
  }
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    if (size < epptr() - pptr()) return std::streambuf::xsputn(text, size);
    return flushed() && written({text, static_cast<std::size_t>(size)}) ? size : 0;
  }
  int sync() override { return flushed() ? 0 : -1; }

 private:
  bool flushed() {
    const bool ok = written({pbase(), static_cast<std::size_t>(pptr() - pbase())});
    setp(buffer_.data(), buffer_.data() + buffer_.size());
    return ok;
  }
  bool written(std::string_view text) {
    while (!text.empty() && error_ == 0) {
      const ssize_t n = ::write(file_, text.data(), text.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0)
        error_ = errno;
      else
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    return error_ == 0;
  }
  [[noreturn]] void fail(std::string_view what, int error) const {
    throw ConfigError(
        SourcePosition{path_.string(), 0, 0}, "",
        std::string{"cannot "}.append(what) + ": " + std::generic_category().message(error));
  }
  void clean() {
    if (file_ >= 0) ::close(file_);
    file_ = -1;
    if (beside_.empty()) return;
    ::unlink(beside_.c_str());
    forget_temporary(beside_.c_str());
    beside_.clear();
  }

  const fs::path path_;
  fs::path target_;
  std::string beside_;  ///< empty: written in place, or in its place already
  int file_ = -1;
  int error_ = 0;  ///< of the first write that failed
  std::array<char, 1 << 16> buffer_;
};

WholeFile::WholeFile(fs::path path)
    : file_{std::make_unique<Descriptor>(std::move(path))}, text_{file_.get()} {}

WholeFile::~WholeFile() = default;

std::ostream& WholeFile::text() { return text_; }

void WholeFile::flush() { file_->flush(); }

void WholeFile::put() { file_->put(); }

void WholeFile::done() {
  flush();
  put();
}

void WholeFiles::done() {
  for (WholeFile& file : files_) file.flush();
  for (WholeFile& file : files_) file.put();
}

void remove_temporary_files() {
  if (writing_process != ::getpid()) return;
  for (const auto& slot : temporary_files)
    if (const char* name = slot.load()) ::unlink(name);
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  WholeFile file{path};
  file.text().write(content.data(), static_cast<std::streamsize>(content.size()));
  file.done();
}

}  // namespace reticle
