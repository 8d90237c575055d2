#!/usr/bin/env python3
"""Fits the host time per layer of serving stacks: the one thing that is fitted to system rows.

    scripts/fit_stacks.py [--rows FILE] [--check]

Runs `reticle validate systems --without-stack` and takes, for each policy of configs/serving that
stands for a stack, the median over its rows of time per output token of (measured - simulated) /
layers, at least 0; writes it to the policy with its spread. --check writes nothing and fails where
a shipped value differs by more than 1 us.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STACKS = ("tensorrt-llm", "vllm", "vllm-rocm", "sglang")


def simulated(rows):
    command = [ROOT / "build/release/reticle", "validate", "systems", rows, "--without-stack", "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["rows"]


def stack_of(row):
    return "vllm-rocm" if row["stack"] == "vllm" and row["platform"].startswith("MI") else row["stack"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=str(ROOT / "../shared/measured/systems.csv"))
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    gaps = {stack: [] for stack in STACKS}
    for row in simulated(arguments.rows):
        if row["metric"].startswith("TPOT") and stack_of(row) in gaps:
            gaps[stack_of(row)].append(1e3 * (row["measured"] - row["simulated"]) / row["layers"])
    failed = False
    for stack, values in gaps.items():
        if not values:
            continue
        path = ROOT / f"configs/serving/{stack}.yaml"
        text = path.read_text()
        median = max(0.0, statistics.median(values))
        spread = statistics.median(abs(v - statistics.median(values)) for v in values)
        print(f"{stack}: {median:.1f} us a layer, median deviation {spread:.1f} over {len(values)} rows")
        shipped = float(re.search(r"layer_overhead: {value: ([0-9.]+) us", text)[1])
        if arguments.check:
            failed |= abs(shipped - median) > 1
            continue
        source = f"fitted: scripts/fit_stacks.py, {len(values)} rows of time per output token, median deviation {spread:.1f} us"
        path.write_text(re.sub(r"layer_overhead: .*",
                               f'layer_overhead: {{value: {median:.1f} us, source: "{source}", confidence: derived}}', text))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
