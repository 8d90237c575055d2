#!/usr/bin/env python3
"""Scatter of simulated against measured serving from `reticle validate systems --csv`.

    scripts/plot_systems.py CSV OUT      writes OUT.svg and OUT.png; needs python3-matplotlib
"""

import csv
import sys

try:
    import matplotlib
except ImportError:
    sys.exit("plot_systems.py: needs matplotlib: apt-get install python3-matplotlib")

matplotlib.use("Agg")
matplotlib.rcParams["svg.hashsalt"] = "reticle"  # the same picture has the same bytes
import matplotlib.pyplot as plt  # noqa: E402

# beginning of a metric, title, unit; what is told per user is turned into a time
PANELS = ((("TPOT", "ITL", "tok/s/user"), "time per output token", "ms"),
          (("tok/s/GPU output", "tok/s total output"), "throughput", "tokens/s"),
          (("TTFT",), "time to first token", "ms"),
          (("E2E",), "end to end", "s"),
          (("J/token",), "energy", "J per output token"))


def values(row):
    pair = float(row["measured"]), float(row["simulated"])
    return tuple(1e3 / v for v in pair) if row["metric"] == "tok/s/user" else pair


def main():
    source, target = sys.argv[1:]
    with open(source, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if not row["left_out"]]
    platforms = sorted({row["platform"] for row in rows})
    colours = dict(zip(platforms, plt.get_cmap("tab10").colors))
    figure, panels = plt.subplots(2, 3, figsize=(15, 10))
    for axes, (metrics, title, unit) in zip(panels.flat, PANELS):
        mine = [row for row in rows if row["metric"].startswith(metrics)]
        for best, marker in (("0", "x"), ("1", "o")):
            for platform in platforms:
                points = [values(r) for r in mine if r["platform"] == platform and r["best_stack"] == best]
                axes.scatter(*zip(*points) if points else ([], []), s=18, marker=marker, linewidths=0.8,
                             color=colours[platform], label=platform if best == "1" else None)
        every = [v for row in mine for v in values(row)] or [1, 10]
        ends = [0.7 * min(every), 1.4 * max(every)]
        axes.plot(ends, ends, color="black", linewidth=0.8)
        for factor in (0.75, 1.25):
            axes.plot(ends, [factor * e for e in ends], color="grey", linewidth=0.5, linestyle="--")
        axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends, xlabel=f"measured, {unit}",
                 ylabel=f"simulated, {unit}", title=f"{title}, {len(mine)} values")
    for axes in panels.flat[len(PANELS):]:
        axes.set_visible(False)
    panels.flat[0].legend(fontsize="small", loc="upper left",
                          title="o: best stack, x: others\ndashed: 25 %")
    figure.tight_layout()
    figure.savefig(f"{target}.svg", metadata={"Date": None})
    figure.savefig(f"{target}.png", dpi=100)


if __name__ == "__main__":
    main()
