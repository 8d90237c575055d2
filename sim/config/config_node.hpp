// SPDX-License-Identifier: Apache-2.0
// A section of a configuration, read key by key. Every value read is written down (ResolvedValue),
// every key not asked for is an error, and every message says file:line:col: key: what was
// expected, what was found.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "sim/config/config_tree.hpp"
#include "sim/config/key_record.hpp"
#include "sim/config/run_spec.hpp"
#include "sim/config/value_text.hpp"

namespace reticle {

using ResolvedValues = std::vector<ResolvedValue>;

/// Both ends included.
template <class T>
struct Range {
  T low;
  T high;
};

/// The unit a key of plain numbers carries in its name: "pJ/bit" for `hbm_pj_per_bit`; else empty.
std::string_view unit_named_by(std::string_view key);

/// Copies share what they know: which keys were asked for, and what they said.
class ConfigNode {
 public:
  /// `tree` must be a map. Values read below it are appended to `log`, which must outlive the node.
  ConfigNode(std::shared_ptr<const ConfigTree> tree, ResolvedValues& log);

  /// The value of a key that must be there.
  template <class T>
  [[nodiscard]] T get(std::string_view key) const {
    if (AskedKey* asked = asked_value<T>(key)) asked->required = stands_here(key) ? 1 : 0;
    return value<T>(key);
  }
  /// The value of a key that may be absent.
  template <class T>
  [[nodiscard]] T get(std::string_view key, const T& fallback) const {
    if (AskedKey* asked = asked_value<T>(key)) asked->fallback = ValueText<T>::format(fallback);
    if (has(key)) return value<T>(key);
    note_default(key, ValueText<T>::format(fallback));
    return fallback;
  }
  template <class T>
  [[nodiscard]] T get(std::string_view key, const Range<T>& range) const {
    return in_range(key, get<T>(key), range);
  }
  template <class T>
  [[nodiscard]] T get(std::string_view key, const T& fallback, const Range<T>& range) const {
    return in_range(key, get<T>(key, fallback), range);
  }
  /// The value of a key whose absence (or the word `none`) means something.
  template <class T>
  [[nodiscard]] std::optional<T> find(std::string_view key) const {
    if (AskedKey* asked = asked_value<T>(key)) asked->may_be_none = true;
    if (!is_none(key)) return value<T>(key);
    note_none(key);
    return std::nullopt;
  }
  template <class T>
  [[nodiscard]] std::optional<T> find(std::string_view key, const Range<T>& range) const {
    const auto found = find<T>(key);
    if (AskedKey* asked = asked_value<T>(key))
      asked->range = {ValueText<T>::format(range.low), ValueText<T>::format(range.high)};
    if (found) in_range(key, *found, range);
    return found;
  }

  /// The key is there; asking makes it a known one.
  [[nodiscard]] bool has(std::string_view key) const;
  /// A section that must be there / may be absent or `none`.
  [[nodiscard]] ConfigNode child(std::string_view key) const;
  [[nodiscard]] std::optional<ConfigNode> find_child(std::string_view key) const;
  /// The keys of this section, in file order.
  [[nodiscard]] std::vector<std::string> keys() const;
  /// The key is there and says nothing: `key: null`.
  [[nodiscard]] bool is_null(std::string_view key) const;
  [[nodiscard]] bool is_list(std::string_view key) const;
  /// A list of sections; it must be there.
  [[nodiscard]] std::vector<ConfigNode> sections(std::string_view key) const;
  /// A list of texts; absent = empty.
  [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;

  /// For schemas: a text that was read is one of these words, or with `or_file` a path, and its
  /// reader refuses others.
  void takes_words(std::string_view key, std::vector<std::string> words,
                   bool or_file = false) const;
  /// Throws "<rule>, got <value>" at the key's value unless `ok`. The key must have been read.
  void check(std::string_view key, bool ok, std::string_view rule) const;
  /// Throws at the key's value, or at this section when the key is absent.
  [[noreturn]] void fail(std::string_view key, const std::string& problem) const;
  /// Throws on the first key nobody asked for.
  void reject_unknown_keys() const;

  [[nodiscard]] const std::string& path() const { return state_->path; }
  /// Where the value of a key, possibly dotted, stands; as near as the tree goes.
  [[nodiscard]] SourcePosition position_of(std::string_view key) const;

 private:
  struct State {
    std::shared_ptr<const ConfigTree> tree;
    std::string path;
    ResolvedValues* log = nullptr;
    std::vector<std::string> known;           ///< keys asked for
    std::map<std::string, std::string> said;  ///< key -> value read, canonical
    std::string pattern;                      ///< path, with * for names and [] for numbers
    AskedSection asked;                       ///< for the KeyRecord, where there is one
  };
  /// Where a value's unit stands: in its text, in the name of its key, or nowhere.
  enum class UnitStyle { InText, InKey, None };
  template <class T>
  static constexpr UnitStyle unit_style() {
    if constexpr (std::is_same_v<T, double>) return UnitStyle::InKey;
    constexpr bool kNone =
        std::is_integral_v<T> || std::is_enum_v<T> || std::is_same_v<T, std::string>;
    return kNone ? UnitStyle::None : UnitStyle::InText;
  }
  explicit ConfigNode(std::shared_ptr<State> state) : state_{std::move(state)} {}

  template <class T>
  T value(std::string_view key) const {
    return read<T>(key, leaf(key, ValueText<T>::expected()));
  }
  /// Null: nobody records.
  template <class T>
  AskedKey* asked_value(std::string_view key) const {
    AskedKey* const asked = this->asked(key, AskedKey::Form::Value);
    if (asked != nullptr) asked->shape = ValueText<T>::shape();
    return asked;
  }
  AskedKey* asked(std::string_view key, AskedKey::Form form) const;
  /// In the file that is read, not in a table it names.
  [[nodiscard]] bool stands_here(std::string_view key) const;
  [[nodiscard]] ConfigNode below(const ConfigTree& tree, std::string path,
                                 std::string pattern) const;

  template <class T>
  T read(std::string_view key, const ConfigTree& leaf) const {
    const std::string text = with_unit(key, leaf, unit_style<T>());
    const Parsed<T> parsed = ValueText<T>::parse(text);
    if (!parsed.value) refuse_text(key, text, parsed.problem, ValueText<T>::expected());
    note(key, ValueText<T>::format(*parsed.value), leaf);
    return *parsed.value;
  }
  template <class T>
  T in_range(std::string_view key, T value, const Range<T>& range) const {
    if (AskedKey* asked = this->asked(key, AskedKey::Form::Value))
      asked->range = {ValueText<T>::format(range.low), ValueText<T>::format(range.high)};
    check(key, range.low <= value && value <= range.high,
          "must be between " + ValueText<T>::format(range.low) + " and " +
              ValueText<T>::format(range.high));
    return value;
  }

  [[nodiscard]] std::string path_of(std::string_view key) const;
  [[nodiscard]] bool is_none(std::string_view key) const;
  [[nodiscard]] const ConfigTree& leaf(std::string_view key, const std::string& expected) const;
  [[nodiscard]] std::string with_unit(std::string_view key, const ConfigTree& leaf,
                                      UnitStyle style) const;
  [[noreturn]] void refuse_text(std::string_view key, const std::string& text,
                                const std::string& problem, const std::string& expected) const;
  void note(std::string_view key, const std::string& value, const ConfigTree& leaf) const;
  void note_default(std::string_view key, const std::string& value) const;
  void note_none(std::string_view key) const;

  std::shared_ptr<State> state_;
};

}  // namespace reticle
