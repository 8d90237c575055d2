// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/interval.hpp"

#include <algorithm>

namespace reticle {

namespace {
Interval apply(IntervalOp op, const Interval& a, const Interval& b) {
  switch (op) {
    case IntervalOp::Sum:
      return {a.low + b.low, a.high + b.high};
    case IntervalOp::Product:
      return {a.low * b.low, a.high * b.high};
    case IntervalOp::Quotient:
      return {a.low / b.high, a.high / b.low};
  }
  return {};
}
}  // namespace

const IntervalStep* Arithmetic::find(const std::string& name) const {
  const auto found = std::ranges::find(steps, name, &IntervalStep::name);
  return found == steps.end() ? nullptr : &*found;
}

void work_out(Arithmetic& arithmetic) {
  for (auto step = arithmetic.steps.begin(); step != arithmetic.steps.end(); ++step) {
    for (std::size_t i = 0; i < step->of.size(); ++i) {
      const auto operand =
          std::find_if(arithmetic.steps.begin(), step,
                       [&](const IntervalStep& other) { return other.name == step->of[i]; });
      if (operand == step)
        throw ConfigError(step->at, step->name,
                          "nothing before it is called '" + step->of[i] + "'");
      step->range = i == 0 ? operand->range : apply(step->op, step->range, operand->range);
    }
  }
  for (const StatedInterval& stated : arithmetic.stated)
    if (arithmetic.find(stated.name) == nullptr)
      throw ConfigError({}, "stated", "no step is called '" + stated.name + "'");
}

}  // namespace reticle
