// SPDX-License-Identifier: Apache-2.0
#include "sim/base/error.hpp"

namespace reticle {

std::string to_string(const SourcePosition& position) {
  std::string text = position.file;
  if (position.line > 0) text += ":" + std::to_string(position.line);
  if (position.line > 0 && position.column > 0) text += ":" + std::to_string(position.column);
  return text;
}

namespace {
std::string config_message(const SourcePosition& position, std::string_view key,
                           std::string_view problem) {
  std::string text = to_string(position);
  if (!text.empty()) text += ": ";
  if (!key.empty()) text.append(key).append(": ");
  return text.append(problem);
}
}  // namespace

ConfigError::ConfigError(const SourcePosition& position, std::string_view key,
                         std::string_view problem)
    : std::runtime_error{config_message(position, key, problem)}, position_{position} {}

void fail_invariant(std::string_view why, const std::source_location& where) {
  throw InvariantError(std::string{where.file_name()} + ":" + std::to_string(where.line()) +
                       ": broken invariant: " + std::string{why});
}

}  // namespace reticle
