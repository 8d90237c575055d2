// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/early_exit_executor.hpp"

#include "sim/base/rng.hpp"

namespace reticle {

namespace {
bool decodes(const SequenceWork& s) { return s.new_tokens == 1 && s.outputs == 1; }
}  // namespace

bool exits_early(const EarlyExitSpec& spec, const SequenceWork& token) {
  const std::uint64_t key =
      combine64(combine64(~spec.seed, static_cast<std::uint64_t>(token.request)),
                static_cast<std::uint64_t>(token.context));
  return decodes(token) && unit_interval(mix64(key)) < spec.share;
}

StepOutcome EarlyExitExecutor::execute(const StepLoad& load) {
  first_load_.sequences.clear();
  rest_load_.sequences.clear();
  first_load_.moves = load.moves;  // between tiers: they begin with the step
  first_load_.adapters_in = load.adapters_in;
  for (const SequenceWork& s : load.sequences) {
    first_load_.sequences.push_back(s);
    first_load_.sequences.back().outputs = decodes(s) ? 1 : 0;
    if (!exits_early(spec_, s)) rest_load_.sequences.push_back(s);
  }
  StepOutcome outcome = first_.execute(first_load_);
  if (!rest_load_.sequences.empty()) outcome += rest_.execute(rest_load_);
  return outcome;
}

}  // namespace reticle
