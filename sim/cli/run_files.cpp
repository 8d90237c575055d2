// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/run_files.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

#include "sim/base/error.hpp"
#include "sim/base/log.hpp"

namespace reticle {

void make_output_directory(const std::filesystem::path& path, std::string_view option) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error || !std::filesystem::is_directory(path, error))
    throw ConfigError({path.string(), 0, 0}, option,
                      "expected a directory that can be written, got " +
                          (error ? error.message() : std::string{"a file"}));
  std::string probe = (path / ".probe.XXXXXX").string();
  const int descriptor = ::mkstemp(probe.data());
  if (descriptor < 0)
    throw ConfigError(
        {path.string(), 0, 0}, option,
        "expected a directory that can be written, got " + std::generic_category().message(errno));
  ::close(descriptor);
  ::unlink(probe.c_str());
}

std::optional<Trace> load_trace(const RunSpec& spec) {
  const auto* workload = std::get_if<TraceWorkload>(&spec.workload);
  if (!workload) return std::nullopt;
  Trace trace = read_trace(workload->path, workload->format, options_of(*workload));
  if (trace.bad_rows > 0)
    logger("requests").warn("{}: {} malformed rows left out", workload->path, trace.bad_rows);
  return trace;
}

}  // namespace reticle
