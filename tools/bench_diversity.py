"""Self-BLEU beside NLTK's sentence_bleu with method1, alternating: the ratio of medians. bench_diversity.py ATELIER [--lines N]
[--rounds N], with NLTK in the Python that runs it (build/peer/venv-labels/bin/python, which ./dev golden labels makes).
Both give the mean over the lines of one file, each line against all others; the program's time includes its start."""
import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

from nltk.translate import bleu_score


def texts(count, seed=1):
    """Lines of 24 words on average: Zipf's law over 5,000 words."""
    r = random.Random(seed)
    weights = [1 / (i + 3) for i in range(5000)]
    return [" ".join(f"w{i}" for i in r.choices(range(5000), weights, k=r.randint(8, 40))) for _ in range(count)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("atelier")
    parser.add_argument("--lines", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    lines = texts(args.lines)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "hyp")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)

        def ours():
            command = [args.atelier, "evaluate", "diversity", "--hyp", path, "--tokenize", "none", "--json", "--quiet"]
            return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["self_bleu"][-1]

        def peer():
            method, tokens = bleu_score.SmoothingFunction().method1, [line.split() for line in lines]
            scores = [bleu_score.sentence_bleu(tokens[:i] + tokens[i + 1:], text, smoothing_function=method) for i, text in enumerate(tokens)]
            return 100 * sum(scores) / len(scores)

        times, results = {ours: [], peer: []}, {}
        for _ in range(args.rounds):
            for run in (peer, ours):
                begin = time.perf_counter()
                results[run] = run()
                times[run].append(time.perf_counter() - begin)
    apart = abs(results[ours] - results[peer])
    mine, theirs = statistics.median(times[ours]), statistics.median(times[peer])
    print(f"self-BLEU, {args.lines} lines: NLTK {theirs:.3f} s, atelier {mine:.4f} s, {theirs / mine:.0f} times; they differ by {apart:.1e}")
    return apart > 1e-8


if __name__ == "__main__":
    sys.exit(main())
