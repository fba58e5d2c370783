#!/usr/bin/env python3
"""reinforce.py prompts|texts|table ...: the data and the table of the guide on learning from the recipe's checks.

prompts --data FOLDER --out FOLDER: train.jsonl and validation.jsonl, {"prompt", and the row's fields}, of the products of the pairs
    that make.py left: what `atelier tune grpo` lets the model answer, and what `atelier check` is told of each.
texts FILE --lang LANG: the replies of sample.py's FILE, one on a line, for `atelier evaluate diversity`.
table FOLDER [--objective grpo]: the table of the guide, of what reinforce.sh left there.
"""

import argparse
import collections
import json
import pathlib
import random
import sys

import headline as h

HELD = {h.product(row["name"]) for row in h.held_out()}


def prompts(options):
    for side, most in (("train", options.most), ("validation", 12)):
        rows = {h.product(pair["row"]["name"]): pair["row"] for pair in h.read(f"{options.data}/{side}.jsonl")}
        assert not HELD & set(rows), sorted(HELD & set(rows))
        records = []
        for lang in ("zh", "en"):
            mine = [row for row in rows.values() if row["lang"] == lang and len(row["features"]) >= 2]
            random.Random(f"{options.seed}/{lang}/reinforce").shuffle(mine)
            records += [{"prompt": h.prompt(row)} | h.row_of(row) for row in mine[:most]]
        random.Random(options.seed).shuffle(records)
        h.write(f"{options.out}/{side}.jsonl", records)
        print(f"{options.out}/{side}.jsonl: {len(records)} products")


def verdicts(samples, checks):
    """What the recipe's checks say of samples, by language: shares of texts."""
    found = {}
    for lang in ("zh", "en"):
        mine = [check for sample, check in zip(samples, checks, strict=True) if sample["record"]["lang"] == lang]
        failed = collections.Counter(one["check"] for check in mine for one in check["checks"] if not one["passed"])
        alone = sum(all(one["passed"] or one["check"] == "duplicates" for one in check["checks"]) and bool(check["checks"]) for check in mine)
        products = {json.dumps(sample["record"], sort_keys=True): [] for sample in samples if sample["record"]["lang"] == lang}
        for sample, check in zip(samples, checks):
            if sample["record"]["lang"] == lang:
                products[json.dumps(sample["record"], sort_keys=True)].append(check["passed"])
        found[lang] = {
            "texts": len(mine),
            "passed": sum(check["passed"] for check in mine) / max(1, len(mine)),
            "alone": alone / max(1, len(mine)),
            "products": sum(any(passed) for passed in products.values()) / max(1, len(products)),
            "failed": failed,
        }
    return found


def table(folder, objective):
    folder = pathlib.Path(folder)
    arms = ("before", objective)
    said = {arm: verdicts(h.read(folder / f"{arm}.jsonl"), h.read(folder / f"{arm}.checks.jsonl")) for arm in arms}
    lines = ["| | before, zh | after, zh | before, en | after, en |", "|---|---|---|---|---|"]
    for key, what in (
        ("passed", "texts that pass every check"),
        ("alone", "the same, repeats of a text counted as passed"),
        ("products", "products with a text that passes, of eight"),
    ):
        lines.append(f"| {what} | " + " | ".join(f"{100 * said[arm][lang][key]:.1f} %" for lang in ("zh", "en") for arm in arms) + " |")
    for n in (1, 2):
        values = [json.loads((folder / f"{arm}.{lang}.json").read_text())["distinct"][n - 1] for lang in ("zh", "en") for arm in arms]
        shown = [f"{values[0]:.3f}", f"{values[1]:.3f} ({100 * values[1] / values[0]:.0f} %)", f"{values[2]:.3f}", f"{values[3]:.3f} ({100 * values[3] / values[2]:.0f} %)"]
        lines.append(f"| distinct-{n} | " + " | ".join(shown) + " |")
    checks = sorted({check for arm in arms for lang in ("zh", "en") for check in said[arm][lang]["failed"]})
    for check in checks:
        lines.append(f"| failed: {check} | " + " | ".join(f"{100 * said[arm][lang]['failed'][check] / max(1, said[arm][lang]['texts']):.1f} %" for lang in ("zh", "en") for arm in arms) + " |")
    return "\n".join(lines)


def self_check():
    def check(**failed):
        return {"passed": not failed, "checks": [{"check": name, "passed": name not in failed} for name in ("facts", "duplicates")]}

    cup, mug = {"lang": "en", "name": "Cup"}, {"lang": "en", "name": "Mug"}
    samples = [{"record": cup}, {"record": cup}, {"record": mug}, {"record": mug}]
    got = verdicts(samples, [check(), check(duplicates=1), check(facts=1), check(facts=1, duplicates=1)])["en"]
    assert got == {"texts": 4, "passed": 0.25, "alone": 0.5, "products": 0.5, "failed": {"duplicates": 2, "facts": 2}}, got
    print("self-check passed")


def main():
    if sys.argv[1:] == ["--self-check"]:
        return self_check()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("prompts", "texts", "table"))
    parser.add_argument("file", nargs="?")
    parser.add_argument("--data")
    parser.add_argument("--out")
    parser.add_argument("--lang", choices=("zh", "en"))
    parser.add_argument("--most", type=int, default=320, help="products of a language (320)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--objective", default="grpo")
    options = parser.parse_args()
    if options.what == "prompts":
        prompts(options)
    elif options.what == "texts":
        for line in h.read(options.file):
            if line["record"]["lang"] == options.lang:
                print(" ".join(line["reply"].split()))
    else:
        print(table(options.file, options.objective))
    return None


if __name__ == "__main__":
    sys.exit(main())
