// SPDX-License-Identifier: Apache-2.0
// A table of measurements: comma-separated values under one line of column names, gzipped or not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/error.hpp"

namespace reticle {

/// Values may stand in quotes, a quote within as two (RFC 4180), and end on the line they begin on:
/// a line break within quotes is refused. Errors name file:line:col.
class Table {
 public:
  /// One line; valid as long as its table is.
  class Row {
   public:
    /// Throws ConfigError if the table has no such column.
    [[nodiscard]] std::string_view text(std::string_view column) const;
    /// Nothing where the value is empty. Throws ConfigError if it is no finite number.
    [[nodiscard]] std::optional<double> number(std::string_view column) const;
    [[nodiscard]] SourcePosition position(std::string_view column) const;
    [[noreturn]] void fail(std::string_view column, std::string_view problem) const;

   private:
    friend class Table;
    struct Cell {
      std::string text;
      std::int64_t column;  ///< where it begins in its line, from 1
    };
    [[nodiscard]] const Cell& cell(std::string_view column) const;

    const Table* table_ = nullptr;
    std::int64_t line_ = 0;
    std::vector<Cell> cells_;
  };

  /// Reads the whole file. Throws ConfigError where it is no table: no header, a name twice, a row
  /// with more or fewer values than names, a quote that is not closed.
  explicit Table(const std::string& path);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::vector<std::string> columns_;
  std::vector<Row> rows_;
};

}  // namespace reticle
