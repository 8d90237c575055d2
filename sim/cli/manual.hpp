// SPDX-License-Identifier: Apache-2.0
// The manual page and the shell's completion, written from the same options that are parsed.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace reticle {

/// reticle(1), in man(7) macros: every subcommand with its options and example.
std::string man_page(const CLI::App& app, const std::string& version);

/// For bash: subcommands, options, their words and names of the catalogue (`reticle list`).
std::string bash_completion(const CLI::App& app);

/// Adds `manual`, which prints one of them; hidden, as packages call it and nobody else.
void add_manual(CLI::App& app);

}  // namespace reticle
