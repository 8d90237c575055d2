// SPDX-License-Identifier: Apache-2.0
// The registry and its validation as HTML that needs nothing but itself.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "sim/registry/calendar.hpp"
#include "sim/registry/registry.hpp"
#include "sim/registry/validation.hpp"

namespace reticle {

/// Sorting, filtering, and what lights up in the graph.
std::string_view site_script();

/// A test: its plot, what came of it, every figure with its run.
std::string test_html(const TestResult& result, int level);
/// All that was found on an entry.
std::string result_html(const EntryResult& result, const Validation& validation, int level);
/// The commands behind it.
std::string runs_html(const Validation& validation, const EntryResult* only);

/// validation.html: one page with its style inside.
std::string validation_page(const Validation& validation);

/// Files of the site by path: index.html, entries/b01.html, feeds/*.xml, ...
std::map<std::string, std::string> site_files(const Registry& registry,
                                              const Validation& validation, const Date& as_of);

}  // namespace reticle
