// SPDX-License-Identifier: Apache-2.0
// Walks configs/: every file is valid, and every constant of silicon says where it comes from.
#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "sim/config/catalogue.hpp"
#include "sim/config/read_run.hpp"
#include "sim/config/write_llm.hpp"
#include "tests/sim/config/config_fixture.hpp"

namespace reticle {
namespace {
namespace fs = std::filesystem;
using test::message_of;

std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry :
       fs::recursive_directory_iterator{RETICLE_SOURCE_DIR "/configs/" + folder})
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  std::ranges::sort(files);
  return files;
}

/// A bare whole number counts something; a bare word names something. All else is physical.
bool is_count_or_word(const std::string& text) {
  const bool digits = std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c); });
  const bool word = !text.empty() && !std::isdigit(static_cast<unsigned char>(text[0]));
  return digits || word;
}

bool is_label(std::string_view key) { return key == "name" || key == "title" || key == "status"; }

/// Lists the leaves below `tree` that lack what they owe: all of them a source, and physical ones
/// and prices a source of their own.
void find_unsourced(const ConfigTree& tree, const std::string& path, bool prices,
                    std::vector<std::string>& found) {
  for (const auto& entry : tree.entries) {
    const std::string here = path.empty() ? entry.key : path + "." + entry.key;
    const bool priced = prices || entry.key == "energy" || entry.key == "cost";
    const ConfigTree& value = entry.value;
    if (value.kind == ConfigTree::Kind::Leaf && !is_label(here)) {
      const bool owes_own = priced || !is_count_or_word(value.text);
      if (value.source.empty() || value.confidence.empty() || (owes_own && !value.own_provenance))
        found.push_back(to_string(value.position) + ": " + here);
    }
    find_unsourced(value, here, priced, found);
  }
}

std::vector<std::string> unsourced(const ConfigTree& tree) {
  std::vector<std::string> found;
  find_unsourced(tree, "", false, found);
  return found;
}
}  // namespace

TEST_CASE("configs: every file is valid and of the kind its folder says") {
  for (const auto& [folder, kind] :
       std::vector<std::pair<std::string, std::string>>{{"platforms", "platform"},
                                                        {"workloads", "workload"},
                                                        {"hbm", "hbm"},
                                                        {"tiers", "tier"},
                                                        {"links", "link"},
                                                        {"prices", "prices"},
                                                        {"claims", "claims"},
                                                        {"llms", "llm"}}) {
    CHECK_FALSE(files_below(folder).empty());
    for (const auto& file : files_below(folder)) {
      const std::string problem = message_of([&] { CHECK(check_file(file) == kind); });
      CHECK_MESSAGE(problem == "no error", file);
    }
  }
}

TEST_CASE("configs: every constant of silicon has a source and a confidence") {
  for (const auto* folder : {"platforms", "hbm", "tiers", "links", "prices"})
    for (const auto& file : files_below(folder))
      for (const auto& leaf : unsourced(read_yaml(file, fs::path{file}.filename().string())))
        FAIL_CHECK(leaf << " has no source of its own");
}

TEST_CASE("configs: a format whose cycles are another's says which, and no other does") {
  for (const auto& name : catalogue_names(CatalogueKind::Platform)) {
    const ConfigTree tree =
        read_yaml(RETICLE_SOURCE_DIR "/configs/platforms/" + name + ".yaml", name);
    const ConfigTree& mac = *tree.find("die")->find("mac");
    const ConfigTree* computed_as = mac.find("computed_as");
    for (const auto& [format, position, cycles] : mac.find("cycles_per_pass")->entries) {
      CAPTURE(name);
      CAPTURE(format);
      const ConfigTree* unit = computed_as == nullptr ? nullptr : computed_as->find(format);
      const bool borrowed = cycles.source.find("computed as ") != std::string::npos ||
                            cycles.source.find("not native") != std::string::npos ||
                            cycles.source.find("converted to") != std::string::npos;
      CHECK(borrowed == (unit != nullptr));
      if (unit != nullptr)
        CHECK(cycles.text == mac.find("cycles_per_pass")->find(unit->text)->text);
    }
  }
}

TEST_CASE("configs: the check for sources finds what is missing") {
  const auto found = [](std::string_view yaml) {
    return unsourced(parse_yaml(yaml, "t.yaml")).size();
  };
  const std::string common = "provenance: {source: s, confidence: estimate}\n";
  CHECK(found("banks: 4") == 1);
  CHECK(found(common + "banks: 4\nname: x\nstandard: hbm4") == 0);
  CHECK(found(common + "clock: 1.2 GHz") == 1);
  CHECK(found(common + "clock: {value: 1.2 GHz, source: s}") == 1);
  CHECK(found(common + "energy: {die_static_w: 60}") == 1);
  CHECK(found("clock: {value: 1.2 GHz, source: s, confidence: claim}") == 0);
}

TEST_CASE("configs: platforms are named as their files") {
  for (const auto& name : catalogue_names(CatalogueKind::Platform))
    CHECK(read_platform(name).name == name);
  for (const auto& name : catalogue_names(CatalogueKind::Llm)) CHECK(read_llm(name).name == name);
}

TEST_CASE("configs: every model has the parameters it states, within 0.3 %") {
  for (const auto& name : catalogue_names(CatalogueKind::Llm)) {
    CAPTURE(name);
    const ConfigTree tree = read_yaml(RETICLE_SOURCE_DIR "/configs/llms/" + name + ".yaml", name);
    const ConfigTree* stated = tree.find("stated");
    REQUIRE(stated != nullptr);
    const ParameterCounts counts = count_parameters(read_llm(name));
    const auto check = [&](const char* key, std::int64_t found) {
      const ConfigTree* leaf = stated->find(key);
      REQUIRE(leaf != nullptr);
      CHECK(static_cast<double>(found) == doctest::Approx(std::stod(leaf->text)).epsilon(0.003));
    };
    check("total_parameters", counts.total);
    check("active_parameters", counts.active);
  }
}

TEST_CASE("write_llm: every shipped model is read back as it was") {
  for (const auto& name : catalogue_names(CatalogueKind::Llm)) {
    CAPTURE(name);
    const LlmSpec llm = read_llm(name);
    const std::string text = write_llm(llm, {"a \"title\"", "a source", "estimate", "two\nlines"});
    const test::TempFile file{text};
    const LlmSpec again = read_llm(file.path());
    CHECK(write_llm(again, {"a \"title\"", "a source", "estimate", "two\nlines"}) == text);
    CHECK(again.layers == llm.layers);
    CHECK(weight_bytes(again) == weight_bytes(llm));
    CHECK(held_bytes(again, llm.max_context) == held_bytes(llm, llm.max_context));
    CHECK(count_parameters(again).active == count_parameters(llm).active);
  }
}

TEST_CASE("configs: every platform grows to three times its nodes by one key") {
  for (const auto& name : catalogue_names(CatalogueKind::Platform)) {
    CAPTURE(name);
    const PlatformSpec one = read_platform(name);
    const std::size_t joined = one.nodes > 1 ? 0 : 1;  // levels that a second node brings
    const PlatformSpec three =
        read_platform(name, {"platform.nodes=" + std::to_string(3 * one.nodes)});
    CHECK(dies(three) == 3 * dies(one));
    CHECK(three.fabric.levels.back().name == "scale_out");
    CHECK(three.fabric.levels.size() == one.fabric.levels.size() + joined);
  }
}

TEST_CASE("read_llm: orders and mixers that do not fit are refused at their place") {
  const auto refusal = [](const std::string& set) {
    return message_of([&] { (void)read_llm("gpt-oss-120b", {set}); });
  };
  CHECK(refusal("llm.mixer_order=36*full").find("must use every mixer") != std::string::npos);
  CHECK(refusal("llm.mixer_order=18*(sliding none) full").find("mixer_order") != std::string::npos);
  CHECK(refusal("llm.layers=35").find("expected 35 layers, found 36") != std::string::npos);
  CHECK(refusal("llm.mixer_order=36*none").find("must use every mixer") != std::string::npos);
  CHECK(refusal("llm.mixer_order=18*(sliding fill)").find("found 'fill'") != std::string::npos);
  CHECK(refusal("llm.ffn_order=36*moe").find("dense_layers or ffn_order") != std::string::npos);
  CHECK(refusal("llm.mixers.full.kind=rwkv").find("latent_attention") != std::string::npos);
  CHECK(refusal("llm.mixers.full.kv_heads=7").find("must divide") != std::string::npos);
  CHECK(refusal("llm.mixers.full.windw=7").find("window") != std::string::npos);
}

TEST_CASE("configs: ref-asic has the rates its comments state") {
  const PlatformSpec p = read_platform("ref-asic");
  CHECK(dies(p) == 48);
  CHECK(static_cast<double>(peak_bandwidth(p.die.sram).count()) ==
        doctest::Approx(78.6e12).epsilon(0.001));
  CHECK(static_cast<double>(peak_bandwidth(*p.die.hbm).count()) == doctest::Approx(4.096e12));
  const double flops =
      2.0 * static_cast<double>(macs_per_cycle(p.die.mac) * p.die.mac.clock.count());
  CHECK(flops == doctest::Approx(2.5e15).epsilon(0.01));
  CHECK(p.die.silicon->standard == "n2");
}

TEST_CASE("read_platform: an area is stated or follows from fill and a process node, not both") {
  const auto refusal = [](const std::string& set) {
    try {
      (void)read_platform("h100-8", {set});
    } catch (const ConfigError& error) {
      return std::string{error.what()};
    }
    return std::string{};
  };
  CHECK(refusal("platform.die.fill=0.5").find("state one of them") != std::string::npos);
  CHECK(refusal("platform.die.silicon.standard=n1").find("process node") != std::string::npos);
  CHECK(refusal("platform.die.silicon.defects_per_cm2=-1").find("defects_per_cm2") !=
        std::string::npos);
  CHECK(refusal("platform.cost.bond_yield=0").find("bond_yield") != std::string::npos);
}

TEST_CASE("configs: ref-asic-paper keeps the paper's envelope and says what it needs") {
  const PlatformSpec p = read_platform("ref-asic-paper");
  const double node_gb = static_cast<double>(p.die.sram.capacity.count() * dies(p)) / 1e9;
  CHECK(node_gb >= 200);
  CHECK(node_gb <= 400);
  CHECK_FALSE(p.die.hbm.has_value());
  CHECK(p.node_power_limit_w == 2000);
  CHECK(p.cost.node_price_usd == 12000);
  CHECK(p.die.area_mm2 > 858);
  CHECK_FALSE(p.claims.empty());
}

/// Array and I/O, a row read as a whole.
double full_row_pj_per_bit(const PlatformSpec& p) {
  const HbmPrices& e = p.energy.hbm;
  const double bits = 8 * static_cast<double>(p.die.hbm->row.count());
  return e.activate_nj * 1000 / bits + e.read_pj_per_bit + e.io_pj_per_bit;
}

/// All banks open while the buses are full.
double open_bank_pj_per_bit(const PlatformSpec& p) {
  const HbmParams& hbm = *p.die.hbm;
  const double watts =
      static_cast<double>(channels(hbm) * banks(hbm)) * p.energy.hbm.bank_active_mw * 1e-3;
  return watts / (8 * static_cast<double>(peak_bandwidth(hbm).count())) * 1e12;
}

std::string rate_of(const std::string& standard) {
  const ConfigTree table =
      read_yaml(RETICLE_SOURCE_DIR "/configs/hbm/" + standard + ".yaml", "table");
  return table.find("data_rate")->text;
}

TEST_CASE("configs: h100-8 reproduces the vendor's peaks") {
  const PlatformSpec p = read_platform("h100-8");
  CHECK(dies(p) == 8);
  CHECK(static_cast<double>(peak_bandwidth(*p.die.hbm).count()) ==
        doctest::Approx(3.35e12).epsilon(0.001));
  CHECK(static_cast<double>(peak_bandwidth(p.die.sram).count()) ==
        doctest::Approx(5.5e12).epsilon(0.001));
  CHECK(capacity(*p.die.hbm).count() == 80'000'000'000);
  const auto bf16 = p.die.mac.cycles_per_pass[static_cast<std::size_t>(Precision::Bf16)];
  const double flops =
      2.0 * static_cast<double>(macs_per_cycle(p.die.mac) * p.die.mac.clock.count() / bf16);
  CHECK(flops == doctest::Approx(989.4e12).epsilon(0.001));
  // What a decoded bit costs on the whole board, static aside, is the measured 19.5 pJ.
  const auto& e = p.energy;
  CHECK(full_row_pj_per_bit(p) + open_bank_pj_per_bit(p) + e.hbm.phy_pj_per_bit +
            e.transport_pj_per_bit ==
        doctest::Approx(19.5).epsilon(0.001));
}

TEST_CASE("configs: vendors' platforms have the peaks that docs/platforms.md states, within 1 %") {
  struct Rate {
    Precision format;
    double tflops;
  };
  struct Chip {
    std::string platform;
    std::vector<Rate> rates;  ///< dense, per chip
    double hbm_gb_per_s;      ///< 0 = no HBM
    double sram_tb_per_s;     ///< 0 = not stated
  };
  using enum Precision;
  const std::vector<Chip> chips{
      {"a100-8", {{Bf16, 312}, {Int8, 624}}, 2039, 7.2},
      {"h200-8", {{Bf16, 989.4}, {Fp8, 1979}}, 4800, 5.5},
      {"h800-8", {{Bf16, 989.4}, {Fp8, 1979}}, 3350, 5.5},
      {"b200-8", {{Bf16, 2250}, {Fp8, 4500}, {Nvfp4, 9000}}, 7700, 0},
      {"gb200-nvl72", {{Bf16, 2500}, {Fp8, 5000}, {Nvfp4, 10'000}}, 8000, 0},
      {"gb300-nvl72", {{Bf16, 2500}, {Fp8, 5000}, {Int8, 165}, {Nvfp4, 15'000}}, 8000, 0},
      {"rubin", {{Bf16, 4000}, {Fp8, 17'500}, {Nvfp4, 35'000}}, 22'000, 0},
      {"mi300x-8", {{Bf16, 1307}, {Fp8, 2615}}, 5300, 17.2},
      {"mi355x-8", {{Bf16, 2500}, {Fp8, 5000}, {Mxfp4, 10'000}}, 8000, 0},
      {"tpu-v5p", {{Bf16, 459}, {Int8, 918}}, 2765, 0},
      {"tpu-ironwood", {{Bf16, 2307}, {Fp8, 4614}}, 7370, 0},
      {"trainium2", {{Fp32, 181}, {Bf16, 667}, {Fp8, 1299}}, 2900, 0},
      {"trainium3", {{Fp32, 183}, {Bf16, 671}, {Fp8, 2517}, {Mxfp4, 2517}}, 4900, 0},
      {"groq-lpu", {{Fp16, 188}, {Int8, 750}}, 0, 80},
      {"cerebras-wse3", {{Fp16, 15'625}}, 0, 21'000},
      {"sohu", {{Fp8, 9722}}, 4800, 0},
      {"sn40l", {{Bf16, 638}}, 1600, 0},
  };
  for (const Chip& chip : chips) {
    CAPTURE(chip.platform);
    const PlatformSpec p = read_platform(chip.platform);
    const auto per_chip = static_cast<double>(p.dies_per_package);
    const auto within = [](double found, double stated) {
      CHECK(found == doctest::Approx(stated).epsilon(0.01).scale(0));
    };
    for (const Rate& rate : chip.rates) {
      const auto cycles = p.die.mac.cycles_per_pass[static_cast<std::size_t>(rate.format)];
      REQUIRE(cycles > 0);
      const auto macs =
          static_cast<double>(macs_per_cycle(p.die.mac)) / static_cast<double>(cycles);
      within(2 * macs * static_cast<double>(p.die.mac.clock.count()) * per_chip / 1e12,
             rate.tflops);
    }
    CHECK(p.die.hbm.has_value() == (chip.hbm_gb_per_s > 0));
    if (p.die.hbm)
      within(static_cast<double>(peak_bandwidth(*p.die.hbm).count()) * per_chip / 1e9,
             chip.hbm_gb_per_s);
    if (chip.sram_tb_per_s > 0)
      within(static_cast<double>(peak_bandwidth(p.die.sram).count()) * per_chip / 1e12,
             chip.sram_tb_per_s);
  }
}

TEST_CASE(
    "configs: a torus of three dimensions is a plane and a ring on which every chip has a link") {
  for (const auto* name : {"tpu-v5p", "tpu-ironwood", "trainium2"}) {
    CAPTURE(name);
    const PlatformSpec p = read_platform(name);
    const auto& levels = p.fabric.levels;
    const FabricLevel& plane = levels[levels.size() - 2];
    CHECK(plane.kind == TopologyKind::Torus2d);
    CHECK(plane.width == 4);
    CHECK(plane.height == 4);
    CHECK(levels.back().kind == TopologyKind::Ring);
    CHECK(levels.back().width == 4);
    CHECK(levels.back().ports == p.packages_per_node * p.dies_per_package);
  }
}

TEST_CASE("configs: HBM's energy with rows used in full is the standard's published total") {
  struct Total {
    std::string standard;
    double low, high;
  };
  for (const Total& total :
       {Total{"hbm2", 3.59, 3.92}, Total{"hbm2e", 3.3, 4.2}, Total{"hbm3", 3.0, 4.2},
        Total{"hbm3e", 2.8, 4.0}, Total{"hbm4", 2.0, 3.2}}) {
    CAPTURE(total.standard);
    const PlatformSpec p =
        read_platform("h100-8", {"platform.die.hbm.standard=" + total.standard,
                                 "platform.die.hbm.data_rate=" + rate_of(total.standard)});
    CHECK(full_row_pj_per_bit(p) >= total.low);
    CHECK(full_row_pj_per_bit(p) + open_bank_pj_per_bit(p) <= total.high);
    // Scattered bursts of 64 B open a row each: 512 bits pay what 8192 did.
    const double scattered =
        full_row_pj_per_bit(p) + p.energy.hbm.activate_nj * 1000 * (1.0 / 512 - 1.0 / 8192);
    CHECK(scattered > 1.4 * full_row_pj_per_bit(p));
  }
}

TEST_CASE("configs: HBM's energy is the standard's unless the platform says otherwise") {
  const auto hbm4 = read_platform("ref-asic").energy.hbm;
  const auto hbm3 = read_platform("ref-asic", {"platform.die.hbm.standard=hbm3"}).energy.hbm;
  CHECK(hbm4.activate_nj < hbm3.activate_nj);
  const auto own = read_platform("ref-asic", {"platform.energy.hbm.activate_nj=2"}).energy.hbm;
  CHECK(own.activate_nj == 2);
  CHECK(own.io_pj_per_bit == hbm4.io_pj_per_bit);
  CHECK(read_platform("ref-asic-paper").energy.hbm.activate_nj == 0);
}
}  // namespace reticle
