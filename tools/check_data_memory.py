#!/usr/bin/env python3
"""Imports, cleans and de-duplicates one large file and says what memory each step took, and whether it was right.

    tools/check_data_memory.py ATELIER CORPUS_FOLDER WORK_FOLDER [--gigabytes 20] [--seed 1]

CORPUS_FOLDER holds what tools/fetch_clean_peers.sh fetched. WORK_FOLDER wants some three times --gigabytes of disk, and
is emptied at the end. The file: JSON lines of one to twelve sentences drawn from Chinese reviews, the People's Daily and
the Brown corpus, with running numbers in them; every 50th repeats the record ten before it as it is, every 70th with one
word more, every 10,000th line is broken JSON. What must come out is therefore known: how many records are rejected, and
at least how many are equal or near. (Records of one or two sentences are near by themselves, too.) Peak memory is the
kernel's ru_maxrss of the child process.
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from clean_corpus import sources  # noqa: E402

LIMIT_MIB = 1024


def write(path, folder, size, seed):
    """Returns what was written: records, broken lines, equal and near copies."""
    draw = random.Random(seed)
    made = sources(folder)
    sentences = [json.dumps(s.strip(), ensure_ascii=False)[1:-1] for name in ("review", "daily", "brown") for s in made[name]]
    counts = dict(records=0, broken=0, equal=0, near=0)
    written = number = 0
    before = []
    with open(path, "w", encoding="utf-8", buffering=1 << 22) as out:
        while written < size:
            block = []
            for _ in range(4096):
                number += 1
                text = f"{' '.join(draw.choices(sentences, k=1 + int(12 * draw.random())))} {number * 7919 % 1000003}"
                if number % 50 == 0 and len(before) == 10:
                    text = before[0]
                    counts["equal"] += 1
                elif number % 70 == 0 and len(before) == 10 and len(before[0]) > 400:
                    text = before[0] + " again"
                    counts["near"] += 1
                elif number % 10000 == 1:
                    block.append('{"number":%d,"text":"%s\n' % (number, text))
                    counts["broken"] += 1
                    continue
                before.append(text)
                if len(before) > 10:
                    before.pop(0)
                counts["records"] += 1
                block.append('{"number":%d,"text":"%s"}\n' % (number, text))
            text = "".join(block)
            out.write(text)
            written += len(text.encode())
    return counts


def step(name, command):
    began = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds, peak = time.monotonic() - began, usage.ru_maxrss / 1024
    print(f"{name:8} {seconds:8.1f} s  {usage.ru_utime + usage.ru_stime:8.1f} s of processor  peak {peak:7.1f} MiB", flush=True)
    if child.returncode != 0:
        sys.exit(f"{name} failed with {child.returncode}")
    return json.loads(out), peak


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("atelier", type=pathlib.Path)
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--gigabytes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    source, studio = args.work / "big.jsonl", args.work / "studio"
    atelier = str(args.atelier.resolve())
    try:
        subprocess.run([atelier, "init", str(studio)], check=True, stdout=subprocess.DEVNULL)
        began = time.monotonic()
        counts = write(source, args.corpus, args.gigabytes * 1e9, args.seed)
        print(f"{source.stat().st_size / 1e9:.2f} GB, {counts} in {time.monotonic() - began:.0f} s", flush=True)
        common = ["--studio", str(studio), "--json", "--quiet"]
        imported, a = step("import", [atelier, "data", "import", str(source), "--name", "big", *common])
        source.unlink()
        cleaned, b = step("clean", [atelier, "data", "clean", "big", "--config", str(ROOT / "bench/clean.toml"), *common])
        subprocess.run([atelier, "data", "rm", "big@1", "--studio", str(studio), "--quiet"], check=True,
                       stdout=subprocess.DEVNULL)
        deduped, c = step("dedup", [atelier, "data", "dedup", "big", "--field", "text", *common])
        manifest = imported.get("dataset", imported)
        report = deduped["report"]
        print(json.dumps({"import": {k: manifest[k] for k in ("records", "rejects", "bytes")},
                          "clean": {k: cleaned["dataset"][k] for k in ("records", "rejects")},
                          "dedup": {k: report[k] for k in ("records", "kept", "exact", "near", "clusters", "spilled")}}))
        wrong = []
        if (manifest["records"], manifest["rejects"]) != (counts["records"], counts["broken"]):
            wrong.append("the import's records and rejects are not those that were written")
        if report["exact"] + report["near"] < 0.97 * (counts["equal"] + counts["near"]) - (counts["records"] - report["records"]):
            wrong.append("fewer duplicates than were planted")
        for name, peak in (("import", a), ("clean", b), ("dedup", c)):
            if peak > LIMIT_MIB:
                wrong.append(f"{name} took {peak:.0f} MiB")
        print("; ".join(wrong) or f"all under {LIMIT_MIB} MiB, and right")
        return 1 if wrong else 0
    finally:
        shutil.rmtree(args.work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
