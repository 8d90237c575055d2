// SPDX-License-Identifier: Apache-2.0
// A Hugging Face config.json, asked fact by fact: typed values, the place of what is wrong, and
// which keys nobody asked for.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reticle {

class HfConfig {
 public:
  /// Parses `text`, which came from `path`. Throws ConfigError with file:line:col if it is no JSON
  /// object, has a name twice, or is above 16 MiB. A language model nested under text_config,
  /// llm_config or language_config is unwrapped; keys of the whole checkpoint (torch_dtype,
  /// quantization_config, tie_word_embeddings) may stand beside it.
  HfConfig(std::string path, std::string text);
  ~HfConfig();
  HfConfig(HfConfig&&) noexcept;
  HfConfig& operator=(HfConfig&&) = delete;

  /// Whether the key stands there with a value other than null. Asking makes it a known key.
  [[nodiscard]] bool has(std::string_view key) const;
  /// Values by key; nullopt when absent or null. Throw ConfigError when of another type, or (whole
  /// numbers) outside 0 ... 10^12. A dot in a key leads into a section.
  [[nodiscard]] std::optional<std::int64_t> whole(std::string_view key) const;
  [[nodiscard]] std::optional<bool> flag(std::string_view key) const;
  [[nodiscard]] std::optional<std::string> text(std::string_view key) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;
  [[nodiscard]] std::vector<std::int64_t> wholes(std::string_view key) const;

  /// Of one fact under several names: its value. Throws ConfigError when two of them disagree.
  [[nodiscard]] std::optional<std::int64_t> whole(std::span<const std::string_view> keys) const;

  /// Names in a section.
  [[nodiscard]] std::vector<std::string> names(std::string_view key) const;

  /// Keys that nobody asked for although they say something: neither null, false, 0 nor empty. Of a
  /// section some of whose keys were asked for, the others, dotted.
  [[nodiscard]] std::vector<std::string> unread() const;

  /// Throws ConfigError at the key's place in the file.
  [[noreturn]] void fail(std::string_view key, const std::string& problem) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reticle
