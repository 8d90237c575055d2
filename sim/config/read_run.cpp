// SPDX-License-Identifier: Apache-2.0
#include "sim/config/read_run.hpp"

#include <array>
#include <memory>
#include <utility>

#include "sim/config/catalogue.hpp"
#include "sim/config/config_node.hpp"
#include "sim/config/read_claims.hpp"
#include "sim/config/read_cooling.hpp"
#include "sim/config/read_hbm.hpp"
#include "sim/config/read_kernels.hpp"
#include "sim/config/read_llm.hpp"
#include "sim/config/read_platform.hpp"
#include "sim/config/read_policies.hpp"
#include "sim/config/read_prices.hpp"
#include "sim/config/read_silicon.hpp"
#include "sim/config/read_sweep.hpp"
#include "sim/config/read_tier.hpp"
#include "sim/config/read_workload.hpp"
#include "sim/config/resolved.hpp"
#include "sim/config/standard_table.hpp"
#include "sim/config/yaml_reader.hpp"
#include "workloads/llm/mtp_head.hpp"

namespace reticle {

namespace {
const SourcePosition kCommandLine{"command line", 0, 0};

ConfigTree command_line_leaf(const std::string& text) {
  return make_leaf(text, kCommandLine, kCommandLine.file);
}

/// The recording of routing that a model's file names is one of a folder that was given.
void check_recording(const ConfigTree& llm) {
  const ConfigTree* node = &llm;
  for (const char* key : {"moe", "routing", "recording"})
    if ((node = node->find(key)) == nullptr) return;
  require_given(openable(node->text), node->position, "llm.moe.routing.recording");
}

/// A resolved run says itself which of its files the command line had named: no reason to open
/// them.
void check_files(const ConfigTree& resolved) {
  for (const char* key : {"llm", "draft"})
    if (const ConfigTree* llm = resolved.find(key)) check_recording(*llm);
  if (const ConfigTree* workload = resolved.find("workload")) check_trace(*workload);
}

ConfigTree read_config(CatalogueKind kind, const std::string& argument,
                       const SourcePosition& asked_at = {}, std::string_view key = {}) {
  const CatalogueFile file = require_config(kind, argument, asked_at, key);
  ConfigTree tree = read_yaml(file.path, file.label);
  if (kind == CatalogueKind::Llm) check_recording(tree);
  return tree;
}

void put_from_catalogue(ConfigTree& root, const RunRequest& request) {
  put(root, "platform", read_config(CatalogueKind::Platform, request.platform));
  put(root, "llm", read_config(CatalogueKind::Llm, request.llm));
  put(root, "workload", workload_tree(request.workload));
  put(*root.find("workload"), "name", command_line_leaf(request.workload));
  if (request.serving) put(root, "serving", read_config(CatalogueKind::Serving, *request.serving));
}

constexpr std::string_view kHead = "mtp";  ///< as a draft: the model's own prediction head

/// The draft model that serving.speculation names, as a section of its own.
void put_draft(ConfigTree& root) {
  const ConfigTree* speculation = root.find("serving")->find("speculation");
  const ConfigTree* draft = speculation == nullptr ? nullptr : speculation->find("draft");
  if (draft != nullptr && draft->text == "none") {
    std::erase_if(root.find("serving")->entries,
                  [](const ConfigEntry& e) { return e.key == "speculation"; });
    return;
  }
  if (draft == nullptr || draft->text == kHead || root.find("draft") != nullptr) return;
  put(root, "draft",
      read_config(CatalogueKind::Llm, draft->text, draft->position, "serving.speculation.draft"));
}

/// A chance of acceptance that is set takes the place of one that a file has in another form.
void drop_alternatives(ConfigTree& root, const std::string& assignment) {
  constexpr std::string_view kKey = "serving.speculation.acceptance";
  ConfigTree* serving = root.find("serving");
  ConfigTree* speculation = serving == nullptr ? nullptr : serving->find("speculation");
  if (speculation == nullptr || !assignment.starts_with(kKey)) return;
  std::erase_if(speculation->entries, [](const ConfigEntry& e) {
    return e.key.starts_with("acceptance") && !e.value.origin.starts_with("--set") &&
           (e.value.items.empty() || e.value.items.front().origin != "--set");
  });
}

/// The sections may be absent; --set and defaults then fill them.
void put_missing_sections(ConfigTree& root) {
  for (const auto* key : {"serving", "placement", "engine"})
    if (root.find(key) == nullptr) put(root, key, make_map(kCommandLine));
}

/// A section below platform, when there is such a section.
template <class... Keys>
ConfigTree* platform_section(ConfigTree& root, Keys... keys) {
  ConfigTree* section = &root;
  for (const auto* key : {"platform", keys...})
    if (section != nullptr) section = section->find(key);
  return section != nullptr && section->kind == ConfigTree::Kind::Map ? section : nullptr;
}
template <class... Keys>
ConfigTree* die_section(ConfigTree& root, Keys... keys) {
  return platform_section(root, "die", keys...);
}

/// After all overrides, as they may choose another standard.
void complete_tables(ConfigTree& root) {
  // "none": an ideal machine, whatever the file says.
  if (ConfigTree* die = die_section(root))
    std::erase_if(die->entries, [](const ConfigEntry& e) {
      return e.key == "kernels" && e.value.kind == ConfigTree::Kind::Leaf && e.value.text == "none";
    });
  if (ConfigTree* hbm = die_section(root, "hbm"))
    fill_from_hbm_table(*root.find("platform"), *hbm, "platform.die.hbm");
  if (ConfigTree* kernels = die_section(root, "kernels"))
    fill_from_standard(*kernels, CatalogueKind::Kernels, "platform.die.kernels");
  if (ConfigTree* silicon = die_section(root, "silicon"))
    fill_from_standard(*silicon, CatalogueKind::Silicon, "platform.die.silicon");
  if (ConfigTree* cooling = platform_section(root, "cooling"))
    fill_from_standard(*cooling, CatalogueKind::Cooling, "platform.cooling");
  for (const std::string tier : {"far", "flash"})
    if (ConfigTree* section = die_section(root, tier.c_str()))
      fill_from_tier_tables(*section, "platform.die." + tier);
}

/// A resolved file holds every timing already: another standard would change nothing but a name.
void keep_standards(ConfigTree& root) {
  const std::array sections{std::pair{platform_section(root, "cooling"), "cooling"},
                            std::pair{die_section(root, "hbm"), "hbm"},
                            std::pair{die_section(root, "kernels"), "kernels"},
                            std::pair{die_section(root, "silicon"), "silicon"},
                            std::pair{die_section(root, "far", "device"), "far.device"},
                            std::pair{die_section(root, "far", "link"), "far.link"},
                            std::pair{die_section(root, "flash", "device"), "flash.device"},
                            std::pair{die_section(root, "flash", "link"), "flash.link"}};
  for (const auto& [section, name] : sections) {
    const ConfigTree* standard = section == nullptr ? nullptr : section->find("standard");
    if (standard != nullptr && standard->position.file.starts_with("--set "))
      throw ConfigError(standard->position,
                        (name == std::string_view{"cooling"} ? "platform." : "platform.die.") +
                            std::string{name} + ".standard",
                        "cannot be changed in a resolved run, whose timings are filled in already");
  }
}

/// What is the same for a tree of the catalogue's files and a resolved one.
ConfigTree completed(ConfigTree root, const RunRequest& request, bool resolved) {
  put_missing_sections(root);
  if (request.seed) put(root, "seed", command_line_leaf(std::to_string(*request.seed)));
  if (request.fidelity) put(*root.find("engine"), "fidelity", command_line_leaf(*request.fidelity));
  for (const auto& assignment : request.sets) {
    drop_alternatives(root, assignment);
    apply_set(root, assignment);
  }
  resolved ? keep_standards(root) : complete_tables(root);
  put_draft(root);
  if (resolved) check_files(root);
  return root;
}

ConfigTree requested_tree(const RunRequest& request) {
  ConfigTree root = make_map(kCommandLine);
  if (request.resolved) {
    if (!request.platform.empty() || !request.llm.empty() || !request.workload.empty())
      throw ConfigError(kCommandLine, "resolved",
                        "names platform, llm and workload itself: give it alone");
    root = read_resolved(*request.resolved);
  } else {
    put_from_catalogue(root, request);
  }
  return completed(std::move(root), request, request.resolved.has_value());
}

RunSpec run_of(ConfigTree tree) {
  RunSpec run;
  const ConfigNode root{std::make_shared<const ConfigTree>(std::move(tree)), run.resolved};
  run.seed = root.get<std::uint64_t>("seed", run.seed);
  run.platform = read_platform(root.child("platform"));
  run.llm = read_llm(root.child("llm"));
  const ConfigNode workload = root.child("workload");
  run.workload_name = workload.get<std::string>("name");
  run.workload = read_workload(workload);
  run.serving = read_serving(root.child("serving"));
  if (run.serving.speculation.tokens > 0) {
    run.serving.speculation.seed = run.seed;
    run.draft_is_head = !root.has("draft");
    run.draft = run.draft_is_head ? mtp_head(run.llm) : read_llm(root.child("draft"));
  }
  run.serving.early_exit.seed = run.seed;
  const ConfigNode placement = root.child("placement");
  run.placement = read_placement(placement);
  placement.check("kv_sram_share", run.placement.kv_sram_share == 0 || run.platform.die.hbm,
                  "needs platform.die.hbm: without it keys and values are in SRAM as it is");
  if (run.serving.lora) {
    run.serving.lora->seed = run.seed;
    run.placement.adapters = run.serving.lora->family;
  }
  run.engine = read_engine(root.child("engine"));
  root.reject_unknown_keys();
  return run;
}

/// Reads one section of a tree that holds nothing else.
template <class Read>
auto read_part(std::string_view key, ConfigTree part, const std::vector<std::string>& sets,
               ResolvedValues* kept, Read read) {
  ConfigTree root = make_map(kCommandLine);
  put(root, key, std::move(part));
  for (const auto& assignment : sets) apply_set(root, assignment);
  complete_tables(root);
  ResolvedValues values;
  const ConfigNode node{std::make_shared<const ConfigTree>(std::move(root)), values};
  auto spec = read(node.child(key));
  node.reject_unknown_keys();
  if (kept != nullptr) *kept = std::move(values);
  return spec;
}
}  // namespace

RunSpec read_run(const RunRequest& request) { return run_of(requested_tree(request)); }

PlatformSpec read_platform(const std::string& name_or_path, const std::vector<std::string>& sets,
                           ResolvedValues* values) {
  return read_part("platform", read_config(CatalogueKind::Platform, name_or_path), sets, values,
                   [](const ConfigNode& node) { return read_platform(node); });
}

LlmSpec read_llm(const std::string& name_or_path, const std::vector<std::string>& sets,
                 ResolvedValues* values) {
  return read_part("llm", read_config(CatalogueKind::Llm, name_or_path), sets, values,
                   [](const ConfigNode& node) { return read_llm(node); });
}

WorkloadSpec read_workload(const std::string& argument, const std::vector<std::string>& sets,
                           ResolvedValues* values) {
  return read_part("workload", workload_tree(argument), sets, values,
                   [](const ConfigNode& node) { return read_workload(node); });
}

namespace {
/// A file that is checked: parsed, and as it stands.
struct CheckedFile {
  ConfigTree tree;
  std::string_view text;
  const std::string& label;
};

template <void (*Check)(const ConfigNode&)>
void check_table(CheckedFile file) {
  ResolvedValues values;
  Check({std::make_shared<const ConfigTree>(std::move(file.tree)), values});
}

/// Read as the section `key` of a run.
template <class Read>
void check_part(std::string_view key, ConfigTree tree, Read read) {
  (void)read_part(key, std::move(tree), {}, nullptr, read);
}

/// A serving policy has no key that every one has.
constexpr std::array<std::string_view, 16> kServingKeys{
    "lora",          "routing",     "ttft_limit", "tpot_limit",  "prefill_tokens", "layer_overhead",
    "max_batch",     "speculation", "instances",  "admission",   "queue",          "faults",
    "slo_admission", "preemption",  "kv_spill",   "prefix_cache"};

/// Each other kind of file is known by a key only it has.
struct FileKind {
  std::string_view key;
  std::string_view name;
  void (*check)(CheckedFile file);
};

void check_platform(CheckedFile f) {
  check_part("platform", std::move(f.tree), [](const ConfigNode& n) { return read_platform(n); });
}
void check_llm(CheckedFile f) {
  check_recording(f.tree);
  check_part("llm", std::move(f.tree), [](const ConfigNode& n) { return read_llm(n); });
}
void check_workload(CheckedFile f) {
  check_part("workload", based_workload(std::move(f.tree), f.label),
             [](const ConfigNode& n) { return read_workload(n); });
}
void check_prices(CheckedFile f) {
  PlatformSpec any;
  (void)read_prices(std::move(f.tree), any);
}
void check_resolved(CheckedFile f) {
  (void)run_of(completed(resolved_tree(std::move(f.tree), f.label), {}, true));
}
constexpr std::array kFileKinds{
    FileKind{"reticle_resolved", "resolved", check_resolved},
    FileKind{"sweep", "sweep", [](CheckedFile f) { (void)parse_sweep(f.text, f.label); }},
    FileKind{"die", "platform", check_platform},
    FileKind{"vocabulary", "llm", check_llm},
    FileKind{"kind", "workload", check_workload},
    FileKind{"timing", "hbm", check_table<check_hbm_table>},
    FileKind{"crossbar_share", "kernels", check_table<check_kernel_table>},
    FileKind{"wafer_usd", "silicon", check_table<check_silicon_table>},
    FileKind{"coolant_c", "cooling", check_table<check_cooling_table>},
    FileKind{"page_read", "tier", check_table<check_tier_table>},
    FileKind{"packet", "link", check_table<check_link_table>},
    FileKind{"worked_examples", "claims", [](CheckedFile f) { check_claims(std::move(f.tree)); }},
    FileKind{"groups", "claims", [](CheckedFile f) { check_claims(std::move(f.tree)); }},
    FileKind{"energy", "prices", check_prices},
    FileKind{"cost", "prices", check_prices},
};
}  // namespace

std::string check_text(std::string_view text, const std::string& label) {
  ConfigTree tree = parse_yaml(text, label);
  for (const auto& kind : kFileKinds) {
    if (tree.find(kind.key) == nullptr) continue;
    kind.check({std::move(tree), text, label});
    return std::string{kind.name};
  }
  if (std::ranges::any_of(kServingKeys, [&](auto key) { return tree.find(key) != nullptr; })) {
    check_part("serving", std::move(tree), read_serving);
    return "serving";
  }
  throw ConfigError({label, 1, 1}, "",
                    "expected a platform, llm, workload, hbm, kernels, silicon, cooling, tier, "
                    "link, prices, claims, "
                    "serving, sweep or resolved file");
}

std::string check_file(const std::string& path) {
  const std::string label = label_of(path);
  return check_text(read_yaml_text(path, label), label);
}

}  // namespace reticle
