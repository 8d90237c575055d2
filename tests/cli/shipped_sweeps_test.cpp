// SPDX-License-Identifier: Apache-2.0
// Shipped sweeps at the fidelity they are shipped with, and whole ones by roofline: what cannot be
// otherwise, whatever the figures.
#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "tests/cli/process.hpp"

using namespace reticle::test;
using nlohmann::json;

namespace {
std::string shipped(const std::string& name) {
  return read_file(std::string{RETICLE_SOURCE_DIR} + "/configs/sweeps/" + name + ".yaml");
}

/// The file's text with a part of it in other words, for less of the same.
std::string with(std::string text, const std::string& part, const std::string& other) {
  REQUIRE(text.find(part) != std::string::npos);
  return text.replace(text.find(part), part.size(), other);
}

/// All points of a sweep.
json rows_of(const std::string& text, const Arguments& more = {}) {
  const ScratchDirectory scratch;
  write_file(scratch / "s.yaml", text);
  REQUIRE(run_reticle(Arguments{"sweep", scratch / "s.yaml", "--out", scratch / "a", "--jobs", "2",
                                "--quiet"} +
                      more)
              .code == 0);
  return json::parse(run_reticle({"sweep", "export", scratch / "a", "--format", "json"}).out);
}
/// Which have to be candidates: within all limits of the hardware that the sweep does not allow.
json points_of(const std::string& text, const Arguments& more = {}) {
  json points = rows_of(text, more);
  std::int64_t others = 0;
  for (const json& p : points) others += p["status"] == "ok" && !p["candidate"].get<bool>();
  CHECK(others == 0);
  return points;
}

std::string by_roofline(std::string text) {
  return text.insert(text.find("  workload:"), "  fidelity: roofline\n");
}

std::string input(const json& point, const std::string& key) {
  return point["inputs"][key].is_null() ? "" : point["inputs"][key].get<std::string>();
}
double number(const json& point, const std::string& key) { return std::stod(input(point, key)); }
double figure(const json& point, const char* name) { return point["outputs"][name].get<double>(); }

/// What a step takes is rounded to picoseconds, dies and tiles.
constexpr double kRounding = 1e-6;
}  // namespace

TEST_CASE("sram-fraction-x-dies: by transaction SRAM never hurts, and dies add bandwidth") {
  const json points = points_of(
      with(shipped("sram-fraction-x-dies"), "[8, 12, 16, 24, 28, 56, 84, 112]", "[12, 28]"));
  CHECK(points.size() == 44);
  // Of one plan: where the planner changes to another, that is its doing.
  std::map<std::tuple<double, double, std::string>, std::map<double, double>> lines;
  std::map<double, std::map<double, double>> bandwidth;
  for (const json& p : points) {
    if (p["status"] != "ok") continue;
    const double batch = number(p, "workload.batch"), dies = figure(p, "dies");
    const double share = number(p, "placement.sram_fraction");
    lines[{batch, dies, p["outputs"]["plan"]}][share] = figure(p, "throughput");
    if (share == 0) bandwidth[batch][dies] = figure(p, "effective_bandwidth");
  }
  // Which weights lie where moves the ends of the last loads of a layer by that much.
  constexpr double kLayout = 5e-3;
  int pairs = 0;
  for (const auto& [where, line] : lines) {
    double before = 0;
    for (const auto& [share, throughput] : line) {
      CAPTURE(share);
      CHECK(throughput >= before * (1 - kLayout));
      before = std::max(before, throughput);
      ++pairs;
    }
    if (line.size() > 2) CHECK(line.rbegin()->second > line.begin()->second);
  }
  CHECK(pairs > 10);
  for (const auto& [batch, line] : bandwidth) {
    REQUIRE(line.size() == 2);
    CHECK(line.rbegin()->second > line.begin()->second);
  }
}

TEST_CASE("fabric-class: a better link under the same plan never slows a step") {
  // One cut, so that the links are all that differs.
  const json points =
      points_of(shipped("fabric-class"),
                sets({"placement.tensor_parallel=48", "placement.expert_parallel=1"}));
  std::map<std::string, std::map<std::string, const json*>> by_batch;
  for (const json& p : points) by_batch[input(p, "workload.batch")][input(p, "class")] = &p;
  CHECK(by_batch.size() == 3);
  for (const auto& [batch, of] : by_batch) {
    CAPTURE(batch);
    REQUIRE(of.size() == 5);
    const auto speed = [&](const char* name) { return figure(*of.at(name), "throughput"); };
    CHECK(speed("rate-x4") >= speed("ref-asic") * (1 - kRounding));
    CHECK(speed("latency-1/4") >= speed("ref-asic") * (1 - kRounding));
    CHECK(speed("ref-asic") >= speed("ndr-400") * (1 - kRounding));
    CHECK(speed("nvlink-5") >= speed("ndr-400") * (1 - kRounding));
    CHECK(of.at("rate-x4")->at("outputs").at("plan") ==
          of.at("ref-asic")->at("outputs").at("plan"));
  }
  // What the sweep is about: one stream waits for links, and a better one helps it.
  const auto& one = by_batch.at("1");
  CHECK(figure(*one.at("latency-1/4"), "throughput") >
        1.01 * figure(*one.at("ndr-400"), "throughput"));
}

TEST_CASE(
    "kv-tiering: all points do the same work, and room or a tier behind it never lose prefixes") {
  const json points = points_of(shipped("kv-tiering"));
  CHECK(points.size() == 18);
  std::map<std::pair<std::string, std::string>, std::map<double, const json*>> lines;
  for (const json& p : points) {
    REQUIRE(p["status"] == "ok");
    CHECK(figure(p, "rejected") == 0);
    CHECK(figure(p, "output_tokens") == figure(points[0], "output_tokens"));
    lines[{input(p, "serving.kv_spill"), input(p, "serving.kv_prefetch")}]
         [number(p, "placement.kv_share")] = &p;
  }
  REQUIRE(lines.size() == 3);
  for (const auto& [which, line] : lines)
    for (auto at = line.begin(); std::next(at) != line.end(); ++at)
      CHECK(figure(*std::next(at)->second, "prefix_hit") >=
            figure(*at->second, "prefix_hit") * (1 - kRounding));
  const auto& off = lines.at({"off", ""});
  for (const char* prefetch : {"true", "false"})
    for (const auto& [share, p] : lines.at({"far", prefetch})) {
      CAPTURE(share);
      CHECK(figure(*p, "prefix_hit") >= figure(*off.at(share), "prefix_hit"));
    }
  // The least room loses prefixes that the tier behind it keeps.
  CHECK(figure(*lines.at({"far", "true"}).begin()->second, "prefix_hit") >
        figure(*off.begin()->second, "prefix_hit") + 0.1);
}

TEST_CASE("paper-sensitivity: share in SRAM, streams and utilisation each push one way alone") {
  const json points = points_of(shipped("paper-sensitivity"));
  std::map<int, std::map<std::string, const json*>> rows;
  for (const json& p : points) rows[p["row"]][p["block"]] = &p;
  CHECK(rows.size() == 256);
  std::map<std::string, int> pairs;
  for (const auto& [row, of] : rows)
    for (const auto& [block, key, name, sign] :
         {std::tuple{"AB0", "placement.sram_fraction", "throughput", 1},
          std::tuple{"AB1", "workload.batch", "throughput", 1},
          std::tuple{"AB2", "platform.cost.utilisation", "usd_per_m_tokens", -1}}) {
      const json &a = *of.at("A"), &b = *of.at(block);
      if (a["status"] != "ok" || b["status"] != "ok") continue;
      CAPTURE(row);
      CAPTURE(key);
      const double step = number(b, key) - number(a, key);
      const double gain = sign * (figure(b, name) / figure(a, name) - 1);
      // Which experts are touched is drawn: one more stream may find others.
      constexpr double kDraw = 5e-3;
      if (step > 0) CHECK(gain >= -kDraw);
      if (step < 0) CHECK(gain <= kDraw);
      pairs[key] += step != 0;
      if (std::string{key} == "platform.cost.utilisation")
        CHECK(figure(b, "throughput") == figure(a, "throughput"));
    }
  for (const auto& [key, n] : pairs) CHECK(n > 100);
}

TEST_CASE("batch-context: by transaction neither a longer context nor more streams help a stream") {
  const std::string text =
      with(with(shipped("batch-context"), "[1024, 4096, 16384, 65536, 131072]", "[4096, 65536]"),
           "[1, 4, 16, 32, 64, 128, 256]", "[1, 16, 64]");
  const json points = points_of(text);
  std::map<std::pair<std::string, double>, std::map<double, double>> by_context, by_batch;
  for (const json& p : points) {
    if (p["status"] != "ok") continue;
    const std::string plan = p["outputs"]["plan"];
    const double batch = number(p, "workload.batch"), context = number(p, "workload.context");
    by_context[{plan, batch}][context] = figure(p, "throughput");
    by_batch[{plan, context}][batch] = figure(p, "per_user");
  }
  constexpr double kRouting = 0.01;  // experts are picked by position
  int pairs = 0;
  for (const auto* lines : {&by_context, &by_batch})
    for (const auto& [where, line] : *lines)
      for (auto at = line.begin(); std::next(at) != line.end(); ++at, ++pairs)
        CHECK(std::next(at)->second <= at->second * (1 + kRouting));
  CHECK(pairs > 2);
}

TEST_CASE("sram-fraction-x-dies: by roofline SRAM never hurts, whatever the dies") {
  // Of one plan: where the planner changes to another, that is its doing.
  std::map<std::tuple<double, double, std::string>, std::map<double, double>> lines;
  std::map<double, json> by_dies;
  for (const json& p : rows_of(by_roofline(shipped("sram-fraction-x-dies")))) {
    if (p["status"] != "ok") continue;
    const json& out = p["outputs"];
    lines[{number(p, "workload.batch"), out["dies"], out["plan"]}]
         [number(p, "placement.sram_fraction")] = out["throughput"];
    by_dies[out["dies"]] = out;
  }
  std::size_t pairs = 0;
  for (const auto& [where, line] : lines)
    for (auto at = line.begin(); std::next(at) != line.end(); ++at, ++pairs)
      CHECK(std::next(at)->second >= at->second * (1 - 1e-9));
  CHECK(pairs > 20);
  CHECK(by_dies.size() == 8);
}

TEST_CASE("expert-sram: by roofline SRAM never hurts, and larger dies cost more to make") {
  std::map<std::string, std::map<double, json>> lines;
  for (const json& p : points_of(by_roofline(shipped("expert-sram")))) {
    REQUIRE(p["status"] == "ok");
    lines[input(p, "sram_holds")][number(p, "platform.die.sram.capacity")] = p["outputs"];
  }
  REQUIRE(lines.size() == 2);
  for (const auto& [holds, line] : lines) {
    CAPTURE(holds);
    CHECK(line.size() == 5);
    for (auto at = line.begin(); std::next(at) != line.end(); ++at) {
      const json &less = at->second, &more = std::next(at)->second;
      CHECK(more["plan"] == less["plan"]);
      CHECK(more["throughput"].get<double>() >= less["throughput"].get<double>() * (1 - kRounding));
      CHECK(more["capex"].get<double>() >= less["capex"].get<double>());
    }
  }
}

TEST_CASE("sram-fraction-x-dies: more dies under one cut never lower the bandwidth a step gets") {
  // Tensors cut in sixteen fit all eight numbers of dies; stages take the rest.
  const std::string text =
      with(with(by_roofline(shipped("sram-fraction-x-dies")), "values: [1, 64]", "values: [64]"),
           "to: 1, steps: 11", "to: 0.1, steps: 2");
  const json points =
      rows_of(text, sets({"placement.tensor_parallel=16", "placement.expert_parallel=1"}));
  std::map<double, std::map<double, double>> lines;
  for (const json& p : points)
    if (p["status"] == "ok")
      lines[number(p, "placement.sram_fraction")][p["outputs"]["dies"]] =
          p["outputs"]["effective_bandwidth"];
  CHECK(lines[0].size() == 8);
  for (const auto& [share, line] : lines)
    for (auto at = line.begin(); std::next(at) != line.end(); ++at) {
      CAPTURE(at->first);
      CHECK(std::next(at)->second >= at->second * (1 - 1e-9));
    }
}

TEST_CASE("batch-context: by roofline neither a longer context nor more streams help a stream") {
  std::map<std::pair<std::string, double>, std::map<double, double>> by_context, by_batch;
  bool weights = false, cache = false;
  for (const json& p : rows_of(by_roofline(shipped("batch-context")))) {
    if (p["status"] != "ok") continue;
    const json& out = p["outputs"];
    const double batch = number(p, "workload.batch"), context = number(p, "workload.context");
    by_context[{out["plan"], batch}][context] = out["throughput"];
    by_batch[{out["plan"], context}][batch] = out["per_user"];
    // The crossing the sweep is about: what binds is the cache where it is most of what HBM reads.
    weights |= out["limited_by"] == "weights_hbm";
    cache |= out["limited_by"] == "kv" && batch * context >= 64 * 16384;
    if (batch * context < 4 * 4096) CHECK(out["limited_by"] != "kv");
  }
  CHECK(weights);
  CHECK(cache);
  // Which experts a token picks hangs on its position: where one stream runs, that may weigh more
  // than a longer context.
  constexpr double kRouting = 0.01;
  for (const auto* lines : {&by_context, &by_batch})
    for (const auto& [where, line] : *lines)
      for (auto at = line.begin(); std::next(at) != line.end(); ++at)
        CHECK(std::next(at)->second <= at->second * (1 + kRouting));
}
