"""Writes tests/golden/evaluate/lexical.json: what sacrebleu makes of small adversarial texts, for BLEU, chrF and TER.
With --compare ATELIER holds the program itself against sacrebleu on thousands of lines, and writes nothing.

Usage: golden_evaluate.py [--compare ATELIER [--corpora N] [--seed S] [--no-sweep]]   (tools/golden.sh evaluate makes the environment)
"""
import argparse
import json
import logging
import pathlib
import random
import subprocess
import sys
import tempfile
import unicodedata

import regex
import sacrebleu
from sacrebleu.metrics import BLEU, CHRF, TER

HERE = pathlib.Path(__file__).resolve().parent.parent / 'tests/golden/evaluate'
logging.getLogger('sacrebleu').setLevel(logging.ERROR)

WORDS = ('the a cat sat on mat of and to in it was dog ran fast house red green very good time day people said '
         'price coffee kettle steel water 今天 天气 很 好 我们 去 公园 咖啡 壶 不锈钢 价格 优惠 the the').split()
# What borders, case, widths and planes act upon.
PIECES = ['.', ',', '..', '...', '....', '.,.', '5', '1,000.50', '3.', '.5', '5..5', '5...5', '7-8', '-9', 'a-b', '9--', '-', '--', '$5', '%', "'",
          "'s", "it's", "dog's.", "cat's!", 'U.S.', 'e.g.,', '(', ')', '((hi))', '"', '/', '\\', '#', '@', '~', '_', '^', '`', '{', '}', '|',
          '&amp;', '&lt;', '&quot;', '&amp;lt;', '&amp;amp;', '&gt;', '&', '<skipped>', '<skip', 'x<skipped>y', ':', ';', '!', '?', '?!',
          '，', '。', '！', '：', '；', '（', '）', '“', '”', '‘', '’', '…', '—', '–', '、', '《', '》', '「', '」', '・', '･', '｡', '～', 'Ａ', 'ｂ', '５', '．', '１．５',
          '％', '￥', 'ｶ', 'ｶ\uff9e', '臺灣', '龥', '\u9fa6', '\u9fbb', '\u9fbc', '\u9fff', '\u3400', '\u3f22', '\u3f23', '\u4db5', '\u4db6', '\U00020000', '\U0002a6d6',
          '\U0002f800', '\U0002fa1d', '\U00030000', '\uf900', '\ufa2d', '\ufa2e', '\u2f00', '\u2fd5', '\u2ff0', '\u3105', '\u31a0', '\u31c0', '\u2e80', '\u2eff',
          '\u3200', '\u32ff', '\u3300', '\u33ff', '\ufe10', '\ufe30', '\u2600', '\u27bf', '\u2001', '\u2010', '\u2a6d', '\u2a6e', 'ひらがな', 'カタカナ', 'ㇰ',
          '한국어', '\u1112\u1161\u11ab', 'é', 'e\u0301', 'ñ\u0303', '\u0301', 'a\u0323\u0307', 'Ä', 'ß', 'ẞ', 'İ', 'I', 'ı', 'ΣΑΣ', 'ὈΔΥΣΣΕΎΣ', 'Σ', 'ﬁ', 'Ǆ', 'Ⅷ', '²', '½', '①', '٣', '٣.٥',
          '५', '४,५', '८.', '。5', '5。5', '5、5', '5·5', '«', '»', '¿', '¡', '§', '©', '€', '+', '=', '<', '>', '×', '→', '∑', '😀', '👩\u200d💻', '👍🏽', '🇨🇳', '❤\ufe0f',
          '\U0001d538', '\U0001d7d8', '\U0001d7d8.\U0001d7d9', 'ไทย', 'العربية', 'हिन्दी', '\u200b', '\u200d', '\ufeff', '\u00ad', '\u202e', '\ufffd', '\ue000',
          'THE', 'Cat', 'DOG', 'NASA', '\u0000', '\u0007', '\u007f']
SPACES = ['\u3000', '\u00a0', '\t', '  ', '\u2003', '\u2028', '\u0085', '\x1c', '\x1f', '\u205f', '\u202f', '\u1680', '\r', '\x0b']


def text(draw, wild):
    """A line: words and pieces, with and without spaces between them."""
    parts = []
    for _ in range(draw.choice([0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 40])):
        parts.append(draw.choice(PIECES if draw.random() < wild else WORDS))
        if draw.random() < 0.8 - 0.5 * wild:
            parts.append(draw.choice(SPACES) if draw.random() < 0.15 * wild else ' ')
    return ''.join(parts).rstrip()


def mutated(draw, line, wild):
    """A line like this one: words dropped, repeated, replaced, phrases moved."""
    kind = draw.random()
    if kind < 0.05:
        return ''
    if kind < 0.12:
        return text(draw, wild)
    words = line.split(' ')
    for _ in range(draw.randrange(0, 5)):
        if not words:
            break
        at = draw.randrange(len(words))
        what = draw.randrange(6)
        if what == 0:
            del words[at]
        elif what == 1:
            words.insert(at, draw.choice(WORDS + PIECES))
        elif what == 2:
            words[at] = draw.choice(WORDS)
        elif what == 3:
            words[at:at] = words[at:at + draw.randrange(1, 4)]
        elif what == 4:
            end = min(len(words), at + draw.randrange(1, 12))
            phrase = words[at:end]
            del words[at:end]
            to = draw.randrange(len(words) + 1)
            words[to:to] = phrase
        else:
            words[at] = words[at].swapcase()
    return ' '.join(words).rstrip()


def texts(draw, lines, references):
    wild = draw.choice([0, 0.2, 0.5, 0.9])
    hyps, refs = [], [[] for _ in range(references)]
    for _ in range(lines):
        line = text(draw, wild)
        if draw.random() < 0.02:  # very long, and very repetitive
            line = ' '.join(draw.choice(WORDS[:draw.choice([2, 5, 20])]) for _ in range(draw.choice([60, 120, 250])))
        hyps.append(mutated(draw, line, wild) if draw.random() < 0.9 else line)
        for r in refs:
            r.append(mutated(draw, line, wild) if draw.random() < 0.6 else line)
    for r in refs:
        if not any(r):
            r[0] = 'the cat'
    if hyps[0].startswith('\ufeff') or any(r[0].startswith('\ufeff') for r in refs):  # a mark there is left out
        return texts(draw, lines, references)
    return hyps, refs


def options(draw, name):
    if name == 'bleu':
        smooth = draw.choice(['exp', 'exp', 'floor', 'add-k', 'none'])
        out = {'tokenize': draw.choice(['13a', '13a', 'intl', 'zh', 'zh', 'char', 'none']), 'smooth': smooth}
        if smooth in ('floor', 'add-k') and draw.random() < 0.5:
            out['smooth-value'] = draw.choice([0, 0.01, 0.125, 0.5, 2, 3.7])
        if draw.random() < 0.2:
            out['max-order'] = draw.choice([1, 2, 3, 5, 6])
        flags = ['lowercase', 'effective-order']
    elif name == 'chrf':
        out = {}
        if draw.random() < 0.5:
            out['word-order'] = draw.choice([1, 2, 2, 2, 3])
        if draw.random() < 0.3:
            out['char-order'] = draw.choice([1, 2, 4, 5, 7, 9])
        if draw.random() < 0.3:
            out['beta'] = draw.choice([0, 1, 3])
        flags = ['lowercase', 'whitespace', 'eps-smoothing']
    else:
        out, flags = {}, ['normalized', 'no-punct', 'asian-support', 'case-sensitive']
    for flag in flags:
        if draw.random() < (0.5 if name == 'ter' else 0.25):
            out[flag] = True
    return out


def peer(name, opts, line):
    if name == 'bleu':
        return BLEU(lowercase=opts.get('lowercase', False), force=True, tokenize=opts['tokenize'], smooth_method=opts['smooth'],
                    smooth_value=opts.get('smooth-value'), max_ngram_order=opts.get('max-order', 4),
                    effective_order=line or opts.get('effective-order', False))
    renamed = {key.replace('-', '_'): value for key, value in opts.items()}
    return CHRF(**renamed) if name == 'chrf' else TER(**renamed)


def expected(name, opts, hyps, refs):
    metric, by_line = peer(name, opts, False), peer(name, opts, True)
    score = metric.corpus_score(hyps, refs).score
    signature = str(metric.get_signature())
    lines = [by_line.sentence_score(h, [r[i] for r in refs]).score for i, h in enumerate(hyps)]
    return {'score': score, 'signature': signature, 'lines': lines}


def case(draw, lines):
    name = draw.choice(['bleu', 'bleu', 'chrf', 'ter'])
    opts = options(draw, name)
    hyps, refs = texts(draw, lines, draw.choice([1, 1, 2, 3, 4]))
    return {'metric': name, 'options': opts, 'hyp': hyps, 'refs': refs}


def sweep():
    """Every character that Unicode 14 has assigned, where borders are decided; a line holds one."""
    hyps, ref = [], []
    for code in range(1, 0x110000):
        c = chr(code)
        if unicodedata.category(c) in ('Cn', 'Cs', 'Co') or c == '\n' or (0x4E10 < code < 0x9F00) or (0xAC10 < code < 0xD790) \
                or (0x17010 < code < 0x187F0) or (0x20010 < code < 0x2A6C0):
            continue
        hyps.append(f"a{c}b 1{c}2 x{c} {c}{c}{c}7 é{c}. {c}'s Σ{c}Σ")
        ref.append(f"a {c} b 1 {c} 2 x {c} {c} {c} {c} 7 é {c} . {c} 's Σ {c} Σ")
    for name, opts in [('bleu', {'tokenize': t, 'smooth': 'exp'}) for t in ('13a', 'intl', 'zh', 'char', 'none')] + [
            ('bleu', {'tokenize': '13a', 'smooth': 'exp', 'lowercase': True}), ('chrf', {'word-order': 2, 'lowercase': True})] + [
            ('ter', {'normalized': True, 'asian-support': True}),
            ('ter', {'normalized': True, 'asian-support': True, 'no-punct': True, 'case-sensitive': True}), ('ter', {'no-punct': True})]:
        yield {'metric': name, 'options': opts, 'hyp': hyps, 'refs': [ref]}


def ours(program, folder, one):
    def written(name, lines):
        path = folder / name
        path.write_bytes(''.join(line + '\n' for line in lines).encode())
        return str(path)

    args = [program, '--json', 'evaluate', one['metric'], '--hyp', written('hyp', one['hyp']), '--sentence']
    for i, lines in enumerate(one['refs']):
        args += ['--ref', written(f'ref{i}', lines)]
    for key, value in one['options'].items():
        args += ['--' + key] if value is True else ['--' + key, str(value)]
    done = subprocess.run(args, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f'{args}: {done.stderr}')
    return json.loads(done.stdout)


def compare(program, corpora, seed, sweeping):
    draw = random.Random(seed)
    worst, lines, faults = 0.0, 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)

        def cases():
            for _ in range(corpora):
                yield case(draw, draw.choice([1, 2, 40, 60]))
            if sweeping:
                yield from sweep()

        for number, one in enumerate(cases()):
            told, wanted = ours(program, folder, one), expected(one['metric'], one['options'], one['hyp'], one['refs'])
            gaps = [abs(a - b) for a, b in zip(told['sentences'], wanted['lines'], strict=True)]
            gaps.append(abs(told['score'] - wanted['score']))
            lines += len(one['hyp'])
            worst = max(worst, max(gaps))
            signature = ''.join(f'|{part}' for part in told['signature'].split('|') if not part.startswith('order:'))[1:]
            for i, gap in enumerate(gaps):
                if not gap <= 1e-8:
                    faults += 1
                    if faults <= 20:
                        where = 'corpus' if i == len(one['hyp']) else \
                            f'line {i + 1}: {one["hyp"][i]!r} against {[r[i] for r in one["refs"]]!r}: {told["sentences"][i]}, wanted {wanted["lines"][i]}'
                        print(f'case {number}, {one["metric"]} {one["options"]}: off by {gap}; {where}')
            if signature != wanted['signature']:
                faults += 1
                print(f'case {number}: signature {signature}, wanted {wanted["signature"]}')
    print(f'{corpora} corpora{" and a sweep over characters" if sweeping else ""}, {lines} lines; the greatest difference is {worst:.3g}; {faults} faults')
    return 1 if faults else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--compare')
    parser.add_argument('--corpora', type=int, default=400)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--no-sweep', action='store_true', help='leave out the sweep over characters, which takes minutes')
    arguments = parser.parse_args()
    if arguments.compare:
        return compare(arguments.compare, arguments.corpora, arguments.seed, not arguments.no_sweep)
    draw = random.Random(6)
    cases = []
    for _ in range(72):
        one = case(draw, 9)
        cases.append({**one, **expected(one['metric'], one['options'], one['hyp'], one['refs'])})
    made_by = f'sacrebleu {sacrebleu.__version__}, regex {regex.__version__}, Python {sys.version.split()[0]}, ' \
              f'unicodedata {unicodedata.unidata_version}'
    HERE.mkdir(parents=True, exist_ok=True)
    (HERE / 'lexical.json').write_text(json.dumps({'made_by': made_by, 'cases': cases}, ensure_ascii=True, separators=(',', ':')) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
