#!/usr/bin/env python3
"""Recomputes what the seed paper, registry and article state, from the inputs they state.

    scripts/claims_check.py [--figures | --markdown]

Without an option: the worked examples of configs/claims/paper.yaml; exit 1 where one that is
marked `reproduced` differs, or one that is not agrees. --figures adds the statements of
configs/claims/figures.yaml: a range that follows from the inputs, and where it lies to the range
stated; exit 1 where that is not what the file says. --markdown prints them as the tables of
docs/findings-platforms.md.

Arithmetic is exact (fractions); a year has 365 days; tokens/s is the rate while busy and
`utilisation` the share of its life a machine is busy. Nothing is rounded before the last step: with
8333.33 rounded to 8333 the paper's 6,667 streams would be 6,666.
"""

import argparse
import ast
import itertools
import math
import operator
import sys
from fractions import Fraction
from pathlib import Path

import yaml

CLAIMS = Path(__file__).resolve().parent.parent / "configs/claims"
SECONDS_PER_YEAR = 365 * 24 * 3600


def rent_per_million(usd_per_hour, tokens_per_s):
    return {"usd_per_million": usd_per_hour / 3600 / tokens_per_s * 10**6}


def decode_bound(weight_bytes, bytes_per_s):
    return {"tokens_per_s": bytes_per_s / weight_bytes}


def energy_per_token(watts, tokens_per_s, batch):
    """tokens_per_s of one stream. [seed paper, section 3.2]"""
    return {"joules": watts / tokens_per_s / batch}


def agent_density(capex_usd, tokens_per_s, stream_tokens_per_s, utilisation):
    """D = (1e6 / C) x (t / r) x u. [seed paper, Appendix C]"""
    per_node = tokens_per_s / stream_tokens_per_s
    per_million = 10**6 / capex_usd * per_node
    return {"streams_per_node": per_node, "streams_per_million_usd": per_million,
            "used_streams_per_million_usd": per_million * utilisation}


def capital_per_million(capex_usd, lifetime_years, utilisation, tokens_per_s):
    """C / (L x year x u x t) x 1e6. [seed paper, Appendix C]"""
    tokens = lifetime_years * SECONDS_PER_YEAR * utilisation * tokens_per_s
    return {"usd_per_million": capex_usd / tokens * 10**6}


def cost_per_million(capex_usd, lifetime_years, utilisation, tokens_per_s, dynamic_j_per_token,
                     constant_w, usd_per_kwh, pue, provisioned_w, hosting_usd_per_kw_month):
    """Section 3.2's CapEx + OpEx, spelled out: constant power and hosting are paid idle or busy."""
    capital = capital_per_million(capex_usd, lifetime_years, utilisation, tokens_per_s)["usd_per_million"]
    lived = utilisation * tokens_per_s
    energy = (dynamic_j_per_token + constant_w / lived) * 10**6 / 3600000 * usd_per_kwh * pue
    hosting = provisioned_w / 1000 * hosting_usd_per_kw_month * 12 / SECONDS_PER_YEAR / lived * 10**6
    return {"capital": capital, "energy": energy, "hosting": hosting, "total": capital + energy + hosting}


def nre_penalty(nre_usd, nodes, node_usd):
    """How much dearer a node, and so a token's capital, is with NRE spread over `nodes`."""
    return {"penalty": 1 + nre_usd / (nodes * node_usd)}


def product(**factors):
    return {"product": math.prod(factors.values())}


FORMULAS = {f.__name__: f for f in (rent_per_million, decode_bound, energy_per_token, agent_density,
                                    capital_per_million, cost_per_million, nre_penalty, product)}
ROUNDINGS = {"none": lambda x: x, "down": lambda x: Fraction(math.floor(x)),
             "nearest": lambda x: Fraction(math.floor(x + Fraction(1, 2))),
             "milli": lambda x: Fraction(math.floor(x * 1000 + Fraction(1, 2)), 1000)}


def load(name):
    return yaml.safe_load((CLAIMS / name).read_text())


def exact(number):
    return Fraction(str(number))


def show(x):
    """Four digits, plainly."""
    x = float(x)
    if x and not 1e-3 <= abs(x) < 1e7:
        return f"{x:.3g}"
    return f"{x:,.0f}" if abs(x) >= 1e4 else f"{x:.4g}"


def span(low_high):
    low, high = low_high
    return show(low) if low == high else f"{show(low)} to {show(high)}"


def check_examples(examples):
    failed = False
    for example in examples:
        inputs = {name: exact(value) for name, value in example["inputs"].items()}
        computed = FORMULAS[example["formula"]](**inputs)
        for name, output in example["outputs"].items():
            same = ROUNDINGS[output["rounding"]](computed[name]) == exact(output["stated"])
            ok = same == example["reproduced"]
            failed |= not ok
            verdict = ("reproduced" if same else "not reproduced") + ("" if ok else ", UNEXPECTED")
            print(f"{example['id']:18} {name:30} stated {show(output['stated']):>10}  "
                  f"computed {show(computed[name]):>10} {output['unit']:14} {verdict}")
    return failed


OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
             ast.Div: operator.truediv, ast.Pow: operator.pow}


def value_of(node, names):
    """Numbers, names, + - * / ** and nothing else."""
    if isinstance(node, ast.Constant):
        return exact(node.value)
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](value_of(node.left, names), value_of(node.right, names))
    raise ValueError(f"not arithmetic: {ast.dump(node)}")


def ends(value):
    low, high = value if isinstance(value, list) else (value, value)
    return exact(low), exact(high)


def computed_range(figure):
    """The expression at every corner of its inputs: exact, as each rises or falls throughout."""
    tree = ast.parse(figure["computes"], mode="eval").body
    corners = itertools.product(*(set(ends(value)) for value in figure["given"].values()))
    values = [value_of(tree, dict(zip(figure["given"], corner))) for corner in corners]
    return min(values), max(values)


def relation(computed, stated, within):
    """Where what follows lies to what is stated, whose ends are widened by the share `within`."""
    low, high = stated[0] * (1 - within), stated[1] * (1 + within)
    if computed[0] > high:
        return "above"
    if computed[1] < low:
        return "below"
    return "inside" if low <= computed[0] and computed[1] <= high else "overlaps"


def check_figures(figures, markdown):
    failed = False
    for group in figures["groups"]:
        print(f"\n### {group['title']}\n\n| statement | arithmetic | stated | follows | verdict |\n|---|---|---|---|---|"
              if markdown else f"\n{group['title']}")
        for figure in group["figures"]:
            computed, stated = computed_range(figure), ends(figure["stated"])
            found = relation(computed, stated, exact(figure.get("within", 0.05)))
            ok = found == figure["relation"]
            failed |= not ok
            if markdown:
                print(f"| {figure['states']} ({figure['where']}) | `{figure['computes']}`: {figure['from']} | "
                      f"{span(stated)} {figure['unit']} | {span(computed)} | **{figure['verdict']}**{':' * (figure['verdict'] != 'holds only if')} {figure['because']} |")
            else:
                print(f"{figure['id']:26} stated {span(stated):>20}  computed {span(computed):>22} {figure['unit']:14} "
                      f"{found:8} {figure['verdict']}{'' if ok else ', UNEXPECTED'}")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figures", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()
    figures = load("figures.yaml") if arguments.figures or arguments.markdown else None
    if arguments.markdown:
        return int(check_figures(figures, markdown=True))
    failed = check_examples(load("paper.yaml")["worked_examples"])
    if figures:
        failed |= check_examples(figures["reference_examples"])
        failed |= check_figures(figures, markdown=False)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
