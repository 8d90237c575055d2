#!/usr/bin/env python3
"""A window of a timeline as a picture, for documents: python3 plot_timeline.py TRACE OUT [options]

    --process NAME   the process whose tracks to draw, by the begin of its name (default: die 0)
    --from US --to US  the window (default: all)

Slices are coloured by operator; counters of the power process are drawn below. Perfetto shows the same file in
full (https://ui.perfetto.dev, "Open trace file"). Needs matplotlib.
"""

import argparse
import json
import sys
from collections import defaultdict

try:
    import matplotlib
except ImportError:
    sys.exit("plot_timeline.py: needs matplotlib: apt-get install python3-matplotlib")

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("trace")
    parser.add_argument("out")
    parser.add_argument("--process", default="die 0")
    parser.add_argument("--from", dest="begin", type=float)
    parser.add_argument("--to", dest="end", type=float)
    options = parser.parse_args()
    with open(options.trace, encoding="utf-8") as file:
        events = json.load(file)["traceEvents"]
    processes = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
    tracks = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name"}
    wanted = [p for p, name in processes.items()
              if name == options.process or name.startswith(options.process + " ")]
    if not wanted:
        raise SystemExit(f"no process {options.process}; there are {', '.join(processes.values())}")
    slices = defaultdict(list)
    for e in events:
        if e["ph"] == "X" and e["pid"] == wanted[0] and e["name"] != "step":
            slices[e["tid"]].append((e["ts"], e["dur"], e["name"]))
    begin = options.begin if options.begin is not None else min(s[0] for t in slices.values() for s in t)
    end = options.end if options.end is not None else max(s[0] + s[1] for t in slices.values() for s in t)
    power = [(e["ts"], e["args"]) for e in events
             if e["ph"] == "C" and e["name"] == "power" and begin <= e["ts"] <= end]
    names = sorted({s[2].split(" ")[0] for t in slices.values() for s in t})
    colours = {n: plt.get_cmap("tab20")(i % 20) for i, n in enumerate(names)}

    lanes = sorted(slices)
    figure, axes = plt.subplots(2 if power else 1, 1, sharex=True, squeeze=False,
                                figsize=(12, 0.42 * len(lanes) + (3.2 if power else 1.2)),
                                gridspec_kw={"height_ratios": [max(2, 0.42 * len(lanes)), 1.6][:2 if power else 1]})
    top = axes[0][0]
    shown = set()
    for row, thread in enumerate(lanes):
        inside = [s for s in slices[thread] if s[0] + s[1] > begin and s[0] < end]
        top.broken_barh([(s[0], max(s[1], (end - begin) / 4000)) for s in inside], (row - 0.4, 0.8),
                        facecolors=[colours[s[2].split(" ")[0]] for s in inside])
        shown |= {s[2].split(" ")[0] for s in inside}
        for s in inside:
            left, right = max(s[0], begin), min(s[0] + s[1], end)
            if right - left > (end - begin) * 0.011 * len(s[2]):
                top.text((left + right) / 2, row, s[2], ha="center", va="center", fontsize=7)
    top.set_yticks(range(len(lanes)), [tracks[(wanted[0], t)] for t in lanes], fontsize=8)
    top.invert_yaxis()
    top.set_xlim(begin, end)
    top.set_title(processes[wanted[0]], fontsize=9, loc="left")
    top.legend([plt.Rectangle((0, 0), 1, 1, color=colours[n]) for n in sorted(shown)], sorted(shown),
               ncol=1, fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    if power:
        below = axes[1][0]
        keys = [k for k in power[0][1] if any(p[1][k] > 0 for p in power)]
        below.stackplot([p[0] for p in power], [[p[1][k] / 1e3 for p in power] for k in keys], labels=keys,
                        step="post")
        below.set_ylabel("kW, all dies", fontsize=8)
        below.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    axes[-1][0].set_xlabel("simulated time, microseconds", fontsize=8)
    figure.savefig(options.out, dpi=110, bbox_inches="tight")


if __name__ == "__main__":
    main()
