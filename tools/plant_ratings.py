"""Writes recipes/judge_copy/sample/planted.jsonl: written copy and worse versions of it, with the ratings that the damage
implies. These are no people's ratings: who changed a number knows that the copy is no longer faithful. Deterministic.
Usage: plant_ratings.py PAIRS.jsonl ...   (lines as in recipes/ad_copy/examples, with `lang`)"""
import json
import pathlib
import random
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PER_LANGUAGE = 24
FIELDS = ["lang", "name", "category", "features", "audience", "price", "headline", "body"]


def version(row, what, faithful, clear, fitting, **changed):
    record = {field: row[field] for field in FIELDS} | changed
    return record | {"damage": what, "planted_faithful": faithful, "planted_clear": clear, "planted_fitting": fitting}


def other_number(text, rng):
    """The text with its first number made another one."""
    return re.sub(r"\d+", lambda m: str(int(m.group()) * 3 + rng.randint(1, 9)), text, count=1)


def broken(text, lang, rng):
    """The body's words out of order, its end cut off."""
    parts = re.findall(r"[^，。！？；、]{1,2}|[，。！？；、]", text) if lang == "zh" else text.split()
    rng.shuffle(parts)
    return ("" if lang == "zh" else " ").join(parts[:max(3, len(parts) * 3 // 4)])


def planted(rows, rng):
    rng.shuffle(rows)
    for row in sorted(rows, key=lambda row: not re.search(r"\d", row["body"]))[:PER_LANGUAGE]:
        other = rng.choice([r for r in rows if r["category"] != row["category"]])
        yield version(row, "none", 5, 5, 5)
        if re.search(r"\d", row["body"]):
            yield version(row, "number", 2, 5, 5, body=other_number(row["body"], rng))
        yield version(row, "other product", 1, 5, 1, headline=other["headline"], body=other["body"])
        yield version(row, "broken", 4, 1, 4, body=broken(row["body"], row["lang"], rng))


def main():
    rows = [json.loads(line) for file in sys.argv[1:] for line in pathlib.Path(file).read_text().splitlines() if line.strip()]
    rng = random.Random("planted")
    out = []
    for lang in ("zh", "en"):
        out += planted([row for row in rows if row["lang"] == lang], rng)
    path = ROOT / "recipes/judge_copy/sample/planted.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in out))
    print(f"{path.relative_to(ROOT)}: {len(out)} records")


if __name__ == "__main__":
    main()
