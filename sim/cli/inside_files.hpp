// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <list>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/file_writer.hpp"
#include "sim/engine/timeline.hpp"
#include "sim/engine/waveform.hpp"

namespace reticle {

/// What `run` was asked to show of the inside: names of files and windows, empty: not asked.
struct InsideOptions {
  std::string timeline, vcd;
  std::string steps = "1";  ///< N or A..B
  std::string dies;         ///< likewise, or none
};

/// The files of `run --timeline` and `--vcd`: WholeFiles that grow while the run goes on.
class InsideFiles {
 public:
  /// Throws ConfigError where a file cannot be written, an option is wrong or nothing of the
  /// silicon is simulated.
  InsideFiles(const InsideOptions& options, const RunSpec& spec);
  InsideFiles(const InsideFiles&) = delete;
  InsideFiles& operator=(const InsideFiles&) = delete;

  /// Null: nothing was asked for.
  [[nodiscard]] RunObserver* observer();
  /// A step of the window came to pass.
  [[nodiscard]] bool begun() const { return fan_.steps > 0; }
  /// Throws ConfigError when the disk was full, or no step of the window came to pass.
  void finish();

 private:
  /// Tells all of them.
  class Fan final : public RunObserver {
   public:
    std::vector<RunObserver*> all;
    [[nodiscard]] bool wants(std::int32_t instance, std::int64_t step) const override;
    void ran(const SiliconStep& step) override;
    void scheduled(const ScheduledStep& step) override;
    void ended(const RunResult& result) override;
    std::int64_t steps = 0;
  };
  std::ostream& open(const std::string& path) { return files_.emplace_back(path).text(); }

  std::list<WholeFile> files_;
  std::optional<Timeline> timeline_;
  std::optional<Waveform> waveform_;
  Fan fan_;
};

}  // namespace reticle
