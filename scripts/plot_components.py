#!/usr/bin/env python3
"""Scatter of simulated against measured times from `reticle validate components --csv`.

    scripts/plot_components.py CSV OUT      writes OUT.svg and OUT.png; needs python3-matplotlib
"""

import csv
import sys

try:
    import matplotlib
except ImportError:
    sys.exit("plot_components.py: needs matplotlib: apt-get install python3-matplotlib")

matplotlib.use("Agg")
matplotlib.rcParams["svg.hashsalt"] = "reticle"  # the same picture has the same bytes
import matplotlib.pyplot as plt  # noqa: E402

MARKERS = {"a100-8": "o", "h100-8": "s", "h800-8": "D", "b200-8": "^", "gb200-nvl72": "v",
           "mi300x-8": "P"}


def main():
    source, target = sys.argv[1:]
    with open(source, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if not row["left_out"]]
    figure, axes = plt.subplots(figsize=(8, 8))
    ops = sorted({row["op"] for row in rows})
    unknown = {row["platform"] for row in rows} - set(MARKERS)
    if unknown:
        sys.exit(f"no marker for {', '.join(sorted(unknown))}")
    colours = dict(zip(ops, plt.get_cmap("tab20").colors))
    for op in ops:
        for platform, marker in MARKERS.items():
            mine = [r for r in rows if r["op"] == op and r["platform"] == platform]
            axes.scatter([float(r["measured_us"]) for r in mine],
                         [float(r["simulated_us"]) for r in mine],
                         s=14, marker=marker, color=colours[op], linewidths=0)
    ends = [2, 1e5]
    axes.plot(ends, ends, color="black", linewidth=0.8)
    for factor in (0.75, 1.25):
        axes.plot(ends, [factor * e for e in ends], color="grey", linewidth=0.5, linestyle="--")
    for op in ops:
        axes.scatter([], [], color=colours[op], s=14, label=op)
    for platform, marker in MARKERS.items():
        axes.scatter([], [], color="grey", marker=marker, s=14, label=platform)
    axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends, xlabel="measured, us",
             ylabel="simulated, us", title=f"{len(rows)} kernels and collectives; dashed: 25 %")
    axes.legend(fontsize="small", loc="upper left")
    figure.tight_layout()
    figure.savefig(f"{target}.svg", metadata={"Date": None})
    figure.savefig(f"{target}.png", dpi=110)


if __name__ == "__main__":
    main()
