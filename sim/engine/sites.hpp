// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/config/run_spec.hpp"
#include "sim/mapping/plan.hpp"

namespace reticle {

/// Routers of the model and of its draft; null for those without experts.
struct Routers {
  const ExpertRouter* model = nullptr;
  const ExpertRouter* draft = nullptr;
};

/// The hardware of an instance and the model placed on it.
struct InstancePlan {
  PlatformSpec platform;
  Placement placement;  ///< weights of the draft that it does not share with the model included
  std::optional<Placement> draft;     ///< of RunSpec::draft, on the same dies
  PlanTarget target{};                ///< what the plan was chosen for
  std::vector<PlanOption> options{};  ///< PlanChoice::options
  Picoseconds step{};  ///< estimated, of a decode step of the same batch for all plans of a run
};

/// Whether the fault is of a level that joins instances and is none of their own: it slows down the
/// caches that are handed over, and no step.
bool between_instances(const RunSpec& spec, const FaultSpec& fault);

/// What an instance runs on: at first, and after each of its faults. A plan that is null cannot
/// hold the model.
struct Site {
  std::vector<std::shared_ptr<const InstancePlan>> plans;
  std::vector<FaultSpec> faults;  ///< by time; one fewer than plans
  std::string end;                ///< why the last plan is null
};

/// Cuts the deployment into serving.instances equal parts and places the model on each, and on
/// what is left of it after every fault. `trace` is null for a steady decode. Throws
/// InfeasibleError when the model does not fit a part, ConfigError for a fault of what is not
/// there.
std::vector<Site> plan_sites(const RunSpec& spec, const Trace* trace, const Routers& routers);

}  // namespace reticle
