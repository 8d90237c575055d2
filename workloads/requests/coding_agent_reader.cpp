// SPDX-License-Identifier: Apache-2.0
// Sessions of coding agents, one JSON document each: id, block_size, hash_id_scope, requests[] of
// t (s), type, in, out, hash_ids, think_time; a request of type "subagent" has requests[] of its
// own, whose t counts from its start. Ids are prefixes, and local to a file.
// [github.com/callanjfox/kv-cache-tester; docs/workloads.md]
#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "sim/base/rng.hpp"
#include "workloads/requests/hash_ids.hpp"
#include "workloads/requests/trace_formats.hpp"
#include "workloads/requests/trace_row.hpp"
#include "workloads/requests/trace_stream.hpp"
#include "workloads/text/json_line.hpp"

namespace reticle {

namespace {

namespace fs = std::filesystem;

constexpr std::int32_t kDeepest = 8;  // of sub-agents within sub-agents

class AgentRequests final : public RequestSource {
 public:
  AgentRequests(const std::string& path, bool skip_bad_rows) : RequestSource{skip_bad_rows} {
    for (const std::string& file : files_of(path)) read_session(file);
    std::stable_sort(requests_.begin(), requests_.end(),
                     [](const Request& a, const Request& b) { return a.arrival < b.arrival; });
  }

  bool next(Request& request) override {
    if (next_ == requests_.size()) return false;
    request = std::move(requests_[next_++]);
    return true;
  }
  [[nodiscard]] std::int64_t block_tokens() const override { return block_tokens_; }
  std::uint64_t digest() override { return digest_; }

 private:
  static std::vector<std::string> files_of(const std::string& path) {
    std::error_code error;
    if (!fs::is_directory(path, error)) return {path};
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator{path, error}) {
      const std::string name = entry.path().string();
      if (name.ends_with(".json") || name.ends_with(".json.gz")) files.push_back(name);
    }
    if (files.empty())
      throw ConfigError{
          {path}, "", "expected a folder with sessions (*.json, *.json.gz), found none"};
    std::sort(files.begin(), files.end());  // a directory has no order of its own
    return files;
  }

  void read_session(const std::string& path) {
    LineSource lines{path};
    const TextDocument document{lines};
    digest_ = sessions_ == 0 ? lines.digest() : combine64(digest_, lines.digest());
    if (document.text().empty())
      throw ConfigError{{path}, "requests", "expected at least one, found none"};
    JsonLine session{document};
    session.parse(document.text());
    set_block_tokens(document, session.at("block_size"));
    if (const Field* scope = session.find("hash_id_scope"); scope && scope->text != "\"local\"")
      document.fail(scope->offset, scope->key, "expected \"local\", found " + quoted(scope->text));
    turn_ = 0;
    read_requests(document, session, session.at("requests"), Picoseconds{0}, 0);
    ++sessions_;
  }

  void set_block_tokens(const TextPlace& place, const Field& field) {
    const std::int64_t tokens = read_tokens(place, field);
    if (tokens == 0 || (sessions_ > 0 && tokens != block_tokens_))
      place.fail(field.offset, field.key,
                 "expected a size above 0, the same in all files, found " + quoted(field.text));
    block_tokens_ = tokens;
  }

  void read_requests(const TextPlace& place, const JsonLine& parent, const Field& array,
                     Picoseconds start, std::int32_t depth) {
    if (depth > kDeepest) place.fail(array.offset, array.key, "expected at most 8 nested agents");
    std::optional<Picoseconds> before;
    for (const Field& element : parent.elements(array)) {
      try {
        JsonLine row{place};
        row.parse(element.text, element.offset);
        const Field& time = row.at("t");
        const Picoseconds at = start + read_offset(place, time, start);
        if (before && *before - at > kDisorder)
          place.fail(
              time.offset, time.key,
              "expected a time at most 10 s before the request above, found " + quoted(time.text));
        before = at;
        if (const Field* type = row.find("type"); type && type->text == "\"subagent\"") {
          read_requests(place, row, row.at("requests"), at, depth + 1);
        } else {
          read_request(place, row, at, depth);
        }
      } catch (const ConfigError& error) {
        bad_rows_.take(error);
      }
    }
  }

  static Picoseconds read_offset(const TextPlace& place, const Field& time, Picoseconds start) {
    constexpr std::int64_t kMost = 9'223'372 * kPicosecondsPerSecond;
    const Picoseconds offset = read_seconds(place, time);
    if (offset.count() > kMost - start.count())
      place.fail(time.offset, time.key, "expected a session of at most 106 days");
    return offset;
  }

  void read_request(const TextPlace& place, const JsonLine& row, Picoseconds at,
                    std::int32_t depth) {
    Request request{.arrival = at,
                    .input_tokens = read_tokens(place, row.at("in")),
                    .output_tokens = read_tokens(place, row.at("out"))};
    // Requests that were not served have none.
    if (const Field* ids = row.find("hash_ids"))
      read_block_ids(place, row, *ids, block_tokens_, BlockIds::AtMostOne, request);
    for (std::uint64_t& id : request.prefix_blocks) id = combine64(sessions_ + 1, id);
    if (const Field* pause = row.find("think_time"); pause && pause->text != "null")
      request.pause = read_seconds(place, *pause);
    request.session = sessions_;
    request.turn = turn_++;
    request.depth = depth;
    if (served(request)) requests_.push_back(std::move(request));
  }

  std::vector<Request> requests_;
  std::size_t next_ = 0;
  std::uint64_t sessions_ = 0;
  std::int64_t turn_ = 0;
  std::int64_t block_tokens_ = 0;
  std::uint64_t digest_ = 0;
};

}  // namespace

bool looks_like_coding_agent(std::string_view first_line) {
  return first_line.starts_with('{') &&
         first_line.find("\"block_size\"") != std::string_view::npos &&
         first_line.find("\"requests\"") != std::string_view::npos;
}

std::unique_ptr<RequestSource> open_coding_agent(const std::string& path, bool skip_bad_rows) {
  return std::make_unique<AgentRequests>(path, skip_bad_rows);
}

}  // namespace reticle
