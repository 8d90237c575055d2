// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <systemc>
#include <vector>

#include "sim/engine/instance.hpp"
#include "sim/engine/kv_network.hpp"
#include "sim/engine/run.hpp"
#include "sim/engine/sites.hpp"
#include "sim/metrics/token_log.hpp"
#include "sim/serving/adapter_pool.hpp"
#include "sim/serving/arrivals.hpp"
#include "sim/serving/request_router.hpp"

namespace reticle {

/// The run as SystemC threads on one clock: requests arrive and are dealt to instances, caches move
/// between them, parts fail.
class Simulation final : public sc_core::sc_module, public InstanceListener {
 public:
  /// All references must outlive the object.
  Simulation(const sc_core::sc_module_name& name, const RunSpec& spec, const Trace* trace,
             const std::vector<Site>& sites, const Routers& routers,
             const std::function<void(const RunProgress&)>& on_progress, const RunViews& views);

  /// Runs the kernel until the work is done.
  RunResult run();

  void admitted(std::int32_t instance, const Admitted& admitted) override;
  void refused(std::int32_t instance, RequestId request, bool late) override;
  void progressed(std::int32_t instance, const Progress& progress) override;
  bool go_on() override;
  void stepped() override;
  void broke(std::exception_ptr error) override;

 private:
  /// An instance's place: the instance that is there now, and those that come after its faults.
  struct Place {
    const Site* site = nullptr;
    ServingRole role = ServingRole::Both;
    std::vector<std::unique_ptr<Instance>> instances;  ///< by epoch; null: no plan
    std::size_t epoch = 0;
    std::size_t next = 0;  ///< epoch after the last fault
    InstanceLoad load;
    std::vector<Ticket> held_back;  ///< while it is down
    [[nodiscard]] Instance& instance() const { return *instances[epoch]; }
    [[nodiscard]] bool up_or_back() const { return load.up || site->plans[next] != nullptr; }
  };

  void arrive();
  void fail();
  void begin_steady(const SteadyDecode& steady);
  [[noreturn]] void refuse_all() const;
  [[noreturn]] void refuse_batch(const SteadyDecode& steady) const;
  [[nodiscard]] std::string what_would_hold(const SteadyDecode& steady) const;
  void check_slots(const SteadyDecode& steady) const;
  void take(RequestId id);
  void refuse(RequestId id, Refusal why);
  [[nodiscard]] bool fitted_at_first(const Ticket& ticket) const;
  [[nodiscard]] Ticket ticket_for(RequestId id);
  /// Sends a request to an instance that serves `role`, or waits until there is one. False: it fits
  /// none.
  bool dispatch(const Ticket& ticket, ServingRole role);
  void hand_over(std::int32_t from, RequestId id);
  void drop_cache(RequestId id);
  void send_cache(std::size_t to, const Admitted& admitted);
  void ended(RequestId id);
  void slow_links(const FaultSpec& fault);
  void break_between(const FaultSpec& fault);
  void break_down(std::size_t at, std::size_t number);
  void move_on(std::size_t at, std::size_t number);
  void come_back(std::size_t at, std::size_t number);
  void forget_caches(std::size_t at);
  void give_up(const std::string& why);
  void stop();
  [[nodiscard]] InstanceResult result_of(Place& place) const;
  [[nodiscard]] RequestRecord& record(RequestId id) {
    return result_.requests[static_cast<std::size_t>(id)];
  }

  const RunSpec& spec_;
  const Trace* trace_;
  Routers routers_;
  const std::function<void(const RunProgress&)>& on_progress_;
  const std::function<bool()> stop_asked_;  ///< empty: nobody can
  std::vector<Place> places_;
  std::unique_ptr<KvNetwork> network_;  ///< where instances hand caches over
  RequestRouter router_, decode_router_;
  std::optional<AdapterDealer> adapters_;  ///< nullopt: requests have none
  std::unique_ptr<Arrivals> arrivals_;
  RunResult result_;
  std::map<RequestId, std::size_t> prefilled_at_;               ///< handed over, cache not sent yet
  std::multimap<Picoseconds, std::function<void()>> timeline_;  ///< of faults
  TokenLog token_log_;
  Picoseconds last_arrival_{};
  std::int64_t steps_ = 0, ended_requests_ = 0, output_tokens_ = 0;
  bool finished_ = false;
  std::exception_ptr failure_;
  sc_core::sc_event turn_;  ///< a request of a closed loop may have become due
};

}  // namespace reticle
