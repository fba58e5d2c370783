"""ROUGE beside rouge-score, alternating: the ratio of medians. bench_rouge.py ATELIER [--pairs N] [--rounds N], with
rouge-score in the Python that runs it (build/peer/venv-labels/bin/python, which ./dev golden labels makes). Both read
the same two files and give the mean F1 of all four measures; the program's time includes its start and the files."""
import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

from rouge_score import rouge_scorer

MEASURES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]


def texts(pairs, seed=1):
    """Summaries of about sixty words: Zipf's law over 8,000 made-up words, the hypothesis an edit of the reference."""
    r = random.Random(seed)
    vocabulary = ["".join(r.choice("etaoinshrdlucmfwypvbgk") for _ in range(r.randint(2, 9))) for _ in range(8000)]
    vocabulary = [w + r.choice(("", "", "s", "ed", "ing", "ation")) for w in vocabulary]
    weights = [1 / (i + 1) for i in range(len(vocabulary))]
    out = ([], [])
    for _ in range(pairs):
        reference = r.choices(vocabulary, weights, k=r.randint(30, 90))
        hypothesis = [w if r.random() < 0.7 else r.choices(vocabulary, weights)[0] for w in reference if r.random() < 0.9]
        for side, words in zip(out, (hypothesis, reference)):
            side.append(" ".join(words).capitalize() + ".")
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("atelier")
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--aim", type=float, default=50)
    args = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("hyp", "ref")]
        for path, lines in zip(paths, texts(args.pairs)):
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(line + "\n" for line in lines)

        def ours(stem):
            command = [args.atelier, "evaluate", "rouge", "--hyp", paths[0], "--ref", paths[1], "--json", "--quiet"]
            return json.loads(subprocess.run(command + ["--stem"] * stem, check=True, capture_output=True).stdout)

        def peer(stem):
            hypotheses, references = (open(p, encoding="utf-8").read().splitlines() for p in paths)
            scorer = rouge_scorer.RougeScorer(MEASURES, use_stemmer=stem)
            scores = [scorer.score(r, h) for h, r in zip(hypotheses, references)]
            return {m: sum(s[m].fmeasure for s in scores) / len(scores) for m in MEASURES}

        for stem in (False, True):
            times = {ours: [], peer: []}
            results = {}
            for _ in range(args.rounds):
                for run in (peer, ours):
                    begin = time.perf_counter()
                    results[run] = run(stem)
                    times[run].append(time.perf_counter() - begin)
            apart = max(abs(results[ours][m] - results[peer][m]) for m in MEASURES)
            mine, theirs = statistics.median(times[ours]), statistics.median(times[peer])
            print(f"ROUGE{' with stems' if stem else ''}, {args.pairs} pairs: rouge-score {theirs:.3f} s, atelier {mine:.4f} s, "
                  f"{theirs / mine:.0f} times; scores differ by {apart:.1e} at most (aim: {args.aim:.0f} times)")
            failed = failed or theirs / mine < args.aim or apart > 1e-8
    return failed


if __name__ == "__main__":
    sys.exit(main())
