// SPDX-License-Identifier: Apache-2.0
#include "sim/validate/table.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "sim/config/nearest.hpp"
#include "workloads/text/line_source.hpp"

namespace reticle {

namespace {

/// The value that begins at `at`, which moves behind the comma that ends it, or past the end.
std::string next_cell(const LineSource& lines, std::string_view line, std::size_t& at) {
  const std::size_t begin = at;
  if (at >= line.size() || line[at] != '"') {
    const std::size_t end = std::min(line.find(',', at), line.size());
    at = end + 1;
    return std::string{line.substr(begin, end - begin)};
  }
  std::string text;
  for (std::size_t i = begin + 1; i < line.size(); ++i) {
    if (line[i] != '"') {
      text += line[i];
    } else if (i + 1 < line.size() && line[i + 1] == '"') {
      text += line[i++];
    } else if (i + 1 == line.size() || line[i + 1] == ',') {
      at = i + 2;
      return text;
    } else {
      lines.fail(i + 1, "table", "expected a comma behind the closing quote");
    }
  }
  lines.fail(begin, "table", "expected a closing quote on this line");
}

}  // namespace

Table::Table(const std::string& path) : path_{path} {
  LineSource lines{path};
  const auto header = lines.next();
  if (!header) throw ConfigError{{path}, "table", "expected column names, found nothing"};
  for (std::size_t at = 0; at <= header->size();) {
    const std::size_t begin = at;
    columns_.push_back(next_cell(lines, *header, at));
    if (std::find(columns_.begin(), columns_.end() - 1, columns_.back()) != columns_.end() - 1)
      lines.fail(begin, "table", "expected each column once, found " + quoted(columns_.back()));
  }
  constexpr std::size_t kMostCells = 1'000'000;
  while (const auto line = lines.next()) {
    if (rows_.size() * columns_.size() >= kMostCells)
      lines.fail(0, "table", "expected at most 1,000,000 values in all");
    Row& row = rows_.emplace_back();
    row.table_ = this;
    row.line_ = lines.line_number();
    for (std::size_t at = 0; at <= line->size();) {
      const auto column = static_cast<std::int64_t>(at) + 1;
      row.cells_.push_back({next_cell(lines, *line, at), column});
    }
    if (row.cells_.size() != columns_.size())
      lines.fail(0, "table",
                 "expected " + std::to_string(columns_.size()) + " values as in the header, got " +
                     std::to_string(row.cells_.size()));
  }
}

const Table::Row::Cell& Table::Row::cell(std::string_view column) const {
  const auto& names = table_->columns_;
  const auto found = std::find(names.begin(), names.end(), column);
  if (found == names.end())
    throw ConfigError{
        {table_->path_, 1}, column, "expected a column of this name" + did_you_mean(column, names)};
  return cells_[static_cast<std::size_t>(found - names.begin())];
}

std::string_view Table::Row::text(std::string_view column) const { return cell(column).text; }

std::optional<double> Table::Row::number(std::string_view column) const {
  const std::string& text = cell(column).text;
  if (text.empty()) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    fail(column, "expected a number, got " + quoted(text));
  return value;
}

SourcePosition Table::Row::position(std::string_view column) const {
  return {table_->path_, line_, cell(column).column};
}

void Table::Row::fail(std::string_view column, std::string_view problem) const {
  throw ConfigError{position(column), column, problem};
}

}  // namespace reticle
