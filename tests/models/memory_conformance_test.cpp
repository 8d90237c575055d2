// SPDX-License-Identifier: Apache-2.0
#include "tests/models/memory_conformance.hpp"

#include <doctest/doctest.h>

#include "tests/models/memory_subjects.hpp"

TYPE_TO_STRING_AS("SRAM", reticle::subjects::SramSubject);
TYPE_TO_STRING_AS("SRAM cycle by cycle", reticle::subjects::CycleSramSubject);
TYPE_TO_STRING_AS("HBM channel", reticle::subjects::HbmChannelSubject);
TYPE_TO_STRING_AS("HBM channel without refresh", reticle::subjects::HbmChannelNoRefreshSubject);
TYPE_TO_STRING_AS("HBM channel by command", reticle::subjects::HbmCycleChannelSubject);
TYPE_TO_STRING_AS("HBM channel, short runs by command",
                  reticle::subjects::HbmContendedChannelSubject);
TYPE_TO_STRING_AS("HBM in lockstep", reticle::subjects::HbmLockstepSubject);
TYPE_TO_STRING_AS("HBM channel by channel", reticle::subjects::HbmEachChannelSubject);
TYPE_TO_STRING_AS("linked memory", reticle::subjects::LinkedSubject);
TYPE_TO_STRING_AS("DDR5", reticle::subjects::Ddr5Subject);
TYPE_TO_STRING_AS("flash", reticle::subjects::FlashSubject);

namespace reticle {
namespace {

using namespace subjects;

#define RETICLE_EVERY_MEMORY                                                    \
  SramSubject, CycleSramSubject, HbmChannelSubject, HbmChannelNoRefreshSubject, \
      HbmCycleChannelSubject, HbmContendedChannelSubject, HbmLockstepSubject,   \
      HbmEachChannelSubject, LinkedSubject, Ddr5Subject, FlashSubject

TEST_CASE_TEMPLATE("Memory: accepted, started, first data and done follow in order", Subject,
                   RETICLE_EVERY_MEMORY) {
  conformance::times_are_in_order<Subject>();
}
TEST_CASE_TEMPLATE("Memory: zero bytes take no time and count nothing", Subject,
                   RETICLE_EVERY_MEMORY) {
  conformance::zero_bytes_take_no_time<Subject>();
}
TEST_CASE_TEMPLATE("Memory: bytes are counted once and as asked", Subject, RETICLE_EVERY_MEMORY) {
  conformance::bytes_are_counted_as_asked<Subject>();
}
TEST_CASE_TEMPLATE("Memory: nothing is faster than peak bandwidth", Subject, RETICLE_EVERY_MEMORY) {
  conformance::never_beats_its_peak<Subject>();
}
TEST_CASE_TEMPLATE("Memory: more bytes never finish earlier", Subject, RETICLE_EVERY_MEMORY) {
  conformance::more_bytes_never_finish_earlier<Subject>();
}
TEST_CASE_TEMPLATE("Memory: calls are served in call order", Subject, RETICLE_EVERY_MEMORY) {
  conformance::calls_are_served_in_order<Subject>();
}
TEST_CASE_TEMPLATE("Memory: a later request never ends earlier", Subject, RETICLE_EVERY_MEMORY) {
  conformance::a_later_request_never_ends_earlier<Subject>();
}
TEST_CASE_TEMPLATE("Memory: pieces are never faster than one contiguous run", Subject,
                   RETICLE_EVERY_MEMORY) {
  conformance::pieces_are_never_faster_than_one_run<Subject>();
}

}  // namespace
}  // namespace reticle
