#!/usr/bin/env python3
"""Writes the words that libFuzzer puts into its inputs: dictionaries.py SCHEMAS, a folder of
`reticle manual schema`. Keys and words of the schemas for configurations and the registry, and the words
of the files that fuzzing begins with. Writes tests/fuzz/*.dict."""

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORD = re.compile(r"[A-Za-z_][\w-]{2,40}")
VALUES = ["0", "1", "-1", "1e12", "none", "null", "true", "false", " GB", " GB/s", " GHz", " ms", " us", " cycles", ": ", "\n- ",
          "\n  ", "{value: ", "source: ", "confidence: estimate"]
JSON = ['":', '","', "{}", "[]", "null", "true", "1e308", "-1", '\\u0000', "\x1f\x8b\x08"]


def schema_words(node, words):
    if isinstance(node, dict):
        words.update(node.get("properties", {}))
        words.update(word for word in node.get("enum", []) if isinstance(word, str))
        for value in node.values():
            schema_words(value, words)
    elif isinstance(node, list):
        for value in node:
            schema_words(value, words)


def seed_words(target):
    words = set()
    for path in (HERE / target).iterdir():
        words.update(WORD.findall(path.read_bytes().decode("ascii", "ignore")) if path.suffix != ".gz" else ())
    return words


def write(target, words, more):
    def escaped(word):
        return "".join(c if " " <= c <= "~" and c not in '"\\' else f"\\x{ord(c):02x}" for c in word)
    lines = [f'"{escaped(word)}"' for word in [*more, *sorted(words)]]
    (HERE / f"{target}.dict").write_text("# Written by dictionaries.py.\n" + "\n".join(lines) + "\n", encoding="utf-8")


def main():
    schemas = {path.name.split(".")[0]: json.loads(path.read_text(encoding="utf-8"))
               for path in Path(sys.argv[1]).glob("*.schema.json")}
    configs, registry = set(), set()
    for kind, schema in schemas.items():
        schema_words(schema, registry if kind in ("experiment", "entry", "ledger") else configs)
    write("configs", configs | {"reticle_resolved"}, VALUES)
    write("registry", registry | seed_words("registry"), VALUES)
    for target in ("reports", "models", "traces", "store", "tables"):
        write(target, seed_words(target), JSON)


main()
