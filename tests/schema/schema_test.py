#!/usr/bin/env python3
"""The JSON Schemas against the checker: schema_test.py PROGRAM SOURCE.

Every shipped YAML file is of the schema of its kind; files with one thing wrong are refused by the checker
and by the schema; every key that a reader asks for by name is in a schema. 77: no jsonschema here.
"""

import json
import os
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


class Loader(yaml.SafeLoader):
    """YAML 1.2 as editors read it: no dates, and on, off, yes and no are words."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rows
            if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")]
    for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))
Loader.add_implicit_resolver("tag:yaml.org,2002:float",
                             re.compile(r"^[-+]?(\d[\d]*\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+0123456789."))


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True,
                          env={**os.environ, "RETICLE_HOME": str(SOURCE)}, check=False)


def problem(schema, text):
    """What the schema has against it; None: nothing."""
    errors = list(jsonschema.Draft7Validator(schema).iter_errors(yaml.load(text, Loader)))
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

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_they_are_schemas(self):
        for name, schema in self.schemas.items():
            with self.subTest(name):
                jsonschema.Draft7Validator.check_schema(schema)
        self.assertEqual(set(self.schemas), set(FOLDERS.values()))

    def test_every_shipped_file_is_of_its_schema(self):
        files = [(kind, p) for folder, kind in FOLDERS.items()
                 for p in sorted((SOURCE / "configs" / folder).glob("*.yaml"))]
        self.assertGreater(len(files), 90)
        for kind, path in files:
            with self.subTest(path.name):
                self.assertIsNone(problem(self.schemas[kind], path.read_text(encoding="utf-8")))

    def test_broken_files_are_refused_by_both(self):
        for kind, name, old, new in BROKEN:
            with self.subTest(f"{name}: {new}"), tempfile.TemporaryDirectory() as scratch:
                text = (SOURCE / "configs" / name).read_text(encoding="utf-8")
                self.assertIn(old, text)
                broken = text.replace(old, new, 1)
                self.assertIsNotNone(problem(self.schemas[kind], broken), "the schema takes it")
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
