#!/usr/bin/env python3
"""report.html of runs in a real browser: python3 run_page_test.py RETICLE [PICTURES]

Runs three platforms, opens their pages from disk in headless Chromium, light, dark and as print, and
compares what they show with report.json. With a folder PICTURES, leaves screenshots there. Exit: 0 all
well, 1 something wrong, 77 no Chromium.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from browser import Browser, check, check_alone, chromium, failures

RUNS = {
    "ref-asic": ["--platform", "ref-asic", "--llm", "claude-class-mid", "--workload", "steady-64",
                 "--set", "workload.steps=4", "--set", "engine.thermal=true"],
    "h100-8": ["--platform", "h100-8", "--llm", "llama-3-70b", "--workload", "sample-chat",
               "--set", "workload.limit=60"],
    "wafer": ["--platform", "cerebras-wse3", "--llm", "llama-3-70b", "--workload", "steady-decode",
              "--set", "workload.steps=2"],
    "two": ["--platform", "h100-8", "--llm", "llama-3-8b", "--workload", "sample-chat", "--exact",
            "--set", "workload.limit=8", "--set", "serving.instances=2"],
}
SECTIONS = ["run", "waterfall", "roofline", "energy", "residency", "latency", "dies", "fabric",
            "inputs"]

# What overflows its parent's box to the right, or text that leaves its drawing.
OUTSIDE = """(() => { const bad = [];
for (const t of document.querySelectorAll('svg text')) { const r = t.getBoundingClientRect(),
  s = t.ownerSVGElement.getBoundingClientRect();
  if (r.width && (r.left < s.left - 2 || r.right > s.right + 2)) bad.push(t.textContent); }
return bad; })()"""


def look(browser, name, folder):
    report = json.loads((folder / "report.json").read_text())
    drawn = browser.run(f"{json.dumps(SECTIONS)}.map(s => document.getElementById('f-' + s)"
                        ".children.length)")
    check(all(n > 0 for n in drawn), f"{name}: every section has something in it {drawn}")
    shown = browser.run("document.getElementById('facts').textContent")
    check(report["placement"]["plan"]["text"] in shown, f"{name}: the plan is there")
    bars = browser.run("Array.from(document.querySelectorAll('#f-run rect')).map(r => "
                       "parseFloat(r.getAttribute('width')))")
    check(abs(sum(bars) - 1000) < 12, f"{name}: the bar of time is whole: {sum(bars):.1f}")
    steps = browser.run("D.anatomy.map(a => [a.took_us, a.operators.flatMap(o => "
                        "Object.values(o.path_us)).reduce((x, y) => x + y, 0)])")
    check(steps and all(abs(a - b) < 1e-3 * a for a, b in steps),
          f"{name}: operators on the path add up to their step {steps}")
    dies = browser.run("document.querySelectorAll('#f-dies .die').length")
    check(dies == report["deployment"]["dies"], f"{name}: {dies} dies on the floor plan")
    shares = browser.run("D.dies.shares.flatMap(s => Object.values(s))")
    check(all(0 <= s <= 1 for s in shares), f"{name}: shares are shares")
    if report["recall"]["recalled_steps"] == 0:
        # Of instances alike, so much of the time within steps.
        mean = browser.run("D.dies.shares.reduce((a, s) => a + s.hbm, 0) / D.dies.shares.length")
        told = report["counts"]["hbm_busy_ps"] / dies / report["time_ps"]["busy"]
        check(abs(mean - told) <= 0.1 * told, f"{name}: HBM is busy {mean:.4f}, counted {told:.4f}")
    switches = browser.run("Array.from(document.querySelectorAll('#f-fabric circle')).length")
    ends = browser.run("D.links && D.links.links.length ? new Set(D.links.links.flatMap(l => [l[0], l[1]])"
                       ".filter(v => v >= D.links.dies)).size : 0")
    check(switches == ends and browser.run("!D.links || D.links.dies * Math.max(1, (R.instances || []).length) === "
                                           "R.deployment.dies"),
          f"{name}: {switches} switches of one instance's fabric")
    points = browser.run("document.querySelectorAll('#f-roofline .op').length")
    check(points >= 5, f"{name}: {points} operators on the roofline")
    above = browser.run("""(() => { const a = D.anatomy[0], top = Math.max(...Object.values(D.roofs.macs_per_s)),
      bad = []; for (const o of a.operators) { const m = Object.values(o.macs).reduce((x, y) => x + y, 0);
      if (m && m / (o.span_us * 1e-6) > top * 1.001) bad.push(o.name);
      for (const [t, b] of Object.entries(o.loaded)) if (b / (o.span_us * 1e-6) > D.roofs.bytes_per_s[t] * 1.001) bad.push(o.name + t); }
      return bad; })()""")
    check(not above, f"{name}: no operator is above its roof {above}")
    links = browser.run("D.links ? D.links.levels.map(l => l.bytes) : []")
    counted = report["counts"]["link_bytes"]
    if report["recall"]["recalled_steps"] == 0 and not report["instances"]:
        check(links == counted, f"{name}: links carry what was counted {links} {counted}")
    check(not browser.run(OUTSIDE), f"{name}: no text leaves its drawing {browser.run(OUTSIDE)[:5]}")
    check(browser.run("document.querySelectorAll('svg:not([aria-label])').length") == 0,
          f"{name}: every drawing has words for it")
    for select in browser.run("Array.from(document.querySelectorAll('.choice select')).map("
                              "(s, i) => [i, s.options.length])"):
        for option in range(select[1]):
            browser.run(f"(() => {{ const s = document.querySelectorAll('.choice select')[{select[0]}];"
                        f"s.selectedIndex = {option}; s.onchange(); }})()")
    check(True, f"{name}: all choices can be made")


def main():
    reticle = sys.argv[1]
    pictures = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    program = chromium()
    if program is None:
        print("skipped: no chromium")
        return 77
    with tempfile.TemporaryDirectory() as scratch:
        browser = Browser(program, Path(scratch) / "profile")
        browser.page("Emulation.setDeviceMetricsOverride", width=1100, height=900,
                     deviceScaleFactor=1, mobile=False)
        pages = {}
        try:
            for name, arguments in RUNS.items():
                folder = Path(scratch) / name
                subprocess.run([reticle, "run", *arguments, "--out", str(folder)], check=True,
                               capture_output=True)
                page = (folder / "report.html").resolve()
                pages[name] = page.as_uri()
                check(page.stat().st_size < 3_000_000, f"{name}: {page.stat().st_size} bytes")
                for scheme in ("light", "dark"):
                    browser.page("Emulation.setEmulatedMedia", media="screen", features=[
                        {"name": "prefers-color-scheme", "value": scheme}])
                    browser.open(page.as_uri())
                    browser.wait_for("document.querySelector('#f-inputs table') !== null")
                    if pictures:
                        browser.picture(pictures / f"{name}-{scheme}.png")
                back = browser.run("getComputedStyle(document.body).backgroundColor")
                check(back == "rgb(20, 23, 26)", f"{name}: dark is dark: {back}")
                look(browser, name, folder)
                browser.page("Emulation.setEmulatedMedia", media="print", features=[
                    {"name": "prefers-color-scheme", "value": "dark"}])
                back = browser.run("getComputedStyle(document.body).backgroundColor")
                check(back == "rgb(255, 255, 255)", f"{name}: paper is white: {back}")
                paper = browser.page("Page.printToPDF", printBackground=False)
                check(len(paper["data"]) > 10_000, f"{name}: it prints")
                browser.page("Emulation.setEmulatedMedia", media="screen", features=[])
                browser.page("Emulation.setDeviceMetricsOverride", width=380, height=800,
                             deviceScaleFactor=1, mobile=False)
                wide = browser.run("document.documentElement.scrollWidth")
                check(wide <= 381, f"{name}: fits a telephone: {wide}")
                browser.page("Emulation.setDeviceMetricsOverride", width=1100, height=900,
                             deviceScaleFactor=1, mobile=False)
        finally:
            browser.close()
        check_alone(browser, lambda url: url in pages.values() or url == "about:blank")
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
