// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/manual.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "sim/base/exit_code.hpp"
#include "sim/cli/command.hpp"
#include "sim/cli/schema.hpp"

namespace reticle {

namespace {
std::vector<const CLI::App*> subcommands(const CLI::App& app) {
  // A hidden one has no group.
  return app.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); });
}

/// Text that troff takes as it stands: backslashes doubled, hyphens to be copied, no dot in front.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool first = out.empty() || out.back() == '\n';
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (first && (c == '.' || c == '\''))
      out += std::string{"\\&"} + c;
    else
      out += c;
  }
  return out;
}

bool positional(const CLI::Option& option) { return option.get_lnames().empty(); }

std::string value_name(const CLI::Option& option) {
  if (option.get_items_expected_max() == 0) return {};
  std::string name = option.get_type_name();
  return name.substr(0, name.find(':'));
}

void put_option(std::string& out, const CLI::Option& option) {
  const std::string value = value_name(option);
  if (positional(option))
    out += fmt::format(".TP\n\\fI{}\\fR\n", roff(option.get_single_name()));
  else
    out += fmt::format(".TP\n\\fB\\-\\-{}\\fR{}\n", roff(option.get_lnames().front()),
                       value.empty() ? "" : fmt::format(" \\fI{}\\fR", roff(value)));
  out += roff(option.get_description()) + (option.get_required() ? " (required)" : "") + "\n";
}

/// What it takes beside --help.
std::vector<const CLI::Option*> options_of(const CLI::App& command) {
  return command.get_options(
      [](const CLI::Option* option) { return option->get_single_name() != "help"; });
}

void put_command(std::string& out, const CLI::App& command, const std::string& name) {
  const auto below = subcommands(command);
  const auto options = options_of(command);
  if (below.empty() || !options.empty()) {  // some do something without a subcommand
    out += fmt::format(".SS reticle {}\n{}.\n", roff(name), roff(command.get_description()));
    for (const CLI::Option* option : options) put_option(out, *option);
    if (const std::string footer = command.get_footer(); !footer.empty())
      out += ".PP\n" + roff(footer) + "\n";
  }
  for (const CLI::App* sub : below) put_command(out, *sub, name + " " + sub->get_name());
}

struct ExitMeaning {
  ExitCode code;
  std::string_view meaning;
};
constexpr std::array<ExitMeaning, 7> kExits{
    {{ExitCode::Ok, "All went well."},
     {ExitCode::Bug, "A mistake of the program's own."},
     {ExitCode::Usage, "Wrong usage: an option or a word it does not know."},
     {ExitCode::BadInput, "Bad input; the message gives file:line:column and key."},
     {ExitCode::Infeasible, "Valid, but it does not fit or cannot be."},
     {ExitCode::Stuck, "Stuck, or over a limit of time or memory."},
     {ExitCode::Interrupted, "Interrupted (SIGINT, SIGTERM); what was done is kept."}}};

/// What completes the value of an option: a word of `reticle list`.
struct Values {
  std::string_view name, list;
};
constexpr std::array<Values, 6> kCatalogue{{{"platform", "platforms"},
                                            {"platforms", "platforms"},
                                            {"llm", "llms"},
                                            {"workload", "workloads"},
                                            {"serving", "servings"},
                                            {"prices", "prices"}}};
/// What completes what stands without an option after a subcommand: lines of a command.
constexpr std::array<Values, 6> kPositionals{
    {{"describe platform", "list platforms"},
     {"describe llm", "list llms"},
     {"describe workload", "list workloads"},
     {"sweep", "list sweeps"},
     {"registry show", "registry list | sed -n '2,$s/ .*//p'"},
     {"registry validate", "registry list | sed -n '2,$s/ .*//p'"}}};

/// Words of a type such as TEXT:{a,b}, which IsMember gives it; else empty.
std::string words_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto open = type.find('{'), close = type.rfind('}');
  if (open == std::string::npos || close == std::string::npos) return {};
  std::string words = type.substr(open + 1, close - open - 1);
  std::ranges::replace(words, ',', ' ');
  return words;
}

/// One branch of the completion's case: `name` is the path of subcommands.
void put_branch(std::string& out, const CLI::App& command, const std::string& name) {
  std::string words, positionals;
  for (const CLI::App* sub : subcommands(command)) words += sub->get_name() + " ";
  std::string values, files;
  for (const CLI::Option* option : command.get_options()) {
    if (positional(*option)) {
      positionals += words_of(*option) + " ";
      continue;
    }
    const std::string& option_name = option->get_lnames().front();
    words += "--" + option_name + " ";
    const std::string of = words_of(*option);
    if (!of.empty())
      values += fmt::format("        --{}) values=({}) ;;\n", option_name, of);
    else if (option->get_items_expected_max() > 0 &&
             std::ranges::count(kCatalogue, option_name, &Values::name) == 0)
      files += (files.empty() ? "--" : "|--") + option_name;
  }
  if (!files.empty()) values += "        " + files + ") return ;;  # a file or a number\n";
  out += fmt::format("    '{}')\n      words=({})\n", name, words + positionals);
  if (!values.empty()) out += fmt::format("      case $before in\n{}      esac\n", values);
  if (const auto more = std::ranges::find(kPositionals, name, &Values::name);
      more != kPositionals.end())
    out += fmt::format(
        "      [[ $current == -* ]] || mapfile -t -O ${{#words[@]}} words < "
        "<({{ \"${{COMP_WORDS[0]}}\" {}; }} 2>/dev/null)\n",
        more->list);
  out += "      ;;\n";
  for (const CLI::App* sub : subcommands(command))
    put_branch(out, *sub, name.empty() ? sub->get_name() : name + " " + sub->get_name());
}

/// Every path of subcommands that has others below.
void put_parents(std::string& out, const CLI::App& command, const std::string& name) {
  for (const CLI::App* sub : subcommands(command)) {
    const std::string path = name.empty() ? sub->get_name() : name + " " + sub->get_name();
    out += "|'" + path + "'";
    put_parents(out, *sub, path);
  }
}
}  // namespace

std::string man_page(const CLI::App& app, const std::string& version) {
  std::string out = fmt::format(
      ".TH RETICLE 1 \"\" \"reticle {}\" \"User Commands\"\n.SH NAME\nreticle \\- simulate LLM "
      "inference on ASICs, GPUs and wafers\n.SH SYNOPSIS\n.B reticle\n\\fISUBCOMMAND\\fR "
      "[\\fIOPTION\\fR]...\n.SH DESCRIPTION\n{}\nA cycle\\-approximate simulator: platforms, "
      "models, workloads and serving policies are YAML files, found by name in the catalogue "
      "(\\fBreticle list\\fR) or given as paths.\n.SH SUBCOMMANDS\n",
      roff(version), roff(app.get_description()));
  for (const CLI::App* sub : subcommands(app)) put_command(out, *sub, sub->get_name());
  out += ".SH EXIT STATUS\n";
  for (const auto& [code, meaning] : kExits)
    out += fmt::format(".TP\n{}\n{}\n", static_cast<int>(code), roff(meaning));
  out +=
      ".SH ENVIRONMENT\n.TP\nRETICLE_HOME\nThe directory that holds configs/, instead of the "
      "installed one.\n.TP\nRETICLE_PATH\nFurther folders, with colons between, whose files "
      "configurations may name; those they lie in, the working directory and the catalogue need "
      "not be named.\n.SH EXAMPLE\n.nf\nreticle run \\-\\-platform ref\\-asic \\-\\-llm "
      "claude\\-class\\-mid \\-\\-workload steady\\-64\n.fi\n";
  return out;
}

std::string bash_completion(const CLI::App& app) {
  std::string branches, paths;
  put_branch(branches, app, "");
  put_parents(paths, app, "");
  std::string catalogue;
  for (const auto& [name, list] : kCatalogue)
    catalogue += fmt::format(
        "    --{}) mapfile -t values < <(\"${{COMP_WORDS[0]}}\" list {} 2>/dev/null) ;;\n", name,
        list);
  // Names are those of files: they are compared and quoted, and never looked at as shell text, as
  // `compgen -W` would.
  return fmt::format(
      "# bash completion of reticle; printed by `reticle manual bash`.\n"
      "_reticle() {{\n"
      "  local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}\n"
      "  local path='' word list='' words=() values=()\n"
      "  if [[ $current == '=' ]]; then  # --option=value is three words to bash\n"
      "    current=''\n"
      "  elif [[ $before == '=' && COMP_CWORD -gt 1 ]]; then\n"
      "    before=${{COMP_WORDS[COMP_CWORD-2]}}\n"
      "  fi\n"
      "  for word in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do\n"
      "    case \"${{path:+$path }}$word\" in\n"
      "      {}) path=${{path:+$path }}$word ;;\n"
      "    esac\n"
      "  done\n"
      "  case $path in\n{}  esac\n"
      "  case $before in\n{}  esac\n"
      "  if ((${{#values[@]}} == 0)); then\n"
      "    values=(\"${{words[@]}}\")\n"
      "  elif [[ $current == *,* ]]; then  # a list: the last of it\n"
      "    list=${{current%,*}},\n"
      "  fi\n"
      "  COMPREPLY=()\n"
      "  for word in \"${{values[@]}}\"; do\n"
      "    if [[ $word == \"${{current#\"$list\"}}\"* ]]; then\n"
      "      printf -v word %q \"$word\"\n"
      "      COMPREPLY+=(\"$list$word\")\n"
      "    fi\n"
      "  done\n"
      "}}\n"
      "complete -o default -F _reticle reticle\n",
      paths.substr(std::min<std::size_t>(1, paths.size())), branches, catalogue);
}

void add_manual(CLI::App& app) {
  CLI::App* sub =
      app.add_subcommand("manual", "Print the manual page, the shell's completion; write schemas");
  auto what = std::make_shared<std::string>();
  auto directory = std::make_shared<std::string>();
  sub->add_option("what", *what, "man | bash | schema")
      ->required()
      ->check(CLI::IsMember({"man", "bash", "schema"}));
  sub->add_option("directory", *directory, "Of schema: where KIND.schema.json are written");
  sub->footer("Example: reticle manual man | man -l -");
  sub->callback([&app, what, directory] {
    if (*what == "schema") {
      if (directory->empty()) throw CLI::RequiredError("directory");
      write_config_schemas(*directory);
      return;
    }
    fmt::print("{}", *what == "man" ? man_page(app, build_info().version) : bash_completion(app));
  });
}

}  // namespace reticle
