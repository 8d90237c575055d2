// SPDX-License-Identifier: Apache-2.0
// reticle validate: a row that cannot be told or run is left out with its reason, and costs no
// other.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/process.hpp"

using namespace reticle::test;
using nlohmann::json;

namespace {
const std::string kComponentHead =
    "id,platform,n_gpus,op,shape,precision,latency_us,framework,flag\n";

/// The reason for which the one row of a table is left out; empty where it is scored.
std::string component_reason(const std::string& row) {
  const ScratchDirectory scratch;
  write_file(scratch / "rows.csv", kComponentHead + row +
                                       "\nG,H100-SXM5,1,gemm,M=8;N=8192;K=8192,"
                                       "bf16,60,,\n");
  const Outcome outcome =
      run_reticle({"validate", "components", "--rows", scratch / "rows.csv", "--json"});
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  const json all = json::parse(outcome.out);
  if (all["left_out"].empty()) return {};
  CHECK(all["rows"].size() == 1);
  return all["left_out"].items().begin().key();
}

const std::string kSystemHead =
    "run_id,platform,n_chips,model,precision,parallelism,framework,family,quality,input_len,"
    "output_len,concurrency,metric,value,notes,source\n";

std::string system_reason(const std::string& chips, const std::string& precision,
                          const std::string& parallelism, const std::string& clients,
                          const std::string& platform = "h100-8") {
  const ScratchDirectory scratch;
  const auto row = [&](const std::string& id, const std::string& c, const std::string& p,
                       const std::string& tp, const std::string& n, const std::string& of) {
    return id + "," + of + "," + c + ",llama-3-8b," + p + "," + tp + ",,,A,64,8," + n +
           ",TPOT mean ms,5,,\n";
  };
  write_file(scratch / "rows.csv",
             kSystemHead + row("odd", chips, precision, parallelism, clients, platform) +
                 row("good", "1", "bf16", "TP1", "1", "h100-8"));
  const Outcome outcome = run_reticle({"validate", "systems", scratch / "rows.csv", "--json",
                                       "--csv", scratch / "out.csv", "--jobs", "1"});
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  const json all = json::parse(outcome.out);
  if (all["left_out"].empty()) return {};
  CHECK(all["rows"].size() == 1);
  const std::string reason = all["left_out"].items().begin().key();
  CHECK(contains(read_file(scratch / "out.csv"), "\nodd,"));
  return reason;
}
}  // namespace

TEST_CASE("validate components: odd rows are left out with a reason, the others are scored") {
  const std::string gemm = "X,H100-SXM5,1,gemm,";
  CHECK(component_reason(gemm + "M=4;N=64;K=64,bf16,5,,").empty());
  CHECK(contains(component_reason(gemm + "hello,bf16,5,,"), "expected a whole number M"));
  CHECK(contains(component_reason(gemm + "M=0;N=64;K=64,bf16,5,,"), "expected a whole number M"));
  CHECK(contains(component_reason(gemm + "M=1e12;N=6;K=6,bf16,5,,"), "expected a whole number M"));
  CHECK(contains(component_reason(gemm + "M=4;M=8;N=6;K=6,bf16,5,,"), "M comes twice"));
  CHECK(contains(component_reason("X,H100-SXM5,0,allreduce,bytes=64,bf16,5,,"), "n_gpus"));
  CHECK(contains(component_reason(gemm + "M=4;N=64;K=64,bf16,5,,banana"), "flagged banana"));
}

TEST_CASE("validate systems: configurations that cannot be told or run are left out, one by one") {
  CHECK(system_reason("1", "bf16", "TP1", "2").empty());
  CHECK(contains(system_reason("8", "bf16", "TP3", "2"), "cannot be configured"));
  CHECK(contains(system_reason("8", "bf16", "XYZ", "2"), "parallelism 'XYZ'"));
  CHECK(contains(system_reason("8", "bf16", "TP8 (EP8/4)", "2"), "is not told"));
  CHECK(contains(system_reason("1", "fp8/banana", "TP1", "2"), "formats 'fp8/banana'"));
  CHECK(contains(system_reason("1", "bf16", "TP1", "0"), "not told as numbers"));
  CHECK(contains(system_reason("0", "bf16", "TP1", "2"), "n_chips"));
  CHECK(contains(system_reason("1", "bf16", "TP1", "2", "h100-9"), "no platform for h100-9"));
}

TEST_CASE("validate: what matches no row is said, with exit code 3") {
  const std::string rows = RETICLE_SOURCE_DIR "/configs/measured/components.csv";
  CHECK(run_reticle({"validate", "components", "--rows", rows, "--platform", "H100"}).code == 3);
  const std::string systems = RETICLE_SOURCE_DIR "/configs/measured/systems.csv";
  const Outcome none = run_reticle({"validate", "systems", systems, "--filter", "zzz"});
  CHECK(none.code == 3);
  CHECK(contains(none.err, "zzz"));
}
