// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/kv_manager.hpp"

#include <doctest/doctest.h>

#include "sim/base/error.hpp"
#include "tests/sim/serving/serving_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {
/// Room for so many tokens, no prefix known.
std::optional<KvLease> reserve(KvManager& kv, std::int64_t tokens) {
  return kv.admit({.prompt = tokens, .tokens = tokens});
}
}  // namespace

TEST_CASE("KvManager: tokens round up to whole pages") {
  const KvManager kv{room(4)};
  CHECK(kv.pages_for(1) == 1);
  CHECK(kv.pages_for(16) == 1);
  CHECK(kv.pages_for(17) == 2);
  CHECK(kv.ever_fits(64));
  CHECK(!kv.ever_fits(65));
}

TEST_CASE("KvManager: pages are promised in full and tokens counted by the byte") {
  KvManager kv{room(4)};
  CHECK(kv.capacity() == Bytes{4 * 1600});
  auto lease = reserve(kv, 20);
  REQUIRE(lease.has_value());
  CHECK(kv.reserved() == Bytes{2 * 1600});
  CHECK(kv.used() == Bytes{0});
  kv.fill(*lease, 5);
  CHECK(kv.used() == Bytes{5 * 100});
  kv.fill(*lease, 20);
  CHECK(kv.used() == Bytes{20 * 100});
  kv.release(*lease);
  CHECK(kv.reserved() == Bytes{0});
  CHECK(kv.used() == Bytes{0});
}

TEST_CASE("KvManager: the last page goes and one more does not") {
  KvManager kv{room(3)};
  CHECK(reserve(kv, 32).has_value());
  CHECK(!reserve(kv, 17).has_value());
  CHECK(reserve(kv, 16).has_value());
  CHECK(!reserve(kv, 1).has_value());
  CHECK(kv.reserved() == kv.capacity());
}

TEST_CASE("KvManager: replicas fill evenly and the lowest of equals comes first") {
  KvManager kv{room(10, 3)};
  CHECK(reserve(kv, 16)->replica == 0);
  CHECK(reserve(kv, 16)->replica == 1);
  const auto third = reserve(kv, 48);
  REQUIRE(third.has_value());
  CHECK(third->replica == 2);
  CHECK(reserve(kv, 16)->replica == 0);
  CHECK(reserve(kv, 16)->replica == 1);
  CHECK(reserve(kv, 16)->replica == 0);
  kv.release(*third);
  CHECK(reserve(kv, 16)->replica == 2);
}

TEST_CASE("KvManager: a request does not spread over replicas") {
  KvManager kv{room(2, 4)};
  CHECK(!kv.ever_fits(33));
  CHECK(!reserve(kv, 33).has_value());
}

TEST_CASE("KvManager: filling beyond the promise and giving back twice are bugs of ours") {
  KvManager kv{room(4)};
  auto lease = reserve(kv, 16);
  REQUIRE(lease.has_value());
  kv.fill(*lease, 16);
  CHECK_THROWS_AS(kv.fill(*lease, 17), InvariantError);
  KvManager other{room(4)};
  const auto once = reserve(other, 16);
  REQUIRE(once.has_value());
  other.release(*once);
  CHECK_THROWS_AS(other.release(*once), InvariantError);
}
