// SPDX-License-Identifier: Apache-2.0
// A measured kernel or collective as a program for the dies of a platform.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/package/platform_spec.hpp"
#include "models/program/program.hpp"
#include "sim/validate/table.hpp"

namespace reticle {

/// A row of a table of component measurements, or why it is not simulated.
struct Component {
  const Table::Row* row = nullptr;
  std::string platform;  ///< its name in the catalogue; empty: none
  double measured_us = 0;
  std::string left_out;  ///< why; empty: it is simulated
};

/// What can be told of a row without its platform.
Component component_of(const Table::Row& row);

/// The row's programs on `platform`; why not, where it cannot be expressed.
std::optional<std::string> write_component(const Component& component, const PlatformSpec& platform,
                                           StepPrograms& out);

}  // namespace reticle
