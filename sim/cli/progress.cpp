// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace reticle {

ProgressLine::ProgressLine() : terminal_{isatty(STDERR_FILENO) == 1} {}

ProgressLine::~ProgressLine() {
  if (shown_) fmt::print(stderr, "\r\033[K");
}

void ProgressLine::update(const RunProgress& progress) {
  if (!terminal_) return;
  const auto time = Clock::now();
  if (time < next_) return;
  // Five times a second is as often as one reads.
  next_ = time + std::chrono::milliseconds{200};
  shown_ = true;
  const double wall = std::chrono::duration<double>(time - begun_).count();
  const double share =
      progress.total > 0 ? static_cast<double>(progress.done) / static_cast<double>(progress.total)
                         : 0;
  constexpr int kWidth = 24;  // letters of the bar
  const int filled = std::clamp(static_cast<int>(share * kWidth), 0, kWidth);
  constexpr double kTelling = 0.01;  // of less than a percent done the rest cannot be told
  const std::string left =
      share > kTelling ? fmt::format("{:.0f} s left", wall * (1 - share) / share) : "";
  fmt::print(stderr, "\r\033[K[{:<{}}] {:>5.1f} %  {} of {}  {} steps  {:.3f} s simulated  {}",
             std::string(static_cast<std::size_t>(filled), '#'), kWidth, share * 100, progress.done,
             progress.total, progress.steps, seconds(progress.simulated), left);
  std::fflush(stderr);
}

}  // namespace reticle
