// SPDX-License-Identifier: Apache-2.0
#include "workloads/moe/routing_record.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>

#include "sim/base/error.hpp"
#include "sim/base/file_writer.hpp"
#include "workloads/moe/record_builder.hpp"
#include "workloads/moe/routed_batch.hpp"
#include "workloads/moe/router_data.hpp"
#include "workloads/text/csv_cells.hpp"
#include "workloads/text/json_line.hpp"
#include "workloads/text/json_string.hpp"
#include "workloads/text/line_source.hpp"

namespace reticle {

namespace {

constexpr std::string_view kCsvBegin = "session,token_pos,layer,e0";

bool looks_like_csv(std::string_view line) { return line.starts_with(kCsvBegin); }
bool looks_like_jsonl(std::string_view line) {
  return line.find("\"reticle_routing\"") != std::string_view::npos;
}

/// Whether `read` went through; else what it threw is a bad row.
template <class Read>
bool good(BadRows& bad, Read read) {
  try {
    read();
    return true;
  } catch (const ConfigError& error) {
    bad.take(error);
    return false;
  }
}

/// Whole numbers of a CSV row into `all`; complains at the first field that is none.
void numbers(const LineSource& lines, std::string_view row, std::vector<std::int64_t>& all) {
  all.clear();
  CsvCells cells{row};
  for (std::size_t begin = 0; const auto cell = cells.next(); begin = cells.offset()) {
    const auto value = whole_number(*cell);
    if (!value) lines.fail(begin, "row", "expected a whole number, found " + quoted(*cell));
    all.push_back(*value);
  }
}

/// Layers of the first token say how many there are; the experts are those that occur. A row that
/// is left out takes its token with it.
void read_csv(LineSource& lines, RoutingRecord& record, BadRows bad) {
  struct Token {
    std::int64_t session = -1, position = -1, layers = 0;
    std::vector<std::uint64_t> picks{};
    bool whole = true;
  } token;
  const std::string_view header = *lines.next();
  record.top_k = std::count(header.begin(), header.end(), ',') - 2;
  RecordBuilder builder{lines, record};
  std::vector<std::int64_t> fields;
  bool gap = false;
  const auto take = [&] {
    if (token.session < 0) return;
    const bool taken =
        token.whole && good(bad, [&] {
          const std::int64_t layers = record.layers == 0 ? token.layers : record.layers;
          if (token.layers != layers)
            lines.fail(0, "layer",
                       "expected " + std::to_string(layers) + " layers for every token, found " +
                           std::to_string(token.layers));
          builder.add(token.session, token.position, token.picks, gap);
          record.layers = layers;
        });
    gap = !taken;
  };
  while (const auto row = lines.next()) {
    const bool legible = good(bad, [&] {
      numbers(lines, *row, fields);
      if (static_cast<std::int64_t>(fields.size()) != 3 + record.top_k)
        lines.fail(0, "row",
                   "expected " + std::to_string(3 + record.top_k) + " fields, found " +
                       std::to_string(fields.size()));
    });
    const bool named = fields.size() >= 2;
    if (named && (fields[0] != token.session || fields[1] != token.position)) {
      take();
      token = {fields[0], fields[1]};
    }
    if (!legible) {
      // Whose row it was may be lost; a token that has all its layers it was not.
      token.whole &= !named && token.layers == record.layers;
      continue;
    }
    token.whole =
        token.whole && good(bad, [&] {
          if (fields[2] != token.layers || token.layers >= RecordBuilder::kMaxLayers)
            lines.fail(0, "layer",
                       "expected layer " + std::to_string(token.layers) + ", found " +
                           std::to_string(fields[2]));
          ++token.layers;
          token.picks.insert(token.picks.end(), fields.begin() + 3, fields.end());
          builder.check_picks(
              &token.picks[token.picks.size() - static_cast<std::size_t>(record.top_k)], 0);
        });
  }
  take();
  builder.finish(bad);
}

std::int64_t header_number(const LineSource& lines, const JsonLine& json, std::string_view key,
                           std::int64_t most) {
  const Field& field = json.at(key);
  const auto value = whole_number(field.text);
  if (!value || *value < 1 || *value > most)
    lines.fail(field.offset, key,
               "expected a whole number from 1 to " + std::to_string(most) + ", found " +
                   quoted(field.text));
  return *value;
}

std::int64_t row_number(const LineSource& lines, const JsonLine& json, std::string_view key) {
  const Field& field = json.at(key);
  if (const auto value = whole_number(field.text)) return *value;
  lines.fail(field.offset, key, "expected a whole number, found " + quoted(field.text));
}

void read_jsonl(LineSource& lines, RoutingRecord& record, BadRows bad) {
  JsonLine json{lines};
  json.parse(*lines.next());
  json.reject_unknown({"reticle_routing", "experts", "layers", "top_k", "note"});
  if (json.at("reticle_routing").text != "1")
    lines.fail(json.at("reticle_routing").offset, "reticle_routing",
               "expected version 1, found " + quoted(json.at("reticle_routing").text));
  record.experts = header_number(lines, json, "experts", RecordBuilder::kMaxExperts);
  record.layers = header_number(lines, json, "layers", RecordBuilder::kMaxLayers);
  record.top_k = header_number(lines, json, "top_k", record.experts);
  RecordBuilder builder{lines, record};
  const auto expected = static_cast<std::size_t>(record.layers * record.top_k);
  bool gap = false;
  while (const auto row = lines.next())
    gap = !good(bad, [&] {
      json.parse(*row);
      json.reject_unknown({"session", "position", "experts"});
      const Field& field = json.at("experts");
      const std::vector<std::uint64_t> picks = json.ids(field);
      if (picks.size() != expected)
        lines.fail(field.offset, "experts",
                   "expected layers x top_k = " + std::to_string(expected) + " of them, found " +
                       std::to_string(picks.size()));
      for (std::size_t i = 0; i < expected; i += static_cast<std::size_t>(record.top_k))
        builder.check_picks(&picks[i], field.offset);
      builder.add(row_number(lines, json, "session"), row_number(lines, json, "position"), picks,
                  gap);
    });
  builder.finish(bad);
}

}  // namespace

bool is_routing(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  LineSource lines{path};
  const auto first = lines.peek();
  return first && (looks_like_csv(*first) || looks_like_jsonl(*first) || is_router_data(lines));
}

RoutingRecord read_routing(const std::string& path, bool skip_bad_rows) {
  LineSource lines{path};
  const auto first = lines.peek();
  RoutingRecord record;
  if (first && looks_like_csv(*first))
    read_csv(lines, record, BadRows{skip_bad_rows});
  else if (first && looks_like_jsonl(*first))
    read_jsonl(lines, record, BadRows{skip_bad_rows});
  else if (is_routing(path))
    return read_router_data(lines);
  else
    throw ConfigError{{path, 1, 1},
                      "routing",
                      "expected a line with \"reticle_routing\", the columns " +
                          std::string{kCsvBegin} + ",... or a document with router_data"};
  return record;
}

void write_routing(const RoutingRecord& record, const std::string& path, std::string_view note) {
  WholeFile whole{path};
  std::ostream& file = whole.text();
  file << R"({"reticle_routing": 1, "experts": )" << record.experts << R"(, "layers": )"
       << record.layers << R"(, "top_k": )" << record.top_k << R"(, "note": )" << json_string(note)
       << "}\n";
  for (const RoutedSession& s : record.sessions)
    for (std::int64_t t = 0; t < record.tokens(s); ++t) {
      file << R"({"session": )" << s.id << R"(, "position": )" << s.first_position + t
           << R"(, "experts": [)";
      const std::uint16_t* picks = record.at(s, t, 0);
      for (std::int64_t i = 0; i < record.layers * record.top_k; ++i)
        file << (i > 0 ? "," : "") << picks[i];
      file << "]}\n";
    }
  whole.done();
}

RoutingRecord draw_routing(const ExpertRouter& router, const std::vector<std::int64_t>& lengths) {
  const std::vector<std::int64_t>& layers = router.moe_layers();
  RoutingRecord record{.experts = router.experts(),
                       .layers = static_cast<std::int64_t>(layers.size()),
                       .top_k = router.top_k(),
                       .sessions = {},
                       .bad_rows = BadRows{false}};
  const std::int64_t top_k = record.top_k, token_picks = record.layers * top_k;
  RoutedBatch batch{router};
  for (std::size_t s = 0; s < lengths.size(); ++s) {
    RoutedSession& session = record.sessions.emplace_back();
    session.id = s;
    session.picks.resize(static_cast<std::size_t>(lengths[s] * token_picks));
    batch.clear();
    batch.add(RequestId{s}, 0, lengths[s]);
    for (std::int64_t layer = 0; layer < record.layers; ++layer) {
      const auto drawn = batch.route(layers[static_cast<std::size_t>(layer)]);
      for (std::int64_t t = 0; t < lengths[s]; ++t)
        std::copy_n(drawn.begin() + t * top_k, top_k,
                    session.picks.begin() + t * token_picks + layer * top_k);
    }
  }
  return record;
}

}  // namespace reticle
