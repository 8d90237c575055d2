// SPDX-License-Identifier: Apache-2.0
#include "sim/config/key_record.hpp"

#include "sim/base/error.hpp"

namespace reticle {

namespace {
KeyRecord* record = nullptr;
}  // namespace

KeyRecord::KeyRecord() {
  invariant(record == nullptr, "one KeyRecord at a time");
  record = this;
}
KeyRecord::~KeyRecord() { record = nullptr; }

KeyRecord* KeyRecord::active() { return record; }

void KeyRecord::add(const std::string& pattern, const AskedSection& asked, bool own) {
  AskedSection& all = sections_[pattern];
  all.readings += own ? 1 : 0;
  all.any_name |= asked.any_name;
  all.closed |= asked.closed;
  for (const auto& [name, key] : asked.keys) {
    AskedKey& mine = all.keys[name];
    // A reader may look whether a key is there, and take it only in some forms of the section.
    if (mine.form == AskedKey::Form::Known) {
      const std::int64_t required = mine.required;
      const bool may_be_null = mine.may_be_null;
      mine = key;
      mine.required = required;
      mine.may_be_null |= may_be_null;
    }
    if (key.may_be_list && key.form == AskedKey::Form::Value) {  // the form that has more to say
      mine.form = key.form;
      mine.shape = key.shape;
      mine.range = key.range;
    }
    mine.may_be_list |= key.may_be_list;
    mine.required += own ? key.required : 0;
    mine.may_be_none |= key.may_be_none;
    mine.may_be_null |= key.may_be_null;
  }
}

}  // namespace reticle
