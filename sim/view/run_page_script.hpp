// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace reticle {

/// What report.html adds to the style sheet, its sections, and the program that fills them.
std::string_view run_page_style();
std::string_view run_page_body();
std::string_view run_page_script();

}  // namespace reticle
