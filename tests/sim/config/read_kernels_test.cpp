// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_kernels.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "sim/config/catalogue.hpp"
#include "sim/config/read_run.hpp"
#include "tests/sim/config/config_fixture.hpp"

namespace reticle {
namespace {
using namespace literals;
using test::message_of;

std::string refusal(const std::string& platform, const std::string& assignment) {
  return message_of([&] { (void)read_platform(platform, {"platform.die." + assignment}); });
}
}  // namespace

TEST_CASE(
    "read_kernels: a die has what the table of its generation says, and its own before that") {
  const PlatformSpec own =
      read_platform("h100-8", {"platform.die.kernels.begin.product=7 us",
                               "platform.die.kernels.sustained.dense.bf16=0.5",
                               "platform.die.kernels.collective.bulk.wire=1.25"});
  const PlatformSpec shipped = read_platform("h100-8");
  REQUIRE(own.die.kernels);
  CHECK(own.die.kernels->standard == "hopper");
  CHECK(begin_of(*own.die.kernels, KernelKind::Product) == 7_us);
  CHECK(begin_of(*own.die.kernels, KernelKind::Small) ==
        begin_of(*shipped.die.kernels, KernelKind::Small));
  CHECK(own.die.mac.sustained_permille[static_cast<std::size_t>(MacUse::Dense)]
                                      [static_cast<std::size_t>(Precision::Bf16)] == 500);
  CHECK(own.die.kernels->collective.bulk.wire_permille == 1250);
}

TEST_CASE("read_kernels: machines without the section are ideal") {
  const PlatformSpec ideal = read_platform("ref-asic");
  CHECK_FALSE(ideal.die.kernels);
  CHECK(crossbar_rate(ideal.die).count() == 0);
  for (const auto& use : ideal.die.mac.sustained_permille)
    for (const std::int64_t share : use) CHECK(share == 0);
}

TEST_CASE("read_kernels: what cannot be, or can have no effect, is refused where it stands") {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"kernels.crossbar_share=0", "must be between 0.001 and 1"},
      {"kernels.crossbar_share=1.5", "must be between 0.001 and 1"},
      {"kernels.crossbar_share=nan", "expected a number"},
      {"kernels.begin.product=-1 us", "begin.product"},
      {"kernels.begin.product=11 ms", "must be between 0"},
      {"kernels.operand_passes=1e30", "must be between 0 and 1000"},
      {"kernels.collective.bulk.wire=0.5", "must be between 1 and 100"},
      {"kernels.sustained.dense.int2=0.5", "int2"},
      {"kernels.begin.produkt=1 us", "unknown key"},
      {"kernels.standard=hoper", "did you mean hopper?"},
      {"sequencer.launch_gap=1 us", "expected launch_gap=0"},
      {"sequencer.static_prefetch=true", "expected static_prefetch=false"}};
  for (const auto& [assignment, part] : cases) {
    CAPTURE(assignment);
    const std::string message = refusal("h100-8", assignment);
    CHECK(message.find(part) != std::string::npos);
  }
}

TEST_CASE("read_kernels: every shipped table is a valid file of its own") {
  for (const std::string& name : catalogue_names(CatalogueKind::Kernels))
    CHECK(check_file((catalogue_root() / "configs/kernels" / (name + ".yaml")).string()) ==
          "kernels");
}

}  // namespace reticle
