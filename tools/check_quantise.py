#!/usr/bin/env python3
"""Holds `atelier model quantise` against llama.cpp's llama-quantize (llama_cpp.py says which): both make the same types from
the same file, and llama-perplexity reads all of them. The bound is that no copy of ours has a perplexity over 1.02 times the
peer's. A file that is quantised already is expanded to F16 first, for both.

Usage: check_quantise.py ATELIER MODEL.gguf TEXT [--types q8_0,q4_0] [--calibration FILE] [--ctx 512] [--chunks N]
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from llama_cpp import VERSION, fetch, peer_build

PEER_TYPES = {"q8_0": "Q8_0", "q6_k": "Q6_K", "q5_k": "Q5_K_M", "q5_1": "Q5_1", "q5_0": "Q5_0", "q4_k": "Q4_K_M", "q4_1": "Q4_1", "q4_0": "Q4_0"}
BOUND = 1.02

parser = argparse.ArgumentParser()
parser.add_argument("atelier")
parser.add_argument("model")
parser.add_argument("text")
parser.add_argument("--types", default="q8_0,q6_k,q4_k,q4_1,q4_0")
parser.add_argument("--calibration")
parser.add_argument("--ctx", type=int, default=512)
parser.add_argument("--chunks", type=int, default=40)
options = parser.parse_args()
fetch()
folder, kind = peer_build(options.model)
work = pathlib.Path(tempfile.mkdtemp(prefix="quantise-"))


def ours(*arguments):
    told = subprocess.run([options.atelier, *map(str, arguments), "--json", "--quiet"], capture_output=True, text=True)
    if told.returncode != 0:
        sys.exit(f"atelier {' '.join(map(str, arguments))}: {told.stderr}")
    return json.loads(told.stdout)


def peer(program, *arguments):
    done = subprocess.run([str(folder / "bin" / program), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{program} {' '.join(map(str, arguments))}: {done.stderr[-2000:]}")
    return done.stdout + done.stderr


def perplexity(path):
    said = peer("llama-perplexity", "-m", path, "-f", options.text, "-c", options.ctx, "--chunks", options.chunks, "-t", 2)
    return float(re.search(r"Final estimate: PPL = ([0-9.]+)", said).group(1))


def timed(work, *arguments):
    begin = time.monotonic()
    work(*arguments)
    return time.monotonic() - begin


original = work / "original.gguf"
ours("model", "quantise", options.model, original, "--type", "f16")
base = perplexity(original)
print(f"{options.model}: perplexity {base:.3f} in F16 (llama-perplexity {VERSION}, {kind}; windows of {options.ctx})")
with_matrix, without = [], []
if options.calibration:
    matrix = work / "matrix.gguf"
    peer("llama-imatrix", "-m", original, "-f", options.calibration, "-o", matrix, "-c", options.ctx, "-t", 2)
    with_matrix, without = ["--calibration", options.calibration], ["--imatrix", matrix]
print(f"{'type':6} {'Atelier':>9} {'peer':>9} {'ratio':>7} {'KL, ours':>9} {'KL, peer':>9} {'MB, ours':>9} {'MB, peer':>9} {'s, ours':>8} {'s, peer':>8}")
beyond = 0
for name in options.types.split(","):
    mine, theirs = work / f"ours-{name}.gguf", work / f"peer-{name}.gguf"
    seconds = timed(ours, "model", "quantise", original, mine, "--type", name, *with_matrix)
    peer_seconds = timed(peer, "llama-quantize", *without, original, theirs, PEER_TYPES[name], 2)
    a, b = perplexity(mine), perplexity(theirs)
    kl = [ours("evaluate", "divergence", "-m", path, "--original", original, "--text", options.text, "--ctx", options.ctx)["divergence"]["mean"]
          for path in (mine, theirs)]
    beyond += a > BOUND * b
    print(f"{name:6} {a:9.3f} {b:9.3f} {a / b:7.4f} {kl[0]:9.5f} {kl[1]:9.5f} {mine.stat().st_size / 1e6:9.1f} {theirs.stat().st_size / 1e6:9.1f} "
          f"{seconds:8.1f} {peer_seconds:8.1f}", flush=True)
    mine.unlink()
    theirs.unlink()
print(f"{beyond} beyond {BOUND}")
sys.exit(1 if beyond else 0)
