# SPDX-License-Identifier: Apache-2.0
"""Reticle from Python: runs the program, gives results as objects and tables.

    import reticle
    report = reticle.run("ref-asic", "claude-class-mid", "steady-64", {"workload.context": 32768})
    report.throughput.output_tokens_per_s          # or report["throughput"]["output_tokens_per_s"]
    reticle.table([report, other]).to_pandas()     # pandas only where you ask for it

Keys, units and meanings are those of the report (docs/report.md). Standard library alone. The program is
$RETICLE when set, else `reticle` of the PATH, else build/release/reticle of the source tree this file is
in. A run that ends badly raises the class of its exit code; the message is the program's.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

__all__ = ["Report", "Table", "Error", "Bug", "Usage", "BadInput", "Infeasible", "Stuck", "Interrupted", "run", "run_many",
           "compare", "sweep", "describe", "catalogue", "table", "program", "version"]


class Error(RuntimeError):
    """The program ended badly; `code` is its exit code, the text what it said."""
    code = None


class Bug(Error):
    """A mistake of the program's own."""
    code = 1


class Usage(Error):
    """An option or a word it does not know."""
    code = 2


class BadInput(Error):
    """A wrong file, key or value; the message gives file:line:column."""
    code = 3


class Infeasible(Error):
    """Valid, but it does not fit or cannot be."""
    code = 4


class Stuck(Error):
    """Stuck, or over a limit."""
    code = 5


class Interrupted(Error):
    """Stopped by SIGINT or SIGTERM; what was done is kept."""
    code = 130


_ERRORS = {kind.code: kind for kind in (Bug, Usage, BadInput, Infeasible, Stuck, Interrupted)}


class Report(dict):
    """A JSON object whose keys are attributes too, down to its leaves. None: does not apply."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"no '{name}'; there are {', '.join(self)}") from None

    def figures(self, prefix=""):
        """Every leaf as {"throughput.output_tokens_per_s": 11754.2, ...}; lists as they are."""
        flat = {}
        for key, value in self.items():
            if isinstance(value, Report):
                flat.update(value.figures(f"{prefix}{key}."))
            else:
                flat[prefix + key] = value
        return flat


class Table(list):
    """Rows, each a dict with the same keys."""

    @property
    def columns(self):
        names = {}
        for row in self:
            names.update(dict.fromkeys(row))
        return list(names)

    def column(self, name):
        if self and name not in self.columns:
            raise KeyError(f"no column '{name}'; there are {', '.join(self.columns)}")
        return [row.get(name) for row in self]

    def to_pandas(self):
        """A pandas.DataFrame. ImportError where pandas is not installed."""
        import pandas
        return pandas.DataFrame(list(self), columns=self.columns)


def _number(text):
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return None if text == "" else text


def _from_csv(text):
    return Table({key: _number(cell) for key, cell in row.items()} for row in csv.DictReader(io.StringIO(text, newline="")))


def _read_csv(path):
    return _from_csv(Path(path).read_text(encoding="utf-8"))


def program():
    """The program's path. FileNotFoundError when there is none."""
    stated = os.environ.get("RETICLE")
    built = Path(__file__).resolve().parents[2] / "build/release/reticle"
    found = stated or shutil.which("reticle") or (str(built) if built.exists() else None)
    if found is None:
        raise FileNotFoundError("no reticle on the PATH: install it, or set RETICLE to its path")
    return found


def _call(arguments):
    done = subprocess.run([program(), *map(str, arguments)], capture_output=True, text=True, encoding="utf-8", check=False)
    return done.returncode, done.stdout, done.stderr


def _checked(arguments):
    code, out, err = _call(arguments)
    if code != 0:
        raise _ERRORS.get(code, Error)(err.strip() or f"ended with {code}: {' '.join(map(str, arguments))}")
    return out


def _parse(text):
    return json.loads(text, object_hook=Report)


def _value(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def _sets(sets):
    return [word for key, value in (sets or {}).items() for word in ("--set", f"{key}={_value(value)}")]


def _options(options):
    """chips=8 becomes --chips 8; a flag is True; None and False are left out."""
    words = []
    for key, value in options.items():
        if value is None or value is False:
            continue
        words += [f"--{key.replace('_', '-')}"] + ([] if value is True else [_value(value)])
    return words


def version():
    return _checked(["--version"]).strip()


def catalogue(kind):
    """Names of `reticle list KIND`: platforms, llms, workloads, prices, servings, sweeps."""
    return json.loads(_checked(["list", kind, "--json"]))


def describe(kind, name, sets=None):
    """`reticle describe platform|llm|workload NAME` as a Report."""
    return _parse(_checked(["describe", kind, name, "--json", *_sets(sets)]))


def run(platform, llm, workload, sets=None, *, tables=False, **options):
    """One simulation: a Report. `sets` are keys as of --set; options as of `reticle run` (chips, seed,
    fidelity, serving, exact=True). With `tables` the report has `requests` and `residency` as Tables of
    what --out writes. A deployment that does not fit raises Infeasible."""
    words = ["run", "--platform", platform, "--llm", llm, "--workload", workload, "--json", *_sets(sets), *_options(options)]
    if not tables:
        return _parse(_checked(words))
    with tempfile.TemporaryDirectory() as folder:
        report = _parse(_checked(words + ["--out", folder]))
        for name in ("requests", "residency"):
            path = Path(folder) / f"{name}.csv"
            report[name] = _read_csv(path) if path.exists() else Table()
        return report


def run_many(runs, jobs=None):
    """Several runs at a time, each a dict of run()'s arguments: Reports in the same order, and in place of
    one that ended badly its Error. `jobs`: as many as cores when absent."""
    def one(arguments):
        try:
            return run(**arguments)
        except Error as error:
            return error
    with ThreadPoolExecutor(max_workers=jobs or os.cpu_count()) as pool:
        return list(pool.map(one, runs))


def compare(llm, workload, platforms=None, sets=None, out=None, **options):
    """`reticle compare`: a Report, and `out` has its tables and compare.json."""
    words = ["compare", "--llm", llm, "--workload", workload, "--json", *_sets(sets), *_options(options)]
    if platforms:
        words += ["--platforms", ",".join(platforms)]
    return _parse(_checked(words + (["--out", str(out)] if out else [])))


def sweep(file, out, sets=None, **options):
    """`reticle sweep`: runs it in the directory `out`, or goes on there; a Table with a row per point, those
    without a result and their reasons among them. Options as of the command (jobs, retry, engine)."""
    _checked(["sweep", file, "--out", out, "--quiet", *_sets(sets), *_options(options)])
    return _from_csv(_checked(["sweep", "export", out, "--format", "csv"]))


def table(reports, *figures):
    """Reports side by side: a row each, of the figures named or of all."""
    rows = Table()
    for report in reports:
        flat = report.figures()
        for name in figures:
            if name not in flat:
                raise KeyError(f"no figure '{name}'")
        rows.append({name: flat[name] for name in figures} if figures else flat)
    return rows
