// SPDX-License-Identifier: Apache-2.0
#include "workloads/moe/routing_record.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>

#include "sim/base/error.hpp"
#include "workloads/llm/llm_bounds.hpp"
#include "workloads/text/json_line.hpp"
#include "workloads/text/line_source.hpp"

namespace reticle {

namespace {

constexpr std::int64_t kMaxExperts = llm_bounds::kExperts;
constexpr std::int64_t kMaxLayers = llm_bounds::kLayers;
constexpr std::string_view kCsvBegin = "session,token_pos,layer,e0";

bool looks_like_csv(std::string_view line) { return line.starts_with(kCsvBegin); }
bool looks_like_jsonl(std::string_view line) {
  return line.find("\"reticle_routing\"") != std::string_view::npos;
}

/// Takes whole tokens, in order.
class RecordBuilder {
 public:
  RecordBuilder(const LineSource& lines, RoutingRecord& record) : lines_{lines}, r_{record} {}

  /// The top_k picks of a token at a layer.
  void check_picks(const std::uint64_t* picks, std::size_t offset) const {
    const auto most = static_cast<std::uint64_t>(r_.experts > 0 ? r_.experts : kMaxExperts);
    for (const auto* pick = picks; pick != picks + r_.top_k; ++pick) {
      if (*pick >= most)
        lines_.fail(offset, "experts",
                    "expected an expert below " + std::to_string(most) + ", found " +
                        std::to_string(*pick));
      if (std::find(picks, pick, *pick) != pick)
        lines_.fail(offset, "experts",
                    "expected different experts, found " + std::to_string(*pick) + " twice");
    }
  }

  /// A token's picks at all layers, checked; nothing is taken of one that is refused. Behind rows
  /// left out positions may have a gap, which closes.
  void add(std::int64_t session, std::int64_t position, const std::vector<std::uint64_t>& picks,
           bool gap) {
    const auto id = static_cast<std::uint64_t>(session);
    if (r_.sessions.empty() || r_.sessions.back().id != id) {
      if (!ids_.insert(id).second)
        lines_.fail(0, "session", "expected its tokens one after another, found it again");
      r_.sessions.push_back({id, position, {}});
    } else if (position != next_ && !(gap && position > next_)) {
      lines_.fail(
          0, "token_pos",
          "expected position " + std::to_string(next_) + ", found " + std::to_string(position));
    }
    next_ = position + 1;
    auto& all = r_.sessions.back().picks;
    for (const std::uint64_t pick : picks) {
      all.push_back(static_cast<std::uint16_t>(pick));
      most_ = std::max(most_, static_cast<std::int64_t>(pick));
    }
  }

  void finish(const BadRows& bad) {
    r_.bad_rows = bad;
    if (r_.sessions.empty()) lines_.fail(0, "routing", "expected at least one token, found none");
    if (r_.experts == 0) r_.experts = std::max(most_ + 1, r_.top_k);
  }

 private:
  const LineSource& lines_;
  RoutingRecord& r_;
  std::set<std::uint64_t> ids_;
  std::int64_t next_ = 0;
  std::int64_t most_ = 0;
};

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
  for (std::size_t begin = 0;;) {
    const std::size_t end = std::min(row.find(',', begin), row.size());
    const auto value = whole_number(row.substr(begin, end - begin));
    if (!value)
      lines.fail(begin, "row",
                 "expected a whole number, found " + quoted(row.substr(begin, end - begin)));
    all.push_back(*value);
    if (end == row.size()) return;
    begin = end + 1;
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
          if (fields[2] != token.layers || token.layers >= kMaxLayers)
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
  record.experts = header_number(lines, json, "experts", kMaxExperts);
  record.layers = header_number(lines, json, "layers", kMaxLayers);
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
  return first && (looks_like_csv(*first) || looks_like_jsonl(*first));
}

RoutingRecord read_routing(const std::string& path, bool skip_bad_rows) {
  LineSource lines{path};
  const auto first = lines.peek();
  RoutingRecord record;
  if (first && looks_like_csv(*first))
    read_csv(lines, record, BadRows{skip_bad_rows});
  else if (first && looks_like_jsonl(*first))
    read_jsonl(lines, record, BadRows{skip_bad_rows});
  else
    throw ConfigError{{path, 1, 1},
                      "routing",
                      "expected a line with \"reticle_routing\" or the columns " +
                          std::string{kCsvBegin} + ",..."};
  return record;
}

void write_routing(const RoutingRecord& record, const std::string& path, std::string_view note) {
  std::ofstream file{path, std::ios::binary};
  file << R"({"reticle_routing": 1, "experts": )" << record.experts << R"(, "layers": )"
       << record.layers << R"(, "top_k": )" << record.top_k << R"(, "note": ")" << note << "\"}\n";
  for (const RoutedSession& s : record.sessions)
    for (std::int64_t t = 0; t < record.tokens(s); ++t) {
      file << R"({"session": )" << s.id << R"(, "position": )" << s.first_position + t
           << R"(, "experts": [)";
      const std::uint16_t* picks = record.at(s, t, 0);
      for (std::int64_t i = 0; i < record.layers * record.top_k; ++i)
        file << (i > 0 ? "," : "") << picks[i];
      file << "]}\n";
    }
  if (!file.flush()) throw ConfigError{{path}, "", "expected a file that can be written"};
}

RoutingRecord draw_routing(const ExpertRouter& router, const std::vector<std::int64_t>& lengths) {
  const std::vector<std::int64_t>& layers = router.moe_layers();
  RoutingRecord record{.experts = router.experts(),
                       .layers = static_cast<std::int64_t>(layers.size()),
                       .top_k = router.top_k(),
                       .sessions = {},
                       .bad_rows = BadRows{false}};
  std::vector<std::int32_t> picks(static_cast<std::size_t>(record.top_k));
  for (std::size_t s = 0; s < lengths.size(); ++s) {
    RoutedSession& session = record.sessions.emplace_back();
    session.id = s;
    for (std::int64_t t = 0; t < lengths[s]; ++t)
      for (const std::int64_t layer : layers) {
        router.route(RequestId{s}, t, layer, picks);
        session.picks.insert(session.picks.end(), picks.begin(), picks.end());
      }
  }
  return record;
}

}  // namespace reticle
