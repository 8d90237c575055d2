// SPDX-License-Identifier: Apache-2.0
#include "workloads/requests/law.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "sim/base/error.hpp"

namespace reticle {

namespace {

constexpr double kNormalP95 = 1.6448536269514722;  // 95th percentile of the standard normal

LognormalPart lognormal_of(const LengthModel& model) {
  return {1.0, std::log(model.median), std::log(model.p95 / model.median) / kNormalP95};
}

double draw_mixture(RngStream& rng, const std::vector<LognormalPart>& mixture) {
  double u = rng.uniform();
  for (const LognormalPart& part : mixture) {
    if (u < part.weight) return rng.lognormal(part.mu, part.sigma);
    u -= part.weight;
  }
  return rng.lognormal(mixture.back().mu, mixture.back().sigma);
}

void require(bool ok, const std::string& key, std::string_view rule) {
  if (!ok) throw ConfigError{{}, key, "expected " + std::string{rule}};
}

void check_table(const std::vector<QuantilePoint>& table, const std::string& key) {
  require(table.front().p == 0.0 && table.back().p == 1.0, key + ".table", "shares from 0 to 1");
  for (std::size_t i = 0; i < table.size(); ++i) {
    require(table[i].value >= 0.0 && table[i].value <= 1e9, key + ".table",
            "values from 0 to 10^9");
    require(i == 0 || (table[i].p > table[i - 1].p && table[i].value >= table[i - 1].value),
            key + ".table", "rising shares and values");
  }
}

void check_mixture(const std::vector<LognormalPart>& mixture, const std::string& key) {
  double sum = 0.0;
  for (const LognormalPart& part : mixture) {
    require(
        part.weight >= 0.0 && part.sigma >= 0.0 && part.sigma < 20.0 && std::abs(part.mu) <= 21.0,
        key + ".mixture", "weights and sigmas from 0, and medians up to 10^9");
    sum += part.weight;
  }
  require(std::abs(sum - 1.0) < 1e-6, key + ".mixture", "weights that sum to 1");
}

}  // namespace

double table_value(const std::vector<QuantilePoint>& table, double u) {
  const auto above = std::upper_bound(table.begin(), table.end(), u,
                                      [](double p, const QuantilePoint& q) { return p < q.p; });
  if (above == table.begin()) return table.front().value;
  if (above == table.end()) return table.back().value;
  const QuantilePoint& low = *(above - 1);
  const double part = (u - low.p) / (above->p - low.p);
  if (low.value <= 0.0) return low.value + part * (above->value - low.value);
  return low.value * std::pow(above->value / low.value, part);
}

std::vector<QuantilePoint> quantile_table(const LengthModel& model) {
  if (!model.table.empty()) return model.table;
  constexpr int kSteps = 32;
  constexpr int kFurthest = 6;          // standard deviations; beyond lies 1e-9 of a part
  constexpr double kLeastSigma = 1e-6;  // tells a point from its neighbours
  std::vector<LognormalPart> parts = model.mixture;
  if (parts.empty()) parts = {lognormal_of(model)};
  std::vector<double> logarithms;
  for (LognormalPart& part : parts) {
    part.sigma = std::max(part.sigma, kLeastSigma);
    for (int i = -kFurthest * kSteps; i <= kFurthest * kSteps; ++i)
      logarithms.push_back(part.mu + part.sigma * i / kSteps);
  }
  std::sort(logarithms.begin(), logarithms.end());
  const auto most = static_cast<double>(model.maximum);
  std::vector<QuantilePoint> table{{0.0, std::min(std::exp(logarithms.front()), most)}};
  for (const double x : logarithms) {
    double below = 0.0;
    for (const LognormalPart& part : parts)
      below += part.weight * 0.5 * std::erfc((part.mu - x) / part.sigma / std::sqrt(2.0));
    if (below > table.back().p && below < 1.0)
      table.push_back({below, std::min(std::exp(x), most)});
  }
  table.push_back({1.0, std::min(std::exp(logarithms.back()), most)});
  return table;
}

bool is_given(const LengthModel& model) {
  return model.median > 0.0 || !model.table.empty() || !model.mixture.empty();
}

void check_law(const LengthModel& model, const std::string& key) {
  if (!model.table.empty()) return check_table(model.table, key);
  require(model.maximum >= 1 && model.maximum <= 1'000'000'000, key + ".maximum",
          "tokens from 1 to 10^9");
  if (!model.mixture.empty()) return check_mixture(model.mixture, key);
  require(model.median >= 1.0 && model.median <= 1e9, key + ".median", "tokens from 1 to 10^9");
  require(model.p95 >= model.median && model.p95 <= 1e9, key + ".p95",
          "tokens from the median to 10^9");
}

double draw_value(RngStream& rng, const LengthModel& model) {
  if (!model.table.empty()) return table_value(model.table, rng.uniform());
  const auto most = static_cast<double>(model.maximum);
  if (!model.mixture.empty()) return std::min(draw_mixture(rng, model.mixture), most);
  const LognormalPart one = lognormal_of(model);
  return std::min(rng.lognormal(one.mu, one.sigma), most);
}

std::int64_t draw_length(RngStream& rng, const LengthModel& model) {
  return std::llround(std::max(draw_value(rng, model), 1.0));
}

void describe_number(std::string& note, std::string_view key, double value) {
  std::array<char, 400> digits{};
  const auto [end, error] =
      std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed);
  note.append(", ").append(key).append(" ").append(digits.data(), end);
}

void describe_law(std::string& note, const std::string& key, const LengthModel& model) {
  if (!model.table.empty()) {
    note.append(", ").append(key).append(" quantiles");
    for (const QuantilePoint& q : model.table) {
      std::string point;
      describe_number(point, "", q.p);
      describe_number(point, ":", q.value);
      // ", 0.5" and ", : 9" become " 0.5:9".
      std::erase(point, ',');
      std::erase(point, ' ');
      note.append(" ").append(point);
    }
    return;
  }
  for (const LognormalPart& part : model.mixture) {
    describe_number(note, key + ".weight", part.weight);
    describe_number(note, key + ".mu", part.mu);
    describe_number(note, key + ".sigma", part.sigma);
  }
  if (model.mixture.empty()) {
    describe_number(note, key + ".median", model.median);
    describe_number(note, key + ".p95", model.p95);
  }
  describe_number(note, key + ".maximum", static_cast<double>(model.maximum));
}

}  // namespace reticle
