// SPDX-License-Identifier: Apache-2.0
#include "sim/explain/resources.hpp"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "sim/config/value_text.hpp"

namespace reticle {

namespace {
constexpr std::array<ResourceFact, kResourceCount> kFacts{{
    {Resource::SramBandwidth, "sram_bandwidth", "SRAM bandwidth", "twice the banks"},
    {Resource::HbmBandwidth, "hbm_bandwidth", "HBM bandwidth",
     "twice the channels of a stack; a GPU's crossbar, stated as a share of them, with it"},
    {Resource::FarBandwidth, "far_bandwidth", "far-tier bandwidth",
     "twice the channels and link rate"},
    {Resource::Mac, "mac", "matrix arithmetic", "twice the arrays"},
    {Resource::Vector, "vector", "vector arithmetic", "twice the lanes"},
    {Resource::Links, "links", "link bandwidth", "twice the rate, and the buffers for it"},
    {Resource::Latency, "latency", "fabric latency", "half of wires, routers and start-up times"},
    {Resource::Launch, "launch", "launches and host",
     "half of every launch and of the host's time"},
    {Resource::HbmCapacity, "hbm_capacity", "HBM capacity", "twice the bytes, same bandwidth"},
    {Resource::SramCapacity, "sram_capacity", "SRAM capacity", "twice the bytes, same bandwidth"},
    {Resource::Clock, "clock", "clock of the die", "twice the clock of arrays, lanes and SRAM"},
}};

static_assert([] {
  for (std::size_t i = 0; i < kFacts.size(); ++i)
    if (static_cast<std::size_t>(kFacts[i].resource) != i) return false;
  return true;
}());

/// Writes what a key would be, from what it is in the resolved run.
class Changes {
 public:
  explicit Changes(const RunSpec& spec) : spec_{spec} {}

  /// Nothing where the run has no such key.
  template <class T>
  void twice(const std::string& path) {
    change<T>(path, [](std::int64_t n) { return 2 * n; });
  }
  void half(const std::string& path) {
    change<Picoseconds>(path, [](std::int64_t ps) { return ps / 2; });
  }
  /// Every time below `prefix`.
  void half_of_all(const std::string& prefix) {
    for (const ResolvedValue& v : spec_.resolved)
      if (v.path.starts_with(prefix)) half(v.path);
  }
  [[nodiscard]] std::vector<std::string> take() { return std::move(sets_); }

 private:
  template <class T, class F>
  void change(const std::string& path, F f) {
    const auto found = std::ranges::find(spec_.resolved, path, &ResolvedValue::path);
    if (found == spec_.resolved.end()) return;
    const auto value = ValueText<T>::parse(found->value).value;
    if (!value) return;  // "none", a word: nothing to change
    if constexpr (std::is_same_v<T, std::int64_t>) {
      if (*value != 0) sets_.push_back(path + "=" + ValueText<T>::format(f(*value)));
    } else {
      if (value->count() != 0)
        sets_.push_back(path + "=" + ValueText<T>::format(T{f(value->count())}));
    }
  }

  const RunSpec& spec_;
  std::vector<std::string> sets_;
};

void change(Resource resource, const RunSpec& spec, Changes& c) {
  const std::string die = "platform.die.", fabric = "platform.fabric.";
  const auto each_level = [&](auto f) {
    for (const FabricLevel& level : spec.platform.fabric.levels) f(fabric + level.name + ".");
  };
  switch (resource) {
    case Resource::SramBandwidth:
      c.twice<std::int64_t>(die + "sram.banks");
      c.twice<Bytes>(die + "sram.crossbar");
      return;
    case Resource::HbmBandwidth:
      return c.twice<std::int64_t>(die + "hbm.pseudo_channels");
    case Resource::FarBandwidth:
      c.twice<std::int64_t>(die + "far.device.channels");
      return c.twice<BytesPerSecond>(die + "far.link.rate");
    case Resource::Mac:
      return c.twice<std::int64_t>(die + "mac.arrays");
    case Resource::Vector:
      return c.twice<std::int64_t>(die + "vector.lanes");
    case Resource::Links:
      return each_level([&](const std::string& level) {
        c.twice<BytesPerSecond>(level + "rate");
        c.twice<Bytes>(level + "buffer");
      });
    case Resource::Latency:
      each_level([&](const std::string& level) {
        c.half(level + "latency");
        c.half(level + "router_latency");
      });
      c.half(fabric + "exchange_overhead");
      return c.half_of_all(die + "kernels.collective.");
    case Resource::Launch:
      c.half(die + "sequencer.launch_gap");
      c.half(die + "sequencer.step_overhead");
      for (const char* key : {"begin.", "quantise.", "walk."})
        c.half_of_all(die + "kernels." + key);
      for (const char* key : {"per_tensor", "block_experts", "host"})
        c.half(die + "kernels." + key);
      c.half("serving.layer_overhead");
      return c.half("serving.stream_overhead");
    case Resource::HbmCapacity:
      return c.twice<Bytes>(die + "hbm.capacity_per_stack");
    case Resource::SramCapacity:
      return c.twice<Bytes>(die + "sram.capacity");
    case Resource::Clock:
      for (const char* unit : {"mac", "vector", "sram"}) c.twice<Hertz>(die + unit + ".clock");
      return;
  }
}
}  // namespace

const ResourceFact& fact_of(Resource resource) {
  return kFacts[static_cast<std::size_t>(resource)];
}

std::vector<Lever> levers(const RunSpec& spec) {
  std::vector<Lever> all;
  for (const ResourceFact& fact : kFacts) {
    Changes changes{spec};
    change(fact.resource, spec, changes);
    if (auto sets = changes.take(); !sets.empty()) all.push_back({fact.resource, std::move(sets)});
  }
  return all;
}

std::vector<TimeCategory> categories_of(Resource resource, Tier kv) {
  std::vector<TimeCategory> all;
  switch (resource) {
    case Resource::SramBandwidth:
      all = {TimeCategory::WeightsSram};
      if (kv == Tier::Sram) all.push_back(TimeCategory::Kv);
      break;
    case Resource::HbmBandwidth:
      all = {TimeCategory::WeightsHbm};
      if (kv == Tier::Hbm) all.push_back(TimeCategory::Kv);
      break;
    case Resource::FarBandwidth:
      all = {TimeCategory::WeightsFar, TimeCategory::KvMove, TimeCategory::AdapterMove};
      break;
    case Resource::Mac:
      all = {TimeCategory::Mac};
      break;
    case Resource::Vector:
      all = {TimeCategory::Vector};
      break;
    case Resource::Links:
      all = {TimeCategory::FabricTransfer};
      break;
    case Resource::Latency:
      all = {TimeCategory::FabricLatency};
      break;
    case Resource::Launch:
      all = {TimeCategory::Launch};
      break;
    case Resource::HbmCapacity:
    case Resource::SramCapacity:
    case Resource::Clock:
      break;
  }
  return all;
}

}  // namespace reticle
