// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "sim/cli/command.hpp"
#include "sim/config/catalogue.hpp"

namespace reticle {

namespace {
struct Listed {
  const char* word;
  CatalogueKind kind;
};
constexpr std::array<Listed, 6> kListed{{{"platforms", CatalogueKind::Platform},
                                         {"llms", CatalogueKind::Llm},
                                         {"workloads", CatalogueKind::Workload},
                                         {"prices", CatalogueKind::Prices},
                                         {"servings", CatalogueKind::Serving},
                                         {"sweeps", CatalogueKind::Sweep}}};

void list(const std::string& word, bool json) {
  for (const Listed& listed : kListed) {
    if (word != listed.word) continue;
    const auto names = catalogue_names(listed.kind);
    if (json) {
      fmt::print("{}\n", nlohmann::ordered_json(names).dump(2));
    } else {
      for (const auto& name : names) fmt::print("{}\n", name);
    }
  }
}
}  // namespace

void add_list(CLI::App& app) {
  CLI::App* sub = app.add_subcommand("list", "List the catalogue");
  auto word = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  std::vector<std::string> words;
  for (const Listed& listed : kListed) words.emplace_back(listed.word);
  sub->add_option("what", *word, "platforms | llms | workloads | prices | servings | sweeps")
      ->required()
      ->check(CLI::IsMember(words));
  sub->add_flag("--json", *json, "Print a JSON array");
  sub->footer("Example: reticle list platforms");
  sub->callback([word, json] { list(*word, *json); });
}

}  // namespace reticle
