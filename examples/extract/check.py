#!/usr/bin/env python3
"""check.py [MADE|--self-check]: what must hold of rows.jsonl, of test.jsonl, and of the pairs in the folder MADE.

Without MADE it has make.py make them, twice, and holds the two against each other. Every finding is a line; then the counts, and how
many findings. Ends with 1 where anything was found.
"""

import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import listing
import make

HERE = pathlib.Path(__file__).resolve().parent
MOST = {"name": 60, "category": 40, "audience": 60, "price": 40, "tone": 40}  # characters, as recipes/ad_copy has them
MOST_FEATURES, MOST_FEATURE = 12, 60
MOST_REPLY = {"zh": 260, "en": 330}  # characters; at most 0.46 and 0.36 tokens each with the two models: under 120 tokens
MOST_PROMPT = {"zh": 520, "en": 780}
LEAST = {"rows": 420, "train": 2400, "validation": 100, "test": 160}
LEAST_OF = {"rows": {"zh": 230, "en": 190}, "test": {"zh": 90, "en": 70}}


def product(name):
    return listing.bare(name).casefold()


def alike(a, b):
    """How much two names have in common: shared pairs of characters over all of them."""
    pairs = [{text[i : i + 2] for i in range(len(text) - 1)} or {text} for text in (a, b)]
    return len(pairs[0] & pairs[1]) / len(pairs[0] | pairs[1])


def row_problems(row):
    """What is wrong with a row by itself."""
    if not isinstance(row, dict) or tuple(row) != listing.KEYS:
        yield f"keys are not {', '.join(listing.KEYS)}, in this order"
        return
    if row["lang"] not in listing.FIRST:
        yield f"no such language: {row['lang']!r}"
        return
    features = row["features"]
    if not isinstance(features, list) or not all(isinstance(value, str) for value in [*features, *(row[key] for key in listing.TEXTS)]):
        yield "features is no list of texts, or another value is no text"
        return
    for key, most in MOST.items():
        if len(row[key]) > most:
            yield f"{key} has more than {most} characters"
    if not 2 <= len(features) <= MOST_FEATURES or any(not 0 < len(feature) <= MOST_FEATURE for feature in features):
        yield "too few or too many features, or an empty or long one"
    if len({product(feature) for feature in features}) < len(features):
        yield "a feature stands twice"
    if not row["name"]:
        yield "no name"
    for value in [*features, *(row[key] for key in listing.TEXTS)]:
        if value != make.clean(value, row["lang"]):
            yield f"not half-width, or stray white space: {value!r}"
    han = bool(re.search(make.HAN, row["name"]))
    if han != (row["lang"] == "zh"):
        yield "the name is of another language"


def pair_problems(pair):
    """What is wrong with a pair: its form, and whatever the row says that its listing does not."""
    if not isinstance(pair, dict) or list(pair) != ["prompt", "response"]:
        yield "keys are not prompt, response"
        return
    try:
        lang, text = listing.listing(pair["prompt"])
    except ValueError:
        yield "the prompt has not the first and the last line of a language"
        return
    try:
        row = json.loads(pair["response"])
    except json.JSONDecodeError:
        yield "the response is no JSON"
        return
    yield from row_problems(row)
    if list(row_problems(row)):
        return
    if row["lang"] != lang:
        yield "prompt and row are of two languages"
    if pair["response"] != listing.reply(row):
        yield "the response is not written compactly"
    if len(pair["response"]) > MOST_REPLY[lang] or len(pair["prompt"]) > MOST_PROMPT[lang]:
        yield f"long: prompt {len(pair['prompt'])}, response {len(pair['response'])} characters"
    place = listing.bare(text)
    for value in [row["name"], row["category"], row["audience"], row["price"], row["tone"], *row["features"]]:
        if listing.bare(value) not in place:
            yield f"not in the listing: {value!r}"
    where = [place.find(listing.bare(feature)) for feature in row["features"]]
    if where != sorted(where):
        yield "features are in another order than in the listing"
    strange = listing.numbers("\n".join([*row["features"], *(row[key] for key in listing.TEXTS)])) - listing.numbers(text, source=True)
    if strange:
        yield f"numbers that the listing has not: {sorted(strange)}"


def named(pairs):
    """The products of pairs, as far as they can be read."""
    found = []
    for pair in pairs:
        try:
            found.append(product(json.loads(pair["response"])["name"]))
        except (json.JSONDecodeError, KeyError, TypeError):
            pass
    return found


def languages(name, records):
    return collections.Counter(
        record["lang"] if name == "rows" else "zh" if record["prompt"].startswith(listing.FIRST["zh"]) else "en" for record in records
    )


def problems(rows, made, test):
    files = {"rows": rows, "train": made["train"], "validation": made["validation"], "test": test}
    for name, records in files.items():
        if len(records) < LEAST[name]:
            yield f"{name}: {len(records)} records, fewer than {LEAST[name]}"
        for number, record in enumerate(records, 1):
            for problem in (row_problems if name == "rows" else pair_problems)(record):
                yield f"{name}:{number}: {problem}"
    for name, least in LEAST_OF.items():
        counts = languages(name, files[name])
        yield from (f"{name}: {counts[lang]} of {lang}, fewer than {few}" for lang, few in least.items() if counts[lang] < few)
    names = [product(row["name"]) for row in rows]
    yield from (f"rows: {name} stands {count} times" for name, count in collections.Counter(names).items() if count > 1)
    tested = named(test)
    yield from (f"test: {name} stands {count} times" for name, count in collections.Counter(tested).items() if count > 1)
    everything = sorted({*names, *tested})
    for i, a in enumerate(everything):
        yield from (f"names nearly the same: {a}, {b}" for b in everything[i + 1 :] if alike(a, b) > 0.6)
    bodies = collections.Counter("|".join(sorted(map(product, row["features"]))) for row in rows)
    yield from (f"rows: features stand {count} times: {body}" for body, count in bodies.items() if count > 1)
    sides = {name: set(named(files[name])) for name in ("train", "validation", "test")}
    for a, b in (("train", "validation"), ("train", "test"), ("validation", "test")):
        yield from (f"in {a} and {b}: {name}" for name in sorted(sides[a] & sides[b]))
    yield from (f"in rows and test: {name}" for name in sorted(set(names) & sides["test"]))
    yield from (f"made of no row: {name}" for name in sorted((sides["train"] | sides["validation"]) - set(names)))
    prompts = collections.Counter(pair["prompt"] for name in ("train", "validation", "test") for pair in files[name])
    yield from (f"a prompt stands {count} times: {prompt[:80]!r}" for prompt, count in prompts.items() if count > 1)


def self_check():
    """Every kind of damage is found."""
    row = {"lang": "en", "name": "Tin Cup", "category": "", "features": ["300 ml", "blue"], "audience": "", "price": "$4", "tone": ""}
    prompt = listing.prompt("en", "Tin Cup\n300 ml / blue\nstock 42,000\n$4")
    assert not list(pair_problems({"prompt": prompt, "response": listing.reply(row)}))
    damage = [
        ({"price": "$5"}, "not in the listing: '$5'"),
        ({"price": "$42"}, "not in the listing"),
        ({"features": ["blue", "300 ml"]}, "another order"),
        ({"features": ["blue"]}, "too few"),
        ({"features": ["blue", "Blue "]}, "twice"),
        ({"features": "300 ml; blue"}, "no list"),
        ({"name": ""}, "no name"),
        ({"name": "锡杯"}, "another language"),
        ({"tone": "warm"}, "not in the listing: 'warm'"),
        ({"price": "＄4"}, "not half-width"),
        ({"category": " "}, "stray white space"),
        ({"audience": "c" * 61}, "more than 60"),
    ]
    for change, expected in damage:
        found = list(pair_problems({"prompt": prompt, "response": listing.reply(row | change)}))
        assert any(expected in problem for problem in found), (change, found)
    for response, expected in (
        ("{", "no JSON"),
        ("[]", "keys are not"),
        (json.dumps(row), "compactly"),
        (json.dumps(dict(reversed(row.items()))), "this order"),
    ):
        found = list(pair_problems({"prompt": prompt, "response": response}))
        assert any(expected in problem for problem in found), (response, found)
    assert any("first and the last line" in problem for problem in pair_problems({"prompt": "Tin Cup", "response": "{}"}))
    pair = {"prompt": prompt, "response": listing.reply(row)}
    found = list(problems([row, row], {"train": [pair], "validation": [pair]}, [pair]))
    for expected in (
        "in train and validation",
        "in train and test",
        "in rows and test",
        "rows: tincup stands 2",
        "a prompt stands 3",
        "fewer than 420",
    ):
        assert any(expected in problem for problem in found), (expected, found)
    print("self-check passed")


def main(folder):
    made = [{}, {}]
    with tempfile.TemporaryDirectory() as work:
        folders = [pathlib.Path(folder)] if folder else [pathlib.Path(work) / "first", pathlib.Path(work) / "again"]
        for i, place in enumerate(folders):
            if not folder:
                subprocess.run([sys.executable, HERE / "make.py", "--out", place], check=True, stdout=subprocess.DEVNULL)
            made[i] = {name: listing.read(place / f"{name}.jsonl") for name in ("train", "validation")}
    found = list(problems(listing.read(HERE / "rows.jsonl"), made[0], listing.read(HERE / "test.jsonl")))
    if not folder and made[0] != made[1]:
        found.append("make.py makes other pairs the second time")
    print(*found, sep="\n", end="\n" if found else "")
    for name, records in (("rows", listing.read(HERE / "rows.jsonl")), *made[0].items(), ("test", listing.read(HERE / "test.jsonl"))):
        counts = languages(name, records)
        print(f"{name}: {len(records)} ({counts['zh']} zh, {counts['en']} en)")
    print(f"{len(found)} problems")
    return bool(found)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    if sys.argv[1:] == ["--self-check"]:
        sys.exit(self_check())
    sys.exit(main(*sys.argv[1:], *([None] * (2 - len(sys.argv)))))
