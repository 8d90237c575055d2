// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "workloads/requests/trace_options.hpp"

namespace reticle {

struct DescribeTrace {
  std::string trace;  ///< FILE[:format]
  TraceOptions options;
  bool json = false;
  bool prefix = true;  ///< count prefix hits, whose ids take memory
  std::string plot;    ///< empty, or a file.svg | file.png
};

void describe_trace(const DescribeTrace& request);

}  // namespace reticle
