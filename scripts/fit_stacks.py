#!/usr/bin/env python3
"""Fits the host time of serving stacks: the one thing that is fitted to system rows.

    scripts/fit_stacks.py [--rows FILE] [--check]

Runs `reticle validate systems --without-stack` and takes, for each policy of configs/serving that
stands for a stack, the host time per layer and step and the host time per stream and step with
which simulated times per output token come closest to the measured ones of all its rows: least
mean |log(simulated / measured)|, both at least 0; of stacks with fewer than ten rows the former alone. Writes them to the policy with what remains.
--check writes nothing and fails where a shipped value differs by more than 1 us.
"""

import argparse
import json
import math
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STACKS = ("tensorrt-llm", "vllm", "vllm-rocm", "sglang", "sglang-rocm")
KEYS = ("layer_overhead", "stream_overhead")


def simulated(rows):
    command = [ROOT / "build/release/reticle", "validate", "systems", rows, "--without-stack", "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["rows"]


def stack_of(row):
    return row["stack"] + ("-rocm" if row["platform"].startswith("MI") else "")


def cost(rows, values):
    """Mean |log(simulated / measured)|; host times are microseconds, rows' times milliseconds."""
    layer, stream = values
    return sum(abs(math.log((r["simulated"] + 1e-3 * (layer * r["layers"] + stream * r["streams"])) / r["measured"]))
               for r in rows) / len(rows)


FEW = 10  # rows of a stack, with which one number is all that can be told


def fit(rows):
    """Coordinate descent on a grid of 0.1 us; the sum of logarithms has no other bend to fall into."""
    best, values, step = cost(rows, (0, 0)), (0.0, 0.0), 64.0
    while step > 0.06:
        trials = [(max(0.0, values[0] + a * step), max(0.0, values[1] + b * step))
                  for a in (-1, 0, 1) for b in ((-1, 0, 1) if len(rows) >= FEW else (0,))]
        least, trial = min((cost(rows, t), t) for t in trials)
        if least < best - 1e-12:
            best, values = least, trial
        else:
            step /= 2
    return best, [round(v, 1) for v in values]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=str(ROOT / "../shared/measured/systems.csv"))
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    times = {stack: [] for stack in STACKS}
    for row in simulated(arguments.rows):
        if row["metric"].startswith(("TPOT", "ITL")) and stack_of(row) in times:
            times[stack_of(row)].append(row)
    failed = False
    for stack, rows in times.items():
        if not rows:
            continue
        left, values = fit(rows)
        print(f"{stack}: {values[0]} us a layer, {values[1]} us a stream; {100 * left:.1f} % of mean deviation "
              f"over {len(rows)} rows, {100 * cost(rows, (0, 0)):.1f} % without")
        path = ROOT / f"configs/serving/{stack}.yaml"
        text = path.read_text()
        source = (f"fitted: scripts/fit_stacks.py, {len(rows)} rows of time per output token, "
                  f"mean deviation {100 * left:.1f} %")
        for key, value in zip(KEYS, values):
            shipped = float(re.search(rf"^{key}: {{value: ([0-9.]+) us", text, re.M)[1])
            failed |= abs(shipped - value) > 1
            text = re.sub(rf"^{key}: .*", f'{key}: {{value: {value} us, source: "{source}", confidence: derived}}',
                          text, flags=re.M)
        if not arguments.check:
            path.write_text(text)
    return 1 if arguments.check and failed else 0


if __name__ == "__main__":
    sys.exit(main())
