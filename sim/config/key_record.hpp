// SPDX-License-Identifier: Apache-2.0
// What the readers of configurations ask for, written down as they ask: JSON Schemas are made of it
// (`reticle manual schema`), so that editors know exactly what the checker knows.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace reticle {

/// What the text of a value may be.
struct ValueShape {
  enum class Kind : std::uint8_t { Any, Integer, Number, Truth, Word, Text, Quantity };
  Kind kind = Kind::Any;
  std::string expected{};            ///< as messages say it
  std::vector<std::string> words{};  ///< of a Word
  bool or_file = false;              ///< of a Word: the path of a file will do too
  std::vector<std::string> units{};  ///< of a Quantity; one of a Number may be left out
  bool bare = false;                 ///< of a Quantity: a number alone will do
  bool natural = false;              ///< of an Integer: not below zero
};

struct AskedKey {
  enum class Form : std::uint8_t { Known, Value, Section, Sections, Texts };
  Form form = Form::Known;
  ValueShape shape{};
  std::optional<std::pair<std::string, std::string>> range{};  ///< both ends included
  std::string fallback{};                                      ///< of a value that may be absent
  bool may_be_none = false;                                    ///< the word `none`
  bool may_be_null = false;
  bool may_be_list = false;   ///< of a Value: or texts in brackets
  std::int64_t required = 0;  ///< readings that could not do without it
};

/// A section, or all of those in one place: of a list, or under names of the user's.
struct AskedSection {
  std::int64_t readings = 0;  ///< that a file of its own kind held
  bool any_name = false;      ///< its keys are names
  bool closed = false;        ///< others are refused
  std::map<std::string, AskedKey> keys;
};

/// While one lives, what is read is recorded. One at a time.
class KeyRecord {
 public:
  KeyRecord();
  ~KeyRecord();
  KeyRecord(const KeyRecord&) = delete;
  KeyRecord& operator=(const KeyRecord&) = delete;

  /// Null: nobody records.
  static KeyRecord* active();

  /// What is required is what this file has to say itself: no table that it names, no default.
  void reads(std::string file) { file_ = std::move(file); }
  /// `label`, as messages call files, is the file that is read.
  [[nodiscard]] bool is_of(const std::string& label) const {
    return label == file_ || (!label.empty() && file_.ends_with("/" + label));
  }
  /// A section that was read to its end; `own`: it stood in the file that is read.
  void add(const std::string& pattern, const AskedSection& asked, bool own);

  /// By path: `platform.die`, with `[]` for the items of a list and `*` for names.
  [[nodiscard]] const std::map<std::string, AskedSection>& sections() const { return sections_; }

 private:
  std::string file_;
  std::map<std::string, AskedSection> sections_;
};

}  // namespace reticle
