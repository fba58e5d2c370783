"""Writes tests/golden/evaluate/ngram.json: bits of texts under modified Kneser-Ney models of characters, computed straight
from the definition (Chen & Goodman 1999; adjusted counts as in Heafield et al. 2013) over tuples and sets. With --compare
ATELIER LMPLZ QUERY TRAIN TEST also holds the program against KenLM on real texts, one a line, and writes nothing.

Usage: golden_ngram.py [--compare ATELIER LMPLZ QUERY TRAIN.txt TEST.txt]   (any Python 3)
"""
import collections
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/evaluate"
BEGIN, END, UNSEEN = "<begin>", "<end>", "<unseen>"
LETTERS = "春眠不觉晓处闻啼鸟abcde  ，。🙂é"


class Model:
    def __init__(self, texts, order):
        self.order = order
        raw = collections.Counter()
        for text in texts:
            symbols = [BEGIN, *text, END]
            for n in range(1, order + 1):
                raw.update(tuple(symbols[i : i + n]) for i in range(len(symbols) - n + 1))
        before = collections.defaultdict(set)
        for gram in raw:
            before[gram[1:]].add(gram[0])
        self.count = {g: raw[g] if len(g) == order or g[0] == BEGIN else len(before[g]) for g in raw if g[-1] != BEGIN}
        self.count = {g: c for g, c in self.count.items() if c}
        self.vocabulary = {g[-1] for g in self.count} | {UNSEEN}
        self.discounts = []
        for n in range(1, order + 1):
            t = collections.Counter(c for g, c in self.count.items() if len(g) == n)
            try:
                y = t[1] / (t[1] + 2 * t[2])
                d = [k - (k + 1) * y * t[k + 1] / t[k] for k in (1, 2, 3)]
            except ZeroDivisionError:
                d = [-1.0] * 3
            self.discounts.append(d if all(0 <= v <= k for k, v in zip((1, 2, 3), d)) else [0.5, 1.0, 1.5])
        self.after = collections.defaultdict(list)
        for g, c in self.count.items():
            self.after[g[:-1]].append(c)

    def discount(self, n, c):
        return self.discounts[n - 1][min(c, 3) - 1]

    def p(self, context, symbol):
        context = tuple(context[max(0, len(context) - self.order + 1) :])
        lower = self.p(context[1:], symbol) if context else 1 / len(self.vocabulary)
        counts = self.after.get(context)
        if not counts:
            return lower
        n, total = len(context) + 1, sum(counts)
        taken = sum(self.discount(n, c) for c in counts) / total
        c = self.count.get((*context, symbol), 0)
        return (c - self.discount(n, c) if c else 0) / total + taken * lower

    def bits(self, text):
        seen, total = [BEGIN], 0.0
        known = {s for s in self.vocabulary if len(s) == 1}
        for symbol in [*text, END]:
            missing = symbol != END and symbol not in known
            total -= math.log2(self.p(seen, UNSEEN if missing else symbol))
            if missing:
                total += math.log2(0x110000 - 0x800 - len(known))
            seen.append(UNSEEN if missing else symbol)
        return total


def write():
    draw = random.Random(3)
    train = ["", "春", "春眠不觉晓，处处闻啼鸟。", "aaaa", "🙂🙂"]
    train += ["".join(draw.choices(LETTERS, k=draw.randint(0, 30))) for _ in range(60)]
    test = ["", "春眠", "龘", "晓龘晓🙂aaaaaaaaé", "春眠不觉晓，处处闻啼鸟。", "".join(draw.choices(LETTERS, k=40))]
    cases = []
    for texts in (train, train[:2], ["ab"]):
        for order in (1, 2, 3, 5):
            model = Model(texts, order)
            cases.append({"train": texts, "order": order, "discounts": model.discounts, "bits": [[t, model.bits(t)] for t in test]})
    (HERE / "ngram.json").write_text(json.dumps({"python": sys.version.split()[0], "cases": cases}, ensure_ascii=False, indent=1) + "\n")


def compare(program, lmplz, query, train, test):
    """KenLM reads the characters as words; a space, which it would skip, as ▁."""
    spaced = lambda path: "\n".join(" ".join(line.replace(" ", "▁")) for line in pathlib.Path(path).read_text().splitlines()) + "\n"
    for order in (2, 3, 5):
        with tempfile.TemporaryDirectory() as folder:
            arpa = f"{folder}/model.arpa"
            subprocess.run([lmplz, "-o", str(order), "--arpa", arpa, "--discount_fallback"], input=spaced(train), text=True, check=True, capture_output=True)
            said = subprocess.run([query, "-v", "sentence", arpa], input=spaced(test), text=True, check=True, capture_output=True).stdout
        totals = [line.split() for line in said.splitlines() if line.startswith("Total:")]
        bits = -sum(float(t[1]) for t in totals) / math.log10(2)
        ours = json.loads(subprocess.run([program, "evaluate", "ngram", "--train", train, "--input", test, "--order", str(order), "--json"],
                                         check=True, capture_output=True, text=True).stdout)
        mine = ours["bits_per_character"] * (ours["characters"] + ours["texts"]) - ours["unseen"] * math.log2(0x110000 - 0x800 - ours["different_characters"])
        print(f"order {order}: KenLM {bits:.3f} bits, ours {mine:.3f}, apart {abs(mine - bits) / bits:.2e}")


if len(sys.argv) > 1:
    compare(*sys.argv[2:])
else:
    write()
