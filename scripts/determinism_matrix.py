#!/usr/bin/env python3
"""Compares what scripts/determinism.sh left: a row per run, a column per variant, each beside the first.

    scripts/determinism_matrix.py DIRECTORY VARIANT...

Files are equal byte for byte, but for what belongs to the program and not to its inputs: the block
`simulator` of a report, and the git revision. A run repeated in another way (a shuffled order of
elaboration, another number of jobs) is compared with the run it repeats too. Exit 1 where one differs.
"""

import hashlib
import re
import sys
from pathlib import Path

# Wall time and memory of the host; a page embeds the report, a summary says the time.
OF_THE_HOST = (re.compile(rb'"simulator": ?\{[^{}]*\}'),
               re.compile(rb'git_revision(":|:) "[^"]*"'), re.compile(rb'"(wall_s|peak_rss_bytes)": ?[\d.e+-]+'),
               re.compile(rb"[\d.,]+ [munp]?s of wall time"),
               re.compile(rb"points in [\d.,]+ \w+|largest process [\d.,]+ \w+"))
HOST_COLUMNS = {b"wall_s", b"peak_rss_bytes"}  # of a sweep's points.csv
REPEATS = {"moe-shuffled": "moe-trace", "gpu-shuffled": "gpu-trace", "sweep-jobs-2": "sweep-jobs-1"}


def without_host_columns(table):
    rows = [line.split(b",") for line in table.splitlines()]
    kept = [i for i, name in enumerate(rows[0]) if name not in HOST_COLUMNS]
    return b"\n".join(b",".join(row[i] for i in kept if i < len(row)) for row in rows)


def digests(directory):
    """Run -> {file: digest}."""
    runs = {}
    for path in sorted(directory.rglob("*")):
        if not path.is_file():
            continue
        parts = path.relative_to(directory).parts
        run, name = (parts[0], "/".join(parts[1:])) if len(parts) > 1 else (Path(parts[0]).stem, parts[0])
        data = path.read_bytes()
        if name == "stdout.txt":
            data = b" ".join(data.split())  # lines are as long as the wall time in them lets them be
        for pattern in OF_THE_HOST:
            data = pattern.sub(b"", data)
        if name == "points.csv":
            data = without_host_columns(data)
        runs.setdefault(run, {})[name] = hashlib.sha256(data).hexdigest()
    return runs


def difference(one, other):
    names = sorted(n for n in one.keys() | other.keys() if one.get(n) != other.get(n))
    return "same" if not names else "DIFFERS: " + ", ".join(names)


def main():
    root, variants = Path(sys.argv[1]), sys.argv[2:]
    found = {v: digests(root / v) for v in variants if (root / v).is_dir()}
    if not found:
        sys.exit("nothing to compare")
    first = next(iter(found))
    rows = []
    for run, files in found[first].items():
        row = [run, str(len(files))]
        for variant in found:
            of = REPEATS.get(run, run)
            row.append(difference(found[first].get(of, {}), found[variant].get(run, {})))
        rows.append(row)
    head = ["run", "files", *found]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    wrong = sum(cell.startswith("DIFFERS") for row in rows for cell in row)
    print(f"{len(rows)} runs, {len(found)} variants: {wrong} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
