// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace reticle {

/// The style sheet of all pages: light and dark by the reader's preference.
std::string_view style_sheet();

}  // namespace reticle
