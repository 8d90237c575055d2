#!/usr/bin/env python3
"""Draws what became of the registry's estimates: `reticle registry validate --all --out DIR`, then this.

    scripts/plot_registry.py DIR [TARGET]    writes TARGET (default DIR/findings).svg and .png, an
                                             overview, and TARGET-tests.svg and .png, four tests

Needs python3-matplotlib.
"""

import json
import sys
from pathlib import Path

try:
    import matplotlib
except ImportError:
    sys.exit("plot_registry.py: needs matplotlib: apt-get install python3-matplotlib")

matplotlib.use("Agg")
matplotlib.rcParams.update({
    "svg.hashsalt": "reticle",  # the same picture has the same bytes
    "svg.fonttype": "none",     # text stays text
    "font.family": "sans-serif", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False,
})
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402
from matplotlib.patches import Patch  # noqa: E402

COLOURS = {"supported": "#17692f", "underclaimed": "#00707a", "conditional": "#b07a00",
           "overclaimed": "#a01c1c"}
CLAIM = "#f3d48a"
MARKS = "os^Dvp"
LEFT, RIGHT = 0.005, 60  # of the overview's axis


def save(figure, target):
    figure.savefig(f"{target}.svg", metadata={"Date": None}, bbox_inches="tight")
    figure.savefig(f"{target}.png", dpi=110, bbox_inches="tight")
    plt.close(figure)


def judged(data):
    return [(entry, test) for entry in data["entries"] for test in entry["tests"] if test["claim"]]


def overview(data, target):
    """Claimed and simulated ranges as shares of the claim's lower end: one axis for all units."""
    rows = judged(data)
    figure, axes = plt.subplots(figsize=(10, 0.42 * len(rows) + 1.2))
    for y, (entry, test) in enumerate(reversed(rows)):
        claim = test["claim"]
        unit = claim["low"]
        high = claim["high"] / unit if not claim["at_least"] else 1e3
        axes.barh(y, max(high - 1, 0.03), left=1, height=0.8, color=CLAIM, zorder=1)
        if test["low"] is None:
            continue
        colour = COLOURS.get(test["verdict"], "#555555")
        if entry["falsifier_came_true"]:
            axes.axhspan(y - 0.45, y + 0.45, facecolor="none", edgecolor=COLOURS["overclaimed"], hatch="//",
                         lw=0, alpha=0.35, zorder=0)
        low, high = test["low"] / unit, test["high"] / unit
        ends = [min(max(x, LEFT), RIGHT) for x in (low, high)]
        axes.plot(ends, [y, y], lw=4, solid_capstyle="butt", zorder=2, color=colour)
        for x, end in zip((low, high), ends):
            mark = "<" if x < end else ">" if x > end else "|"
            axes.plot([end], [y], mark, ms=11 if mark == "|" else 8, mew=2, zorder=3, color=colour, clip_on=False)
    axes.set_yticks(range(len(rows)), [f'{e["id"]}  {t["title"]}' for e, t in reversed(rows)])
    axes.set_xscale("log")
    axes.set_xlim(LEFT, RIGHT)
    axes.set_xlabel("share of the lower end of the claim (B18: of a price, less is better)")
    axes.grid(axis="x", lw=0.5)
    axes.legend(handles=[Patch(color=CLAIM, label="claimed")] +
                [Patch(color=c, label=v) for v, c in COLOURS.items()
                 if any(t["verdict"] == v for _, t in rows)] +
                [Patch(facecolor="none", edgecolor=COLOURS["overclaimed"], hatch="//",
                       label="the entry's falsifier came true: overclaimed"),
                 Line2D([], [], ls="", marker=">", color="#555555", label="goes on beyond the axis (or to zero)")],
                fontsize=8, loc="upper center", bbox_to_anchor=(0.3, -0.07), ncol=3)
    save(figure, target)


def find(data, entry, test):
    return next(t for e in data["entries"] if e["id"] == entry for t in e["tests"] if t["id"] == test)


def panel(axes, test, title, only=None):
    points = [p for p in test["points"]
              if only is None or all(p["conditions"].get(k) in v for k, v in only.items())]
    labels = [", ".join(v for k, v in p["conditions"].items()
                        if only is None or len(only.get(k, ["", ""])) > 1) for p in points]
    if test["claim"]:
        axes.axvspan(test["claim"]["low"], test["claim"]["high"], color=CLAIM, zorder=0)
    for t, treatment in enumerate(test["treatments"]):
        xs = [(p["treatments"][t]["figure"], y) for y, p in enumerate(reversed(points))]
        xs = [(x, y) for x, y in xs if x is not None]
        axes.plot([x for x, _ in xs], [y for _, y in xs], MARKS[t % len(MARKS)], ms=6, alpha=0.85,
                  label=treatment["name"] + (" (bound)" if treatment["bound"] else ""))
    axes.set_yticks(range(len(points)), list(reversed(labels)), fontsize=8)
    axes.set_title(title, fontsize=10, loc="left")
    axes.grid(axis="x", lw=0.5)
    axes.legend(fontsize=7)


def four_tests(data, target):
    figure, grid = plt.subplots(2, 2, figsize=(13, 11))
    panel(grid[0][0], find(data, "B1", "same_silicon"),
          "B1: SRAM in place of HBM, times as fast (model, dies, batch; context 1024)", {"context": ["1024"]})
    panel(grid[0][1], find(data, "B5", "speed_kept"),
          "B5: share of the speed that each fabric keeps (model, batch, nodes)")
    panel(grid[1][0], find(data, "B16", "cost_reduction"),
          "B16: machine time saved, times (platform, questions at a time, effect)")
    panel(grid[1][1], find(data, "B18", "throughput_cost"),
          "B18: throughput lost to reproducible sums on the reference ASIC, % (model, batch)")
    for axes in (grid[0][0], grid[1][0]):
        axes.set_xscale("log")
    figure.tight_layout()
    save(figure, target)


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    folder = Path(sys.argv[1])
    target = sys.argv[2] if len(sys.argv) == 3 else folder / "findings"
    data = json.loads((folder / "validation.json").read_text(encoding="utf-8"))
    overview(data, target)
    four_tests(data, f"{target}-tests")
    return 0


if __name__ == "__main__":
    sys.exit(main())
