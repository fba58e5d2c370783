#!/usr/bin/env python3
"""Compares scores against references with sacrebleu's, alternating, and prints the ratios of medians.

    tools/bench_evaluate.py BENCH_PROGRAM PYTHON FOLDER [--lines 3000] [--turns 5] [PART...]

BENCH_PROGRAM is build/release/evaluate_bench, PYTHON has sacrebleu, FOLDER is for the texts that are made: English-like
lines with punctuation, 24 words on average, a fifth of the hypothesis' words changed; for zh lines of Han characters.
Both are timed in a fresh process, one thread, processor time from lines in memory to the score.
"""
import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys

# What is measured: metric, its options for the peer, bootstrap samples, how many times as fast is wanted (0: no aim).
PARTS = {'bleu': ('bleu', 0, 50), 'bleu-bootstrap': ('bleu', 1000, 20), 'chrf': ('chrf', 0, 50), 'ter': ('ter', 0, 0)}


def write_texts(folder, lines):
    draw = random.Random(1)
    vowels, consonants = 'aeiou', 'bcdfghklmnprstvw'
    words = [''.join(draw.choice(consonants) + draw.choice(vowels) for _ in range(draw.choice([1, 1, 2, 2, 3, 4]))) + draw.choice(['', 'n', 's', 't'])
             for _ in range(20000)]
    weights = [1 / (i + 3) for i in range(len(words))]
    refs, hyps = [], []
    for _ in range(lines):
        line = draw.choices(words, weights, k=draw.randrange(8, 41))
        line[0] = line[0].capitalize()
        for at in range(len(line) - 1):
            if draw.random() < 0.06:
                line[at] += draw.choice([',', ';', ' -', "'s", ' 1,200.5'])
        refs.append(' '.join(line) + draw.choice(['.', '.', '?', '!']))
        changed = [draw.choices(words, weights)[0] if draw.random() < 0.2 else word for word in line]
        if draw.random() < 0.3:
            at, to = draw.randrange(len(changed)), draw.randrange(len(changed))
            changed.insert(to, changed.pop(at))
        hyps.append(' '.join(changed) + '.')
    (folder / 'hyp').write_text('\n'.join(hyps) + '\n')
    (folder / 'ref').write_text('\n'.join(refs) + '\n')


def peer(metric, samples, folder):
    import time

    import numpy  # noqa: F401  the bootstrap's import is not counted
    from sacrebleu.metrics import BLEU, CHRF, TER
    hyps, refs = ((folder / name).read_text().splitlines() for name in ('hyp', 'ref'))
    started = time.process_time()
    made = {'bleu': BLEU, 'chrf': CHRF, 'ter': TER}[metric]()
    score = made.corpus_score(hyps, [refs], n_bootstrap=samples or 1)
    print(json.dumps({'seconds': time.process_time() - started, 'score': score.score}))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('program')
    parser.add_argument('python')
    parser.add_argument('folder', type=pathlib.Path)
    parser.add_argument('parts', nargs='*', default=list(PARTS), metavar='PART')
    parser.add_argument('--lines', type=int, default=3000)
    parser.add_argument('--turns', type=int, default=5)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    write_texts(options.folder, options.lines)
    one_thread = {**os.environ, **{f'{name}_NUM_THREADS': '1' for name in ('OMP', 'OPENBLAS', 'MKL')}}

    def run(*command):
        done = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True, env=one_thread)
        return json.loads(done.stdout)

    short = []
    for part in options.parts:
        metric, samples, wanted = PARTS[part]
        ours, theirs = [], []
        for _ in range(options.turns):
            ours.append(run(options.program, metric, samples, options.folder / 'hyp', options.folder / 'ref'))
            theirs.append(run(options.python, __file__, '--peer', metric, samples, options.folder))
        if abs(ours[0]['score'] - theirs[0]['score']) > 1e-8:
            raise SystemExit(f'{part}: {ours[0]["score"]}, sacrebleu has {theirs[0]["score"]}')
        fast, slow = (statistics.median(one['seconds'] for one in runs) for runs in (ours, theirs))
        print(f'{part}: {1e3 * fast:.2f} ms, sacrebleu {1e3 * slow:.1f} ms; ratio {slow / fast:.1f}'
              + (f' (wanted: {wanted})' if wanted else '') + f'; {options.lines} lines, score {ours[0]["score"]:.2f}', flush=True)
        if slow / fast < wanted:
            short.append(part)
    return 1 if short else 0


if __name__ == '__main__':
    if len(sys.argv) == 5 and sys.argv[1] == '--peer':
        peer(sys.argv[2], int(sys.argv[3]), pathlib.Path(sys.argv[4]))
    else:
        sys.exit(main())
