// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/command.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "revision.hpp"
#include "sim/config/value_text.hpp"

namespace reticle {

BuildInfo build_info() { return {kVersion, kRevision}; }

namespace {
template <class T>
std::string read_number(std::string& text) {
  const Parsed<T> number = ValueText<T>::parse(text);
  if (!number.value)
    return (number.problem.empty() ? "expected " + ValueText<T>::expected() : number.problem) +
           ", got '" + text + "'";
  text = ValueText<T>::format(*number.value);  // CLI11 takes 010 for octal
  return {};
}

/// By the type that CLI11 writes in help.
constexpr std::array<std::pair<std::string_view, std::string (*)(std::string&)>, 3> kNumbers{
    {{"UINT", read_number<std::uint64_t>},
     {"INT", read_number<std::int64_t>},
     {"FLOAT", read_number<double>}}};
}  // namespace

namespace {
/// Options that say where to write.
constexpr std::array<std::string_view, 5> kTargets{"--out", "--csv", "--plot", "--timeline",
                                                   "--vcd"};

std::string not_empty(std::string& path) {
  return path.empty() ? "expected a path, got ''" : std::string{};
}
}  // namespace

void refuse_empty_targets(CLI::App& app) {
  for (const std::string_view name : kTargets)
    if (CLI::Option* option = app.get_option_no_throw(std::string{name}))
      option->check(CLI::Validator{not_empty, ""});
  for (CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; }))
    refuse_empty_targets(*sub);
}

void read_numbers_as_configurations(CLI::App& app) {
  for (CLI::Option* option : app.get_options({})) {
    const std::string type = option->get_type_name();  // and what its validators say
    for (const auto& [name, read] : kNumbers)
      if (type.starts_with(name)) option->transform(CLI::Validator{read, ""});
  }
  for (CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; }))
    read_numbers_as_configurations(*sub);
}

}  // namespace reticle
