#!/usr/bin/env python3
"""Importing a table against pandas and Python's own readers, alternating: processor time, ratio of medians.

    tools/bench_import.py FOLDER [--megabytes 200] [--turns 5]

FOLDER holds what tools/fetch_clean_peers.sh fetched; pandas 3.0.2 comes into an environment of its own beside it. The
same records as CSV and as JSON lines. Ours is the whole `atelier data import`: types, ids by hash, statistics, SHA-256
of the source, compressed shards that are synced. The peers read the file and write JSON lines, which is less.
"""
import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PANDAS = """import sys, pandas
path, out = sys.argv[1:]
frame = pandas.read_csv(path) if path.endswith('.csv') else pandas.read_json(path, lines=True)
frame.to_json(out, orient='records', lines=True, force_ascii=False)"""
PYTHON = """import csv, json, sys
path, out = sys.argv[1:]
with open(path, encoding='utf-8', newline='') as file, open(out, 'w', encoding='utf-8') as to:
    for row in (csv.DictReader(file) if path.endswith('.csv') else map(json.loads, file)):
        to.write(json.dumps(row, ensure_ascii=False) + '\\n')"""


def seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def make(folder, megabytes):
    """The records of clean_corpus.py as they are, and as CSV."""
    data = folder / 'clean.jsonl'
    if not data.exists() or data.stat().st_size < megabytes * 1e6:
        subprocess.run([sys.executable, ROOT / 'tools/clean_corpus.py', folder, '--megabytes', str(megabytes)], check=True)
    lines, table, size = folder / 'import.jsonl', folder / 'import.csv', 0
    import csv
    with data.open(encoding='utf-8') as source, lines.open('w', encoding='utf-8') as out, \
            table.open('w', encoding='utf-8', newline='') as rows:
        writer = None
        for line in source:
            record = json.loads(line)
            writer = writer or csv.writer(rows)
            if size == 0:
                writer.writerow(record)
            writer.writerow(record.values())
            out.write(line)
            size += len(line.encode())
            if size >= megabytes * 1e6:
                break
    return lines, table


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('folder', type=pathlib.Path)
    parser.add_argument('--megabytes', type=int, default=200)
    parser.add_argument('--turns', type=int, default=5)
    options = parser.parse_args()
    peer = options.folder / 'pandas'
    if not (peer / 'bin/python').exists():
        subprocess.run([sys.executable, '-m', 'venv', peer], check=True)
        subprocess.run([peer / 'bin/python', '-m', 'pip', 'install', '-q', 'pandas==3.0.2'], check=True)
    atelier = ROOT / 'build/release/atelier'
    for path in make(options.folder, options.megabytes):
        with tempfile.TemporaryDirectory(dir=options.folder) as work:
            studio, out = f'{work}/studio', f'{work}/out.jsonl'
            subprocess.run([atelier, 'init', studio], check=True, stdout=subprocess.DEVNULL)
            commands = {'ours': [atelier, 'data', 'import', path, '--name', 'table', '--studio', studio, '--quiet'],
                        'pandas': [peer / 'bin/python', '-c', PANDAS, path, out],
                        'python': [sys.executable, '-c', PYTHON, path, out]}
            took = {name: [] for name in commands}
            for _ in range(options.turns):
                for name, command in commands.items():
                    took[name].append(seconds(command))
            megabytes = path.stat().st_size / 1e6
            middle = {name: statistics.median(times) for name, times in took.items()}
            print(f'{path.suffix[1:]:6} {megabytes:.0f} MB: ours {megabytes / middle["ours"]:.0f} MB/s of processor time; ' +
                  '; '.join(f'{name} {megabytes / middle[name]:.0f} MB/s, ratio {middle[name] / middle["ours"]:.1f}'
                            for name in ('pandas', 'python')), flush=True)


if __name__ == '__main__':
    main()
