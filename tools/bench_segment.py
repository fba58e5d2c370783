#!/usr/bin/env python3
"""Chinese segmentation: F1 and speed of ours beside other segmenters, on the held-out part of the People's Daily text.
Run it as `./dev bench data segment`.

Each round runs every segmenter once, one thread each, in turn; speeds are medians, and the ratio is that of the medians.
The scores of all of them, ours too, come from tools/segmentation_score.py. Peers keep their own models and their own idea
of a word: those trained on other corpora lose F1 to that difference; snownlp's was trained on this very text, held-out
part included.
"""
import argparse
import json
import pathlib
import platform
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import segmentation_score as reference  # noqa: E402

PEERS = {"jieba": "jieba", "jieba, no HMM": "jieba_no_hmm", "rjieba": "rjieba", "thulac": "thulac", "snownlp": "snownlp"}
SLOW = {"snownlp", "thulac"}  # measured once


def ours(atelier, segmenter, corpus):
    out = subprocess.run([atelier, "--json", "--quiet", "evaluate", "segmentation", "--segmenter", segmenter, "--corpus",
                          corpus], check=True, stdout=subprocess.PIPE).stdout
    return json.loads(out)


def our_words(atelier, segmenter, text):
    out = subprocess.run([atelier, "--json", "segment", "--segmenter", segmenter, "--text", "-"], check=True,
                         input=text, stdout=subprocess.PIPE).stdout
    return [[w for w in line if not w.isspace()] for line in json.loads(out)["lines"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    parser.add_argument("--only", action="append", help="one of the peers; may be given several times")
    options = parser.parse_args()
    folder = ROOT / "build/peer/segment"
    subprocess.run([ROOT / "tools/fetch_segment_peers.sh", folder], check=True)
    atelier = ROOT / "build/release/atelier"
    subprocess.run([atelier, "model", "pull", "segmenter-zh", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    corpus = folder / "corpus/199801.txt"
    held, known = reference.split_corpus(corpus.read_text(encoding="utf-8"))
    lines = ["".join(words) for words in held]
    text = "\n".join(lines).encode()
    size = sum(len(line.encode()) for line in lines)
    versions = json.loads(subprocess.run(
        [folder / "venv/bin/python", "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"], check=True,
        stdout=subprocess.PIPE).stdout)
    versions = {p["name"].replace("_", "-"): p["version"] for p in versions}

    rows, speeds = {}, {}
    for which in ("zh", "icu"):
        rows[which] = reference.score(held, our_words(atelier, which, text), known)
        told = ours(atelier, which, corpus)
        for key in ("words", "found", "right", "precision", "recall", "f1", "oov_rate", "oov_recall", "iv_recall"):
            if abs(told[key] - rows[which][key]) > 1e-12:
                sys.exit(f"atelier evaluate segmentation says {key} = {told[key]}, the reference {rows[which][key]}")
    peers = {name: kind for name, kind in PEERS.items() if not options.only or name in options.only}
    for number in range(options.rounds):
        for which in ("zh", "icu"):
            speeds.setdefault(which, []).append(size / 1e6 / ours(atelier, which, corpus)["seconds"])
        for name, kind in peers.items():
            if number > 0 and name in SLOW:
                continue
            print(f"round {number + 1} of {options.rounds}: {name}", file=sys.stderr, flush=True)
            run = subprocess.run([folder / "venv/bin/python", "-W", "ignore", ROOT / "tools/segment_peer.py", kind],
                                 input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            if run.returncode != 0:
                print(f"{name} does not run here: {run.stderr.decode()[-300:]}", file=sys.stderr)
                continue
            result = json.loads(run.stdout)
            speeds.setdefault(name, []).append(size / 1e6 / result["seconds"])
            if name not in rows:
                found = []
                for line, words in zip(lines, result["lines"], strict=True):
                    if "".join(words) != line:  # thulac and snownlp may change or drop characters
                        words = align(line, words)
                    found.append(words)
                rows[name] = reference.score(held, found, known)
    print(f"{len(held)} lines, {rows['zh']['words']} words, {size / 1e6:.2f} MB; {platform.processor() or 'cpu'}")
    print(f"{'':26}{'F1':>7}{'P':>8}{'R':>8}{'OOV R':>8}{'IV R':>8}{'MB/s':>9}{'ours':>9}")
    fast = statistics.median(speeds["zh"])
    for name, row in rows.items():
        speed = statistics.median(speeds[name])
        package = {"zh": "atelier segmenter-zh", "icu": "atelier icu"}.get(name)
        package = package or f"{name} {versions.get(name.split(',')[0], '')}"
        print(f"{package:26}{100 * row['f1']:7.2f}{100 * row['precision']:8.2f}{100 * row['recall']:8.2f}"
              f"{100 * row['oov_recall']:8.2f}{100 * row['iv_recall']:8.2f}{speed:9.2f}{fast / speed:8.1f}x")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"scores": rows, "speeds": speeds, "versions": versions}))
    jieba = rows.get("jieba")
    if jieba and not (rows["zh"]["f1"] > jieba["f1"] and fast > statistics.median(speeds["jieba"])):
        sys.exit("not above jieba in F1 and speed")


def align(line, words):
    """Words as cuts of the line, where a peer gave other characters: by position while lengths agree."""
    out, at = [], 0
    for word in words:
        found = line.find(word, at)
        if word and found >= 0:
            if found > at:
                out.append(line[at:found])
            out.append(word)
            at = found + len(word)
    if at < len(line):
        out.append(line[at:])
    return out


if __name__ == "__main__":
    main()
