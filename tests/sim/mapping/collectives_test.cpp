// SPDX-License-Identifier: Apache-2.0
// Collectives are checked by carrying them out: a machine that follows the messages phase by phase
// and counts how often each contribution went into each sum.
#include "sim/mapping/collectives.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "sim/base/rng.hpp"
#include "tests/sim/mapping/mapping_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {

constexpr std::int64_t kInside = 4;  ///< dies per package
/// A size that no group divides evenly, and one smaller than the group.
constexpr std::int64_t kUneven = 10'007;
constexpr std::int64_t kTiny = 3;

/// Half-open range of the bytes that are summed.
struct Span {
  std::int64_t begin = 0, end = 0;
};
Span part(Span whole, std::int64_t parts, std::int64_t i) {
  const std::int64_t size = whole.end - whole.begin;
  return {whole.begin + size * i / parts, whole.begin + size * (i + 1) / parts};
}

/// What a message carries and does at its target, by the definition of the algorithm.
struct Meaning {
  Span bytes;
  bool adds = false;  ///< else replaces
};

Meaning one_shot(std::int64_t, std::int64_t total, std::size_t, const Message&) {
  return {{0, total}, true};
}
Meaning direct(std::int64_t n, std::int64_t total, std::size_t phase, const Message& m) {
  return phase == 0 ? Meaning{part({0, total}, n, m.target), true}
                    : Meaning{part({0, total}, n, m.source), false};
}
Meaning ring(std::int64_t n, std::int64_t total, std::size_t phase, const Message& m) {
  const auto step = static_cast<std::int64_t>(phase);
  const std::int64_t chunk = ((m.source - step) % n + n) % n;
  return {part({0, total}, n, chunk), step < n - 1};
}
/// Inside the package, then among the dies of equal rank, then inside again.
Meaning hierarchical(std::int64_t n, std::int64_t total, std::size_t phase, const Message& m) {
  const Span whole{0, total};
  const std::int64_t packages = n / kInside;
  switch (phase) {
    case 0:
      return {part(whole, kInside, m.target % kInside), true};
    case 1:
      return {part(part(whole, kInside, m.source % kInside), packages, m.target / kInside), true};
    case 2:
      return {part(part(whole, kInside, m.source % kInside), packages, m.source / kInside), false};
    default:
      return {part(whole, kInside, m.source % kInside), false};
  }
}

/// Sums on the way to die 0, results on the way back.
Meaning tree(std::int64_t, std::int64_t total, std::size_t, const Message& m) {
  return {{0, total}, m.target < m.source};
}

struct Algorithm {
  AllReduceKind kind;
  const char* name;
  Meaning (*meaning)(std::int64_t, std::int64_t, std::size_t, const Message&);
};
constexpr Algorithm kAlgorithms[] = {{AllReduceKind::OneShot, "one-shot", one_shot},
                                     {AllReduceKind::Direct, "direct", direct},
                                     {AllReduceKind::Ring, "ring", ring},
                                     {AllReduceKind::Tree, "tree", tree},
                                     {AllReduceKind::Hierarchical, "hierarchical", hierarchical}};

/// contributions[p][b][c]: how often c's value is in p's sum of byte b.
using Sums = std::vector<std::vector<std::vector<int>>>;

Sums carry_out(const Exchange& exchange, std::int64_t total, const Algorithm& algorithm) {
  const std::size_t n = exchange.participants.size();
  Sums held(n, {static_cast<std::size_t>(total), std::vector<int>(n, 0)});
  for (std::size_t p = 0; p < n; ++p)
    for (auto& byte : held[p]) byte[p] = 1;
  for (std::size_t phase = 0; phase < exchange.phases.size(); ++phase) {
    const Sums before = held;  // a phase sends what was there when it began
    for (const Message& m : exchange.phases[phase]) {
      const Meaning meaning = algorithm.meaning(static_cast<std::int64_t>(n), total, phase, m);
      CHECK(m.bytes.count() == meaning.bytes.end - meaning.bytes.begin);
      for (auto b = static_cast<std::size_t>(meaning.bytes.begin);
           b < static_cast<std::size_t>(meaning.bytes.end); ++b) {
        auto& target = held[static_cast<std::size_t>(m.target)][b];
        const auto& source = before[static_cast<std::size_t>(m.source)][b];
        for (std::size_t c = 0; c < n; ++c)
          target[c] = meaning.adds ? target[c] + source[c] : source[c];
      }
    }
  }
  return held;
}

bool all_once(const Sums& held) {
  for (const auto& participant : held)
    for (const auto& byte : participant)
      for (const int times : byte)
        if (times != 1) return false;
  return true;
}

std::int64_t bytes_sent(const Exchange& exchange) {
  std::int64_t total = 0;
  for (const auto& phase : exchange.phases)
    for (const Message& m : phase) total += m.bytes.count();
  return total;
}

std::vector<std::int64_t> sent_by_slot(const Exchange& exchange) {
  std::vector<std::int64_t> sent(exchange.participants.size());
  for (const auto& phase : exchange.phases)
    for (const Message& m : phase) sent[static_cast<std::size_t>(m.source)] += m.bytes.count();
  return sent;
}

void check_messages(const Exchange& exchange) {
  const auto n = static_cast<std::int32_t>(exchange.participants.size());
  for (const auto& phase : exchange.phases) {
    std::set<std::pair<std::int32_t, std::int32_t>> pairs;
    for (const Message& m : phase) {
      CHECK(m.source != m.target);
      CHECK(m.bytes.count() > 0);
      CHECK((m.source >= 0 && m.source < n && m.target >= 0 && m.target < n));
      CHECK(pairs.emplace(m.source, m.target).second);
    }
  }
}

bool divides(AllReduceKind kind, std::int64_t n) {
  return kind != AllReduceKind::Hierarchical || (n % kInside == 0 && n > kInside);
}

}  // namespace

TEST_CASE("all_reduce: everyone ends with every contribution exactly once") {
  for (const Algorithm& algorithm : kAlgorithms)
    for (const std::int64_t n : {2, 3, 4, 7, 8, 12})
      for (const std::int64_t total : {kTiny, std::int64_t{61}, std::int64_t{96}}) {
        if (!divides(algorithm.kind, n)) continue;
        CAPTURE(algorithm.name);
        CAPTURE(n);
        CAPTURE(total);
        const Exchange exchange = all_reduce({0, n, 1}, Bytes{total}, algorithm.kind, kInside);
        check_messages(exchange);
        CHECK(all_once(carry_out(exchange, total, algorithm)));
      }
}

TEST_CASE("all_reduce: the bytes on the wire are those of the closed forms") {
  for (const std::int64_t n : {2, 4, 8, 12}) {
    const DieGroup group{0, n, 1};
    CAPTURE(n);
    // All together: exact for any size. Reduce-scatter and all-gather each move every byte n - 1
    // times, however it is dealt.
    for (const AllReduceKind kind : {AllReduceKind::Direct, AllReduceKind::Ring})
      CHECK(bytes_sent(all_reduce(group, Bytes{kUneven}, kind, kInside)) == 2 * (n - 1) * kUneven);
    CHECK(bytes_sent(all_reduce(group, Bytes{kUneven}, AllReduceKind::OneShot, kInside)) ==
          n * (n - 1) * kUneven);
    // Each die, where the size divides.
    const std::int64_t total = n * 1000;
    for (const AllReduceKind kind : {AllReduceKind::Direct, AllReduceKind::Ring})
      for (const auto sent : sent_by_slot(all_reduce(group, Bytes{total}, kind, kInside)))
        CHECK(sent == 2 * (n - 1) * total / n);
    for (const auto sent :
         sent_by_slot(all_reduce(group, Bytes{total}, AllReduceKind::OneShot, kInside)))
      CHECK(sent == (n - 1) * total);
  }
}

TEST_CASE("all_reduce: hierarchical crosses packages with one share per die only") {
  constexpr std::int64_t kPackages = 3;
  constexpr std::int64_t kTotal = kInside * kPackages * 1000;
  const Exchange exchange =
      all_reduce({0, kInside * kPackages, 1}, Bytes{kTotal}, AllReduceKind::Hierarchical, kInside);
  std::int64_t inside = 0, across = 0;
  for (const auto& phase : exchange.phases)
    for (const Message& m : phase)
      (m.source / kInside == m.target / kInside ? inside : across) += m.bytes.count();
  // Per package: reduce-scatter and all-gather over kInside dies.
  CHECK(inside == kPackages * 2 * (kInside - 1) * kTotal);
  // Per rank: an all-reduce of 1 / kInside of the bytes over the packages.
  CHECK(across == kInside * 2 * (kPackages - 1) * (kTotal / kInside));
}

TEST_CASE("all_reduce: a group of one sends nothing") {
  for (const Algorithm& algorithm : kAlgorithms) {
    const Exchange exchange = all_reduce({5, 1, 1}, Bytes{kUneven}, algorithm.kind, kInside);
    CHECK(exchange.participants == std::vector{DieId{5}});
    CHECK(bytes_sent(exchange) == 0);
  }
}

TEST_CASE("participants: first and stride of the group decide the dies") {
  const Exchange exchange = all_gather({3, 4, 8}, Bytes{400});
  CHECK(exchange.participants == std::vector{DieId{3}, DieId{11}, DieId{19}, DieId{27}});
}

TEST_CASE("all_gather: every die sends its own share to every other") {
  for (const std::int64_t n : {2, 3, 8}) {
    const Exchange exchange = all_gather({0, n, 1}, Bytes{kUneven});
    check_messages(exchange);
    CHECK(exchange.phases.size() == 1);
    CHECK(exchange.phases[0].size() == static_cast<std::size_t>(n * (n - 1)));
    for (const Message& m : exchange.phases[0])
      CHECK(m.bytes.count() == share(kUneven, n, m.source));
  }
}

TEST_CASE("reduce_scatter: every die receives its own share from every other") {
  for (const std::int64_t n : {2, 3, 8}) {
    const Exchange exchange = reduce_scatter({0, n, 1}, Bytes{kUneven});
    check_messages(exchange);
    CHECK(exchange.phases.size() == 1);
    CHECK(exchange.phases[0].size() == static_cast<std::size_t>(n * (n - 1)));
    for (const Message& m : exchange.phases[0])
      CHECK(m.bytes.count() == share(kUneven, n, m.target));
  }
}

TEST_CASE("all_to_all: uneven sizes arrive as asked and empty ones are not sent") {
  RngStream rng{kSeed, "all-to-all"};
  constexpr std::size_t kN = 7;
  std::vector<DieId> dies;
  std::vector<std::int64_t> sizes(kN * kN);
  for (std::size_t i = 0; i < kN; ++i)
    dies.push_back(DieId{static_cast<std::uint32_t>(40 + 3 * i)});
  for (auto& size : sizes)
    size = rng.below(3) == 0 ? 0 : static_cast<std::int64_t>(rng.below(9999));
  for (std::size_t i = 0; i < kN; ++i) sizes[i * kN + i] = 0;

  const Exchange exchange = all_to_all(dies, sizes);
  check_messages(exchange);
  CHECK(exchange.participants == dies);
  std::vector<std::int64_t> arrived(kN * kN);
  for (const auto& phase : exchange.phases)
    for (const Message& m : phase)
      arrived[static_cast<std::size_t>(m.source) * kN + static_cast<std::size_t>(m.target)] +=
          m.bytes.count();
  CHECK(arrived == sizes);
}

TEST_CASE("all_to_all: what a die has for itself stays off the fabric") {
  const std::vector dies{DieId{0}, DieId{1}};
  const Exchange exchange = all_to_all(dies, std::vector<std::int64_t>{100, 20, 30, 400});
  check_messages(exchange);
  CHECK(bytes_sent(exchange) == 50);
}

TEST_CASE("peer_to_peer: die i of one stage sends to die i of the next") {
  const Exchange exchange = peer_to_peer({4, 4, 1}, {8, 4, 1}, Bytes{kUneven});
  check_messages(exchange);
  CHECK(exchange.participants.size() == 8);
  CHECK(exchange.phases.size() == 1);
  CHECK(exchange.phases[0].size() == 4);
  for (const Message& m : exchange.phases[0]) {
    CHECK(m.bytes == Bytes{kUneven});
    CHECK(index(exchange.participants[static_cast<std::size_t>(m.target)]) ==
          index(exchange.participants[static_cast<std::size_t>(m.source)]) + 4);
  }
}

TEST_CASE("Collectives: an exchange asked for again is the same object") {
  Collectives collectives{small_platform(kInside, 2)};
  const DieGroup group{0, 8, 1};
  CHECK(collectives.reduce_all(group, Bytes{64}) == collectives.reduce_all(group, Bytes{64}));
  CHECK(collectives.reduce_all(group, Bytes{64}) != collectives.gather_all(group, Bytes{64}));
  CHECK(collectives.reduce_all(group, Bytes{64}) != collectives.reduce_all(group, Bytes{65}));
}

TEST_CASE("Collectives: little data goes one-shot and much of it in shares") {
  const Collectives collectives{small_platform(8)};
  const DieGroup group{0, 8, 1};
  CHECK(collectives.choose(group, Bytes{64}).kind == AllReduceKind::OneShot);
  CHECK(collectives.choose(group, Bytes{1'000'000'000}).kind == AllReduceKind::Direct);
}

TEST_CASE("Collectives: across packages the hierarchy saves the slow links") {
  const Collectives collectives{small_platform(kInside, 4)};
  CHECK(collectives.choose({0, 16, 1}, Bytes{100'000'000}).kind == AllReduceKind::Hierarchical);
  // Not where the group does not consist of whole packages.
  CHECK(collectives.choose({0, 6, 1}, Bytes{100'000'000}).kind != AllReduceKind::Hierarchical);
  CHECK(collectives.choose({2, 8, 1}, Bytes{100'000'000}).kind != AllReduceKind::Hierarchical);
}

TEST_CASE("broadcast: everyone is sent the bytes once, by one who has them") {
  for (const BroadcastKind kind : {BroadcastKind::OneShot, BroadcastKind::Tree})
    for (const std::int64_t n : {1, 2, 3, 8, 13}) {
      const Exchange exchange = broadcast({0, n, 1}, Bytes{kUneven}, kind);
      check_messages(exchange);
      std::set<std::int32_t> have{0};
      for (const auto& phase : exchange.phases) {
        const std::set<std::int32_t> before = have;
        for (const Message& m : phase) {
          CHECK(before.contains(m.source));
          CHECK(have.insert(m.target).second);
          CHECK(m.bytes == Bytes{kUneven});
        }
      }
      CHECK(static_cast<std::int64_t>(have.size()) == n);
    }
}

TEST_CASE("in-switch: every die sends its part once, a broadcast only the first") {
  const Exchange sum = all_reduce({0, 8, 1}, Bytes{kUneven}, AllReduceKind::InSwitch, 1);
  REQUIRE(sum.phases.size() == 1);
  CHECK(sum.phases[0].size() == 8);
  for (const Message& m : sum.phases[0]) CHECK(m.target == kInSwitch);
  CHECK(broadcast({0, 8, 1}, Bytes{kUneven}, BroadcastKind::InSwitch).phases[0].size() == 1);
}

TEST_CASE("Collectives: a switch that adds is asked to where every die has a port of it") {
  PlatformSpec platform = small_platform(1, 8);
  const DieGroup all{0, 8, 1};
  const auto kind = [&](const DieGroup& group) {
    return Collectives{platform}.choose(group, Bytes{1'000'000}).kind;
  };
  REQUIRE(platform.fabric.levels.back().kind == TopologyKind::Switch);
  CHECK(kind(all) != AllReduceKind::InSwitch);
  platform.fabric.levels.back().adds = true;
  CHECK(kind(all) == AllReduceKind::InSwitch);
  CHECK(Collectives{platform}.describe_choices(all).find("in-switch") != std::string::npos);
  PlatformSpec gateways = small_platform(kInside, 4);
  gateways.fabric.levels.back().adds = true;
  gateways.fabric.levels.back().ports = 1;
  CHECK(Collectives{gateways}.choose({0, 16, 1}, Bytes{1'000'000}).kind != AllReduceKind::InSwitch);
}

TEST_CASE("Collectives: what serves which sizes is what is chosen, without gaps, and says why") {
  const PlatformSpec platform = small_platform(kInside, 4);
  const Collectives collectives{platform};
  const DieGroup all{0, kInside * 4, 1};
  const auto list = collectives.served(all);
  REQUIRE(list.size() > 1);
  CHECK_FALSE(list.front().above.has_value());
  CHECK_FALSE(list.back().up_to.has_value());
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) CHECK(list[i].above == list[i - 1].up_to);
    const Bytes size = list[i].up_to ? *list[i].up_to : 2 * *list[i].above;
    CHECK(collectives.choose(all, size).kind == list[i].choice.kind);
    CHECK(list[i].why.find(": " + std::string{name_of(list[i].choice.kind)}) != std::string::npos);
  }
}

TEST_CASE("Collectives: the estimate grows with the bytes and never beats the wire") {
  const PlatformSpec platform = small_platform(8);
  const Collectives collectives{platform};
  Picoseconds before{};
  for (const std::int64_t bytes : {1, 1000, 1'000'000, 1'000'000'000}) {
    const Picoseconds t = collectives.estimate_all_reduce({0, 8, 1}, Bytes{bytes});
    CHECK(t > before);
    // Every die has 7 links; at least (n - 1) / n of the bytes leave it twice over all of them.
    CHECK(t >= transfer_time(Bytes{2 * bytes / 8}, platform.fabric.levels[0].link.rate));
    before = t;
  }
  CHECK(collectives.estimate_all_reduce({0, 1, 1}, Bytes{1000}) == Picoseconds{0});
}

TEST_CASE("Collectives: an exchange is estimated as the algorithm that built it") {
  for (const bool adds : {false, true}) {
    PlatformSpec platform = small_platform(4, 4);
    platform.fabric.levels[1].adds = adds;
    const Collectives collectives{platform};
    for (const DieGroup& group : {DieGroup{0, 4, 1}, DieGroup{0, 16, 1}, DieGroup{0, 4, 4}})
      for (const std::int64_t bytes : {16, 4096, 1 << 20, 1 << 26}) {
        const auto choice = collectives.choose(group, Bytes{bytes});
        CAPTURE(name_of(choice.kind));
        CAPTURE(bytes);
        const Exchange built = all_reduce(group, Bytes{bytes}, choice.kind, choice.inside);
        const double ratio = seconds(collectives.estimate(built)) /
                             seconds(collectives.estimate_all_reduce(group, Bytes{bytes}));
        CHECK(ratio == doctest::Approx(1).epsilon(0.01));
      }
  }
}

TEST_CASE("Collectives: an uneven all-to-all takes as long as its busiest participant") {
  const PlatformSpec platform = small_platform(4, 4);
  const Collectives collectives{platform};
  const std::vector<DieId> dies{DieId{0}, DieId{4}, DieId{8}};
  // Die 4 receives 3 MB over its port of 100 GB/s; 20 ns to start, 2 wires and a switch.
  const std::vector<std::int64_t> sizes{0, 1'000'000, 10, 0, 0, 0, 10, 2'000'000, 0};
  CHECK(collectives.estimate(all_to_all(dies, sizes)) == 20_ns + 405_ns + 30_us);
}

TEST_CASE(
    "Collectives: in the order of ranks one-shot and direct alone add, at any size, and take no "
    "less") {
  const PlatformSpec platform = small_platform(4, 4);
  const Collectives any{platform}, ordered{platform, true};
  const DieGroup all{0, 16, 1};
  for (std::int64_t bytes = 256; bytes <= std::int64_t{1} << 28; bytes *= 2) {
    const AllReduceKind kind = ordered.choose(all, Bytes{bytes}).kind;
    CHECK((kind == AllReduceKind::OneShot || kind == AllReduceKind::Direct));
    CHECK(ordered.estimate_all_reduce(all, Bytes{bytes}) >=
          any.estimate_all_reduce(all, Bytes{bytes}));
  }
}
