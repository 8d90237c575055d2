// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/vcd.hpp"

#include <doctest/doctest.h>

#include <sstream>

using namespace reticle;

TEST_CASE("vcd: changes come out in the order of time, each once, the last of a time counts") {
  VcdDump dump;
  const auto busy = dump.add("top.die0.mac", "busy", 1);
  const auto left = dump.add("top.die0.mac", "left", 8);
  const auto name = dump.add("top", "operator", 24);
  dump.change(left, Picoseconds{30}, std::uint64_t{2});
  dump.change(busy, Picoseconds{20}, std::uint64_t{1});
  dump.change(busy, Picoseconds{30}, std::uint64_t{1});  // no change
  dump.change(left, Picoseconds{20}, std::uint64_t{5});
  dump.change(left, Picoseconds{20}, std::uint64_t{3});
  dump.change(name, Picoseconds{40}, "abcd");  // cut to three letters
  std::ostringstream out;
  dump.write(out, "a test");
  CHECK(out.str() == R"($version reticle $end
$comment a test $end
$timescale 1 ps $end
$scope module top $end
$var wire 24 # operator [23:0] $end
$scope module die0 $end
$scope module mac $end
$var wire 1 ! busy $end
$var wire 8 " left [7:0] $end
$upscope $end
$upscope $end
$upscope $end
$enddefinitions $end
#20
$dumpvars
0!
b0 "
b0 #
$end
#20
1!
b11 "
#30
b10 "
#40
b011000010110001001100011 #
)");
}
