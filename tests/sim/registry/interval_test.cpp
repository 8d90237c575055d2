// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/interval.hpp"

#include <doctest/doctest.h>

using namespace reticle;

namespace {
IntervalStep input(std::string name, double low, double high) {
  IntervalStep step;
  step.name = std::move(name);
  step.range = {low, high};
  return step;
}
IntervalStep computed(std::string name, IntervalOp op, std::vector<std::string> of) {
  IntervalStep step;
  step.name = std::move(name);
  step.op = op;
  step.of = std::move(of);
  return step;
}
}  // namespace

TEST_CASE("intervals: every choice within the inputs lands within the outputs, ends are reached") {
  Arithmetic arithmetic;
  arithmetic.steps = {input("a", 2, 3),
                      input("b", 4, 8),
                      computed("sum", IntervalOp::Sum, {"a", "b"}),
                      computed("product", IntervalOp::Product, {"a", "b"}),
                      computed("quotient", IntervalOp::Quotient, {"a", "b"}),
                      computed("all", IntervalOp::Sum, {"sum", "product", "quotient"})};
  work_out(arithmetic);
  const auto at = [&](const char* name) { return arithmetic.find(name)->range; };
  CHECK(at("sum").low == 6);
  CHECK(at("sum").high == 11);
  CHECK(at("product").low == 8);
  CHECK(at("product").high == 24);
  CHECK(at("quotient").low == 0.25);
  CHECK(at("quotient").high == 0.75);
  for (double a = 2; a <= 3; a += 0.25)
    for (double b = 4; b <= 8; b += 0.5) {
      const double all = a + b + a * b + a / b;
      CHECK(at("all").low <= all);
      CHECK(all <= at("all").high);
    }
}

TEST_CASE("intervals: a step may use what stands before it alone") {
  Arithmetic arithmetic;
  arithmetic.steps = {input("a", 1, 1), computed("b", IntervalOp::Sum, {"a", "c"}),
                      input("c", 1, 1)};
  CHECK_THROWS_WITH_AS(work_out(arithmetic), doctest::Contains("nothing before it is called 'c'"),
                       ConfigError);
}
