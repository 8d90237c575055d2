// SPDX-License-Identifier: Apache-2.0
// A fabric with a listener in place of every die.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <systemc>
#include <utility>
#include <vector>

#include "models/fabric/fabric.hpp"
#include "tests/models/sim_fixture.hpp"

namespace reticle {

/// `F`: Fabric or CycleFabric; they answer to the same calls.
template <class F>
class AnyFabricBench {
 public:
  template <class... More>
  AnyFabricBench(const std::string& name, const FabricParams& params, const More&... more)
      : fabric{(name + "_fabric").c_str(), params, more...} {
    for (std::int64_t i = 0; i < fabric.topology().dies(); ++i) {
      listeners_.push_back(std::make_unique<Listener>((name + "_die" + std::to_string(i)).c_str()));
      fabric.dies.bind(*listeners_.back());
    }
  }

  /// Gives the exchanges to come; they must outlive the run.
  void load(std::vector<Exchange> exchanges) {
    exchanges_.clear();
    for (auto& exchange : exchanges)
      exchanges_.push_back(std::make_shared<const Exchange>(std::move(exchange)));
    fabric.load(exchanges_);
  }
  /// Every participant of `exchange` joins now.
  void join_all(std::int32_t exchange) {
    const auto count = exchanges_[static_cast<std::size_t>(exchange)]->participants.size();
    for (std::size_t slot = 0; slot < count; ++slot)
      fabric.join(exchange, static_cast<std::int32_t>(slot));
  }

  /// What `die` was told of `exchange`.
  [[nodiscard]] const ExchangeTiming& timing(std::int32_t exchange, std::size_t die) const {
    return listeners_[die]->timings.at(exchange);
  }
  [[nodiscard]] bool told(std::int32_t exchange, std::size_t die) const {
    return listeners_[die]->timings.contains(exchange);
  }
  [[nodiscard]] Picoseconds end(std::int32_t exchange) const {
    Picoseconds latest{};
    for (const auto& listener : listeners_)
      if (const auto found = listener->timings.find(exchange); found != listener->timings.end())
        latest = max(latest, found->second.done);
    return latest;
  }

  F fabric;

 private:
  struct Listener final : sc_core::sc_module, ExchangeListenerIf {
    explicit Listener(const sc_core::sc_module_name& name) : sc_module{name} {}
    void exchange_done(std::int32_t exchange, const ExchangeTiming& timing) override {
      timings[exchange] = timing;
    }
    std::map<std::int32_t, ExchangeTiming> timings;
  };

  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::shared_ptr<const Exchange>> exchanges_;
};

using FabricBench = AnyFabricBench<Fabric>;

/// All dies of the fabric take part, die i in slot i.
inline std::vector<DieId> everyone(std::int64_t dies) {
  std::vector<DieId> list;
  for (std::int64_t i = 0; i < dies; ++i) list.push_back(DieId{static_cast<std::uint32_t>(i)});
  return list;
}

/// One phase of messages among all dies.
inline Exchange one_phase(std::int64_t dies, std::vector<Message> messages) {
  return {everyone(dies), {std::move(messages)}};
}

/// Every die sends `bytes` to every other, source by source.
inline std::vector<Message> all_pairs(std::int32_t dies, Bytes bytes) {
  std::vector<Message> messages;
  for (std::int32_t s = 0; s < dies; ++s)
    for (std::int32_t t = 0; t < dies; ++t)
      if (s != t) messages.push_back({s, t, bytes});
  return messages;
}

}  // namespace reticle
