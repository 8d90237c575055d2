// SPDX-License-Identifier: Apache-2.0
#include "sim/registry/verdict.hpp"

#include <doctest/doctest.h>

#include <sstream>

using namespace reticle;

namespace {
constexpr ClaimedRange kClaim{.low = 2, .high = 4, .tolerance = 0.05};

ConditionResult at(std::vector<std::string> labels, double figure) {
  return {std::move(labels), standing_of(figure, kClaim)};
}
RegistryVerdict verdict(std::vector<double> figures) {
  std::vector<ConditionResult> results;
  for (const double figure : figures) results.push_back(at({}, figure));
  return verdict_of(results);
}
}  // namespace

TEST_CASE("verdict: a figure stands within a range up to its tolerance, not beyond") {
  CHECK(standing_of(1.901, kClaim) == Standing::Within);
  CHECK(standing_of(1.899, kClaim) == Standing::Worse);
  CHECK(standing_of(4.199, kClaim) == Standing::Within);
  CHECK(standing_of(4.201, kClaim) == Standing::Better);
  ClaimedRange open = kClaim;
  open.at_least = true;
  CHECK(standing_of(400, open) == Standing::Within);
  CHECK(standing_of(1, open) == Standing::Worse);
}

TEST_CASE("verdict: of a price less is better") {
  ClaimedRange price = kClaim;
  price.is_price = true;
  CHECK(standing_of(1, price) == Standing::Better);
  CHECK(standing_of(3, price) == Standing::Within);
  CHECK(standing_of(5, price) == Standing::Worse);
}

TEST_CASE("verdict: it follows from the figures, and other figures change it") {
  CHECK(verdict({2, 3, 4}) == RegistryVerdict::Supported);
  CHECK(verdict({2, 3, 9}) == RegistryVerdict::Supported);
  CHECK(verdict({5, 9}) == RegistryVerdict::Underclaimed);
  CHECK(verdict({1, 1.5}) == RegistryVerdict::Overclaimed);
  CHECK(verdict({1, 3}) == RegistryVerdict::Conditional);
  CHECK(verdict({1, 9}) == RegistryVerdict::Conditional);
  CHECK(verdict({}) == RegistryVerdict::NotSimulable);
}

TEST_CASE("verdict: raising every figure never makes it worse") {
  const auto rank = [](RegistryVerdict v) {
    switch (v) {
      case RegistryVerdict::Overclaimed:
        return 0;
      case RegistryVerdict::Conditional:
        return 1;
      case RegistryVerdict::Supported:
        return 2;
      default:
        return 3;
    }
  };
  int before = 0;
  for (double shift = 0; shift < 6; shift += 0.1) {
    const int now = rank(verdict({0.5 + shift, 1 + shift, 1.7 + shift}));
    CHECK(now >= before);
    before = now;
  }
  CHECK(before == 3);
}

TEST_CASE("verdict: several claims that disagree make an entry conditional") {
  using enum RegistryVerdict;
  CHECK(combined({Supported, Supported}) == Supported);
  CHECK(combined({Supported, Overclaimed}) == Conditional);
  CHECK(combined({Supported, Underclaimed}) == Supported);
  CHECK(combined({Underclaimed, Underclaimed}) == Underclaimed);
  CHECK(combined({Underclaimed, Overclaimed}) == Conditional);
  CHECK(combined({Overclaimed, NotSimulable}) == Overclaimed);
  CHECK(combined({NotSimulable, NotSimulable}) == NotSimulable);
  CHECK(combined({}) == NotSimulable);
}

TEST_CASE("verdict: a falsifier that came true leaves no claim standing") {
  using enum RegistryVerdict;
  for (const auto verdict : {Supported, Conditional, Underclaimed, Overclaimed}) {
    CHECK(concluded(verdict, true) == Overclaimed);
    CHECK(concluded(verdict, false) == verdict);
  }
  CHECK(concluded(NotSimulable, true) == NotSimulable);
}

TEST_CASE("condition: one axis that tells all is named alone") {
  const std::vector<ConditionResult> results{at({"1", "8k"}, 3), at({"1", "32k"}, 2),
                                             at({"64", "8k"}, 1), at({"64", "32k"}, 1.2)};
  CHECK(condition_of({"batch", "context"}, results) == "where batch is 1");
}

TEST_CASE("condition: two axes are named where neither tells all") {
  const std::vector<ConditionResult> results{at({"1", "8k"}, 3), at({"1", "32k"}, 2),
                                             at({"64", "8k"}, 1), at({"64", "32k"}, 2.2)};
  CHECK(condition_of({"batch", "context"}, results) ==
        "except where batch is 64 and context is 8k");
}

TEST_CASE("condition: a claim that holds everywhere or nowhere has none") {
  CHECK(condition_of({"batch"}, {at({"1"}, 3), at({"2"}, 3)}).empty());
  CHECK(condition_of({"batch"}, {at({"1"}, 1), at({"2"}, 1)}).empty());
}

TEST_CASE("condition: what it names is where the claim holds, on every pattern of three by three") {
  const std::string rows = "123", columns = "789";
  for (unsigned pattern = 1; pattern < 511; ++pattern) {
    std::vector<ConditionResult> results;
    for (unsigned i = 0; i < 9; ++i)
      results.push_back(at({std::string(1, rows[i / 3]), std::string(1, columns[i % 3])},
                           (pattern >> i & 1U) != 0 ? 3 : 1));
    std::string text = condition_of({"p", "q"}, results);
    const bool except = text.starts_with("except ");
    if (except) text = text.substr(7);
    REQUIRE(text.starts_with("where "));
    // Reads the clause back: parts by ';', each a row, a column list, or both.
    std::istringstream parts{text.substr(6)};
    unsigned named = 0;
    for (std::string part; std::getline(parts, part, ';');) {
      const std::size_t q = part.find("q is ");
      const std::string in_p = part.substr(0, q),
                        in_q = q == std::string::npos ? "" : part.substr(q + 5);
      for (unsigned i = 0; i < 9; ++i) {
        const bool row =
            in_p.find("p is") == std::string::npos ||
            in_p.find_first_of(rows[i / 3], in_p.find("p is") + 5) != std::string::npos;
        const bool column = in_q.empty() || in_q.find(columns[i % 3]) != std::string::npos;
        if (row && column) named |= 1U << i;
      }
    }
    CHECK_MESSAGE((except ? ~named & 511U : named) == pattern, text);
  }
}
