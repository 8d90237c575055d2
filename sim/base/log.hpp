// SPDX-License-Identifier: Apache-2.0
// Logging to standard error: one logger per library, simulated time first.
//   error  the run stops     warn  the result may mislead     info  some ten lines per run
//   debug  per step          trace  per command
#pragma once

#include <spdlog/logger.h>

#include <string>
#include <string_view>

#include "sim/base/units.hpp"

namespace reticle {

/// The logger of a library ("engine", "mapping", ...), made on first use. Level: warn, or what
/// set_log_level said.
spdlog::logger& logger(const std::string& library);

/// error | warn | info | debug | trace, for all libraries. Throws ConfigError for another word.
void set_log_level(std::string_view level);

/// What log lines show as the time; set by whoever advances simulated time.
void set_log_time(Picoseconds now);

}  // namespace reticle
