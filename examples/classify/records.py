#!/usr/bin/env python3
"""Records of texts and classes, for run.sh.

    records.py split TRAIN.jsonl FOLDER              every fifth record of each class goes to FOLDER/valid.jsonl, the others to train.jsonl
    records.py sample IN.jsonl N OUT.jsonl           N records with the classes' shares kept, always the same; all where N is 0
    records.py pairs IN.jsonl CLASS=WORD,... TEMPLATE OUT.jsonl
                                                     prompts and the words of their classes, for `tune sft`: TEMPLATE is text with
                                                     one {{ text[:N] }}, as `classify --template @TEMPLATE` will render it
    records.py config IN.toml OUT.toml KEY=VALUE...  a configuration with other values for keys that it has, each where it first stands
"""
import collections
import json
import pathlib
import random
import re
import sys


def read(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines()]


def write(path, records):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")


def split(path, folder):
    seen = collections.Counter()
    parts = {"train": [], "valid": []}
    for record in read(path):
        seen[record["label"], record.get("lang")] += 1
        parts["valid" if seen[record["label"], record.get("lang")] % 5 == 0 else "train"].append(record)
    for part, records in parts.items():
        write(f"{folder}/{part}.jsonl", records)


def sample(path, count, out):
    records, count = read(path), int(count)
    if count in range(1, len(records)):
        rng = random.Random(1)
        classes = collections.defaultdict(list)
        for i, record in enumerate(records):
            classes[record["label"]].append(i)
        chosen, left = [], count
        for n, (label, places) in enumerate(sorted(classes.items())):
            share = left if n == len(classes) - 1 else round(count * len(places) / len(records))
            chosen += rng.sample(places, share)
            left -= share
        rng.shuffle(chosen)
        records = [records[i] for i in chosen]
    write(out, records)


def pairs(path, words, template, out):
    word = dict(one.split("=", 1) for one in words.split(","))
    text = pathlib.Path(template).read_text(encoding="utf-8").removesuffix("\n")  # as Jinja does
    found = re.fullmatch(r"(.*)\{\{ text\[:(\d+)\] \}\}(.*)", text, re.DOTALL)
    before, longest, after = found[1], int(found[2]), found[3]
    write(out, [{"prompt": before + r["text"][:longest] + after, "response": word[r["label"]]} for r in read(path)])


def config(path, out, *values):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    for one in values:
        key, value = one.split("=", 1)
        value = value if value.isdigit() else json.dumps(value)
        text, count = re.subn(rf"(?m)^{key} = .*$", lambda _, key=key, value=value: f"{key} = {value}", text, count=1)
        if count == 0:
            sys.exit(f"records.py: {path} has no key {key}")
    pathlib.Path(out).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    commands = {"split": split, "sample": sample, "pairs": pairs, "config": config}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])
