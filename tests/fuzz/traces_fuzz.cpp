// SPDX-License-Identifier: Apache-2.0
// libFuzzer over the trace readers: the first byte picks the format, the rest is the file.
//   ninja fuzz_traces && ./fuzz_traces -max_total_time=60 tests/fuzz/traces
#include "tests/fuzz/trace_entry.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array<std::string_view, 7> kFormats{
      "", "azure", "burstgpt", "coding-agent", "mooncake", "qwen", "reticle"};
  if (size == 0) return 0;
  const std::string_view content{reinterpret_cast<const char*>(data), size};
  // Corpus files start with the text of a format, or are gzipped: those bytes must mean "look at
  // it".
  const bool text =
      content.starts_with('{') || content.starts_with('T') || content.starts_with("\x1f\x8b");
  const auto format = text ? kFormats[0] : kFormats[data[0] % kFormats.size()];
  reticle::read_any_trace(text ? content : content.substr(1), format, (data[0] & 16) != 0);
  return 0;
}
