#!/usr/bin/env python3
"""The bakeoff's scores of a segmentation, written down once more and calling nothing of ours: what
src/evaluate/segmentation.cc is held against.

    tools/segmentation_score.py GOLD FOUND [TRAIN]

All are text with one sentence a line and white space between words. A word is right where GOLD has a word of the same
begin and end in the same line. Precision = right / found, recall = right / gold, F1 their harmonic mean; OOV words are
those of GOLD that TRAIN does not have.
"""
import json
import pathlib
import sys

HELD_OUT_SEED, RUN = 199801, 100


def spans(words):
    out, at = [], 0
    for word in words:
        out.append((at, at + len(word)))
        at += len(word)
    return out


def score(gold, found, known=None):
    """gold, found: lists of lists of words; known: the words of the training text, or None."""
    counts = dict(gold=0, found=0, right=0, oov=0, oov_right=0)
    for g, f in zip(gold, found, strict=True):
        if "".join(g) != "".join(f):
            raise ValueError(f"not words of the same text: {''.join(g)[:60]!r}, {''.join(f)[:60]!r}")
        hits = set(spans(f))
        counts["gold"] += len(g)
        counts["found"] += len(f)
        for word, span in zip(g, spans(g)):
            right = span in hits
            counts["right"] += right
            if known is not None and word not in known:
                counts["oov"] += 1
                counts["oov_right"] += right
    c = counts
    p = c["right"] / c["found"] if c["found"] else 0.0
    r = c["right"] / c["gold"] if c["gold"] else 0.0
    out = dict(words=c["gold"], found=c["found"], right=c["right"], precision=p, recall=r,
               f1=2 * p * r / (p + r) if p + r else 0.0)
    if known is not None:
        iv = c["gold"] - c["oov"]
        out.update(oov_rate=c["oov"] / c["gold"] if c["gold"] else 0.0,
                   oov_recall=c["oov_right"] / c["oov"] if c["oov"] else 0.0,
                   iv_recall=(c["right"] - c["oov_right"]) / iv if iv else 0.0)
    return out


def splitmix(state):
    mask = (1 << 64) - 1
    z = (state + 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)


def split_corpus(text, seed=HELD_OUT_SEED):
    """Lines of word/tag, as (held-out lines, words of the others). docs/formats/segmenter.md has the rule."""
    held, known = [], set()
    for number, line in enumerate(text.split("\n")):
        words = [w[:w.rindex("/")] if w.rfind("/") > 0 else w for w in line.replace("\r", " ").split()]
        if splitmix(seed + number // RUN) % 10 == 0:
            if words:
                held.append(words)
        else:
            known.update(words)
    return held, known


def read(path):
    return [line.split() for line in pathlib.Path(path).read_text(encoding="utf-8").split("\n")]


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    known = {w for line in read(sys.argv[3]) for w in line} if len(sys.argv) == 4 else None
    print(json.dumps(score(read(sys.argv[1]), read(sys.argv[2]), known)))


if __name__ == "__main__":
    main()
