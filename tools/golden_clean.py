"""Writes tests/golden/clean/: what Python's unicodedata and html, numpy and scikit-learn make of small data, for the
operations of `atelier data clean`.

Usage: golden_clean.py   (tools/golden.sh clean makes the environment)
"""
import html
import json
import pathlib
import random
import sys
import unicodedata

import numpy
import sklearn
from sklearn.feature_selection import chi2, mutual_info_classif
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler

HERE = pathlib.Path(__file__).resolve().parent.parent / 'tests/golden/clean'

# Pieces that normal forms, widths, spaces and invisible characters act upon, and ordinary ones between them.
PIECES = ['e\u0301', 'é', 'A\u030a', 'Å', '\u212b', 'ﬁ', '²', '½', '①', '㍿', '㎏', '가', '\u1100\u1161\u11a8', 'ｱ', 'ｶ\uff9e', 'ﾊ\uff9f',
          'ﾞ', 'か\u3099', 'Ａ', 'ｚ', '７', '，', '！', '（', '　', '\u00a0', '\u2009', '\t', '\r\n', '\r', '\n', '\n\n\n', '  ', ' ',
          '\u200b', '\ufeff', '\u00ad', '\u202e', '\u2066', '\u0007', '\u007f', '\u0085', '\u2028', '“', '”', '‘', '’', '«', '中文', '臺', 'plain ',
          'text', '。', '😀', '👩\u200d💻', '\u0915\u094d\u200d\u0937', 'q\u0323\u0307', 'q\u0307\u0323', '\u0344', '\uf900', '\U0002f800', 'ﬃ', 'ￗ', '￦',
          '\u0300', 'Ω', 'ϓ', 'ẛ\u0323', 'ſ', '³', '\u3000', '〜', '～', '"', "'", '\\', '<', '&']

DROP = set('\u00ad\u061c\u180e\u200b\u200e\u200f\u2060\ufeff') | {chr(c) for c in range(0x202A, 0x202F)} | \
    {chr(c) for c in range(0x2066, 0x206A)} | {'\ufff9', '\ufffa', '\ufffb'}
FEEDS = '\r\x0b\x0c\x85\u2028\u2029'
WHITE = '\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000'
QUOTES = {'‘': "'", '’': "'", '‚': "'", '‛': "'", '“': '"', '”': '"', '„': '"', '‟': '"', '«': '"', '»': '"', '‹': "'", '›': "'"}


def character(c, width, space, quotes):
    code = ord(c)
    if c in FEEDS or c in WHITE:
        return c if space == 'keep' else '\n' if c in FEEDS else ' '
    if code < 0x20 and c != '\n' or 0x7F <= code < 0xA0:
        return ''
    if c in DROP:
        return ''
    if 0xFF01 <= code <= 0xFF5E:
        plain = chr(code - 0xFEE0)
        if width == 'all' or width == 'letters' and plain.isalnum():
            return plain
    if 0xFF61 <= code <= 0xFF9F and width != 'keep':
        return unicodedata.normalize('NFKC', c)
    if quotes == 'ascii' and c in QUOTES:
        return QUOTES[c]
    return c


def normalise(text, form, width, space, quotes):
    """The same contract as src/data/clean/normalise.cc, written a second time, character by character."""
    if space != 'keep':
        text = text.replace('\r\n', '\n')
    kana = width != 'keep' and any(0xFF61 <= ord(c) <= 0xFF9F for c in text)
    text = ''.join(character(c, width, space, quotes) for c in text)
    if form != 'none' or kana:
        text = unicodedata.normalize('NFC' if form == 'none' else form.upper(), text)
    if space == 'trim':
        text = text.strip(' \n')
    if space == 'collapse':
        lines = [' '.join(part for part in line.split(' ') if part) for line in text.strip(' \n').split('\n')]
        text = '\n'.join(lines)
        while '\n\n\n' in text:
            text = text.replace('\n\n\n', '\n\n')
    return text


def normal_cases(draw):
    for number in range(400):
        text = ''.join(draw.choice(PIECES) for _ in range(draw.randrange(1, 14)))
        options = {'form': draw.choice(['nfc', 'nfc', 'nfkc', 'none']), 'width': draw.choice(['letters', 'all', 'keep']),
                   'space': draw.choice(['collapse', 'collapse', 'trim', 'keep']), 'quotes': draw.choice(['keep', 'ascii'])}
        yield dict(options, text=text, expected=normalise(text, **options))


def entity_cases(draw):
    pieces = ['&amp;', '&lt;p&gt;', '&eacute;', '&Eacute;', '&hellip;', '&#20013;', '&#x4E2d;', '&#128;', '&#0;', '&#xD800;',
              '&#1114112;', '&nbsp;', '&unknown;', '&', '&&', 'a&b', '&#;', '&#x;', '&euro;', '中', '&middot;', ' ', '&yuml;',
              '&quot;', '&apos;', '&copy;']
    for _ in range(150):
        text = ' '.join(draw.choice(pieces) for _ in range(draw.randrange(1, 9)))
        yield {'text': text, 'expected': html.unescape(text)}


def table(draw):
    """A table of numbers and categories with gaps, and what the peers make of it."""
    rows = []
    for number in range(160):
        label = draw.choice(['good', 'bad', 'fair'])
        rows.append({'price': round(draw.gauss(100, 20), 2) if draw.random() > 0.03 else round(draw.gauss(900, 50), 2),
                     'weight': draw.randrange(1, 40), 'flat': 7, 'stars': draw.randrange(1, 6) + (3 if label == 'good' else 0),
                     'colour': draw.choice(['red', 'green', 'blue', '红', 'näive']), 'label': label,
                     '_split': 'train' if number % 5 else 'test'})
    train = [r for r in rows if r['_split'] == 'train']
    numbers = ['price', 'weight', 'flat', 'stars']
    x = numpy.array([[r[n] for n in numbers] for r in rows], dtype=float)
    xt = numpy.array([[r[n] for n in numbers] for r in train], dtype=float)
    yt = [r['label'] for r in train]
    colours, coloured = [[r['colour']] for r in train], [[r['colour']] for r in rows]
    onehot = OneHotEncoder(handle_unknown='ignore').fit(colours)
    ordinal = OrdinalEncoder(handle_unknown='use_encoded_value', unknown_value=-1).fit(colours)
    q1, q2, q3 = (numpy.quantile(xt, q, axis=0) for q in (0.25, 0.5, 0.75))
    mad = numpy.median(numpy.abs(xt - q2), axis=0)
    as_classes = numpy.array([[r['weight'], r['stars'], sorted({q['colour'] for q in train}).index(r['colour'])] for r in train])
    mean, deviation = xt.mean(axis=0), xt.std(axis=0)
    return {
        'rows': rows, 'numbers': numbers,
        'minmax': MinMaxScaler().fit(xt).transform(x).tolist(),
        'standard': StandardScaler().fit(xt).transform(x).tolist(),
        'onehot': {'columns': ['colour=' + c for c in onehot.categories_[0]],
                   'values': onehot.transform(coloured).toarray().tolist()},
        'ordinal': ordinal.transform(coloured)[:, 0].tolist(),
        'variance': xt.var(axis=0).tolist(),
        'chi_square': chi2(xt, yt)[0].tolist(),
        'mutual_information': {'fields': ['weight', 'stars', 'colour'],
                               'scores': mutual_info_classif(as_classes, yt, discrete_features=True).tolist()},
        'mean': mean.tolist(), 'median': q2.tolist(),
        'zscore': [(mean - 3 * deviation).tolist(), (mean + 3 * deviation).tolist()],
        'iqr': [(q1 - 1.5 * (q3 - q1)).tolist(), (q3 + 1.5 * (q3 - q1)).tolist()],
        'mad': [(q2 - 3.5 * mad / 0.6745).tolist(), (q2 + 3.5 * mad / 0.6745).tolist()],
    }


def main():
    draw = random.Random(3)
    made_by = f'Python {sys.version.split()[0]}, unicodedata {unicodedata.unidata_version}, numpy {numpy.__version__}, ' \
              f'scikit-learn {sklearn.__version__}'
    body = {'made_by': made_by, 'normalise': list(normal_cases(draw)), 'entities': list(entity_cases(draw)),
            'table': table(draw)}
    HERE.mkdir(parents=True, exist_ok=True)
    (HERE / 'clean.json').write_text(json.dumps(body, ensure_ascii=True, separators=(',', ':')) + '\n')


if __name__ == '__main__':
    main()
