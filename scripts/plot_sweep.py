#!/usr/bin/env python3
"""Draws a sweep: `reticle sweep report DIR`, then this.

    scripts/plot_sweep.py DIR      writes DIR/heat, lines, front and sensitivity as .svg and .png

Heat map and lines are of the first objective over the two axes with the most values; the other axes
are held where the best candidate has them. Cells struck through and hollow points are no candidates:
outside the sweep's limits, or beyond the hardware's. Samples have no heat map: no two of them share
a value. Needs python3-matplotlib.
"""

import json
import sys
from pathlib import Path

try:
    import matplotlib
except ImportError:
    print("plot_sweep.py: needs matplotlib: apt-get install python3-matplotlib", file=sys.stderr)
    sys.exit(2)

matplotlib.use("Agg")
matplotlib.rcParams.update({
    "svg.hashsalt": "reticle",  # the same picture has the same bytes
    "svg.fonttype": "none",     # text stays text
    "font.family": "sans-serif", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False,
})
import matplotlib.pyplot as plt  # noqa: E402

COLOURS = plt.get_cmap("tab10").colors


def save(figure, target):
    figure.savefig(f"{target}.svg", metadata={"Date": None}, bbox_inches="tight")
    figure.savefig(f"{target}.png", dpi=110, bbox_inches="tight")
    plt.close(figure)


class Sweep:
    def __init__(self, data):
        self.data = data
        self.points = [p for p in data["points"]
                       if p["fidelity"] == data["run"]["fidelity"] or p["status"] != "ok"]
        self.good = [p for p in self.points if p["status"] == "ok"]
        named = [o["name"] for o in data["objectives"]]
        self.objectives = [n for n in named if any(self.figure(p, n) is not None for p in self.good)]
        self.limits = sorted({p["outputs"]["limited_by"] for p in self.good if p["outputs"]["limited_by"]})
        self.first = {a["key"]: a for a in self.one_per_axis()}
        self.axes = sorted(self.first, key=lambda k: -len(self.values(k)))
        self.sampled = any(a["sampled"] for a in self.first.values())

    def one_per_axis(self):
        """Keys that change together are one axis: the first whose values all differ names it, else all do."""
        for axis in dict.fromkeys(a["axis"] for a in self.data["axes"]):
            keys = [a for a in self.data["axes"] if a["axis"] == axis]
            own = keys[0] if len(keys) < 2 else next((a for a in keys if len(set(a["values"])) == len(a["values"])), None)
            if own:
                yield own
                continue
            joint = " + ".join(a["key"] for a in keys)
            for point in self.data["points"]:
                mine = [point["inputs"][a["key"]] for a in keys]
                point["inputs"][joint] = None if None in mine else " + ".join(mine)
            yield {"key": joint, "axis": axis, "values": [" + ".join(v) for v in zip(*(a["values"] for a in keys))],
                   "numeric": False, "numbers": {}, "sampled": False}

    @staticmethod
    def figure(point, name):
        value = point["outputs"].get(name)
        return value if isinstance(value, (int, float)) else None

    def unit(self, name):
        return next((f" [{f['unit']}]" for f in self.data["figures"] if f["name"] == name and f["unit"]), "")

    def number(self, key, text):
        """What a value of an axis counts, in base units; None for a word."""
        return self.first[key]["numbers"].get(text)

    def values(self, key):
        seen = list(dict.fromkeys(p["inputs"][key] for p in self.points if p["inputs"][key] is not None))
        order = self.first[key]["values"].index
        return sorted(seen, key=(lambda v: self.number(key, v)) if self.first[key]["numeric"] else order)

    def colour(self, point):
        return COLOURS[self.limits.index(point["outputs"]["limited_by"]) % len(COLOURS)]

    def best(self, name):
        """The best candidate; of points that are none, where there is no other."""
        more = next(o["better"] for o in self.data["objectives"] if o["name"] == name) == "more"
        ran = [p for p in self.good if self.figure(p, name) is not None]
        return (max if more else min)([p for p in ran if p["candidate"]] or ran, key=lambda p: self.figure(p, name))

    def plane(self, keys, best):
        """Points that are where `best` is but for `keys`; an axis that does not apply to one of them is no difference."""
        held = [k for k in self.axes if k not in keys]
        return [p for p in self.points
                if all(best["inputs"][k] is None or p["inputs"][k] in (None, best["inputs"][k]) for k in held)]

    def held(self, keys, best):
        return ", ".join(f"{k} = {best['inputs'][k]}" for k in self.axes if k not in keys and best["inputs"][k] is not None)


def draw_heat(sweep, target):
    if len(sweep.axes) < 2:
        return
    if sweep.sampled:
        print("no heat map: no two samples share a value; the page shows means over parts of an axis")
        return
    name, (x, y) = sweep.objectives[0], sweep.axes[:2]
    best = sweep.best(name)
    xs, ys = sweep.values(x), sweep.values(y)
    grid = [[None] * len(xs) for _ in ys]
    figure, axes = plt.subplots(figsize=(1.5 + 0.75 * len(xs), 1.5 + 0.5 * len(ys)))
    for p in sweep.plane((x, y), best):
        if p["inputs"][x] is None or p["inputs"][y] is None:
            continue
        i, j = xs.index(p["inputs"][x]), ys.index(p["inputs"][y])
        value = sweep.figure(p, name) if p["status"] == "ok" else None
        grid[j][i] = value
        if value is not None and not p["candidate"]:
            axes.plot((i - 0.45, i + 0.45), (j - 0.45, j + 0.45), color="black", linewidth=1)
        axes.text(i, j, f"{value:.3g}" if value is not None else p["status"], ha="center", va="center", fontsize=7,
                  color="black" if value is not None else "grey",
                  bbox={"facecolor": "white", "alpha": 0.6, "edgecolor": "none", "pad": 1} if value is not None else None)
    shown = axes.imshow([[float("nan") if v is None else v for v in row] for row in grid], origin="lower",
                        aspect="auto", cmap="viridis")
    axes.set_xticks(range(len(xs)), xs, rotation=30 if max(map(len, xs)) > 6 else 0)
    axes.set_yticks(range(len(ys)), ys)
    axes.set(xlabel=x, ylabel=y, title=sweep.held((x, y), best))
    figure.colorbar(shown, label=name + sweep.unit(name))
    save(figure, target / "heat")


def legend(axes, sweep, points):
    used = sorted({p["outputs"]["limited_by"] for p in points})
    marks = [plt.Line2D([], [], marker="o", linestyle="", color=COLOURS[sweep.limits.index(u) % len(COLOURS)], label=u)
             for u in used]
    axes.legend(handles=marks, title="limited by", frameon=False, loc="center left", bbox_to_anchor=(1.02, 0.5))


def draw_lines(sweep, target):
    name, x = sweep.objectives[0], sweep.axes[0]
    by = sweep.axes[1] if len(sweep.axes) > 1 else None
    best = sweep.best(name)
    figure, axes = plt.subplots(figsize=(8, 4.5))
    keys = sweep.axes if sweep.sampled else (x, by)
    points = [p for p in sweep.plane(keys, best)
              if p["status"] == "ok" and sweep.figure(p, name) is not None and p["inputs"][x] is not None]
    order = sweep.values(x)
    numeric = sweep.first[x]["numeric"]
    place = (lambda p: sweep.number(x, p["inputs"][x])) if numeric else (lambda p: order.index(p["inputs"][x]))
    by = None if sweep.sampled else by  # a line would join samples that differ in every axis
    for group in sweep.values(by) if by else [None]:
        mine = sorted((p for p in points if by is None or p["inputs"][by] == group), key=place)
        if not mine:
            continue
        if not sweep.sampled:
            axes.plot([place(p) for p in mine], [sweep.figure(p, name) for p in mine], color="lightgrey", zorder=1)
        axes.scatter([place(p) for p in mine], [sweep.figure(p, name) for p in mine], zorder=2,
                     facecolors=[sweep.colour(p) if p["candidate"] else "white" for p in mine],
                     edgecolors=[sweep.colour(p) for p in mine])
        if group is not None:
            axes.annotate(group, (place(mine[-1]), sweep.figure(mine[-1], name)), xytext=(6, 0),
                          textcoords="offset points", fontsize=8, va="center")
    if numeric and sweep.number(x, order[0]) > 0 and sweep.number(x, order[-1]) / sweep.number(x, order[0]) >= 16:
        axes.set_xscale("log")
    if not numeric:
        axes.set_xticks(range(len(order)), order)
    elif len(order) <= 12:  # the values as they are written, with their units
        axes.set_xticks([sweep.number(x, v) for v in order], order)
        axes.set_xticks([], minor=True)
    axes.set_ylim(bottom=0)
    axes.set(xlabel=x, ylabel=name + sweep.unit(name), title=sweep.held(keys, best))
    legend(axes, sweep, points)
    save(figure, target / "lines")


def draw_front(sweep, target):
    if len(sweep.objectives) < 2:
        return
    y, x = sweep.objectives[:2]
    points = [p for p in sweep.good if sweep.figure(p, x) is not None and sweep.figure(p, y) is not None]
    front = set(sweep.data["front"])
    figure, axes = plt.subplots(figsize=(8, 4.5))
    for on, size, alpha in ((False, 14, 0.4), (True, 50, 1)):
        mine = [p for p in points if (p["id"] in front) == on]
        axes.scatter([sweep.figure(p, x) for p in mine], [sweep.figure(p, y) for p in mine], s=size, alpha=alpha,
                     facecolors=[sweep.colour(p) if p["candidate"] else "white" for p in mine],
                     edgecolors="black" if on else [sweep.colour(p) for p in mine])
    for name, scale in ((x, axes.set_xscale), (y, axes.set_yscale)):
        values = [sweep.figure(p, name) for p in points]
        if min(values) > 0 and max(values) / min(values) > 10:
            scale("log")
    axes.set(xlabel=x + sweep.unit(x), ylabel=y + sweep.unit(y), title="large: beaten by no other candidate; hollow: no candidate")
    legend(axes, sweep, points)
    save(figure, target / "front")


def draw_sensitivity(sweep, target):
    rows = [s for s in sweep.data["sensitivity"] if any(a["first"] is not None for a in s["axes"])]
    if not rows:
        return
    figure, all_axes = plt.subplots(1, len(rows), figsize=(4 * len(rows), 0.5 * len(sweep.axes) + 1.4), sharey=True,
                                    squeeze=False)
    for axes, row in zip(all_axes[0], rows):
        keys = [a["key"] for a in row["axes"]]
        if any(a["total"] is not None for a in row["axes"]):
            axes.barh(keys, [a["total"] or 0 for a in row["axes"]], color="#b9cdf5", label="with interactions")
        axes.barh(keys, [a["first"] or 0 for a in row["axes"]], height=0.5, color="#2563eb", label="alone")
        axes.set(title=row["objective"], xlim=(0, 1.05), xlabel="share of the variance")
    all_axes[0][-1].legend(frameon=False, loc="center left", bbox_to_anchor=(1.02, 0.5))
    save(figure, target / "sensitivity")


def main():
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "analysis.json").is_file():
        sys.exit(f"usage: {sys.argv[0]} DIR, which holds an analysis.json of `reticle sweep report`")
    target = Path(sys.argv[1])
    sweep = Sweep(json.loads((target / "analysis.json").read_text(encoding="utf-8")))
    if not sweep.objectives:
        sys.exit("no point has a result")
    for draw in (draw_heat, draw_lines, draw_front, draw_sensitivity):
        draw(sweep, target)


if __name__ == "__main__":
    main()
