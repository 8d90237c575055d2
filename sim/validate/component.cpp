// SPDX-License-Identifier: Apache-2.0
#include "sim/validate/component.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <string_view>

#include "sim/mapping/collectives.hpp"
#include "sim/validate/kernel_writer.hpp"

namespace reticle {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kPlatforms{{
    {"A100-SXM4", "a100-8"},
    {"H100-SXM5", "h100-8"},
    {"H800-SXM5", "h800-8"},
    {"B200-SXM", "b200-8"},
    {"GB200", "gb200-nvl72"},
    {"MI300X", "mi300x-8"},
}};

/// `key=value;...` of whole numbers up to 1e10; what is no such number counts as absent.
class Shape {
 public:
  explicit Shape(std::string_view text) {
    while (!text.empty()) {
      const std::string_view part = text.substr(0, text.find(';'));
      text.remove_prefix(std::min(text.size(), part.size() + 1));
      const std::size_t equals = part.find('=');
      if (equals == std::string_view::npos) continue;
      const std::string_view value = part.substr(equals + 1);
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
      constexpr std::int64_t kMost = 10'000'000'000;  // of elements of a side: beyond is a slip
      if (error != std::errc{} || end != value.data() + value.size()) continue;
      if (number < 1 || number > kMost) continue;
      const std::string key{part.substr(0, equals)};
      if (!values_.emplace(key, number).second) throw ConfigError("shape: " + key + " comes twice");
    }
  }
  [[nodiscard]] std::int64_t operator[](const std::string& key) const {
    const auto found = values_.find(key);
    if (found == values_.end()) throw ConfigError("shape: expected a whole number " + key);
    return found->second;
  }
  [[nodiscard]] bool has(const std::string& key) const { return values_.contains(key); }

 private:
  std::map<std::string, std::int64_t> values_;
};

bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// The number format that a row's text begins with.
std::optional<Precision> format_of(std::string_view text) {
  if (text.starts_with("bf16") || text.starts_with("bfloat16")) return Precision::Bf16;
  if (text.starts_with("float8")) return Precision::Fp8;
  if (text.ends_with("int8")) return Precision::Int8;
  for (const Precision p : {Precision::Fp16, Precision::Fp8, Precision::Int8, Precision::Nvfp4})
    if (text.starts_with(name_of(p))) return p;
  return std::nullopt;
}

/// One where it is not said.
std::int64_t gpus_of(const Table::Row& row) {
  const auto stated = row.number("n_gpus");
  if (stated && (*stated < 1 || *stated > 1e6 || *stated != std::floor(*stated)))
    throw ConfigError("n_gpus: expected a whole number from 1");
  return static_cast<std::int64_t>(stated.value_or(1));
}

/// Writes one row; throws ConfigError at a shape that lacks what its operation needs.
class RowWriter {
 public:
  RowWriter(const Component& c, const PlatformSpec& platform, StepPrograms& out)
      : platform_{platform},
        out_{out},
        op_{c.row->text("op")},
        precision_{c.row->text("precision")},
        framework_{c.row->text("framework")},
        shape_text_{c.row->text("shape")},
        shape_{shape_text_},
        gpus_{gpus_of(*c.row)},
        kernel_{platform, out.dies.front()} {}

  std::optional<std::string> write() {
    if (gpus_ > dies(platform_)) return "needs more GPUs than the platform has";
    if (op_ == "gemm") return gemm();
    if (op_ == "attention_decode") return attention_decode();
    if (op_ == "attention_prefill") return attention_prefill();
    if (op_ == "mla_decode") return mla_decode();
    if (op_ == "moe") return moe();
    if (op_ == "memcpy_bw" || op_ == "mem_latency") return "a probe of memory, no kernel";
    if (op_ == "allreduce") return all_reduce_row();
    if (op_ == "allgather" || op_ == "reducescatter") return half_ring();
    if (op_ == "alltoall") return all_to_all_row();
    if (op_ == "alltoall_dispatch" || op_ == "alltoall_combine") return dispatch();
    return "no model of this operation";
  }

 private:
  [[nodiscard]] const MacParams& mac() const { return platform_.die.mac; }
  [[nodiscard]] std::optional<std::string> unsupported(Precision p) const {
    if (mac().cycles_per_pass[static_cast<std::size_t>(p)] > 0) return std::nullopt;
    return "no MAC path for " + std::string{name_of(p)};
  }
  /// What goes before a product along `depth`: quantisation of the inputs where the row's time
  /// includes it.
  [[nodiscard]] Picoseconds before(Precision p, std::int64_t depth) const {
    const auto& k = platform_.die.kernels;
    if (!k) return {};
    Picoseconds time = before_product(*k, p, depth);
    if (holds(precision_, "pre-quantised")) return time - k->quantise[static_cast<std::size_t>(p)];
    if (holds(precision_, "per-tensor")) time += k->per_tensor;
    return time;
  }
  [[nodiscard]] std::int64_t passes(std::int64_t KernelParams::*member) const {
    return platform_.die.kernels ? *platform_.die.kernels.*member : 0;
  }

  std::optional<std::string> gemm() {
    const auto format = format_of(precision_);
    if (!format) return "unknown format " + std::string{precision_};
    if (const auto why = unsupported(*format)) return why;
    const GemmShape s{shape_["M"], shape_["K"], shape_["N"]};
    Picoseconds more = before(*format, s.k);
    if (framework_ == "PyTorch" && platform_.die.kernels) more += platform_.die.kernels->host;
    kernel_.begin(KernelKind::Product, more);
    if (const auto& k = platform_.die.kernels)
      kernel_.cross(operands_crossing(*k, s, *format, Precision::Bf16), false);
    kernel_.stream(bytes_of(s.k * s.n, *format), TimeCategory::WeightsHbm, {&s, 1}, *format);
    return std::nullopt;
  }

  [[nodiscard]] Precision cache() const {
    return holds(precision_, "fp8 kv") ? Precision::Fp8 : Precision::Bf16;
  }

  std::optional<std::string> attention_decode() {
    const std::int64_t batch = shape_["B"], heads = shape_["Hq"], kv_heads = shape_["Hkv"];
    const std::int64_t width = shape_["D"], positions = batch * shape_["KV"];
    const std::array shapes{
        GemmShape{heads / kv_heads, width, positions, kv_heads, MacUse::Attention},
        GemmShape{heads / kv_heads, positions, width, kv_heads, MacUse::Attention}};
    kernel_.begin(cache() == Precision::Fp8 ? KernelKind::AttentionFp8 : KernelKind::Attention);
    const Bytes bytes = bytes_of(2 * kv_heads * width * positions, cache());
    kernel_.cross(crossing(bytes, passes(&KernelParams::cache_passes)), false);
    kernel_.stream(bytes, TimeCategory::Kv, shapes,
                   product_format(mac(), cache(), Precision::Bf16));
    kernel_.softmax(heads * positions, heads * batch);
    return std::nullopt;
  }

  std::optional<std::string> attention_prefill() {
    if (!shape_.has("S")) return "no sizes stated";
    const std::int64_t batch = shape_["B"], heads = shape_["Hq"], kv_heads = shape_["Hkv"];
    const std::int64_t width = shape_["D"], tokens = shape_["S"];
    const std::int64_t rows = heads / kv_heads * tokens, mean = div_up(tokens + 1, 2);
    const std::array shapes{GemmShape{rows, width, mean, batch * kv_heads, MacUse::Attention},
                            GemmShape{rows, mean, width, batch * kv_heads, MacUse::Attention}};
    kernel_.begin(KernelKind::Prefill);
    kernel_.cross(
        crossing(bytes_of(batch * tokens * (heads + 2 * kv_heads) * width, Precision::Bf16),
                 passes(&KernelParams::prefill_passes)),
        true);
    kernel_.stream(Bytes{0}, TimeCategory::Kv, shapes, Precision::Bf16);
    kernel_.softmax(batch * heads * tokens * mean, batch * heads * tokens);
    return std::nullopt;
  }

  std::optional<std::string> mla_decode() {
    if (!shape_.has("dk")) return "no sizes stated";
    const std::int64_t batch = shape_["B"], heads = shape_["Hq"];
    const std::int64_t keys = shape_["dk"], values = shape_["dv"], pairs = batch * shape_["KV"];
    const std::array shapes{GemmShape{heads, keys, pairs, 1, MacUse::Attention},
                            GemmShape{heads, pairs, values, 1, MacUse::Attention}};
    kernel_.begin(KernelKind::LatentAttention);
    const Bytes bytes = bytes_of(keys * pairs, cache());
    kernel_.cross(crossing(bytes, passes(&KernelParams::latent_passes)), false);
    kernel_.stream(bytes, TimeCategory::Kv, shapes, cache());
    kernel_.softmax(heads * pairs, heads * batch);
    return std::nullopt;
  }

  /// Tokens of each expert, those without one left out.
  [[nodiscard]] std::map<std::int64_t, std::int64_t> experts_by_tokens() const {
    const std::int64_t tokens = shape_["T"], picks = tokens * shape_["topk"];
    const std::int64_t experts = shape_["E"];
    std::map<std::int64_t, std::int64_t> counts;
    if (!holds(shape_text_, "power_law")) {
      const std::int64_t touched = std::min(experts, picks);
      const std::int64_t more = picks % touched;
      counts[picks / touched + 1] += more;
      counts[picks / touched] += touched - more;
      if (more == 0) counts.erase(picks / touched + 1);
      return counts;
    }
    // The collector draws loads from a power law of exponent 1.01 between 1 and 0.8 T and scales
    // them to the number of picks; here its quantiles. Near exponent 1 it is even in the logarithm.
    constexpr double kLargest = 0.8;  // [aiconfigurator, as above]
    constexpr double kMiddle = 0.5;   // of an expert's share: the exact middle quantile
    std::vector<double> load;
    double sum = 0;
    for (std::int64_t e = 0; e < experts; ++e) {
      const double u = (static_cast<double>(e) + kMiddle) / static_cast<double>(experts);
      load.push_back(std::pow(std::max(1.0, kLargest * static_cast<double>(tokens)), u));
      sum += load.back();
    }
    std::int64_t dealt = 0;
    double due = 0;
    for (const double l : load) {
      due += l / sum * static_cast<double>(picks);
      const std::int64_t mine = std::min<std::int64_t>(tokens, std::llround(due) - dealt);
      dealt += mine;
      if (mine > 0) ++counts[mine];
    }
    return counts;
  }

  std::optional<std::string> moe() {
    const auto format = format_of(precision_);
    if (!format) return "unknown format " + std::string{precision_};
    if (const auto why = unsupported(*format)) return why;
    const std::int64_t hidden = shape_["hidden"];
    const std::int64_t inner = div_up(shape_["inter"], shape_.has("tp") ? shape_["tp"] : 1);
    std::vector<GemmShape> up, down;
    std::int64_t touched = 0;
    const bool block = holds(precision_, "block");
    const MacUse use = block ? MacUse::GroupedBlock : MacUse::Grouped;
    for (const auto& [tokens, experts] : experts_by_tokens()) {
      up.push_back({tokens, hidden, 2 * inner, experts, use});
      down.push_back({tokens, inner, hidden, experts, use});
      touched += experts;
    }
    const Picoseconds more =
        block && platform_.die.kernels ? platform_.die.kernels->block_experts : Picoseconds{};
    const Bytes moved = bytes_of(shape_["T"] * shape_["topk"] * hidden, Precision::Bf16);
    const std::int64_t half = passes(&KernelParams::expert_passes) / 2;
    for (const auto* shapes : {&up, &down}) {
      kernel_.begin(KernelKind::Experts, more + before(*format, shapes->front().k));
      kernel_.cross(crossing(moved, half), true);
      kernel_.stream(bytes_of(touched * shapes->front().k * shapes->front().n, *format),
                     TimeCategory::WeightsHbm, *shapes, *format);
    }
    return std::nullopt;
  }

  [[nodiscard]] DieGroup group() const { return {0, gpus_, 1}; }

  std::optional<std::string> exchange(Exchange exchange) {
    out_.exchanges = {std::make_shared<const Exchange>(std::move(exchange))};
    for (std::int64_t slot = 0; slot < gpus_; ++slot) {
      Instruction in{
          .code = OpCode::Exchange, .unit = Unit::Fabric, .category = TimeCategory::FabricTransfer};
      in.slot = static_cast<std::int32_t>(slot);
      out_.dies[static_cast<std::size_t>(slot)].add(in);
    }
    return std::nullopt;
  }

  /// Of a library's protocols the one that is faster by the closed form; nothing without kernels.
  [[nodiscard]] Exchange faster(const Collectives& collectives, const Exchange& plain) const {
    if (!platform_.die.kernels) return plain;
    const Exchange one = collectives.as_library(plain, false);
    const Exchange other = collectives.as_library(plain, true);
    return collectives.estimate(other) < collectives.estimate(one) ? other : one;
  }

  std::optional<std::string> all_reduce_row() {
    const Collectives collectives{platform_};
    const Bytes bytes{shape_["bytes"]};
    if (holds(framework_, "NCCL"))
      return exchange(faster(collectives, all_reduce(group(), bytes, AllReduceKind::Ring, 1)));
    Exchange chosen = collectives.reduction(collectives.choose(group(), bytes), group(), bytes);
    if (holds(framework_, "sglang")) {  // it has a reduction in two phases besides
      Exchange two = collectives.reduction({AllReduceKind::Direct, 1}, group(), bytes);
      if (collectives.estimate(two) < collectives.estimate(chosen)) chosen = std::move(two);
    }
    return exchange(std::move(chosen));
  }

  /// An all-gather is the second half of a ring's all-reduce, a reduce-scatter the first.
  std::optional<std::string> half_ring() {
    Exchange ring = all_reduce(group(), Bytes{shape_["bytes"]}, AllReduceKind::Ring, 1);
    ring.phases.resize(ring.phases.size() / 2);
    return exchange(faster(Collectives{platform_}, ring));
  }

  std::optional<std::string> all_to_all_row() {
    // A library sends to one peer after another.
    Exchange stepwise = to_all(shape_["bytes"] / gpus_);
    const std::vector<Message> messages = std::move(stepwise.phases.front());
    stepwise.phases.clear();
    for (std::size_t i = 0; i < messages.size(); i += static_cast<std::size_t>(gpus_))
      stepwise.phases.emplace_back(messages.begin() + static_cast<std::ptrdiff_t>(i),
                                   messages.begin() + static_cast<std::ptrdiff_t>(i) + gpus_);
    return exchange(faster(Collectives{platform_}, stepwise));
  }

  [[nodiscard]] Exchange to_all(std::int64_t bytes_per_pair) const {
    std::vector<DieId> all;
    for (std::int64_t i = 0; i < gpus_; ++i) all.push_back(DieId{static_cast<std::uint32_t>(i)});
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(gpus_ * gpus_), bytes_per_pair);
    for (std::int64_t i = 0; i < gpus_; ++i) sizes[static_cast<std::size_t>(i * (gpus_ + 1))] = 0;
    return all_to_all(all, sizes);
  }

  std::optional<std::string> dispatch() {
    if (holds(framework_, "V1") || holds(framework_, "V2"))
      return "NVLink and RDMA share the tokens in a way that is not published";
    const auto format = format_of(precision_);
    if (!format) return "unknown format " + std::string{precision_};
    // One scale of 4 bytes per 128 values of FP8.
    constexpr std::int64_t kScaled = 128, kScaleBytes = 4;
    const bool back = op_ == "alltoall_combine";
    const Precision sent = back ? Precision::Bf16 : *format;
    const std::int64_t hidden = shape_["hidden"];
    std::int64_t token = bytes_of(hidden, sent).count();
    if (sent == Precision::Fp8) token += hidden / kScaled * kScaleBytes;
    const bool bulk = holds(framework_, "normal");
    const auto ranks = static_cast<double>(gpus_), picks = static_cast<double>(shape_["topk"]);
    // To a rank once, however many of a token's experts are there.
    const double copies = bulk ? 1 - std::pow(1 - 1 / ranks, picks) : picks / ranks;
    const auto each = static_cast<std::int64_t>(
        std::ceil(static_cast<double>(shape_["T/rank"] * token) * copies));
    const bool other = bulk || holds(framework_, "OneSided");
    return exchange(Collectives{platform_}.as_dispatch(to_all(each), other));
  }

  const PlatformSpec& platform_;
  StepPrograms& out_;
  const std::string_view op_, precision_, framework_, shape_text_;
  const Shape shape_;
  const std::int64_t gpus_;
  KernelWriter kernel_;
};

}  // namespace

Component component_of(const Table::Row& row) {
  Component c{.row = &row, .platform = {}, .measured_us = 0, .left_out = {}};
  for (const auto& [prefix, name] : kPlatforms)
    if (row.text("platform").starts_with(prefix)) c.platform = name;
  const std::string_view flag = row.text("flag");
  const auto latency = row.number("latency_us");
  if (c.platform.empty())
    c.left_out = "no such platform in the catalogue";
  else if (flag == "l2_resident")
    c.left_out = "weights lie in an L2, which is not modelled";
  else if (!flag.empty() && flag != "skewed_bytes")
    c.left_out = "flagged " + std::string{flag};
  else if (!latency)
    c.left_out = "no latency stated";
  else if (*latency <= 0)
    row.fail("latency_us", "expected a time above 0");
  else
    c.measured_us = *latency;
  return c;
}

std::optional<std::string> write_component(const Component& component, const PlatformSpec& platform,
                                           StepPrograms& out) {
  out.dies.resize(static_cast<std::size_t>(dies(platform)));
  out.clear();
  try {
    return RowWriter{component, platform, out}.write();
  } catch (const ConfigError& error) {
    return error.what();  // the row's own fault, and no other's
  }
}

}  // namespace reticle
