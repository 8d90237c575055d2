#!/usr/bin/env python3
"""Puts the figures of docs/validation/{components,systems}.txt into the tables of the pages beside them.

    scripts/validation_tables.py docs/validation [COMPONENTS_CSV MEASURED]

With a line per component row (`reticle validate components --csv`) and the folder of measurements also what rows outside the
fit say: the kernel tables are fitted to components_dense.csv.gz, and on the A100 to its experts in components.csv.
A table stands between <!-- NAME --> and <!-- end -->; the rest of a page is left alone.
"""

import csv
import gzip
import math
import re
import sys
from pathlib import Path

HEAD = "| {} | {} | MAPE | median | P90 | bias |\n|---|---|---|---|---|---|\n"


def put(page, tables):
    text = page.read_text(encoding="utf-8")
    for name, table in tables.items():
        text, count = re.subn(rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda m: m[1] + table + m[2],
                              text, flags=re.S)
        if count != 1:
            sys.exit(f"{page}: expected one table {name}, found {count}")
    page.write_text(text, encoding="utf-8")


def spaced(value):
    return re.sub(r"(?<=\d)%", " %", value)


def components(folder):
    by_op, by_both = "", ""
    for line in (folder / "components.txt").read_text(encoding="utf-8").splitlines():
        row = re.match(r"(\S+) +(\S+) +all +(\d+) +(\S+%) +(\S+%) +(\S+%) +(\S+%)$", line)
        if not row:
            continue
        platform, op, rows, median, p90, mape, bias = (spaced(v) for v in row.groups())
        line = f"| {rows} | {mape} | {median} | {p90} | {bias} |\n"
        if platform == "all":
            by_op += f"| {op} {line}"
        else:
            by_both += f"| {platform}, {op} {line}"
    put(folder / "components.md", {"by operation": HEAD.format("operation", "rows") + by_op,
                                   "by platform": HEAD.format("platform, operation", "rows") + by_both})


KEY = ("platform", "n_gpus", "op", "shape", "precision", "framework")


def read(path):
    opened = gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="", encoding="utf-8")
    with opened as file:
        return list(csv.DictReader(file))


def outside(folder, lines, measured):
    def key(row):
        return tuple(row[k] for k in KEY)
    fitted = {key(row) for row in read(measured / "components_dense.csv.gz")}
    rows = {row["id"]: row for row in read(measured / "components.csv")}
    inside, errors, ops = 0, [], set()
    for line in read(lines):
        row = rows[line["id"]]
        if line["left_out"]:
            continue
        if key(row) in fitted or row["op"] == "moe" and row["platform"].startswith("A100"):
            inside += 1
        else:
            errors.append(abs(float(line["error"])))
            ops.add(row["op"])
    errors.sort()

    def rank(share):
        return 100 * errors[max(0, math.ceil(share * len(errors)) - 1)]
    put(folder / "components.md", {"outside": f"{inside} of the rows are ones that the tables were fitted to; {len(errors)} "
                                   f"({', '.join(sorted(ops))}) are not: median {rank(0.5):.1f} %, P90 {rank(0.9):.1f} %, mean "
                                   f"{100 * sum(errors) / len(errors):.1f} %.\n"})


def systems(folder):
    tables, name, left_out, worst = {}, None, "", ""
    titles = {"best stack of each configuration": "best", "all stacks": "all",
              "by metric, platform, model and stack": "detail"}
    for line in (folder / "systems.txt").read_text(encoding="utf-8").splitlines():
        row = re.match(r"  (.+?) +(\d+) +([\d.]+ %) +([\d.]+ %) +([\d.]+ %) +([-+][\d.]+ %)$", line)
        title = next((t for t in titles if line.strip().startswith(t)), None)
        if title:
            name = titles[title]
            tables[name] = HEAD.format(title, "values")
        elif row and name:
            tables[name] += "| " + " | ".join(row.groups()) + " |\n"
        elif line.startswith("  left out: "):
            left_out += "* " + line.removeprefix("  left out: ") + "\n"
        elif line == "  farthest off":
            name = None
        elif name is None and "measured" in line:
            worst += "* " + line.strip() + "\n"
    put(folder / "systems.md", {**tables, "left out": left_out, "worst": worst})


if __name__ == "__main__":
    components(Path(sys.argv[1]))
    systems(Path(sys.argv[1]))
    if len(sys.argv) == 4:
        outside(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
