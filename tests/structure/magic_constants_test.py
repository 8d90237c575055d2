#!/usr/bin/env python3
"""scripts/magic_constants.py on planted numbers: what has no name, reason or source is found."""

import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import magic_constants  # noqa: E402

FABRIC = (ROOT / "models/fabric/fabric.cpp").read_text(encoding="utf-8")


def wrong(text, name="models/fabric/fabric.cpp"):
    """The numbers that are found wrong in a tree of this file alone."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
        *found, _ = magic_constants.findings(Path(folder))
    return [number for rows in found for row in rows for number in row[2]]


class Planted(unittest.TestCase):
    def test_in_a_real_file(self):
        self.assertEqual(wrong(FABRIC), [])
        head, rest = FABRIC.split("}  // namespace\n", 1)
        for body in ("  const double k = x * 0.37;\n  return k;", "  return x * 0.37;  // hm",
                     "  return x * 0.5 * 8.0 / 24 * 365;", "  // a reason for the number\n  return x * 0.37;"):
            with self.subTest(body):
                self.assertNotEqual(wrong(head + "}  // namespace\n\ndouble f(double x) {\n" + body + "\n}\n" + rest), [])

    def test_what_is_taken_and_what_is_not(self):
        for taken in ("constexpr double kX = 0.37;  // measured on two boards", "constexpr double kX = 0.37;  // [Luo+ 2024]",
                      "/// Slots ahead of now.\nconstexpr int kX = 37;", "struct S {\n  double x = 0.37;  ///< default, chosen\n};",
                      "int f(int x) { return x / 37; }  // rows of a tile", "constexpr double kJoulesPerX = 3.6e6;",
                      'const char* text = "0.37";', 'const char* page = R"css(a { width: 37px; })css";', "double f(double x) { return x * 1e-12; }",
                      "/// Rows of the table.\nconstexpr std::array kX{\n    37,\n    38,\n};", "constexpr int kX = 1 << 20;  // bytes of a page"):
            with self.subTest(taken):
                self.assertEqual(wrong(taken), [])
        for refused in ("constexpr double kX = 0.37;", "constexpr double kX = 0.37;  // hm", "constexpr double kX = 0.37;  // about right here",
                        "constexpr int kX = 37;", "struct S {\n  double x = 0.37;\n};", "int f(int x) { return x / 37; }",
                        "// far above\n\nconstexpr int kX = 37;", "}  // namespace of others\nconstexpr int kX = 37;",
                        "constexpr int kX = 37;  // of this one\nconstexpr int kY = 38;",
                        "constexpr double f(double x) { return x * 0.37; }  // default", "int f() {\n  g(37);\n}"):
            with self.subTest(refused):
                self.assertNotEqual(wrong(refused), [])

    def test_all_of_sim_is_covered(self):
        for folder in ("cli", "html", "view", "explain", "compare", "registry", "sweep", "trace", "config", "metrics"):
            with self.subTest(folder):
                self.assertEqual(wrong("double f(double x) { return x * 1.96; }", f"sim/{folder}/new.cpp"), ["1.96"])

    def test_what_is_let_pass_is_there(self):
        for (file, part), reason in magic_constants.INSPECTED.items():
            self.assertIn(part, (ROOT / file).read_text(encoding="utf-8"), f"{file}: {reason}")


if __name__ == "__main__":
    unittest.main(verbosity=1)
