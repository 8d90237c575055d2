// SPDX-License-Identifier: Apache-2.0
// The program as its users meet it: arguments in, exit code and two streams out.
#pragma once

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace reticle::test {

using Arguments = std::vector<std::string>;

inline Arguments operator+(Arguments a, const Arguments& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// A directory of its own, removed with the object.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "reticle_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const {
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream{path, std::ios::binary}.rdbuf();
  return text.str();
}
inline void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream{path, std::ios::binary} << text;
}

struct Outcome {
  int code = -1;  ///< exit code; -1 = ended by a signal
  std::string out, err;
};

/// What the world does to a program.
struct Faults {
  std::optional<rlim_t> file_size{};  ///< no file may grow beyond: its writer sees a full disk
  std::string out{};                  ///< standard output goes there instead
  bool modes_hold = false;            ///< of files and directories, for root too
};

/// The program under way.
class Process {
 public:
  explicit Process(const Arguments& arguments, const Faults& faults = {}) {
    std::vector<char*> argv;
    std::string program = RETICLE_BINARY;
    Arguments owned = arguments;
    argv.push_back(program.data());
    for (auto& argument : owned) argv.push_back(argument.data());
    argv.push_back(nullptr);
    id_ = ::fork();
    if (id_ < 0) throw std::runtime_error("fork");
    if (id_ > 0) return;
    ::setenv("RETICLE_HOME", RETICLE_SOURCE_DIR, 1);
    redirect(faults.out.empty() ? scratch_ / "out" : faults.out, STDOUT_FILENO);
    redirect(scratch_ / "err", STDERR_FILENO);
    if (const rlimit limit{faults.file_size.value_or(0), faults.file_size.value_or(0)};
        faults.file_size)
      ::setrlimit(RLIMIT_FSIZE, &limit);
    if (faults.modes_hold) ::prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ~Process() {
    if (id_ > 0) interrupt(SIGKILL);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t id() const { return id_; }

  Outcome wait() {
    int status = 0;
    ::waitpid(id_, &status, 0);
    return outcome(status);
  }
  /// The outcome, and the most memory the program held (KiB).
  std::pair<Outcome, long> wait_and_peak() {
    int status = 0;
    rusage usage{};
    ::wait4(id_, &status, 0, &usage);
    return {outcome(status), usage.ru_maxrss};
  }
  /// The outcome if the program ends in time; it is killed if not.
  std::optional<Outcome> wait_for(std::chrono::milliseconds limit) {
    using Clock = std::chrono::steady_clock;
    for (const auto end = Clock::now() + limit; Clock::now() < end;) {
      int status = 0;
      if (::waitpid(id_, &status, WNOHANG) == id_) return outcome(status);
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    interrupt(SIGKILL);
    return std::nullopt;
  }
  Outcome interrupt(int signal) {
    ::kill(id_, signal);
    return wait();
  }

 private:
  static void redirect(const std::string& path, int descriptor) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(file, descriptor);
    ::close(file);
  }
  Outcome outcome(int status) {
    id_ = -1;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_file(scratch_ / "out"),
            read_file(scratch_ / "err")};
  }

  ScratchDirectory scratch_;
  pid_t id_ = -1;
};

inline Outcome run_reticle(const Arguments& arguments, const Faults& faults = {}) {
  return Process{arguments, faults}.wait();
}

/// "--set" before each.
inline Arguments sets(const std::vector<std::string>& assignments) {
  Arguments arguments;
  for (const auto& assignment : assignments) arguments = arguments + Arguments{"--set", assignment};
  return arguments;
}

inline Arguments steady(const std::string& platform, const std::string& llm,
                        const std::vector<std::string>& assignments = {}) {
  return Arguments{"run", "--platform", platform, "--llm", llm, "--workload", "steady-decode"} +
         sets(assignments);
}

/// A report up to its last block, `simulator`, the only one that may differ between equal runs.
inline std::string without_simulator(const std::string& report) {
  const auto at = report.find("\"simulator\"");
  if (at == std::string::npos) throw std::runtime_error("a report without a simulator block");
  return report.substr(0, at);
}

/// A row for docs/reliability.md, where RETICLE_TABLE is set.
inline void table_row(const std::string& what, const Outcome& outcome) {
  if (std::getenv("RETICLE_TABLE") == nullptr) return;
  std::string said = outcome.err.substr(0, outcome.err.find_last_not_of('\n') + 1);
  said = said.substr(said.find_last_of('\n') + 1);
  for (auto at = said.find("/tmp/reticle_"); at != std::string::npos;
       at = said.find("/tmp/reticle_"))
    said.erase(at, std::string{"/tmp/reticle_XXXXXX/"}.size());
  std::printf("| %s | %d | %s |\n", what.c_str(), outcome.code, said.c_str());
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace reticle::test
