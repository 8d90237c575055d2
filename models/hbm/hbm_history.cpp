// SPDX-License-Identifier: Apache-2.0
#include "models/hbm/hbm_history.hpp"

namespace reticle {

namespace {
bool same(const MemoryRun& a, const MemoryRun& b) {
  return a.kind == b.kind && a.address == b.address && a.bytes == b.bytes && a.piece == b.piece &&
         a.posted == b.posted;
}
}  // namespace

AccessTiming HbmFollower::access(const MemoryRun& run, Picoseconds at) {
  if (own_) return own_->access(run, at);
  if (heard_ == HbmHistory::kChapter) {
    if (!chapter_->next)
      history_->last_ = chapter_->next = std::make_shared<HbmHistory::Chapter>(history_->head_);
    chapter_ = chapter_->next;
    heard_ = 0;
  }
  if (heard_ == chapter_->answers.size()) {
    chapter_->answers.push_back({run, at, history_->head_.access(run, at)});
    return chapter_->answers[heard_++].timing;
  }
  const HbmHistory::Answer& answer = chapter_->answers[heard_];
  if (answer.at == at && same(answer.run, run)) {
    ++heard_;
    return answer.timing;
  }
  own_ = catch_up();
  chapter_ = nullptr;
  history_ = nullptr;
  return own_->access(run, at);
}

std::unique_ptr<HbmRunModel> HbmFollower::catch_up() const {
  auto model = std::make_unique<HbmRunModel>(chapter_->begin);
  for (std::size_t i = 0; i < heard_; ++i)
    model->access(chapter_->answers[i].run, chapter_->answers[i].at);
  return model;
}

MemoryStats HbmFollower::stats() const {
  if (own_) return own_->stats();
  const bool first = chapter_ == history_->last_ && heard_ == chapter_->answers.size();
  return first ? history_->head_.stats() : catch_up()->stats();
}

}  // namespace reticle
