// SPDX-License-Identifier: Apache-2.0
// reticle reprice: the counts of a finished run under other prices, without simulating again.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "sim/base/error.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/kept_report.hpp"
#include "sim/config/read_prices.hpp"
#include "sim/config/read_run.hpp"
#include "sim/metrics/report.hpp"

namespace reticle {

namespace {
void reprice(const std::string& directory, const std::string& prices) {
  const std::filesystem::path dir{directory};
  RunRequest request;
  request.resolved = (dir / "resolved.yaml").string();
  const std::string report = read_text(dir / "report.json");
  if (report.empty())
    throw ConfigError({(dir / "report.json").string(), 0, 0}, "",
                      "expected the file of a finished run (reticle run --out DIR), found none");
  PlatformSpec platform = read_run(request).platform;
  (void)read_prices(prices, platform);
  fmt::print("{}", reprice_report_json(report, platform, prices));
}
}  // namespace

void add_reprice(CLI::App& app) {
  CLI::App* sub = app.add_subcommand(
      "reprice", "Price a finished run again; prints its report as JSON with new energy and cost");
  auto directory = std::make_shared<std::string>();
  auto prices = std::make_shared<std::string>();
  sub->add_option("dir", *directory, "Directory of a finished run (reticle run --out DIR)")
      ->required();
  sub->add_option("--prices", *prices, "Price table: a catalogue name or a YAML file")->required();
  sub->footer("Example: reticle reprice results/a --prices optimistic-sram");
  sub->callback([directory, prices] { reprice(*directory, *prices); });
}

}  // namespace reticle
