# SPDX-License-Identifier: Apache-2.0
"""Reticle from Python: runs the program, gives results as objects and tables.

    import reticle
    report = reticle.run("ref-asic", "claude-class-mid", "steady-64", {"workload.context": 32768})
    report.throughput.output_tokens_per_s          # or report["throughput"]["output_tokens_per_s"]
    reticle.table([report, other]).to_pandas()     # pandas only where you ask for it

Keys, units and meanings are those of the report (docs/report.md). Standard library alone. The program is
$RETICLE when set, else `reticle` of the PATH, else build/release/reticle of the source tree this file is
in. A run that ends badly raises the class of its exit code; the message is the program's. Whatever goes wrong
with the program is an Error.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

__all__ = ["Report", "Table", "Error", "Bug", "Usage", "BadInput", "Infeasible", "Stuck", "Interrupted", "NotStarted", "run",
           "run_many", "compare", "sweep", "describe", "catalogue", "table", "program", "version"]


class Error(RuntimeError):
    """The program ended badly; the text is what it said. `code` is its exit code, of one that a signal ended
    minus the signal's number, None of one that did not start or whose answer cannot be read."""
    code = None

    def __init__(self, text, code=None):
        super().__init__(text)
        if code is not None:
            self.code = code


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


class NotStarted(Error):
    """There is no such program, or it may not be run."""


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


_WHOLE = re.compile(r"-?(0|[1-9]\d*)")
_DECIMAL = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")


def _number(text):
    """As the program writes numbers: 007, 1_000 and infinity are names."""
    if not text:
        return None
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _from_csv(text):
    return Table({key: _number(cell) for key, cell in row.items()} for row in csv.DictReader(io.StringIO(text, newline="")))


def _read_csv(path):
    return _from_csv(Path(path).read_text(encoding="utf-8"))


def program():
    """The program's path. NotStarted when there is none."""
    stated = os.environ.get("RETICLE")
    built = Path(__file__).resolve().parents[2] / "build/release/reticle"
    found = stated or shutil.which("reticle") or (str(built) if built.exists() else None)
    if found is None:
        raise NotStarted("no reticle on the PATH: install it, or set RETICLE to its path")
    return found


def _call(arguments):
    path = program()
    try:
        done = subprocess.run([path, *map(str, arguments)], capture_output=True, text=True, encoding="utf-8", errors="replace",
                              check=False)
    except OSError as error:
        raise NotStarted(f"{path}: {error.strerror}") from None
    return done.returncode, done.stdout, done.stderr


def _how(code):
    try:
        return f"ended with {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def _checked(arguments):
    code, out, err = _call(arguments)
    if code != 0:
        said = err.strip()
        if code not in _ERRORS or not said:
            said = f"{said}\n" * bool(said) + f"{_how(code)}: {' '.join(map(str, arguments))}"
        raise _ERRORS.get(code, Error)(said, code)
    return out


def _parse(text):
    try:
        return json.loads(text, object_hook=Report)
    except ValueError as error:
        raise Error(f"the program's answer is no JSON: {error}: {text[:80]!r}") from None


def _value(value):
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _sets(sets):
    """A dict, or texts key=value as --set has them."""
    if sets is None:
        return []
    if isinstance(sets, str):
        sets = [sets]
    texts = [f"{key}={_value(value)}" for key, value in sets.items()] if hasattr(sets, "items") else sets
    return [word for text in texts for word in ("--set", str(text))]


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
    return _parse(_checked(["list", kind, "--json"]))


def describe(kind, name, sets=None):
    """`reticle describe platform|llm|workload NAME` as a Report."""
    return _parse(_checked(["describe", kind, name, "--json", *_sets(sets)]))


def run(platform, llm, workload, sets=None, *, tables=False, **options):
    """One simulation: a Report. `sets` are keys as of --set, a dict or texts key=value; options as of `reticle run` (chips, seed,
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
    """`reticle compare`: a Report, and `out` has its tables and compare.json. `platforms`: a list, or one name."""
    words = ["compare", "--llm", llm, "--workload", workload, "--json", *_sets(sets), *_options(options)]
    if platforms:
        words += ["--platforms", platforms if isinstance(platforms, str) else ",".join(platforms)]
    return _parse(_checked(words + (["--out", str(out)] if out else [])))


def sweep(file, out, sets=None, **options):
    """`reticle sweep`: runs it in the directory `out`, or goes on there; a Table with a row per point, those
    without a result and their reasons among them. Options as of the command (jobs, retry, engine)."""
    _checked(["sweep", file, "--out", out, "--quiet", *_sets(sets), *_options(options)])
    return _from_csv(_checked(["sweep", "export", out, "--format", "csv"]))


def table(reports, *figures):
    """Reports side by side: a row each, of the figures named or of all. An Error, as run_many() gives it, is
    a row of None whose `problem` says why; without Errors there is no such column."""
    reports = list(reports)
    failed = any(isinstance(report, Error) for report in reports)
    rows = Table()
    for report in reports:
        if isinstance(report, Error):
            rows.append({**dict.fromkeys(figures), "problem": str(report)})
            continue
        flat = report.figures()
        for name in figures:
            if name not in flat:
                raise KeyError(f"no figure '{name}'")
        row = {name: flat[name] for name in figures} if figures else flat
        rows.append({**row, "problem": None} if failed else row)
    return rows
