#!/usr/bin/env python3
"""check.py FOLDER [--atelier PROGRAM] | --self-check: what must hold of the pairs that make.py left in FOLDER.

No product that anything is measured on, and no category of held_out.jsonl, is in training or validation; no product is on both; a
prompt is the one that the recipe's template makes (with --atelier the template itself is asked); what is learned has no number, fits
the recipe's lengths, and speaks of its product's own row. Every finding is a line; then the counts. Ends with 1 where anything was
found.
"""

import argparse
import collections
import json
import re
import sys
import tempfile

import headline as h
import make

FIELDS = ["prompt", "response", "kind", "device", "row"]
LEAST = {"train": {"zh": 1200, "en": 1200}, "validation": {"zh": 50, "en": 50}}
MOST_OF_DEVICE = 0.2  # of a language's composed pairs, of those devices that make.py holds down
MOST_TIMES = 4  # one headline in all of training


def pair_problems(pair):
    """What is wrong with a pair by itself."""
    if not isinstance(pair, dict) or list(pair) != FIELDS:
        yield f"keys are not {', '.join(FIELDS)}"
        return
    row, text = pair["row"], pair["response"]
    if pair["prompt"] != h.prompt(row):
        yield "the prompt is not this row's"
    if h.numbered(text.replace(row["name"], "")):
        yield f"a number: {text!r}"
    least, most = h.MOST_CHARS[row["lang"]]
    if not (least if pair["kind"] == "composed" else 2) <= len(text) <= most:
        yield f"of {len(text)} characters: {text!r}"
    if text != text.strip() or "\n" in text or re.search(r"[{}<>]", text):
        yield f"not one clean line: {text!r}"
    if any(h.numbered(feature) for feature in row["features"]):
        yield "the row has a number that its prompt does not show"
    if not make.pieces(text, row["lang"]) & set().union(*(make.pieces(value, row["lang"]) for value in (row["name"], row["category"], row["audience"], *row["features"]))):
        yield f"speaks of nothing in its row: {text!r}"


def problems(pairs, held_out, apart):
    """Of all pairs together. APART: rows whose categories must be new, too."""
    names = {h.product(row["name"]) for row in held_out}
    categories = {(row["lang"], row["category"].casefold()) for row in apart}
    for side, records in pairs.items():
        for number, record in enumerate(records, 1):
            found = list(pair_problems(record))
            yield from (f"{side}:{number}: {problem}" for problem in found)
            if found and "keys" in found[0]:
                continue
            row = record["row"]
            if h.product(row["name"]) in names:
                yield f"{side}:{number}: {row['name']!r} is held out"
            if (row["lang"], row["category"].casefold()) in categories:
                yield f"{side}:{number}: {row['category']!r} is a category of products held out"
        for lang, least in LEAST[side].items():
            mine = [record for record in records if record["row"]["lang"] == lang]
            if len(mine) < least:
                yield f"{side}: {len(mine)} of {lang}, fewer than {least}"
            composed = [record for record in mine if record["kind"] == "composed"]
            for device in make.MOST_SHARE:
                share = sum(record["device"] == device for record in composed) / max(1, len(composed))
                if share > MOST_OF_DEVICE and len(composed) >= 200:
                    yield f"{side}: {device} is {100 * share:.0f} % of what is composed in {lang}"
    sides = [{h.product(record["row"]["name"]) for record in records} for records in pairs.values()]
    yield from (f"on both sides: {name}" for name in sorted(sides[0] & sides[1]))
    texts = collections.Counter(record["response"] for record in pairs["train"])
    yield from (f"train: {text!r} stands {count} times" for text, count in texts.items() if count > MOST_TIMES)


def template_problems(atelier, rows):
    """Where the recipe's template says another prompt than headline.prompt."""
    for row in rows:
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as context:
            json.dump(row, context)
            context.flush()
            said = h.run([atelier, "template", "render", h.RECIPE / "templates" / f"headline.{row['lang']}.jinja", "--context", context.name])
        if said.rstrip("\n") != h.prompt(row).rstrip("\n"):
            yield f"the template says {said!r}, not {h.prompt(row)!r}"


def self_check():
    """Every kind of damage is found."""
    row = {"lang": "en", "name": "Tin Cup", "category": "kitchen", "features": ["blue enamel"], "audience": "hikers", "price": "", "tone": "dry"}
    good = make.pair(row, "Tin Cup for hikers", "composed", "audience")
    assert not list(pair_problems(good)), list(pair_problems(good))
    assert not list(pair_problems(make.pair(row | {"name": "A4 Paper"}, "A4 Paper for hikers", "composed", "audience")))
    for change, expected in (
        ({"prompt": good["prompt"] + " "}, "not this row's"),
        ({"response": "Tin Cup, 3 of them"}, "a number"),
        ({"response": "Tin Cup ３ of them"}, "a number"),
        ({"response": "Tin"}, "characters"),
        ({"response": "Tin Cup " * 20 + "x"}, "characters"),
        ({"response": "Tin Cup\nfor hikers"}, "clean line"),
        ({"response": "{name} for hikers"}, "clean line"),
        ({"response": "Something else entirely"}, "nothing in its row"),
        ({"row": row | {"features": ["500 ml"]}}, "does not show"),
    ):
        found = list(pair_problems(good | change))
        assert any(expected in problem for problem in found), (change, found)
    assert "keys are not" in next(pair_problems({"prompt": ""}))
    other = make.pair(row | {"name": "Tin  cup!", "category": "Archery"}, "Tin cup for hikers", "composed", "audience")
    found = list(problems({"train": [good] * 200, "validation": [other]}, [row | {"name": "TIN CUP"}], [row | {"category": "archery"}]))
    for expected in ("is held out", "a category of products held out", "on both sides: tincup", "stands 200 times", "fewer than", "audience is 100 %"):
        assert any(expected in problem for problem in found), (expected, found)
    assert h.prompt(row) == "Product: Tin Cup\nCategory: kitchen\nFeatures: blue enamel\nFor: hikers\nTone: dry\nHeadline:"
    bare = {"lang": "zh", "name": "杯🫖", "category": "", "features": ["500毫升", "３０克"], "audience": "", "price": "", "tone": ""}
    assert h.prompt(bare) == "品名：杯🫖\n标题："
    print("self-check passed")


def main():
    if sys.argv[1:] == ["--self-check"]:
        return self_check()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--atelier")
    options = parser.parse_args()
    pairs = {name: h.read(f"{options.folder}/{name}.jsonl") for name in ("train", "validation")}
    apart, odd = h.read(h.HERE / "held_out.jsonl"), h.read(h.HERE / "odd.jsonl")
    found = list(problems(pairs, h.held_out(), apart))
    if options.atelier:
        asked = apart[:2] + apart[-2:] + h.sample()[:1] + [row for row in odd if row["lang"]]
        found += template_problems(options.atelier, asked)
    print(*found, sep="\n", end="\n" if found else "")
    for name, records in pairs.items():
        counts = collections.Counter(f"{record['row']['lang']} {record['kind']}" for record in records)
        print(f"{name}: {len(records)} ({', '.join(f'{count} {key}' for key, count in sorted(counts.items()))})")
    print(f"{len(found)} problems")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
