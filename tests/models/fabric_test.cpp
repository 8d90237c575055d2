// SPDX-License-Identifier: Apache-2.0
#include "models/fabric/fabric.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <vector>

#include "sim/base/rng.hpp"
#include "tests/models/fabric_bench.hpp"
#include "tests/models/quantity_text.hpp"
#include "tests/models/test_params.hpp"

namespace reticle {
namespace {

const Picoseconds kForward = kLink.latency + kRouter;
const Picoseconds kArrive = kLink.latency;  // into the die where a path ends: no router
const Picoseconds kOverhead = fabric_of(TopologyKind::Ring, 2).exchange_overhead;

Picoseconds serialise(Bytes bytes, const LinkParams& link = kLink) {
  return transfer_time(bytes, link.rate);
}
FabricParams chain(std::int64_t dies) { return fabric_of(TopologyKind::Mesh2d, dies); }

/// Round by round, so that in each round every die sends to another one.
std::vector<Message> rounds(std::int32_t dies, Bytes bytes) {
  std::vector<Message> messages;
  for (std::int32_t d = 1; d < dies; ++d)
    for (std::int32_t s = 0; s < dies; ++s) messages.push_back({s, (s + d) % dies, bytes});
  return messages;
}

TEST_CASE("Fabric: a single message takes overhead, serialisation and the latency of its hops") {
  const std::int32_t most = 5;
  FabricBench bench{"bench", chain(most + 1)};
  run_in_thread([&] {
    std::vector<Exchange> exchanges;
    for (std::int32_t hops = 1; hops <= most; ++hops)
      exchanges.push_back(one_phase(most + 1, {{0, hops, 64_KiB}}));
    bench.load(exchanges);
    for (std::int32_t i = 0; i < most; ++i) {
      wait_until((1 + i) * 1_ms);  // each on an idle fabric
      bench.join_all(i);
    }
  });
  for (std::int32_t hops = 1; hops <= most; ++hops) {
    const ExchangeTiming& t = bench.timing(hops - 1, static_cast<std::size_t>(hops));
    CHECK(t.done == hops * 1_ms + kOverhead + serialise(64_KiB) + hops * kForward - kRouter);
    CHECK(t.latency == kOverhead + hops * kForward - kRouter);
    CHECK(t.bound_by_slot == 0);
    CHECK(t.bound_joined == hops * 1_ms);
  }
}

TEST_CASE("Fabric: a sender is done when its last message has left") {
  FabricBench bench{"bench", chain(2)};
  run_in_thread([&] {
    bench.load({one_phase(2, {{0, 1, 64_KiB}})});
    bench.join_all(0);
  });
  CHECK(bench.timing(0, 0).done == kOverhead + serialise(64_KiB));
  CHECK(bench.timing(0, 0).latency == kOverhead);
}

TEST_CASE("Fabric: two messages on one link take turns") {
  FabricBench bench{"bench", chain(2)};
  run_in_thread([&] {
    bench.load({one_phase(2, {{0, 1, 64_KiB}, {0, 1, 16_KiB}})});
    bench.join_all(0);
  });
  CHECK(bench.timing(0, 1).done == kOverhead + serialise(64_KiB + 16_KiB) + kArrive);
}

TEST_CASE("Fabric: messages that merge on a later link take turns there") {
  FabricBench bench{"bench", chain(3)};
  run_in_thread([&] {
    bench.load({one_phase(3, {{1, 2, 64_KiB}, {0, 2, 16_KiB}})});
    bench.join_all(0);
  });
  CHECK(serialise(64_KiB) > kForward);
  CHECK(bench.timing(0, 2).done == kOverhead + serialise(64_KiB + 16_KiB) + kArrive);
}

TEST_CASE("Fabric: messages on disjoint links run side by side") {
  FabricBench bench{"bench", fabric_of(TopologyKind::FullyConnected, 4)};
  run_in_thread([&] {
    bench.load({one_phase(4, {{0, 1, 64_KiB}, {1, 0, 64_KiB}, {2, 3, 64_KiB}})});
    bench.join_all(0);
  });
  for (const std::size_t die : {0, 1, 3})
    CHECK(bench.timing(0, die).done == kOverhead + serialise(64_KiB) + kArrive);
}

TEST_CASE("Fabric: exchanges that complete at one time take the links in order of id") {
  FabricBench bench{"bench", chain(2)};
  run_in_thread([&] {
    bench.load({one_phase(2, {{0, 1, 64_KiB}}), one_phase(2, {{0, 1, 16_KiB}})});
    bench.join_all(1);
    bench.join_all(0);
  });
  CHECK(bench.timing(0, 1).done == kOverhead + serialise(64_KiB) + kArrive);
  CHECK(bench.timing(1, 1).done == kOverhead + serialise(64_KiB + 16_KiB) + kArrive);
}

TEST_CASE("Fabric: link bytes are payload times hops, and what is sent is received") {
  FabricBench bench{"bench", chain(5)};
  RngStream rng{9, "fabric"};
  std::vector<Message> messages;
  Bytes payload{}, on_links{}, wire{};  // a link carries whole flits
  for (int i = 0; i < 300; ++i) {
    const auto s = static_cast<std::int32_t>(rng.below(5));
    const auto d = static_cast<std::int32_t>(rng.below(5));
    const Bytes bytes{static_cast<std::int64_t>(rng.below(100'000))};
    messages.push_back({s, d, bytes});
    payload += bytes;
    on_links += std::abs(s - d) * bytes;
    wire += std::abs(s - d) * div_up(bytes.count(), 64) * 64_B;
  }
  run_in_thread([&] {
    bench.load({one_phase(5, messages)});
    bench.join_all(0);
  });
  CHECK(bench.fabric.sent() == payload);
  CHECK(bench.fabric.received() == payload);
  CHECK(bench.fabric.stats()[0].bytes == on_links);
  CHECK(bench.fabric.stats()[0].busy == serialise(wire));
}

TEST_CASE("Fabric: a buffer below the round trip limits the rate to buffer / (2 x latency)") {
  FabricParams params = chain(2);
  LinkParams& link = params.levels[0].link;
  link.buffer = 1_KiB;
  FabricBench bench{"bench", params};
  const Bytes bytes = 1_MiB;
  run_in_thread([&] {
    bench.load({one_phase(2, {{0, 1, bytes}})});
    bench.join_all(0);
  });
  CHECK(bench.timing(0, 1).done ==
        kOverhead + bytes.count() / link.buffer.count() * (2 * link.latency) + kForward - kRouter);
}

TEST_CASE("Fabric: a blocked message holds the link before it for what no buffer takes") {
  FabricParams params = fabric_of(TopologyKind::Switch, 4);
  params.levels[0].link.buffer = 16_KiB;
  FabricBench small{"small", params};
  params.levels[0].link.buffer = 1_MiB;
  FabricBench large{"large", params};
  // 0 -> 3 and 1 -> 3 share the switch's port to 3. A buffer that takes all of 1 -> 3 leaves 1's
  // link to 1 -> 2 behind it; a small one holds the link while they share.
  const Bytes first = 256_KiB, blocked = 64_KiB, last = 4_KiB;
  run_in_thread([&] {
    for (FabricBench* bench : {&small, &large}) {
      bench->load({one_phase(4, {{0, 3, first}, {1, 3, blocked}, {1, 2, last}})});
      bench->join_all(0);
    }
  });
  const Picoseconds way = 2 * kForward - kRouter;
  for (const FabricBench* bench : {&small, &large})
    CHECK(bench->timing(0, 3).done == kOverhead + serialise(first + blocked) + way);
  CHECK(large.timing(0, 2).done == kOverhead + serialise(blocked + last) + way);
  // Half of the port for what the buffer could not take.
  const Picoseconds held = serialise(blocked - 16_KiB) * 2;
  CHECK(small.timing(0, 2).done >= kOverhead + held + serialise(last) + way);
  CHECK(small.timing(0, 2).done <= kOverhead + serialise(blocked) * 2 + serialise(last) + way);
}

TEST_CASE("Fabric: a participant sends its second phase once it holds the first") {
  FabricBench bench{"bench", fabric_of(TopologyKind::FullyConnected, 3)};
  const Exchange exchange{everyone(3), {{{0, 1, 64_KiB}}, {{1, 2, 16_KiB}, {2, 0, 4_KiB}}}};
  run_in_thread([&] {
    bench.load({exchange});
    bench.join_all(0);
  });
  const Picoseconds first = kOverhead + serialise(64_KiB) + kArrive;
  CHECK(bench.timing(0, 2).done == first + serialise(16_KiB) + kArrive);
  CHECK(bench.timing(0, 2).bound_by_slot == 0);
  CHECK(bench.timing(0, 2).latency == kOverhead + 2 * kArrive);
  // Die 2 was sent nothing in the first phase and does not wait for it.
  CHECK(bench.timing(0, 0).done ==
        max(kOverhead + serialise(64_KiB), kOverhead + serialise(4_KiB) + kArrive));
}

TEST_CASE("Fabric: an uneven all-to-all conserves bytes and ends no sooner than its busiest port") {
  const std::int32_t n = 6;
  FabricBench bench{"bench", fabric_of(TopologyKind::Switch, n)};
  RngStream rng{4, "all to all"};
  std::vector<Message> messages = rounds(n, 0_B);
  std::array<Bytes, 6> sent{}, received{};
  Bytes total{};
  for (Message& m : messages) {
    m.bytes = Bytes{static_cast<std::int64_t>(rng.below(1 << 18))};
    sent[static_cast<std::size_t>(m.source)] += m.bytes;
    received[static_cast<std::size_t>(m.target)] += m.bytes;
    total += m.bytes;
  }
  run_in_thread([&] {
    bench.load({one_phase(n, messages)});
    bench.join_all(0);
  });
  CHECK(bench.fabric.sent() == total);
  CHECK(bench.fabric.received() == total);
  CHECK(bench.fabric.stats()[0].bytes == 2 * total);
  for (std::size_t die = 0; die < 6; ++die) {
    CHECK(bench.timing(0, die).done >= kOverhead + serialise(sent[die]));
    CHECK(bench.timing(0, die).done >= kOverhead + serialise(received[die]) + kArrive);
  }
}

TEST_CASE("Fabric: all pairs through a switch fill every port, whoever joined a little later") {
  const std::int32_t n = 8;
  const Bytes bytes = 1_MiB;
  const Picoseconds skew = 1_ns;
  FabricBench together{"together", fabric_of(TopologyKind::Switch, n)};
  FabricBench skewed{"skewed", fabric_of(TopologyKind::Switch, n)};
  FabricBench crowded{"crowded", fabric_of(TopologyKind::Switch, n)};
  run_in_thread([&] {
    for (FabricBench* bench : {&together, &skewed}) bench->load({one_phase(n, rounds(n, bytes))});
    crowded.load({one_phase(n, all_pairs(n, bytes))});
    together.join_all(0);
    crowded.join_all(0);
    for (std::int32_t slot = 0; slot < n; ++slot) {
      skewed.fabric.join(0, slot);
      if (slot + 1 < n) sc_core::wait(to_sc_time(skew));
    }
  });
  CHECK(together.end(0) == kOverhead + (n - 1) * serialise(bytes) + 2 * kForward - kRouter);
  // Listed target by target, all dies begin with the same one and queue there.
  MESSAGE("all pairs of 8 through a switch: in rounds " << seconds(together.end(0)) * 1e6
                                                        << " us, source by source "
                                                        << seconds(crowded.end(0)) * 1e6 << " us");
  CHECK(crowded.end(0) >= together.end(0));
  // A late die shifts the rounds by its delay, not by a message.
  CHECK(skewed.end(0) <= together.end(0) + n * n * skew);
}

TEST_CASE("Fabric: the message that can begin first takes the link first, whatever the list") {
  FabricBench bench{"bench", fabric_of(TopologyKind::Switch, 3)};
  const Bytes bytes = 64_KiB;
  run_in_thread([&] {
    bench.load({one_phase(3, {{0, 2, bytes}, {1, 2, bytes}})});
    for (const std::int32_t early : {1, 2}) bench.fabric.join(0, early);
    wait_until(100_us);
    bench.fabric.join(0, 0);
  });
  CHECK(bench.timing(0, 2).done == 100_us + kOverhead + serialise(bytes) + 2 * kForward - kRouter);
}

TEST_CASE("Fabric: the last to join bounds everybody in an all-reduce") {
  const std::int32_t n = 4;
  FabricBench bench{"bench", fabric_of(TopologyKind::FullyConnected, n)};
  const Bytes each = 16_KiB;  // total / n
  const Exchange reduce{everyone(n), {all_pairs(n, each), all_pairs(n, each)}};
  const std::int32_t late = 2;
  run_in_thread([&] {
    bench.load({reduce});
    for (const std::int32_t slot : {0, 1, 3}) bench.fabric.join(0, slot);
    wait_until(50_us);
    CHECK_FALSE(bench.told(0, 0));
    CHECK(bench.fabric.pending() == "fabric: exchange 0 waits for 1 of 4 participants\n");
    bench.fabric.join(0, late);
  });
  CHECK(bench.fabric.pending().empty());
  for (std::size_t die = 0; die < 4; ++die) {
    CHECK(bench.timing(0, die).done == 50_us + kOverhead + 2 * (serialise(each) + kArrive));
    CHECK(bench.timing(0, die).bound_by_slot == late);
    CHECK(bench.timing(0, die).bound_joined == 50_us);
  }
}

TEST_CASE("Fabric: reduce-scatter and all-gather on a full mesh take their closed form") {
  const std::int32_t n = 8;
  FabricBench bench{"bench", fabric_of(TopologyKind::FullyConnected, n)};
  const Bytes total = 1_MiB;
  const Bytes share{total.count() / n};
  const Exchange reduce{everyone(n), {all_pairs(n, share), all_pairs(n, share)}};
  run_in_thread([&] {
    bench.load({reduce});
    bench.join_all(0);
  });
  for (std::size_t die = 0; die < 8; ++die) {
    CHECK(bench.timing(0, die).done == kOverhead + 2 * (serialise(share) + kArrive));
    CHECK(bench.timing(0, die).latency == kOverhead + 2 * kArrive);
  }
  CHECK(bench.fabric.sent() == 2 * (n - 1) * total);
}

TEST_CASE("Fabric: a message of 64 GiB on a slow link keeps its time") {
  FabricParams params = chain(2);
  params.levels[0].link.rate = 1_GBps;
  FabricBench bench{"bench", params};
  const Bytes bytes = 64 * 1024_MiB;
  run_in_thread([&] {
    bench.load({one_phase(2, {{0, 1, bytes}})});
    bench.join_all(0);
  });
  CHECK(bench.timing(0, 1).done == kOverhead + transfer_time(bytes, 1_GBps) + kArrive);
}

TEST_CASE("Fabric: a message to oneself and an empty exchange take only the overhead") {
  FabricBench bench{"bench", chain(2)};
  run_in_thread([&] {
    bench.load({one_phase(2, {{0, 0, 64_KiB}}), one_phase(2, {})});
    bench.join_all(0);
    bench.join_all(1);
  });
  CHECK(bench.end(0) == kOverhead);
  CHECK(bench.end(1) == kOverhead);
}

}  // namespace
}  // namespace reticle
