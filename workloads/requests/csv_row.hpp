// SPDX-License-Identifier: Apache-2.0
// A line of comma-separated values without quotes, as the published traces have them.
#pragma once

#include <span>
#include <string_view>

#include "workloads/text/fields.hpp"
#include "workloads/text/line_source.hpp"

namespace reticle {

/// Splits `line` into as many values as there are columns. Throws ConfigError at a missing or an
/// extra one.
void split_csv(const TextPlace& place, std::string_view line,
               std::span<const std::string_view> columns, std::span<Field> row);

}  // namespace reticle
