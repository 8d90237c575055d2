// SPDX-License-Identifier: Apache-2.0
// What a machine could have more of: the parts of a run's time that hang on it, and the values that
// give it twice as much.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/program/program.hpp"
#include "sim/config/run_spec.hpp"

namespace reticle {

enum class Resource : std::uint8_t {
  SramBandwidth,
  HbmBandwidth,
  FarBandwidth,
  Mac,
  Vector,
  Links,
  Latency,
  Launch,
  HbmCapacity,
  SramCapacity,
  Clock,
};
inline constexpr std::size_t kResourceCount = 11;

struct ResourceFact {
  Resource resource;
  std::string_view key;    ///< in JSON
  std::string_view title;  ///< for people
  std::string_view twice;  ///< what is changed
};
const ResourceFact& fact_of(Resource resource);

/// One change to a run.
struct Lever {
  Resource resource{};
  std::vector<std::string> sets;  ///< key=value, for `run --resolved FILE --set`
};

/// What can be doubled (of times: halved) in this run; resources the platform lacks are left out.
/// Twice the bandwidth of a memory is twice its banks or channels, twice the links' is their rate
/// and the buffers that go with it, as a buffer limits the rate over a round trip.
std::vector<Lever> levers(const RunSpec& spec);

/// The resource that time of a category hangs on. `kv`: where keys and values are read from. Idle
/// time hangs on none; there is none for it.
std::vector<TimeCategory> categories_of(Resource resource, Tier kv);

}  // namespace reticle
