"""How long a suite takes that has nothing to generate: 1,000 cases, two arms whose outputs are in files, six measures with
intervals and paired tests. bench_suite.py ATELIER [--cases N] [--rounds N]. The whole command, its start and files included."""
import argparse
import json
import random
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MEASURES = """
[[assert]]
use = "answered"
[[assert]]
use = "length"
of = "headline"
most_chars = 60
[[metric]]
use = "bleu"
of = "body"
reference = "reference"
tokenize = "zh"
[[metric]]
use = "chrf"
of = "body"
reference = "reference"
[[metric]]
use = "ter"
of = "body"
reference = "reference"
[[metric]]
use = "repetition"
of = "body"
"""


def write(folder, cases):
    """Every other case Chinese: about 30 words or 60 characters, the outputs edits of the reference."""
    r = random.Random(1)
    words = [w for line in open(ROOT / "README.md", encoding="utf-8") for w in line.split()]
    characters = [c for c in (ROOT / "README.zh.md").read_text(encoding="utf-8") if "\u4e00" <= c <= "\u9fff"]
    files = {name: open(folder / f"{name}.jsonl", "w", encoding="utf-8") for name in ("cases", "a", "b")}
    for i in range(cases):
        glue, parts = ("", r.choices(characters, k=60)) if i % 2 else (" ", r.choices(words, k=30))
        case = {"id": f"c{i}", "name": "壶", "features": ["不锈钢", "600毫升"], "reference": glue.join(parts)}
        files["cases"].write(json.dumps(case, ensure_ascii=False) + "\n")
        for arm, share in (("a", 0.2), ("b", 0.3)):
            text = glue.join(r.choice(parts) if r.random() < share else part for part in parts)
            files[arm].write(json.dumps({"id": f"c{i}", "headline": text[:60], "body": text}, ensure_ascii=False) + "\n")
    for file in files.values():
        file.close()
    arms = "".join(f'[[arm]]\nname = "{arm}"\noutputs = "{arm}.jsonl"\n' for arm in "ab")
    (folder / "suite.toml").write_text(f'[suite]\nname = "many"\nrecipe = "{ROOT}/recipes/ad_copy"\n[cases]\n'
                                       f'file = "cases.jsonl"\nid = "id"\n{arms}{MEASURES}')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("atelier")
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, args.cases)
        subprocess.run([args.atelier, "init", folder / "studio"], check=True, capture_output=True)
        seconds = []
        for _ in range(args.rounds):  # from the second on each is held against the one before
            start = time.perf_counter()
            subprocess.run([args.atelier, "evaluate", "suite", folder / "suite.toml", "--out", folder / "out", "--studio",
                            folder / "studio", "--quiet"], check=True, capture_output=True)
            seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    print(f"suite of {args.cases} cases, 2 arms, 6 measures: {median:.2f} s (median of {args.rounds}, "
          f"{min(seconds):.2f} to {max(seconds):.2f}); aim: 1 s")
    raise SystemExit(0 if median < 1 else 1)


if __name__ == "__main__":
    main()
