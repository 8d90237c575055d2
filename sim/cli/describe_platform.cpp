// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "models/fabric/topology.hpp"
#include "sim/accounts/energy.hpp"
#include "sim/accounts/silicon.hpp"
#include "sim/cli/describe.hpp"
#include "sim/compare/comparison.hpp"
#include "sim/config/read_run.hpp"
#include "sim/config/resolved.hpp"
#include "sim/mapping/collectives.hpp"
#include "sim/metrics/findings.hpp"
#include "sim/metrics/text_format.hpp"

namespace reticle {

namespace {

/// All-pairs figures of larger fabrics are left out: they would take minutes.
constexpr std::int64_t kMostDiesForPairs = 1024;

class PlatformFacts {
 public:
  PlatformFacts(const PlatformSpec& p, const std::vector<ResolvedValue>& values)
      : p_{p}, values_{values}, n_{static_cast<double>(dies(p))} {}

  std::vector<Fact> all() {
    identity();
    memory();
    compute();
    fabric();
    silicon();
    money();
    claims();
    provenance();
    return std::move(facts_);
  }

 private:
  void add(const char* section, const std::string& key, const char* label, std::string text,
           nlohmann::ordered_json value) {
    facts_.push_back({section, key, label, std::move(text), std::move(value)});
  }
  /// A figure of one die beside that of the deployment.
  void each(const char* section, const std::string& key, const char* label, double per_die,
            const char* unit) {
    facts_.push_back({section,
                      key,
                      label,
                      fmt::format("{} per die, {} in all", with_unit(per_die, unit),
                                  with_unit(per_die * n_, unit)),
                      {{"per_die", per_die}, {"total", per_die * n_}}});
  }

  void identity() {
    add("platform", "name", "name", p_.name + ": " + p_.title, p_.name);
    if (const std::string changed = changed_platform_keys(values_); !changed.empty())
      add("platform", "changed", "changed by --set", changed, changed);
    add("platform", "status", "status", p_.status + ", " + p_.process, p_.status);
    const std::int64_t packages = p_.packages_per_node * p_.nodes;
    add("platform", "deployment", "deployment",
        fmt::format("{} node{}, {} chips (packages), {} dies", p_.nodes, p_.nodes == 1 ? "" : "s",
                    packages, dies(p_)),
        {{"nodes", p_.nodes}, {"packages", packages}, {"dies", dies(p_)}, {"chips", packages}});
  }

  /// What the seed paper states of it, where its own memories contradict that.
  void claims() {
    const PaperClaims paper = read_paper_claims();
    const auto row = std::ranges::find(paper.table1, p_.name, &Table1Row::platform);
    if (row == paper.table1.end()) return;
    std::vector<std::string> formats;
    for (const auto* key : {"weights", "embedding", "activations", "kv"})
      formats.push_back(fmt::format("llm.{}={}", key, row->precision));
    const LlmSpec llm = read_llm(paper.table1_llm, formats);
    for (const auto& text :
         stated_against_memory(p_, paper, *row, {weight_bytes(llm), active_weight_bytes(llm)}))
      add("claims", "", "contradiction", text, nullptr);
  }

  void memory() {
    const auto& die = p_.die;
    each("memory", "sram_bytes", "SRAM", double(die.sram.capacity.count()), "B");
    each("memory", "sram_bytes_per_s", "SRAM bandwidth", double(peak_bandwidth(die.sram).count()),
         "B/s");
    if (die.hbm) {
      each("memory", "hbm_bytes", "HBM", double(capacity(*die.hbm).count()), "B");
      each("memory", "hbm_bytes_per_s", "HBM bandwidth (pins)",
           double(peak_bandwidth(*die.hbm).count()), "B/s");
      add("memory", "hbm_channels", "HBM organisation",
          fmt::format("{}: {} stacks x {} pseudo-channels per die", die.hbm->standard,
                      die.hbm->stacks, die.hbm->pseudo_channels),
          channels(*die.hbm));
    }
    if (die.far) linked_memory("far", "further tier", *die.far);
    if (die.flash) linked_memory("flash", "flash tier", *die.flash);
  }

  void linked_memory(const std::string& key, const char* title, const LinkedMemoryParams& m) {
    each("memory", key + "_bytes", title, double(m.capacity.count()), "B");
    each("memory", key + "_bytes_per_s", "its host link", double(peak_bandwidth(m).count()), "B/s");
    add("memory", key + "_channels", "its device and link",
        fmt::format("{} channels of {} behind {}", m.device.channels, m.device.standard,
                    m.link.standard),
        m.device.channels);
  }

  void compute() {
    const auto& mac = p_.die.mac;
    const double bandwidth =
        double((p_.die.hbm ? peak_bandwidth(*p_.die.hbm) : peak_bandwidth(p_.die.sram)).count());
    for (const auto& fact : kPrecisions) {
      const auto cycles = mac.cycles_per_pass[static_cast<std::size_t>(fact.precision)];
      if (cycles == 0) continue;
      const double flops =
          2.0 * double(macs_per_cycle(mac)) * double(mac.clock.count()) / double(cycles);
      // No peak of the chip, which lacks the units: what weights in this format run at.
      if (const std::string unit = computed_as(fact.name); !unit.empty()) {
        add("compute", std::string{fact.name} + "_flops", fact.name.data(),
            fmt::format("not native: computed as {}, {} per die", unit, with_unit(flops, "FLOP/s")),
            {{"computed_as", unit}, {"per_die", flops}, {"total", flops * n_}});
        continue;
      }
      facts_.push_back({"compute",
                        std::string{fact.name} + "_flops",
                        std::string{fact.name},
                        fmt::format("{} per die, {} in all; ridge point {} FLOP/B of {}",
                                    with_unit(flops, "FLOP/s"), with_unit(flops * n_, "FLOP/s"),
                                    number_text(flops / bandwidth, 3), p_.die.hbm ? "HBM" : "SRAM"),
                        {{"per_die", flops},
                         {"total", flops * n_},
                         {"ridge_flop_per_byte", flops / bandwidth}}});
    }
    add("compute", "mac_array", "MAC array",
        fmt::format("{} arrays of {} x {} at {}", mac.arrays, mac.rows, mac.cols,
                    with_unit(double(mac.clock.count()), "Hz")),
        {{"arrays", mac.arrays},
         {"rows", mac.rows},
         {"cols", mac.cols},
         {"clock_hz", mac.clock.count()}});
    const auto& vector = p_.die.vector;
    each("compute", "vector_ops_per_s", "vector unit",
         double(vector.lanes) * double(vector.clock.count()), "op/s");
    const auto& seq = p_.die.sequencer;
    add("compute", "static_prefetch", "weights",
        seq.static_prefetch ? fmt::format("stream ahead of use, {} staging",
                                          with_unit(double(seq.staging.count()), "B"))
                            : "loaded by kernels one after another, " + launch_text(),
        seq.static_prefetch);
  }

  /// In whose units a format is computed that has none of its own; empty for a native one.
  [[nodiscard]] std::string computed_as(std::string_view format) const {
    const std::string path = fmt::format("platform.die.mac.computed_as.{}", format);
    const auto value = std::ranges::find(values_, path, &ResolvedValue::path);
    return value == values_.end() || value->value == "none" ? std::string{} : value->value;
  }

  /// What goes before a kernel that loads weights.
  [[nodiscard]] std::string launch_text() const {
    const auto& kernels = p_.die.kernels;
    if (!kernels) return "launch gap " + time_text(p_.die.sequencer.launch_gap);
    return fmt::format("{} before each product, {} before other kernels (table {})",
                       time_text(begin_of(*kernels, KernelKind::Product)),
                       time_text(begin_of(*kernels, KernelKind::Small)), kernels->standard);
  }

  void fabric() {
    for (const auto& level : p_.fabric.levels)
      facts_.push_back({"fabric",
                        level.name,
                        level.name,
                        fmt::format("{} of {}, {} per direction per link, {} + {} router",
                                    kind_name(level.kind), level.width * level.height,
                                    with_unit(double(level.link.rate.count()), "B/s"),
                                    time_text(level.link.latency), time_text(level.router_latency)),
                        {{"kind", kind_name(level.kind)},
                         {"size", level.width * level.height},
                         {"bytes_per_s", level.link.rate.count()}}});
    if (dies(p_) < 2) return;
    const std::string choices = Collectives{p_}.describe_choices({0, dies(p_), 1});
    add("fabric", "all_reduce", "all-reduce",
        fmt::format("over all {} dies: {}", dies(p_), choices), choices);
    if (dies(p_) > kMostDiesForPairs) return;
    const Topology topology{p_.fabric};
    add("fabric", "diameter_hops", "diameter",
        fmt::format("{} links, {}", topology.diameter(), time_text(topology.diameter_latency())),
        topology.diameter());
    add("fabric", "bisection_bytes_per_s", "bisection",
        with_unit(double(topology.bisection().count()), "B/s"), topology.bisection().count());
  }

  static const char* kind_name(TopologyKind kind) {
    constexpr std::array<const char*, 5> kNames{"fully connected", "ring", "2-D mesh", "2-D torus",
                                                "switch"};
    return kNames[static_cast<std::size_t>(kind)];
  }

  void silicon() {
    if (const double area = die_area_mm2(p_.die); area > 0) {
      const double share = reticles(p_.die);
      const std::string pieces =
          p_.die.chiplets > 1 ? fmt::format(" in {} pieces", p_.die.chiplets) : "";
      add("silicon", "die_mm2", "die area",
          fmt::format("{} mm2{}, {:.2f} of the {} mm2 reticle{}{}", number_text(area, 4), pieces,
                      share, number_text(kReticleMm2), pieces.empty() ? "" : " each",
                      share > 1 ? ": NOT BUILDABLE as one planar die" : ""),
          {{"mm2", area},
           {"chiplets", p_.die.chiplets},
           {"reticles", share},
           {"buildable", share <= 1}});
    }
    if (const auto made = price_silicon(p_)) making(*made);
    for (const auto& finding : area_findings(p_.die))
      add("silicon", "", "contradiction", finding.text, nullptr);
    const double idle = constant_power_w(p_);
    const double limit = p_.node_power_limit_w * double(p_.nodes);
    add("silicon", "constant_power_w", "power without work",
        with_unit(idle, "W") + (limit > 0 && idle > limit ? ", ABOVE its limit" : ""), idle);
    heat();
    if (limit > 0)
      add("silicon", "power_limit_w", "power limit",
          fmt::format("{} in all, {} per chip", with_unit(limit, "W"),
                      with_unit(p_.node_power_limit_w / double(p_.packages_per_node), "W")),
          limit);
  }

  /// What the limits of power let dies give off, beside what the cooling carries. A node's limit
  /// alone says little: its supply feeds more than dies.
  void heat() {
    const auto bound = heat_flux_bound(p_);
    const double limit = p_.heat_flux_limit_w_per_mm2;
    if (!bound || limit == 0) return;
    std::string text = fmt::format(
        "at most {} W/mm2 of die, within the power limit of the {}; the cooling carries {}",
        number_text(bound->w_per_mm2, 3), bound->of_package ? "package" : "node",
        number_text(limit, 3));
    if (bound->w_per_mm2 > limit)
      text += bound->of_package ? ", LESS than that" : "; no limit of the package is stated";
    add("silicon", "heat_flux_w_per_mm2", "heat flux", text, bound->w_per_mm2);
  }

  /// What a die must hold, and what it costs to make.
  void making(const SiliconReport& made) {
    add("silicon", "floor_mm2", "area at least",
        fmt::format("{} mm2 in {}: SRAM {}, arithmetic {}, HBM PHYs {}",
                    number_text(made.floor.mm2(), 4), p_.die.silicon->standard,
                    number_text(made.floor.sram_mm2, 4), number_text(made.floor.mac_mm2, 4),
                    number_text(made.floor.hbm_phy_mm2, 4)),
        made.floor.mm2());
    add("silicon", "good_die_usd", "a good die",
        p_.die.silicon->whole_wafer
            ? fmt::format("{}: a wafer is a package, used whole", money_text(made.good_die_usd))
            : fmt::format("{}: {} of {} mm2 on a wafer, yield {}", money_text(made.good_die_usd),
                          count_text(std::int64_t(made.dies_per_wafer)),
                          number_text(made.area_mm2 / made.pieces, 4), percent_text(made.yield)) +
                  (made.pieces > 1 ? fmt::format("; {} pieces", number_text(made.pieces)) : ""),
        made.good_die_usd);
    const double price = node_price_usd(p_);
    add("silicon", "package_usd", "made for",
        fmt::format("{} a chip, {} a node{}", money_text(made.package_usd),
                    money_text(made.node_usd),
                    price <= 0 ? ""
                    : made.node_usd > price
                        ? ", MORE than its price of " + money_text(price)
                        : fmt::format(", {} of its price", percent_text(made.node_usd / price))),
        {{"package_usd", made.package_usd}, {"node_usd", made.node_usd}});
    const double rest = made.node_usd - made.node_dies_usd - made.node_hbm_usd - made.node_far_usd;
    add("silicon", "node_parts", "of a node",
        fmt::format("dies {}, HBM {}, far memory {}, packages, losses and the rest {}",
                    money_text(made.node_dies_usd), money_text(made.node_hbm_usd),
                    money_text(made.node_far_usd), money_text(rest)),
        {{"dies_usd", made.node_dies_usd},
         {"hbm_usd", made.node_hbm_usd},
         {"far_usd", made.node_far_usd},
         {"rest_usd", rest}});
  }

  void money() {
    const double price = node_price_usd(p_);
    if (price <= 0) return;
    const double total = price * double(p_.nodes);
    add("money", "capex_usd", "price",
        fmt::format("{} in all, {} per chip", money_text(total),
                    money_text(price / double(p_.packages_per_node))),
        total);
  }

  void provenance() {
    std::map<std::string, std::int64_t> counts;
    for (const auto& value : values_)
      if (!value.confidence.empty()) ++counts[value.confidence];
    std::string text;
    for (const auto& [word, count] : counts)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, word);
    add("provenance", "confidence", "constants", text, counts);
    for (const auto& claim : p_.claims) add("provenance", "claim", "claim", claim, claim);
    for (const char* word : {"claim", "extrapolated"}) {
      auto list = nlohmann::ordered_json::array();
      for (const auto& value : values_) {
        if (value.confidence != word) continue;
        list.push_back(value.path);
        add("provenance", "", word,
            fmt::format("{} = {}  [{}]", value.path, value.value, value.source), nullptr);
      }
      add("provenance", word, "", "", std::move(list));
    }
  }

  const PlatformSpec& p_;
  const std::vector<ResolvedValue>& values_;
  const double n_;
  std::vector<Fact> facts_;
};

}  // namespace

std::vector<Fact> describe(const PlatformSpec& platform, const std::vector<ResolvedValue>& values) {
  return PlatformFacts{platform, values}.all();
}

}  // namespace reticle
