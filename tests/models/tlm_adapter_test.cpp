// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "models/memory/memory_run_extension.hpp"
#include "models/memory/tlm_initiator.hpp"
#include "models/memory/tlm_target.hpp"
#include "sim/base/error.hpp"
#include "tests/models/memory_conformance.hpp"
#include "tests/models/memory_subjects.hpp"
#include "tests/models/sim_fixture.hpp"

namespace reticle {
namespace {

using subjects::fresh;

/// A foreign target that does what a test says.
struct ForeignTarget : sc_core::sc_module {
  tlm_utils::simple_target_socket<ForeignTarget> socket{"socket"};
  std::function<void(tlm::tlm_generic_payload&, sc_core::sc_time&)> serve;

  explicit ForeignTarget(const sc_core::sc_module_name& name) : sc_module{name} {
    socket.register_b_transport(this, &ForeignTarget::b_transport);
  }
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    serve(payload, delay);
  }
};

/// A foreign initiator: payloads by hand.
struct ForeignInitiator : sc_core::sc_module {
  tlm_utils::simple_initiator_socket<ForeignInitiator> socket{"socket"};
  explicit ForeignInitiator(const sc_core::sc_module_name& name) : sc_module{name} {}
};

template <class Memory, class Params>
void round_trip(const Params& params) {
  Memory direct{"direct", params};
  Memory behind{"behind", params};
  TlmTarget target{"target"};
  TlmInitiator initiator{"initiator", {.capacity = 1_GB, .whole_runs = true}};
  target.memory.bind(behind);
  initiator.socket.bind(target.socket);
  std::size_t done = 0;
  run_in_thread([&] {
    RngStream rng{9, "round trip"};
    Picoseconds at{};
    for (const MemoryRun& run : conformance::random_runs(1000)) {
      // Requests lie ahead of simulated time, at it and behind it, as a sequencer's do.
      if (rng.below(8) == 0) wait_until(at + 50_ns);
      const AccessTiming a = direct.access(run, at);
      const AccessTiming b = initiator.access(run, at);
      CHECK(a.accepted == b.accepted);
      CHECK(a.started == b.started);
      CHECK(a.first_data == b.first_data);
      CHECK(a.done == b.done);
      at += Picoseconds{static_cast<std::int64_t>(rng.below(400'000))};
      ++done;
    }
  });
  CHECK(done == 1000);
}

TEST_CASE("TLM: SRAM gives the same times through both adapters") {
  round_trip<SramBankGroup>(kSram);
}
TEST_CASE("TLM: SRAM cycle by cycle gives the same times through both adapters") {
  round_trip<CycleSram>(kSram);
}
TEST_CASE("TLM: HBM gives the same times through both adapters") {
  round_trip<HbmMemory>(hbm3(RefreshMode::AllBank));
}
TEST_CASE("TLM: a linked memory gives the same times through both adapters") {
  round_trip<LinkedMemory>(far_memory());
}

TEST_CASE("TlmTarget: a plain payload is one run, its delay the request's time and the answer's") {
  SramBankGroup direct{"direct", kSram};
  SramBankGroup behind{"behind", kSram};
  TlmTarget target{"target"};
  ForeignInitiator initiator{"initiator"};
  target.memory.bind(behind);
  initiator.socket.bind(target.socket);
  run_in_thread([&] {
    wait_until(3_ns);
    std::vector<unsigned char> data(1000);
    tlm::tlm_generic_payload payload;
    payload.set_command(tlm::TLM_WRITE_COMMAND);
    payload.set_address(100);
    payload.set_data_ptr(data.data());
    payload.set_data_length(1000);
    payload.set_streaming_width(1000);
    payload.set_dmi_allowed(true);
    sc_core::sc_time delay = to_sc_time(5_ns);
    initiator.socket->b_transport(payload, delay);
    CHECK(payload.is_response_ok());
    CHECK_FALSE(payload.is_dmi_allowed());
    const AccessTiming expected = direct.access({Access::Write, 100_B, 1000_B, 0_B}, 8_ns);
    CHECK(now() + Picoseconds{static_cast<std::int64_t>(delay.value())} == expected.done);
    CHECK(behind.stats().written == 1000_B);
  });
}

TEST_CASE("TlmTarget: what it does not model is refused in TLM's words") {
  SramBankGroup behind{"behind", kSram};
  TlmTarget target{"target"};
  ForeignInitiator initiator{"initiator"};
  target.memory.bind(behind);
  initiator.socket.bind(target.socket);
  run_in_thread([&] {
    unsigned char data[64] = {};
    const auto response = [&](tlm::tlm_command command, sc_dt::uint64 address, unsigned streaming,
                              bool enables) {
      tlm::tlm_generic_payload payload;
      payload.set_command(command);
      payload.set_address(address);
      payload.set_data_ptr(data);
      payload.set_data_length(64);
      payload.set_streaming_width(streaming);
      if (enables) payload.set_byte_enable_ptr(data);
      sc_core::sc_time delay;
      initiator.socket->b_transport(payload, delay);
      CHECK(delay == sc_core::SC_ZERO_TIME);
      return payload.get_response_status();
    };
    const auto end = static_cast<sc_dt::uint64>(kSram.capacity.count());
    CHECK(response(tlm::TLM_IGNORE_COMMAND, 0, 64, false) == tlm::TLM_COMMAND_ERROR_RESPONSE);
    CHECK(response(tlm::TLM_READ_COMMAND, end - 63, 64, false) == tlm::TLM_ADDRESS_ERROR_RESPONSE);
    CHECK(response(tlm::TLM_READ_COMMAND, ~sc_dt::uint64{0}, 64, false) ==
          tlm::TLM_ADDRESS_ERROR_RESPONSE);
    CHECK(response(tlm::TLM_READ_COMMAND, 0, 32, false) == tlm::TLM_BURST_ERROR_RESPONSE);
    CHECK(response(tlm::TLM_READ_COMMAND, 0, 64, true) == tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    CHECK(behind.stats().transactions == 0);
  });
}

struct Seen {
  sc_dt::uint64 address;
  unsigned length;
  Picoseconds at;
  friend bool operator==(const Seen&, const Seen&) = default;
};

TEST_CASE("TlmInitiator: a run becomes payloads of a chunk, as many under way as stated") {
  {
    ForeignTarget target{"target"};
    TlmInitiator dut{"dut", {.capacity = 1_GB, .chunk = 100_B, .outstanding = 2}};
    dut.socket.bind(target.socket);
    std::vector<Seen> seen;
    target.serve = [&](tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
      CHECK_FALSE(payload.is_dmi_allowed());
      seen.push_back({payload.get_address(), payload.get_data_length(),
                      now() + Picoseconds{static_cast<std::int64_t>(delay.value())}});
      delay += to_sc_time(40_ns);
    };
    run_in_thread([&] {
      const AccessTiming t = dut.access({Access::Read, 1000_B, 350_B, 0_B}, 10_ns);
      CHECK(seen ==
            std::vector<Seen>{
                {1000, 100, 10_ns}, {1100, 100, 10_ns}, {1200, 100, 50_ns}, {1300, 50, 50_ns}});
      CHECK(t.started == 10_ns);
      CHECK(t.first_data == 50_ns);
      CHECK(t.done == 90_ns);
      seen.clear();
      // Pieces are payloads of their own; the next run waits for a place.
      dut.access({Access::Write, 0_B, 250_B, 150_B}, 10_ns);
      CHECK(seen == std::vector<Seen>{{0, 100, 90_ns}, {100, 50, 90_ns}, {150, 100, 130_ns}});
    });
  }
}

TEST_CASE("TlmInitiator: a target that waits moves simulated time") {
  ForeignTarget target{"target"};
  TlmInitiator dut{"dut", {.capacity = 1_GB, .chunk = 64_B}};
  dut.socket.bind(target.socket);
  target.serve = [&](tlm::tlm_generic_payload&, sc_core::sc_time& delay) {
    sc_core::wait(delay + to_sc_time(40_ns));
    delay = sc_core::SC_ZERO_TIME;
  };
  run_in_thread([&] {
    CHECK(dut.access({Access::Read, 0_B, 128_B, 0_B}, 5_ns).done == 85_ns);
    CHECK(now() == 85_ns);
    // A request that lies behind sets out now.
    CHECK(dut.access({Access::Read, 0_B, 64_B, 0_B}, 20_ns).done == 125_ns);
  });
}

std::string error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const SimulationError& error) {
    return error.what();
  }
  return "no error";
}

TEST_CASE("TlmInitiator: an error response is a named error") {
  ForeignTarget target{"target"};
  TlmInitiator dut{"dut", {.capacity = 1_GB, .chunk = 64_B}};
  dut.socket.bind(target.socket);
  target.serve = [&](tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
    if (payload.get_address() == 64) payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
  };
  run_in_thread([&] {
    CHECK(error_of([&] {
            dut.access({Access::Read, 0_B, 200_B, 0_B}, 0_ps);
          }) == "dut: TLM_ADDRESS_ERROR_RESPONSE for 64 bytes at address 64");
  });
}

TEST_CASE("TlmInitiator: whole runs need a target that knows them") {
  ForeignTarget target{"target"};
  TlmInitiator dut{"dut", {.capacity = 1_GB, .whole_runs = true}};
  dut.socket.bind(target.socket);
  target.serve = [](tlm::tlm_generic_payload&, sc_core::sc_time&) {};
  run_in_thread([&] {
    CHECK(error_of([&] {
            dut.access({Access::Read, 0_B, 200_B, 0_B}, 0_ps);
          }) == "dut: the target does not know MemoryRunExtension; send plain payloads");
  });
}

TEST_CASE("TlmInitiator: a delay on the way is part of the answer") {
  SramBankGroup behind{"behind", kSram};
  TlmTarget target{"target"};
  ForeignTarget bus{"bus"};
  ForeignInitiator onward{"onward"};
  TlmInitiator dut{"dut", {.capacity = 1_GB, .whole_runs = true}};
  target.memory.bind(behind);
  onward.socket.bind(target.socket);
  dut.socket.bind(bus.socket);
  bus.serve = [&](tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    onward.socket->b_transport(payload, delay);
    delay += to_sc_time(7_ns);
  };
  SramBankGroup direct{"direct", kSram};
  run_in_thread([&] {
    const MemoryRun run{Access::Read, 0_B, 4_KiB, 0_B};
    CHECK(dut.access(run, 0_ps).done == direct.access(run, 0_ps).done + 7_ns);
  });
}

}  // namespace
}  // namespace reticle
