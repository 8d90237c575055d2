// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace reticle {

/// Exit codes: a contract with scripts.
enum class ExitCode : int {
  Ok = 0,
  Bug = 1,
  Usage = 2,
  BadInput = 3,
  Infeasible = 4,
  Stuck = 5,
  Interrupted = 130  ///< as shells report a SIGINT
};

}  // namespace reticle
