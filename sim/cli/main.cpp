// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <system_error>

#include "sim/base/error.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/interrupt.hpp"
#include "sim/cli/manual.hpp"
#include "sim/config/text_check.hpp"

// SystemC's library refers to sc_main from a main() of its own, which ours replaces.
extern "C" int sc_main(int, char*[]) { return 0; }

namespace {

int fail(const char* what, reticle::ExitCode code) {
  std::fprintf(stderr, "%s\n", what);
  return static_cast<int>(code);
}

int fail_output(int error) {
  return fail(("standard output: cannot write: " + std::generic_category().message(error)).c_str(),
              reticle::ExitCode::BadInput);
}

/// What is buffered may meet a full disk only now; what was not has left its mark.
int ended() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return fail_output(errno);
  return static_cast<int>(reticle::ExitCode::Ok);
}

bool is_subcommand(const CLI::App& app, const std::string& name) {
  const auto all = app.get_subcommands([](const CLI::App*) { return true; });
  return std::any_of(all.begin(), all.end(),
                     [&](const CLI::App* sub) { return sub->get_name() == name; });
}

}  // namespace

int main(int argc, char** argv) {
  using namespace reticle;
  std::signal(SIGXFSZ, SIG_IGN);  // a file beyond the user's limit fails as on a full disk
  end_cleanly_on_signals();
  for (int i = 1; i < argc; ++i)
    if (const auto problem = text_problem(argv[i]))
      return fail(("argument " + std::to_string(i) + ": " + problem->what).c_str(),
                  ExitCode::BadInput);
  const BuildInfo build = build_info();
  CLI::App app{"Reticle: what an LLM-inference ASIC would really do, on simulated silicon."};
  app.set_version_flag("--version", "reticle " + build.version + " (" + build.git_revision + ")");
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::simple);
  add_run(app);
  add_describe(app);
  add_list(app);
  add_llm(app);
  add_check(app);
  add_capacity(app);
  add_compare(app);
  add_explain(app);
  add_registry(app);
  add_reprice(app);
  add_sweep(app);
  add_validate(app);
  add_workload(app);
  add_manual(app);
  read_numbers_as_configurations(app);
  refuse_empty_targets(app);
  if (argc > 1 && argv[1][0] != '-' && !is_subcommand(app, argv[1])) {
    std::string known;
    for (const CLI::App* sub :
         app.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); }))
      known += " " + sub->get_name();
    return fail(("unknown subcommand '" + std::string{argv[1]} + "'; known:" + known).c_str(),
                ExitCode::Usage);
  }
  try {
    app.parse(argc, argv);  // runs the chosen subcommand
    return ended();
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ended() : static_cast<int>(ExitCode::Usage);
  } catch (const ConfigError& error) {
    return fail(error.what(), ExitCode::BadInput);
  } catch (const InfeasibleError& error) {
    return fail(error.what(), ExitCode::Infeasible);
  } catch (const InterruptedError& error) {
    return fail(error.what(), ExitCode::Interrupted);
  } catch (const SimulationError& error) {
    return fail(error.what(), ExitCode::Stuck);
  } catch (const std::bad_alloc&) {
    return fail("out of memory", ExitCode::Stuck);
  } catch (const std::filesystem::filesystem_error& error) {
    return fail(error.what(), ExitCode::BadInput);
  } catch (const std::system_error& error) {
    if (std::ferror(stdout) != 0) return fail_output(error.code().value());
    return fail((std::string{"reticle: the system refused: "} + error.what()).c_str(),
                ExitCode::Stuck);
  } catch (const std::exception& error) {
    return fail((std::string{"reticle: a mistake of the program's own: "} + error.what()).c_str(),
                ExitCode::Bug);
  }
}
