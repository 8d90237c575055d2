// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/kv_manager.hpp"

#include <doctest/doctest.h>

#include "sim/base/error.hpp"
#include "tests/sim/serving/serving_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

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
  REQUIRE(kv.reserve(20) == 0);
  CHECK(kv.reserved() == Bytes{2 * 1600});
  CHECK(kv.used() == Bytes{0});
  kv.fill(0, 0, 5);
  CHECK(kv.used() == Bytes{5 * 100});
  kv.fill(0, 5, 20);
  CHECK(kv.used() == Bytes{20 * 100});
  kv.release(0, 20, 20);
  CHECK(kv.reserved() == Bytes{0});
  CHECK(kv.used() == Bytes{0});
}

TEST_CASE("KvManager: the last page goes and one more does not") {
  KvManager kv{room(3)};
  CHECK(kv.reserve(32).has_value());
  CHECK(!kv.reserve(17).has_value());
  CHECK(kv.reserve(16).has_value());
  CHECK(!kv.reserve(1).has_value());
  CHECK(kv.reserved() == kv.capacity());
}

TEST_CASE("KvManager: replicas fill evenly and the lowest of equals comes first") {
  KvManager kv{room(10, 3)};
  CHECK(kv.reserve(16) == 0);
  CHECK(kv.reserve(16) == 1);
  CHECK(kv.reserve(48) == 2);
  CHECK(kv.reserve(16) == 0);
  CHECK(kv.reserve(16) == 1);
  CHECK(kv.reserve(16) == 0);
  kv.release(2, 48, 0);
  CHECK(kv.reserve(16) == 2);
}

TEST_CASE("KvManager: a request does not spread over replicas") {
  KvManager kv{room(2, 4)};
  CHECK(!kv.ever_fits(33));
  CHECK(!kv.reserve(33).has_value());
}

TEST_CASE("KvManager: filling beyond the promise and giving back twice are bugs of ours") {
  KvManager kv{room(4)};
  REQUIRE(kv.reserve(16).has_value());
  kv.fill(0, 0, 16);
  CHECK_THROWS_AS(kv.fill(0, 16, 17), InvariantError);
  KvManager other{room(4)};
  REQUIRE(other.reserve(16).has_value());
  other.release(0, 16, 0);
  CHECK_THROWS_AS(other.release(0, 16, 0), InvariantError);
}
