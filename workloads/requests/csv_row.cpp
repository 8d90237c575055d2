// SPDX-License-Identifier: Apache-2.0
#include "workloads/requests/csv_row.hpp"

#include <string>

#include "workloads/text/csv_cells.hpp"

namespace reticle {

void split_csv(const TextPlace& place, std::string_view line,
               std::span<const std::string_view> columns, std::span<Field> row) {
  CsvCells cells{line};
  for (std::size_t column = 0; column < columns.size(); ++column) {
    const std::size_t offset = cells.offset();
    const auto text = cells.next();
    if (!text)
      place.fail(line.size(), columns[column], "expected a value, found the end of the line");
    row[column] = {columns[column], *text, offset};
  }
  const std::size_t offset = cells.offset();
  if (cells.next())
    place.fail(offset, "row",
               "expected " + std::to_string(columns.size()) + " columns, found another " +
                   quoted(line.substr(offset)));
}

}  // namespace reticle
