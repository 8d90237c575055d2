#!/usr/bin/env python3
"""scripts/determinism.sh with a compiler and a program that are none: it builds what it compares, compares what
is printed too, and says which variants it could not build."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Puts the text of `program` where the build would put the program, and says that it was asked to.
CMAKE = """#!/bin/sh
echo "$@" >>"$HERE/calls"
if [ "$1" = --build ]; then
  mkdir -p "$2"; cp "$HERE/program" "$2/reticle"; chmod +x "$2/reticle"
  case $2 in *"$ODD"*) [ -z "$ODD" ] || sed -i s/alike/other/ "$2/reticle" ;; esac
else
  while [ $# -gt 0 ]; do
    case $1 in -B) mkdir -p "$2" ;; --preset) mkdir -p "build/$2" ;; esac
    shift
  done
fi
"""
PROGRAM = """#!/bin/sh
while [ $# -gt 0 ]; do [ "$1" != --out ] || { mkdir -p "$2"; echo file >"$2/file"; }; shift; done
echo alike
"""


class Script(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        here = Path(self.folder.name)
        (here / "scripts").mkdir()
        for name in ("determinism.sh", "determinism_matrix.py"):
            shutil.copy(ROOT / "scripts" / name, here / "scripts" / name)
        (here / "bin").mkdir()
        for tool in ("bash", "sh", "cat", "rm", "mkdir", "mv", "cp", "sed", "nproc", "dirname", "rmdir", "tail", "chmod", "python3", "env"):
            (here / "bin" / tool).symlink_to(shutil.which(tool))
        self.program("cmake", CMAKE)
        (here / "program").write_text(PROGRAM, encoding="utf-8")
        self.here = here

    def tearDown(self):
        self.folder.cleanup()

    def program(self, name, text):
        path = Path(self.folder.name, "bin", name)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def run_script(self, *words, odd=""):
        return subprocess.run(["bash", "scripts/determinism.sh", *words], cwd=self.here, capture_output=True, text=True, check=False,
                              env={**os.environ, "PATH": str(self.here / "bin"), "HERE": str(self.here), "ODD": odd})

    def test_what_lies_there_is_brought_up_to_date(self):
        for name in ("release", "asan"):
            folder = self.here / "build" / name
            folder.mkdir(parents=True)
            (folder / "build.ninja").touch()
            (folder / "reticle").write_text("#!/bin/sh\necho of yesterday\n", encoding="utf-8")
            (folder / "reticle").chmod(0o755)
        done = self.run_script("gcc-O3", "gcc-san")
        self.assertEqual(done.returncode, 0, done.stderr)
        calls = (self.here / "calls").read_text(encoding="utf-8")
        for name in ("release", "asan"):
            self.assertIn(f"--build build/{name} ", calls)
            self.assertIn("alike", (self.here / "build" / name / "reticle").read_text(encoding="utf-8"))

    def test_what_is_printed_is_compared(self):
        done = self.run_script("gcc-O3", "gcc-O0", odd="det-gcc-O0")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("DIFFERS: stdout.txt", done.stdout)

    def test_a_compiler_that_is_not_here_is_told(self):
        for words, code in (([], 77), (["--strict"], 1)):
            done = self.run_script(*words, "gcc-O3", "clang-O0")
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn("not compared: clang-O0", done.stderr)
        self.program("clang++", "#!/bin/sh\n")
        done = self.run_script("--strict", "gcc-O3", "clang-O0")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("clang-O0", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=1)
