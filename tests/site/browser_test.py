#!/usr/bin/env python3
"""The registry's site in a real browser: python3 browser_test.py RETICLE

Builds the site, opens it from disk in headless Chromium and works it as a reader would. Exit: 0 all
well, 1 something wrong, 77 no Chromium.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

from browser import Browser, check, check_alone, chromium, failures

ENTRIES = 18
ROOT = Path(__file__).resolve().parents[2]

# In place of B4's: four runs of a second, whose halving of bits gains less than twofold and more
# than half of that, so that it is judged and its falsifier does not come true.
JUDGED = """id: B4
hypothesis: "half the bits, twice the speed"
falsifier: "no gain at all"
refuted_if: [{test: halving, points: every, below: 1}]
platform: h100-8
llm: llama-3-8b
workload: steady-decode
set: [workload.steps=1]
tests:
  - id: halving
    title: "BF16 to FP8"
    form: ratio
    claim: throughput_per_halving
    claimed: {low: 2, high: 2}
    metric: {figure: throughput.output_tokens_per_s, title: "tokens/s", unit: "tokens/s", better: higher}
    baseline: {name: bf16, what: "weights in BF16"}
    treatments: [{name: fp8, what: "weights in FP8", set: [llm.weights=fp8, llm.activations=fp8]}]
    conditions: [{name: batch, key: workload.batch, values: [1, 64]}]
"""
SHOWN = "Array.from(document.querySelectorAll('#entries tbody tr')).filter(r => !r.hidden)" \
        ".map(r => r.cells[0].textContent)"


def choose(browser, name, value):
    browser.run(f"(() => {{ const e = document.querySelector('#filters [name={name}]');"
                f"e.value = {json.dumps(value)}; e.dispatchEvent(new Event('input')); }})()")


def work_the_table(browser, site):
    browser.open(site + "index.html")
    check(len(browser.run(SHOWN)) == ENTRIES, "all entries are in the table")
    choose(browser, "type", "supply")
    check(browser.run(SHOWN) == ["B9"], "a type filters")
    check(browser.run("document.getElementById('count').textContent")
          == f"1 of {ENTRIES} entries shown", "the count is told")
    check(browser.run("document.getElementById('count').getAttribute('role')") == "status",
          "and told to screen readers")
    browser.click("#reset")
    check(len(browser.run(SHOWN)) == ENTRIES, "Show all shows all")
    choose(browser, "status", "partial")
    choose(browser, "difficulty", "2")
    check(browser.run(SHOWN) == ["B3", "B7", "B14"], "two filters hold together")
    browser.click("#reset")
    choose(browser, "words", "lora")
    check(browser.run(SHOWN) == ["B13"], "words filter")
    browser.click("#reset")
    choose(browser, "verdict", "not simulable")
    check(browser.run(SHOWN) == ["B8", "B9", "B15"], "verdicts of the results filter")
    browser.click("#reset")
    choose(browser, "verdict", "overclaimed")
    check(browser.run(SHOWN) == ["B4"], "and so do those of claims that were judged")
    browser.click("#reset")
    browser.click("button[data-key=priority]")
    check(browser.run("document.querySelector('[aria-sort]').getAttribute('aria-sort')")
          == "ascending" and browser.run(SHOWN)[:4] == ["B7", "B10", "B13", "B18"],
          "a heading sorts by number")
    browser.run("document.querySelector('button[data-key=priority]').focus()")
    browser.press("Enter", 13)
    check(browser.run("document.querySelector('[aria-sort]').getAttribute('aria-sort')")
          == "descending" and browser.run(SHOWN)[0] == "B1", "and the other way by keyboard")
    browser.open(site + "index.html#type=stack")
    browser.page("Page.reload")
    browser.wait_for("document.readyState === 'complete'")
    check(browser.run(SHOWN) == ["B8"], "a filtered view has an address")


def work_the_graph(browser, site, graph):
    browser.open(site + "graph.html")
    check(browser.run("document.querySelectorAll('svg.graph a').length") == ENTRIES,
          "the graph has a node for every entry")
    check(browser.run("document.querySelectorAll('svg.graph .edge').length")
          == len(graph["edges"]),
          "and an edge for every dependency")
    check(browser.run("document.querySelectorAll('svg.graph .edge.circle').length")
          == 2 * len(graph["circles"]), "edges of circles are told apart")
    browser.run("document.querySelector('#node-B11').focus()")
    check(browser.run("Array.from(document.querySelectorAll('svg.graph a.lit'))"
                      ".map(a => a.id).sort()")
          == ["node-B1", "node-B11", "node-B2", "node-B5"], "neighbours of a node light up")
    over = browser.run(
        "(() => { const boxes = Array.from(document.querySelectorAll('svg.graph a rect'))"
        ".map(r => r.getBBox()); let n = 0;"
        "for (const a of boxes) for (const b of boxes) if (a !== b && a.x < b.x + b.width"
        " && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height) ++n;"
        "return n; })()")
    check(over == 0, "no two nodes overlap")
    browser.click("#node-B8 rect")
    browser.wait_for("location.pathname.endsWith('/entries/b08.html')")
    check("Software stack" in browser.run("document.querySelector('h1').textContent"),
          "a click on a node leads to its entry")
    check(browser.run("document.querySelectorAll('svg.plot').length") >= 1,
          "an entry with results has its plot")


def look_at_a_verdict(browser, site):
    browser.open(site + "entries/b04.html")
    check(browser.run("document.querySelector('.verdict').textContent") == "overclaimed",
          "an entry that was judged says its verdict")
    text = browser.run("document.querySelector('main').textContent")
    check("Claimed: 2 x (both ends widened by 5 %)" in text, "the claim stands with its tolerance")
    check("It would be refuted by. no gain at all It did not come true." in text,
          "the falsifier with what became of it")
    check(browser.run("document.querySelectorAll('svg.plot .mark').length") >= 2
          and browser.run("document.querySelectorAll('svg.plot .claim').length") >= 1,
          "the plot has a mark for each point, and the claim")
    check(browser.run("document.querySelector('svg.plot').getBoundingClientRect().width") > 200,
          "and is there to see")
    browser.click("details summary")
    check(browser.run("document.querySelector('details').open"), "the figures unfold")
    link = browser.run("document.querySelector('details td a').getAttribute('href')")
    check("reticle run --platform h100-8" in browser.run(
        f"document.getElementById({json.dumps(link[1:])}).closest('tr').textContent"),
          "every figure leads to the command that repeats it")


def luminance(colour):
    parts = [int(x) / 255 for x in re.findall(r"\d+", colour)[:3]]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def look_at_it(browser, site, pages):
    backs = {}
    for scheme in ("light", "dark"):
        browser.page("Emulation.setEmulatedMedia",
                     features=[{"name": "prefers-color-scheme", "value": scheme}])
        browser.open(site + "entries/b04.html")
        colours = browser.run(
            "(() => { const back = getComputedStyle(document.body).backgroundColor; return ["
            "back].concat(['body', 'main a', '.verdict', 'caption', '.facts dt']"
            ".map(s => getComputedStyle(document.querySelector(s)).color)); })()")
        backs[scheme] = colours[0]
        worst = min(contrast(colours[0], colour) for colour in colours[1:])
        check(worst >= 4.5, f"{scheme}: text stands out (worst contrast {worst:.1f})")
    check(luminance(backs["light"]) > 0.8 > 0.2 > luminance(backs["dark"]),
          "light is light and dark is dark")
    browser.page("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2,
                 mobile=True)
    for name in pages:
        browser.open(site + name)
        wide = browser.run("document.scrollingElement.scrollWidth")
        check(wide <= 360, f"{name}: fits a phone ({wide} px)")


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.ids = [], set()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if "id" in attributes:
            self.ids.add(attributes["id"])
        for key in ("href", "src"):
            if key in attributes:
                self.links.append(attributes[key])


def check_files(folder):
    pages = {path: Links() for path in folder.rglob("*.html")}
    for path, parser in pages.items():
        parser.feed(path.read_text(encoding="utf-8"))
    broken = []
    for path, parser in pages.items():
        for link in parser.links:
            to, _, fragment = link.partition("#")
            target = (path.parent / to).resolve() if to else path
            if link.startswith("http"):
                continue
            if not target.exists() or (fragment and fragment not in pages[target].ids):
                broken.append(f"{path.name}: {link}")
    check(not broken, f"every link within the site leads somewhere {broken[:3]}")
    for path in folder.rglob("*.xml"):
        feed = ElementTree.parse(path).getroot()
        atom = "{http://www.w3.org/2005/Atom}"
        parts = [feed.find(atom + key) for key in ("id", "title", "updated", "author")]
        if feed.tag != atom + "feed" or None in parts or not feed.findall(atom + "entry"):
            check(False, f"{path.name} is an Atom feed with entries")
    tidy = shutil.which("tidy")
    if tidy is None:
        print("skip HTML validation: no tidy")
        return
    said = subprocess.run([tidy, "-q", "-e", "-utf8"] + sorted(map(str, pages)),
                          capture_output=True, text=True, check=False).stderr
    # Tidy takes a link inside an image for one of HTML without its attributes.
    own = re.compile(r'<a> proprietary attribute "(href|id|aria-label)"')
    wrong = [line for line in said.splitlines() if line.strip() and not own.search(line)]
    check(not wrong, f"the pages are valid HTML {wrong[:3]}")


def main():
    reticle = sys.argv[1]
    if chromium() is None:
        print("skipped: no chromium")
        return 77
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "site"
        results = Path(scratch) / "results"
        experiments = Path(scratch) / "experiments"
        shutil.copytree(ROOT / "configs/experiments", experiments)
        (experiments / "b04.yaml").write_text(JUDGED, encoding="utf-8")
        mine = ["--experiments", str(experiments)]
        subprocess.run([reticle, "registry", "validate", "B4", "B8", "B9", "--out", str(results)]
                       + mine, check=True, capture_output=True)
        subprocess.run([reticle, "registry", "site", "--out", str(folder), "--results",
                        str(results), "--as-of", "2026-08-01"] + mine,
                       check=True, capture_output=True)
        graph = subprocess.run([reticle, "registry", "graph", "--json"], check=True,
                               capture_output=True)
        check_files(folder)
        site = folder.resolve().as_uri() + "/"
        browser = Browser(chromium(), Path(scratch) / "profile")
        try:
            work_the_table(browser, site)
            work_the_graph(browser, site, json.loads(graph.stdout))
            look_at_a_verdict(browser, site)
            look_at_it(browser, site, ["entries/b04.html", "index.html", "graph.html", "dashboards.html",
                                       "changes.html", "entries/b08.html", "entries/b16.html"])
        finally:
            browser.close()
        check_alone(browser, lambda url: url.startswith(site))
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
