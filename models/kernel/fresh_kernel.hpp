// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>
#include <utility>

namespace reticle {

/// A kernel nothing was elaborated in, where one has run before: the next simulation of a process
/// that has several in a row. Nothing of SystemC may be alive, events and ports included.
inline void renew_kernel() {
  // The library makes a context when it finds none (sc_get_curr_simcontext).
  delete std::exchange(sc_core::sc_curr_simcontext, nullptr);
  sc_core::sc_default_global_context = nullptr;
}

}  // namespace reticle
