// SPDX-License-Identifier: Apache-2.0
#include "sim/base/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <memory>

#include "sim/base/error.hpp"

namespace reticle {

namespace {

Picoseconds g_now{};

/// The flag %* of the pattern: simulated seconds.
class SimulatedTime final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg&, const std::tm&, spdlog::memory_buf_t& out) override {
    const std::string text = fmt::format("{:.9f} s", seconds(g_now));
    out.append(text.data(), text.data() + text.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<SimulatedTime>();
  }
};

std::shared_ptr<spdlog::logger> make(const std::string& library) {
  auto made = spdlog::stderr_logger_st(library);
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<SimulatedTime>('*').set_pattern("[%*] [%L] %n: %v");
  made->set_formatter(std::move(formatter));
  return made;
}

}  // namespace

spdlog::logger& logger(const std::string& library) {
  static const bool quiet = [] {
    spdlog::set_level(spdlog::level::warn);
    return true;
  }();
  (void)quiet;
  auto found = spdlog::get(library);
  return *(found ? found : make(library));
}

void set_log_level(std::string_view level) {
  constexpr std::array<std::string_view, 5> kWords{"error", "warn", "info", "debug", "trace"};
  constexpr std::array<spdlog::level::level_enum, 5> kLevels{
      spdlog::level::err, spdlog::level::warn, spdlog::level::info, spdlog::level::debug,
      spdlog::level::trace};
  (void)logger("reticle");  // the default level comes first
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if (kWords[i] != level) continue;
    spdlog::set_level(kLevels[i]);
    return;
  }
  throw ConfigError(SourcePosition{}, "--log",
                    "expected error, warn, info, debug or trace, got '" + std::string{level} + "'");
}

void set_log_time(Picoseconds now) { g_now = now; }

}  // namespace reticle
