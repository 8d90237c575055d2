// SPDX-License-Identifier: Apache-2.0
#include "sim/config/standard_table.hpp"

#include <string>

#include "sim/config/yaml_reader.hpp"

namespace reticle {

std::optional<ConfigTree> standard_table(const ConfigTree& section, CatalogueKind kind,
                                         std::string_view path) {
  const ConfigTree* standard = section.find("standard");
  if (standard == nullptr || standard->kind != ConfigTree::Kind::Leaf) return std::nullopt;
  const CatalogueFile file =
      require_config(kind, standard->text, standard->position, std::string{path} + ".standard");
  ConfigTree table = read_yaml(file.path, file.label);
  std::erase_if(table.entries, [](const ConfigEntry& entry) {
    return entry.key == "name" || entry.key == "title";
  });
  return table;
}

std::string standard_name(const ConfigNode& section, CatalogueKind kind) {
  auto name = section.get<std::string>("standard");
  section.takes_words("standard", catalogue_names(kind), /*or_file=*/true);
  return name;
}

void fill_from_standard(ConfigTree& section, CatalogueKind kind, std::string_view path) {
  if (const auto table = standard_table(section, kind, path)) fill_from(section, *table);
}

}  // namespace reticle
