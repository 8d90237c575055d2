// SPDX-License-Identifier: Apache-2.0
// reticle explain: what binds a run, and what twice of each resource would make of it.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <thread>

#include "sim/base/error.hpp"
#include "sim/base/file_writer.hpp"
#include "sim/base/log.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/interrupt.hpp"
#include "sim/cli/kept_report.hpp"
#include "sim/cli/run_files.hpp"
#include "sim/config/read_run.hpp"
#include "sim/explain/explanation.hpp"
#include "sim/sweep/point_process.hpp"

namespace reticle {

namespace {
struct Options {
  std::string directory;
  bool json = false;
  std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
};

AnswerText text_of(const PointOutcome& outcome) {
  if (outcome.code == 0) return {.report = outcome.output, .problem = {}};
  return {.report = {}, .problem = outcome.output.empty() ? "ended by a signal" : outcome.output};
}

void explain_run(const Options& options) {
  set_log_level("error");
  const std::filesystem::path directory{options.directory};
  const std::filesystem::path resolved = directory / "resolved.yaml";
  std::error_code problem;
  if (!std::filesystem::exists(resolved, problem))
    throw ConfigError({resolved.string(), 0, 0}, "",
                      "expected the resolved.yaml of a `reticle run --out`, got no such file");
  RunRequest request;
  request.resolved = resolved.string();
  const std::vector<Lever> all = levers(read_run(request));
  // What has been answered by this program stays beside the run.
  // The run itself is among them: steps that were watched were not recalled, and the others are.
  const auto kept = [&](std::size_t i) {
    const std::string key = i == 0 ? "base" : std::string{fact_of(all[i - 1].resource).key};
    return directory / "what-if" / (key + ".json");
  };
  make_output_directory(directory / "what-if", "");
  const auto work = [&](std::size_t i) {
    RunRequest mine = request;
    if (i > 0) mine.sets = all[i - 1].sets;
    return kept_report(mine, kept(i));
  };
  const Interruptible interruptible;
  std::vector<AnswerText> answers(all.size() + 1);
  std::size_t done = 0;
  const auto on_done = [&](std::size_t i, const PointOutcome& outcome) {
    answers[i] = text_of(outcome);
    if (answers[i].report.empty()) return true;
    write_file_atomically(kept(i), answers[i].report);
    ++done;
    return true;
  };
  (void)run_points(answers.size(), options.jobs, work, on_done, kUntilAsked);
  throw_if_asked(done, answers.size(), "runs",
                 "they are kept, and the same command goes on from here");
  const AnswerText base = answers.front();
  answers.erase(answers.begin());
  const Explanation explanation = explain(base, all, answers);
  const std::string json = explanation_json(explanation);
  write_file_atomically(directory / "explain.json", json);
  fmt::print("{}", options.json ? json : explanation_text(explanation));
}
}  // namespace

void add_explain(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand(
      "explain", "What binds a run, and what if there were twice as much of each resource");
  sub->add_option("DIR", options->directory, "Directory of a run (reticle run --out DIR)")
      ->required();
  sub->add_flag("--json", options->json, "Print one JSON document");
  sub->add_option("--jobs", options->jobs, "Runs at a time")->check(CLI::PositiveNumber);
  sub->footer("Writes DIR/explain.json, and the reports of the changed runs to DIR/what-if.");
  sub->callback([options] { explain_run(*options); });
}

}  // namespace reticle
