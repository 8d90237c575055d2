// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/hbm/hbm_run_model.hpp"

namespace reticle {

/// What HbmRunModels that began alike have answered so far, for those that are asked the same at
/// the same times: the dies of a tensor-parallel group work on shards of equal shape in step, and
/// one of them is simulated. Exact: a follower that is asked anything else goes on alone from
/// where it is.
class HbmHistory {
 public:
  explicit HbmHistory(const HbmParams& params)
      : head_{params}, last_{std::make_shared<Chapter>(head_)} {}

 private:
  friend class HbmFollower;
  struct Answer {
    MemoryRun run;
    Picoseconds at{};
    AccessTiming timing;
  };
  /// Answers between which no state is kept: who leaves has so many to work out again at most.
  static constexpr std::size_t kChapter = 512;
  struct Chapter {
    explicit Chapter(const HbmRunModel& model) : begin{model} { answers.reserve(kChapter); }
    HbmRunModel begin;
    std::vector<Answer> answers;
    std::shared_ptr<Chapter> next;
  };

  HbmRunModel head_;  ///< after the last answer
  std::shared_ptr<Chapter> last_;
};

/// One channel that follows a history, writes it where it is the first, and leaves it at the first
/// question that differs.
class HbmFollower {
 public:
  explicit HbmFollower(std::shared_ptr<HbmHistory> history)
      : history_{std::move(history)}, chapter_{history_->last_} {}

  AccessTiming access(const MemoryRun& run, Picoseconds at);
  [[nodiscard]] MemoryStats stats() const;
  [[nodiscard]] bool alone() const { return own_ != nullptr; }

 private:
  [[nodiscard]] std::unique_ptr<HbmRunModel> catch_up() const;

  std::shared_ptr<HbmHistory> history_;
  std::shared_ptr<HbmHistory::Chapter> chapter_;
  std::size_t heard_ = 0;             ///< answers of the chapter
  std::unique_ptr<HbmRunModel> own_;  ///< once alone
};

}  // namespace reticle
