// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/slurm.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <utility>

#include "sim/base/error.hpp"
#include "sim/base/file_writer.hpp"
#include "sim/cli/run_files.hpp"
#include "sim/config/catalogue.hpp"

namespace reticle {

namespace fs = std::filesystem;

namespace {
std::string quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string{"'\\''"} : std::string(1, c);
  return out + "'";
}

struct Answer {
  int code = 0;
  std::string text;
};

/// What a command prints, both ways, and its exit code.
Answer ask(const std::string& command) {
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) throw ConfigError({}, "--engine", "cannot start a shell for: " + command);
  Answer answer;
  std::array<char, 4096> buffer;
  for (std::size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    answer.text.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  answer.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return answer;
}
}  // namespace

SlurmArray::SlurmArray(fs::path directory, std::vector<std::string> options)
    : directory_{std::move(directory)}, options_{std::move(options)} {}

fs::path SlurmArray::shard(std::size_t task) const {
  return directory_ / fmt::format("shard-{}.sqlite", task);
}

std::vector<fs::path> SlurmArray::shards() const {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator{directory_, error})
    if (entry.path().extension() == ".sqlite") found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

void SlurmArray::clear() const {
  std::error_code error;
  fs::remove_all(directory_, error);
}

void SlurmArray::renew() const {
  clear();
  make_output_directory(directory_);
}

void SlurmArray::submit(std::size_t tasks, std::size_t jobs) const {
  const fs::path here = fs::absolute(directory_);
  std::error_code error;
  const std::string program = fs::read_symlink("/proc/self/exe", error).string();
  // A node that fails makes Slurm itself begin its tasks again; a task whose program was killed
  // asks for that. It finds in its shard what it had done. Ended by SIGINT or SIGTERM (130, 143) it
  // was asked to stop, by scancel or a limit of time, and does not come back.
  const std::string script = fmt::format(
      "#!/bin/sh\n"
      "export RETICLE_HOME={}\n"
      "{} sweep task {}/shard-$SLURM_ARRAY_TASK_ID.sqlite --jobs {}\n"
      "code=$?\n"
      "if [ $code -gt 128 ] && [ $code -ne 130 ] && [ $code -ne 143 ] && [ "
      "\"${{SLURM_RESTART_COUNT:-0}}\" -lt 3 ]; then\n"
      "  scontrol requeue \"${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID\"\n"
      "  sleep 60\n"  // until it is ended
      "fi\n"
      "exit $code\n",
      quoted(catalogue_root().string()), quoted(program), quoted(here.string()), jobs);
  write_file_atomically(directory_ / "task.sh", script);
  std::string command = fmt::format(
      "sbatch --parsable --requeue --open-mode=append --array=0-{} --cpus-per-task={} --output={} "
      "--job-name=reticle-sweep",
      tasks - 1, jobs, quoted((here / "task-%a.log").string()));
  for (const auto& option : options_) command += " " + quoted(option);
  const Answer answer = ask(command + " " + quoted((here / "task.sh").string()));
  if (answer.code != 0)
    throw ConfigError({}, "--engine",
                      "sbatch refused the job: " + answer.text +
                          "is Slurm installed here, and its controller running?");
  const std::string number = answer.text.substr(0, answer.text.find_first_of(";\n"));
  write_file_atomically(directory_ / "job", number + "\n");
}

std::string SlurmArray::job() const {
  std::ifstream file{directory_ / "job"};
  std::string number;
  std::getline(file, number);
  // It goes into a command: what is no number is not Slurm's.
  if (number.find_first_not_of("0123456789") != std::string::npos)
    throw ConfigError({(directory_ / "job").string(), 1, 1}, "",
                      "expected the number of a job, got '" + number + "'");
  return number;
}

std::string SlurmArray::state() const {
  const std::string number = job();
  if (number.empty()) return {};
  const Answer answer =
      ask("squeue --noheader --array --jobs=" + quoted(number) + " --format='  task %K %T on %N'");
  // It forgets jobs some minutes after their end.
  if (answer.code != 0 && answer.text.find("Invalid job id") != std::string::npos) return {};
  if (answer.code != 0) throw ConfigError({}, "--engine", "squeue: " + answer.text);
  return answer.text;
}

bool SlurmArray::running() const { return !state().empty(); }

}  // namespace reticle
