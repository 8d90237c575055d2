// SPDX-License-Identifier: Apache-2.0
#include "workloads/requests/csv_row.hpp"

#include <string>

namespace reticle {

void split_csv(const TextPlace& place, std::string_view line,
               std::span<const std::string_view> columns, std::span<Field> row) {
  std::size_t offset = 0;
  for (std::size_t column = 0; column < columns.size(); ++column) {
    if (offset > line.size())
      place.fail(line.size(), columns[column], "expected a value, found the end of the line");
    const std::string_view text = line.substr(offset, line.find(',', offset) - offset);
    row[column] = {columns[column], text, offset};
    offset += text.size() + 1;
  }
  if (offset <= line.size())
    place.fail(offset, "row",
               "expected " + std::to_string(columns.size()) + " columns, found another " +
                   quoted(line.substr(offset)));
}

}  // namespace reticle
