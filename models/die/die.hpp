// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <systemc>

#include "models/die/die_spec.hpp"
#include "models/die/sequencer.hpp"
#include "models/hbm/hbm_memory.hpp"
#include "models/mac/mac_array.hpp"
#include "models/tier/linked_memory.hpp"
#include "models/vector/vector_unit.hpp"

namespace reticle {

/// One compute die: a sequencer and the units and memories it drives.
class Die final : public sc_core::sc_module {
 public:
  /// `histories`: shared by dies that may ask their memories the same.
  Die(const sc_core::sc_module_name& name, const DieParams& params,
      const HbmHistories& histories = {});

  std::unique_ptr<MemoryIf> sram;            ///< in the form its parameters name
  std::unique_ptr<HbmMemory> hbm;            ///< null: the die has none
  std::unique_ptr<LinkedMemory> far, flash;  ///< likewise
  MacArray mac;
  VectorUnit vector;
  Sequencer sequencer;
};

}  // namespace reticle
