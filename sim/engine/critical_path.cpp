// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/critical_path.hpp"

#include <algorithm>

#include "sim/base/error.hpp"

namespace reticle {

namespace {

class Walk {
 public:
  Walk(const Deployment& deployment, const StepPrograms& step, Picoseconds begun,
       PathByLabel* by_label)
      : deployment_{deployment}, step_{step}, begun_{begun}, by_label_{by_label} {}

  std::array<Picoseconds, kTimeCategoryCount> run() {
    std::size_t last_die = 0;
    for (std::size_t d = 1; d < deployment_.size(); ++d)
      if (sequencer(d).end() > sequencer(last_die).end()) last_die = d;
    die_ = last_die;
    instruction_ = sequencer(die_).last_instruction();
    time_ = max(begun_, sequencer(die_).end());
    while (instruction_ != kNoInstruction) step_back();
    charge(TimeCategory::Idle, begun_);
    return spent_;
  }

 private:
  [[nodiscard]] const Sequencer& sequencer(std::size_t die) const {
    return deployment_.die(DieId{static_cast<std::uint32_t>(die)}).sequencer;
  }

  /// The time from `to` up to here went into `category`.
  void charge(TimeCategory category, Picoseconds to) {
    if (to >= time_) return;
    spent_[static_cast<std::size_t>(category)] += time_ - to;
    if (by_label_ != nullptr)
      (*by_label_)[label_][static_cast<std::size_t>(category)] += time_ - to;
    time_ = to;
  }

  void step_back() {
    const Sequencer& sequencer = this->sequencer(die_);
    const Instruction& in = sequencer.program().code[static_cast<std::size_t>(instruction_)];
    const Execution& done = sequencer.execution(instruction_);
    label_ = in.label;
    // Between a cause's end and its effect nothing else ran here: an in-order unit was waiting.
    charge(in.category, done.end);
    if (in.code == OpCode::Exchange) {
      cross_fabric(in, sequencer.exchange_timing(done.end_cause));
    } else if (done.end_cause != kNoInstruction && time_ == done.end) {
      charge(in.category, sequencer.execution(done.end_cause).end);
      instruction_ = done.end_cause;
    } else {
      charge(in.category, done.start);
      instruction_ = done.start_cause;
    }
  }

  /// Goes on at the participant that bound this one, at the time it joined.
  void cross_fabric(const Instruction& in, const ExchangeTiming& timing) {
    const Picoseconds latency_from = max(timing.bound_joined, time_ - timing.latency);
    charge(TimeCategory::FabricLatency, latency_from);
    charge(TimeCategory::FabricTransfer, timing.bound_joined);
    const Exchange& exchange = *step_.exchanges[static_cast<std::size_t>(in.exchange)];
    die_ = index(exchange.participants[static_cast<std::size_t>(timing.bound_by_slot)]);
    const Sequencer& other = sequencer(die_);
    const auto& code = other.program().code;
    const auto& queue = other.program().queues[static_cast<std::size_t>(Unit::Fabric)];
    // Exchanges stand in a die's queue in the order of their numbers.
    const auto mine = std::lower_bound(
        queue.begin(), queue.end(), in.exchange, [&](std::int32_t i, std::int32_t exchange_id) {
          return code[static_cast<std::size_t>(i)].exchange < exchange_id;
        });
    invariant(mine != queue.end(), "a participant has an instruction for its exchange");
    instruction_ = other.execution(*mine).start_cause;
    if (instruction_ == kNoInstruction) charge(TimeCategory::FabricTransfer, begun_);
  }

  const Deployment& deployment_;
  const StepPrograms& step_;
  const Picoseconds begun_;
  PathByLabel* const by_label_;
  std::uint8_t label_ = kNoLabel;
  std::size_t die_ = 0;
  std::int32_t instruction_ = kNoInstruction;
  Picoseconds time_{};
  std::array<Picoseconds, kTimeCategoryCount> spent_{};
};

}  // namespace

std::array<Picoseconds, kTimeCategoryCount> critical_path(const Deployment& deployment,
                                                          const StepPrograms& step,
                                                          Picoseconds begun,
                                                          PathByLabel* by_label) {
  return Walk{deployment, step, begun, by_label}.run();
}

}  // namespace reticle
