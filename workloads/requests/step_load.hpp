// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/base/units.hpp"

namespace reticle {

/// What one sequence asks of a step.
struct SequenceWork {
  RequestId request{};
  std::int64_t context = 0;     ///< tokens in the cache before the step
  std::int64_t near = 0;        ///< of these, in SRAM beside a home in HBM
  std::int64_t new_tokens = 1;  ///< 1 when decoding, a chunk of the prompt when prefilling
  std::int32_t replica = 0;     ///< attention replica that holds the sequence's KV
  std::int64_t outputs = 1;     ///< positions whose logits are computed: 0 inside a prompt
  /// Of the new tokens, those that a draft proposes before the step, which verifies them.
  std::int64_t drafts = 0;
  std::int64_t dropped = 0;   ///< tokens before the new ones that the cache keeps no more
  std::int64_t near_new = 0;  ///< of the new tokens, those whose keys and values go into SRAM
  std::optional<std::uint32_t> adapter{};  ///< whose low-rank matrices its tokens also meet

  /// Every new token yields one: it is past its prompt, or at the last token of it.
  [[nodiscard]] bool decodes() const { return outputs == new_tokens; }
  /// Of the first new token in the sequence.
  [[nodiscard]] std::int64_t position() const { return context + dropped; }
};

/// Where keys and values are: at hand, in SRAM beside a home in HBM or at home, where attention
/// reads them, or further and further behind.
enum class KvPlace : std::uint8_t { Near, Home, Far, Flash };
inline constexpr std::array kKvPlaces{KvPlace::Near, KvPlace::Home, KvPlace::Far, KvPlace::Flash};
inline constexpr std::array kPlacesBelow{KvPlace::Far, KvPlace::Flash};
constexpr bool at_hand(KvPlace place) { return place <= KvPlace::Home; }

/// One of each place.
template <class T>
struct ByPlace {
  std::array<T, kKvPlaces.size()> all{};
  [[nodiscard]] constexpr T& operator[](KvPlace p) { return all[static_cast<std::size_t>(p)]; }
  [[nodiscard]] constexpr const T& operator[](KvPlace p) const {
    return all[static_cast<std::size_t>(p)];
  }
};

/// Keys and values that change place while a step runs.
struct KvMove {
  std::int32_t replica = 0;
  KvPlace from{}, to{};
  Bytes bytes{};  ///< all dies of the replica together
};

struct StepLoad {
  std::vector<SequenceWork> sequences;
  std::vector<KvMove> moves{};
  std::vector<std::uint32_t> adapters_in{};  ///< from behind the host link, to every replica

  [[nodiscard]] bool transfers() const { return !moves.empty() || !adapters_in.empty(); }
  [[nodiscard]] bool empty() const { return sequences.empty() && !transfers(); }
};

}  // namespace reticle
