// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/request_router.hpp"

#include <doctest/doctest.h>

#include <array>
#include <map>
#include <vector>

using namespace reticle;

namespace {
Request of_session(std::uint64_t id, std::uint64_t session) {
  Request r;
  r.id = RequestId{id};
  r.session = session;
  return r;
}

/// Sends `count` requests of as many sessions, none of which ends.
std::vector<std::size_t> deal(RequestRouter& router, std::vector<InstanceLoad> loads, int count) {
  std::vector<std::size_t> chosen;
  for (int i = 0; i < count; ++i) {
    const auto id = static_cast<std::uint64_t>(i);
    chosen.push_back(router.choose(of_session(id, id), loads));
    ++loads[chosen.back()].requests;
  }
  return chosen;
}
}  // namespace

TEST_CASE("router: in turn, past instances that are down") {
  RequestRouter router{RoutingPolicy::RoundRobin, 3};
  std::vector<InstanceLoad> loads(3);
  loads[1].up = false;
  CHECK(deal(router, loads, 5) == std::vector<std::size_t>{0, 2, 0, 2, 0});
}

TEST_CASE("router: the least loaded, of equals the first") {
  RequestRouter router{RoutingPolicy::LeastLoaded, 3};
  const std::array<InstanceLoad, 3> loads{{{true, 4}, {true, 2}, {true, 2}}};
  CHECK(router.choose(of_session(0, 0), loads) == 1);
}

TEST_CASE("router: a session stays where it is, and moves only when its instance is gone") {
  RequestRouter router{RoutingPolicy::PrefixAffine, 4};
  const std::vector<InstanceLoad> all(4);
  std::map<std::uint64_t, std::size_t> home;
  for (std::uint64_t s = 0; s < 400; ++s) home[s] = router.choose(of_session(s, s), all);
  std::vector<InstanceLoad> three = all;
  three[2].up = false;
  for (const auto& [session, instance] : home) {
    const std::size_t now = router.choose(of_session(1000 + session, session), three);
    CHECK(now != 2);
    if (instance != 2) CHECK(now == instance);
  }
}

TEST_CASE("router: consistent hashing keeps every load within 1.25 times the mean") {
  RequestRouter router{RoutingPolicy::PrefixAffine, 5};
  std::array<std::int64_t, 5> loads{};
  for (const std::size_t i : deal(router, std::vector<InstanceLoad>(5), 1000)) ++loads[i];
  for (const std::int64_t load : loads) {
    CHECK(load <= 250);
    CHECK(load >= 100);
  }
}

TEST_CASE("router: without a session the first prefix block decides") {
  RequestRouter router{RoutingPolicy::PrefixAffine, 4};
  const std::vector<InstanceLoad> loads(4);
  Request a, b;
  a.id = RequestId{1};
  b.id = RequestId{2};
  a.prefix_blocks = {77, 1};
  b.prefix_blocks = {77, 2};
  CHECK(router.choose(a, loads) == router.choose(b, loads));
}
