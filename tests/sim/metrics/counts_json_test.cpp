// SPDX-License-Identifier: Apache-2.0
#include "sim/metrics/counts_json.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "sim/base/error.hpp"
#include "tests/sim/accounts/example_platform.hpp"

using namespace reticle;
using namespace reticle::literals;

namespace {
std::string complaint(const nlohmann::ordered_json& json) {
  try {
    counts_from_json(json.dump());
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}
}  // namespace

TEST_CASE("counts_json: every count comes back as it was") {
  const std::string text = counts_to_json(example_counts());
  const EventCounts back = counts_from_json(text);
  CHECK(counts_to_json(back) == text);
  CHECK(back.read == example_counts().read);
  CHECK(back.loaded == example_counts().loaded);
  CHECK(back.macs == example_counts().macs);
  CHECK(back.link_busy == example_counts().link_busy);
  CHECK(back.hbm_refreshes == example_counts().hbm_refreshes);
}

TEST_CASE("counts_json: the difference to what was written is nothing at all") {
  EventCounts back = counts_from_json(counts_to_json(example_counts()));
  back -= example_counts();
  EventCounts nothing;
  nothing.link_bytes.resize(3);
  nothing.link_busy.resize(3);
  CHECK(counts_to_json(back) == counts_to_json(nothing));
}

TEST_CASE("counts_json: 64-bit integers survive, beyond what a double holds") {
  EventCounts counts;
  counts.vector_ops = std::numeric_limits<std::int64_t>::max();
  counts.staged = Bytes{(std::int64_t{1} << 53) + 1};
  const EventCounts back = counts_from_json(counts_to_json(counts));
  CHECK(back.vector_ops == counts.vector_ops);
  CHECK(back.staged == counts.staged);
}

TEST_CASE("counts_json: what is wrong is named") {
  const auto good = nlohmann::ordered_json::parse(counts_to_json(example_counts()));
  auto bad = good;
  bad.erase("staged_bytes");
  CHECK(complaint(bad) == "counts.staged_bytes: missing");
  bad = good;
  bad["read_bytes"].erase("hbm");
  CHECK(complaint(bad) == "counts.read_bytes.hbm: missing");
  bad = good;
  bad["macs"]["fp3"] = 1;
  CHECK(complaint(bad) == "counts.macs: expected exactly its known keys");
  bad = good;
  bad["vector_ops"] = 1.5;
  CHECK(complaint(bad) == "counts.vector_ops: expected a whole number of 64 bits, got 1.5");
  bad = good;
  bad["vector_ops"] = 18446744073709551615ULL;
  CHECK(complaint(bad).starts_with("counts.vector_ops: expected a whole number of 64 bits"));
  bad = good;
  bad["link_bytes"] = 5;
  CHECK(complaint(bad) == "counts.link_bytes: expected a list");
  bad = good;
  bad["extra"] = 0;
  CHECK(complaint(bad) == "counts.extra: unknown key");
  CHECK(complaint("text") == "counts: expected a JSON object");
  CHECK_THROWS_AS(counts_from_json("{"), ConfigError);
}
