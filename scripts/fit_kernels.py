#!/usr/bin/env python3
"""Fits the kernel tables (configs/kernels) to measured components; the simulator is the model.

    scripts/fit_kernels.py [--measured DIR] [--reticle PROGRAM] [--only NAME] [--jobs N] [--check]

Coordinate descent on the mean |log(simulated / measured)|, each term at most 1, so that few
odd rows steer nothing. A stage fits the parameters that its operations depend on and leaves the
rest as they are. No parameter belongs to a row, a shape or a language model.
--check writes nothing and fails when a value comes out different from the one that is shipped.
"""

import argparse
import csv
import gzip
import json
import math
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CAP = 1.0

# unit, digits kept, lowest and highest value, and one to start from
TIME = ("us", 1, 0.0, 500.0, 8.0)
WALK = ("us", 2, 0.0, 5.0, 0.5)  # per 1,024 of a product's depth
SHARE = ("", 3, 0.05, 1.0, 0.6)
PASSES = ("", 2, 0.0, 60.0, 3.0)
EXTRA = ("", 2, 0.0, 5.0, 0.2)
WIRE = ("", 2, 1.0, 12.0, 2.0)
# Grouped products keep the arrays no busier than the best single ones of any GPU here were measured to (BF16, 0.84 of
# an H100's peak): rows of few large experts would let the share run to 1 against the bytes that bind the others.
GROUPED = ("", 3, 0.05, 0.84, 0.6)

# platform, then stages: operations, a test on the row, parameters
NCCL = ("allreduce", "allgather", "reducescatter", "alltoall")
LOW = ("alltoall_dispatch", "alltoall_combine")


def format_is(*words):
    return lambda row: any(row["precision"].startswith(w) for w in words)


def is_nccl(row):
    return "NCCL" in row["framework"]


def is_bulk(row):
    return "normal" in row["framework"]


def gemm(name, *words, extra=(), first=()):
    return (("gemm",), format_is(*words), list(first) + [(f"sustained.dense.{name}", SHARE)] +
            list(extra))


SHARED = [("begin.product", TIME), ("crossbar_share", SHARE), ("operand_passes", PASSES)]
DECODE = (("attention_decode",), lambda row: "fp8 kv" not in row["precision"],
          [("begin.attention", TIME), ("cache_passes", EXTRA)])
DECODE_FP8 = (("attention_decode",), lambda row: "fp8 kv" in row["precision"],
              [("begin.attention_fp8", TIME)])
PREFILL = (("attention_prefill",), None, [("begin.prefill", TIME), ("prefill_passes", PASSES),
                                          ("sustained.attention.bf16", SHARE)])
LIBRARY = (NCCL, is_nccl, [("collective.ring_start", TIME), ("collective.latency.step", TIME),
                           ("collective.latency.wire", WIRE), ("collective.bulk.step", TIME),
                           ("collective.bulk.wire", WIRE)])
DIRECT = (("allreduce",), lambda row: not is_nccl(row),
          [("collective.start", TIME), ("collective.direct_wire", WIRE)])
DISPATCH = [(LOW, lambda row: not is_bulk(row), [("collective.dispatch.step", TIME),
                                                 ("collective.dispatch.wire", WIRE)]),
            (LOW, is_bulk, [("collective.dispatch_bulk.step", TIME),
                            ("collective.dispatch_bulk.wire", WIRE)])]

BLOCK = (("moe",), format_is("fp8_block"), [("sustained.grouped_block.fp8", SHARE),
                                            ("block_experts", TIME)])

GENERATIONS = {
    "ampere": ("a100-8", "kernels/ampere.yaml", "", [
        gemm("bf16", "bf16", first=SHARED),
        gemm("fp16", "fp16", extra=[("host", TIME)]),
        gemm("int8", "int8", extra=[("quantise.int8", TIME)]),
        PREFILL, DECODE,
        (("moe",), None, [("begin.experts", TIME), ("expert_passes", PASSES),
                          ("sustained.grouped.bf16", GROUPED)]),
        LIBRARY, DIRECT]),
    "hopper": ("h100-8", "kernels/hopper.yaml", "", [
        gemm("bf16", "bf16", first=SHARED),
        gemm("fp8", "fp8", extra=[("quantise.fp8", TIME), ("per_tensor", TIME)]),
        PREFILL, DECODE, DECODE_FP8,
        (("mla_decode",), None, [("begin.latent_attention", TIME), ("latent_passes", EXTRA)]),
        (("moe",), format_is("bf"), [("begin.experts", TIME), ("expert_passes", PASSES),
                                     ("sustained.grouped.bf16", GROUPED)]),
        (("moe",), lambda row: row["precision"] == "fp8", [("sustained.grouped.fp8", GROUPED)]),
        BLOCK, LIBRARY, DIRECT, *DISPATCH]),
    "blackwell": ("b200-8", "kernels/blackwell.yaml", "", [
        gemm("bf16", "bf16", first=SHARED),
        gemm("fp8", "fp8", extra=[("quantise.fp8", TIME), ("per_tensor", TIME)]),
        gemm("nvfp4", "nvfp4", extra=[("quantise.nvfp4", TIME), ("walk.nvfp4", WALK)]),
        (("mla_decode",), None, [("begin.latent_attention", TIME), ("latent_passes", EXTRA),
                                 ("sustained.attention.bf16", SHARE),
                                 ("sustained.attention.fp8", SHARE)]),
        DECODE, DECODE_FP8,
        # Its exponentials, not its products, are what prompts wait for.
        (("attention_prefill",), None, PREFILL[2][:2]),
        (("moe",), format_is("bf"), [("begin.experts", TIME), ("expert_passes", PASSES),
                                     ("sustained.grouped.bf16", GROUPED)]),
        BLOCK,
        (("moe",), format_is("nvfp4"), [("sustained.grouped.nvfp4", GROUPED)]),
        LIBRARY, DIRECT, *DISPATCH]),
    "cdna3": ("mi300x-8", "kernels/cdna3.yaml", "", [
        # The larger weights are those of experts: they tell what memory sustains.
        (("moe",), None, [("begin.experts", TIME), ("crossbar_share", SHARE),
                          ("expert_passes", PASSES), ("sustained.grouped.fp8", GROUPED)]),
        gemm("fp8", "fp8 block", first=[SHARED[0], SHARED[2]]),
        gemm("int8", "fp8 per-token")]),
    # After blackwell, whose table it completes.
    "gb200": ("gb200-nvl72", "platforms/gb200-nvl72.yaml", "die.kernels.", [
        (LOW, lambda row: "TwoSided" in row["framework"],
         [("collective.dispatch.step", TIME), ("collective.dispatch.wire", WIRE)]),
        (LOW, lambda row: "OneSided" in row["framework"],
         [("collective.dispatch_bulk.step", TIME), ("collective.dispatch_bulk.wire", WIRE)])]),
}


def read_rows(path):
    opened = gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="")
    with opened as file:
        return {row["id"]: row for row in csv.DictReader(file)}


class Table:
    """A kernel table as text; values are replaced where they stand."""

    def __init__(self, path, prefix):
        self.path, self.prefix = ROOT / "configs" / path, prefix
        self.lines = self.path.read_text(encoding="utf-8").splitlines()

    def place(self, key):
        depth, begin = 0, 0
        for part in (self.prefix + key).split("."):
            pattern = re.compile(" " * depth + re.escape(part) + ":")
            begin = next(i for i in range(begin, len(self.lines))
                         if pattern.match(self.lines[i]))
            depth += 2
        return begin

    def get(self, key):
        return re.search(r"value: ([\d.]+(?: us)?)", self.lines[self.place(key)]).group(1)

    def put(self, key, text, source):
        at = self.place(key)
        head = self.lines[at].split(":", 1)[0]
        self.lines[at] = f'{head}: {{value: {text}, source: "{source}", confidence: fitted}}'

    def carried(self):
        """What stands in the table with another source than this script: carried over, or chosen."""
        found, parents = [], []
        for line in self.lines:
            key = re.match(r"( *)(\w+):", line)
            if not key:
                continue
            parents = parents[:len(key[1]) // 2] + [key[2]]
            value = re.search(r'{value: ([^,]+), source: "(.*)", confidence', line)
            if value and "fit_kernels.py" not in value[2]:
                found.append(f"{'.'.join(parents)} {value[1]} ({value[2]})")
        return found

    def save(self):
        self.path.write_text("\n".join(self.lines) + "\n", encoding="utf-8")


def text_of(value, kind):
    unit, digits = kind[:2]
    return f"{value:.{digits}f}" + (f" {unit}" if unit else "")


class Stage:
    def __init__(self, options, tables, name, platform, stage):
        self.options, self.platform = options, platform
        self.ops, self.test, self.parameters = stage
        # The dense table leaves out what is flagged; the A100's experts are only in the other one.
        thin = name == "ampere" and self.ops == ("moe",)
        self.rows = [row for row in tables[1 if thin else 0].values()
                     if row["op"] in self.ops and (self.test is None or self.test(row))]
        self.known = {}
        self.errors = []

    def cost(self, values, fixed):
        key = tuple(values)
        if key in self.known:
            return self.known[key]
        command = [self.options.reticle, "validate", "components", "--json", "--rows",
                   self.file, "--platform", self.platform]
        for (name, kind), value in zip(self.parameters, values):
            command += ["--set", f"platform.die.kernels.{name}={text_of(value, kind)}"]
        for name, text in fixed:
            command += ["--set", f"platform.die.kernels.{name}={text}"]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        self.errors = [row["error"] for row in json.loads(answer)["rows"]]
        terms = sorted(min(abs(math.log(1 + e)), CAP) for e in self.errors)
        self.known[key] = sum(terms) / len(terms)
        return self.known[key]

    def descend(self, values, fixed):
        best = self.cost(values, fixed)
        steps = [0.3] * len(values)
        for _ in range(30):
            for i, (_, kind) in enumerate(self.parameters):
                for factor in (1 + steps[i], 1 / (1 + steps[i])):
                    least = 10 ** -kind[1]
                    moved = max(values[i], least) * factor
                    trial = list(values)
                    trial[i] = round(min(max(moved, kind[2]), kind[3]), kind[1])
                    cost = self.cost(trial, fixed)
                    if cost < best - 1e-9:
                        best, values = cost, trial
                        break
                else:
                    steps[i] *= 0.5
            if max(steps) < 0.004:
                break
        return best, values

    def fit(self, fixed):
        """From fixed starting points, whatever the tables say now; the best end counts.

        Only the stage's rows are simulated: the refresh of memories runs on from row to row."""
        with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="") as file:
            writer = csv.DictWriter(file, list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)
            file.flush()
            self.file = file.name
            return self.search(fixed)

    def search(self, fixed):
        ends = [self.descend([round(kind[4] * scale, kind[1]) for _, kind in self.parameters], fixed)
                for scale in (0.5, 1.0, 1.4)]
        values = min(ends)[1]
        self.known.clear()
        self.cost(values, fixed)
        return values


def source_of(stage):
    errors = sorted(abs(e) for e in stage.errors)
    median = errors[(len(errors) - 1) // 2]
    words = "collective" if len(stage.ops) > 2 else stage.ops[0]
    return (f"fitted: scripts/fit_kernels.py, {len(errors)} {words} rows, "
            f"median error {100 * median:.1f} %")


def fit_generation(options, tables, name):
    platform, path, prefix, stages = GENERATIONS[name]
    table, changed = Table(path, prefix), []
    # What a later stage fits stands at its starting point, whatever the table says now.
    fixed = {key: text_of(kind[4], kind) for _, _, parameters in stages for key, kind in parameters}
    for description in stages:
        stage = Stage(options, tables, name, platform, description)
        mine = {key for key, _ in stage.parameters}
        values = stage.fit([pair for pair in fixed.items() if pair[0] not in mine])
        for (key, kind), value in zip(stage.parameters, values):
            text, was = text_of(value, kind), table.get(key)
            fixed[key] = text
            if text != was:
                changed.append(f"{name}: {key}: {was} became {text}")
            table.put(key, text, source_of(stage))
        print(f"{name}: {source_of(stage)}: " +
              ", ".join(f"{k} {text_of(v, d)}" for (k, d), v in zip(stage.parameters, values)),
              flush=True)
    if not options.check:
        table.save()
    if not prefix:
        print(f"{name}: not fitted: " + "; ".join(table.carried()), flush=True)
    return changed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--measured", type=Path, default=ROOT / "../shared/measured",
                        help="folder of components.csv and components_dense.csv.gz")
    parser.add_argument("--reticle", default=str(ROOT / "build/release/reticle"))
    parser.add_argument("--only", choices=sorted(GENERATIONS))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    paths = [options.measured / n for n in ("components_dense.csv.gz", "components.csv")]
    for path in paths:
        if not path.exists():
            sys.exit(f"{path}: no such table of measurements")
    tables = [read_rows(path) for path in paths]
    names = [options.only] if options.only else list(GENERATIONS)
    with ThreadPoolExecutor(options.jobs) as pool:
        first = [name for name in names if name != "gb200"]  # it completes blackwell's table
        changed = sum(pool.map(lambda name: fit_generation(options, tables, name), first), [])
    for name in set(names) - set(first):
        changed += fit_generation(options, tables, name)
    for line in changed:
        print(line)
    sys.exit(1 if options.check and changed else 0)


if __name__ == "__main__":
    main()
