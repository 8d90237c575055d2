// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace reticle {

/// The page of a sweep's report, with @TITLE@ and @DATA@ (analysis.json) to be put in.
extern const std::string_view kReportPage;

}  // namespace reticle
