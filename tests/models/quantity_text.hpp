// SPDX-License-Identifier: Apache-2.0
// Lets doctest print quantities in a failed check.
#pragma once

#include <ostream>

#include "sim/base/units.hpp"

namespace reticle {

template <class Tag>
std::ostream& operator<<(std::ostream& out, Quantity<Tag> quantity) {
  return out << quantity.count();
}

}  // namespace reticle
