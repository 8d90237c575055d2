// SPDX-License-Identifier: Apache-2.0
#include "models/die/die.hpp"

#include "models/sram/cycle_sram.hpp"
#include "models/sram/sram_bank_group.hpp"

namespace reticle {

namespace {
std::unique_ptr<MemoryIf> make_sram(const SramParams& params) {
  if (params.form == ModelForm::Cycle) return std::make_unique<CycleSram>("sram", params);
  return std::make_unique<SramBankGroup>("sram", params);
}
}  // namespace

Die::Die(const sc_core::sc_module_name& name, const DieParams& params,
         const HbmHistories& histories)
    : sc_module{name},
      sram{make_sram(params.sram)},
      hbm{params.hbm ? std::make_unique<HbmMemory>("hbm", *params.hbm, histories) : nullptr},
      far{params.far ? std::make_unique<LinkedMemory>("far", *params.far) : nullptr},
      flash{params.flash ? std::make_unique<LinkedMemory>("flash", *params.flash) : nullptr},
      mac{"mac", params.mac},
      vector{"vector", params.vector},
      sequencer{"sequencer", params.sequencer.staging, crossbar_rate(params)} {
  sequencer.sram.bind(*sram);
  if (hbm) sequencer.hbm.bind(hbm->port);
  if (far) sequencer.far.bind(far->port);
  if (flash) sequencer.flash.bind(flash->port);
  sequencer.mac.bind(mac.port);
  sequencer.vector.bind(vector.port);
}

}  // namespace reticle
