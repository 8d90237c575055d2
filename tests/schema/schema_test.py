#!/usr/bin/env python3
"""The JSON Schemas against the checker: schema_test.py PROGRAM SOURCE.

Every shipped YAML file, and every resolved.yaml, is of the schema of its kind; files with one thing wrong are
refused by the checker and by the schema; of shipped files with a value changed both say the same; every key
that a reader asks for by name is in a schema. 77: no jsonschema here.
"""

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

try:
    import jsonschema
    import yaml
except ImportError:
    print("skipped: python3-jsonschema and python3-yaml are not here")
    sys.exit(77)

PROGRAM, SOURCE = Path(sys.argv.pop(1)), Path(sys.argv.pop(1))
FOLDERS = {"platforms": "platform", "llms": "llm", "workloads": "workload", "serving": "serving",
           "hbm": "hbm", "kernels": "kernels", "silicon": "silicon", "cooling": "cooling",
           "tiers": "tier", "links": "link", "prices": "prices", "sweeps": "sweep",
           "experiments": "experiment"}
# The rest of the YAML there is, by kind.
OTHERS = {"ledger": "registry/ledger.yaml", "paper": "claims/paper.yaml", "figures": "claims/figures.yaml"}


class Loader(yaml.SafeLoader):
    """YAML 1.2 as editors read it: no dates and no times of day, and on, off, yes and no are words."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rows
            if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:int")]
    for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))
Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?\d+$"), list("-+0123456789"))
Loader.add_implicit_resolver("tag:yaml.org,2002:float",
                             re.compile(r"^[-+]?(\d[\d]*\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+0123456789."))


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True,
                          env={**os.environ, "RETICLE_HOME": str(SOURCE)}, check=False)


def problem(validator, text):
    """What the schema has against it; None: nothing."""
    errors = list(validator.iter_errors(yaml.load(text, Loader)))
    if not errors:
        return None
    error = jsonschema.exceptions.best_match(errors)
    return f"{'.'.join(str(p) for p in error.absolute_path)}: {error.message[:200]}"


# Kind, shipped file, what is replaced, and by what: each one mistake.
BROKEN = [
    ("platform", "platforms/h100-8.yaml", "status: shipping", "status: shipping\ncolour: red"),
    ("platform", "platforms/h100-8.yaml", "\nname: ", "\nnmae: "),
    ("platform", "platforms/ref-asic.yaml", "dies_per_package: 4", "dies_per_package: four"),
    ("platform", "platforms/ref-asic.yaml", "dies_per_package: 4", "dies_per_package: 0"),
    ("platform", "platforms/ref-asic.yaml", "dies_per_package: 4", "dies_per_package: [4]"),
    ("platform", "platforms/ref-asic.yaml", "dies_per_package: 4",
     "dies_per_package: {value: 4, surce: x}"),
    ("platform", "platforms/ref-asic.yaml", "dies_per_package: 4",
     "dies_per_package: {value: 4, source: x, confidence: sure}"),
    ("platform", "platforms/ref-asic.yaml", "banks: 32", "banks: 65537"),
    ("platform", "platforms/ref-asic.yaml", "banks: 32", "banks: -1"),
    ("platform", "platforms/ref-asic.yaml", "banks: 32", "banks: 1.5"),
    ("llm", "llms/llama-3-70b.yaml", "layers: 80", "layers: eighty"),
    ("llm", "llms/llama-3-70b.yaml", "layers: 80", "layers: 0"),
    ("llm", "llms/llama-3-70b.yaml", "layers: 80", "layer: 80"),
    ("llm", "llms/llama-3-70b.yaml", "layers: 80", "layers: 80\nstate: fp5"),
    ("llm", "llms/llama-3-70b.yaml", "layers: 80", "layers: 80\ngated_ffn: maybe"),
    ("workload", "workloads/steady-64.yaml", "kind: steady-decode", "kind: unsteady-decode"),
    ("workload", "workloads/steady-64.yaml", "batch: 64", "batch: 0"),
    ("workload", "workloads/sample-chat.yaml", "rate_scale: 1.0", "rate_scale: 1e12"),
    ("serving", "serving/vllm.yaml", "layer_overhead:", "layers_overhead:"),
    ("serving", "serving/vllm.yaml", "value: 8.4 us", "value: 8.4 furlongs"),
    ("serving", "serving/vllm.yaml", "value: 8.4 us", "value: 8.4"),
    ("serving", "serving/vllm.yaml", "title: vLLM", "queue: last\ntitle: vLLM"),
    ("sweep", "sweeps/kv-tiering.yaml", "time_limit: 300 s", "time_limit: soon"),
    ("sweep", "sweeps/kv-tiering.yaml", "axes:", "axises:"),
    ("sweep", "sweeps/kv-tiering.yaml", "steps: 6", "steps: 1"),
    ("prices", "prices/colocation.yaml", "hosting_usd_per_kw_month", "hosting_eur_per_kw_month"),
    ("hbm", "hbm/hbm3.yaml", "timing:", "timings:"),
    ("silicon", "silicon/n5.yaml", "wafer_mm:", "wafer_inch:"),
]

# What is put in place of a value: forms, kinds, units and sizes of all sorts. `VALUE` is what stood there.
VARIANTS = ["", "~", "none", "[]", "{}", "[1]", "{value: VALUE}", "{value: VALUE, source: x, confidence: estimate}",
            "{value: VALUE, confidence: Datasheet}", "{value: VALUE, year: abc}", "{value: VALUE, unit: furlongs}", "\"VALUE\"",
            "true", "no", "-1", "0", "1e3", "1.0", "1_000", ".5", "5.", "+1", "1e-3", ".inf", "1e400",
            "99999999999999999999", "1 GB", "1GB", " 1  GiB ", "1 gb", "5 %", "x", "abc def", "2026-01-01", "1 ms",
            "\"1 \"", "\" 1\"", "1 tokens", "1 count", "12:30", "{value: 1, unit: GB}", "{value: 1, unit: ms}",
            "{value: 1, unit: tokens}", "{value: \"1\", unit: ms}", "{source: x}", "{value: 1, range: [0, 2]}",
            "{value: 1, range: [0, x]}", "\"1 GB/s\"", "1 TB/s", "64 B", "1.5 KiB", "2024"]
LINE = re.compile(r"^(\s*(?:- )?[\w.-]+:\s+)([^#\[{&\n\"'|>][^#\n]*?)(\s*(?:#.*)?)$")
# What a refusal says that a value alone earned; the others are about two keys, or a file that is not there.
OF_ONE_VALUE = re.compile(r"(expected (an?|one of|the unit|\[low|\{source)|must be between|must be a finite|must not be negative|"
                          r"unknown (key|silicon|hbm|kernels|cooling|tier|link)|is missing)")
# Which a schema cannot say: numbers in quotes, or with a unit, and their bounds.
BOUND = re.compile(r"must be between|out of the range|must be a whole number of|must be a finite")


# Keys that tests for their presence alone, and names that are put together, stand in no schema by name.
READERS = ("platform", "llm", "workload", "policies", "hbm", "kernels", "silicon", "cooling", "tier", "prices",
           "fabric", "sweep")
ASKED = re.compile(r'(?:get<[^>]*(?:<[^>]*>)?>|find<[^>]*(?:<[^>]*>)?>|child|find_child|sections|texts|has)\(\s*"(\w+)"')


class Schemas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        done = run("manual", "schema", cls.folder.name)
        assert done.returncode == 0, done.stderr
        cls.schemas = {p.name.removesuffix(".schema.json"): json.loads(p.read_text(encoding="utf-8"))
                       for p in Path(cls.folder.name).iterdir()}
        cls.validators = {kind: jsonschema.Draft7Validator(schema) for kind, schema in cls.schemas.items()}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_they_are_schemas(self):
        for name, schema in self.schemas.items():
            with self.subTest(name):
                jsonschema.Draft7Validator.check_schema(schema)
        self.assertEqual(set(self.schemas), set(FOLDERS.values()) | set(OTHERS) | {"entry", "resolved"})

    def test_every_shipped_file_is_of_its_schema(self):
        files = [(kind, p) for folder, kind in FOLDERS.items()
                 for p in sorted((SOURCE / "configs" / folder).glob("*.yaml"))]
        self.assertGreater(len(files), 90)
        for kind, path in files:
            with self.subTest(path.name):
                self.assertIsNone(problem(self.validators[kind], path.read_text(encoding="utf-8")))
        for kind, name in OTHERS.items():
            with self.subTest(name):
                text = (SOURCE / "configs" / name).read_text(encoding="utf-8")
                self.assertIsNone(problem(self.validators[kind], text))
        entries = sorted((SOURCE / "configs/registry").glob("[0-9b]*.md"))
        self.assertEqual(len(entries), len(list((SOURCE / "configs/experiments").glob("*.yaml"))))
        for path in entries:
            with self.subTest(path.name):
                front = path.read_text(encoding="utf-8").split("---\n")[1]
                self.assertIsNone(problem(self.validators["entry"], front))

    def test_what_a_run_has_resolved_is_of_its_schema(self):
        runs = (["h100-8", "llama-3-8b", "steady-decode"], ["ref-asic", "claude-class-low", "steady-decode"],
                ["sn40l", "llama-3-8b", "sample-agent", "--set", "workload.limit=1", "--set", "workload.max_output=2"],
                ["h100-8", "llama-3-8b", "sample-chat", "--serving", "vllm", "--set", "workload.limit=1"])
        for platform, llm, workload, *more in runs:
            with self.subTest(f"{platform} {workload}"), tempfile.TemporaryDirectory() as scratch:
                done = run("run", "--platform", platform, "--llm", llm, "--workload", workload, "--fidelity", "roofline",
                           "--out", scratch, *more)
                self.assertEqual(done.returncode, 0, done.stderr)
                text = Path(scratch, "resolved.yaml").read_text(encoding="utf-8")
                self.assertIsNone(problem(self.validators["resolved"], text))
                for old, new in (("\nseed: ", "\nsede: "), ('origin: "default"', 'orgin: "default"'), ("confidence: ", "confidence: very-")):
                    if old in text:
                        self.assertIsNotNone(problem(self.validators["resolved"], text.replace(old, new, 1)))

    def variations(self, count):
        """(kind, file, what was changed, text), the same at every run."""
        rng = random.Random(11)
        lines = {}
        files = [(kind, p) for folder, kind in FOLDERS.items() if kind not in ("experiment", "sweep")
                 for p in sorted((SOURCE / "configs" / folder).glob("*.yaml"))]
        files += [(kind, SOURCE / "configs" / OTHERS[kind]) for kind in ("paper", "figures")]
        for kind, path in files:
            rows = path.read_text(encoding="utf-8").split("\n")
            lines.setdefault(kind, []).extend((path, i) for i, row in enumerate(rows) if LINE.match(row))
        kinds = sorted(kind for kind in lines if lines[kind])
        for n in range(count):
            kind = kinds[n % len(kinds)]
            path, i = rng.choice(lines[kind])
            rows = path.read_text(encoding="utf-8").split("\n")
            found = LINE.match(rows[i])
            rows[i] = found[1] + rng.choice(VARIANTS).replace("VALUE", found[2].replace('"', "").replace("{", "").replace("}", "")) + found[3]
            yield kind, path, rows[i].strip(), "\n".join(rows)

    def test_of_changed_files_both_say_the_same(self):
        with tempfile.TemporaryDirectory() as scratch:
            changed = []
            for n, (kind, path, change, text) in enumerate(self.variations(int(os.environ.get("RETICLE_VARIATIONS", "250")))):
                folder = Path(scratch, str(n))  # its name is a check of some kinds
                folder.mkdir()
                (folder / path.name).write_text(text, encoding="utf-8")
                changed.append((kind, f"{path.name}: {change}", folder / path.name, text))
            done = run("check", *[file for _, _, file, _ in changed])
            refused = {line.split(":")[0]: line for line in done.stderr.splitlines()}
            taken = {line.split(":")[0] for line in done.stdout.splitlines()}
            both = 0
            for kind, change, file, text in changed:
                with self.subTest(change):
                    said = refused.get(str(file))
                    self.assertTrue((said is None) == (str(file) in taken), f"neither taken nor refused: {said}")
                    try:
                        wrong = problem(self.validators[kind], text)
                    except yaml.YAMLError:
                        wrong = "no YAML"
                    if said is None:
                        self.assertIsNone(wrong, "the checker takes it")
                    elif OF_ONE_VALUE.search(said) and not BOUND.search(said):
                        self.assertIsNotNone(wrong, f"the schema takes it: {said}")
                    both += (said is None) == (wrong is None)
            self.assertGreater(both, 0.9 * len(changed))

    def test_broken_files_are_refused_by_both(self):
        for kind, name, old, new in BROKEN:
            with self.subTest(f"{name}: {new}"), tempfile.TemporaryDirectory() as scratch:
                text = (SOURCE / "configs" / name).read_text(encoding="utf-8")
                self.assertIn(old, text)
                broken = text.replace(old, new, 1)
                self.assertIsNotNone(problem(self.validators[kind], broken), "the schema takes it")
                file = Path(scratch, "broken.yaml")
                file.write_text(broken, encoding="utf-8")
                self.assertEqual(run("check", file).returncode, 3, "the checker takes it")

    def test_every_key_that_is_asked_for_is_in_a_schema(self):
        text = json.dumps(self.schemas)
        for reader in READERS:
            source = (SOURCE / f"sim/config/read_{reader}.cpp").read_text(encoding="utf-8")
            source = source.split("PlacementPolicy read_placement")[0]  # of a run, not of a file
            for key in set(ASKED.findall(source)):
                with self.subTest(f"read_{reader}.cpp: {key}"):
                    self.assertTrue(f'"{key}": ' in text)


if __name__ == "__main__":
    unittest.main(verbosity=1)
