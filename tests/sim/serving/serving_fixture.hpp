// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/serving/scheduler.hpp"

namespace reticle::test {

inline KvCapacity room(std::int64_t pages, std::int64_t replicas = 1) {
  return {.page_tokens = 16, .page_bytes = Bytes{1600}, .pages = pages, .replicas = replicas};
}

inline Request request(std::uint64_t id, std::int64_t input, std::int64_t output) {
  return {.id = RequestId{id}, .input_tokens = input, .output_tokens = output};
}

inline std::vector<std::uint64_t> ids(const std::vector<Admitted>& list) {
  std::vector<std::uint64_t> numbers;
  for (const Admitted& a : list) numbers.push_back(static_cast<std::uint64_t>(a.id));
  return numbers;
}

}  // namespace reticle::test
