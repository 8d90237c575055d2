#!/usr/bin/env python3
"""Checks that the #include lines of the C++ sources follow the layers of docs/architecture.md.

    scripts/check_layers.py [--root DIR] [--strict]

Prints `file:line: rule, got what` for every broken rule. Exit: 0 none, 1 some, 2 wrong use.
The rules are the tables below; a folder without a row is itself an error.
"""

import argparse
import re
import sys
from pathlib import Path

SOURCE_FOLDERS = ("sim", "workloads", "models", "tests")

# Files of models/ that link without SystemC (target reticle_model_spec), whatever their folder.
MODEL_SPEC = re.compile(
    r"models/(\w+/\w+_spec\.hpp|program/program\.hpp|"
    r"fabric/(topology|routed_exchange|exchange_observer|link_queues|event_wheel)\.[ch]pp"
    r"|hbm/(bus_timeline|divisor|hbm_history|refresh_clock|open_row_time|hbm_(commands|controller|geometry|map|run_model|stream_pace))\.[ch]pp"
    r"|(mac/gemm|vector/vector)_cycles\.[ch]pp"
    r"|package/event_counts\.[ch]pp)")

# Part -> the parts it may include, beside itself. `models` here is what model_spec is not.
ARROWS = {
    "sim/base": set(),
    "workloads/llm": {"sim/base"},
    "workloads/graph": {"sim/base", "workloads/llm"},
    "workloads/text": {"sim/base"},
    "workloads/moe": {"sim/base", "workloads/llm", "workloads/text"},
    "workloads/requests": {"sim/base", "workloads/text"},
    "model_spec": {"sim/base"},
    "models": {"sim/base", "model_spec"},
    "sim/trace": {"sim/base"},
    "sim/thermal": {"sim/base", "model_spec", "sim/accounts"},
    "sim/serving": {"sim/base", "workloads/requests"},
    "sim/mapping": {"sim/base", "workloads/llm", "workloads/graph", "workloads/moe",
                    "workloads/requests", "model_spec"},
    "sim/accounts": {"sim/base", "model_spec"},
    "sim/config": {"sim/base", "workloads/llm", "workloads/requests", "model_spec"},
    "sim/metrics": {"sim/base", "workloads/requests", "model_spec", "sim/config", "sim/mapping",
                    "sim/accounts", "sim/thermal"},
    "sim/engine": {"sim/base", "workloads/llm", "workloads/graph", "workloads/moe",
                   "workloads/requests", "model_spec", "models", "sim/config", "sim/mapping",
                   "sim/serving", "sim/accounts", "sim/metrics", "sim/trace",
                   "sim/thermal"},
    "sim/sweep": {"sim/base", "sim/config"},
    "sim/compare": {"sim/base", "model_spec", "sim/config", "sim/accounts", "sim/metrics"},
    "sim/explain": {"sim/base", "model_spec", "sim/config", "sim/metrics"},
    "sim/html": {"sim/base"},
    "sim/view": {"sim/base", "workloads/graph", "model_spec", "sim/config", "sim/mapping",
                 "sim/accounts", "sim/thermal", "sim/metrics", "sim/html"},
    "sim/registry": {"sim/base", "sim/config", "sim/html"},
    "sim/validate": {"sim/base", "workloads/llm", "workloads/graph", "workloads/moe",
                     "workloads/requests", "workloads/text", "model_spec", "models", "sim/config",
                     "sim/mapping", "sim/serving", "sim/accounts", "sim/metrics", "sim/engine", "sim/sweep"},
    "sim/cli": {"sim/base", "workloads/llm", "workloads/graph", "workloads/moe",
                "workloads/requests", "model_spec", "models", "sim/config", "sim/mapping",
                "sim/serving", "sim/accounts", "sim/metrics", "sim/engine", "sim/sweep", "sim/validate",
                "sim/compare", "sim/registry", "sim/explain", "sim/view"},
}

# Single headers a part may include beyond its row: plain structs that a run's specification holds.
SINGLE_HEADERS = {
    "sim/config": {"sim/mapping/placement_policy.hpp", "sim/serving/serving_spec.hpp"},
    "sim/metrics": {"sim/serving/serving_spec.hpp"},
}

# Written by the build, included by name.
GENERATED = {"sim/cli": {"revision.hpp"}}

# Parts that may not meet SystemC, not even through another header.
WITHOUT_SYSTEMC = set(ARROWS) - {"models", "sim/engine", "sim/validate", "sim/cli"}
SYSTEMC = re.compile(r"(systemc|tlm)(\.h)?$|(sysc|tlm_core|tlm_utils)/|(tlm|scv)_\w+")

# Third-party and standard headers: pattern, who may include it (a test on the path), the rule.
# Tests are free of them but for Boost, which must stay out of every header.
EXTERNAL = (
    (re.compile(r"yaml-cpp/"), lambda path: path == "sim/config/yaml_reader.cpp",
     "only sim/config/yaml_reader.cpp includes yaml-cpp"),
    (re.compile(r"boost/"), lambda path: path.endswith(".cpp"),
     "Boost stays in .cpp files"),
    (re.compile(r"CLI/"), lambda path: path.startswith("sim/cli/"),
     "only sim/cli includes CLI11"),
    (re.compile(r"(random|ctime|sys/time\.h|time\.h)$"), lambda path: False,
     "random draws come from sim/base/rng.hpp, time from the SystemC kernel"),
    (re.compile(r"chrono$"),
     lambda path: path.startswith("sim/cli/") or path in ("workloads/requests/azure_reader.cpp",
                                                           "sim/sweep/point_process.cpp"),
     "no wall clock outside sim/cli (azure_reader.cpp: calendar dates; point_process.cpp: time limits)"),
)

# Arrows that close a circle of folders today: (folder, header). Each is printed on every run, fails
# with --strict, and fails without it once it is gone from the sources but still listed here.
KNOWN_CIRCLES: dict[tuple[str, str], str] = {}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
BLOCK_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


class Include:
    def __init__(self, line, name, quoted):
        self.line, self.name, self.quoted = line, name, quoted


def folder_of(path):
    return "/".join(path.split("/")[:2])


def part_of(path):
    if path.startswith("tests/"):
        return "tests"
    if path.startswith("models/"):
        return "model_spec" if MODEL_SPEC.fullmatch(path) else "models"
    return folder_of(path)


def read_includes(text):
    text = BLOCK_COMMENT.sub(lambda comment: "\n" * comment.group().count("\n"), text)
    return [Include(text.count("\n", 0, found.start()) + 1, found.group(1) or found.group(2),
                    found.group(1) is not None) for found in INCLUDE.finditer(text)]


def read_sources(root):
    sources = {}
    for top in SOURCE_FOLDERS:
        for path in sorted((root / top).rglob("*")):
            if path.suffix in (".hpp", ".cpp", ".h"):
                sources[path.relative_to(root).as_posix()] = read_includes(
                    path.read_text(encoding="utf-8"))
    return sources


def circles(graph):
    """Strongly connected sets of more than one node (Tarjan), each as a sorted list."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in sorted(graph.get(node, ())):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            members = [stack.pop()]
            while members[-1] != node:
                members.append(stack.pop())
            if len(members) > 1:
                found.append(sorted(members))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


class Check:
    def __init__(self, sources):
        self.sources = sources
        self.broken, self.known = [], []
        self.systemc_by = {}

    def fail(self, path, include, rule, got=None):
        mark = '"{}"' if include.quoted else "<{}>"
        self.broken.append(f"{path}:{include.line}: {rule}, got {got or mark.format(include.name)}")

    def run(self):
        for path, includes in self.sources.items():
            for include in includes:
                self.check_name(path, include)
                self.check_arrow(path, include)
                self.check_external(path, include)
            self.check_systemc(path)
        self.check_file_circles()
        self.check_folder_circles()
        self.broken = sorted(set(self.broken))

    def check_name(self, path, include):
        if not include.quoted:
            if include.name.split("/")[0] in SOURCE_FOLDERS and "/" in include.name:
                self.fail(path, include, "our own headers are included with quotes")
            return
        if ".." in include.name.split("/"):
            self.fail(path, include, "includes name their path from the root, never ../")
        elif include.name not in self.sources and include.name not in GENERATED.get(
                part_of(path), ()):
            self.fail(path, include, "a quoted include names a file of this project, from the root")

    def check_arrow(self, path, include):
        if include.name not in self.sources:
            return
        part, target = part_of(path), part_of(include.name)
        if part == "tests" or part == target:
            return
        if target == "tests":
            self.fail(path, include, "nothing but tests includes tests/")
        elif part not in ARROWS:
            self.fail(path, include, f"{part} has no row in scripts/check_layers.py")
        elif target not in ARROWS[part] and include.name not in SINGLE_HEADERS.get(part, ()):
            allowed = ", ".join(sorted(ARROWS[part])) or "nothing"
            self.fail(path, include, f"{part} may see {allowed}",
                      f'"{include.name}" of {target}')

    def check_external(self, path, include):
        if include.name in self.sources:
            return
        for pattern, may, rule in EXTERNAL:
            if path.startswith("tests/") and not pattern.match("boost/"):
                continue
            if pattern.match(include.name) and not may(path):
                self.fail(path, include, rule)

    def chain_to_systemc(self, path):
        """Includes that lead from `path` to a SystemC header: [(file, include), ...] or None."""
        if path in self.systemc_by:
            return self.systemc_by[path]
        self.systemc_by[path] = None  # for circles of files, reported elsewhere
        for include in self.sources[path]:
            if include.name in self.sources:
                further = self.chain_to_systemc(include.name)
                if further is not None:
                    self.systemc_by[path] = [(path, include)] + further
                    break
            elif SYSTEMC.match(include.name):
                self.systemc_by[path] = [(path, include)]
                break
        return self.systemc_by[path]

    def check_systemc(self, path):
        part = part_of(path)
        if part not in WITHOUT_SYSTEMC:
            return
        chain = self.chain_to_systemc(path)
        if chain is not None:
            steps = " -> ".join([include.name for _, include in chain])
            self.fail(path, chain[0][1], f"{part} does not see SystemC, directly or through others",
                      steps)

    def check_file_circles(self):
        graph = {path: {i.name for i in includes if i.name in self.sources}
                 for path, includes in self.sources.items()}
        for members in circles(graph):
            include = next(i for i in self.sources[members[0]] if i.name in members)
            self.fail(members[0], include, "no circle of headers", " <-> ".join(members))

    def check_folder_circles(self):
        graph, seen_known = {}, set()
        for path, includes in self.sources.items():
            folder = folder_of(path)
            if path.startswith("tests/"):
                continue
            for include in includes:
                if include.name not in self.sources or folder_of(include.name) == folder:
                    continue
                known = (folder, include.name)
                if known in KNOWN_CIRCLES:
                    seen_known.add(known)
                    self.known.append(f'{path}:{include.line}: no circle of folders, got '
                                      f'"{include.name}": {KNOWN_CIRCLES[known]}')
                else:
                    graph.setdefault(folder, set()).add(folder_of(include.name))
        for folder, header in sorted(set(KNOWN_CIRCLES) - seen_known):
            self.broken.append(f"scripts/check_layers.py:1: KNOWN_CIRCLES lists what is gone, got "
                               f"{folder} -> {header}")
        for members in circles(graph):
            self.report_circle(members)

    def report_circle(self, members):
        """Every arrow between two folders of the circle, at its first include."""
        named = set()
        for path, includes in self.sources.items():
            for include in includes:
                arrow = (folder_of(path), folder_of(include.name))
                if include.name not in self.sources or arrow[0] == arrow[1] or arrow in named:
                    continue
                if set(arrow) <= set(members) and (arrow[0], include.name) not in KNOWN_CIRCLES:
                    named.add(arrow)
                    self.fail(path, include, f"no circle of folders ({', '.join(members)})",
                              f"{arrow[0]} -> {arrow[1]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent,
                        help="the checkout to look at (default: this one)")
    parser.add_argument("--strict", action="store_true", help="known circles fail too")
    options = parser.parse_args()
    sources = read_sources(options.root)
    if not sources:
        parser.error(f"no C++ sources under {options.root}")
    check = Check(sources)
    check.run()
    for line in check.known:
        print(f"known: {line}")
    for line in check.broken:
        print(line)
    wrong = len(check.broken) + (len(check.known) if options.strict else 0)
    includes = sum(len(found) for found in sources.values())
    print(f"{len(sources)} files, {includes} includes: {wrong} broken, {len(check.known)} known")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
