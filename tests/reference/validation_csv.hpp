// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace reticle {

/// A table under docs/validation, written when RETICLE_VALIDATION names that folder
/// (scripts/validate_components.sh), else nothing.
class ValidationCsv {
 public:
  ValidationCsv(const std::string& file, const std::string& head) {
    const char* folder = std::getenv("RETICLE_VALIDATION");
    if (folder == nullptr) return;
    out_.open(std::string{folder} + "/" + file);
    out_ << head << '\n';
  }
  template <class First, class... Rest>
  void row(const First& first, const Rest&... rest) {
    if (!out_.is_open()) return;
    put(first);
    ((out_ << ',', put(rest)), ...);
    out_ << '\n';
  }

 private:
  template <class T>
  void put(const T& value) {
    out_ << value;
  }
  void put(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", value);
    out_ << text;
  }
  std::ofstream out_;
};

}  // namespace reticle
