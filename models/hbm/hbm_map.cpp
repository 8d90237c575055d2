// SPDX-License-Identifier: Apache-2.0
#include "models/hbm/hbm_map.hpp"

#include <charconv>
#include <stdexcept>

namespace reticle {

namespace {
struct FieldName {
  std::string_view name;
  HbmMap::Field field;
};
constexpr std::array kFields{
    FieldName{"co", HbmMap::Field::Column}, FieldName{"bg", HbmMap::Field::BankGroup},
    FieldName{"ba", HbmMap::Field::Bank},   FieldName{"si", HbmMap::Field::StackId},
    FieldName{"ro", HbmMap::Field::Row},
};
constexpr std::int64_t kMostBits = 30;     // of an address within a channel
constexpr std::int64_t kOpenRowBits = 30;  // the row takes what is left

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}
}  // namespace

HbmMap::Parsed HbmMap::parse(std::string_view text) {
  Parsed parsed;
  std::array<std::int64_t, kFields.size()> seen;
  seen.fill(1);
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    const FieldName* found = nullptr;
    for (const auto& field : kFields)
      if (word.starts_with(field.name)) found = &field;
    // The row field may leave its size open: it takes whatever lies above the others.
    const bool open = word == "ro" && text.empty();
    const bool times = word.size() > 2 && word[2] == '*';
    const auto value = open    ? std::optional<std::int64_t>{kOpenRowBits}
                       : found ? number(word.substr(times ? 3 : 2))  // length of the name
                               : std::nullopt;
    if (!value || *value < (times ? 1 : 0) || *value > (times ? (1LL << kMostBits) : kMostBits)) {
      parsed.error = "\"" + std::string{word} + "\" is no field: co, bg, ba, si or ro with bits " +
                     "(\"ro14\") or values (\"si*3\")";
      return parsed;
    }
    const std::int64_t size = times ? *value : std::int64_t{1} << *value;
    auto& below = seen[static_cast<std::size_t>(found->field)];
    parsed.parts.push_back({.field = found->field, .size = size, .scale = below});
    below *= size;
  }
  return parsed;
}

std::optional<std::string> HbmMap::fault(const HbmParams& params) {
  const Parsed parsed = parse(params.address_map);
  if (!parsed.error.empty()) return parsed.error;
  std::int64_t columns = 0;
  for (const Part& part : parsed.parts) columns += part.field == Field::Column;
  if (parsed.parts.empty() || parsed.parts.back().field != Field::Row)
    return "ro comes last: all banks are walked through before the next row";
  for (std::size_t i = 0; i + 1 < parsed.parts.size(); ++i)
    if (parsed.parts[i].field == Field::Row) return "ro stands once, at the end";
  if (columns > 2) return "co stands once or twice";
  std::array<std::int64_t, kFields.size()> sizes;
  sizes.fill(1);
  for (const Part& part : parsed.parts) sizes[static_cast<std::size_t>(part.field)] *= part.size;
  struct Need {
    Field field;
    std::int64_t size;
    std::string_view what;
  };
  const std::array needs{
      Need{Field::Column, params.row.count() / params.burst.count(), "co: bursts of a row"},
      Need{Field::BankGroup, params.bank_groups, "bg: bank_groups"},
      Need{Field::Bank, params.banks_per_group, "ba: banks_per_group"},
      Need{Field::StackId, params.stack_ids, "si: stack_ids"},
  };
  for (const Need& need : needs)
    if (sizes[static_cast<std::size_t>(need.field)] != need.size)
      return std::string{need.what} + " are " + std::to_string(need.size) + ", the map gives " +
             std::to_string(sizes[static_cast<std::size_t>(need.field)]);
  return std::nullopt;
}

HbmMap::HbmMap(const HbmParams& params)
    : groups_{params.bank_groups}, banks_per_group_{params.banks_per_group} {
  if (const auto wrong = fault(params)) throw std::invalid_argument("address map: " + *wrong);
  parts_ = parse(params.address_map).parts;
  for (const Part& part : parts_)
    if (part.field == Field::Row) rows_ *= part.size;
}

HbmPlace HbmMap::place(std::int64_t burst) const {
  std::array<std::int64_t, kFields.size()> at{};
  for (const Part& part : parts_) {
    const bool shift = (part.size & (part.size - 1)) == 0;
    const std::int64_t value = shift ? burst & (part.size - 1) : burst % part.size;
    burst = shift ? burst >> __builtin_ctzll(static_cast<unsigned long long>(part.size))
                  : burst / part.size;
    at[static_cast<std::size_t>(part.field)] += value * part.scale;
  }
  const auto of = [&](Field field) { return at[static_cast<std::size_t>(field)]; };
  // What lies beyond the map's rows wraps round: bandwidth studies may run past the end.
  return {.bank = static_cast<std::int32_t>((of(Field::StackId) * groups_ + of(Field::BankGroup)) *
                                                banks_per_group_ +
                                            of(Field::Bank)),
          .row = static_cast<std::int32_t>(of(Field::Row)),
          .column = static_cast<std::int32_t>(of(Field::Column))};
}

}  // namespace reticle
