// SPDX-License-Identifier: Apache-2.0
// reticle llm import CONFIG_JSON
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "sim/base/error.hpp"
#include "sim/base/file_reader.hpp"
#include "sim/base/file_writer.hpp"
#include "sim/cli/command.hpp"
#include "sim/config/write_llm.hpp"
#include "sim/metrics/text_format.hpp"
#include "workloads/llm/hf_import.hpp"

namespace reticle {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = std::uint64_t{16} << 20;  // the largest known has 20 kB

struct Import {
  std::string config;
  std::string name;
  std::string out;
  bool strict = false;
};

/// Of ".../DeepSeek-V3/config.json" the folder's, of ".../DeepSeek-V3.json" the file's name.
std::string default_name(const std::string& path) {
  const fs::path file{path};
  const std::string stem = file.stem().string();
  std::string name = stem == "config" && file.has_parent_path()
                         ? fs::absolute(file).parent_path().filename().string()
                         : stem;
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

void import(const Import& options) {
  const std::string name = options.name.empty() ? default_name(options.config) : options.name;
  const ImportedLlm imported =
      import_hf_config(options.config, read_whole_file(options.config, options.config, kMostBytes),
                       name, options.strict);
  const std::string unread = fmt::format("{}", fmt::join(imported.unread, ", "));
  const ParameterCounts counts = count_parameters(imported.llm);
  std::string comment =
      fmt::format("Imported from {}, model_type {}.\n",
                  fs::path{options.config}.filename().string(), imported.model_type);
  for (const std::string& note : imported.notes) comment += note + "\n";
  if (!unread.empty()) comment += "Not read, for nobody here knows them: " + unread + "\n";
  const std::string yaml = write_llm(
      imported.llm, {.title = name,
                     .source = fmt::format("config.json, model_type {}", imported.model_type),
                     .confidence = "datasheet",
                     .comment = comment});
  if (options.out.empty()) {
    fmt::print("{}", yaml);
  } else {
    write_file_atomically(options.out, yaml);
  }
  fmt::print(
      stderr,
      "{}: {} parameters, {} active per token ({} without embedding and head), {} B of KV per "
      "token\n",
      name, count_text(counts.total), count_text(counts.active), count_text(counts.active_inside),
      count_text(kv_bytes_per_token(imported.llm).count()));
  for (const std::string& note : imported.notes) fmt::print(stderr, "  note: {}\n", note);
  if (!unread.empty())
    fmt::print(stderr, "  warning: not read, for nobody here knows them: {}\n", unread);
}

}  // namespace

void add_llm(CLI::App& app) {
  CLI::App* sub = app.add_subcommand("llm", "Import language models");
  sub->require_subcommand(1);
  CLI::App* import_ = sub->add_subcommand("import", "A Hugging Face config.json as YAML");
  auto options = std::make_shared<Import>();
  import_->add_option("config", options->config, "config.json of the model")->required();
  import_->add_option("--name", options->name, "Name of the model; default: of the file or folder");
  import_->add_option("--out", options->out, "File to write instead of the standard output");
  import_->add_flag("--strict", options->strict, "Refuse a config with keys that are not known");
  import_->footer("Example: reticle llm import config.json --name my-model --out my-model.yaml");
  import_->callback([options] { import(*options); });
}

}  // namespace reticle
