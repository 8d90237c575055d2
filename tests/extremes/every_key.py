#!/usr/bin/env python3
"""Sets every numeric key of a run to extremes: each must end with a right-looking answer or a refusal.

    every_key.py PROGRAM SOURCE [--case NAME]... [--every N] [--jobs N] [--keep FILE]

The keys are those of the run's own resolved.yaml, defaults included; the values are zero, -1, NaN,
infinity, 1e-12, 1e12 and 1e308 in the key's unit. An answer has no NaN, infinity or negative time,
rate, energy or price in it; its shares of time add up to one, and it is no faster than its roofline.
A refusal ends with 3 or 4 and says which key and why: the text behind the place names it. Anything else (a crash, a mistake of the
program's own, more than LIMIT_S, a document that does not parse) is printed, and the exit is 1.
"""

import argparse
import json
import math
import os
import re
import resource
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LIMIT_S = 60
MEMORY = 12 << 30
VALUES = ("0", "-1", "nan", ".inf", "1e-12", "1e12", "1e308")

# Small runs that together read every section there is.
CASES = {
    "asic": ["--platform", "ref-asic", "--llm", "claude-class-low", "--workload", "steady-decode",
             "--set", "workload.steps=1", "--set", "workload.batch=2"],
    "claim": ["--platform", "ref-asic-paper", "--llm", "qwen3-32b", "--workload", "steady-decode",
              "--set", "workload.steps=1"],
    "trace": ["--platform", "h100-8", "--llm", "llama-3-70b", "--workload", "sample-chat",
              "--serving", "vllm", "--set", "workload.limit=4", "--set", "serving.instances=2",
              "--set", "serving.ttft_limit=1 s", "--set", "serving.tpot_limit=50 ms",
              "--set", "serving.faults.a.at=1 s", "--set", "serving.faults.a.kind=link",
              "--set", "serving.faults.a.level=node", "--set", "serving.faults.a.link_left=0.5",
              "--set", "workload.max_input=2000", "--set", "workload.max_output=16",
              "--set", "workload.to=1000 s"],
    "draft": ["--platform", "gb200-nvl72", "--llm", "deepseek-v3", "--workload", "sample-agent",
              "--serving", "mtp-glm-5.2", "--set", "workload.limit=2", "--set", "workload.max_output=8",
              "--set", "placement.tensor_parallel=8", "--set", "placement.expert_parallel=8"],
    "lora": ["--platform", "ref-asic", "--llm", "llama-3-8b", "--workload", "sample-chat",
             "--set", "workload.limit=3", "--set", "workload.max_output=8",
             "--set", "serving.lora.adapters=10", "--set", "serving.lora.slots=4",
             "--set", "serving.lora.popularity=1", "--set", "platform.packages_per_node=1",
             "--set", "serving.thinking_budget=4", "--set", "serving.thinking_share=0.5",
             "--set", "placement.sram_fraction=0.2", "--set", "placement.plan_batch=4"],
    "wafer": ["--platform", "cerebras-wse3", "--llm", "llama-3.2-1b", "--workload", "steady-decode",
              "--set", "workload.steps=1", "--fidelity", "roofline"],
    "mamba": ["--platform", "rubin", "--llm", "nemotron-3-nano-30b-a3b", "--workload",
              "steady-decode", "--set", "workload.steps=1"],
    "heat": ["--platform", "ref-asic", "--llm", "gpt-oss-20b", "--workload", "steady-decode",
             "--set", "workload.steps=1", "--set", "engine.thermal=true",
             "--set", "platform.cooling.standard=cold-plate", "--set", "platform.packages_per_node=1"],
    "tiers": ["--platform", "sn40l", "--llm", "llama-3-8b", "--workload", "sample-agent",
              "--set", "workload.limit=2", "--set", "workload.max_output=4"],
}

LEAF = re.compile(r'^(\s*)(-|[^:\s]+:)(?: \{value: "((?:[^"\\]|\\.)*)", origin: "([^"]*)".*\})?$')
NUMBER = re.compile(r"^-?[\d.]+(?:e[-+]?\d+)?(?: (\D\S*))?$")

# What may be below zero: errors, and temperatures down to where there is no heat left.
SIGNED = re.compile(r"error|bias|difference")
CELSIUS, NO_HEAT_C = re.compile(r"_c$"), -273.15
POSITIVE_ANSWER = ("throughput.output_tokens_per_s", "simulated_s")


def keys_of(resolved):
    """Dotted key -> unit, of the leaves that are numbers."""
    path, items, found = [], [], {}
    for line in resolved.read_text().splitlines():
        match = LEAF.match(line)
        if not match or line.startswith(("reticle_resolved", "version", "git_revision", "#")):
            continue
        depth = len(match.group(1)) // 2
        path[depth:] = [match.group(2).rstrip(":")]
        if match.group(3) is None or "-" in path:
            continue  # a section, or a list: those are set as a whole
        number = NUMBER.match(match.group(3))
        if number or match.group(3) == "none":
            found[".".join(path)] = (number.group(1) or "") if number else ""
    return found


def limited(sanitized):
    # The shadow of AddressSanitizer takes terabytes of addresses: it has a limit of its own.
    if not sanitized:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def asan_options():
    return ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), f"hard_rss_limit_mb={MEMORY >> 20}")))


def run(program, source, arguments, sanitized):
    """(exit code or 'hang', stdout, stderr)"""
    try:
        done = subprocess.run([program, "run", *arguments, "--json"], capture_output=True, text=True,
                              timeout=LIMIT_S, preexec_fn=lambda: limited(sanitized),
                              env={**os.environ, "RETICLE_HOME": source, "ASAN_OPTIONS": asan_options()})
    except subprocess.TimeoutExpired:
        return "hang", "", ""
    return done.returncode, done.stdout, done.stderr


def numbers(node, path=""):
    if isinstance(node, dict):
        for key, value in node.items():
            yield from numbers(value, f"{path}.{key}" if path else key)
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from numbers(value, f"{path}[{i}]")
    elif isinstance(node, (int, float)) and not isinstance(node, bool):
        yield path, node


def refuse_constant(word):
    raise ValueError(f"{word} in a report")


def at(report, dotted):
    for key in dotted.split("."):
        report = report.get(key) if isinstance(report, dict) else None
    return report


def fault_of_report(text):
    """What is wrong with an answer; None: nothing seen."""
    try:
        report = json.loads(text, parse_constant=refuse_constant)
    except ValueError as error:
        return f"not JSON: {error}"
    for path, value in numbers(report):
        if not math.isfinite(value):
            return f"{path} = {value}"
        if value < (NO_HEAT_C if CELSIUS.search(path) else 0) and not SIGNED.search(path):
            return f"{path} = {value} is negative"
    if report.get("feasible", {}).get("fits") is False:
        return "exit 0 of what does not fit"
    for path in POSITIVE_ANSWER:
        if not (at(report, path) or 0) > 0:
            return f"{path} = {at(report, path)}"
    shares = sum((report.get("time_breakdown") or {}).values())
    if abs(shares - 1) > 1e-6:
        return f"time_breakdown adds up to {shares}"
    bound, rate = at(report, "roofline.tokens_per_s"), at(report, "throughput.output_tokens_per_s")
    # A draft's tokens, and steps of several rows, are no part of the roofline of one step.
    if bound and at(report, "inputs.workload") == "steady-decode" and rate > bound * 1.001:
        return f"{rate} tokens/s, faster than the roofline's {bound}"
    return None


def verdict(code, out, err, key, value=""):
    """None: well ended. Else what is wrong."""
    if code == 0:
        return fault_of_report(out)
    if code == "hang":
        return f"no end in {LIMIT_S} s"
    if code in (3, 4):
        said = err.strip().splitlines()
        if not said:
            return f"exit {code} without a word"
        # A file of that name: it is named instead.
        if f"{value}: expected a readable file" in err:
            return None
        # Behind "--set key=value: ", the place it blames, which would always name it.
        text = said[-1].removeprefix(f"--set {key}={value}: ")
        if code == 3 and key.split(".")[-1] not in text:
            return f"exit 3 does not name the key: {said[-1][:160]}"
        own = re.sub(r"'[^']*'|--set \S+", "", said[-1].replace(f", got {value}", ""))
        if re.search(r"\b(nan|inf)\b", own):
            return f"a number that is none in the refusal: {said[-1][:160]}"
        return None
    return f"exit {code}: {err.strip()[-200:]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("source")
    parser.add_argument("--case", action="append", choices=list(CASES))
    parser.add_argument("--every", type=int, default=1, help="only each N-th of the settings")
    parser.add_argument("--sanitized", action="store_true", help="PROGRAM is built with AddressSanitizer")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--keep", help="a line per setting: case, key=value, exit, what was said")
    options = parser.parse_args()
    work = []
    with tempfile.TemporaryDirectory() as scratch:
        seen = set()
        for case in options.case or CASES:
            code, out, err = run(options.program, options.source,
                                 CASES[case] + ["--out", f"{scratch}/{case}"], options.sanitized)
            wrong = verdict(code, out, err, "")
            if code != 0 or wrong:
                sys.exit(f"{case}: expected an answer, got {code}: {wrong} {err[-300:]}")
            for key, unit in keys_of(Path(scratch, case, "resolved.yaml")).items():
                if key in seen:
                    continue  # of another case
                seen.add(key)
                work += [(case, key, f"{value} {unit}".strip()) for value in VALUES]

    def one(job):
        case, key, value = job
        code, out, err = run(options.program, options.source,
                             CASES[case] + ["--set", f"{key}={value}"], options.sanitized)
        return job, code, out, err, verdict(code, out, err, key, value)

    work = work[::options.every]
    ended = {}
    faults = 0
    kept = open(options.keep, "w") if options.keep else None
    with ThreadPoolExecutor(options.jobs) as pool:
        for (case, key, value), code, out, err, wrong in pool.map(one, work):
            ended[code] = ended.get(code, 0) + 1
            if wrong:
                faults += 1
                print(f"{case}: {key}={value}: {wrong}", flush=True)
            if kept:
                rate = at(json.loads(out), "throughput.output_tokens_per_s") if code == 0 and not wrong else ""
                last = err.strip().splitlines()[-1] if err.strip() else ""
                kept.write(f"{case}\t{key}={value}\t{code}\t{rate}\t{last}\n")
                kept.flush()
    print(f"{len(work)} settings of {len(seen)} keys: " +
          ", ".join(f"{number} ended with {code}" for code, number in
                    sorted(ended.items(), key=lambda pair: str(pair[0]))) + f"; {faults} wrong")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
