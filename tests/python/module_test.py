#!/usr/bin/env python3
"""The Python module on the real program: python3 module_test.py PROGRAM SOURCE"""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

PROGRAM, SOURCE = sys.argv.pop(1), Path(sys.argv.pop(1))
os.environ["RETICLE"] = PROGRAM
os.environ["RETICLE_HOME"] = str(SOURCE)
sys.path.insert(0, str(SOURCE / "scripts/python"))
import reticle  # noqa: E402

QUICK = {"platform": "h100-8", "llm": "llama-3-8b", "workload": "sample-chat",
         "sets": {"workload.limit": 4}, "fidelity": "roofline"}
SWEEP = """sweep: two
title: Batches
run: {platform: h100-8, llm: llama-3-8b, workload: steady-decode}
set: [engine.fidelity=roofline, workload.steps=1, serving.max_batch=100000]
axes:
  - {key: workload.batch, values: [1, 2, 100000]}
objectives: [throughput]
time_limit: 60 s
"""


def instead(script):
    """A program of our own in place of Reticle."""
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name, "reticle")
    path.write_text("#!/bin/sh\n" + script, encoding="utf-8")
    path.chmod(0o755)

    class Patch:
        def __enter__(self):
            self.patch = mock.patch.dict(os.environ, RETICLE=str(path))
            self.patch.start()
            return path

        def __exit__(self, *_):
            self.patch.stop()
            folder.cleanup()
    return Patch()


class Module(unittest.TestCase):
    def test_a_report_is_the_programs_own(self):
        report = reticle.run(**QUICK)
        self.assertEqual(report.inputs.platform, "h100-8")
        self.assertEqual(report["throughput"]["output_tokens_per_s"], report.throughput.output_tokens_per_s)
        self.assertGreater(report.throughput.output_tokens_per_s, 0)
        self.assertEqual(report.figures()["energy.per_token_j"], report.energy.per_token_j)
        self.assertAlmostEqual(sum(report.time_breakdown.values()), 1, places=9)
        with self.assertRaisesRegex(AttributeError, "no 'thruput'; there are schema"):
            report.thruput

    def test_tables_have_a_row_per_request_and_numbers_in_them(self):
        report = reticle.run(**QUICK, tables=True)
        self.assertEqual(len(report.requests), 4)
        self.assertIsInstance(report.requests[0][report.requests.columns[1]], (int, float))
        with self.assertRaises(KeyError):
            report.requests.column("nothing")

    def test_every_exit_code_has_its_class(self):
        with self.assertRaisesRegex(reticle.BadInput, "did you mean h100-8"):
            reticle.run("h100-9", "llama-3-8b", "sample-chat")
        with self.assertRaisesRegex(reticle.Infeasible, "room"):
            reticle.run("h100-8", "claude-class-mid", "steady-64")
        with self.assertRaises(reticle.Usage):
            reticle.run(**QUICK, nosuch=True)
        for code, kind in ((1, reticle.Bug), (2, reticle.Usage), (3, reticle.BadInput), (4, reticle.Infeasible),
                           (5, reticle.Stuck), (130, reticle.Interrupted), (77, reticle.Error)):
            with self.subTest(code), instead(f"echo why >&2; exit {code}"), self.assertRaisesRegex(reticle.Error, "why") as got:
                reticle.version()
            self.assertIs(type(got.exception), kind)
            self.assertEqual(got.exception.code, code)

    def test_whatever_the_program_does_is_an_error_of_ours(self):
        with instead("kill -9 $$"), self.assertRaisesRegex(reticle.Error, "SIGKILL") as got:
            reticle.version()
        self.assertEqual(got.exception.code, -9)
        with instead("echo nothing"), self.assertRaisesRegex(reticle.Error, "no JSON"):
            reticle.run(**QUICK)
        with instead("printf 'p\\377.yaml' >&2; exit 3"), self.assertRaisesRegex(reticle.BadInput, "p.+yaml"):
            reticle.run(**QUICK)
        with instead("") as path:
            path.chmod(0o644)
            for stated in (path, "/nowhere/reticle"):
                with mock.patch.dict(os.environ, RETICLE=str(stated)):
                    found = reticle.run_many([QUICK, QUICK])
                self.assertEqual([type(one) for one in found], [reticle.NotStarted] * 2)
                self.assertIsNone(found[0].code)

    def test_words_of_the_command_line(self):
        with instead("""printf '{"words": "%s"}' "$(echo "$@")" """):
            self.assertIn("--platforms h100-8 ", reticle.compare("l", "w", platforms="h100-8").words + " ")
            self.assertIn("--platforms a,b ", reticle.compare("l", "w", platforms=["a", "b"]).words + " ")
            for sets in ({"a.b": True, "c": [8, 16]}, ["a.b=true", "c=[8, 16]"]):
                self.assertIn("--set a.b=true --set c=[8, 16]", reticle.run("p", "l", "w", sets).words)
            self.assertIn("--set a=1", reticle.run("p", "l", "w", "a=1").words)

    def test_numbers_of_a_table_are_those_the_program_writes(self):
        row = reticle._from_csv("a,b,c,d,e,f,g,h\n007,1_000,infinity,-3,2.5e-07,,nan,0\n")[0]
        self.assertEqual(list(row.values()), ["007", "1_000", "infinity", -3, 2.5e-07, None, "nan", 0])

    def test_many_at_a_time_are_each_as_alone(self):
        wrong = dict(QUICK, platform="h100-9")
        found = reticle.run_many([QUICK, wrong, dict(QUICK, seed=3)], jobs=2)
        alone = reticle.run(**QUICK)
        self.assertEqual(dict(found[0], simulator=None), dict(alone, simulator=None))
        self.assertIsInstance(found[1], reticle.BadInput)
        side = reticle.table(found[:2], "inputs.seed")
        self.assertEqual(side.column("inputs.seed"), [alone.inputs.seed, None])
        self.assertIsNone(side[0]["problem"])
        self.assertIn("h100-9", side[1]["problem"])
        self.assertEqual(len(reticle.table(found)), 3)
        self.assertEqual(found[2].inputs.seed, 3)
        rows = reticle.table([found[0], found[2]], "inputs.seed", "throughput.output_tokens_per_s")
        self.assertEqual(rows.column("inputs.seed"), [alone.inputs.seed, 3])

    def test_catalogue_and_descriptions(self):
        self.assertIn("ref-asic", reticle.catalogue("platforms"))
        self.assertIn("llama-3-8b", str(reticle.describe("llm", "llama-3-8b")))
        self.assertTrue(reticle.version().startswith("reticle "))

    def test_a_sweep_is_a_table_with_its_failures(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "two.yaml")
            file.write_text(SWEEP, encoding="utf-8")
            rows = reticle.sweep(file, Path(folder, "out"))
            rows.sort(key=lambda row: row["workload.batch"])
            self.assertGreater(rows[1]["throughput"], rows[0]["throughput"])
            self.assertIsNone(rows[2]["throughput"])  # does not fit, and says so
            self.assertEqual(len(reticle.sweep(file, Path(folder, "out"))), 3)  # answered from the store

    def test_pandas_is_optional(self):
        rows = reticle.Table([{"a": 1, "b": None}, {"a": 2, "b": "x"}])
        try:
            import pandas
        except ImportError:
            with self.assertRaises(ImportError):
                rows.to_pandas()
        else:
            self.assertEqual(list(rows.to_pandas()["a"]), [1, 2])
            self.assertIsInstance(rows.to_pandas(), pandas.DataFrame)

    def test_the_example_runs_as_a_user_runs_it(self):
        path = os.pathsep.join([str(SOURCE / "scripts/python"), os.environ.get("PYTHONPATH", "")])
        done = subprocess.run([sys.executable, str(SOURCE / "scripts/python/example.py")], capture_output=True, text=True,
                              env=dict(os.environ, PYTHONPATH=path), check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("  8 H100: claude-class-mid on h100-8", done.stdout)
        self.assertIn("ref-asic   x", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=1)
