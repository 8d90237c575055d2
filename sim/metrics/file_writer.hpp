// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

namespace reticle {

/// Puts `content` at `path` whole or not at all: written to a temporary file beside it, flushed to
/// the device, then renamed over it. Throws ConfigError naming path and reason.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

}  // namespace reticle
