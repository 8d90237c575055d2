// SPDX-License-Identifier: Apache-2.0
#include "workloads/llm/layer_order.hpp"

#include <doctest/doctest.h>

#include <string>

#include "sim/base/error.hpp"
#include "sim/base/rng.hpp"

using namespace reticle;
using Names = std::vector<std::string>;

namespace {
std::string refusal(std::string_view text) {
  try {
    (void)expand_order(text, 100);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}
}  // namespace

TEST_CASE("expand_order: names, counts and groups") {
  CHECK(expand_order("a", 100) == Names{"a"});
  CHECK(expand_order("2*a b", 100) == Names{"a", "a", "b"});
  CHECK(expand_order(" 2*(a 2*b) c ", 100) == Names{"a", "b", "b", "a", "b", "b", "c"});
  CHECK(expand_order("4bit x-1 y_2", 100) == Names{"4bit", "x-1", "y_2"});
}

TEST_CASE("expand_order: says what it expected and what it found") {
  CHECK(refusal("") == "expected a name, found the end");
  CHECK(refusal("a)") == "expected ')' without '(', found ')'");
  CHECK(refusal("2*(a") == "expected ')', found the end");
  CHECK(refusal("0*a").starts_with("expected a count of at least 1"));
  CHECK(refusal("a + b") == "expected a name, a count or '(', found '+ b'");
  CHECK(refusal("101*a") == "expected at most 100 layers");
  CHECK(refusal("99999999999999999999999*a") == "expected at most 100 layers");
  CHECK(refusal("50*(50*(50*(50*(50*(a)))))") == "expected at most 100 layers");
  CHECK(refusal(std::string(500, '(')).starts_with("expected fewer brackets"));
}

TEST_CASE("write_order: short, and read back as it was") {
  CHECK(write_order(Names(58, "moe")) == "58*moe");
  CHECK(write_order(expand_order("3*dense 58*moe", 100)) == "3*dense 58*moe");
  CHECK(write_order(expand_order("12*(s f)", 100)) == "12*(s f)");
  RngStream rng{1, "test"};
  for (int i = 0; i < 300; ++i) {
    Names names(1 + rng.below(40));
    for (std::string& name : names) name = std::string(1, static_cast<char>('a' + rng.below(3)));
    CHECK(expand_order(write_order(names), 100) == names);
  }
}
