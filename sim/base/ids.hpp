// SPDX-License-Identifier: Apache-2.0
// Identifiers that cannot be mixed up.
#pragma once

#include <cstddef>
#include <cstdint>

namespace reticle {

enum class DieId : std::uint32_t {};
enum class LinkId : std::uint32_t {};
enum class RequestId : std::uint64_t {};

constexpr std::size_t index(DieId id) { return static_cast<std::size_t>(id); }
constexpr std::size_t index(LinkId id) { return static_cast<std::size_t>(id); }

}  // namespace reticle
