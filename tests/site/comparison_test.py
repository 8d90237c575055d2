#!/usr/bin/env python3
"""A comparison's pictures and page, against the data behind them: python3 comparison_test.py RETICLE SOURCE

Three platforms as rooflines, drawn by scripts/plot_compare.py: every bar as long as its figure, every
cell of the page what compare.json has. Where there is a Chromium the page is opened from disk and
sorted by clicks. Exit: 0 all well, 1 something wrong, 77 no matplotlib.
"""

import csv
import json
import math
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

from browser import Browser, check, check_alone, chromium, failures

SVG = "{http://www.w3.org/2000/svg}"
PYTHON = "/usr/bin/python3"  # where Debian puts matplotlib


class Tables(HTMLParser):
    """Rows of every table: (text, what it is sorted by or None) per cell."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.cell = [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.cell = ["", dict(attributes).get("data-v")]

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.tables[-1][-1].append(tuple(self.cell))
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell[0] += data


def figure(platform, name):
    return platform["figures"][name]["deployment"]


def bar_ends(svg):
    """Right ends of the bars in the order drawn: four corners, clipped to the axes."""
    ends = []
    for group in ElementTree.parse(svg).iter(SVG + "g"):
        if not re.fullmatch(r"patch_\d+", group.get("id") or ""):
            continue
        path = group.find(SVG + "path")
        if path is None or "clip-path" not in path.attrib:
            continue
        xs = [float(x) for x in re.findall(r"[ML] ([-\d.]+) [-\d.]+", path.get("d"))]
        if len(xs) == 4:
            ends.append(max(xs))
    return ends


def check_bars(data, folder, name):
    """Lengths on a log scale are a straight line over the figures' logarithms."""
    ends = bar_ends(folder / f"{name}.svg")
    platforms = sorted((p for p in data["platforms"] if figure(p, f"{name}_batch64")),
                       key=lambda p: -figure(p, f"{name}_batch64"))
    values = [figure(p, f"{name}_{load}") for p in platforms for load in ("single", "batch64")]
    check(len(ends) == len(values), f"{name}: a bar per figure ({len(ends)} of {len(values)})")
    pairs = sorted(zip(values, ends))
    (low, left), (high, right) = pairs[0], pairs[-1]
    slope = (right - left) / math.log(high / low)
    off = max(abs(left + slope * math.log(x / low) - end) for x, end in pairs)
    check(off < 0.5, f"{name}: every bar is as long as its figure (off by {off:.2f} points at most)")
    text = {t.text for t in ElementTree.parse(folder / f"{name}.svg").iter(SVG + "text")}
    check(all(p["platform"] in text for p in platforms), f"{name}: every platform is named")
    check(sum(t.endswith("(bound)") for t in text if t) > 0, f"{name}: a roofline is called a bound")


def check_tables(data, folder):
    tables = Tables((folder / "compare.html").read_text(encoding="utf-8")).tables
    heads = [[text for text, _ in table[0]] for table in tables]
    figures = {f"{f['title']} [{f['unit']}]": f["figure"] for f in data["figures"]}
    wrong = []
    for kind, table, head in (("deployment", tables[0], heads[0]), ("per_chip", tables[1], heads[1])):
        by_name = {p["platform"]: p for p in data["platforms"]}
        check(len(table) == 1 + len(by_name), f"a row per platform, {kind}")
        for row in table[1:]:
            for title, (text, key) in zip(head, row):
                if title not in figures:
                    continue
                ours = by_name[row[0][0]]["figures"][figures[title]].get(kind)
                same = text == "-" if ours is None else math.isclose(float(key), ours, rel_tol=1e-8)
                if not same:
                    wrong.append((row[0][0], title, text, ours))
    check(not wrong, f"every figure of the page is that of compare.json {wrong[:2]}")
    for name, table in (("table1", tables[2]), ("table2", tables[3])):
        head = [text for text, _ in table[0]]
        verdicts = [row[head.index("verdict")][0] for row in table[1:]]
        check(verdicts == [r["verdict"] or "-" for r in data[name]], f"{name}: verdicts are the data's")
        keys = [row[head.index("simulated")][1] for row in table[1:]]
        check(all(key is None if r["ours"] is None else math.isclose(float(key), r["ours"], rel_tol=1e-8)
                  for key, r in zip(keys, data[name])), f"{name}: figures are the data's")
        with open(folder / f"{name}.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        check([r["simulated"] for r in rows] == ["" if r["ours"] is None else f"{r['ours']}" for r in data[name]]
              or all(math.isclose(float(a["simulated"] or 0), b["ours"] or 0, rel_tol=1e-12)
                     for a, b in zip(rows, data[name])), f"{name}.csv has the same")
        ranged = [r for r in data[name] if r["ours_p5"] is not None]
        check(ranged and all(r["ours_p5"] <= r["ours"] <= r["ours_p95"] for r in ranged),
              f"{name}: prices leave {len(ranged)} figures a range about the nominal one")
    page = (folder / "compare.html").read_text(encoding="utf-8")
    asked = [url for url in re.findall(r"(?:src|href)\s*=\s*[\"']([^\"']+)", page) if not url.startswith("#")]
    check(not asked, f"the page asks for nothing {asked[:3]}")
    ids = re.findall(r'\bid="([^"]+)"', page)
    check(len(ids) == len(set(ids)), "ids in the page are unique")


def check_wrong_input(plot, scratch):
    broken = scratch / "broken"
    broken.mkdir()
    for text in (None, "{", "[]", '{"schema": 99}', '{"schema": 2, "platforms": []}'):
        if text is not None:
            (broken / "compare.json").write_text(text, encoding="utf-8")
        said = subprocess.run(plot + [str(broken)], capture_output=True, text=True, check=False)
        check(said.returncode == 1 and said.stderr.startswith("plot_compare: ") and said.stderr.count("\n") == 1,
              f"{text}: refused in one line")


def sort_by_clicks(folder, scratch):
    if chromium() is None:
        print("skip sorting in a browser: no chromium")
        return
    page = (folder / "compare.html").resolve().as_uri()
    browser = Browser(chromium(), scratch / "profile")
    try:
        browser.open(page)
        column = "Array.from(document.querySelectorAll('table')[0].tBodies[0].rows).map(r => Number(r.cells[3].dataset.v))"
        browser.click("table th:nth-child(4) button")
        rising = browser.run(column)
        check(rising == sorted(rising) and len(set(rising)) > 1, "a click on a head sorts by number")
        browser.click("table th:nth-child(4) button")
        check(browser.run(column) == rising[::-1], "another, the other way")
    finally:
        browser.close()
    check_alone(browser, lambda url: url == page)


def main():
    reticle, source = sys.argv[1], Path(sys.argv[2])
    if subprocess.run([PYTHON, "-c", "import matplotlib"], capture_output=True, check=False).returncode:
        print("skipped: no matplotlib")
        return 77
    plot = [PYTHON, str(source / "scripts/plot_compare.py")]
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        folder = scratch / "c"
        subprocess.run([reticle, "compare", "--platforms", "h100-8,ref-asic,ref-asic-paper,b200-8", "--llm", "claude-class-mid",
                        "--workload", "sample-chat", "--set", "workload.limit=2", "--set", "engine.fidelity=roofline",
                        "--uncertainty", "100", "--out", str(folder)], check=True, capture_output=True)
        subprocess.run(plot + [str(folder)], check=True)
        data = json.loads((folder / "compare.json").read_text(encoding="utf-8"))
        for name in ("cost", "energy"):
            check_bars(data, folder, name)
        check_tables(data, folder)
        pictures = sorted(folder.glob("*.svg"))
        check([p.stem for p in pictures] == ["cost", "energy", "radar", "tornado"], "all pictures are there")
        before = {p: p.read_bytes() for p in pictures + [folder / "compare.html"]}
        subprocess.run(plot + [str(folder)], check=True)
        check(all(p.read_bytes() == text for p, text in before.items()), "drawn again, the same bytes")
        check(all(p.with_suffix(".png").read_bytes().startswith(b"\x89PNG") for p in pictures), "and as PNG")
        sort_by_clicks(folder, scratch)
        check_wrong_input(plot, scratch)
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
