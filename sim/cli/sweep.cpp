// SPDX-License-Identifier: Apache-2.0
// reticle sweep: many design points, and what they say together.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <thread>

#include "sim/base/error.hpp"
#include "sim/base/log.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/sweep_run.hpp"
#include "sim/config/read_sweep.hpp"

namespace reticle {

namespace {
struct Options {
  std::string file;
  std::vector<std::string> sets;
  std::string out;
  SweepOptions run;
  bool resume = true;  ///< said or not, a store is gone on from
};

std::string tally_text(const SweepTally& tally, const std::string& out) {
  std::string text = fmt::format("{} points in {:.1f} s", tally.points, tally.wall_s);
  for (const auto& [status, number] : tally.by_status)
    text += fmt::format(", {} {}", number, name_of(status));
  if (tally.before > 0) text += fmt::format("; {} were there before", tally.before);
  if (tally.answered > 0) text += fmt::format("; {} answered by the same inputs", tally.answered);
  if (tally.peak_rss_bytes > 0)
    text += fmt::format("; largest process {:.0f} MB",
                        static_cast<double>(tally.peak_rss_bytes) / 1e6);
  return text + fmt::format("\nStore: {}\n", (std::filesystem::path{out} / "sweep.sqlite").string());
}

void sweep(Options& options) {
  SweepSpec spec = read_sweep(options.file);
  spec.base.sets.insert(spec.base.sets.end(), options.sets.begin(), options.sets.end());
  if (options.out.empty()) options.out = "results/" + spec.name;
  options.run.out = options.out;
  const SweepTally tally = run_sweep(spec, options.run);
  fmt::print("{}", tally_text(tally, options.out));
  if (tally.interrupted)
    throw SimulationError("interrupted: the same command goes on from here");
}
}  // namespace

void add_sweep(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("sweep", "Many design points, in processes beside each other");
  sub->add_option("file", options->file, "A sweep: a catalogue name or a YAML file");
  sub->add_option("--set", options->sets, "key=value for every point; may be repeated")
      ->take_all()
      ->allow_extra_args(false);
  sub->add_option("--out", options->out, "Directory of the store; results/NAME otherwise");
  options->run.jobs = std::max(1U, std::thread::hardware_concurrency());
  sub->add_option("--jobs", options->run.jobs, "Points at a time")->check(CLI::PositiveNumber);
  sub->add_flag("--resume", options->resume, "Go on from the store; it is the default");
  sub->add_flag("--retry", options->run.retry,
                "Also points that crashed, were stuck or ran out of time");
  sub->add_flag("--replace", options->run.replace,
                "The store holds another sweep: its results stay, its points go");
  sub->add_flag("--quiet", options->run.quiet, "No progress");
  sub->footer("Example: reticle sweep sram-fraction-x-dies --jobs 2 --out results/a");
  sub->callback([options, sub] {
    if (!sub->get_subcommands().empty()) return;
    if (options->file.empty()) throw CLI::RequiredError("file");
    sweep(*options);
  });
}

}  // namespace reticle
