// SPDX-License-Identifier: Apache-2.0
// How closely the two forms of the SRAM agree: several requesters ask at random, both forms get the
// same runs at the same times. `ctest -R "SRAM forms" -V` prints the table of docs/models/sram.md.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "models/sram/cycle_sram.hpp"
#include "models/sram/sram_bank_group.hpp"
#include "sim/base/rng.hpp"
#include "tests/models/quantity_text.hpp"
#include "tests/models/test_params.hpp"

namespace reticle {
namespace {

struct Asked {
  MemoryRun run;
  Picoseconds at;
};

/// What a mix asks for: how many requesters, how large their runs, how often.
struct Mix {
  const char* name;
  SramParams params;
  std::uint8_t requesters;
  std::int64_t largest;  ///< bytes of a run, uniform up to here
  std::int64_t piece;    ///< of every third run; 0 = none
  double load;           ///< of the peak of one port a bank
};

SramParams shaped(std::int64_t ports, std::int64_t crossbar_words, std::int64_t stripe_words = 1) {
  SramParams p = kSram;
  p.banks = 16;
  p.ports = ports;
  p.crossbar = crossbar_words * p.width;
  p.interleave = stripe_words * p.width;
  return p;
}

std::vector<Asked> random_asked(const Mix& mix, std::uint64_t seed) {
  RngStream rng{seed, "sram mix"};
  std::vector<Asked> asked;
  const double bytes_per_ps =
      static_cast<double>(mix.params.banks * mix.params.width.count()) / 1000.0 * mix.load;
  double at = 0;
  for (int i = 0; i < 400; ++i) {
    MemoryRun run;
    run.requester = static_cast<std::uint8_t>(rng.below(mix.requesters));
    run.kind = run.requester == mix.requesters - 1 ? Access::Write : Access::Read;
    run.address = Bytes{static_cast<std::int64_t>(rng.below(1 << 19))};
    run.bytes =
        Bytes{static_cast<std::int64_t>(1 + rng.below(static_cast<std::uint64_t>(mix.largest)))};
    if (rng.below(3) == 0) run.piece = Bytes{mix.piece};
    asked.push_back({run, Picoseconds{static_cast<std::int64_t>(at) / 1000 * 1000}});
    at += rng.exponential(static_cast<double>(mix.largest) / 2 / bytes_per_ps);
  }
  return asked;
}

struct Agreement {
  double makespan = 0;           ///< transaction form over cycle form, less one
  double mean = 0;               ///< of mean latencies
  double least = 1e9, most = 0;  ///< latency of a run, transaction over cycle
  Picoseconds busy_transaction, busy_cycle;
};

Agreement compare(const Mix& mix, std::uint64_t seed) {
  SramBankGroup transaction{sc_core::sc_gen_unique_name("t"), mix.params};
  CycleSram cycle{sc_core::sc_gen_unique_name("c"), mix.params};
  const auto asked = random_asked(mix, seed);
  std::vector<CycleSram::Ticket> tickets;
  for (const auto& a : asked) tickets.push_back(cycle.submit(a.run, a.at));
  double sum_t = 0, sum_c = 0;
  Picoseconds end_t{}, end_c{};
  Agreement result;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const Picoseconds t = transaction.access(asked[i].run, asked[i].at).done;
    const Picoseconds c = cycle.resolve(tickets[i]).done;
    const double latency_t = seconds(t - asked[i].at);
    const double latency_c = seconds(c - asked[i].at);
    sum_t += latency_t, sum_c += latency_c;
    result.least = std::min(result.least, latency_t / latency_c);
    result.most = std::max(result.most, latency_t / latency_c);
    end_t = max(end_t, t), end_c = max(end_c, c);
  }
  result.makespan = seconds(end_t) / seconds(end_c) - 1;
  result.mean = sum_t / sum_c - 1;
  result.busy_transaction = transaction.stats().busy;
  result.busy_cycle = cycle.stats().busy;
  return result;
}

const std::vector<Mix> kMixes{
    {"one requester", shaped(1, 0), 1, 8000, 0, 0.7},
    {"three, load 0.3", shaped(1, 0), 3, 8000, 256, 0.3},
    {"three, load 0.7", shaped(1, 0), 3, 8000, 256, 0.7},
    {"three, load 1.2", shaped(1, 0), 3, 8000, 256, 1.2},
    {"eight, short runs, load 0.7", shaped(1, 0), 8, 500, 64, 0.7},
    {"three, stripes of 8 words", shaped(1, 0, 8), 3, 8000, 256, 0.7},
    {"three, two ports, load 1.2", shaped(2, 0), 3, 8000, 256, 1.2},
    {"three, crossbar of 8 words", shaped(1, 8), 3, 8000, 256, 0.7},
    {"three, crossbar of 4 words", shaped(1, 4), 3, 8000, 256, 0.7},
    {"eight, crossbar of 2 words", shaped(1, 2), 8, 8000, 256, 0.7},
};

TEST_CASE("SRAM forms: agreement on random mixes of requesters") {
  std::printf("%-30s %9s %9s %9s %9s\n", "mix", "makespan", "mean", "least", "most");
  for (const Mix& mix : kMixes) {
    Agreement worst;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const Agreement a = compare(mix, seed);
      CAPTURE(mix.name);
      CAPTURE(seed);
      CHECK(a.busy_transaction == a.busy_cycle);  // the same words move
      CHECK(std::abs(a.makespan) < 0.02);
      CHECK(a.mean > -0.20);
      CHECK(a.mean < 0.01);
      if (mix.requesters == 1) CHECK((a.least == 1 && a.most == 1));
      if (std::abs(a.makespan) > std::abs(worst.makespan)) worst.makespan = a.makespan;
      if (std::abs(a.mean) > std::abs(worst.mean)) worst.mean = a.mean;
      worst.least = std::min(worst.least, a.least), worst.most = std::max(worst.most, a.most);
    }
    std::printf("%-30s %+8.2f%% %+8.2f%% %9.2f %9.2f\n", mix.name, 100 * worst.makespan,
                100 * worst.mean, worst.least, worst.most);
  }
}

}  // namespace
}  // namespace reticle
