#!/usr/bin/env python3
"""Draws a comparison: `reticle compare ... --out DIR`, then this.

    scripts/plot_compare.py DIR      writes DIR/radar, cost, energy and, where there are points
                                     and ranges, frontiers and tornado as .svg and .png, and DIR/compare.html

The first three are figures 1 to 3 of the seed paper from simulation. Shipping platforms are drawn
solid, projections dotted, claims hatched; "(bound)" marks a roofline, which was not simulated. Needs python3-matplotlib.
"""

import html
import io
import json
import math
import re
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
matplotlib.rcParams.update({
    "svg.hashsalt": "reticle",  # the same picture has the same bytes
    "svg.fonttype": "none",     # text stays text
    "font.family": "sans-serif", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False,
    "hatch.linewidth": 0.8,
})
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.patches import Patch  # noqa: E402

SCHEMA = 2  # of compare.json
PICTURES = ("radar", "cost", "energy", "frontiers", "tornado")
HATCH = {"shipping": "", "projection": "....", "claim": "////"}
LINE = {"shipping": "-", "projection": ":", "claim": "--"}
WORDS = {"shipping": "can be bought (solid)", "projection": "projection (dotted)", "claim": "claim (hatched)"}
TABLE = plt.get_cmap("tab20").colors
COLOURS = TABLE[0::2] + TABLE[1::2]  # the strong ones first
# One platform has one colour in every picture; the reference of the radar is black.
ONE, MANY = "#9db7d5", "#1f5a99"  # one stream, batch 64; apart in grey as well


def colours_of(data):
    """The paper's platforms and projections first, as the strong colours are."""
    first = lambda p: not (p["software_points"] or p["kind"] == "projection")
    names = [p["platform"] for p in sorted(data["platforms"], key=first)]
    names = [name for name in names if name != data["radar"]["reference"]]
    return {data["radar"]["reference"]: "black", **{name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}}


def kinds_of(platforms):
    return [kind for kind in HATCH if any(p["kind"] == kind for p in platforms)]


def save(figure, target):
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None}, bbox_inches="tight")
    names = {}  # matplotlib calls clips of a polar plot by an address: name them in order instead
    text = re.sub(r"\bp[0-9a-f]{10}\b", lambda m: names.setdefault(m.group(), f"clip{len(names)}"), drawn.getvalue())
    Path(f"{target}.svg").write_text(text, encoding="utf-8")
    figure.savefig(f"{target}.png", dpi=110, bbox_inches="tight")
    plt.close(figure)


def value(platform, figure):
    return platform["figures"][figure]["deployment"]


def ranges(data):
    """What --uncertainty found, by figure and platform."""
    found = data.get("uncertainty") or {"figures": []}
    return {(f["figure"], f["platform"]): f for f in found["figures"]}


def short(x):
    if x >= 1e4:
        return f"{x:,.0f}"
    digits = max(0, 2 - math.floor(math.log10(x))) if x < 100 else 0
    return f"{x:,.{digits}f}".rstrip("0").rstrip(".") if digits else f"{x:,.0f}"


def bars(data, single, many, title, unit, target):
    """Two bars per platform on a log scale, the best at batch 64 on top."""
    platforms = [p for p in data["platforms"] if value(p, single) or value(p, many)]
    platforms.sort(key=lambda p: -(value(p, many) or value(p, single)))
    figure, axes = plt.subplots(figsize=(9, 1.4 + 0.52 * len(platforms)))
    shown = [x for p in platforms for x in (value(p, single), value(p, many)) if x]
    axes.set_xscale("log")
    shown += [span[end] for (name, _), span in ranges(data).items() if name in (single, many) for end in ("p5", "p95")]
    axes.set_xlim(min(shown) / 2, max(shown) * 4)
    axes.set_ylim(-0.6, len(platforms) - 0.4)
    for row, platform in enumerate(platforms):
        for offset, name, colour in ((0.2, single, ONE), (-0.2, many, MANY)):
            x = value(platform, name)
            if x is None:
                continue
            bound = not next(c["simulated"] for c in platform["cells"].values() if c)
            axes.barh(row + offset, x - axes.get_xlim()[0], 0.38, left=axes.get_xlim()[0], color=colour,
                      hatch=HATCH[platform["kind"]], edgecolor="white", linewidth=0.6)
            span = ranges(data).get((name, platform["platform"]))
            if span:
                axes.plot([span["p5"], span["p95"]], [row + offset] * 2, color="black", linewidth=1, marker="|", markersize=6)
            axes.text(max(x, span["p95"] if span else 0) * 1.1, row + offset, short(x) + (" (bound)" if bound else ""), va="center", fontsize=8)
    axes.set_yticks(range(len(platforms)))
    axes.set_yticklabels([p["platform"] for p in platforms])
    axes.set_xlabel(f"{unit}, log scale: shorter is better")
    axes.set_title(f"{title}: {data['inputs']['llm']}", loc="left")
    handles = [Patch(facecolor=ONE, label="one stream"), Patch(facecolor=MANY, label="batch 64")]
    handles += [Patch(facecolor=MANY, edgecolor="white", hatch=HATCH[k], label=WORDS[k]) for k in kinds_of(platforms)]
    axes.legend(handles=handles, fontsize=8, loc="upper center", bbox_to_anchor=(0.45, -0.9 / figure.get_figheight()),
                ncol=len(handles), frameon=False)
    save(figure, target)


def radial(axis, platform, reference):
    """Ratio axes as log10 of the ratio to the reference; absolute ones over the same span."""
    found = axis["values"].get(platform)
    if found is None:
        return None
    middle = (found["low"] + found["high"]) / 2
    if not axis["ratio"]:
        return ("absolute", (middle - axis["low"]) / (axis["high"] - axis["low"]))
    base = axis["values"].get(reference)
    return None if base is None else ("ratio", math.log10(middle / base["low"]))


def radar(data, target):
    """Figure 1: per platform a polygon over the six axes; the reference is the circle of 1."""
    reference, axes = data["radar"]["reference"], data["radar"]["axes"]
    names = [p["platform"] for p in data["platforms"]]
    if reference not in names:
        print(f"radar: not drawn, {reference} is not compared")
        return False
    platforms = [p for p in data["platforms"] if p["platform"] not in data["radar"]["excluded"]]
    rows = {p["platform"]: [radial(a, p["platform"], reference) for a in axes] for p in platforms}
    rows = {name: r for name, r in rows.items() if any(x and x[0] == "ratio" for x in r)}
    logs = [x[1] for r in rows.values() for x in r if x and x[0] == "ratio"] + [0.0]
    low, high = math.floor(min(logs) * 2) / 2 - 0.5, math.ceil(max(logs) * 2) / 2
    angles = [2 * math.pi * i / len(axes) for i in range(len(axes))]
    figure = plt.figure(figsize=(10.5, 7.6))
    plot = figure.add_axes([0.12, 0.08, 0.52, 0.72], polar=True)
    plot.set_theta_zero_location("N")
    plot.set_theta_direction(-1)
    kind = {p["platform"]: p["kind"] for p in platforms}
    chosen = {p["platform"] for p in platforms if p["software_points"] or p["kind"] == "projection"}
    bound = {p["platform"] for p in platforms if any(c and not c["simulated"] for c in p["cells"].values())}
    colours = colours_of(data)
    for name, row in rows.items():
        points = [(t, math.nan if x is None else low + x[1] * (high - low) if x[0] == "absolute" else x[1])
                  for t, x in zip(angles, row)]
        points.append(points[0])  # where a value is missing the line breaks
        strong = name == reference
        width = 2.2 if strong else 1.7 if name in chosen else 0.7
        plot.plot(*zip(*points), LINE[kind[name]], color=colours[name],
                  linewidth=width, marker="o", markersize=2 * width, label=name + (" (bound)" if name in bound else ""))
    plot.set_ylim(low, high)
    decades = [d for d in range(math.ceil(low), math.floor(high) + 1)]
    plot.set_yticks(decades)
    plot.set_yticklabels([f"{10.0 ** d:g}x" for d in decades], fontsize=8)
    plot.set_rlabel_position(30)
    plot.set_xticks(angles)
    plot.set_xticklabels([""] * len(angles))
    plot.tick_params(pad=12)
    for angle, axis in zip(angles, axes):
        side, up = math.sin(angle), math.cos(angle)
        plot.text(angle, high + (high - low) * (0.06 if abs(side) > 0.1 else 0.05),
                  axis["title"].replace(", ", ",\n").replace(" (", "\n("), fontsize=9,
                  ha="left" if side > 0.1 else "right" if side < -0.1 else "center",
                  va="bottom" if up > 0.9 else "top" if up < -0.9 else "center")
    plot.legend(loc="center left", bbox_to_anchor=(1.32, 0.5), fontsize=8.5, frameon=False,
                title="solid: can be bought\ndotted: projection\ndashed: claim\n(bound): roofline, not simulated")
    figure.text(0.02, 0.985, f"Per deployment, {reference} = 1, log scale: {data['inputs']['llm']}", fontsize=12, va="top")
    figure.text(0.02, 0.955, "Efficiencies at batch 64. Software: the paper's rubric, 0 to 10 over the same span, "
                "middle of its range; subjective. Thick: the paper's platforms and projections.", fontsize=8.5, va="top")
    left_out = [name for name in names if name in data["radar"]["excluded"]]
    if left_out:
        figure.text(0.02, 0.935, f"Left out, as in the paper's figure 1: {', '.join(left_out)}.", fontsize=8.5, va="top")
    save(figure, target)
    return True


def frontiers(data, target):
    platforms = [p for p in data["platforms"] if len(p["frontier"]) > 1]
    if not platforms:
        return False
    figure, axes = plt.subplots(figsize=(10, 6.5))
    colours = colours_of(data)
    for platform in platforms:
        points = platform["frontier"]
        colour = colours[platform["platform"]]
        best = [p for p in points if not any(q["tokens_per_s_user"] >= p["tokens_per_s_user"] and
                                             q["tokens_per_s_chip"] >= p["tokens_per_s_chip"] and q is not p for q in points)]
        for some, line, face in ((best, LINE[platform["kind"]], colour), ([p for p in points if p not in best], "", "none")):
            axes.plot([p["tokens_per_s_user"] for p in some], [p["tokens_per_s_chip"] for p in some], line or "none", color=colour,
                      marker="o", markersize=3.5, markerfacecolor=face,
                      label=f"{platform['platform']} ({points[0]['batch']} to {points[-1]['batch']})" if some is best else None)
    axes.set(xscale="log", yscale="log", xlabel="tokens/s of a user (interactivity)", ylabel="tokens/s per chip (throughput)")
    axes.set_title(f"Batches 1, 2, 4, ... on one deployment each: {data['inputs']['llm']}", loc="left")
    axes.grid(True, which="major", linewidth=0.4, alpha=0.5)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False,
                title="batches, up to what fits;\ndotted: projection, dashed: claim\nhollow: another batch is better at both")
    save(figure, target)
    return True


def tornado(data, target):
    """What cost and energy at batch 64 hang on: the reference projections and the paper's baseline."""
    found = ranges(data)
    wanted = [(figure, name) for name in ("ref-asic", "ref-asic-paper", "h100-8", "b200-8")
              for figure in ("cost_batch64", "energy_batch64") if found.get((figure, name), {}).get("tornado")][:6]
    if not wanted:
        return False
    figure, axes = plt.subplots(math.ceil(len(wanted) / 2), min(2, len(wanted)), squeeze=False,
                                figsize=(12, 0.6 + 2.3 * math.ceil(len(wanted) / 2)))
    for axis in axes.flat[len(wanted):]:
        axis.set_visible(False)
    for axis, key in zip(axes.flat, wanted):
        one = found[key]
        bars_of = one["tornado"][:7][::-1]
        for y, bar in enumerate(bars_of):
            low, high = sorted((bar["at_low"], bar["at_high"]))
            axis.barh(y, high - low, left=low, color=MANY, height=0.65)
        axis.axvline(one["nominal"], color="black", linewidth=0.9)
        axis.set_yticks(range(len(bars_of)), [b["constant"].split(".", 1)[1] for b in bars_of], fontsize=8)
        axis.set_title(f"{key[1]}, {'USD per million tokens' if key[0].startswith('cost') else 'J per token'}, batch 64",
                       fontsize=9.5, loc="left")
    figure.suptitle("Each constant alone from end to end of its range; the line is the nominal value", x=0.02, ha="left", fontsize=11)
    figure.tight_layout()
    save(figure, target)
    return True


STYLE = """
:root { --back: #fff; --ink: #1b1f24; --soft: #5c6670; --line: #d5dae0; --stripe: #f5f7f9; }
@media (prefers-color-scheme: dark) {
  :root { --back: #14171a; --ink: #e6e9ec; --soft: #9aa4ae; --line: #333a41; --stripe: #1b1f23; } }
@media print { :root { --back: #fff; --ink: #000; --soft: #444; --line: #bbb; --stripe: #fff; }
  figure, tr { break-inside: avoid; } body { font-size: 9pt; } .wide { overflow: visible; } }
body { background: var(--back); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; max-width: 76rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; } p, li { max-width: 60rem; }
.soft { color: var(--soft); } .wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.86rem; } th, td { padding: 0.28rem 0.6rem; border-bottom: 1px solid var(--line);
  text-align: left; vertical-align: top; } td:last-child { min-width: 15rem; } td.n { text-align: right; min-width: 0; font-variant-numeric: tabular-nums; white-space: nowrap; }
th { position: sticky; top: 0; background: var(--back); } th button { all: unset; cursor: pointer; font-weight: 600; }
th button:focus-visible { outline: 2px solid; } th[aria-sort=ascending] button::after { content: " \\25b2"; }
th[aria-sort=descending] button::after { content: " \\25bc"; } tr:nth-child(even) td { background: var(--stripe); }
figure { margin: 1rem 0; padding: 0.6rem; background: #fff; border: 1px solid var(--line); border-radius: 6px; }
figure svg { max-width: 100%; height: auto; } .inside { color: #197a3e; } .below, .above { color: #b3421c; }
@media (prefers-color-scheme: dark) { .inside { color: #5fc988; } .below, .above { color: #f0916b; } }
"""


# A click on a head sorts by its column: numbers by value, cells without one last; again, the other way.
SORT = """
for (const head of document.querySelectorAll("th")) head.addEventListener("click", () => {
  const table = head.closest("table"), at = head.cellIndex, up = head.getAttribute("aria-sort") !== "ascending";
  for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const key = row => { const c = row.cells[at]; return "v" in c.dataset ? Number(c.dataset.v) : c.className === "n" ? NaN : c.textContent; };
  const order = (a, b) => typeof a === "number" && typeof b === "number" ? (isNaN(a) - isNaN(b) || (up ? a - b : b - a))
    : (up ? 1 : -1) * String(a).localeCompare(String(b));
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => order(key(a), key(b)));
  table.tBodies[0].append(...rows);
});
"""


def number(x):
    return "-" if x is None else "0" if x == 0 else short(x) if 1e-3 <= abs(x) < 1e12 else f"{x:.3g}"


def stated(row):
    span = row["stated"]
    if span is None:
        return "-"
    return number(span["low"]) if span["low"] == span["high"] else f"{number(span['low'])} to {number(span['high'])}"


def figure_cell(x):
    """A number in few digits, sorted by all of them."""
    return number(x), "n", x


def table(heads, rows):
    """A cell may be a tuple of its text, its class and, of numbers, what it is sorted by."""
    out = ["<div class='wide'><table><thead><tr>",
           *(f"<th scope='col'><button type='button'>{html.escape(h)}</button></th>" for h in heads), "</tr></thead><tbody>"]
    for row in rows:
        out.append("<tr>")
        for cell in row:
            text, style, key = (*cell, None, None)[:3] if isinstance(cell, tuple) else (cell, "", None)
            by = "" if key is None else f" data-v='{key:.9g}'"
            out.append(f"<td class='{style or ''}'{by}>{html.escape(str(text))}</td>")
        out.append("</tr>")
    return "".join(out + ["</tbody></table></div>"])


def between(row):
    return "-" if row["ours_p5"] is None else f"{number(row['ours_p5'])} to {number(row['ours_p95'])}"


def claims_table(rows, with_column):
    ranged = any(r["ours_p5"] is not None for r in rows)
    heads = (["figure"] + ["column"] * with_column + ["platform", "unit", "paper", "simulated"] + ["P5 to P95"] * ranged +
             ["verdict", "limited by", "note"])
    return table(heads, [
        [r["figure"].replace("_", " ")] + [r["column"]] * with_column +
        [r["platform"], r["unit"], (stated(r), "n", (r["stated"] or {}).get("low")), figure_cell(r["ours"])] +
        [(between(r), "n", r["ours_p5"])] * ranged + [(r["verdict"] or "-", r["verdict"] or ""),
         r["limited_by"].replace("_", " ") or "-", r["note"]] for r in rows])


def uncertainty_part(data):
    found = data.get("uncertainty")
    if not found:
        return []
    def bars(tornado):
        return "; ".join(f"{b['constant'].split('.', 1)[1]} ({number(b['at_low'])} to {number(b['at_high'])})" for b in tornado[:3])
    flips = [f"{f['table']}, {f['figure'].replace('_', ' ')}{' (' + f['column'] + ')' if f['column'] else ''}, {f['platform']}: "
             f"{f['nominal']}; {f['at_p5']} at P5, {f['at_p95']} at P95" for f in found["flips"]]
    return ["<h2>What the ranges of constants leave open</h2>",
            f"<p>{found['samples']} samples of the ranges of energy, cost and silicon constants, seed {found['seed']}; in the pictures the "
            "black lines are P5 to P95. A figure hangs on the constants that move it most, each alone from end to end.</p>",
            table(["platform", "figure", "nominal", "P5", "P95", "hangs on"],
                  [[f["platform"], f["figure"].replace("_", " "), figure_cell(f["nominal"]), figure_cell(f["p5"]),
                    figure_cell(f["p95"]), bars(f["tornado"])] for f in found["figures"]]),
            "<h2>Verdicts that flip within the ranges</h2><ul>",
            *([f"<li>{html.escape(flip)}</li>" for flip in flips] or ["<li>None.</li>"]), "</ul>",
            "<h2>Limits that some samples break at batch 64 and others do not</h2><ul>",
            *([f"<li>{html.escape(l['limit'].replace('_', ' '))} of {html.escape(l['platform'])}: broken in {l['share']:.0%} of the samples</li>"
               for l in found["limits"]] or ["<li>None.</li>"]), "</ul>"]


def picture(path, n):
    """Inline; ids of one picture must not meet those of another in the same page."""
    svg = path.read_text(encoding="utf-8")
    svg = svg[svg.index("<svg"):]
    svg = re.sub(r'(\bid="|url\(#|href="#)', lambda m: m.group(1) + f"p{n}-", svg)
    return f"<figure>{svg}</figure>"


def per_chip(data):
    """Of the figures that a chip has its share of."""
    figures = [f for f in data["figures"] if any(p["figures"][f["figure"]].get("per_chip") is not None for p in data["platforms"])]
    return ["platform"] + [f"{f['title']} [{f['unit']}]" for f in figures], [
        [p["platform"]] + [figure_cell(p["figures"][f["figure"]].get("per_chip")) for f in figures] for p in data["platforms"]]


def page(data, directory, pictures):
    inputs, platforms = data["inputs"], data["platforms"]
    heads = ["platform", "kind", "chips"] + [f"{f['title']} [{f['unit']}]" for f in data["figures"]] + ["limited by (1; 64)", "deployment"]
    rows = []
    for p in platforms:
        cell = next((c for c in p["cells"].values() if c), None)
        limits = "; ".join((p["cells"][load] or {}).get("limited_by", "-").replace("_", " ") for load in ("batch1", "batch64"))
        why = cell["problem"] if cell and not cell["fits"] else p["deployment"]
        if cell and not cell["simulated"]:
            why += "; a roofline bound, not simulated"
        refused = [f"{load}: {c['problem']}" for load, c in p["cells"].items() if c and not c["fits"] and load != "table1"]
        if refused and cell["fits"]:
            why += "; " + refused[0]
        rows.append([p["platform"], p["kind"], (cell["packages"] if cell else "-", "n", cell["packages"] if cell else None)] +
                    [figure_cell(value(p, f["figure"])) for f in data["figures"]] + [limits, why])
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'>",
        f"<title>{html.escape(inputs['llm'])}: the comparison</title><style>{STYLE}</style></head><body>",
        f"<h1>{html.escape(inputs['llm'])} on {len(platforms)} platforms</h1>",
        f"<p>Steady decodes of one stream and of 64, and <b>{html.escape(inputs['workload'])}</b>, on one deployment each. "
        f"Weights in {html.escape(inputs['weights'])}; machines work {inputs['utilisation']:.0%} of their lives. Figures are "
        "simulated but where the deployment is said to have its roofline bound; the kind says what the platform is: <i>shipping</i> can be bought, a <i>claim</i> is a vendor's, a "
        "<i>projection</i> does not exist. Energy is the node's unless said otherwise.</p>",
        *(picture(directory / f"{name}.svg", n) for n, name in enumerate(pictures)),
        "<h2>All figures, per deployment</h2>", table(heads, rows),
        "<h2>The same per chip</h2>", table(*per_chip(data)),
        "<h2>Table 1: one stream of the paper's model</h2>", claims_table(data["table1"], False)]
    if data["table2"]:
        parts += ["<h2>Table 2</h2>", claims_table(data["table2"], True)]
    parts += uncertainty_part(data)
    parts.append("<h2>Contradictions</h2><ul>")
    parts += [f"<li><b>{html.escape(c['platform'])}</b>, {html.escape(c['kind'].replace('_', ' '))}: {html.escape(c['text'])}</li>"
              for c in data["contradictions"]] or ["<li>None.</li>"]
    parts.append("</ul>")
    parts += [f"<p class='soft'>Not compared: {html.escape(r)}</p>" for r in data["remarks"]]
    parts.append(f"<p class='soft'>reticle {html.escape(data['reticle_version'])} ({html.escape(data['git_revision'])})</p>"
                 f"<script>{SORT}</script></body></html>")
    (directory / "compare.html").write_text("\n".join(parts) + "\n", encoding="utf-8")


def read(path):
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        schema = data["schema"]
    except OSError as error:
        sys.exit(f"plot_compare: {error.strerror}: {path}")
    except (ValueError, KeyError, TypeError):
        sys.exit(f"plot_compare: not a comparison: {path}")
    if schema != SCHEMA:
        sys.exit(f"plot_compare: of schema {schema}, this draws {SCHEMA}; run reticle compare again: {path}")
    return data


def draw(data, directory):
    pictures = []
    if radar(data, directory / "radar"):
        pictures.append("radar")
    for name, title, unit in (("cost", "Cost per million tokens", "USD per million tokens"),
                              ("energy", "Energy per token, of the node", "J per token")):
        if any(value(p, f"{name}_batch64") for p in data["platforms"]):
            bars(data, f"{name}_single", f"{name}_batch64", title, unit, directory / name)
            pictures.append(name)
    if frontiers(data, directory / "frontiers"):
        pictures.append("frontiers")
    if tornado(data, directory / "tornado"):
        pictures.append("tornado")
    for name in set(PICTURES) - set(pictures):  # of an earlier comparison here
        for kind in ("svg", "png"):
            (directory / f"{name}.{kind}").unlink(missing_ok=True)
    page(data, directory, pictures)


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    directory = Path(sys.argv[1])
    data = read(directory / "compare.json")
    try:
        draw(data, directory)
    except KeyError as missing:
        sys.exit(f"plot_compare: not a comparison, it lacks {missing}: {directory / 'compare.json'}")
    except OSError as error:
        sys.exit(f"plot_compare: {error.strerror}: {error.filename}")


if __name__ == "__main__":
    main()
