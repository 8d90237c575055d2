// SPDX-License-Identifier: Apache-2.0
#include "sim/accounts/cost.hpp"

#include <doctest/doctest.h>

#include "tests/sim/accounts/example_platform.hpp"

using namespace reticle;
using namespace reticle::literals;

namespace {
constexpr Picoseconds kSecond{kPicosecondsPerSecond};
constexpr double kLifetime = 3 * 365.0 * 86'400;

/// 1,000 tokens in 2 s, of them 1 s busy: 500 tokens/s as simulated, 1,000 while busy.
Production half_idle() {
  return {.nodes = 2,
          .output_tokens = 1'000,
          .duration = 2 * kSecond,
          .busy = kSecond,
          .dynamic_j = 600,
          .constant_w = 700,
          .single_stream_tokens_per_s = 25};
}
}  // namespace

TEST_CASE("agent_density: the two worked examples of the seed paper's Appendix C") {
  CHECK(agent_density(30'000, 25, 5, 0.7) == doctest::Approx(116.6666667));
  CHECK(agent_density(12'000, 500, 5, 0.8) == doctest::Approx(6'666.6666667));
}

TEST_CASE("price_cost: capital is spread over the tokens of the busy lifetime") {
  const CostParams params = example_platform().cost;
  const CostReport cost = price_cost(params, half_idle());
  CHECK(*cost.capex_usd == 60'000);
  CHECK(*cost.planned.utilisation == 0.7);
  CHECK(*cost.planned.capital_usd_per_m_tokens ==
        doctest::Approx(60'000 / (kLifetime * 0.7 * 1'000) * 1e6));
  CHECK(*cost.as_simulated.utilisation == doctest::Approx(0.5));
  CHECK(*cost.as_simulated.capital_usd_per_m_tokens ==
        doctest::Approx(60'000 / (kLifetime * 500) * 1e6));
}

TEST_CASE("price_cost: energy as simulated is the energy of the run, idle time and PUE included") {
  const CostParams params = example_platform().cost;
  const CostReport cost = price_cost(params, half_idle());
  const double run_j = 600 + 700 * 2;
  CHECK(*cost.as_simulated.energy_usd_per_m_tokens ==
        doctest::Approx(run_j / 1'000 / 3.6e6 * 0.08 * 1.2 * 1e6));
  const double planned_j = 0.6 + 700 / (0.7 * 1'000);
  CHECK(*cost.planned.energy_usd_per_m_tokens ==
        doctest::Approx(planned_j / 3.6e6 * 0.08 * 1.2 * 1e6));
  CHECK(*cost.planned.usd_per_m_tokens ==
        *cost.planned.capital_usd_per_m_tokens + *cost.planned.energy_usd_per_m_tokens);
}

TEST_CASE("price_cost: agent density is over all nodes, at the busy rate or at a single stream's") {
  const CostReport cost = price_cost(example_platform().cost, half_idle());
  CHECK(*cost.planned.agent_density == doctest::Approx(agent_density(60'000, 1'000, 5, 0.7)));
  CHECK(*cost.as_simulated.agent_density == doctest::Approx(agent_density(60'000, 500, 5, 1)));
  CHECK(*cost.single_stream_agent_density == doctest::Approx(agent_density(60'000, 25, 5, 0.7)));
}

TEST_CASE("price_cost: nothing produced costs no amount per token") {
  Production nothing = half_idle();
  nothing.output_tokens = 0;
  nothing.single_stream_tokens_per_s.reset();
  const CostReport cost = price_cost(example_platform().cost, nothing);
  CHECK(*cost.capex_usd == 60'000);
  CHECK(*cost.planned.utilisation == 0.7);
  CHECK(*cost.as_simulated.utilisation == doctest::Approx(0.5));
  CHECK_FALSE(cost.planned.usd_per_m_tokens);
  CHECK_FALSE(cost.as_simulated.agent_density);
  CHECK_FALSE(cost.single_stream_agent_density);
  CHECK_FALSE(price_cost(example_platform().cost, {}).as_simulated.utilisation);
}

TEST_CASE("price_cost: without a node price only the energy is priced") {
  CostParams params = example_platform().cost;
  params.node_price_usd = 0;
  const CostReport cost = price_cost(params, half_idle());
  CHECK_FALSE(cost.capex_usd);
  CHECK(*cost.planned.energy_usd_per_m_tokens > 0);
  CHECK_FALSE(cost.planned.usd_per_m_tokens);
  CHECK_FALSE(cost.planned.agent_density);
  CHECK_FALSE(cost.single_stream_agent_density);
}
