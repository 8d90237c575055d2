// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pthread.h>

#include <cstddef>

// Of AddressSanitizer; null in a program without it.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {
[[gnu::weak]] void __sanitizer_start_switch_fiber(void** fake_stack, const void* bottom,
                                                  std::size_t size);
[[gnu::weak]] void __sanitizer_finish_switch_fiber(void* fake_stack, const void** bottom,
                                                   std::size_t* size);
}
// NOLINTEND(bugprone-reserved-identifier)

namespace reticle {

/// Tells AddressSanitizer, in a program that has it, the bounds of the stack this runs on: to be
/// called when sc_start returns. SystemC tells it whenever coroutines change, but the bounds of the
/// stack that sc_start was called on are unknown to it. An exception thrown there would leave the
/// frames it unwinds marked, and what later lies in their place would be reported as an overflow.
inline void tell_own_stack() {
  if (__sanitizer_start_switch_fiber == nullptr) return;
  pthread_attr_t attributes;
  if (::pthread_getattr_np(::pthread_self(), &attributes) != 0) return;
  void* bottom = nullptr;
  std::size_t size = 0;
  if (::pthread_attr_getstack(&attributes, &bottom, &size) == 0) {
    __sanitizer_start_switch_fiber(nullptr, bottom, size);
    __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
  }
  ::pthread_attr_destroy(&attributes);
}

}  // namespace reticle
