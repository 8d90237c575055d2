#!/usr/bin/env python3
"""Writes docs/findings.md from scripts/findings.md.in and the results of the registry's experiments.

    scripts/write_findings.py DIR [--check]    DIR: what `reticle registry validate --out` left;
                                               --check: compares with docs/findings.md, writes nothing

In the template `{{ EXPRESSION }}` stands for figures, so that none is typed by hand. Expressions are
Python over these:

    fig("B1.same_silicon", arm="sram", model="8B")    "1.05 to 2.41": range of the figures of a test, over
                                                      points and arms that match; `best` arms when no arm
    between("B7.goodput", ...)                        between what such figures lie, where they were searched for
    val("B9.x", ...)                                  likewise of values, in the metric's unit
    base("B1.same_silicon", ...)                      likewise of the baseline's values
    low(...), high(...)                               one end of fig, as a number
    holds("B10", 0)                                   "12 of 12": points of a condition of the falsifier
    step("B9", "tools")                               "1.9 to 3.6": range of a computed quantity
    table(), runs(), imports()                        the table of verdicts, ...
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def text_of(x, digits=3):
    if x == 0:
        return "0"
    text = f"{x:.{digits}g}" if abs(x) < 1000 else f"{x:,.0f}"
    return f"{float(text):g}" if "e" in text else text


def span(figures, digits=3, scale=1):
    figures = [x * scale for x in figures if x is not None]
    if not figures:
        raise ValueError("no figure matches")
    low, high = text_of(min(figures), digits), text_of(max(figures), digits)
    return low if low == high else f"{low} to {high}"


class Results:
    def __init__(self, data):
        self.data = data
        self.entries = {entry["id"]: entry for entry in data["entries"]}

    def test(self, name):
        entry, test = name.split(".")
        return next(t for t in self.entries[entry]["tests"] if t["id"] == test)

    def points(self, name, where):
        """Those whose conditions match: a value, or a list of values; `_` for a space in a name."""
        def matches(point):
            for key, wanted in where.items():
                wanted = wanted if isinstance(wanted, (list, tuple)) else [wanted]
                axis = key.replace("_", " ")
                if axis not in point["conditions"]:
                    raise KeyError(f"{name} has no axis {axis}")
                if point["conditions"][axis] not in [str(w) for w in wanted]:
                    return False
            return True
        found = [p for p in self.test(name)["points"] if matches(p)]
        if not found:
            raise ValueError(f"{name}: no point where {where}")
        return found

    def of(self, name, key, arm=None, **where):
        arms = None if arm is None else [arm] if isinstance(arm, str) else list(arm)
        known = {t["name"] for t in self.test(name)["treatments"]}
        if arms and not set(arms) <= known:
            raise KeyError(f"{name} has no arm {set(arms) - known}")
        return [t[key] for p in self.points(name, where) for t in p["treatments"]
                if (t["name"] == p["best"] if arms is None else t["name"] in arms)]

    def fig(self, name, arm=None, digits=3, scale=1, **where):
        return span(self.of(name, "figure", arm, **where), digits, scale)

    def between(self, name, arm=None, digits=3, **where):
        """Between what the figures lie, where operating points were searched in steps."""
        return span(self.of(name, "figure_low", arm, **where) + self.of(name, "figure_high", arm, **where), digits)

    def val(self, name, arm=None, digits=3, scale=1, **where):
        return span(self.of(name, "value", arm, **where), digits, scale)

    def base(self, name, digits=3, scale=1, **where):
        return span([p["baseline"]["value"] for p in self.points(name, where)], digits, scale)

    def ends(self, name, arm=None, key="figure", **where):
        found = [x for x in self.of(name, key, arm, **where) if x is not None]
        return min(found), max(found)

    def low(self, *args, **where):
        return self.ends(*args, **where)[0]

    def high(self, *args, **where):
        return self.ends(*args, **where)[1]

    def without(self, name, arm=None, **where):
        """How many of the arms that match have no figure, as they do not fit or keep no limit."""
        return sum(x is None for x in self.of(name, "figure", arm, **where))

    def largest(self, name, arm, **where):
        """The operating points an arm chose, in words."""
        found = [t["operating_point"] or "none" for p in self.points(name, where)
                 for t in p["treatments"] if t["name"] == arm]
        return ", ".join(dict.fromkeys(found))

    def share(self, name, arm=None, digits=2, **where):
        """Per cent of the time that the category which limits takes."""
        return span([100 * s for s in self.of(name, "limited_share", arm, **where)], digits)

    def limited(self, name, arm=None, **where):
        return ", ".join(dict.fromkeys(self.of(name, "limited_by", arm, **where)))

    def holds(self, entry, i=0):
        item = self.entries[entry]["refuted_if"][i]
        return f"{item['holds']} of {item['of']}"

    def verdict(self, name):
        return (self.test(name) if "." in name else self.entries[name])["verdict"]

    def step(self, entry, name, digits=2, scale=1):
        item = next(s for s in self.entries[entry]["arithmetic"]["steps"] if s["name"] == name)
        return span([item["low"], item["high"]], digits, scale)

    def runs(self):
        return len(self.data["cells"])

    def imports(self):
        return len(self.data["imports"])

    def imported(self):
        return sum(i["problem"] is None for i in self.data["imports"])

    def architectures(self):
        return len(self.data["architectures"])

    def table(self):
        """A row per claim that is tested, one per entry that has none, one per entry refuted."""
        rows = ["| entry | test | claimed | simulated | verdict | limited by, then by |",
                "|---|---|---|---|---|---|"]
        for entry in self.data["entries"]:
            judged = [t for t in entry["tests"] if t["claim"]]
            for test in judged:
                claim = test["claim"]
                claimed = span([claim["low"], claim["high"]]) + " " + claim["unit"]
                claimed += " and more" if claim["at_least"] else ""
                found = [x for x in (test["low"], test["high"]) if x is not None]
                simulated = span(found) + " " + claim["unit"] if found else "none"
                verdict = f"**{test['verdict']}**"
                if test["condition"]:
                    verdict += " " + test["condition"]
                before, after = test["bound_before"], test["bound_after"]
                limits = after or "-"
                if before and after:
                    limits = after + ", as before" if before == after else f"{before}, then {after}"
                rows.append(f"| {entry['id']} | {test['title']} | {claimed} | {simulated} | {verdict} | {limits} |")
            if entry["falsifier_came_true"]:
                rows.append(f"| {entry['id']} | *its falsifier came true* | | | **{entry['verdict']}** | |")
            if not judged:
                rows.append(f"| {entry['id']} | {entry['name']} | {entry['estimated_unlock_value']} | - | "
                            "**not simulable** | - |")
        return "\n".join(rows)


def write(template, results):
    names = {name: getattr(results, name) for name in dir(results) if not name.startswith("_")}
    names |= {"text": text_of, "span": span}

    def figure(match):
        try:
            return str(eval(match[1], {"__builtins__": {"min": min, "max": max, "len": len}}, names))
        except Exception as error:
            raise SystemExit(f"{match[0]}: {error}") from error
    return re.sub(r"\{\{\s*(.+?)\s*\}\}", figure, template, flags=re.S)


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--check"]):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    data = json.loads((Path(sys.argv[1]) / "validation.json").read_text(encoding="utf-8"))
    text = write((ROOT / "scripts/findings.md.in").read_text(encoding="utf-8"), Results(data))
    target = ROOT / "docs/findings.md"
    if len(sys.argv) == 2:
        target.write_text(text, encoding="utf-8")
        return 0
    if target.read_text(encoding="utf-8") == text:
        return 0
    print("docs/findings.md is not what the results say: scripts/write_findings.py", sys.argv[1], file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
