#!/usr/bin/env python3
"""Numbers in sim/ and models/ that results could hang on and that have no name, or no reason beside it.

    scripts/magic_constants.py [--root DIR] [--list]

Free are 0, 1, 2, powers of ten, 1024, and what STRUCTURE and INSPECTED name: array sizes, machine words,
formats, bounds of a key (they refuse, they do not compute: sim/config/bounds.hpp). Any other number
  - that is no whole number is named: a `constexpr` or `enum`, a member's or variable's initial value of
    literals alone, or a row of such a table; a whole number may also stand in a statement with its reason;
  - has a reason of two words or more: a comment on its line or on the lines directly above its declaration,
    or above the group of one-line constants it stands in;
  - that is no whole number, where results are worked out (PHYSICS), rests on something: its reason has a
    [reference], or one of the words of RESTS.
Text in quotes is no code: pages and style sheets lie in such. Prints `file:line: numbers: line`; exit 1 when
there is any. --list: all that are named, with their reasons, to be read.
"""

import argparse
import re
import sys
from pathlib import Path

FOLDERS = ("sim", "models")
# Drawings alone: their numbers are places on a picture.
DRAWINGS = ("sim/registry/graph_svg.cpp", "sim/registry/plot_svg.cpp")
# What a report's figures come from; the rest reads, compares and writes them.
PHYSICS = re.compile(r"models/|sim/(accounts|base|engine|mapping|metrics|power|serving|sweep|thermal|validate)/")
RESTS = re.compile(r"\[[^\]]+\]|=|\b(default|chosen|rounding|tolerance|bound|fitted|measured|derived|exact|convention|units?|"
                   r"percentile|resolution)\b|\bper\b|\d %")

POWERS = {str(10 ** n) for n in range(16)} | {f"1e{n}" for n in range(-15, 19)} - {"1e0"}
FREE = {"0", "1", "2", "1024"} | POWERS
# Of numbers below one, and above what an int holds, the powers are choices: tolerances and sentinels.
UNITS = {"1e3", "1e6", "1e9", "1e12", "1e15", "1e-3", "1e-6", "1e-9", "1e-12", "1e-15"}

# Looked at, where the reason is elsewhere or the number has none to give: (file, part of the line).
INSPECTED = {
    ("sim/base/rng.hpp", "z >>"): "mix64 [Steele, Lea, Flood 2014, SplitMix64]",
    ("sim/base/rng.hpp", "6.283185307179586"): "two pi, to a double [Box and Muller 1958]",
    ("sim/base/units.hpp", "1048576"): "2^20, as the suffix says",
    ("sim/base/precision.hpp", "{Precision::"): "quarters of a bit, said where quarter_bits is declared",
    ("sim/base/precision.hpp", "quarter_bits"): "16 bits in quarters; quarters in a byte",
    ("sim/base/cache_stage.hpp", "too_long"): "twice the longest context, from where it halves",
    ("models/hbm/open_row_time.hpp", "RefreshMode::Off"): "never: the end of time, less a quarter",
}
# Sizes of arrays and of words, numbers of kinds, digits of a text, percentiles, bounds of a key, columns of a query.
STRUCTURE = re.compile(r"std::array<[^;{]*?, \d+>|\bk\w*Count\b\s*=\s*\d+|(?:[/%]|<<|>>)=? *(?:64|63|32|16)\b|"
                       r"\b(?:std::)?u?int\d+_t\b|\b64 - |>= 64|<= 64|number_text\([^;]*?, \d\)|"
                       r"percentile\(\w+, \d+\)|nearest_rank\(\d+\)|\[\d\]|precision\(\d\)|0x[\da-fA-F']{8,}U?L*|"
                       r"sizeof\(\w+\) == 64|int digits = 4|substr\(\d\)|resize\(4\)|"
                       r"\"\", (?:[\w:{}.&]+, )*\{[^{}]*(?:\{[\d']+\}[^{}]*)*\}|\bRange(?:<[^>]*>)?\s*\w*\{[^;]*\}|"
                       r"Range\([\d'., ]*\)|\brows\.(?:text|whole|real)\(\d\)|\b0\d{3}\b|\b0x[\da-f]{2}\b|"
                       r"static_assert.*|\b(?:with_unit|decimals_for)\([^;]*?, \d\)|Section\{\w+, \d\}|std::setw\(\d+\)")
# Factors that are all said by their names.
UNIT_NAMES = re.compile(r"\bk\w+Per\w+\b|\bk(Mega|Giga|Million)\b")
NUMBER = re.compile(r"(?<![\w.'])(?:0x[\da-fA-F'.]+(?:p-?\d+)?|\d[\d']*\.?\d*(?:e[+-]?\d+)?|\.\d+)[uUlLfF]*(?:_[a-zA-Z]+)?(?![\w'])")
COMMENT = re.compile(r"//.*")
STRING = re.compile(r'R"(\w*)\((?:.|\n)*?\)\1"|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)\'')
WORD = re.compile(r"[A-Za-z]{2,}")
LITERALS = re.compile(r"^\s*(?:(?:static|inline|const|mutable) )*[\w:<>, ]*[\w>] \w+(?:\{| = |\()([^;=]*)[)}]?;")


def plain(number):
    return number.rstrip("uUlLfF").replace("'", "")


def is_real(number):
    text = plain(number)
    return not text.startswith("0x") and ("." in text or "e" in text)


def is_free(number):
    text = plain(number)
    if is_real(number):
        return text in UNITS or ("e" not in text and float(text) in (0, 1, 2, 10, 100, 1000))
    return text in FREE


def source_lines(path):
    raw = path.read_text(encoding="utf-8")
    blank = STRING.sub(lambda m: '""' + "\n" * m.group().count("\n"), raw)
    return raw.split("\n"), blank.split("\n")


def statement(blank, at):
    """First line of the declaration that line `at` is in: back over rows of a table and broken lines."""
    while at > 0:
        before = COMMENT.sub("", blank[at - 1]).rstrip()
        if before.endswith(("{", "{{", "(")) and not re.search(r"\b(constexpr|enum|static const)\b|= *\{*$|\w\{+$", before):
            return at  # a function's or a block's
        if not before.strip() and "//" not in blank[at - 1] or before.endswith((";", "}", ":")) or before.lstrip().startswith("#"):
            return at
        if not before.strip() and not COMMENT.sub("", blank[at]).strip().startswith(("{", "}")):
            return at  # a comment over it
        at -= 1
    return at


def group(blank, at):
    """The first of the declarations, a line each, that stand together with that of line `at`."""
    one = re.compile(r"\s*(static |inline )*(constexpr )?[\w:<>, ]+ \w+( = |\{|;)[^;]*;?")
    while at > 0 and one.fullmatch(COMMENT.sub("", blank[at]).rstrip()) and one.fullmatch(COMMENT.sub("", blank[at - 1]).rstrip()):
        at -= 1
    return at


def is_named(blank, at):
    code = COMMENT.sub("", blank[at])
    head = COMMENT.sub("", blank[statement(blank, at)])
    if re.search(r"\b(constexpr|enum|static const)\b", head):
        # Of a function the body is meant, which names nothing.
        return not re.search(r"\bconstexpr\b[^=;{]*\)\s*(const )?\{", head)
    found = LITERALS.match(code)
    return bool(found) and not re.search(r"[A-Za-z_]", NUMBER.sub("", re.sub(r"[\w:]+(?=\{)", "", found.group(1))))


def reason(raw, blank, at):
    """The comment on the line, and that above its declaration or above the group of constants it stands in."""
    text = " ".join(re.findall(r"//[/<]*(.*)", raw[at]))
    for ahead in range(at + 1, len(raw)):  # a comment may go on below
        if not raw[ahead].strip().startswith("///<"):
            break
        text += raw[ahead].strip()[4:]
    first = statement(blank, at)
    top = group(blank, first)
    while top > 0 and re.fullmatch(r"\s*(public|private|protected):\s*", blank[top - 1]):
        top -= 1
    head = top
    if top > 0 and blank[top - 1].rstrip().endswith("{"):  # of a function or class: what its comment says
        head = top - 1
        while head > 0 and blank[head - 1].strip() and not raw[head - 1].strip().startswith("//") and \
                not blank[head - 1].rstrip().endswith((";", "}", ":")):
            head -= 1
    for line in {at, first, top, head}:
        above = line - 1
        while above >= 0 and raw[above].strip().startswith("//") and "namespace" not in raw[above]:
            text = raw[above].strip().lstrip("/<") + " " + text
            above -= 1
    return text.strip()


def findings(root):
    """(unnamed, unreasoned, resting on nothing, all that are named)"""
    unnamed, unreasoned, unfounded, named = [], [], [], []
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.[ch]pp")):
            name = path.relative_to(root).as_posix()
            if name in DRAWINGS:
                continue
            raw, blank = source_lines(path)
            for i, line in enumerate(blank):
                code = COMMENT.sub("", STRING.sub('""', raw[i])) if line == raw[i] else COMMENT.sub("", line)
                code = STRUCTURE.sub("", code)
                numbers = [n for n in NUMBER.findall(code) if not is_free(n)]
                if not numbers or code.lstrip().startswith("#") or any(name == file and part in raw[i] for file, part in INSPECTED):
                    continue
                real = any(map(is_real, numbers))
                why = reason(raw, blank, i) if not UNIT_NAMES.search(code) else "unit of its name"
                row = (name, i + 1, numbers, raw[i].strip(), why)
                is_one = is_named(blank, i)
                if not is_one and (real or not enough(why)):
                    unnamed.append(row)
                elif not enough(why):
                    unreasoned.append(row)
                elif real and PHYSICS.match(name) and not RESTS.search(why):
                    unfounded.append(row)
                elif is_one:
                    named.append(row)
    return unnamed, unreasoned, unfounded, named


def enough(why):
    return len(WORD.findall(why)) >= 2 or re.search(r"\[[^\]]+\]", why) is not None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--list", action="store_true", help="all that are named, with their reasons")
    options = parser.parse_args()
    *wrong, named = findings(options.root)
    for title, rows in zip(("without a name", "without a reason", "resting on nothing"), wrong):
        print(f"== {title}: {len(rows)}")
        for name, line, numbers, text, _ in rows:
            print(f"{name}:{line}: {', '.join(numbers)}: {text}")
    print(f"== named, with a reason: {len(named)}")
    if options.list:
        for name, line, numbers, text, why in named:
            print(f"{name}:{line}: {text}\n    {why}")
    return 1 if any(wrong) else 0


if __name__ == "__main__":
    sys.exit(main())
