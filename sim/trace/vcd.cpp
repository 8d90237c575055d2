// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/vcd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace reticle {

namespace {
/// Short names out of printable characters, as the format wants.
std::string code_of(std::size_t n) {
  constexpr std::size_t kFirst = 33, kCount = 94;  // from ! to ~ [IEEE 1364-2005, 18.2]
  std::string code;
  do {
    code += static_cast<char>(kFirst + n % kCount);
    n /= kCount;
  } while (n > 0);
  return code;
}

std::vector<std::string> parts_of(const std::string& scope) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= scope.size();) {
    const std::size_t dot = std::min(scope.find('.', at), scope.size());
    parts.push_back(scope.substr(at, dot - at));
    at = dot + 1;
  }
  return parts;
}
}  // namespace

VcdDump::Signal VcdDump::add(std::string_view scope, std::string_view name, int width) {
  variables_.push_back({std::string{scope}, std::string{name}, width});
  return variables_.size() - 1;
}

void VcdDump::change(Signal signal, Picoseconds at, std::uint64_t value) {
  changes_.push_back({at, static_cast<std::uint32_t>(signal), value, 0});
}

void VcdDump::change(Signal signal, Picoseconds at, std::string_view text) {
  const auto found = std::ranges::find(texts_, text);
  const auto place = static_cast<std::uint32_t>(found - texts_.begin()) + 1;
  if (found == texts_.end()) texts_.emplace_back(text);
  changes_.push_back({at, static_cast<std::uint32_t>(signal), 0, place});
}

std::string VcdDump::value_text(const Change& change) const {
  const int width = variables_[change.signal].width;
  const std::string code = code_of(change.signal);
  if (change.text == 0 && width == 1) return (change.value != 0 ? "1" : "0") + code;
  std::string bits;
  if (change.text == 0) {
    bits = fmt::format("{:b}", change.value);
  } else {
    const std::string& text = texts_[change.text - 1];
    for (const char c : text.substr(0, static_cast<std::size_t>(width) / 8))  // bits per letter
      bits += fmt::format("{:08b}", static_cast<unsigned char>(c));
  }
  return "b" + (bits.empty() ? std::string{"0"} : bits) + " " + code;
}

void VcdDump::write(std::ostream& out, std::string_view comment) const {
  out << "$version reticle $end\n$comment " << comment << " $end\n$timescale 1 ps $end\n";
  std::vector<std::size_t> order(variables_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return variables_[i].scope; });
  std::vector<std::string> open;
  const auto enter = [&](const std::vector<std::string>& scope) {
    std::size_t same = 0;
    while (same < std::min(open.size(), scope.size()) && open[same] == scope[same]) ++same;
    for (; open.size() > same; open.pop_back()) out << "$upscope $end\n";
    for (; open.size() < scope.size(); open.push_back(scope[open.size()]))
      out << "$scope module " << scope[open.size()] << " $end\n";
  };
  for (const std::size_t i : order) {
    const Variable& v = variables_[i];
    enter(parts_of(v.scope));
    out << "$var wire " << v.width << ' ' << code_of(i) << ' ' << v.name;
    if (v.width > 1) out << " [" << v.width - 1 << ":0]";
    out << " $end\n";
  }
  enter({});
  out << "$enddefinitions $end\n";
  std::vector<Change> sorted = changes_;
  std::ranges::stable_sort(sorted, {}, [](const Change& c) { return c.at; });
  out << '#' << (sorted.empty() ? 0 : sorted.front().at.count()) << "\n$dumpvars\n";
  for (std::uint32_t i = 0; i < variables_.size(); ++i) out << value_text({{}, i, 0, 0}) << '\n';
  out << "$end\n";
  std::vector<std::string> now(variables_.size());
  for (std::uint32_t i = 0; i < variables_.size(); ++i) now[i] = value_text({{}, i, 0, 0});
  std::vector<std::uint32_t> touched;
  std::vector<const Change*> last(variables_.size());
  for (std::size_t c = 0; c < sorted.size();) {
    const Picoseconds at = sorted[c].at;
    touched.clear();
    for (; c < sorted.size() && sorted[c].at == at; ++c) {
      if (last[sorted[c].signal] == nullptr) touched.push_back(sorted[c].signal);
      last[sorted[c].signal] = &sorted[c];
    }
    bool told = false;
    for (const std::uint32_t signal : touched) {
      std::string text = value_text(*last[signal]);
      last[signal] = nullptr;
      if (text == now[signal]) continue;
      if (!told) out << '#' << at.count() << '\n';
      told = true;
      out << text << '\n';
      now[signal] = std::move(text);
    }
  }
}

}  // namespace reticle
