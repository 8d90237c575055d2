#!/usr/bin/env python3
"""Plants one violation at a time in a copy of the sources: check_layers.py must name it."""

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHECK = ROOT / "scripts" / "check_layers.py"

# What is planted, where it is to be reported, and a piece of the rule named.
PLANTED = (
    ("sim/base/units.hpp", '#include "models/hbm/hbm_spec.hpp"', "sim/base may see nothing"),
    ("workloads/llm/llm_spec.cpp", '#include "models/hbm/hbm_spec.hpp"', "workloads/llm may see"),
    ("workloads/requests/azure_reader.cpp", '#include "workloads/llm/llm_spec.hpp"',
     "workloads/requests may see"),
    ("models/mac/mac_array.cpp", '#include "workloads/llm/llm_spec.hpp"', "models may see"),
    ("models/hbm/hbm_spec.hpp", '#include "models/memory/memory_if.hpp"', "model_spec may see"),
    ("sim/serving/scheduler.cpp", '#include "models/hbm/hbm_spec.hpp"', "sim/serving may see"),
    ("sim/config/read_hbm.cpp", '#include "sim/mapping/plan.hpp"', "sim/config may see"),
    ("sim/metrics/report.cpp", '#include "sim/engine/run.hpp"', "sim/metrics may see"),
    ("sim/engine/run.cpp", '#include "sim/cli/command.hpp"', "sim/engine may see"),
    ("sim/mapping/plan.cpp", "#include <systemc>", "does not see SystemC"),
    ("models/package/event_counts.hpp", "#include <tlm>", "does not see SystemC"),
    ("sim/accounts/energy.cpp", '#include "models/kernel/time.hpp"',
     "models/kernel/time.hpp -> systemc"),
    ("sim/engine/run.cpp", "#include <yaml-cpp/yaml.h>", "only sim/config/yaml_reader.cpp"),
    ("models/fabric/topology.hpp", "#include <boost/graph/adjacency_list.hpp>", "Boost stays"),
    ("tests/models/fabric_bench.hpp", "#include <boost/version.hpp>", "Boost stays"),
    ("workloads/moe/expert_router.cpp", "#include <random>", "random draws come from"),
    ("sim/engine/simulation.cpp", "#include <chrono>", "no wall clock"),
    ("sim/engine/run.cpp", '#include "../base/error.hpp"', "never ../"),
    ("sim/engine/run.cpp", '#include "error.hpp"', "from the root"),
    ("sim/engine/run.cpp", '#include "tests/models/sim_fixture.hpp"', "nothing but tests"),
    ("sim/base/error.hpp", '#include "sim/base/units.hpp"\n#include "sim/base/rng.hpp"', None),
    ("sim/base/error.hpp", '/*\n#include <systemc>\n*/\n// #include <systemc>', None),
    ("models/sram/sram_spec.hpp", '#include "models/hbm/hbm_spec.hpp"\n', None),
)


def check(root, *options):
    return subprocess.run([sys.executable, str(CHECK), "--root", str(root), *options],
                          capture_output=True, text=True, check=False)


class CheckLayers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = Path(cls.folder.name)
        for top in ("sim", "workloads", "models", "tests"):
            shutil.copytree(ROOT / top, cls.root / top,
                            ignore=lambda folder, names: [
                                n for n in names if not (Path(folder) / n).is_dir()
                                and Path(n).suffix not in (".hpp", ".cpp")])

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def plant(self, path, text):
        """Writes `text` before the first #include of `path`; returns its line number."""
        file = self.root / path
        whole = file.read_text(encoding="utf-8")
        self.addCleanup(file.write_text, whole, encoding="utf-8")
        at = whole.index("#include")
        file.write_text(whole[:at] + text + "\n" + whole[at:], encoding="utf-8")
        return whole.count("\n", 0, at) + 1

    def test_the_copy_is_clean(self):
        result = check(self.root)
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_each_planted_include_is_named_with_file_line_and_rule(self):
        for path, text, rule in PLANTED:
            with self.subTest(path=path, planted=text):
                line = self.plant(path, text)
                result = check(self.root)
                self.doCleanups()
                if rule is None:
                    self.assertEqual(result.returncode, 0, result.stdout)
                    continue
                self.assertEqual(result.returncode, 1, result.stdout)
                named = [l for l in result.stdout.splitlines() if l.startswith(f"{path}:{line}: ")]
                self.assertTrue(any(rule in l for l in named), result.stdout)

    def test_systemc_behind_an_allowed_header_is_found_at_every_file_that_reaches_it(self):
        self.plant("models/hbm/hbm_spec.hpp", "#include <systemc>")
        result = check(self.root)
        self.assertIn("sim/mapping/plan.hpp:", result.stdout)
        self.assertIn("models/package/platform_spec.hpp -> models/die/die_spec.hpp -> models/hbm/hbm_spec.hpp -> systemc",
                      result.stdout)

    def test_a_circle_of_folders_is_named_by_its_arrows(self):
        self.plant("models/memory/memory_spec.hpp", '#include "models/sram/sram_spec.hpp"')
        result = check(self.root)
        self.assertEqual(result.returncode, 1)
        self.assertIn("no circle of folders (models/memory, models/sram)", result.stdout)

    def test_a_circle_of_headers_is_named(self):
        self.plant("sim/base/units.hpp", '#include "sim/base/error.hpp"')
        self.plant("sim/base/error.hpp", '#include "sim/base/units.hpp"')
        result = check(self.root)
        self.assertIn("no circle of headers", result.stdout)

    def test_a_folder_without_a_row_is_an_error(self):
        (self.root / "sim/later").mkdir()
        self.addCleanup(shutil.rmtree, self.root / "sim/later")
        (self.root / "sim/later/a.hpp").write_text('#include "sim/base/units.hpp"\n',
                                                   encoding="utf-8")
        result = check(self.root)
        self.assertIn("sim/later has no row", result.stdout)

    def test_wrong_use_is_told_apart(self):
        self.assertEqual(check(self.root / "nowhere").returncode, 2)


if __name__ == "__main__":
    unittest.main()
