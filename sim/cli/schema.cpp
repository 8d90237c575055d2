// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "sim/base/error.hpp"
#include "sim/base/file_writer.hpp"
#include "sim/cli/run_files.hpp"
#include "sim/config/catalogue.hpp"
#include "sim/config/confidence.hpp"
#include "sim/config/config_node.hpp"
#include "sim/config/key_record.hpp"
#include "sim/config/read_run.hpp"
#include "sim/config/read_sweep.hpp"
#include "sim/config/value_text.hpp"
#include "sim/config/yaml_reader.hpp"
#include "sim/registry/entry.hpp"
#include "sim/registry/experiment.hpp"
#include "sim/registry/registry.hpp"

namespace reticle {

namespace {
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

/// As value_text.cpp reads a decimal; quantities are not below zero.
constexpr std::string_view kNumber = R"([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)";
constexpr std::string_view kNotNegative = R"(\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)";

Json text_schema() { return {{"type", Json::array({"string", "number", "boolean"})}}; }

/// Words that YAML 1.1 takes for something else than a text.
void add_word(Json& words, const std::string& word) {
  words.push_back(word);
  for (const auto& [text, truth] :
       {std::pair{"on", true}, std::pair{"yes", true}, std::pair{"true", true},
        std::pair{"off", false}, std::pair{"no", false}, std::pair{"false", false}})
    if (word == text && std::find(words.begin(), words.end(), Json(truth)) == words.end())
      words.push_back(truth);
}

Json words_schema(const std::vector<std::string>& words) {
  Json all = Json::array();
  for (const auto& word : words) add_word(all, word);
  return {{"enum", all}};
}

std::string any_of(const std::vector<std::string>& words) {
  std::string pattern = "(";
  for (const auto& word : words) pattern += (pattern.size() > 1 ? "|" : "") + word;
  return pattern + ")";
}

std::optional<double> number_of(const std::string& text) {
  return ValueText<double>::parse(text).value;
}

/// A plain number, within the range where there is one.
Json number_schema(const AskedKey& key, bool whole) {
  Json number{{"type", whole ? "integer" : "number"}};
  if (key.shape.natural) number["minimum"] = 0;
  if (!key.range) return number;
  if (const auto low = number_of(key.range->first)) number["minimum"] = *low;
  if (const auto high = number_of(key.range->second)) number["maximum"] = *high;
  return number;
}

Json pattern_schema(const std::string& text) {
  return {{"type", "string"}, {"pattern", "^ *" + text + "$"}};
}

/// The short form of a value, as it stands after the colon.
Json short_schema(const std::string& name, const AskedKey& key) {
  const ValueShape& shape = key.shape;
  Json forms = Json::array();
  switch (shape.kind) {
    case ValueShape::Kind::Any:
      return true;
    case ValueShape::Kind::Text:
      forms.push_back(text_schema());
      break;
    case ValueShape::Kind::Truth:
    case ValueShape::Kind::Word:
      forms.push_back(words_schema(shape.words));
      if (shape.or_file) forms.push_back({{"type", "string"}, {"pattern", R"(/|\.ya?ml$)"}});
      break;
    case ValueShape::Kind::Integer:
      forms.push_back(number_schema(key, true));
      forms.push_back(pattern_schema(std::string{shape.natural ? kNotNegative : kNumber} + " *"));
      break;
    case ValueShape::Kind::Number: {
      forms.push_back(number_schema(key, false));
      const std::string unit{unit_named_by(name)};
      forms.push_back(
          pattern_schema(std::string{kNumber} + (unit.empty() ? " *" : "( *| +" + unit + ")")));
      break;
    }
    case ValueShape::Kind::Quantity:
      if (shape.bare) forms.push_back({{"type", "integer"}, {"minimum", 0}});
      forms.push_back(pattern_schema(std::string{kNotNegative} + " *" + any_of(shape.units) +
                                     (shape.bare ? "? *" : " *")));
      break;
  }
  if (key.may_be_none) forms.push_back({{"const", "none"}});
  if (key.may_be_null) forms.push_back({{"type", "null"}});
  return forms.size() == 1 ? forms.front() : Json{{"anyOf", forms}};
}

std::string told(const std::string& name, const AskedKey& key) {
  std::string text = key.shape.expected;
  if (key.range) text += ", from " + key.range->first + " to " + key.range->second;
  if (const std::string unit{unit_named_by(name)}; !unit.empty()) text += ", in " + unit;
  if (!key.fallback.empty()) text += "; default " + key.fallback;
  if (key.may_be_none) text += "; or none";
  return text;
}

/// The units that may stand beside a value, as config_node.cpp takes them.
Json units_beside(const std::string& name, const ValueShape& shape) {
  Json units = Json::array();
  if (shape.kind == ValueShape::Kind::Quantity) {
    for (const auto& unit : shape.units) units.push_back(unit);
  } else if (shape.kind == ValueShape::Kind::Number) {
    if (const auto unit = unit_named_by(name); !unit.empty()) units.push_back(unit);
  } else {
    units = {"count", "tokens"};
  }
  return units;
}

/// {value: ..., source: ..., confidence: ...}, as yaml_reader.cpp folds it. `beside`: the value
/// whose unit stands beside it, and its units.
Json long_schema(const Json& value, const Json& beside, const Json& units) {
  Json words = Json::array({""});
  for (const auto word : kConfidenceWords) words.push_back(word);
  const Json end{{"anyOf", Json::array({{{"type", "number"}},
                                        {{"type", "string"},
                                         {"pattern", "^" + std::string{kNumber} + "$"}}})}};
  Json forms = Json::array(
      {{{"properties", {{"value", value}}}, {"not", {{"required", Json::array({"unit"})}}}}});
  if (!units.empty())
    forms.push_back({{"properties", {{"value", beside}, {"unit", {{"enum", units}}}}},
                     {"required", Json::array({"unit"})}});
  return {{"type", "object"},
          {"anyOf", forms},
          {"properties",
           {{"value", true},
            {"unit", true},
            {"source", text_schema()},
            {"confidence", {{"enum", words}}},
            {"origin", text_schema()},
            {"year", true},
            {"range",
             {{"description", "two numbers, the lower first"},
              {"type", "array"},
              {"items", end},
              {"minItems", 2},
              {"maxItems", 2}}},
            {"note", true},
            {"basis", true}}},
          {"required", Json::array({"value"})},
          {"additionalProperties", false}};
}

Json value_schema(const std::string& name, const AskedKey& key) {
  const Json brief = short_schema(name, key);
  const bool quantity = key.shape.kind == ValueShape::Kind::Quantity;
  const Json number{{"anyOf", Json::array({{{"type", "number"}, {"minimum", 0}},
                                           pattern_schema(std::string{kNotNegative} + " *")})}};
  Json schema{{"anyOf", Json::array({brief, long_schema(brief, quantity ? number : brief,
                                                        units_beside(name, key.shape))})}};
  if (const std::string text = told(name, key); !text.empty()) schema["description"] = text;
  return schema;
}

Json texts_schema() {
  const Json text = text_schema();
  const Json folded = long_schema(text, text, Json::array());
  return {{"type", "array"}, {"items", {{"anyOf", Json::array({text, folded})}}}};
}

using Sections = std::map<std::string, AskedSection>;

Json section_schema(const Sections& all, const std::string& pattern);

Json key_schema(const Sections& all, const std::string& pattern, const std::string& name,
                const AskedKey& key) {
  const std::string path = pattern.empty() ? name : pattern + "." + name;
  switch (key.form) {
    case AskedKey::Form::Known:
      return true;
    case AskedKey::Form::Value:
      if (!key.may_be_list) return value_schema(name, key);
      return {{"anyOf", Json::array({value_schema(name, key), texts_schema()})}};
    case AskedKey::Form::Section: {
      Json forms = Json::array({section_schema(all, path)});
      if (key.may_be_none) forms.push_back({{"const", "none"}});
      if (key.may_be_null) forms.push_back({{"type", "null"}});
      return forms.size() == 1 ? forms.front() : Json{{"anyOf", forms}};
    }
    case AskedKey::Form::Sections:
      return {{"type", "array"}, {"items", section_schema(all, path + "[]")}};
    case AskedKey::Form::Texts:
      return texts_schema();
  }
  return true;
}

Json section_schema(const Sections& all, const std::string& pattern) {
  Json schema{{"type", "object"}};
  const std::string names = pattern.empty() ? "*" : pattern + ".*";
  if (all.contains(names)) {
    schema["additionalProperties"] = section_schema(all, names);
    return schema;
  }
  const auto found = all.find(pattern);
  if (found == all.end() || found->second.any_name) return schema;
  const AskedSection& section = found->second;
  Json properties = Json::object(), required = Json::array();
  for (const auto& [name, key] : section.keys) {
    properties[name] = key_schema(all, pattern, name, key);
    if (section.readings > 0 && key.required >= section.readings) required.push_back(name);
  }
  schema["properties"] = properties;
  if (!required.empty()) schema["required"] = required;
  if (section.closed) schema["additionalProperties"] = false;
  return schema;
}

/// Of a kind that is read below a key, the rest of its path.
Sections below(const Sections& sections, const std::string& root) {
  if (root.empty()) return sections;
  Sections mine;
  for (const auto& [pattern, section] : sections) {
    if (pattern == root) mine[""] = section;
    if (pattern.starts_with(root + ".")) mine[pattern.substr(root.size() + 1)] = section;
  }
  return mine;
}

std::string schema_text(const std::string& kind, const Sections& sections) {
  Json schema{{"$schema", "http://json-schema.org/draft-07/schema#"},
              {"title", "Reticle: " + kind}};
  schema.update(section_schema(sections, ""));
  Json words = Json::array({""});
  for (const auto word : kConfidenceWords) words.push_back(word);
  schema["properties"]["provenance"] = {
      // yaml_reader.cpp takes it before anybody asks
      {"type", "object"},
      {"properties",
       {{"source", text_schema()}, {"confidence", {{"enum", words}}}, {"note", true}}},
      {"additionalProperties", false}};
  return schema.dump(1) + "\n";
}

struct Kind {
  CatalogueKind of;
  std::string_view name;
  std::string_view root;  ///< what its keys stand below when it is read
};
constexpr std::array kKinds{Kind{CatalogueKind::Platform, "platform", "platform"},
                            Kind{CatalogueKind::Llm, "llm", "llm"},
                            Kind{CatalogueKind::Workload, "workload", "workload"},
                            Kind{CatalogueKind::Serving, "serving", "serving"},
                            Kind{CatalogueKind::Hbm, "hbm", ""},
                            Kind{CatalogueKind::Kernels, "kernels", ""},
                            Kind{CatalogueKind::Silicon, "silicon", ""},
                            Kind{CatalogueKind::Cooling, "cooling", ""},
                            Kind{CatalogueKind::Tier, "tier", ""},
                            Kind{CatalogueKind::HostLink, "link", ""},
                            Kind{CatalogueKind::Prices, "prices", "platform"},
                            Kind{CatalogueKind::Sweep, "sweep", ""}};

/// Sections and forms that no file of the catalogue has, one run each.
const std::vector<std::vector<std::string>> kFormsNoFileHas{
    {"serving.lora.adapters=10", "serving.lora.slots=4", "serving.lora.popularity=1"},
    {"serving.lora.adapters=10", "serving.lora.slots=4", "serving.lora.popularity=1",
     "serving.lora.ranks=[8, 16]"},
    {"serving.faults.a.at=1 s", "serving.faults.a.kind=die"},
    {"serving.speculation.draft=llama-3.2-1b", "serving.speculation.acceptance=0.8"},
    {"serving.speculation.draft=llama-3.2-1b", "serving.speculation.acceptance_by_position=[0.8]"},
    {"platform.cooling.standard=cold-plate"},
    {"platform.die.far.capacity=1 TB", "platform.die.far.device.standard=ddr5",
     "platform.die.far.device.channels=1", "platform.die.far.link.standard=pcie5-x16"},
    {"platform.die.flash.capacity=1 TB", "platform.die.flash.device.standard=nvme",
     "platform.die.flash.device.channels=1", "platform.die.flash.link.standard=pcie5-x4"}};

void read_forms() {
  for (const auto& sets : kFormsNoFileHas)
    (void)read_run({.platform = "ref-asic",
                    .llm = "llama-3-8b",
                    .workload = "steady-decode",
                    .serving = std::nullopt,
                    .sets = sets,
                    .seed = std::nullopt,
                    .fidelity = std::nullopt,
                    .resolved = std::nullopt});
}

/// Every file of the catalogue of this kind is read.
void read_catalogue(KeyRecord& record, CatalogueKind kind) {
  for (const std::string& name : catalogue_names(kind)) {
    const fs::path path = require_config(kind, name).path;
    record.reads(path.string());
    (void)check_file(path.string());
  }
  record.reads({});
}

std::string schema_of(const Kind& kind) {
  KeyRecord record;
  read_catalogue(record, kind.of);
  if (!kind.root.empty() && kind.of != CatalogueKind::Prices) read_forms();
  if (kind.of == CatalogueKind::Sweep)
    (void)parse_sweep(
        "sweep: halves\nrun: {platform: h100-8, llm: llama-3-8b, workload: steady-decode}\n"
        "axes:\n  - {key: workload.batch, values: [1, 2]}\nhalving: {keep: 1}\n",
        "halves");
  return schema_text(std::string{kind.name}, below(record.sections(), std::string{kind.root}));
}

std::string schema_of_experiments() {
  const fs::path configs = catalogue_root() / "configs";
  const Registry registry = read_registry(configs / "registry", "configs/registry");
  KeyRecord record;
  for (const Entry& entry : registry.entries) {
    const std::string name = fmt::format("b{:02}.yaml", entry.number);
    const fs::path file = configs / "experiments" / name;
    record.reads(file.string());
    (void)read_experiment(file, "configs/experiments/" + name, registry.entries);
  }
  return schema_text("experiment", record.sections());
}

std::string schema_of_entries() {
  const std::string folder = "configs/registry";
  const Registry registry = read_registry(catalogue_root() / folder, folder);
  KeyRecord record;
  for (const Entry& entry : registry.entries) {
    record.reads(entry.file);
    (void)parse_entry(read_yaml_text(catalogue_root() / entry.file, entry.file), entry.file);
  }
  return schema_text("entry", record.sections());
}

std::string schema_of_ledger() {
  const std::string file = "configs/registry/ledger.yaml";
  KeyRecord record;
  record.reads(file);
  (void)parse_ledger(read_yaml_text(catalogue_root() / file, file), file);
  return schema_text("ledger", record.sections());
}

std::string schema_of_claims(const std::string& name) {
  const fs::path file = catalogue_root() / "configs/claims" / (name + ".yaml");
  KeyRecord record;
  record.reads(file.string());
  (void)check_file(file.string());
  return schema_text("claims, " + name, record.sections());
}

/// All a run is made of, below its sections.
std::string schema_of_resolved() {
  KeyRecord record;
  for (const auto kind : {CatalogueKind::Platform, CatalogueKind::Llm, CatalogueKind::Workload,
                          CatalogueKind::Serving})
    read_catalogue(record, kind);
  read_forms();
  Sections sections = record.sections();
  for (auto& [pattern, section] : sections) section.readings = 0;  // what is default may be absent
  AskedSection& root = sections[""];
  for (const auto* key : {"reticle_resolved", "version", "git_revision"})
    root.keys[key] = {.form = AskedKey::Form::Value, .shape = ValueText<std::string>::shape()};
  root.keys["reticle_resolved"].shape.kind = ValueShape::Kind::Integer;
  return schema_text("resolved", sections);
}
}  // namespace

std::map<std::string, std::string> config_schemas() {
  std::map<std::string, std::string> all;
  for (const Kind& kind : kKinds) all.emplace(kind.name, schema_of(kind));
  all.emplace("experiment", schema_of_experiments());
  all.emplace("entry", schema_of_entries());
  all.emplace("ledger", schema_of_ledger());
  for (const auto* name : {"paper", "figures"}) all.emplace(name, schema_of_claims(name));
  all.emplace("resolved", schema_of_resolved());
  return all;
}

void write_config_schemas(const fs::path& directory) {
  make_output_directory(directory);
  WholeFiles files{directory};
  for (const auto& [kind, text] : config_schemas()) files.add(kind + ".schema.json") << text;
  files.done();
}

}  // namespace reticle
