#!/usr/bin/env python3
"""scripts/coverage.sh with tests and a counter that are none: tests that fail are a failure, and so are too few
lines."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GCOVR = """#!/bin/sh
while [ $# -gt 0 ]; do [ "$1" != --csv ] || csv=$2; shift; done
printf 'filename,line_total,line_covered\\nsim/base/a.cpp,50,%s\\nmodels/b.cpp,50,%s\\n' "$RUN" "$RUN" >"$csv"
"""


class Script(unittest.TestCase):
    def run_script(self, *words, tests=0, lines=50):
        with tempfile.TemporaryDirectory() as folder:
            here = Path(folder)
            (here / "scripts").mkdir()
            (here / "build/coverage").mkdir(parents=True)
            (here / "build/coverage/build.ninja").touch()
            for name in ("coverage.sh", "setup.sh"):
                shutil.copy(ROOT / "scripts" / name, here / "scripts" / name)
            for name, text in (("cmake", "#!/bin/sh\n"), ("ctest", f"#!/bin/sh\nexit {tests}\n"), ("gcovr", GCOVR)):
                path = here / "bin" / name
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8")
                path.chmod(0o755)
            return subprocess.run(["bash", here / "scripts/coverage.sh", *words], capture_output=True, text=True, check=False,
                                  env={**os.environ, "PATH": f"{here / 'bin'}:{os.environ['PATH']}", "RUN": str(lines)})

    def test_lines_are_held_against_the_goal(self):
        done = self.run_script(lines=45)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("all                        100 lines   90.0 %\n", done.stdout)
        self.assertNotIn("below", done.stdout)
        done = self.run_script(lines=44)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("88.0 %  below 90 %", done.stdout)
        self.assertEqual(self.run_script("-R", "fabric", lines=1).returncode, 0)

    def test_a_test_that_fails_is_a_failure(self):
        done = self.run_script(tests=8)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertNotIn("lines", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=1)
