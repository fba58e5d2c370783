#!/usr/bin/env python3
"""style.py pairs|prompts|rate|table ...: a preference that a rule can tell: the headline names the person whom it is for.

pairs --data FOLDER --out FOLDER: preferences.jsonl and preferences_validation.jsonl, {"prompt", "chosen", "rejected", "row"}: of each
    product of the pairs that make.py left, two headlines of the phrase grammar, one that names its reader and one that does not,
    else as alike as there are: their lengths as near as possible.
prompts --out FILE [--most N]: {"prompt", "row"} of products that nothing is trained on and that say whom they are for.
rate FILE: of the lines {"record", "reply"} that sample.py left, the share that names its reader.
table FOLDER: the table of the guide, of what style.sh left there.
"""

import argparse
import collections
import json
import pathlib
import random
import sys
import unicodedata

import headline as h
import make


LEAST_GRADE = 0.5  # of a headline in a pair; few of those that name their reader are of a higher one in Chinese


def bare(text):
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def names_reader(row, text):
    """The rule: whom the row says it is for stands in the headline, in the row's own words."""
    audience = bare(row.get("audience", ""))
    return bool(audience) and audience in bare(text)


def preferences(atelier, lang, rows, seed, most):
    rows = [row for row in rows if row["lang"] == lang and row["audience"]]
    random.Random(f"{seed}/{lang}/style").shuffle(rows)
    grades, used, found = make.grades_of(lang), collections.Counter(), []
    for row, candidates in zip(rows, make.compose(atelier, lang, rows, seed + 1), strict=True):
        fits = [candidate for candidate in candidates if make.right(row, candidate, grades, LEAST_GRADE)]
        chosen = [c for c in fits if names_reader(row, c["headline"])]
        others = [c for c in fits if not names_reader(row, c["headline"])]
        if not chosen or not others or len(found) >= most:
            continue
        best = min(chosen, key=lambda c: (used[make.frame(c)], c["headline"]))
        other = min(others, key=lambda c: (abs(len(c["headline"]) - len(best["headline"])) + 2 * used[make.frame(c)], c["headline"]))
        used[make.frame(best)] += 1
        used[make.frame(other)] += 1
        found.append({"prompt": h.prompt(row), "chosen": best["headline"], "rejected": other["headline"], "row": row})
    return found


def make_pairs(options):
    for side, name, most in (("train", "preferences", options.most), ("validation", "preferences_validation", 60)):
        rows = {h.product(pair["row"]["name"]): pair["row"] for pair in h.read(f"{options.data}/{side}.jsonl")}
        made = [pair for lang in ("zh", "en") for pair in preferences(options.atelier, lang, list(rows.values()), options.seed, most)]
        for pair in made:
            assert names_reader(pair["row"], pair["chosen"]) and not names_reader(pair["row"], pair["rejected"]), pair
            assert h.product(pair["row"]["name"]) not in HELD, pair
        random.Random(options.seed).shuffle(made)
        h.write(f"{options.out}/{name}.jsonl", made)
        length = {key: sum(len(pair[key]) for pair in made) / max(1, len(made)) for key in ("chosen", "rejected")}
        print(f"{options.out}/{name}.jsonl: {len(made)} pairs, chosen {length['chosen']:.1f} and rejected {length['rejected']:.1f} characters long")


def held_prompts(most, seed=1):
    """Products for measuring, half of each language: of held_out.jsonl, then of the recipe's own cases."""
    rows = []
    for lang in ("zh", "en"):
        mine = [row for row in h.read(h.HERE / "held_out.jsonl") if row["lang"] == lang]
        others = [h.row_of(row) | {"lang": lang} for row in h.read(h.RECIPE / "tests" / f"rows_{lang}.jsonl")]
        random.Random(f"{seed}/{lang}").shuffle(others)
        rows += [row for row in mine + others if row.get("audience") and len(row["features"]) >= 2][: most // 2]
    return [{"prompt": h.prompt(row), "row": row} for row in rows]


HELD = {h.product(row["name"]) for row in h.held_out()}


def rate(lines):
    shares = {}
    for lang in ("zh", "en", "all"):
        mine = [names_reader(line["record"], line["reply"]) for line in lines if lang in ("all", line["record"]["lang"])]
        shares[lang] = sum(mine) / max(1, len(mine))
    return shares


def table(folder):
    folder = pathlib.Path(folder)
    lines = ["| | before | after |", "|---|---|---|"]
    for what, said in (("sampled", "names its reader, samples at temperature 1"), ("greedy", "names its reader, greedy")):
        shares = [rate(h.read(folder / f"{what}.{when}.jsonl")) for when in ("before", "after")]
        for lang in ("zh", "en", "all"):
            lines.append(f"| {said}, {lang} | " + " | ".join(f"{100 * share[lang]:.1f} %" for share in shares) + " |")
    for lang in ("zh", "en", "reviews"):
        found = [json.loads((folder / f"perplexity.{lang}.{when}.json").read_text())["perplexity"] for when in ("before", "after")]
        lines.append(f"| perplexity of general text, {lang} | {found[0]:.2f} | {found[1]:.2f} ({100 * (found[1] / found[0] - 1):+.1f} %) |")
    return "\n".join(lines)


def self_check():
    row = {"lang": "en", "name": "Tin Cup", "audience": "Weekend  Hikers"}
    assert names_reader(row, "weekend hikers, meet the Tin Cup") and not names_reader(row, "Tin Cup for hikers")
    assert not names_reader(row | {"audience": ""}, "Tin Cup") and not names_reader({"lang": "en"}, "Tin Cup")
    assert names_reader({"audience": "３岁的孩子"}, "给3岁的孩子：杯")
    assert rate([{"record": row, "reply": "Weekend hikers!"}, {"record": row | {"lang": "zh"}, "reply": ""}]) == {"zh": 0, "en": 1, "all": 0.5}
    prompts = held_prompts(200)
    assert len(prompts) == 200 and sum(one["row"]["lang"] == "zh" for one in prompts) == 100
    assert all(h.product(one["row"]["name"]) in HELD for one in prompts)
    assert held_prompts(200) == prompts
    assert [one["row"]["lang"] for one in held_prompts(4)] == ["zh", "zh", "en", "en"]
    print("self-check passed")


def main():
    if sys.argv[1:] == ["--self-check"]:
        return self_check()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("pairs", "prompts", "rate", "table"))
    parser.add_argument("file", nargs="?")
    parser.add_argument("--data")
    parser.add_argument("--out")
    parser.add_argument("--most", type=int, default=200, help="prompts in all, or pairs of a language (200)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--atelier", default=h.ROOT / "build" / "release" / "atelier")
    options = parser.parse_args()
    if options.what == "pairs":
        make_pairs(options)
    elif options.what == "prompts":
        h.write(options.out, held_prompts(options.most))
    elif options.what == "rate":
        print(json.dumps(rate(h.read(options.file))))
    else:
        print(table(options.file))
    return None


if __name__ == "__main__":
    sys.exit(main())
