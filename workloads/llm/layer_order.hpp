// SPDX-License-Identifier: Apache-2.0
// The order of layers as text: names in a row, a count times what follows, brackets for groups.
// "3*dense 58*moe", "12*(sliding full)", "6*(5*(local) global)".
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reticle {

/// The names that `text` stands for, at most `most`. Throws ConfigError (without position) naming
/// what is not understood, or that there are more.
std::vector<std::string> expand_order(std::string_view text, std::size_t most);

/// A short text that expands to `names`.
std::string write_order(std::span<const std::string> names);

}  // namespace reticle
