#!/usr/bin/env python3
"""make.py --out FOLDER [--atelier PROGRAM]: products, each with a headline to learn.

Three kinds: what people wrote (written.jsonl), as far as it is plain; headlines that the recipe's phrase grammar composes
(`atelier compose`) for the product rows of ../extract/rows.jsonl, and for products put together from catalogue_zh.toml and
catalogue_en.toml. A headline to learn has no number, speaks of what its prompt says, and reads well by the grammar's own grade; no
pattern and no device crowds the others out. The same seed makes the same files.

Leaves FOLDER/train.jsonl and FOLDER/validation.jsonl: {"prompt", "response", "kind", "device", "row"}. Products are divided before
anything is made of them, and none of those that the recipe is tried on (headline.held_out) is on either side.
"""

import argparse
import collections
import json
import pathlib
import random
import re
import tempfile
import tomllib

import headline as h

LEAST_GRADE = 0.65
MOST_SHARE = {"audience": 0.18, "question": 0.14, "plain": 0.1, "price": 0.0}  # of the composed headlines, by device
CANDIDATES = 96  # of a row, to choose one from


def tidy(row):
    """The row as far as its prompt shows it: what is composed of it speaks of nothing else."""
    return {key: row[key] for key in h.KEYS if key in row and key != "features"} | {"features": h.plain(row["features"])}


def catalogue(lang, dice):
    """A row for each product of the catalogue, in random order."""
    rows = []
    for group in tomllib.loads((h.HERE / f"catalogue_{lang}.toml").read_text(encoding="utf-8"))["group"]:
        for prefix in group["prefixes"]:
            for name in group["names"]:
                whole = prefix + name if lang == "zh" else f"{prefix} {name}".strip()
                if prefix and h.product(prefix) in h.product(name):
                    continue
                features = [feature for feature in group["features"] if not prefix or prefix.casefold() not in feature.casefold()]
                rows.append(
                    {
                        "lang": lang,
                        "name": whole,
                        "category": group["category"],
                        "features": dice.sample(features, dice.choice((2, 3, 3))),
                        "audience": dice.choice(group["audiences"]),
                        "price": "",
                        "tone": dice.choice(group["tones"]),
                    }
                )
    dice.shuffle(rows)
    return rows


def pieces(text, lang):
    """What carries meaning: pairs of neighbouring Han, English words of three letters or more without their ends."""
    if lang == "zh":
        return {text[i : i + 2] for i in range(len(text) - 1) if re.fullmatch("[一-鿿]{2}", text[i : i + 2])}
    return {word[:5] for word in re.findall("[a-z]{3,}", text.casefold())}


def is_plain(row):
    """Whether a written headline speaks of its product in the sheet's own words, and without numbers."""
    sheet = [row["name"], *h.plain(row["features"])]
    known = set().union(*(pieces(text, row["lang"]) for text in sheet))
    return bool(pieces(row["headline"], row["lang"]) & known) and not h.numbered(row["headline"]) and len(h.plain(row["features"])) > 0


def compose(atelier, lang, rows, seed):
    """Of each row its candidates: {"headline", "choices"}."""
    grammar = h.RECIPE / "grammar" / f"{lang}.toml"
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "rows.jsonl"
        h.write(path, rows)
        made = json.loads(h.run([atelier, "compose", grammar, "--input", path, "--count", CANDIDATES, "--seed", seed, "--json"]))
    assert len(made) == len(rows), f"{len(made)} rows came back, not {len(rows)}"
    return [item["candidates"] for item in made]


def right(row, candidate, grades, least_grade=LEAST_GRADE):
    """Whether a composed headline is one to learn."""
    text, choice = candidate["headline"], candidate["choices"]["headline"]
    least, most = h.MOST_CHARS[row["lang"]]
    return (
        grades[choice["pattern"]] >= least_grade
        and MOST_SHARE.get(choice["device"], 1) > 0
        and least <= len(text) <= most
        and not h.numbered(text.replace(row["name"], ""))
        and h.product(text) != h.product(row["name"])
    )


def frame(candidate):
    """What a headline has that is not the row's: its pattern, and the word of a list that it begins with."""
    choice = candidate["choices"]["headline"]
    return choice["pattern"], *sorted(choice["words"].values())


def choose(rows, made, grades, dice):
    """One headline for each row that has any: (row, headline, device)."""
    used, devices, chosen = collections.Counter(), collections.Counter(), []
    for row, candidates in zip(rows, made, strict=True):
        fits = {candidate["headline"]: candidate for candidate in candidates if right(row, candidate, grades)}
        fits = [
            candidate
            for candidate in fits.values()
            if devices[candidate["choices"]["headline"]["device"]] <= MOST_SHARE.get(candidate["choices"]["headline"]["device"], 1) * len(chosen)
        ]
        if not fits:
            continue
        weights = [grades[c["choices"]["headline"]["pattern"]] ** 2 / (1 + used[frame(c)]) for c in fits]
        best = dice.choices(fits, weights)[0]
        device = best["choices"]["headline"]["device"]
        used[frame(best)] += 1
        devices[device] += 1
        chosen.append((row, best["headline"], device))
    return chosen


def grades_of(lang):
    patterns = tomllib.loads((h.RECIPE / "grammar" / f"{lang}.toml").read_text(encoding="utf-8"))["pattern"]
    return {pattern["id"]: pattern.get("grade", 0.5) for pattern in patterns}


def pair(row, text, kind, device):
    return {"prompt": h.prompt(row), "response": text, "kind": kind, "device": device, "row": row}


def products(lang, dice):
    """(written, others): the rows of a language, each product once, none of them held out."""
    seen = {h.product(row["name"]) for row in h.held_out()}
    written, others = [], []
    for rows, place in (
        (h.read(h.HERE / "written.jsonl"), written),
        (h.read(h.HERE.parent / "extract" / "rows.jsonl"), others),
        (catalogue(lang, dice), others),
    ):
        for row in rows:
            name = h.product(row["name"])
            if row["lang"] == lang and name not in seen:
                seen.add(name)
                place.append(row)
    return written, others


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--atelier", default=h.ROOT / "build" / "release" / "atelier")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--composed", type=int, default=1600, help="composed headlines of training, for each language (1600)")
    parser.add_argument("--held", type=int, default=60, help="composed headlines of validation, for each language (60)")
    parser.add_argument("--repeat", type=int, default=2, help="how often each written headline stands in training (2)")
    options = parser.parse_args()
    sides = {"train": [], "validation": []}
    for lang in ("zh", "en"):
        dice = random.Random(f"{options.seed}/{lang}")
        written, others = products(lang, dice)
        others = [row for row in written if not is_plain(row)] + others
        written = [row for row in written if is_plain(row)]
        rows = [tidy(row) for row in others if len(h.plain(row["features"])) >= 2]
        made = choose(rows, compose(options.atelier, lang, rows, options.seed), grades_of(lang), dice)
        dice.shuffle(made)
        dice.shuffle(written)
        held = options.held // 6
        for name, texts, composed, times in (
            ("validation", written[:held], made[: options.held], 1),
            ("train", written[held:], made[options.held : options.held + options.composed], options.repeat),
        ):
            mine = [pair(tidy(row), row["headline"], "written", "written") for row in texts] * times
            mine += [pair(row, text, "composed", device) for row, text, device in composed]
            sides[name] += mine
            print(f"{lang} {name}: {len(texts)} written, {len(composed)} composed of {len(made)}")
    for name, pairs in sides.items():
        random.Random(f"{options.seed}/{name}").shuffle(pairs)
        h.write(options.out / f"{name}.jsonl", pairs)
        print(f"{options.out / name}.jsonl: {len(pairs)} pairs")


if __name__ == "__main__":
    main()
