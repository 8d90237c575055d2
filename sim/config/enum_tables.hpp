// SPDX-License-Identifier: Apache-2.0
// The words configurations use for enumerators.
#pragma once

#include <array>

#include "models/fabric/fabric_spec.hpp"
#include "models/hbm/hbm_spec.hpp"
#include "models/mac/mac_spec.hpp"
#include "models/sram/sram_spec.hpp"
#include "sim/base/precision.hpp"
#include "sim/config/run_spec.hpp"
#include "sim/config/value_text.hpp"

namespace reticle {

template <>
struct EnumTable<RefreshMode> {
  static constexpr std::array<EnumName<RefreshMode>, 3> names{{
      {"off", RefreshMode::Off},
      {"all-bank", RefreshMode::AllBank},
      {"per-bank", RefreshMode::PerBank},
  }};
};

template <>
struct EnumTable<PagePolicy> {
  static constexpr std::array<EnumName<PagePolicy>, 2> names{{
      {"open", PagePolicy::Open},
      {"closed", PagePolicy::Closed},
  }};
};

template <>
struct EnumTable<ModelForm> {
  static constexpr std::array<EnumName<ModelForm>, 2> names{{
      {"transaction", ModelForm::Transaction},
      {"cycle", ModelForm::Cycle},
  }};
};

template <>
struct EnumTable<HbmScheduling> {
  static constexpr std::array<EnumName<HbmScheduling>, 2> names{{
      {"fr-fcfs", HbmScheduling::FrFcfs},
      {"row-hit", HbmScheduling::RowHit},
  }};
};

template <>
struct EnumTable<Dataflow> {
  static constexpr std::array<EnumName<Dataflow>, 2> names{{
      {"weight-stationary", Dataflow::WeightStationary},
      {"output-stationary", Dataflow::OutputStationary},
  }};
};

template <>
struct EnumTable<TopologyKind> {
  static constexpr std::array<EnumName<TopologyKind>, 5> names{{
      {"fully-connected", TopologyKind::FullyConnected},
      {"ring", TopologyKind::Ring},
      {"mesh2d", TopologyKind::Mesh2d},
      {"torus2d", TopologyKind::Torus2d},
      {"switch", TopologyKind::Switch},
  }};
};

template <>
struct EnumTable<Fidelity> {
  static constexpr std::array<EnumName<Fidelity>, 3> names{{
      {"roofline", Fidelity::Roofline},
      {"transaction", Fidelity::Transaction},
      {"cycle", Fidelity::Cycle},
  }};
};

template <>
struct EnumTable<RecallMode> {
  static constexpr std::array<EnumName<RecallMode>, 3> names{{
      {"auto", RecallMode::Auto},
      {"on", RecallMode::On},
      {"off", RecallMode::Off},
  }};
};

template <>
struct EnumTable<PrefixCachePolicy> {
  static constexpr std::array<EnumName<PrefixCachePolicy>, 6> names{{
      {"off", PrefixCachePolicy::Off},
      {"lru", PrefixCachePolicy::Lru},
      {"lfu", PrefixCachePolicy::Lfu},
      {"size-age", PrefixCachePolicy::SizeAge},
      {"session", PrefixCachePolicy::Session},
      {"refuse", PrefixCachePolicy::Refuse},
  }};
};

template <>
struct EnumTable<KvSpill> {
  static constexpr std::array<EnumName<KvSpill>, 3> names{{
      {"off", KvSpill::Off},
      {"far", KvSpill::Far},
      {"flash", KvSpill::Flash},
  }};
};

template <>
struct EnumTable<Preemption> {
  static constexpr std::array<EnumName<Preemption>, 2> names{{
      {"recompute", Preemption::Recompute},
      {"swap", Preemption::Swap},
  }};
};

template <>
struct EnumTable<Admission> {
  static constexpr std::array<EnumName<Admission>, 2> names{{
      {"whole-life", Admission::WholeLife},
      {"on-demand", Admission::OnDemand},
  }};
};

template <>
struct EnumTable<Batching> {
  static constexpr std::array<EnumName<Batching>, 2> names{{
      {"continuous", Batching::Continuous},
      {"static", Batching::Static},
  }};
};

template <>
struct EnumTable<QueueOrder> {
  static constexpr std::array<EnumName<QueueOrder>, 3> names{{
      {"fcfs", QueueOrder::Fcfs},
      {"shortest-first", QueueOrder::ShortestFirst},
      {"slo", QueueOrder::Slo},
  }};
};

template <>
struct EnumTable<RoutingPolicy> {
  static constexpr std::array<EnumName<RoutingPolicy>, 3> names{{
      {"round-robin", RoutingPolicy::RoundRobin},
      {"least-loaded", RoutingPolicy::LeastLoaded},
      {"prefix-affine", RoutingPolicy::PrefixAffine},
  }};
};

template <>
struct EnumTable<ExpertCachePolicy> {
  static constexpr std::array<EnumName<ExpertCachePolicy>, 3> names{{
      {"static", ExpertCachePolicy::Static},
      {"lru", ExpertCachePolicy::Lru},
      {"lfu", ExpertCachePolicy::Lfu},
  }};
};

template <>
struct EnumTable<ExpertPrefetch> {
  static constexpr std::array<EnumName<ExpertPrefetch>, 2> names{{
      {"none", ExpertPrefetch::None},
      {"previous-layer", ExpertPrefetch::PreviousLayer},
  }};
};

template <>
struct EnumTable<LatentCache> {
  static constexpr std::array<EnumName<LatentCache>, 2> names{{
      {"cut", LatentCache::Cut},
      {"copied", LatentCache::Copied},
  }};
};
template <>
struct EnumTable<ExpertBalance> {
  static constexpr std::array<EnumName<ExpertBalance>, 2> names{{
      {"contiguous", ExpertBalance::Contiguous},
      {"greedy", ExpertBalance::Greedy},
  }};
};

template <>
struct EnumTable<AdapterTargets> {
  static constexpr std::array<EnumName<AdapterTargets>, 2> names{{
      {"attention", AdapterTargets::Attention},
      {"all-linear", AdapterTargets::AllLinear},
  }};
};

template <>
struct EnumTable<FaultKind> {
  static constexpr std::array<EnumName<FaultKind>, 3> names{{
      {"die", FaultKind::Die},
      {"hbm-channel", FaultKind::HbmChannel},
      {"link", FaultKind::Link},
  }};
};

template <>
struct EnumTable<Precision> {
  static constexpr std::array<EnumName<Precision>, kPrecisionCount> names = [] {
    std::array<EnumName<Precision>, kPrecisionCount> all{};
    for (std::size_t i = 0; i < kPrecisionCount; ++i)
      all[i] = {kPrecisions[i].name, kPrecisions[i].precision};
    return all;
  }();
};

}  // namespace reticle
