#!/usr/bin/env python3
"""Compares cleaning with a Python peer that does the same operations, alternating, and prints the ratio of medians.

    tools/bench_clean.py BENCH_PROGRAM FOLDER [--megabytes 500] [--peer-megabytes 10] [--turns 5]

BENCH_PROGRAM is build/release/data_clean_bench; FOLDER holds what tools/fetch_clean_peers.sh fetched. The peer: json,
unicodedata with its quick check first, str.translate, PyPI opencc (its C++ library), the script counts and function
words of language identification, the same rules, zstandard at the same level. It runs on a part of the data, one
process, garbage collection off.
"""
import argparse
import gc
import json
import pathlib
import re
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORDS = re.compile(r'[\u3400-\u9fff\u3040-\u30ff]|[^\W_\u3400-\u9fff\u3040-\u30ff]+')
SPACES = re.compile(r'[ ]*\n[ \n]*|  +')


def function_words():
    """The lists of src/data/clean/function_words.cc."""
    text = (ROOT / 'src/data/clean/function_words.cc').read_text()
    lists = {}
    for name, body in re.findall(r'\{"(\w\w)",((?:\s*"[^"]*")+)\}', text):
        lists[name] = set(' '.join(re.findall(r'"([^"]*)"', body)).split())
    return lists


def peer(lines, level):
    import opencc
    import unicodedata
    import zstandard
    convert = opencc.OpenCC('t2s').convert
    words_of = function_words()
    english = words_of.pop('en')
    foreign = list(words_of.values())
    drop = {c: None for c in range(0x20) if c not in (9, 10, 11, 12, 13)}
    drop.update({c: None for c in range(0x7F, 0xA0) if c != 0x85})
    drop.update({c: None for c in (0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF)})
    drop.update({c: None for c in range(0x202A, 0x202F)})
    drop.update({c: ' ' for c in (9, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)})
    drop.update({c: '\n' for c in (11, 12, 13, 0x85, 0x2028, 0x2029)})
    drop.update({c: chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F) if chr(c - 0xFEE0).isalnum()})
    run = re.compile(r'(.)\1{12}', re.S)
    han, kana = re.compile(r'[\u3400-\u9fff]'), re.compile(r'[\u3040-\u30ff]')
    latin, accents = re.compile(r'[A-Za-z]'), re.compile(r'[À-ɏ]')
    digits = re.compile(r'\d')
    packer = zstandard.ZstdCompressor(level=level).compressobj()
    size = kept = 0
    for line in lines:
        record = json.loads(line)
        text = record['text'].translate(drop)
        if not unicodedata.is_normalized('NFC', text):
            text = unicodedata.normalize('NFC', text)
        text = SPACES.sub(lambda m: '\n' if '\n' in m.group() else ' ', text).strip()
        text = convert(text)
        words = WORDS.findall(text.lower())
        h, k, l, a = len(han.findall(text)), len(kana.findall(text)), len(latin.findall(text)), len(accents.findall(text))
        if 12 * (h + k) >= l + a and h + k:
            language = 'other' if 10 * k > h else 'zh'
        else:
            score = sum(w in english for w in words)
            most = max(sum(w in one for w in words) for one in foreign)
            language = 'other' if most > score or 25 * a > l + a and a > score else 'en'
        if language == 'other':
            continue
        characters = len(text)
        signs = sum(not c.isalnum() and not c.isspace() for c in text)
        if not 4 <= characters <= 20000 or len(words) < 2 or len(digits.findall(text)) > 0.5 * characters:
            continue
        if signs > 0.4 * characters or run.search(text):
            continue
        triples = list(zip(words, words[1:], words[2:]))
        if len(triples) - len(set(triples)) > 0.5 * len(triples):
            continue
        record['text'], record['language'] = text, language
        size += len(packer.compress((json.dumps(record, ensure_ascii=False, separators=(',', ':')) + '\n').encode()))
        kept += 1
    size += len(packer.flush())
    return kept, size


def peer_main(path, level):
    lines = open(path, 'rb').read().splitlines()
    gc.disable()
    started = time.process_time()
    kept, size = peer(lines, level)
    seconds = time.process_time() - started
    print(json.dumps({'seconds': seconds, 'kept': kept, 'size': size}))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('program')
    parser.add_argument('folder', type=pathlib.Path)
    parser.add_argument('--megabytes', type=int, default=500)
    parser.add_argument('--peer-megabytes', type=int, default=10)
    parser.add_argument('--turns', type=int, default=5)
    parser.add_argument('--level', type=int, default=0, help="ours; the peer takes at least 1")
    options = parser.parse_args()
    data, part = options.folder / 'clean.jsonl', options.folder / 'clean-part.jsonl'
    if not data.exists() or data.stat().st_size < options.megabytes * 1e6:
        subprocess.run([sys.executable, ROOT / 'tools/clean_corpus.py', options.folder, '--megabytes',
                        str(options.megabytes)], check=True)
    with data.open('rb') as whole:
        head = whole.read(options.peer_megabytes * 1_000_000)
    part.write_bytes(head[:head.rindex(b'\n') + 1])
    megabytes = part.stat().st_size / 1e6
    ours, theirs = [], []
    for turn in range(options.turns):
        out = subprocess.run([options.program, data, ROOT / 'bench/clean.toml', '1', str(options.level)], check=True,
                             capture_output=True, text=True).stdout
        ours.append(json.loads(out))
        out = subprocess.run([options.folder / 'venv/bin/python', __file__, '--peer', part, str(max(1, options.level))], check=True,
                             capture_output=True, text=True).stdout
        theirs.append(json.loads(out))
        print(f'turn {turn + 1}: {ours[-1]["mb_per_s"]:.1f} MB/s per core, peer '
              f'{megabytes / theirs[-1]["seconds"]:.2f} MB/s', flush=True)
    ours.sort(key=lambda one: one['mb_per_s'])
    middle = ours[len(ours) // 2]
    speed = statistics.median(one['mb_per_s'] for one in ours)
    peer_speed = megabytes / statistics.median(one['seconds'] for one in theirs)
    print(f'{middle["megabytes"]:.0f} MB, {middle["records"]} records, {middle["kept"]} kept, zstd level {options.level}, '
          f'ratio {middle["ratio"]:.2f}')
    total = sum(middle['ns_per_byte'].values())
    for name, value in middle['ns_per_byte'].items():
        print(f'  {name:12} {value:6.3f} ns per byte {100 * value / total:5.1f} %')
    print(f'cleaning: {speed:.1f} MB/s per core (best turn {max(o["best_mb_per_s"] for o in ours):.1f}; wanted: 200); '
          f'peer {peer_speed:.2f} MB/s; ratio {speed / peer_speed:.1f}')


if __name__ == '__main__':
    if len(sys.argv) == 4 and sys.argv[1] == '--peer':
        peer_main(sys.argv[2], int(sys.argv[3]))
    else:
        main()
