#!/usr/bin/env python3
"""Numbers in sim/ and models/ that results could hang on and that have no name, or no reason beside it.

    scripts/magic_constants.py [--root DIR]

A number is named where it defines a constant or a member's default, or stands in a table; a reason is a
comment on its line or above it. Left out are counts of one and two, factors between units (FREE), sizes of
arrays, machine words, ranks of percentiles, what lays out texts and pages (LAYOUT), and what configurations
may say (LIMITS: such numbers refuse, they do not compute; bounds.hpp says why they are where they are).
Prints `file:line: numbers: line`; exit 1 when there is any.
"""

import argparse
import re
import sys
from pathlib import Path

FOLDERS = ("sim", "models")

# Numbers that are no choice of anybody: counts of one and two, and factors between units.
KINDS = {
    "counting": {"0", "1", "2", "-1", "0.0", "1.0", "2.0", "0.5", "0U", "1U", "2U", "0ULL", "1ULL"},
    "decimal units": {"10", "100", "1000", "1e3", "1e6", "1e9", "1e12", "1e15", "1e-3", "1e-6", "1e-9",
                      "1e-12", "1'000", "1'000'000", "1'000'000'000", "1'000'000'000'000", "100.0"},
    "binary units": {"8", "8.0", "1024", "1048576", "0xff", "0xFF"},
    "hours and days": {"60", "3600", "24", "8760", "86'400", "365"},
}
FREE = set().union(*KINDS.values())

# What writes text, pages and pictures: sizes and colours there are layout, not physics.
LAYOUT = re.compile(r"sim/(cli|html|view|explain|compare|registry|sweep|trace)/|sim/metrics/(text_format|"
                    r"summary|tables|labels|serving_report|report|counts_json|priced_json)\.cpp"
                    r"|sim/base/(rng|log|error|file_writer)\.")

# Looked at, where the reason is elsewhere or the number has none to give: (file, part of the line).
INSPECTED = {
    ("sim/base/precision.hpp", "Precision::"): "quarters of a bit, said where quarter_bits is declared",
    ("sim/base/precision.hpp", "quarter_bits"): "16 bits in quarters; quarters in a byte",
    ("sim/base/cache_stage.hpp", "too_long"): "twice the longest context, from where it halves",
    ("sim/serving/scheduler.hpp", "kSteps"): "said at the class: means that forget within so many steps",
    ("models/fabric/event_wheel.hpp", "kSlots"): "slices of time ahead; later events wait in a heap",
    ("models/fabric/event_wheel.hpp", "countr_zero"): "bits of a word",
    ("models/fabric/flit_queue.hpp", "wider"): "a ring that grows by doubling",
    ("models/fabric/link_queues.hpp", "smallest_buffer_"): "none yet",
    ("models/hbm/hbm_commands.hpp", "kHbmCommands"): "of HbmCommand",
    ("models/hbm/open_row_time.hpp", "RefreshMode::Off"): "never",
    ("models/hbm/hbm_commands.cpp", "c.window == 4"): "t_FAW is of four",
    ("models/fabric/link_queues.cpp", "1 << 20"): "a size to compare links by",
    ("sim/engine/waveform.cpp", "dump_.add"): "bits of a signal",
}
LIMITS = re.compile(r"sim/config/|sim/base/exit_code")
# Sizes of arrays and of words, numbers of kinds, digits of a text, percentiles.
STRUCTURE = re.compile(r"std::array<[^;{]*?, \d+>|\bk\w*Count\b\s*=\s*\d+|(?:[/%]|<<|>>)=? *(?:64|63|32|16)\b|"
                       r"\b(?:std::)?u?int\d+_t\b|\b64 - |>= 64|<= 64|number_text\([^;]*?, \d\)|"
                       r"percentile\(\w+, \d+\)|nearest_rank\(\d+\)|\[\d\]|precision\(\d\)|0x[\da-fA-F']{8,}U?L*|"
                       r"sizeof\(\w+\) == 64|int digits = 4|substr\(\d\)|resize\(4\)")
NUMBER = re.compile(r"(?<![\w.'])(?:0x[\da-fA-F']+|\d[\d']*\.?\d*(?:e[+-]?\d+)?|\.\d+)[uUlLfF]*(?:_[a-zA-Z]+)?(?![\w'])")
COMMENT = re.compile(r"//.*")
STRING = re.compile(r'R"\((?:.|\n)*?\)"|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)\'')
NAMED = re.compile(r"\b(constexpr|const|static const|enum)\b|^\s*k[A-Z]\w*\s*=|^\s*[\w:<>, ]+ \w+\s*(=|\{)[^=(]*;|"
                   r"^\s*\{.*\},?(\s*//.*)?$|^\s*\.\w+ = ")


def source_lines(path):
    raw = path.read_text(encoding="utf-8")
    blank = STRING.sub(lambda m: '""' + "\n" * m.group().count("\n"), raw)
    return raw.split("\n"), blank.split("\n")


def reasoned(raw, at):
    """A comment on the line, or above it in the same statement, table or group of constants."""
    if "//" in raw[at]:
        return True
    for back in range(at - 1, max(-1, at - 40), -1):
        line = raw[back].strip()
        if "//" in line and not line.startswith("{"):
            return True
        if not line or line.startswith("}"):
            return False
    return False


def findings(root):
    unnamed, unreasoned = [], []
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.[ch]pp")):
            name = path.relative_to(root).as_posix()
            if LAYOUT.match(name) or LIMITS.match(name):
                continue
            raw, blank = source_lines(path)
            for i, line in enumerate(blank):
                code = STRUCTURE.sub("", COMMENT.sub("", line))
                if code.lstrip().startswith("#"):
                    continue
                numbers = [n for n in NUMBER.findall(code) if n.rstrip("uUlLfF") not in FREE and n not in FREE]
                if not numbers or any(name == file and part in raw[i] for file, part in INSPECTED):
                    continue
                if "//" in raw[i] or (i > 0 and raw[i - 1].strip().startswith("//")):
                    continue  # says why
                if not NAMED.search(code):
                    unnamed.append((name, i + 1, numbers, raw[i].strip()))
                elif not reasoned(raw, i):
                    unreasoned.append((name, i + 1, numbers, raw[i].strip()))
    return unnamed, unreasoned


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    options = parser.parse_args()
    unnamed, unreasoned = findings(options.root)
    for title, rows in (("without a name", unnamed), ("named, without a reason beside it", unreasoned)):
        print(f"== {title}: {len(rows)}")
        for name, line, numbers, text in rows:
            print(f"{name}:{line}: {', '.join(numbers)}: {text}")
    return 1 if unnamed or unreasoned else 0


if __name__ == "__main__":
    sys.exit(main())
