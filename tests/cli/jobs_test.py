#!/usr/bin/env python3
"""The same answer from any number of jobs: jobs_test.py PROGRAM SOURCE. Each command that takes --jobs runs
with one and with three; what it prints and every file it writes must be the same bytes, but for what the
host took and has (scripts/determinism_matrix.py)."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAM, SOURCE = Path(sys.argv.pop(1)).resolve(), Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(SOURCE / "scripts"))
from determinism_matrix import digests  # noqa: E402

SHORT = ["--set", "workload.steps=1", "--set", "engine.fidelity=roofline"]
RUN = ["--platform", "h100-8", "--llm", "llama-3.2-1b", "--workload", "steady-decode", *SHORT]
COMMANDS = {
    "compare": ["compare", "--llm", "llama-3.2-1b", "--workload", "sample-chat", "--platforms", "h100-8,ref-asic,tpu-v5p",
                "--set", "workload.limit=2", "--set", "workload.max_output=4", "--out", "out"],
    "capacity": ["capacity", "--platform", "h100-8", "--llm", "llama-3.2-1b", "--context", "65536", "131072", "--json"],
    "explain": ["explain", "run"],
    "registry validate": ["registry", "validate", "B9", "--as-of", "2026-11-01", "--out", "out"],
    "run --pareto": ["run", *RUN, "--pareto", "--out", "out"],
    "validate components": ["validate", "components", "--csv", "out.csv"],
    "sweep": ["sweep", "grid.yaml", "--quiet", "--out", "store"],
}
GRID = """sweep: grid
run: {platform: h100-8, llm: llama-3.2-1b, workload: steady-decode}
set: [workload.steps=1, engine.fidelity=roofline]
axes:
  - {key: workload.batch, values: [1, 4, 16]}
  - {key: workload.context, values: [128, 4096]}
objectives: [throughput]
"""


class Jobs(unittest.TestCase):
    def run_in(self, folder, *words):
        done = subprocess.run([PROGRAM, *words], capture_output=True, cwd=folder, check=False,
                              env={**os.environ, "RETICLE_HOME": str(SOURCE)})
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout

    def answer(self, name, jobs):
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            if name == "explain":
                self.run_in(folder, "run", *RUN, "--out", "run")
            (folder / "grid.yaml").write_text(GRID, encoding="utf-8")
            said = self.run_in(folder, *COMMANDS[name], "--jobs", str(jobs))
            if name == "sweep":
                said += self.run_in(folder, "sweep", "report", "store", "--out", "report")
                for path in (folder / "store").iterdir():
                    path.unlink()  # rows lie in the order they came
            (folder / "stdout.txt").write_bytes(said)
            return digests(folder)

    def test_the_same_bytes(self):
        for name in COMMANDS:
            with self.subTest(name):
                one = self.answer(name, 1)
                self.assertGreater(sum(map(len, one.values())), 0)
                self.assertEqual(one, self.answer(name, 3))


if __name__ == "__main__":
    unittest.main(verbosity=1)
