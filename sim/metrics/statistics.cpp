// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <set>
#include <span>
#include <utility>

#include "sim/base/error.hpp"

namespace reticle {

namespace {
constexpr double kMillisecondsPerPicosecond = 1e-9;

double milliseconds(Picoseconds t) {
  return static_cast<double>(t.count()) * kMillisecondsPerPicosecond;
}
}  // namespace

double percentile(std::span<const double> sorted, int percent) {
  invariant(!sorted.empty() && percent > 0 && percent <= 100, "a percentile of something");
  const std::size_t rank =
      (sorted.size() * static_cast<std::size_t>(percent) + 99) / 100;  // rounded up
  return sorted[rank - 1];
}

std::optional<Distribution> distribution(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::ranges::sort(values);  // also fixes the order of the sum
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  return Distribution{.count = static_cast<std::int64_t>(values.size()),
                      .mean = sum / static_cast<double>(values.size()),
                      .p50 = percentile(values, 50),
                      .p95 = percentile(values, 95),
                      .p99 = percentile(values, 99)};
}

std::optional<double> tpot_picoseconds(const RequestRecord& request) {
  if (!request.finished || !request.first_token || request.generated < 2) return std::nullopt;
  return static_cast<double>((*request.finished - *request.first_token).count()) /
         static_cast<double>(request.generated - 1);
}

std::optional<Distribution> distribution(const DurationCounts& counts) {
  Distribution d{.count = counts.count()};
  if (d.count == 0) return std::nullopt;
  d.mean = counts.mean_ps() * kMillisecondsPerPicosecond;
  const auto all = counts.sorted();
  const auto nearest_rank = [&](int percent) {
    std::int64_t left = div_up(d.count * percent, 100);
    auto at = all.begin();
    while (left > at->second) left -= (at++)->second;
    return milliseconds(at->first);
  };
  d.p50 = nearest_rank(50);
  d.p95 = nearest_rank(95);
  d.p99 = nearest_rank(99);
  return d;
}

std::optional<Goodput> goodput(const ServingSpec& serving,
                               std::span<const RequestRecord> requests) {
  if ((!serving.ttft_limit && !serving.tpot_limit) || requests.empty()) return std::nullopt;
  Goodput good;
  for (const RequestRecord& r : requests) {
    if (!r.finished) continue;
    if (serving.ttft_limit && *r.first_token - r.arrival > *serving.ttft_limit) continue;
    const auto tpot = tpot_picoseconds(r);  // one token has none
    if (serving.tpot_limit && tpot && *tpot > static_cast<double>(serving.tpot_limit->count()))
      continue;
    ++good.requests;
    good.output_tokens += r.generated;
  }
  good.share = static_cast<double>(good.requests) / static_cast<double>(requests.size());
  return good;
}

namespace {
/// Of the requests for which `counts(request)`.
template <class Counts>
Latencies latencies_of(std::span<const RequestRecord> requests, Counts counts) {
  std::vector<double> ttft, tpot, e2e;
  for (const RequestRecord& r : requests) {
    if (!counts(r)) continue;
    if (r.first_token) ttft.push_back(milliseconds(*r.first_token - r.arrival));
    if (const auto per_token = tpot_picoseconds(r))
      tpot.push_back(*per_token * kMillisecondsPerPicosecond);
    if (r.finished) e2e.push_back(milliseconds(*r.finished - r.arrival));
  }
  return {distribution(std::move(ttft)), distribution(std::move(tpot)), std::nullopt,
          distribution(std::move(e2e))};
}
}  // namespace

Latencies latencies(const RunResult& result) {
  Latencies all = latencies_of(result.requests, [](const RequestRecord&) { return true; });
  all.itl_ms = distribution(result.token_gaps);
  return all;
}

std::optional<TailError> tpot_p99_error(const RunResult& result) {
  const AuditFigures& audits = result.recall.all;
  std::vector<std::pair<double, std::int64_t>> all;  // and how many steps each is the mean of
  for (const RequestRecord& r : result.requests)
    if (const auto per_token = tpot_picoseconds(r)) all.emplace_back(*per_token, r.generated - 1);
  if (audits.audits == 0 || all.empty()) return std::nullopt;
  std::ranges::sort(all);
  const std::size_t rank = (all.size() * 99 + 99) / 100 - 1;  // nearest rank of P99
  // Of a normal distribution, from its mean deviation.
  const double of_step = audits.mean_abs_error * std::sqrt(std::numbers::pi / 2);
  const double of_mean = of_step / std::sqrt(static_cast<double>(all[rank].second));
  // Requests that fall into other steps change places: the ranks within which the percentile of so
  // many lies (binomial, two standard errors) [David and Nagaraja, Order Statistics, section 7.1].
  const auto n = static_cast<double>(all.size());
  constexpr double kBelow = 0.99, kAbove = 0.01;  // of P99, the percentile that is told
  const auto ranks = static_cast<std::size_t>(std::ceil(2 * std::sqrt(n * kBelow * kAbove)));
  const double low = all[rank - std::min(rank, ranks)].first;
  const double high = all[std::min(all.size() - 1, rank + ranks)].first;
  const double of_rank = std::max(all[rank].first - low, high - all[rank].first) / all[rank].first;
  return TailError{audits.mean_error, std::hypot(2 * audits.standard_error, 2 * of_mean, of_rank)};
}

std::vector<ClassLatencies> latencies_by_class(const RunResult& result) {
  std::set<std::int64_t> classes;
  for (const RequestRecord& r : result.requests) classes.insert(r.priority);
  std::vector<ClassLatencies> all;
  if (classes.size() < 2) return all;
  for (const std::int64_t priority : classes) {
    const auto mine = [&](const RequestRecord& r) { return r.priority == priority; };
    all.push_back({priority, std::ranges::count_if(result.requests, mine),
                   latencies_of(result.requests, mine)});
  }
  return all;
}

std::vector<std::int64_t> apportion(std::span<const double> parts, std::int64_t total) {
  std::vector<std::int64_t> shares(parts.size());
  const double sum = std::accumulate(parts.begin(), parts.end(), 0.0);
  invariant(std::isfinite(sum), "parts to apportion are finite");
  if (sum <= 0) return shares;

  std::vector<double> remainders(parts.size());
  std::int64_t left = total;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    invariant(parts[i] >= 0, "parts to apportion are not negative");
    const double exact = parts[i] / sum * static_cast<double>(total);
    shares[i] = static_cast<std::int64_t>(std::floor(exact));
    remainders[i] = exact - std::floor(exact);
    left -= shares[i];
  }
  std::vector<std::size_t> order(parts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(
      order, [&](std::size_t a, std::size_t b) { return remainders[a] > remainders[b]; });
  // Rounding may make the floors exceed the total by a unit; it is taken from the least entitled.
  for (std::size_t i = 0; left > 0; ++i, --left) ++shares[order[i % order.size()]];
  for (std::size_t i = order.size(); left < 0; --i, ++left) --shares[order[i - 1]];
  return shares;
}

}  // namespace reticle
