// SPDX-License-Identifier: Apache-2.0
// The one way the program reads a file whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace reticle {

/// All of a regular file, links followed. Neither waits (a pipe, a terminal) nor takes more memory
/// than `most_bytes` (a multiple of 1 MiB) and one, whatever the file's size is said to be.
/// Throws ConfigError of `label` where there is no such file or it is larger.
std::string read_whole_file(const std::filesystem::path& path, const std::string& label,
                            std::uint64_t most_bytes);

}  // namespace reticle
