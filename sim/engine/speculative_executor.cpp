// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/speculative_executor.hpp"

namespace reticle {

bool SpeculativeExecutor::draft_step(const StepLoad& load, std::int64_t number) {
  draft_load_.sequences.clear();
  for (const SequenceWork& s : load.sequences) {
    const bool decodes = s.drafts > number;
    const bool prefills = s.drafts == 0 && number == 0;
    if (!decodes && !prefills) continue;
    SequenceWork& mine = draft_load_.sequences.emplace_back(s);
    mine.drafts = 0;
    if (!decodes) {
      mine.outputs = 0;  // the first output token is the model's
      continue;
    }
    mine.context += number;
    mine.new_tokens = mine.outputs = 1;
  }
  return !draft_load_.sequences.empty();
}

StepOutcome SpeculativeExecutor::execute(const StepLoad& load) {
  StepOutcome total;
  const auto add = [&](const StepOutcome& part) {
    total.duration += part.duration;
    for (std::size_t c = 0; c < kTimeCategoryCount; ++c) total.breakdown[c] += part.breakdown[c];
    total.counts += part.counts;
    total.roofline.duration += part.roofline.duration;
    total.roofline.limit = part.roofline.limit;  // at last the model's own
    total.picks += part.picks;
    total.dropped_picks += part.dropped_picks;
    total.experts += part.experts;
  };
  for (std::int64_t number = 0; draft_step(load, number); ++number)
    add(draft_.execute(draft_load_));
  add(model_.execute(load));
  return total;
}

}  // namespace reticle
