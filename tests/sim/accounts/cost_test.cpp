// SPDX-License-Identifier: Apache-2.0
#include "sim/accounts/cost.hpp"

#include <doctest/doctest.h>

#include <cmath>

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

TEST_CASE("agent_density: the two worked examples of the seed paper's Appendix C, rounded once") {
  CHECK(std::round(agent_density(30'000, 25, 5, 0.7)) == 117);
  CHECK(std::round(agent_density(12'000, 500, 5, 0.8)) == 6'667);  // 6,666 with 8,333 on the way
  CHECK(std::round(agent_density(30'000, 25, 5, 1)) == 167);
  CHECK(std::round(agent_density(12'000, 500, 5, 1)) == 8'333);
}

// `reference_examples` of configs/claims/figures.yaml, which scripts/claims_check.py computes in
// fractions; stated to a tenth of a cent.
TEST_CASE("price_cost: capital, energy and hosting of an H100 add up to 21.097 USD per million") {
  const CostReport cost = price_cost({.node_price_usd = 30'000,
                                      .lifetime_years = 3,
                                      .utilisation = 0.8,
                                      .electricity_usd_per_kwh = 0.083,
                                      .pue = 1.15,
                                      .hosting_usd_per_kw_month = 184.06},
                                     {.nodes = 1,
                                      .output_tokens = 25,
                                      .duration = kSecond,
                                      .busy = kSecond,
                                      .dynamic_j = 20 * 25,
                                      .constant_w = 120,
                                      .provisioned_w = 1300});
  const auto milli = [](const std::optional<double>& usd) { return std::round(*usd * 1e3); };
  CHECK(milli(cost.planned.capital_usd_per_m_tokens) == 15'855);
  CHECK(milli(cost.planned.energy_usd_per_m_tokens) == 689);
  CHECK(milli(cost.planned.hosting_usd_per_m_tokens) == 4'552);
  CHECK(*cost.planned.nre_usd_per_m_tokens == 0);
  CHECK(milli(cost.planned.usd_per_m_tokens) == 21'097);
}

TEST_CASE(
    "nre_penalty: 3 and 10 times are reached at thousands of nodes, not at a hundred thousand") {
  const auto milli = [](double x) { return std::round(x * 1e3); };
  CHECK(milli(nre_penalty(60e6, 2'500, 12'000)) == 3'000);
  CHECK(milli(nre_penalty(60e6, 556, 12'000)) == 9'993);
  CHECK(milli(nre_penalty(80e6, 100'000, 12'000)) == 1'067);
  CHECK(nre_penalty(0, 0, 12'000) == 1);
}

TEST_CASE("price_cost: NRE makes capital dearer by its penalty and touches nothing else") {
  CostParams params = example_platform().cost;
  const CostReport without = price_cost(params, half_idle());
  params.nre_usd = 60e6;
  params.nre_nodes = 1'000;
  const CostReport with = price_cost(params, half_idle());
  const double capital = *without.planned.capital_usd_per_m_tokens;
  CHECK(*with.capex_usd == *without.capex_usd);
  CHECK(*with.planned.capital_usd_per_m_tokens == capital);
  CHECK(*with.planned.nre_usd_per_m_tokens == doctest::Approx(capital * 2).epsilon(1e-12));
  CHECK(*with.planned.usd_per_m_tokens ==
        doctest::Approx(*without.planned.usd_per_m_tokens + 2 * capital).epsilon(1e-12));
}

TEST_CASE("price_cost: hosting is paid idle or busy, and needs to know what is provisioned") {
  CostParams params = example_platform().cost;
  params.hosting_usd_per_kw_month = 100;
  Production made = half_idle();
  CHECK_FALSE(price_cost(params, made).planned.usd_per_m_tokens);
  made.provisioned_w = 5'000;
  const CostReport cost = price_cost(params, made);
  const double usd_per_year = 5 * 100 * 12;
  CHECK(*cost.as_simulated.hosting_usd_per_m_tokens ==
        doctest::Approx(usd_per_year / (365.0 * 86'400 * 500) * 1e6).epsilon(1e-12));
  CHECK(*cost.planned.hosting_usd_per_m_tokens ==
        doctest::Approx(usd_per_year / (365.0 * 86'400 * 700) * 1e6).epsilon(1e-12));
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
