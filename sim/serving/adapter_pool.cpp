// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/adapter_pool.hpp"

#include <algorithm>

#include "sim/base/error.hpp"
#include "sim/base/rng.hpp"

namespace reticle {

AdapterDealer::AdapterDealer(const LoraSpec& spec)
    : adapters_{spec.family.adapters}, seed_{combine64(spec.seed, fnv1a64("serving/lora"))} {
  if (spec.popularity) popularity_.emplace(adapters_, *spec.popularity);
}

std::uint32_t AdapterDealer::dealt(std::uint64_t key) const {
  return popularity_->at(unit_interval(combine64(seed_, key)));
}

std::optional<std::uint32_t> AdapterDealer::of(const Request& request) const {
  if (request.adapter || !popularity_) return request.adapter;
  return dealt(request.session ? combine64(1, *request.session)
                               : combine64(2, static_cast<std::uint64_t>(request.id)));
}

std::uint32_t AdapterDealer::of_stream(std::uint64_t i) const {
  if (popularity_) return dealt(combine64(2, i));
  return static_cast<std::uint32_t>(i % static_cast<std::uint64_t>(adapters_));
}

AdapterPool::AdapterPool(const AdapterSpec& spec, std::vector<Bytes> bytes)
    : spec_{spec}, bytes_{std::move(bytes)} {
  invariant(bytes_.size() == spec_.ranks.size(), "an adapter of every rank has a size");
}

bool AdapterPool::there(std::uint32_t adapter) const {
  const auto slot = slots_.find(adapter);
  return slot != slots_.end() && !slot->second.arriving;
}

bool AdapterPool::ask(std::uint32_t adapter, std::span<const std::uint32_t> wanted) {
  const auto slot = slots_.find(adapter);
  if (slot == slots_.end()) {
    if (!make_room(wanted)) return false;
    put(adapter, true);
    loads_.push_back(adapter);
    arriving_.push_back(adapter);
    ++stats_.loads;
  } else {
    slot->second.last_asked = ++clock_;
    ++stats_.hits;
  }
  ++stats_.asked;
  return true;
}

bool AdapterPool::place(std::uint32_t adapter) {
  if (slots_.contains(adapter)) return true;
  if (resident() >= spec_.slots) return false;
  put(adapter, false);
  return true;
}

void AdapterPool::put(std::uint32_t adapter, bool arriving) {
  slots_[adapter] = {.last_asked = ++clock_, .arriving = arriving};
  stats_.resident += bytes_of(adapter);
  stats_.peak = max(stats_.peak, stats_.resident);
}

bool AdapterPool::make_room(std::span<const std::uint32_t> wanted) {
  if (resident() < spec_.slots) return true;
  auto oldest = slots_.end();
  for (auto slot = slots_.begin(); slot != slots_.end(); ++slot) {
    const auto& [adapter, state] = *slot;
    if (state.holders > 0 || state.arriving || std::ranges::count(wanted, adapter) > 0) continue;
    if (oldest == slots_.end() || state.last_asked < oldest->second.last_asked) oldest = slot;
  }
  if (oldest == slots_.end()) return false;
  ++stats_.evicted;
  stats_.evicted_bytes += bytes_of(oldest->first);
  stats_.resident -= bytes_of(oldest->first);
  slots_.erase(oldest);
  return true;
}

void AdapterPool::hold(std::uint32_t adapter) {
  invariant(there(adapter), "who runs with an adapter has it");
  ++slots_.at(adapter).holders;
}

void AdapterPool::release(std::uint32_t adapter) {
  invariant(there(adapter) && slots_.at(adapter).holders > 0, "an adapter let go of was held");
  --slots_.at(adapter).holders;
}

void AdapterPool::waited(Picoseconds time) {
  ++stats_.waits;
  stats_.waited += time;
}

void AdapterPool::arrive() {
  for (const std::uint32_t adapter : std::exchange(arriving_, {}))
    slots_.at(adapter).arriving = false;
}

}  // namespace reticle
