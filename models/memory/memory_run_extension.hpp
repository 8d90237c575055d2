// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm>

#include "models/memory/memory_spec.hpp"

namespace reticle {

/// A whole MemoryRun in one TLM-2.0 payload, and the times it got. An ignorable extension: a target
/// that does not know it sees a plain transfer of the run's first bytes.
class MemoryRunExtension final : public tlm::tlm_extension<MemoryRunExtension> {
 public:
  MemoryRun run;
  Picoseconds at{};       ///< absolute, as in MemoryIf::access; may lie behind simulated time
  AccessTiming timing;    ///< written by a target that knows the extension
  bool answered = false;  ///< whether one did

  [[nodiscard]] tlm::tlm_extension_base* clone() const override {
    return new MemoryRunExtension(*this);  // the payload that clones owns it, as TLM-2.0 wants
  }
  void copy_from(const tlm::tlm_extension_base& other) override {
    *this = static_cast<const MemoryRunExtension&>(other);
  }
};

}  // namespace reticle
