#!/usr/bin/env python3
"""Fits the host time of serving stacks: the one thing that is fitted to system rows.

    scripts/fit_stacks.py [--rows FILE] [--check]

Runs `reticle validate systems --without-stack` and takes, for each policy of configs/serving that
stands for a stack, the host time per layer and step with which simulated times per output token
come closest to the measured ones of all its rows, beside the host time per stream that the policy states from elsewhere: least mean |log(simulated / measured)|, at least
0. Writes it to the policy with what remains. --check writes nothing and fails where a shipped value
differs by more than 0.3 us.
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
KEY = "layer_overhead"


def simulated(reticle, rows):
    command = [reticle, "validate", "systems", "--rows", rows, "--without-stack", "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["rows"]


def stack_of(row):
    return row["stack"] + ("-rocm" if row["platform"].startswith("MI") else "")


def cost(rows, layer, stream):
    """Mean |log(simulated / measured)|; host times are microseconds, rows' times milliseconds."""
    return sum(abs(math.log((r["simulated"] + 1e-3 * (layer * r["layers"] + stream * r["streams"])) / r["measured"]))
               for r in rows) / len(rows)


def fit(rows, stream):
    """The best of all tenths of a microsecond up to a millisecond."""
    return min((cost(rows, tenths / 10, stream), tenths / 10) for tenths in range(10_000))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=str(ROOT / "../shared/measured/systems.csv"))
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--reticle", default=str(ROOT / "build/release/reticle"))
    arguments = parser.parse_args()
    times = {stack: [] for stack in STACKS}
    for row in simulated(arguments.reticle, arguments.rows):
        if row["metric"].startswith(("TPOT", "ITL")) and stack_of(row) in times:
            times[stack_of(row)].append(row)
    failed = False
    for stack, rows in times.items():
        if not rows:
            continue
        path = ROOT / f"configs/serving/{stack}.yaml"
        text = path.read_text()
        stated = re.search(r"^stream_overhead: {value: ([0-9.]+) us", text, re.M)
        stream = float(stated[1]) if stated else 0
        left, layer = fit(rows, stream)
        models = len({row["model"] for row in rows})
        print(f"{stack}: {layer} us a layer; {100 * left:.1f} % of mean deviation over {len(rows)} rows "
              f"of {models} models, {100 * cost(rows, 0, stream):.1f} % without, "
              f"{stream:g} us a stream beside it")
        source = (f"fitted: scripts/fit_stacks.py, {len(rows)} rows of time per output token of {models} "
                  f"model{'s' if models > 1 else ''}, mean deviation {100 * left:.1f} %")
        failed |= abs(float(re.search(rf"^{KEY}: {{value: ([0-9.]+) us", text, re.M)[1]) - layer) > 0.3
        text = re.sub(rf"^{KEY}: .*", f'{KEY}: {{value: {layer} us, source: "{source}", confidence: fitted}}',
                      text, flags=re.M)
        if not arguments.check:
            path.write_text(text)
    return 1 if arguments.check and failed else 0


if __name__ == "__main__":
    sys.exit(main())
