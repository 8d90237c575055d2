// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace reticle {

/// JSON Schemas (draft 7) of every kind of configuration file, by kind: what the checker asks for
/// when it reads the files of the catalogue, and a few runs with what no file has.
std::map<std::string, std::string> config_schemas();

/// Writes them as DIR/KIND.schema.json.
void write_config_schemas(const std::filesystem::path& directory);

}  // namespace reticle
