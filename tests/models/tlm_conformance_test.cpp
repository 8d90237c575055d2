// SPDX-License-Identifier: Apache-2.0
// The contract of MemoryIf holds through the TLM-2.0 adapters: MemoryIf -> socket -> MemoryIf, for
// every memory, with whole runs and with plain payloads.
#include <doctest/doctest.h>

#include <deque>
#include <memory>

#include "models/memory/tlm_initiator.hpp"
#include "models/memory/tlm_target.hpp"
#include "tests/models/memory_conformance.hpp"
#include "tests/models/memory_subjects.hpp"
#include "tests/models/sim_fixture.hpp"

namespace reticle {
namespace subjects {

/// One of our memories behind a socket.
template <class Subject, bool kWholeRuns>
struct Bridged {
  decltype(Subject::make()) memory = Subject::make();
  TlmTarget target{sc_core::sc_gen_unique_name("target")};
  TlmInitiator initiator{
      sc_core::sc_gen_unique_name("initiator"),
      {.capacity = 1_GB, .whole_runs = kWholeRuns, .chunk = 64_KiB, .outstanding = 1}};
  Bridged() {
    target.memory.bind(*memory);
    initiator.socket.bind(target.socket);
  }
};

/// Sockets can be used when elaboration is over and nothing can be built then: a stock of memories
/// is built before.
template <class Subject, bool kWholeRuns>
struct TlmSubject : Subject {
  using Item = Bridged<Subject, kWholeRuns>;
  static std::deque<std::unique_ptr<Item>>& stock() {
    static std::deque<std::unique_ptr<Item>> items;
    return items;
  }
  static TlmInitiator* make() {
    auto& items = stock();
    REQUIRE_MESSAGE(used() < items.size(), "stock of memories");
    return &items[used()++]->initiator;
  }
  static std::size_t& used() {
    static std::size_t count = 0;
    return count;
  }
};

template <class Subject>
using Whole = TlmSubject<Subject, true>;
template <class Subject>
using Plain = TlmSubject<Subject, false>;

}  // namespace subjects

namespace {
using namespace subjects;

template <class Subject>
void conforms() {
  for (int i = 0; i < 1100; ++i)
    Subject::stock().push_back(std::make_unique<typename Subject::Item>());
  bool finished = false;
  run_in_thread([&] {
    conformance::times_are_in_order<Subject>();
    conformance::zero_bytes_take_no_time<Subject>();
    conformance::bytes_are_counted_as_asked<Subject>();
    conformance::never_beats_its_peak<Subject>();
    conformance::more_bytes_never_finish_earlier<Subject>();
    conformance::calls_are_served_in_order<Subject>();
    conformance::a_later_request_never_ends_earlier<Subject>();
    conformance::pieces_are_never_faster_than_one_run<Subject>();
    finished = true;
  });
  CHECK(finished);
}

TEST_CASE("TLM: SRAM conforms as whole runs") { conforms<Whole<SramSubject>>(); }
TEST_CASE("TLM: SRAM conforms as plain payloads") { conforms<Plain<SramSubject>>(); }
TEST_CASE("TLM: SRAM cycle by cycle conforms as whole runs") {
  conforms<Whole<CycleSramSubject>>();
}
TEST_CASE("TLM: SRAM cycle by cycle conforms as plain payloads") {
  conforms<Plain<CycleSramSubject>>();
}
TEST_CASE("TLM: an HBM channel conforms as whole runs") { conforms<Whole<HbmChannelSubject>>(); }
TEST_CASE("TLM: an HBM channel conforms as plain payloads") {
  conforms<Plain<HbmChannelSubject>>();
}
TEST_CASE("TLM: HBM in lockstep conforms as whole runs") { conforms<Whole<HbmLockstepSubject>>(); }
TEST_CASE("TLM: HBM in lockstep conforms as plain payloads") {
  conforms<Plain<HbmLockstepSubject>>();
}
TEST_CASE("TLM: a linked memory conforms as whole runs") { conforms<Whole<LinkedSubject>>(); }
TEST_CASE("TLM: flash conforms as whole runs") { conforms<Whole<FlashSubject>>(); }
TEST_CASE("TLM: flash conforms as plain payloads") { conforms<Plain<FlashSubject>>(); }
TEST_CASE("TLM: a linked memory conforms as plain payloads") { conforms<Plain<LinkedSubject>>(); }

}  // namespace
}  // namespace reticle
