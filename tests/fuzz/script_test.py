#!/usr/bin/env python3
"""scripts/fuzz.sh on programs that are none: script_test.py SOURCE. It says when nothing was fuzzed, and
cuts no file that fuzzing begins with."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(sys.argv.pop(1))
TARGETS = [p.stem.removesuffix("_fuzz") for p in (SOURCE / "tests/fuzz").glob("*_fuzz.cpp")]
GOOD = """#!/bin/sh
for word in "$@"; do
  case $word in -max_len=*) echo "$word" ;; -dict=*) echo "$word" ;; esac
done
echo 'stat::number_of_executed_units: 12'
echo 'stat::peak_rss_mb: 30'
"""


class Script(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.programs, self.results = Path(self.folder.name, "programs"), Path(self.folder.name, "results")
        self.programs.mkdir()

    def tearDown(self):
        self.folder.cleanup()

    def program(self, target, text):
        path = self.programs / f"fuzz_{target}"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def run_script(self, *words):
        return subprocess.run([SOURCE / "scripts/fuzz.sh", "--programs", self.programs, "--results", self.results,
                               "--runs", "1", *words], capture_output=True, text=True, check=False)

    def test_every_target_is_run_and_none_of_its_files_is_cut(self):
        for target in TARGETS:
            self.program(target, GOOD)
        done = self.run_script()
        self.assertEqual(done.returncode, 0, done.stderr)
        for target in TARGETS:
            with self.subTest(target):
                log = (self.results / f"{target}.log").read_text(encoding="utf-8")
                longest = int(log.split("-max_len=")[1].split()[0])
                seeds = [p.stat().st_size for p in (SOURCE / "tests/fuzz" / target).iterdir()]
                self.assertGreaterEqual(longest, max(seeds))
                self.assertEqual("-dict=" in log, (SOURCE / f"tests/fuzz/{target}.dict").exists())
        self.assertIn(f"{12 * len(TARGETS)}", done.stdout)

    def test_a_target_that_does_not_run_is_a_failure(self):
        for text in ("#!/bin/sh\nexit 127\n", "#!/bin/sh\nexit 0\n",
                     "#!/bin/sh\necho 'stat::number_of_executed_units: 0'\n",
                     "#!/bin/sh\necho 'stat::number_of_executed_units: 12'\nexit 1\n", None):
            with self.subTest(text):
                if text is None:
                    os.unlink(self.programs / "fuzz_texts")
                else:
                    self.program("texts", text)
                done = self.run_script("texts")
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertIn("fuzz_texts", done.stderr)

    def test_an_input_that_crashes_is_a_failure(self):
        self.program("texts", GOOD + """for word in "$@"; do
  case $word in -artifact_prefix=*) echo x >"${word#*=}crash-1" ;; esac
done
exit 77
""")
        done = self.run_script("texts")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("inputs that crash", done.stderr)
        self.assertEqual(done.stdout.split()[-1], "1")


if __name__ == "__main__":
    unittest.main(verbosity=1)
