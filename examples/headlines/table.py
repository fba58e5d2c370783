#!/usr/bin/env python3
"""table.py RESULTS [--form FILE | --self-check]: what came of the products held out, by arm and language.

RESULTS has a folder for each arm, with the copy.jsonl that `atelier make` left. Of the products of held_out.jsonl: how many of the
texts that were sampled passed every check of the recipe, how many products have a headline that did, and, of the headlines that were
ranked first, how many a reader found to be on the product and pleasant (reading.jsonl: one reader, who knew what was read). What
nobody has read stands as `unread`. The last lines are for the recipe's sample sheet and for the odd rows.

--form FILE: writes what is still to be read, in random order and without its arm, as JSON lines to be filled in: "on_product" and
"pleasant", each true or false. Filled in, they belong into reading.jsonl.

Publishable: passed every check (facts, claims, debris, length, language, about, copied, grounded, duplicates), on the product, and
pleasant. On the product: says nothing untrue of this row and would be odd over another kind of product, or names it. Pleasant: a
shop would print it as it stands; not clumsy, no wrong grammar, not a bare list.
"""

import argparse
import json
import pathlib
import random
import sys

import headline as h

ARMS = ("as it came", "tuned, one sample", "tuned, best of 16")
FOLDERS = {"as it came": "plain", "tuned, one sample": "one", "tuned, best of 16": "headlines"}


def key(record):
    return record["lang"], record["input"]["name"], record["chosen"]["output"]["headline"]


def load(results, names):
    """Of each arm its records of these products, in the sheet's order."""
    arms = {}
    for arm, folder in FOLDERS.items():
        path = pathlib.Path(results) / folder / "copy.jsonl"
        if path.exists():
            arms[arm] = [record for record in h.read(path) if record["input"]["name"] in names]
    return arms


def count(records, reading):
    sampled = sum(record["passed"] + record["dropped"] for record in records)
    ready = [record for record in records if record["chosen"]]
    read = [reading[key(record)] for record in ready if key(record) in reading]
    return {
        "products": len(records),
        "texts": sampled,
        "passed": sum(record["passed"] for record in records) / max(1, sampled),
        "ready": len(ready),
        "unread": len(ready) - len(read),
        "on product": sum(one["on_product"] for one in read),
        "pleasant": sum(one["pleasant"] for one in read),
        "publishable": sum(one["on_product"] and one["pleasant"] for one in read),
    }


def cell(one, value):
    if value == "texts":
        return str(one["texts"])
    if value == "passed":
        return f"{100 * one['passed']:.0f} %"
    if value in ("on product", "pleasant", "publishable") and one["unread"]:
        return f"{one[value]} ({one['unread']} unread)"
    return f"{one[value]} of {one['products']}"


def table(arms, reading):
    names = [(arm, lang) for arm in ARMS if arm in arms for lang in ("zh", "en")]
    counts = {(arm, lang): count([r for r in arms[arm] if r["lang"] == lang], reading) for arm, lang in names}
    lines = ["| | " + " | ".join(f"{arm}, {lang}" for arm, lang in names) + " |", "|---" * (len(names) + 1) + "|"]
    for value, said in (
        ("texts", "different texts sampled"),
        ("passed", "of them, passed every check"),
        ("ready", "products with a headline that passed"),
        ("on product", "read: on the product"),
        ("pleasant", "read: pleasant"),
        ("publishable", "publishable: both"),
    ):
        lines.append(f"| {said} | " + " | ".join(cell(counts[name], value) for name in names) + " |")
    return "\n".join(lines)


def to_read(arms, reading):
    found = {}
    for records in arms.values():
        for record in records:
            if record["chosen"] and key(record) not in reading:
                lang, name, text = key(record)
                found[key(record)] = {"lang": lang, "name": name, "features": record["input"]["features"], "headline": text, "on_product": None, "pleasant": None}
    lines = [found[one] for one in sorted(found)]
    random.Random(1).shuffle(lines)
    return lines


def readings(path):
    found = {}
    if pathlib.Path(path).exists():
        for line in h.read(path):
            if not isinstance(line["on_product"], bool) or not isinstance(line["pleasant"], bool):
                sys.exit(f"table.py: {path}: {line['headline']!r} is not read")
            found[line["lang"], line["name"], line["headline"]] = line
    return found


def self_check():
    def record(text, passed, dropped):
        return {"lang": "en", "input": {"name": "Cup", "features": []}, "chosen": {"output": {"headline": text}} if text else None, "passed": passed, "dropped": dropped}

    reading = {("en", "Cup", "good"): {"on_product": True, "pleasant": True}, ("en", "Cup", "dull"): {"on_product": True, "pleasant": False}}
    one = count([record("good", 3, 1), record("dull", 1, 3), record("", 0, 8), record("new", 1, 0)], reading)
    assert one == {"products": 4, "texts": 17, "passed": 5 / 17, "ready": 3, "unread": 1, "on product": 2, "pleasant": 1, "publishable": 1}, one
    assert cell(one, "ready") == "3 of 4" and cell(one, "publishable") == "1 (1 unread)" and cell(one, "passed") == "29 %"
    assert [line["headline"] for line in to_read({"as it came": [record("good", 1, 0), record("new", 1, 0), record("", 0, 1)]}, reading)] == ["new"]
    assert "| publishable: both | 0 of 0 | 0 of 1 |" in table({"as it came": [record("", 0, 1)]}, reading)
    print("self-check passed")


def main():
    if sys.argv[1:] == ["--self-check"]:
        return self_check()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results")
    parser.add_argument("--form")
    options = parser.parse_args()
    reading = readings(h.HERE / "reading.jsonl")
    arms = load(options.results, {row["name"] for row in h.read(h.HERE / "held_out.jsonl")})
    if options.form:
        h.write(options.form, to_read(arms, reading))
        print(f"{options.form}: {len(to_read(arms, reading))} headlines to be read")
        return None
    print(table(arms, reading))
    for arm, records in load(options.results, {row["name"] for row in h.sample()}).items():
        print(f"the recipe's sample, {arm}: {sum(bool(record['chosen']) for record in records)} of {len(records)} products have a headline that passed")
    odd = pathlib.Path(options.results) / "odd" / "copy.jsonl"
    if odd.exists():
        records = h.read(odd)
        print(f"odd rows: {sum(not record['chosen'] for record in records)} of {len(records)} left to a person")
        for record in records:
            if record["chosen"]:
                print(f"    {record['input']['name'][:40]!r}: {record['chosen']['output']['headline']!r}")
    return None


if __name__ == "__main__":
    sys.exit(main())
